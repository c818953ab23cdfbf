// The second half of a summarize: the workers' groups become one list of groups, and that an answer.
//
// The workers' tables are merged, cut by hash so that all workers merge at once, unless one worker has
// them all. The groups come out in the order of their first rows.

#include "exec/summarize.h"

#include <stdatomic.h>

// ---- merging ----

// Gives group `g`, which was just added, its place.
void
group_place(GroupPart *part, Arena *arena, uint32_t g, Group group)
{
    if (g >= part->cap) {
        uint32_t cap = part->cap ? part->cap * 2 : 64;
        Group *groups = arena_alloc_array(arena, cap, sizeof(Group));
        if (g)
            memcpy(groups, part->groups, g * sizeof(Group));
        arena_release(arena, part->groups);
        part->groups = groups;
        part->cap = cap;
    }
    part->groups[g] = group;
}

// Adds group g of `from` to `into`: its states move, or are merged into those of the group it meets.
static void
merge_group(const Summarize *s, GroupPart *into, Arena *arena, const GroupPart *from, uint32_t g)
{
    uint32_t before = into->table.count;
    uint32_t group = group_add(&into->table, from->table.rows + (size_t)g * s->layout.words,
                               from->table.hashes[g]);
    if (into->table.count > before) {
        group_place(into, arena, group, from->groups[g]);
        return;
    }
    Group *met = &into->groups[group];
    if (from->groups[g].first < met->first)
        met->first = from->groups[g].first;
    for (uint32_t a = 0; a < s->call_count; a++)
        aggregate_impl(&s->calls[a])
            ->merge(&s->calls[a], met->state + s->offsets[a], from->groups[g].state + s->offsets[a],
                    arena);
}

// Slice `slice` of all workers' groups into one part of its own, some at a time so that what
// they touch is fetched ahead. Texts stay where the workers put them.
static void
merge_slice(Summarize *s, Worker *worker, size_t slice)
{
    enum { SOME = 1024 };
    GroupPart *into = &s->merged[slice];
    Arena *arena = &worker->keep;
    group_table_init(&into->table, &s->layout, arena);
    into->table.borrows = true;
    uint64_t hashes[SOME];
    uint32_t groups[SOME];
    for (size_t w = 0; w < s->exec->worker_count; w++) {
        const GroupPart *from = &s->parts[w];
        for (uint32_t g = 0; g < from->table.count;) {
            uint32_t count = 0;
            for (; g < from->table.count && count < SOME; g++)
                if ((from->table.hashes[g] >> 32) % s->merged_count == slice) {
                    hashes[count] = from->table.hashes[g];
                    groups[count++] = g;
                }
            for (uint32_t i = 0; i < count; i++) {
                group_prefetch(&into->table, hashes, i, count);
                merge_group(s, into, arena, from, groups[i]);
            }
        }
    }
}

static void
merge_job(void *context, size_t number)
{
    Summarize *s = context;
    for (;;) {
        size_t slice = atomic_fetch_add(&s->next_slice, 1);
        if (slice >= s->merged_count)
            return;
        merge_slice(s, &s->exec->workers[number], slice);
    }
}

void
summarize_merge(Summarize *s)
{
    enum { SLICE_GROUPS = 8192 }; // below that waking the workers costs more
    size_t used = 0, last = 0, groups = 0;
    for (size_t w = 0; w < s->exec->worker_count; w++)
        if (s->parts[w].table.count) {
            used++;
            last = w;
            groups += s->parts[w].table.count;
        }
    if (used <= 1) {
        s->merged = &s->parts[last];
        s->merged_count = 1;
        return;
    }
    s->merged_count = groups >= SLICE_GROUPS ? s->exec->worker_count : 1;
    s->merged = ARENA_ARRAY(s->exec->arena, GroupPart, s->merged_count);
    exec_parallel(s->exec, s->merged_count, merge_job, s);
}

// ---- finishing ----

// Whether the groups of all parts, one part after the other, are in the order of their first rows.
static bool
groups_are_ordered(const Summarize *s)
{
    const Group *last = NULL;
    for (size_t p = 0; p < s->merged_count; p++)
        for (uint32_t g = 0; g < s->merged[p].table.count; g++) {
            const Group *group = &s->merged[p].groups[g];
            if (last && group->first < last->first)
                return false;
            last = group;
        }
    return true;
}

void
summarize_order(Summarize *s)
{
    for (size_t p = 0; p < s->merged_count; p++)
        s->group_count += s->merged[p].table.count;
    Arena *arena = s->exec->arena;
    bool ordered = groups_are_ordered(s);
    s->order = arena_alloc_array(arena, s->group_count, sizeof(GroupPlace));
    GroupPlace *places = s->order;
    uint64_t *firsts = ordered ? NULL : arena_alloc_array(arena, s->group_count, sizeof(uint64_t));
    size_t at = 0;
    for (size_t p = 0; p < s->merged_count; p++) {
        const GroupPart *part = &s->merged[p];
        for (uint32_t g = 0; g < part->table.count; g++) {
            if (!ordered)
                firsts[at] = part->groups[g].first;
            places[at++] =
                (GroupPlace){part->table.rows + (size_t)g * s->layout.words, part->groups[g].state};
        }
    }
    if (ordered)
        return;
    uint32_t *rows = order_by_words(arena, firsts, (uint32_t)s->group_count);
    s->order = arena_alloc_array(arena, s->group_count, sizeof(GroupPlace));
    for (size_t i = 0; i < s->group_count; i++)
        s->order[i] = places[rows[i]];
}

void
summarize_finish_call(const AggregateCall *call, Worker *worker, char *const *states, uint32_t rows,
                      const Column *columns, const Vector **out)
{
    Vector **outputs = ARENA_ARRAY(&worker->batch, Vector *, call->output_count + 1);
    for (uint32_t o = 0; o < call->output_count; o++)
        out[o] = outputs[o] = vector_new_flat(&worker->keep, columns[o].type, rows);
    for (uint32_t i = 0; i < rows; i++)
        aggregate_impl(call)->finish(call, states[i], outputs, i, &worker->keep, &worker->scratch);
}

// The answer, a batch at a time.
typedef struct Finish {
    const Summarize *s;
    ResultTable *result;
    _Atomic uint32_t next;
} Finish;

static Batch *
finish_batch(const Finish *finish, Worker *worker, size_t from, uint32_t rows)
{
    const Summarize *s = finish->s;
    const Schema *schema = &finish->result->schema;
    Batch *batch = batch_new(&worker->keep, schema->count, rows);
    const uint64_t **key_rows = arena_alloc_array(&worker->batch, rows, sizeof(*key_rows));
    char **states = arena_alloc_array(&worker->batch, rows, sizeof(*states));
    for (uint32_t i = 0; i < rows; i++)
        key_rows[i] = s->order[from + i].row;
    for (uint32_t k = 0; k < s->layout.count; k++)
        batch->columns[k] = key_decode(&worker->keep, &s->layout, k, key_rows, rows);
    uint32_t column = s->layout.count;
    for (uint32_t a = 0; a < s->call_count; a++) {
        for (uint32_t i = 0; i < rows; i++)
            states[i] = s->order[from + i].state + s->offsets[a];
        summarize_finish_call(&s->calls[a], worker, states, rows, schema->columns + column,
                              batch->columns + column);
        column += s->calls[a].output_count;
    }
    return batch;
}

static void
finish_job(void *context, size_t number)
{
    Finish *finish = context;
    Worker *worker = &finish->s->exec->workers[number];
    for (;;) {
        uint32_t b = atomic_fetch_add(&finish->next, 1);
        if (b >= finish->result->batch_count)
            return;
        arena_reset(&worker->batch);
        size_t from = (size_t)b * batch_rows, left = finish->s->group_count - from;
        uint32_t rows = left < batch_rows ? (uint32_t)left : batch_rows;
        finish->result->batches[b] = finish_batch(finish, worker, from, rows);
        if (!worker_check(worker) || !worker_charge(worker, "the rows of a summary"))
            return;
    }
}

ResultTable *
summarize_result(const Summarize *s, const Schema *schema, AzError *error)
{
    ResultTable *result = ARENA_NEW(s->exec->arena, ResultTable);
    result->schema = *schema;
    result->row_count = s->group_count;
    result->batch_count = (uint32_t)((s->group_count + batch_rows - 1) / batch_rows);
    result->batches = ARENA_ARRAY(s->exec->arena, Batch *, result->batch_count);
    Finish finish = {s, result, 0};
    size_t workers = s->exec->worker_count;
    if (workers > result->batch_count)
        workers = result->batch_count;
    exec_parallel(s->exec, workers, finish_job, &finish);
    return exec_first_error(s->exec, error) ? result : NULL;
}
