// Key rows and the group table; see keys.h for the layout.
//
// Rows are built a column at a time, so that the loop over a batch knows its type.
// The table is open addressing over 8-byte slots that hold the half of the hash that says the
// slot: a probe touches the key row only when that half fits, and growing looks at nothing but slots.

#include "exec/keys.h"

#include "value/scalar.h"

#include <assert.h>
#include <math.h>

KeyLayout
key_layout(Arena *arena, const Type *types, uint32_t count)
{
    KeyLayout layout = {.count = count, .text_word = NO_TEXT, .plain = true};
    layout.columns = ARENA_ARRAY(arena, KeyColumn, count);
    uint32_t nullable = 0;
    for (uint32_t k = 0; k < count; k++)
        nullable += types[k] != TYPE_STRING;
    layout.null_words = count ? (nullable + 63) / 64 : 1;
    layout.words = layout.null_words;
    nullable = 0;
    for (uint32_t k = 0; k < count; k++) {
        uint32_t words = type_size(types[k]) > 8 ? 2 : 1;
        uint32_t null = types[k] == TYPE_STRING ? NULL_NEVER : nullable++;
        layout.columns[k] = (KeyColumn){types[k], layout.words, words, null};
        if (types[k] == TYPE_STRING && layout.text_word == NO_TEXT)
            layout.text_word = layout.words;
        layout.words += words;
        if (type_is_text(types[k]) || types[k] == TYPE_DECIMAL)
            layout.plain = false;
    }
    return layout;
}

// Multiplies to 128 bits and folds: every bit of both words reaches every bit.
static inline uint64_t
mix(uint64_t a, uint64_t b)
{
    unsigned __int128 product =
        (unsigned __int128)(a ^ 0xA0761D6478BD642Fu) * (b ^ 0xE7037ED1A0B428DBu);
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

// ---- words of one value ----

static inline uint64_t
bool_word(const uint8_t *data, uint32_t i)
{
    return data[i];
}

static inline uint64_t
int_word(const uint32_t *data, uint32_t i)
{
    return data[i];
}

static inline uint64_t
long_word(const uint64_t *data, uint32_t i)
{
    return data[i];
}

static inline uint64_t
real_word(const double *data, uint32_t i)
{
    double real = data[i];
    uint64_t word;
    if (real == 0)
        return 0;
    if (isnan(real))
        return 0x7FF8000000000000u;
    memcpy(&word, &real, sizeof(word));
    return word;
}

// Calls `set` for each row with the index of its payload, one tight loop an encoding.
#define EACH_INDEX(v, count, set)                                                                  \
    do {                                                                                           \
        if ((v)->encoding == ENC_FLAT)                                                             \
            for (uint32_t i = 0; i < (count); i++)                                                 \
                set(i, i);                                                                         \
        else if ((v)->encoding == ENC_CONST)                                                       \
            for (uint32_t i = 0; i < (count); i++)                                                 \
                set(i, 0);                                                                         \
        else                                                                                       \
            for (uint32_t i = 0; i < (count); i++)                                                 \
                set(i, (v)->codes[i]);                                                             \
    } while (0)

static uint64_t
value_hash(Type type, const uint64_t *words)
{
    if (type == TYPE_STRING) {
        Text text;
        memcpy(&text, words, sizeof(text));
        return text.len <= TEXT_INLINE ? mix(words[0], words[1]) : str_hash(text_str(&text));
    }
    if (type == TYPE_DYNAMIC || type == TYPE_DECIMAL)
        return data_hash(type, words);
    return mix(words[0], words[1]);
}

static void
encode_column(const KeyColumn *column, uint32_t stride, const Vector *v, uint32_t count,
              uint64_t *rows)
{
    const void *data = vector_payload(v)->data;
    uint64_t *out = rows + column->word;
    switch (type_size(column->type)) {
#define SET(i, index) out[(size_t)(i)*stride] = bool_word(data, index)
    case 1: EACH_INDEX(v, count, SET); break;
#undef SET
#define SET(i, index) out[(size_t)(i)*stride] = int_word(data, index)
    case 4: EACH_INDEX(v, count, SET); break;
#undef SET
    case 8:
#define SET(i, index) out[(size_t)(i)*stride] = real_word(data, index)
        if (column->type == TYPE_REAL)
            EACH_INDEX(v, count, SET);
#undef SET
#define SET(i, index) out[(size_t)(i)*stride] = long_word(data, index)
        else
            EACH_INDEX(v, count, SET);
#undef SET
        break;
    default:
#define SET(i, index) memcpy(out + (size_t)(i)*stride, (const char *)data + (size_t)(index)*16, 16)
        EACH_INDEX(v, count, SET);
#undef SET
        break;
    }
}

// Null bits of a key; the payload of a null is zero already.
static void
encode_nulls(const KeyColumn *column, uint32_t stride, const Vector *v, uint32_t count,
             uint64_t *rows)
{
    const uint64_t *valid = vector_payload(v)->valid;
    if (!valid || column->null == NULL_NEVER)
        return;
    uint64_t *out = rows + column->null / 64;
    unsigned shift = column->null & 63;
#define SET(i, index) out[(size_t)(i)*stride] |= (uint64_t)!bit_get(valid, index) << shift
    EACH_INDEX(v, count, SET);
#undef SET
}

static void
hash_column(const KeyColumn *column, uint32_t stride, const Vector *v, uint32_t count,
            const uint64_t *rows, uint64_t *hashes)
{
    const uint64_t *in = rows + column->word;
    if (column->words == 1) {
        for (uint32_t i = 0; i < count; i++)
            hashes[i] = mix(hashes[i], in[(size_t)i * stride]);
        return;
    }
    // Long values of a dictionary are hashed once an entry.
    enum { ENTRIES = 1024 };
    uint64_t entries[ENTRIES];
    if (v->encoding == ENC_CONST && count) {
        uint64_t hash = value_hash(column->type, in);
        for (uint32_t i = 0; i < count; i++)
            hashes[i] = mix(hashes[i], hash);
        return;
    }
    if (v->encoding == ENC_DICT && v->dict->count <= ENTRIES && v->dict->count < count) {
        for (uint32_t i = 0; i < v->dict->count; i++) {
            uint64_t words[2];
            memcpy(words, (const char *)v->dict->data + (size_t)i * 16, 16);
            entries[i] = value_hash(column->type, words);
        }
        for (uint32_t i = 0; i < count; i++)
            hashes[i] = mix(hashes[i], entries[v->codes[i]]);
        return;
    }
    for (uint32_t i = 0; i < count; i++)
        hashes[i] = mix(hashes[i], value_hash(column->type, in + (size_t)i * stride));
}

void
key_encode(Arena *arena, const KeyLayout *layout, const Vector *const *keys, uint32_t count,
           uint64_t **rows, uint64_t **hashes)
{
    uint32_t stride = layout->words;
    *rows = arena_alloc_array(arena, (size_t)count * stride, sizeof(uint64_t));
    *hashes = ARENA_ARRAY(arena, uint64_t, count);
    for (uint32_t i = 0; i < count; i++)
        memset(*rows + (size_t)i * stride, 0, layout->null_words * sizeof(uint64_t));
    for (uint32_t k = 0; k < layout->count; k++) {
        assert(keys[k]->type == layout->columns[k].type && keys[k]->count >= count);
        encode_column(&layout->columns[k], stride, keys[k], count, *rows);
        encode_nulls(&layout->columns[k], stride, keys[k], count, *rows);
        hash_column(&layout->columns[k], stride, keys[k], count, *rows, *hashes);
    }
    for (uint32_t w = 0; w < layout->null_words; w++)
        for (uint32_t i = 0; i < count; i++)
            if ((*rows)[(size_t)i * stride + w])
                (*hashes)[i] = mix((*hashes)[i], (*rows)[(size_t)i * stride + w]);
}

static inline bool
key_is_null(const KeyColumn *column, const uint64_t *row)
{
    return column->null != NULL_NEVER && row[column->null / 64] >> (column->null & 63) & 1;
}

bool
key_has_null(const KeyLayout *layout, const uint64_t *row)
{
    uint64_t any = 0;
    for (uint32_t w = 0; w < layout->null_words; w++)
        any |= row[w];
    return any != 0;
}

// ---- the table ----

static bool
values_equal(const KeyLayout *layout, const uint64_t *a, const uint64_t *b)
{
    for (uint32_t w = 0; w < layout->null_words; w++)
        if (a[w] != b[w])
            return false;
    for (uint32_t k = 0; k < layout->count; k++) {
        const KeyColumn *column = &layout->columns[k];
        const uint64_t *x = a + column->word, *y = b + column->word;
        if (x[0] == y[0] && (column->words == 1 || x[1] == y[1]))
            continue;
        if (column->type == TYPE_STRING) {
            if (!text_equal((const Text *)(const void *)x, (const Text *)(const void *)y))
                return false;
        } else if (column->type == TYPE_DECIMAL || column->type == TYPE_DYNAMIC) {
            if (key_is_null(column, a))
                continue; // both null
            if (!data_equal(column->type, x, y))
                return false;
        } else {
            return false;
        }
    }
    return true;
}

static inline bool
rows_equal(const KeyLayout *layout, const uint64_t *a, const uint64_t *b)
{
    if (!layout->plain)
        return values_equal(layout, a, b);
    for (uint32_t w = 0; w < layout->words; w++)
        if (a[w] != b[w])
            return false;
    return true;
}

bool
key_rows_equal(const KeyLayout *layout, const uint64_t *a, const uint64_t *b)
{
    return rows_equal(layout, a, b);
}

enum { SLOTS_FIRST = 128, RECORDS_FIRST = 64, SEGMENT_BYTES = 1 << 16 };

// Slots are used up to four of five: a probe reads neighbours, which lie in the same line.
static uint32_t
slots_most(size_t slots)
{
    size_t most = slots / 5 * 4;
    return most < GROUP_NONE ? (uint32_t)most : GROUP_NONE;
}

void
group_table_init(GroupTable *table, const KeyLayout *layout, uint32_t extra, Arena *arena)
{
    *table = (GroupTable){.layout = layout, .arena = arena, .stride = layout->words + extra};
    while ((((size_t)2 << table->shift) * table->stride) * sizeof(uint64_t) <= SEGMENT_BYTES)
        table->shift++;
}

size_t
group_table_growth(const GroupTable *table, uint32_t more)
{
    size_t count = (size_t)table->count + more, slots = table->mask ? table->mask + 1 : 0,
           grown = 0;
    while (slots_most(slots) < count && slots_most(slots) < GROUP_NONE)
        grown = slots = slots ? slots * 2 : SLOTS_FIRST;
    size_t records = count > table->cap ? count - table->cap : 0;
    return grown * sizeof(uint64_t) + records * table->stride * sizeof(uint64_t);
}

// Puts the entries into twice as many slots. They go in their old order, which leaves them in runs
// of neighbours: memory is read and written in order.
static void
slots_grow(GroupTable *table)
{
    uint64_t *old = table->slots;
    size_t old_count = table->mask ? table->mask + 1 : 0;
    size_t count = old_count ? old_count * 2 : SLOTS_FIRST;
    table->slots = ARENA_ARRAY(table->arena, uint64_t, count);
    table->mask = count - 1;
    table->most = slots_most(count);
    for (size_t s = 0; s < old_count; s++) {
        if (!old[s])
            continue;
        size_t slot = (old[s] >> 32) & table->mask;
        while (table->slots[slot])
            slot = (slot + 1) & table->mask;
        table->slots[slot] = old[s];
    }
    arena_release(table->arena, old);
}

// Room for more records: the first segment grows until it is a whole one, then there are more.
static void
records_grow(GroupTable *table)
{
    uint32_t whole = (uint32_t)1 << table->shift;
    if (table->cap >= whole || !table->cap) {
        if (table->segment_count == table->segment_cap) {
            uint32_t cap = table->segment_cap ? table->segment_cap * 2 : 4;
            uint64_t **segments = ARENA_ARRAY(table->arena, uint64_t *, cap);
            if (table->segment_count)
                memcpy(segments, table->segments, table->segment_count * sizeof(*segments));
            arena_release(table->arena, table->segments);
            table->segments = segments;
            table->segment_cap = cap;
        }
        uint32_t records = table->cap || whole < RECORDS_FIRST ? whole : RECORDS_FIRST;
        table->segments[table->segment_count++] = arena_alloc_aligned(
            table->arena, (size_t)records * table->stride * sizeof(uint64_t), 64);
        table->cap += records;
        return;
    }
    size_t words = (size_t)table->cap * table->stride;
    uint64_t *larger = arena_alloc_aligned(table->arena, words * 2 * sizeof(uint64_t), 64);
    memcpy(larger, table->segments[0], words * sizeof(uint64_t));
    table->segments[0] = larger;
    table->cap *= 2;
}

// The slot of the row: one that holds its group, or the free one it belongs into.
static inline size_t
find_slot(const GroupTable *table, const uint64_t *row, uint64_t hash)
{
    size_t slot = hash & table->mask;
    for (;; slot = (slot + 1) & table->mask) {
        uint64_t entry = table->slots[slot];
        if (!entry)
            return slot;
        if (entry >> 32 == (uint32_t)hash &&
            rows_equal(table->layout, group_row(table, (uint32_t)entry - 1), row))
            return slot;
    }
}

uint32_t
group_find(const GroupTable *table, const uint64_t *row, uint64_t hash)
{
    if (!table->count)
        return GROUP_NONE;
    return (uint32_t)table->slots[find_slot(table, row, hash)] - 1; // 0 - 1 is GROUP_NONE
}

// Copies the long texts of a record. Strings lie side by side; a dynamic's bytes are aligned.
static void
keep_texts(const GroupTable *table, uint64_t *record)
{
    const KeyLayout *layout = table->layout;
    for (uint32_t k = 0; k < layout->count; k++) {
        if (!type_is_text(layout->columns[k].type))
            continue;
        Text text;
        memcpy(&text, record + layout->columns[k].word, sizeof(text));
        if (text.len <= TEXT_INLINE)
            continue;
        Str str = text_str(&text);
        char *bytes = arena_alloc_aligned(table->arena, str.len,
                                          layout->columns[k].type == TYPE_STRING ? 1 : 16);
        memcpy(bytes, str.ptr, str.len);
        text = text_view(bytes, str.len);
        memcpy(record + layout->columns[k].word, &text, sizeof(text));
    }
}

uint32_t
group_add(GroupTable *table, const uint64_t *row, uint64_t hash)
{
    if (table->count >= table->most)
        slots_grow(table);
    size_t slot = find_slot(table, row, hash);
    if (table->slots[slot])
        return (uint32_t)table->slots[slot] - 1;
    if (table->count == table->cap)
        records_grow(table);
    const KeyLayout *layout = table->layout;
    uint32_t group = table->count++;
    uint64_t *record = group_row(table, group);
    memcpy(record, row, layout->words * sizeof(uint64_t));
    memset(record + layout->words, 0, (table->stride - layout->words) * sizeof(uint64_t));
    if (!layout->plain)
        keep_texts(table, record);
    table->slots[slot] = hash << 32 | (group + 1);
    return group;
}

RowsByGroup
rows_by_group(Arena *arena, const uint32_t *group_of, uint32_t count, uint32_t groups)
{
    RowsByGroup out = {arena_alloc_array(arena, count, sizeof(uint32_t)),
                       ARENA_ARRAY(arena, uint32_t, (size_t)groups + 2)};
    // starts[g + 1] is first where group g's next row goes, then its end.
    for (uint32_t i = 0; i < count; i++)
        if (group_of[i] != GROUP_NONE)
            out.starts[group_of[i] + 2]++;
    for (uint32_t g = 2; g <= groups; g++)
        out.starts[g] += out.starts[g - 1];
    for (uint32_t i = 0; i < count; i++)
        if (group_of[i] != GROUP_NONE)
            out.rows[out.starts[group_of[i] + 1]++] = i;
    return out;
}

Vector *
key_decode(Arena *arena, const KeyLayout *layout, uint32_t k, const uint64_t *const *rows,
           uint32_t count)
{
    const KeyColumn *column = &layout->columns[k];
    Vector *out = vector_new_flat(arena, column->type, count);
    size_t size = type_size(column->type);
    for (uint32_t i = 0; i < count; i++) {
        // Little-endian: the low bytes of a word come first.
        memcpy((char *)out->data + (size_t)i * size, rows[i] + column->word, size);
        if (key_is_null(column, rows[i]))
            vector_set_null(arena, out, i);
    }
    return out;
}
