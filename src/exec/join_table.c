// The hash table of a join, and what probes it; see join.c.
//
// The built side is one batch of flat columns with one more payload behind the last
// row, which is null: what a join yields are dictionary vectors over it, so payloads
// are not copied, and a row without a partner points at the null. Built rows are
// grouped by key; the rows of a group lie side by side in build order.

#include "exec/join.h"

static bool
keeps_unmatched_probe(JoinKind kind)
{
    return kind == JOIN_LEFTOUTER || kind == JOIN_FULLOUTER;
}

// ---- building ----

size_t
join_row_bytes(const Join *join, const Schema *build)
{
    size_t bytes = (join->layout.words + 4) * sizeof(uint64_t);
    for (uint32_t c = 0; c < build->count; c++)
        bytes += type_size(build->columns[c].type);
    return bytes;
}

bool
join_table_build(Exec *exec, Join *join, const ResultTable *table, AzError *error)
{
    Worker *worker = &exec->workers[0];
    Arena *arena = &worker->keep;
    Batch *build = result_concat(exec, table, true, error);
    if (!build)
        return false;
    join->build = build;
    join->build_rows = build->count;
    const Vector *const *key_columns = join_built_keys(join, arena, build);
    group_table_init(&join->table, &join->layout, 0, arena);
    size_t row_bytes = (join->layout.words + 4) * sizeof(uint64_t);
    if (!worker_reserve(worker, build->count * row_bytes, "the join's build side"))
        return exec_first_error(exec, error);
    join->group_of_row = arena_alloc_array(arena, build->count, sizeof(uint32_t));
    for (uint32_t from = 0; from < build->count; from += BATCH_ROWS_MAX) {
        uint32_t left = build->count - from;
        uint32_t rows = left < BATCH_ROWS_MAX ? left : BATCH_ROWS_MAX;
        Arena scratch = {0};
        const Vector **part = ARENA_ARRAY(&scratch, const Vector *, join->key_count);
        for (uint32_t k = 0; k < join->key_count; k++)
            part[k] = vector_slice(&scratch, key_columns[k], from, rows);
        uint64_t *key_rows, *hashes;
        key_encode(&scratch, &join->layout, part, rows, &key_rows, &hashes);
        for (uint32_t i = 0; i < rows; i++) {
            const uint64_t *row = key_rows + (size_t)i * join->layout.words;
            join->group_of_row[from + i] = key_has_null(&join->layout, row)
                                               ? GROUP_NONE
                                               : group_add(&join->table, row, hashes[i]);
        }
        arena_free(&scratch);
    }
    if (!join_is_existence(join->plan->join.kind))
        join->by_group =
            rows_by_group(arena, join->group_of_row, join->build_rows, join->table.count);
    if (join_keeps_unmatched_build(join->plan->join.kind))
        join->matched = arena_zalloc_array(arena, join->table.count, 1);
    return worker_charge(worker, "the join's build side") || exec_first_error(exec, error);
}

// ---- probing ----

// The group of each live row, GROUP_NONE when there is none.
static const uint32_t *
probe_groups(const Join *join, Worker *worker, const Batch *batch)
{
    Arena *arena = &worker->batch;
    uint32_t rows = batch->selected;
    const Vector **keys = ARENA_ARRAY(arena, const Vector *, join->key_count);
    for (uint32_t k = 0; k < join->key_count; k++)
        if (!(keys[k] = evaluate(worker, join->probe_keys[k], batch)))
            return NULL;
    uint64_t *key_rows, *hashes;
    key_encode(arena, &join->layout, keys, rows, &key_rows, &hashes);
    uint32_t *groups = arena_alloc_array(arena, rows, sizeof(uint32_t));
    for (uint32_t i = 0; i < rows; i++) {
        group_prefetch(&join->table, hashes, i, rows);
        const uint64_t *row = key_rows + (size_t)i * join->layout.words;
        groups[i] = key_has_null(&join->layout, row) ? GROUP_NONE
                                                     : group_find(&join->table, row, hashes[i]);
    }
    return groups;
}

// Output columns of rows that stand in the probe batch and in the build.
static Batch *
joined_batch(const Join *join, Arena *arena, const Batch *probe, const uint32_t *probe_rows,
             const uint32_t *build_rows, uint32_t count)
{
    Batch *out = batch_new(arena, join->schema.count, count);
    for (uint32_t c = 0; c < join->schema.count; c++) {
        uint32_t column = join->columns[c].column;
        if (join->columns[c].from_right != join->build_left)
            out->columns[c] =
                vector_new_dict(arena, join->build->columns[column], build_rows, count);
        else
            out->columns[c] = vector_repeat(arena, probe->columns[column], probe_rows, count);
    }
    return out;
}

// Semi and anti: the rows that live on. Their columns are the probe's, picked by the plan.
static bool
emit_existence(Operator *self, Worker *worker, Batch *batch, const uint32_t *groups)
{
    const Join *join = self->state;
    JoinKind kind = join->plan->join.kind;
    bool wanted = kind == JOIN_LEFTSEMI || kind == JOIN_RIGHTSEMI;
    uint32_t *selection = arena_alloc_array(&worker->batch, batch->selected, sizeof(uint32_t));
    uint32_t kept = 0;
    for (uint32_t i = 0; i < batch->selected; i++) {
        selection[kept] = batch_row(batch, i);
        kept += (groups[i] != GROUP_NONE) == wanted;
    }
    Batch *out = batch_new(&worker->batch, join->schema.count, batch->count);
    for (uint32_t c = 0; c < join->schema.count; c++)
        out->columns[c] = batch->columns[join->columns[c].column];
    out->selection = selection;
    out->selected = kept;
    return operator_emit(self, worker, out);
}

typedef struct Pairs {
    const Join *join;
    const Batch *probe;
    uint32_t *probe_rows, *build_rows;
    uint32_t count, cap;
    Emitter emitter;
} Pairs;

static bool
pairs_flush(Pairs *pairs)
{
    if (!pairs->count)
        return true;
    Batch *out = joined_batch(pairs->join, &pairs->emitter.worker->batch, pairs->probe,
                              pairs->probe_rows, pairs->build_rows, pairs->count);
    pairs->count = 0;
    return emitter_emit(&pairs->emitter, out);
}

static inline bool
pairs_add(Pairs *pairs, uint32_t probe_row, uint32_t build_row)
{
    if (pairs->count == pairs->cap && !pairs_flush(pairs))
        return false;
    pairs->probe_rows[pairs->count] = probe_row;
    pairs->build_rows[pairs->count++] = build_row;
    return true;
}

static bool
emit_pairs(Operator *self, Worker *worker, const Batch *batch, const uint32_t *groups)
{
    const Join *join = self->state;
    JoinKind kind = join->plan->join.kind;
    bool unique = kind == JOIN_INNERUNIQUE, outer = keeps_unmatched_probe(kind), done = true;
    Pairs pairs = {.join = join, .probe = batch, .cap = batch_rows};
    pairs.probe_rows = arena_alloc_array(&worker->batch, pairs.cap, sizeof(uint32_t));
    pairs.build_rows = arena_alloc_array(&worker->batch, pairs.cap, sizeof(uint32_t));
    emitter_open(&pairs.emitter, self, worker);
    for (uint32_t i = 0; i < batch->selected && done; i++) {
        uint32_t group = groups[i], row = batch_row(batch, i);
        if (group == GROUP_NONE) {
            if (outer)
                done = pairs_add(&pairs, row, join->build_rows);
            continue;
        }
        if (join->matched && !atomic_load_explicit(&join->matched[group], memory_order_relaxed))
            atomic_store_explicit(&join->matched[group], 1, memory_order_relaxed);
        uint32_t from = join->by_group.starts[group];
        uint32_t end = unique ? from + 1 : join->by_group.starts[group + 1];
        for (uint32_t at = from; at < end && done; at++)
            done = pairs_add(&pairs, row, join->by_group.rows[at]);
    }
    done = done && pairs_flush(&pairs);
    emitter_close(&pairs.emitter);
    return done;
}

static bool
join_push(Operator *self, Worker *worker, Batch *batch)
{
    const Join *join = self->state;
    const uint32_t *groups = probe_groups(join, worker, batch);
    if (!groups)
        return false;
    return join_is_existence(join->plan->join.kind) ? emit_existence(self, worker, batch, groups)
                                                    : emit_pairs(self, worker, batch, groups);
}

// ---- right and full outer: the rows of the build side that met nobody ----

// They come behind all rows of the probing side.
static const Vector *
unmatched_sequences(const Join *join, Arena *arena, const uint32_t *rows, uint32_t count)
{
    const Vector *sequences = join->build->columns[join->built_columns];
    Vector *out = vector_new_flat(arena, TYPE_LONG, count);
    for (uint32_t i = 0; i < count; i++)
        ((int64_t *)out->data)[i] = ((const int64_t *)sequences->data)[rows[i]] | (int64_t)1 << 62;
    return out;
}

static bool
unmatched_begin(Exec *exec, Branch *branch, AzError *error)
{
    (void)error;
    const Join *join = branch->begin_state;
    Arena *arena = exec->arena;
    uint32_t *rows = arena_alloc_array(arena, join->build_rows, sizeof(uint32_t));
    uint32_t count = 0;
    for (uint32_t i = 0; i < join->build_rows; i++) {
        uint32_t group = join->group_of_row[i];
        rows[count] = i;
        count += group == GROUP_NONE || !join->matched[group];
    }
    Batch *left = batch_new(arena, join->schema.count, count);
    for (uint32_t c = 0; c < join->schema.count; c++) {
        if (join->columns[c].from_right) {
            left->columns[c] =
                vector_new_dict(arena, join->build->columns[join->columns[c].column], rows, count);
        } else {
            Value value = value_null(join->schema.columns[c].type);
            left->columns[c] = vector_new_const(arena, &value, count);
        }
    }
    if (join->sequence >= 0)
        left->columns[join->sequence] = unmatched_sequences(join, arena, rows, count);
    ResultTable *table = result_cut(arena, &join->schema, left);
    branch->source = memory_source_new(arena, &table->schema, table->batches, table->batch_count);
    return true;
}

static void
add_unmatched_branch(Exec *exec, Pipeline *out, Join *join)
{
    Branch *branch = pipeline_add_branch(exec, out);
    branch->begin = unmatched_begin;
    branch->begin_state = join;
    branch->column_count = join->schema.count;
    branch->columns = ARENA_ARRAY(exec->arena, uint32_t, branch->column_count);
    for (uint32_t c = 0; c < branch->column_count; c++)
        branch->columns[c] = c;
}

void
join_table_probe(Exec *exec, Join *join, Pipeline *pipeline)
{
    pipeline_append(exec, pipeline, join->plan, join, join_push);
    if (join_keeps_unmatched_build(join->plan->join.kind))
        add_unmatched_branch(exec, pipeline, join);
}
