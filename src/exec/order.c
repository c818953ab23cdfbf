// Sorting rows by keys; see order.h.

#include "exec/order.h"

#include "value/scalar.h"

#include <math.h>

static inline unsigned
value_class(const OrderKey *key, uint32_t row)
{
    unsigned rank = 2;
    if (key->values->valid && !bit_get(key->values->valid, row))
        rank = 0;
    else if (key->values->type == TYPE_REAL && isnan(((const double *)key->values->data)[row]))
        rank = 1;
    return key->nulls_first ? rank : 2 - rank;
}

static inline bool
class_is_value(const OrderKey *key, unsigned class)
{
    return class == (key->nulls_first ? 2 : 0);
}

unsigned
order_class(const OrderKey *key, uint32_t row)
{
    return value_class(key, row);
}

bool
order_class_is_value(const OrderKey *key, unsigned class)
{
    return class_is_value(key, class);
}

// ---- words of the first key ----

static const uint64_t SIGN_BIT = (uint64_t)1 << 63;

static inline uint64_t
real_word(double real)
{
    uint64_t word;
    real = real == 0 ? 0 : real; // -0.0 equals 0.0
    memcpy(&word, &real, sizeof(word));
    return word & SIGN_BIT ? ~word : word | SIGN_BIT;
}

static inline uint64_t
bytes_word(const void *bytes, size_t len)
{
    uint64_t word = 0;
    memcpy(&word, bytes, len < 8 ? len : 8);
    return __builtin_bswap64(word);
}

void
order_words(const OrderKey *key, uint32_t count, uint64_t *words, bool *exact)
{
    const void *data = key->values->data;
    *exact = true;
    switch (key->values->type) {
    case TYPE_BOOL:
        for (uint32_t i = 0; i < count; i++)
            words[i] = ((const uint8_t *)data)[i];
        break;
    case TYPE_INT:
        for (uint32_t i = 0; i < count; i++)
            words[i] = (uint64_t)(int64_t)((const int32_t *)data)[i] ^ SIGN_BIT;
        break;
    case TYPE_REAL:
        for (uint32_t i = 0; i < count; i++)
            words[i] = real_word(((const double *)data)[i]);
        break;
    case TYPE_STRING:
        *exact = false;
        for (uint32_t i = 0; i < count; i++) {
            Str s = text_str(&((const Text *)data)[i]);
            words[i] = bytes_word(s.ptr, s.len);
        }
        break;
    case TYPE_GUID:
        *exact = false;
        for (uint32_t i = 0; i < count; i++)
            words[i] = bytes_word(&((const Guid *)data)[i], 8);
        break;
    case TYPE_DECIMAL:
        *exact = false;
        for (uint32_t i = 0; i < count; i++)
            words[i] = real_word(decimal_to_real(((const Decimal *)data)[i]));
        break;
    case TYPE_DYNAMIC:
        *exact = false;
        memset(words, 0, count * sizeof(*words));
        break;
    default: // long, datetime, timespan
        for (uint32_t i = 0; i < count; i++)
            words[i] = (uint64_t)((const int64_t *)data)[i] ^ SIGN_BIT;
        break;
    }
    if (key->descending)
        for (uint32_t i = 0; i < count; i++)
            words[i] = ~words[i];
}

// ---- sorting ----

typedef struct OrderEntry {
    uint64_t word;
    uint32_t row;
} OrderEntry;

int
order_compare(const Order *order, uint32_t a, const Order *other, uint32_t b, uint32_t from_key)
{
    for (uint32_t k = from_key; k < order->count; k++) {
        const OrderKey *key = &order->keys[k], *other_key = &other->keys[k];
        unsigned class_a = value_class(key, a), class_b = value_class(other_key, b);
        if (class_a != class_b)
            return class_a < class_b ? -1 : 1;
        if (!class_is_value(key, class_a))
            continue;
        int by = data_compare(key->values->type, vector_cell(key->values, a),
                              vector_cell(other_key->values, b));
        if (by)
            return (by < 0) != key->descending ? -1 : 1;
    }
    return 0;
}

static inline int
compare_rows(const Order *order, uint32_t from_key, uint32_t a, uint32_t b)
{
    return order_compare(order, a, order, b, from_key);
}

// Stable: merges runs of doubling length that start as insertion-sorted eights.
static void
merge_sort(const Order *order, uint32_t from_key, OrderEntry *items, OrderEntry *spare,
           size_t count)
{
    enum { RUN = 8 };
    for (size_t at = 0; at < count; at += RUN) {
        size_t end = at + RUN < count ? at + RUN : count;
        for (size_t i = at + 1; i < end; i++) {
            OrderEntry entry = items[i];
            size_t j = i;
            for (; j > at && compare_rows(order, from_key, entry.row, items[j - 1].row) < 0; j--)
                items[j] = items[j - 1];
            items[j] = entry;
        }
    }
    for (size_t width = RUN; width < count; width *= 2) {
        for (size_t at = 0; at < count; at += 2 * width) {
            size_t middle = at + width < count ? at + width : count;
            size_t end = at + 2 * width < count ? at + 2 * width : count;
            size_t a = at, b = middle, out = at;
            while (a < middle && b < end)
                spare[out++] = compare_rows(order, from_key, items[b].row, items[a].row) < 0
                                   ? items[b++]
                                   : items[a++];
            while (a < middle)
                spare[out++] = items[a++];
            while (b < end)
                spare[out++] = items[b++];
        }
        memcpy(items, spare, count * sizeof(*items));
    }
}

// Stable, by word: least significant byte first, bytes that never vary left out.
static void
radix_sort(OrderEntry *items, OrderEntry *spare, size_t count)
{
    size_t histogram[8][256] = {0};
    for (size_t i = 0; i < count; i++)
        for (unsigned byte = 0; byte < 8; byte++)
            histogram[byte][items[i].word >> (8 * byte) & 0xFF]++;
    OrderEntry *from = items, *to = spare;
    for (unsigned byte = 0; byte < 8; byte++) {
        unsigned shift = 8 * byte;
        if (histogram[byte][items[0].word >> shift & 0xFF] == count)
            continue;
        size_t at = 0;
        for (unsigned b = 0; b < 256; b++) {
            size_t here = histogram[byte][b];
            histogram[byte][b] = at;
            at += here;
        }
        for (size_t i = 0; i < count; i++)
            to[histogram[byte][from[i].word >> shift & 0xFF]++] = from[i];
        OrderEntry *swap = from;
        from = to;
        to = swap;
    }
    if (from != items)
        memcpy(items, from, count * sizeof(*items));
}

uint32_t *
order_by_words(Arena *arena, const uint64_t *words, uint32_t count)
{
    uint32_t *rows = arena_alloc_array(arena, count, sizeof(uint32_t));
    Arena scratch = {0};
    OrderEntry *items = arena_alloc_array(&scratch, count, sizeof(OrderEntry));
    OrderEntry *spare = arena_alloc_array(&scratch, count, sizeof(OrderEntry));
    for (uint32_t i = 0; i < count; i++)
        items[i] = (OrderEntry){words[i], i};
    if (count)
        radix_sort(items, spare, count);
    for (uint32_t i = 0; i < count; i++)
        rows[i] = items[i].row;
    arena_free(&scratch);
    return rows;
}

static void
sort_values(const Order *order, bool exact, OrderEntry *items, OrderEntry *spare, size_t count)
{
    enum { RADIX_FROM = 512 };
    if (count < RADIX_FROM) {
        merge_sort(order, 0, items, spare, count);
        return;
    }
    radix_sort(items, spare, count);
    if (exact && order->count == 1)
        return;
    for (size_t at = 0; at < count;) {
        size_t end = at + 1;
        while (end < count && items[end].word == items[at].word)
            end++;
        if (end - at > 1)
            merge_sort(order, exact ? 1 : 0, items + at, spare, end - at);
        at = end;
    }
}

uint32_t *
order_rows(Arena *arena, const Order *order, uint32_t count)
{
    uint32_t *rows = arena_alloc_array(arena, count, sizeof(uint32_t));
    if (!order->count || !count) {
        for (uint32_t i = 0; i < count; i++)
            rows[i] = i;
        return rows;
    }
    Arena scratch = {0};
    uint64_t *words = arena_alloc_array(&scratch, count, sizeof(uint64_t));
    OrderEntry *items = arena_alloc_array(&scratch, count, sizeof(OrderEntry));
    OrderEntry *spare = arena_alloc_array(&scratch, count, sizeof(OrderEntry));
    bool exact;
    order_words(&order->keys[0], count, words, &exact);
    size_t at = 0;
    for (unsigned class = 0; class < 3; class ++) {
        size_t from = at;
        for (uint32_t i = 0; i < count; i++)
            if (value_class(&order->keys[0], i) == class)
                items[at++] = (OrderEntry){words[i], i};
        if (class_is_value(&order->keys[0], class))
            sort_values(order, exact, items + from, spare, at - from);
        else
            merge_sort(order, 1, items + from, spare, at - from);
    }
    for (uint32_t i = 0; i < count; i++)
        rows[i] = items[i].row;
    arena_free(&scratch);
    return rows;
}
