// The second part of a summarize: the workers' groups become one list of groups.
//
// The workers' groups, and those from before (of a summarize that went to disk), are merged, cut by hash so that
// all workers merge at once, unless one worker has them all. The record of a group stays where it was first put:
// what is made here are a place for each group and a small table to find it by. The groups of each slice are sorted
// by their first rows, and the sorted slices become one list; where they are read by number, they stay as they come.

#include "exec/summarize.h"

#include <stdatomic.h>

// The places of a slice while groups are added.
typedef struct SliceTable {
    const Summarize *s;
    uint64_t *slots; // hash's lower half << 32 | place + 1; 0 = free
    size_t mask;
    GroupSlice *slice;
} SliceTable;

static bool
in_slice(const Summarize *s, uint64_t *record, size_t slice)
{
    return (*group_hash(s, record) >> 32) % s->slice_count == slice;
}

// Some of the groups: those of the workers one after another, then those from before.
typedef struct GroupWalk {
    const Summarize *s;
    size_t worker;
    size_t next; // of that worker's groups
} GroupWalk;

// The next group; NULL: there is none.
static uint64_t *
next_group(GroupWalk *walk)
{
    const Summarize *s = walk->s;
    for (; walk->worker < s->exec->worker_count; walk->worker++, walk->next = 0)
        if (walk->next < s->parts[walk->worker].table.count)
            return group_row(&s->parts[walk->worker].table, (uint32_t)walk->next++);
    return walk->next < s->before.count ? s->before.records[walk->next++] : NULL;
}

static size_t
slice_size(const Summarize *s, size_t slice)
{
    size_t count = 0;
    GroupWalk walk = {.s = s};
    for (uint64_t *record; (record = next_group(&walk));)
        count += in_slice(s, record, slice);
    return count;
}

static void
merge_states(const Summarize *s, Arena *arena, uint64_t *into, uint64_t *from)
{
    char *a = group_states(s, into), *b = group_states(s, from);
    for (uint32_t c = 0; c < s->call_count; c++)
        aggregate_impl(&s->calls[c])
            ->merge(&s->calls[c], a + s->offsets[c], b + s->offsets[c], arena);
}

// Adds a group: it gets a place, or its states go into those of the group it meets.
static void
add_record(SliceTable *table, Arena *arena, uint64_t *record)
{
    const Summarize *s = table->s;
    uint64_t hash = *group_hash(s, record), first = *group_first(s, record);
    for (size_t slot = hash & table->mask;; slot = (slot + 1) & table->mask) {
        uint64_t entry = table->slots[slot];
        if (!entry) {
            table->slice->places[table->slice->count++] = (GroupPlace){first, record};
            table->slots[slot] = hash << 32 | table->slice->count;
            return;
        }
        if (entry >> 32 != (uint32_t)hash)
            continue;
        GroupPlace *place = &table->slice->places[(uint32_t)entry - 1];
        if (!key_rows_equal(&s->layout, place->record, record))
            continue;
        place->first = first < place->first ? first : place->first;
        *group_first(s, place->record) = place->first;
        merge_states(s, arena, place->record, record);
        return;
    }
}

// What the record soon to be added will touch.
static void
fetch_ahead(const SliceTable *table, uint64_t hash)
{
    uint64_t entry = table->slots[hash & table->mask];
    if (entry && entry >> 32 == (uint32_t)hash)
        __builtin_prefetch(table->slice->places[(uint32_t)entry - 1].record);
}

static void
merge_slice(Summarize *s, Worker *worker, size_t number)
{
    enum { SOME = 1024, SLOT_AHEAD = 24, RECORD_AHEAD = 12 };
    GroupSlice *slice = &s->slices[number];
    size_t most = slice_size(s, number), slots = 64;
    while (slots / 4 * 3 < most)
        slots *= 2;
    Arena scratch = {0};
    SliceTable table = {s, ARENA_ARRAY(&scratch, uint64_t, slots), slots - 1, slice};
    Arena *held = &s->parts[worker->number].held->arena;
    slice->places = arena_alloc_array(held, most, sizeof(GroupPlace));
    uint64_t *records[SOME], hashes[SOME], *record = NULL;
    GroupWalk walk = {.s = s};
    do {
        uint32_t count = 0;
        while (count < SOME && (record = next_group(&walk))) {
            records[count] = record;
            hashes[count] = *group_hash(s, record);
            count += in_slice(s, record, number);
        }
        for (uint32_t i = 0; i < count; i++) {
            if (i + SLOT_AHEAD < count) {
                __builtin_prefetch(&table.slots[hashes[i + SLOT_AHEAD] & table.mask]);
                fetch_ahead(&table, hashes[i + RECORD_AHEAD]);
            }
            add_record(&table, held, records[i]);
        }
    } while (record);
    arena_free(&scratch);
}

// ---- order ----

static bool
places_are_ordered(const GroupSlice *slice)
{
    for (uint32_t i = 1; i < slice->count; i++)
        if (slice->places[i].first < slice->places[i - 1].first)
            return false;
    return true;
}

static void
sort_slice(GroupSlice *slice)
{
    if (places_are_ordered(slice))
        return;
    Arena scratch = {0};
    uint64_t *firsts = arena_alloc_array(&scratch, slice->count, sizeof(uint64_t));
    for (uint32_t i = 0; i < slice->count; i++)
        firsts[i] = slice->places[i].first;
    uint32_t *rows = order_by_words(&scratch, firsts, slice->count);
    arena_release(&scratch, firsts);
    GroupPlace *sorted = arena_alloc_array(&scratch, slice->count, sizeof(GroupPlace));
    for (uint32_t i = 0; i < slice->count; i++)
        sorted[i] = slice->places[rows[i]];
    memcpy(slice->places, sorted, slice->count * sizeof(GroupPlace));
    arena_free(&scratch);
}

// The slices as one list, one behind the other.
static void
join_slices(Summarize *s)
{
    size_t at = 0;
    for (size_t n = 0; n < s->slice_count; n++)
        for (uint32_t i = 0; i < s->slices[n].count; i++)
            s->order[at++] = s->slices[n].places[i].record;
}

// The slices as one list: always the earliest of those that are next.
static void
merge_order(Summarize *s)
{
    Arena *arena = s->exec->arena;
    uint32_t *next = ARENA_ARRAY(arena, uint32_t, s->slice_count);
    for (size_t i = 0; i < s->group_count; i++) {
        size_t best = s->slice_count;
        uint64_t least = UINT64_MAX;
        for (size_t n = 0; n < s->slice_count; n++)
            if (next[n] < s->slices[n].count &&
                (best == s->slice_count || s->slices[n].places[next[n]].first < least)) {
                best = n;
                least = s->slices[n].places[next[n]].first;
            }
        s->order[i] = s->slices[best].places[next[best]++].record;
    }
}

static void
merge_job(void *context, size_t number)
{
    Summarize *s = context;
    for (;;) {
        size_t slice = atomic_fetch_add(&s->next_slice, 1);
        if (slice >= s->slice_count)
            return;
        merge_slice(s, &s->exec->workers[number], slice);
        if (!s->any_order)
            sort_slice(&s->slices[slice]);
    }
}

// All groups as they come: no two of them are one.
static void
list_groups(Summarize *s, size_t groups)
{
    s->order = arena_alloc_array(&s->parts[0].held->arena, groups, sizeof(uint64_t *));
    GroupWalk walk = {.s = s};
    for (uint64_t *record; (record = next_group(&walk));)
        s->order[s->group_count++] = record;
}

void
summarize_merge(Summarize *s)
{
    enum { SLICE_GROUPS = 8192 }; // below that waking the workers costs more
    size_t used = 0, last = 0, groups = s->before.count;
    for (size_t w = 0; w < s->exec->worker_count; w++)
        if (s->parts[w].table.count) {
            used++;
            last = w;
            groups += s->parts[w].table.count;
        }
    if (used <= 1 && !s->before.count && (s->any_order || !s->parts[last].unordered)) {
        s->table = &s->parts[last].table;
        s->group_count = s->table->count;
        return;
    }
    if (used <= 1 && s->apart && s->any_order) {
        list_groups(s, groups);
        return;
    }
    s->slice_count = groups >= SLICE_GROUPS ? s->exec->worker_count : 1;
    s->slices = ARENA_ARRAY(s->exec->arena, GroupSlice, s->slice_count);
    exec_parallel(s->exec, s->slice_count, merge_job, s);
    for (size_t n = 0; n < s->slice_count; n++)
        s->group_count += s->slices[n].count;
    s->order = arena_alloc_array(&s->parts[0].held->arena, s->group_count, sizeof(uint64_t *));
    if (s->any_order)
        join_slices(s);
    else
        merge_order(s);
}
