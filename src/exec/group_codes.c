// Groups by the numbers of values; see group_codes.h.
//
// The word of a row holds a number of equal width for each key. While a batch is looked at,
// the slot of a new combination holds its place among the misses, so that later rows of the batch find it.

#include "exec/group_codes.h"

enum {
    KEYS_MOST = 8,
    COMBINATIONS_MOST = 1 << 17,
    WINDOW_ROWS = 1 << 14, // after so many rows it is asked whether this pays
};

// Marks a place among the misses.
static const uint32_t MISS = (uint32_t)1 << 31;

typedef struct CodeSlot {
    uint64_t word;
    uint32_t group; // + 1; 0 = free
} CodeSlot;

typedef struct ValueNumbers {
    KeyLayout layout; // of this key alone
    GroupTable table;
} ValueNumbers;

struct CodeGroups {
    Arena *arena;
    ValueNumbers *keys;
    uint32_t key_count;
    uint32_t bits; // of a key's number in the word
    CodeSlot *slots;
    size_t mask; // slots - 1, or 0 before the first
    uint32_t count;
    uint32_t *missed; // slot of each miss of the batch
    uint64_t window_rows, window_misses;
    bool stopped;
};

CodeGroups *
code_groups_new(Arena *arena, const KeyLayout *layout)
{
    CodeGroups *groups = ARENA_NEW(arena, CodeGroups);
    *groups = (CodeGroups){.arena = arena, .key_count = layout->count};
    // One key alone needs no word of numbers.
    groups->stopped = layout->count < 2 || layout->count > KEYS_MOST;
    if (groups->stopped)
        return groups;
    groups->bits = 64 / layout->count < 32 ? 64 / layout->count : 32;
    groups->keys = ARENA_ARRAY(arena, ValueNumbers, layout->count);
    for (uint32_t k = 0; k < layout->count; k++) {
        ValueNumbers *numbers = &groups->keys[k];
        numbers->layout = key_layout(arena, &layout->columns[k].type, 1);
        group_table_init(&numbers->table, &numbers->layout, 0, arena);
    }
    return groups;
}

// ---- numbers of values ----

// The numbers of the values of one key. Values of logs often stand in runs.
static void
number_values(ValueNumbers *numbers, Arena *scratch, const Vector *values, uint32_t *out)
{
    uint64_t *rows, *hashes;
    uint32_t words = numbers->layout.words;
    key_encode(scratch, &numbers->layout, &values, values->count, &rows, &hashes);
    for (uint32_t i = 0; i < values->count; i++) {
        const uint64_t *row = rows + (size_t)i * words;
        out[i] = i && numbers->layout.plain && !memcmp(row, row - words, words * sizeof(*row))
                     ? out[i - 1]
                     : group_add(&numbers->table, row, hashes[i]);
    }
}

// Adds the key's number to the word of each row. Only entries that a row has are numbered.
static void
add_numbers(CodeGroups *groups, uint32_t k, Arena *scratch, const Vector *key, uint32_t count,
            uint64_t *words)
{
    ValueNumbers *numbers = &groups->keys[k];
    uint32_t shift = k * groups->bits;
    if (key->encoding == ENC_CONST) {
        uint32_t number, first = 0;
        number_values(numbers, scratch, vector_gather(scratch, key, &first, 1), &number);
        for (uint32_t i = 0; i < count; i++)
            words[i] |= (uint64_t)number << shift;
        return;
    }
    if (key->encoding == ENC_FLAT) {
        uint32_t *found = arena_alloc_array(scratch, count, sizeof(uint32_t));
        number_values(numbers, scratch, vector_slice(scratch, key, 0, count), found);
        for (uint32_t i = 0; i < count; i++)
            words[i] |= (uint64_t)found[i] << shift;
        return;
    }
    uint32_t entries = key->dict->count, used = 0;
    uint32_t *number_of = arena_alloc_array(scratch, entries, sizeof(uint32_t));
    uint32_t *codes = arena_alloc_array(scratch, entries, sizeof(uint32_t));
    memset(number_of, 0xFF, entries * sizeof(uint32_t));
    for (uint32_t i = 0; i < count; i++)
        if (number_of[key->codes[i]] == GROUP_NONE) {
            number_of[key->codes[i]] = 0;
            codes[used++] = key->codes[i];
        }
    uint32_t *found = arena_alloc_array(scratch, used, sizeof(uint32_t));
    number_values(numbers, scratch, vector_gather(scratch, key->dict, codes, used), found);
    for (uint32_t u = 0; u < used; u++)
        number_of[codes[u]] = found[u];
    for (uint32_t i = 0; i < count; i++)
        words[i] |= (uint64_t)number_of[key->codes[i]] << shift;
}

// ---- combinations ----

static inline size_t
word_slot(uint64_t word, size_t mask)
{
    unsigned __int128 product = (unsigned __int128)word * 0x9E3779B97F4A7C15u;
    return (size_t)((uint64_t)(product >> 64) ^ (uint64_t)product) & mask;
}

static void
make_room(CodeGroups *groups, uint32_t more)
{
    size_t slots = groups->mask ? groups->mask + 1 : 1024;
    while (slots < 2 * ((size_t)groups->count + more))
        slots *= 2;
    if (groups->mask && slots == groups->mask + 1)
        return;
    CodeSlot *old = groups->slots;
    size_t old_count = groups->mask ? groups->mask + 1 : 0;
    groups->slots = ARENA_ARRAY(groups->arena, CodeSlot, slots);
    groups->mask = slots - 1;
    for (size_t s = 0; s < old_count; s++) {
        if (!old[s].group)
            continue;
        size_t slot = word_slot(old[s].word, groups->mask);
        while (groups->slots[slot].group)
            slot = (slot + 1) & groups->mask;
        groups->slots[slot] = old[s];
    }
    arena_release(groups->arena, old);
}

static void
find_words(CodeGroups *groups, const uint64_t *words, uint32_t count, uint32_t *out,
           CodeMisses *misses)
{
    for (uint32_t i = 0; i < count; i++) {
        size_t slot = word_slot(words[i], groups->mask);
        while (groups->slots[slot].group && groups->slots[slot].word != words[i])
            slot = (slot + 1) & groups->mask;
        CodeSlot *at = &groups->slots[slot];
        if (!at->group) {
            *at = (CodeSlot){words[i], (MISS | misses->count) + 1};
            groups->missed[misses->count] = (uint32_t)slot;
            misses->rows[misses->count++] = i;
        }
        out[i] = at->group - 1;
    }
    groups->count += misses->count;
}

// Whether the batch is of the kind, and this has paid so far.
static bool
is_wanted(CodeGroups *groups, const Vector *const *keys, uint32_t count)
{
    if (groups->stopped)
        return false;
    bool some_dict = false;
    for (uint32_t k = 0; k < groups->key_count; k++) {
        some_dict = some_dict || keys[k]->encoding == ENC_DICT;
        if (keys[k]->encoding == ENC_FLAT && groups->keys[k].layout.columns[0].words > 1)
            return false;
        // Most entries would be asked for only one row.
        if (keys[k]->encoding == ENC_DICT && keys[k]->dict->count / 4 > count)
            return false;
    }
    if (groups->window_rows >= WINDOW_ROWS) {
        groups->stopped = groups->window_misses > groups->window_rows / 3 * 2;
        groups->window_rows = groups->window_misses = 0;
    }
    groups->stopped = groups->stopped || groups->count + count > COMBINATIONS_MOST;
    return some_dict && !groups->stopped;
}

bool
code_groups_find(CodeGroups *groups, Arena *scratch, const Vector *const *keys, uint32_t count,
                 uint32_t *out, CodeMisses *misses)
{
    if (!is_wanted(groups, keys, count))
        return false;
    uint64_t *words = ARENA_ARRAY(scratch, uint64_t, count);
    for (uint32_t k = 0; k < groups->key_count; k++) {
        add_numbers(groups, k, scratch, keys[k], count, words);
        if (groups->keys[k].table.count > (uint64_t)1 << groups->bits ||
            groups->keys[k].table.count > COMBINATIONS_MOST)
            return groups->stopped = true, false;
    }
    make_room(groups, count);
    *misses = (CodeMisses){arena_alloc_array(scratch, count, sizeof(uint32_t)), 0};
    groups->missed = arena_alloc_array(scratch, count, sizeof(uint32_t));
    find_words(groups, words, count, out, misses);
    groups->window_rows += count;
    groups->window_misses += misses->count;
    return true;
}

bool
code_groups_stopped(const CodeGroups *groups)
{
    return groups->stopped;
}

void
code_groups_learn(CodeGroups *groups, const CodeMisses *misses, const uint32_t *found,
                  uint32_t count, uint32_t *out)
{
    for (uint32_t m = 0; m < misses->count; m++)
        groups->slots[groups->missed[m]].group = found[m] + 1;
    for (uint32_t i = misses->count ? misses->rows[0] : count; i < count; i++)
        if (out[i] & MISS)
            out[i] = found[out[i] & ~MISS];
}
