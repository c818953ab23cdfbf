#include "store/age_list.h"

void
age_push(AgeList *list, AgeItem *item)
{
    item->list = list;
    item->older = list->newest;
    item->newer = NULL;
    *(list->newest ? &list->newest->newer : &list->oldest) = item;
    list->newest = item;
    list->bytes += item->bytes;
}

void
age_unlink(AgeItem *item)
{
    AgeList *list = item->list;
    *(item->older ? &item->older->newer : &list->oldest) = item->newer;
    *(item->newer ? &item->newer->older : &list->newest) = item->older;
    item->older = item->newer = NULL;
    list->bytes -= item->bytes;
}

void
age_shrink(AgeList *list, size_t most, void (*drop)(void *context, AgeItem *item), void *context)
{
    for (AgeItem *item = list->oldest, *newer; item && list->bytes > most; item = newer) {
        newer = item->newer;
        if (!item->pins)
            drop(context, item);
    }
}
