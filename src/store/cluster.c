// Clustering: the order in which a segment keeps its rows.
//
// Inventory rows are ordered by `type`, then `id`, both without regard to ASCII
// case: queries ask for one type, so few row groups hold it, and neighbours look
// alike, so they compress well. Log rows are ordered by time. Rows that tie keep
// the order in which they came.
//
// Texts are sorted by eight bytes at a time behind their common prefix, since
// Azure's ids share long ones; what ties is sorted by the bytes that follow.

#include "store/store_internal.h"

#include <stdlib.h>

typedef struct SortItem {
    uint64_t head;   // the eight bytes being sorted by, as a big-endian number
    const char *ptr; // the text
    uint32_t len, row;
} SortItem;

// Texts made to tie again and again are left in the order they came.
enum { SORT_LEVELS = 64 };

static int
item_compare(const void *a, const void *b)
{
    const SortItem *x = a, *y = b;
    if (x->head != y->head)
        return x->head < y->head ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

static uint64_t
head_at(const SortItem *item, size_t offset)
{
    uint64_t head = 0;
    for (size_t i = offset; i < offset + 8; i++)
        head = head << 8 | (i < item->len ? (uint8_t)item->ptr[i] : 0);
    return head;
}

// Bytes from `offset` on that all items share.
static size_t
shared_prefix(const SortItem *items, size_t count, size_t offset)
{
    size_t shared = items[0].len > offset ? items[0].len - offset : 0;
    for (size_t i = 1; i < count && shared; i++) {
        size_t len = items[i].len > offset ? items[i].len - offset : 0;
        if (len < shared)
            shared = len;
        if (memcmp(items[0].ptr + offset, items[i].ptr + offset, shared) == 0)
            continue;
        size_t same = 0;
        while (items[0].ptr[offset + same] == items[i].ptr[offset + same])
            same++;
        shared = same;
    }
    return shared;
}

static void
texts_sort(SortItem *items, size_t count, size_t offset, int level)
{
    if (count < 2 || level == SORT_LEVELS)
        return;
    offset += shared_prefix(items, count, offset);
    bool more = false, sorted = true;
    for (size_t i = 0; i < count; i++) {
        items[i].head = head_at(&items[i], offset);
        more |= items[i].len > offset;
        sorted &= i == 0 || items[i - 1].head <= items[i].head;
    }
    if (!more)
        return;
    if (!sorted)
        qsort(items, count, sizeof(*items), item_compare);
    for (size_t from = 0, to; from < count; from = to) {
        for (to = from + 1; to < count && items[to].head == items[from].head;)
            to++;
        texts_sort(items + from, to - from, offset + 8, level + 1);
    }
}

static char *
lower_put(char *out, const Text *text)
{
    const char *p = text_data(text);
    for (uint32_t i = 0; i < text->len; i++)
        *out++ = (char)(p[i] >= 'A' && p[i] <= 'Z' ? p[i] + 32 : p[i]);
    return out;
}

// type, a zero byte, id: sorts by the first and then the second.
static void
inventory_order(Arena *arena, const Vector *type, const Vector *id, SortItem *items, uint32_t rows)
{
    const Vector *parts[] = {type, id};
    for (uint32_t i = 0; i < rows; i++) {
        size_t len = 1;
        for (size_t p = 0; p < COUNT_OF(parts); p++)
            len += parts[p] ? ((const Text *)parts[p]->data)[i].len : 0;
        char *key = arena_alloc_aligned(arena, len, 1), *out = key;
        if (type)
            out = lower_put(out, (const Text *)type->data + i);
        *out++ = 0;
        if (id)
            lower_put(out, (const Text *)id->data + i);
        items[i] = (SortItem){.ptr = key, .len = (uint32_t)len, .row = i};
    }
    texts_sort(items, rows, 0, 0);
}

static void
time_order(const Vector *time, SortItem *items, uint32_t rows)
{
    bool sorted = true;
    for (uint32_t i = 0; i < rows; i++) {
        uint64_t ticks = (uint64_t)((const int64_t *)time->data)[i];
        items[i] = (SortItem){.head = ticks ^ (uint64_t)1 << 63, .row = i};
        sorted &= i == 0 || items[i - 1].head <= items[i].head;
    }
    if (!sorted)
        qsort(items, rows, sizeof(*items), item_compare);
}

static const Vector *
string_column(const Schema *schema, const Vector *const *columns, const char *name)
{
    ptrdiff_t c = schema_find_ci(schema, str_from(name));
    bool sorts = c >= 0 && schema->columns[c].type == TYPE_STRING && !vector_is_nothing(columns[c]);
    return sorts ? columns[c] : NULL;
}

void
cluster_order(Arena *arena, const Schema *schema, TableKind kind, const Vector *const *columns,
              uint32_t rows, uint32_t *order)
{
    const Vector *type = NULL, *id = NULL;
    ptrdiff_t time = -1;
    if (kind == TABLE_INVENTORY) {
        type = string_column(schema, columns, "type");
        id = string_column(schema, columns, "id");
    } else {
        time = time_column_find(schema);
        if (time >= 0 && vector_is_nothing(columns[time]))
            time = -1;
    }
    if (!type && !id && time < 0) {
        for (uint32_t i = 0; i < rows; i++)
            order[i] = i;
        return;
    }
    SortItem *items = arena_alloc_array(arena, rows, sizeof(*items));
    if (time >= 0)
        time_order(columns[time], items, rows);
    else
        inventory_order(arena, type, id, items, rows);
    for (uint32_t i = 0; i < rows; i++)
        order[i] = items[i].row;
}
