// join and lookup: a hash table over one side, the other streams past it.
//
// The right side is built and the left probes, so rows come in the order of the left;
// but rightsemi and rightanti only ask the left whether a key is there, and innerunique
// takes one left row a key, so there the left is built. Sources of the kinds: Kusto
// docs, join operator: innerunique (the default) keeps the first left row of each key;
// a null key never equals anything, an empty string equals an empty string.
//
// The built side is one batch of flat columns with one more payload behind the last
// row, which is null: what a join yields are dictionary vectors over it, so payloads
// are not copied, and a row without a partner points at the null. Built rows are
// grouped by key; the rows of a group lie side by side in build order.

#include "exec/internal.h"
#include "exec/keys.h"

#include <stdatomic.h>

typedef struct Join {
    const Plan *plan;
    bool build_left;
    Expr **probe_keys;
    uint32_t key_count;
    KeyLayout layout;
    GroupTable table;
    const Batch *build;
    uint32_t build_rows;
    uint32_t *starts;         // of each group in `rows`, and the end
    uint32_t *rows;           // build rows by group
    uint32_t *group_of_row;   // GROUP_NONE: its key is null
    _Atomic uint8_t *matched; // by group; right and full outer only
} Join;

static bool
builds_left(JoinKind kind)
{
    return kind == JOIN_INNERUNIQUE || kind == JOIN_RIGHTSEMI || kind == JOIN_RIGHTANTI;
}

static bool
keeps_unmatched_build(JoinKind kind)
{
    return kind == JOIN_RIGHTOUTER || kind == JOIN_FULLOUTER;
}

static bool
keeps_unmatched_probe(JoinKind kind)
{
    return kind == JOIN_LEFTOUTER || kind == JOIN_FULLOUTER;
}

static bool
is_existence(JoinKind kind)
{
    return kind == JOIN_LEFTSEMI || kind == JOIN_RIGHTSEMI || kind == JOIN_LEFTANTI ||
           kind == JOIN_RIGHTANTI;
}

// Whether one row of each key is all the build side must hold.
static bool
builds_unique(JoinKind kind)
{
    return kind == JOIN_INNERUNIQUE || is_existence(kind);
}

// ---- building ----

// Lets the first row of each key pass that the worker meets, and none with a null key. A
// worker meets its morsels in order, so the first row of all is among those.
typedef struct Unique {
    KeyLayout layout;
    GroupTable *tables; // one a worker
} Unique;

static bool
unique_push(Operator *self, Worker *worker, Batch *batch)
{
    Unique *unique = self->state;
    GroupTable *table = &unique->tables[worker->number];
    Batch *compact = batch_compact(&worker->batch, batch);
    uint32_t rows = compact->count, kept = 0;
    const Vector *const *keys = compact->columns + compact->column_count - unique->layout.count;
    if (!worker_reserve(worker, group_table_growth(table, rows), "the join's build side"))
        return false;
    uint64_t *key_rows, *hashes;
    key_encode(&worker->batch, &unique->layout, keys, rows, &key_rows, &hashes);
    uint32_t *selection = arena_alloc_array(&worker->batch, rows, sizeof(uint32_t));
    for (uint32_t i = 0; i < rows; i++) {
        group_prefetch(table, hashes, i, rows);
        const uint64_t *row = key_rows + (size_t)i * unique->layout.words;
        uint32_t before = table->count;
        if (key_has_null(&unique->layout, row))
            continue;
        group_add(table, row, hashes[i]);
        if (table->count > before)
            selection[kept++] = i;
    }
    Batch *out = batch_new(&worker->batch, compact->column_count, rows);
    memcpy(out->columns, compact->columns, compact->column_count * sizeof(*out->columns));
    out->selection = selection;
    out->selected = kept;
    return worker_charge(worker, "the join's build side") && operator_emit(self, worker, out);
}

static void
append_unique(Exec *exec, const Join *join, Pipeline *pipeline, const Type *types)
{
    Unique *unique = ARENA_NEW(exec->arena, Unique);
    unique->layout = key_layout(exec->arena, types, join->key_count);
    unique->tables = ARENA_ARRAY(exec->arena, GroupTable, exec->worker_count);
    for (size_t w = 0; w < exec->worker_count; w++)
        group_table_init(&unique->tables[w], &unique->layout, 0, &exec->workers[w].keep);
    pipeline_append(exec, pipeline, join->plan, unique, unique_push);
}

// Runs the side to build: the columns the output takes (none for semi and anti), then the keys.
static Batch *
collect_side(Exec *exec, const Join *join, const Plan *side, Expr **keys, AzError *error)
{
    Pipeline pipeline = {0};
    if (!pipeline_build(exec, side, &pipeline, error))
        return NULL;
    bool payload = !is_existence(join->plan->join.kind);
    uint32_t columns = payload ? side->schema.count : 0;
    Schema schema = {ARENA_ARRAY(exec->arena, Column, columns + join->key_count),
                     columns + join->key_count};
    if (columns)
        memcpy(schema.columns, side->schema.columns, columns * sizeof(Column));
    Type *types = ARENA_ARRAY(exec->arena, Type, join->key_count);
    for (uint32_t k = 0; k < join->key_count; k++) {
        types[k] = keys[k]->type;
        schema.columns[columns + k] = (Column){STR("$key"), types[k]};
    }
    if (payload)
        pipeline_extend(exec, &pipeline, join->plan, keys, join->key_count);
    else
        pipeline_project(exec, &pipeline, join->plan, keys, join->key_count);
    if (builds_unique(join->plan->join.kind))
        append_unique(exec, join, &pipeline, types);
    ResultTable *table = pipeline_collect(exec, &pipeline, &schema, -1, error);
    return table ? result_concat(exec, table, true, error) : NULL;
}

// Counts the rows of each group, then gives each its place.
static void
place_rows(Join *join, Arena *arena)
{
    uint32_t groups = join->table.count;
    join->starts = ARENA_ARRAY(arena, uint32_t, groups + 1);
    join->rows = arena_alloc_array(arena, join->build_rows, sizeof(uint32_t));
    uint32_t *next = ARENA_ARRAY(arena, uint32_t, groups + 1);
    for (uint32_t i = 0; i < join->build_rows; i++)
        if (join->group_of_row[i] != GROUP_NONE)
            join->starts[join->group_of_row[i] + 1]++;
    for (uint32_t g = 0; g < groups; g++) {
        join->starts[g + 1] += join->starts[g];
        next[g] = join->starts[g];
    }
    for (uint32_t i = 0; i < join->build_rows; i++)
        if (join->group_of_row[i] != GROUP_NONE)
            join->rows[next[join->group_of_row[i]]++] = i;
}

static bool
build_table(Exec *exec, Join *join, const Plan *side, Expr **keys, AzError *error)
{
    Worker *worker = &exec->workers[0];
    Arena *arena = &worker->keep;
    Batch *build = collect_side(exec, join, side, keys, error);
    if (!build)
        return false;
    join->build = build;
    join->build_rows = build->count;
    const Vector *const *key_columns = build->columns + build->column_count - join->key_count;
    Type *types = ARENA_ARRAY(exec->arena, Type, join->key_count);
    for (uint32_t k = 0; k < join->key_count; k++)
        types[k] = keys[k]->type;
    join->layout = key_layout(exec->arena, types, join->key_count);
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
    if (!is_existence(join->plan->join.kind))
        place_rows(join, arena);
    if (keeps_unmatched_build(join->plan->join.kind))
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
    const Plan *plan = join->plan;
    Batch *out = batch_new(arena, plan->schema.count, count);
    for (uint32_t c = 0; c < plan->schema.count; c++) {
        uint32_t column = plan->join.columns[c].column;
        if (plan->join.columns[c].from_right != join->build_left)
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
    const Plan *plan = join->plan;
    bool wanted = plan->join.kind == JOIN_LEFTSEMI || plan->join.kind == JOIN_RIGHTSEMI;
    uint32_t *selection = arena_alloc_array(&worker->batch, batch->selected, sizeof(uint32_t));
    uint32_t kept = 0;
    for (uint32_t i = 0; i < batch->selected; i++) {
        selection[kept] = batch_row(batch, i);
        kept += (groups[i] != GROUP_NONE) == wanted;
    }
    Batch *out = batch_new(&worker->batch, plan->schema.count, batch->count);
    for (uint32_t c = 0; c < plan->schema.count; c++)
        out->columns[c] = batch->columns[plan->join.columns[c].column];
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
        uint32_t from = join->starts[group];
        uint32_t end = unique ? from + 1 : join->starts[group + 1];
        for (uint32_t at = from; at < end && done; at++)
            done = pairs_add(&pairs, row, join->rows[at]);
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
    return is_existence(join->plan->join.kind) ? emit_existence(self, worker, batch, groups)
                                               : emit_pairs(self, worker, batch, groups);
}

// ---- right and full outer: the rows of the build side that met nobody ----

static bool
unmatched_begin(Exec *exec, Branch *branch, AzError *error)
{
    (void)error;
    const Join *join = branch->begin_state;
    const Plan *plan = join->plan;
    Arena *arena = exec->arena;
    uint32_t *rows = arena_alloc_array(arena, join->build_rows, sizeof(uint32_t));
    uint32_t count = 0;
    for (uint32_t i = 0; i < join->build_rows; i++) {
        uint32_t group = join->group_of_row[i];
        rows[count] = i;
        count += group == GROUP_NONE || !join->matched[group];
    }
    Batch *left = batch_new(arena, plan->schema.count, count);
    for (uint32_t c = 0; c < plan->schema.count; c++) {
        if (plan->join.columns[c].from_right) {
            left->columns[c] = vector_new_dict(
                arena, join->build->columns[plan->join.columns[c].column], rows, count);
        } else {
            Value value = value_null(plan->schema.columns[c].type);
            left->columns[c] = vector_new_const(arena, &value, count);
        }
    }
    ResultTable *table = result_cut(arena, &plan->schema, left);
    branch->source = memory_source_new(arena, &table->schema, table->batches, table->batch_count);
    return true;
}

static void
add_unmatched_branch(Exec *exec, Pipeline *out, Join *join)
{
    Branch *branch = pipeline_add_branch(exec, out);
    branch->begin = unmatched_begin;
    branch->begin_state = join;
    branch->column_count = join->plan->schema.count;
    branch->columns = ARENA_ARRAY(exec->arena, uint32_t, branch->column_count);
    for (uint32_t c = 0; c < branch->column_count; c++)
        branch->columns[c] = c;
}

bool
build_join(Exec *exec, const Plan *plan, Pipeline *out, AzError *error)
{
    Join *join = ARENA_NEW(exec->arena, Join);
    join->plan = plan;
    join->key_count = plan->join.key_count;
    join->build_left = builds_left(plan->join.kind);
    Expr **left, **right;
    if (!resolve_all(exec, plan->join.left_keys, join->key_count, &left, error) ||
        !resolve_all(exec, plan->join.right_keys, join->key_count, &right, error))
        return false;
    join->probe_keys = join->build_left ? right : left;
    const Plan *build = join->build_left ? plan->input : plan->join.right;
    const Plan *probe = join->build_left ? plan->join.right : plan->input;
    if (!build_table(exec, join, build, join->build_left ? left : right, error) ||
        !pipeline_build(exec, probe, out, error))
        return false;
    pipeline_append(exec, out, plan, join, join_push);
    if (keeps_unmatched_build(plan->join.kind))
        add_unmatched_branch(exec, out, join);
    return true;
}
