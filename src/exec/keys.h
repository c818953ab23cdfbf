// Keys: rows of grouping or join keys as fixed-width words, and the hash table over
// them.
//
// A key row is an array of 64-bit words: first the null bits of the keys that can be null
// (a string cannot), then each key in one word (types of up to 8 bytes) or two (guid, decimal,
// text views). Values
// that KQL holds equal have equal words (0.0 and -0.0, all NaN), so most key rows are
// compared word by word; only long texts, decimals and dynamics look at the value.
#pragma once

#include "column/batch.h"

typedef struct KeyColumn {
    Type type;
    uint32_t word;  // first word in the row
    uint32_t words; // 1 or 2
    uint32_t null;  // its null bit; NULL_NEVER: it has none
} KeyColumn;

typedef struct KeyLayout {
    KeyColumn *columns;
    uint32_t count;
    uint32_t null_words;
    uint32_t words;     // of a row
    uint32_t text_word; // of the first key that is a string; NO_TEXT: there is none
    bool plain;         // equal exactly when the words are
} KeyLayout;

enum { GROUP_NONE = UINT32_MAX, NULL_NEVER = UINT32_MAX, NO_TEXT = UINT32_MAX };

// A layout for keys of these types.
KeyLayout key_layout(Arena *arena, const Type *types, uint32_t count);

// Key rows (count * layout->words words) and their hashes, in `arena`. Long texts are views.
void key_encode(Arena *arena, const KeyLayout *layout, const Vector *const *keys, uint32_t count,
                uint64_t **rows, uint64_t **hashes);

// Whether some key of the row is null (null never equals null in a join).
bool key_has_null(const KeyLayout *layout, const uint64_t *row);

// Groups numbered from 0 in the order in which their key rows came.
//
// Each has a record: its key row, and behind it words of the caller's. Records lie in segments that
// never move once they are full, so that a table that grows copies nothing but slots.
typedef struct GroupTable {
    const KeyLayout *layout;
    Arena *arena;        // of the records, slots and long texts
    uint64_t *slots;     // hash's lower half << 32 | group + 1; 0 = free
    size_t mask;         // slots - 1, or 0 before the first group
    uint64_t **segments; // of 1 << shift records each; the first grows up to that
    uint32_t segment_count, segment_cap;
    uint32_t shift;
    uint32_t stride; // words of a record
    uint32_t count;
    uint32_t cap;  // records there is room for
    uint32_t most; // groups that the slots take before they grow
} GroupTable;

// `extra` words of each record are the caller's: zeroed, behind layout->words.
void group_table_init(GroupTable *table, const KeyLayout *layout, uint32_t extra, Arena *arena);
// The group of a key row, or GROUP_NONE.
uint32_t group_find(const GroupTable *table, const uint64_t *row, uint64_t hash);
// The group of a key row, added when it is new (table->count has grown then). Records of the first segment
// may move.
uint32_t group_add(GroupTable *table, const uint64_t *row, uint64_t hash);

// The record of a group.
static inline uint64_t *
group_row(const GroupTable *table, uint32_t group)
{
    uint32_t at = group & (((uint32_t)1 << table->shift) - 1);
    return table->segments[group >> table->shift] + (size_t)at * table->stride;
}

// Whether two key rows are of one group.
bool key_rows_equal(const KeyLayout *layout, const uint64_t *a, const uint64_t *b);

// The key row in a slot, when its hash may be this one; else NULL.
static inline const uint64_t *
group_candidate(const GroupTable *table, uint64_t hash)
{
    uint64_t entry = table->slots[hash & table->mask];
    return entry && entry >> 32 == (uint32_t)hash ? group_row(table, (uint32_t)entry - 1) : NULL;
}

// Called before the look-up of row i: fetches what the rows soon to come will touch, slot, key row and
// its first text in turn, so that a table larger than the caches costs no wait a row.
// Inlined by force: gcc drops calls of functions that do nothing but fetch.
__attribute__((always_inline)) static inline void
group_prefetch(const GroupTable *table, const uint64_t *hashes, uint32_t i, uint32_t count)
{
    enum { MANY = 1 << 12, SLOT_AHEAD = 24, ROW_AHEAD = 12, TEXT_AHEAD = 6 };
    if (table->count < MANY || i + SLOT_AHEAD >= count)
        return; // few groups are in the caches
    __builtin_prefetch(&table->slots[hashes[i + SLOT_AHEAD] & table->mask]);
    const uint64_t *row = group_candidate(table, hashes[i + ROW_AHEAD]);
    if (row)
        __builtin_prefetch(row);
    if (table->layout->text_word != NO_TEXT &&
        (row = group_candidate(table, hashes[i + TEXT_AHEAD]))) {
        const Text *text = (const Text *)(const void *)(row + table->layout->text_word);
        if (text->len > TEXT_INLINE)
            __builtin_prefetch(text_str(text).ptr);
    }
}
// Bytes that growing takes before there is room for `more` groups.
size_t group_table_growth(const GroupTable *table, uint32_t more);

// The rows of each group, in their order: those of group g are rows[starts[g]] .. rows[starts[g + 1] - 1].
typedef struct RowsByGroup {
    uint32_t *rows, *starts; // starts has one more than there are groups
} RowsByGroup;

// Row i is of group_of[i], of so many groups; GROUP_NONE: of none, and left out.
RowsByGroup rows_by_group(Arena *arena, const uint32_t *group_of, uint32_t count, uint32_t groups);

// Key k of the key rows rows[0..count) as a flat vector; texts are views.
Vector *key_decode(Arena *arena, const KeyLayout *layout, uint32_t k, const uint64_t *const *rows,
                   uint32_t count);
