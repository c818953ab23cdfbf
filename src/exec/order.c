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

// ---- many rows ----

// The words of a key are made when rows are first sorted by it.
typedef struct Sorting {
    const Order *order;
    uint32_t count; // of all rows
    Arena *scratch;
    uint64_t **words; // by key
    bool *exact;
    OrderEntry *spare; // as many as there are items
} Sorting;

enum {
    RADIX_FROM = 512, // fewer are merge-sorted
    WORDS_MOST = 64,  // so are texts of which so many words are equal
};

static void sort_by_key(Sorting *s, uint32_t k, OrderEntry *items, size_t count);

// Gives each item the word of its value: the first of a number or a text, of texts and GUIDs that
// of the eight bytes behind `level` others.
static void
words_set(Sorting *s, uint32_t k, uint32_t level, OrderEntry *items, size_t count)
{
    const OrderKey *key = &s->order->keys[k];
    if (level == 0) {
        if (!s->words[k]) {
            s->words[k] = arena_alloc_array(s->scratch, s->count, sizeof(uint64_t));
            order_words(key, s->count, s->words[k], &s->exact[k]);
        }
        for (size_t i = 0; i < count; i++)
            items[i].word = s->words[k][items[i].row];
        return;
    }
    uint64_t turn = key->descending ? UINT64_MAX : 0;
    size_t from = (size_t)level * 8;
    for (size_t i = 0; i < count; i++) {
        const void *cell = vector_cell(key->values, items[i].row);
        Str bytes = key->values->type == TYPE_GUID ? (Str){cell, sizeof(Guid)} : text_str(cell);
        bool any = bytes.len > from;
        items[i].word = (any ? bytes_word(bytes.ptr + from, bytes.len - from) : 0) ^ turn;
    }
}

typedef enum Tie { TIE_EQUAL, TIE_MORE, TIE_COMPARE } Tie;

// What equal words of a key up to `level` say of the values.
static Tie
words_tie(const Sorting *s, uint32_t k, uint32_t level, const OrderEntry *items, size_t count)
{
    const Vector *values = s->order->keys[k].values;
    if (s->exact[k] || (values->type == TYPE_GUID && level == 1))
        return TIE_EQUAL;
    if (values->type == TYPE_GUID)
        return TIE_MORE;
    if (values->type != TYPE_STRING)
        return TIE_COMPARE;
    // Where texts end the word has zeros; one may also hold zeros.
    const Text *texts = values->data;
    uint32_t len = texts[items[0].row].len;
    bool ended = len <= (level + 1) * 8;
    for (size_t i = 1; ended && i < count; i++)
        ended = texts[items[i].row].len == len;
    return ended ? TIE_EQUAL : level + 1 < WORDS_MOST ? TIE_MORE : TIE_COMPARE;
}

static void
sort_values(Sorting *s, uint32_t k, uint32_t level, OrderEntry *items, size_t count)
{
    if (count < RADIX_FROM) {
        merge_sort(s->order, k, items, s->spare, count);
        return;
    }
    words_set(s, k, level, items, count);
    radix_sort(items, s->spare, count);
    for (size_t at = 0, end; at < count; at = end) {
        for (end = at + 1; end < count && items[end].word == items[at].word;)
            end++;
        if (end - at == 1)
            continue;
        switch (words_tie(s, k, level, items + at, end - at)) {
        case TIE_EQUAL: sort_by_key(s, k + 1, items + at, end - at); break;
        case TIE_MORE: sort_values(s, k, level + 1, items + at, end - at); break;
        case TIE_COMPARE: merge_sort(s->order, k, items + at, s->spare, end - at); break;
        }
    }
}

// Stable, by the keys from `k` on.
static void
sort_by_key(Sorting *s, uint32_t k, OrderEntry *items, size_t count)
{
    if (k == s->order->count)
        return;
    if (count < RADIX_FROM) {
        merge_sort(s->order, k, items, s->spare, count);
        return;
    }
    const OrderKey *key = &s->order->keys[k];
    size_t ends[3], at = 0;
    for (unsigned class = 0; class < 3; class ++) {
        for (size_t i = 0; i < count; i++)
            if (value_class(key, items[i].row) == class)
                s->spare[at++] = items[i];
        ends[class] = at;
    }
    memcpy(items, s->spare, count * sizeof(*items));
    for (unsigned class = 0; class < 3; class ++) {
        size_t from = class ? ends[class - 1] : 0;
        if (class_is_value(key, class))
            sort_values(s, k, 0, items + from, ends[class] - from);
        else
            sort_by_key(s, k + 1, items + from, ends[class] - from);
    }
}

uint32_t *
order_rows(Arena *arena, const Order *order, uint32_t count)
{
    uint32_t *rows = arena_alloc_array(arena, count, sizeof(uint32_t));
    Arena scratch = {0};
    Sorting sorting = {
        .order = order,
        .count = count,
        .scratch = &scratch,
        .words = ARENA_ARRAY(&scratch, uint64_t *, order->count),
        .exact = ARENA_ARRAY(&scratch, bool, order->count),
        .spare = arena_alloc_array(&scratch, count, sizeof(OrderEntry)),
    };
    OrderEntry *items = arena_alloc_array(&scratch, count, sizeof(OrderEntry));
    for (uint32_t i = 0; i < count; i++)
        items[i] = (OrderEntry){.row = i};
    sort_by_key(&sorting, 0, items, count);
    for (uint32_t i = 0; i < count; i++)
        rows[i] = items[i].row;
    arena_free(&scratch);
    return rows;
}
