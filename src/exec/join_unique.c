// One row of each key of a join's built side, for the kinds that need no more: fewer rows are kept.

#include "exec/join.h"
#include "exec/kept_rows.h"

// Whether one row of each key is all the build side must hold.
static bool
builds_unique(JoinKind kind)
{
    return kind == JOIN_INNERUNIQUE || join_is_existence(kind);
}

// Lets the first row of each key pass that the worker meets, and none with a null key. A
// worker meets its morsels in order, so the first row of all is among those.
struct JoinUnique {
    const Join *join;
    struct UniqueKeys {
        Arena arena;
        GroupTable table;
        size_t charged;
        bool off; // there was no memory: all rows pass, and the table of the join sees to it
    } * workers;
};

static void
unique_free(const Exec *exec, struct UniqueKeys *keys)
{
    arena_free(&keys->arena);
    if (exec->options->budget)
        budget_give(exec->options->budget, keys->charged);
    keys->charged = 0;
    keys->off = true;
}

// Half of a worker's part of the budget at most: rows want the rest.
static bool
unique_take(const Exec *exec, struct UniqueKeys *keys, size_t more)
{
    return kept_charge(exec, &keys->charged, keys->arena.allocated + more, kept_share(exec) / 2);
}

static bool
unique_push(Operator *self, Worker *worker, Batch *batch)
{
    const JoinUnique *unique = self->state;
    const KeyLayout *layout = &unique->join->layout;
    struct UniqueKeys *keys = &unique->workers[worker->number];
    Batch *compact = batch_compact(&worker->batch, batch);
    uint32_t rows = compact->count, kept = 0;
    if (!keys->off && !unique_take(worker->exec, keys, group_table_growth(&keys->table, rows)))
        unique_free(worker->exec, keys);
    if (keys->off)
        return operator_emit(self, worker, compact);
    const Vector *const *columns = join_built_keys(unique->join, &worker->batch, compact);
    uint64_t *key_rows, *hashes;
    key_encode(&worker->batch, layout, columns, rows, &key_rows, &hashes);
    uint32_t *selection = arena_alloc_array(&worker->batch, rows, sizeof(uint32_t));
    for (uint32_t i = 0; i < rows; i++) {
        group_prefetch(&keys->table, hashes, i, rows);
        const uint64_t *row = key_rows + (size_t)i * layout->words;
        uint32_t before = keys->table.count;
        if (key_has_null(layout, row))
            continue;
        group_add(&keys->table, row, hashes[i]);
        if (keys->table.count > before)
            selection[kept++] = i;
    }
    Batch *out = batch_new(&worker->batch, compact->column_count, rows);
    memcpy(out->columns, compact->columns, compact->column_count * sizeof(*out->columns));
    out->selection = selection;
    out->selected = kept;
    return operator_emit(self, worker, out);
}

JoinUnique *
join_unique_append(Exec *exec, const Join *join, Pipeline *pipeline)
{
    if (!builds_unique(join->plan->join.kind))
        return NULL;
    JoinUnique *unique = ARENA_NEW(exec->arena, JoinUnique);
    unique->join = join;
    unique->workers = arena_zalloc_array(exec->arena, exec->worker_count, sizeof(*unique->workers));
    for (size_t w = 0; w < exec->worker_count; w++)
        group_table_init(&unique->workers[w].table, &join->layout, 0, &unique->workers[w].arena);
    pipeline_append(exec, pipeline, join->plan, unique, unique_push);
    return unique;
}

void
join_unique_free(const Exec *exec, JoinUnique *unique)
{
    for (size_t w = 0; unique && w < exec->worker_count; w++)
        unique_free(exec, &unique->workers[w]);
}
