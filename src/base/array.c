#include "base/array.h"

#include <string.h>

void *
array_grow(Arena *arena, void *items, size_t len, size_t *cap, size_t item_size)
{
    size_t wanted = *cap ? *cap * 2 : 8;
    void *grown = arena_alloc_array(arena, wanted, item_size);
    if (len)
        memcpy(grown, items, len * item_size);
    *cap = wanted;
    return grown;
}
