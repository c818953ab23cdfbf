// join and lookup: a hash table over one side, the other streams past it.
//
// The right side is built and the left probes, so rows come in the order of the left;
// but rightsemi and rightanti only ask the left whether a key is there, and innerunique
// takes one left row a key, so there the left is built. Sources of the kinds: Kusto
// docs, join operator: innerunique (the default) keeps the first left row of each key;
// a null key never equals anything, an empty string equals an empty string.
//
// A built side that is more than the memory is cut into parts on disk (join_spill.c).
//
// A side that is known to be small keeps rows of the other from being read, where they would be
// dropped (join_filter.h): the built one those that probe, and a much smaller probing one, which
// then runs first, those that are built. Sides, order and answer stay the same.

#include "exec/join.h"

#include "exec/join_filter.h"
#include "exec/kept_rows.h"

static bool
builds_left(JoinKind kind)
{
    return kind == JOIN_INNERUNIQUE || kind == JOIN_RIGHTSEMI || kind == JOIN_RIGHTANTI;
}

// Whether one row of each key is all the build side must hold.
static bool
builds_unique(JoinKind kind)
{
    return kind == JOIN_INNERUNIQUE || join_is_existence(kind);
}

// ---- the side that is built ----

// Lets the first row of each key pass that the worker meets, and none with a null key. A
// worker meets its morsels in order, so the first row of all is among those.
typedef struct Unique {
    KeyLayout layout;
    struct UniqueKeys {
        Arena arena;
        GroupTable table;
        size_t charged;
        bool off; // there was no memory: all rows pass, and the table of the join sees to it
    } * workers;
} Unique;

static void
unique_free(const Exec *exec, struct UniqueKeys *keys)
{
    arena_free(&keys->arena);
    if (exec->options->budget)
        budget_give(exec->options->budget, keys->charged);
    keys->charged = 0;
    keys->off = true;
}

static bool
unique_take(const Exec *exec, struct UniqueKeys *keys, size_t more)
{
    Budget *budget = exec->options->budget;
    size_t needed = keys->arena.allocated + more;
    AzError full = {0};
    if (!budget || needed <= keys->charged)
        return true;
    // Half of a worker's part of the budget: rows want the rest.
    bool taken = needed <= kept_share(exec) / 2 &&
                 budget_take(budget, needed - keys->charged, "the join's build side", &full);
    error_clear(&full);
    if (taken)
        keys->charged = needed;
    return taken;
}

static bool
unique_push(Operator *self, Worker *worker, Batch *batch)
{
    Unique *unique = self->state;
    struct UniqueKeys *keys = &unique->workers[worker->number];
    Batch *compact = batch_compact(&worker->batch, batch);
    uint32_t rows = compact->count, kept = 0;
    if (!keys->off && !unique_take(worker->exec, keys, group_table_growth(&keys->table, rows)))
        unique_free(worker->exec, keys);
    if (keys->off)
        return operator_emit(self, worker, compact);
    const Vector *const *columns = compact->columns + compact->column_count - unique->layout.count;
    uint64_t *key_rows, *hashes;
    key_encode(&worker->batch, &unique->layout, columns, rows, &key_rows, &hashes);
    uint32_t *selection = arena_alloc_array(&worker->batch, rows, sizeof(uint32_t));
    for (uint32_t i = 0; i < rows; i++) {
        group_prefetch(&keys->table, hashes, i, rows);
        const uint64_t *row = key_rows + (size_t)i * unique->layout.words;
        uint32_t before = keys->table.count;
        if (key_has_null(&unique->layout, row))
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

static Unique *
append_unique(Exec *exec, const Join *join, Pipeline *pipeline)
{
    Unique *unique = ARENA_NEW(exec->arena, Unique);
    unique->layout = join->layout;
    unique->workers = arena_zalloc_array(exec->arena, exec->worker_count, sizeof(*unique->workers));
    for (size_t w = 0; w < exec->worker_count; w++)
        group_table_init(&unique->workers[w].table, &unique->layout, 0, &unique->workers[w].arena);
    pipeline_append(exec, pipeline, join->plan, unique, unique_push);
    return unique;
}

// The columns that are built: those that the output takes (none for semi and anti), then the keys.
static Schema
built_schema(Exec *exec, const Join *join, const Plan *side, Expr *const *keys)
{
    Schema schema = {ARENA_ARRAY(exec->arena, Column, join->payload + join->key_count),
                     join->payload + join->key_count};
    if (join->payload)
        memcpy(schema.columns, side->schema.columns, join->payload * sizeof(Column));
    for (uint32_t k = 0; k < join->key_count; k++)
        schema.columns[join->payload + k] = (Column){STR("$key"), keys[k]->type};
    return schema;
}

// ---- a small side filters the other ----

enum { SMALL_ROWS = 1 << 15, LARGE_ROWS = 1 << 14, TIMES_SMALLER = 4 };

static bool
drops_unmatched_probe(JoinKind kind)
{
    return kind == JOIN_INNER || kind == JOIN_INNERUNIQUE || kind == JOIN_RIGHTOUTER ||
           kind == JOIN_LEFTSEMI || kind == JOIN_RIGHTSEMI;
}

// The rows of `small` as vectors of its column.
static const Vector **
column_of(Exec *exec, const ResultTable *small, uint32_t column)
{
    const Vector **vectors = ARENA_ARRAY(exec->arena, const Vector *, small->batch_count + 1);
    for (uint32_t b = 0; b < small->batch_count; b++)
        vectors[b] = vector_slice(exec->arena, small->batches[b]->columns[column], 0,
                                  small->batches[b]->count); // what is built has a null more
    return vectors;
}

// Filters the pipeline by the key that has most values in `small`; its keys are `keys`, and in
// small's columns those that `columns` names (-1: none).
static void
filter_by_keys(Exec *exec, const ResultTable *small, const ptrdiff_t *columns, uint32_t key_count,
               Expr *const *keys, Pipeline *pipeline)
{
    JoinFilter *best = NULL;
    uint32_t column = 0;
    for (uint32_t k = 0; k < key_count; k++) {
        if (columns[k] < 0 || keys[k]->kind != EXPR_COLUMN)
            continue;
        JoinFilter *filter = join_filter_new(
            exec, keys[k]->type, column_of(exec, small, (uint32_t)columns[k]), small->batch_count);
        if (best && join_filter_keys(filter) <= join_filter_keys(best))
            continue;
        best = filter;
        column = keys[k]->column;
    }
    if (best)
        join_filter_attach(exec, best, pipeline, column);
}

static bool
is_much_larger(const Pipeline *pipeline, uint64_t rows)
{
    uint64_t most = pipeline_rows_at_most(pipeline, UINT64_MAX);
    return most >= LARGE_ROWS && most / TIMES_SMALLER >= rows;
}

// Runs the probing side first when it is much the smaller one, and filters the side to be built.
static bool
probe_first(Exec *exec, const Join *join, const Plan *probe, Pipeline *out, Expr *const *build_keys,
            Pipeline *build, AzError *error)
{
    uint64_t rows = pipeline_rows_at_most(out, SMALL_ROWS);
    if (join_keeps_unmatched_build(join->plan->join.kind) || rows > SMALL_ROWS ||
        !is_much_larger(build, rows))
        return true;
    ResultTable *small = pipeline_collect(exec, out, &probe->schema, -1, error);
    if (!small)
        return false;
    ptrdiff_t *columns = ARENA_ARRAY(exec->arena, ptrdiff_t, join->key_count);
    for (uint32_t k = 0; k < join->key_count; k++)
        columns[k] =
            join->probe_keys[k]->kind == EXPR_COLUMN ? (ptrdiff_t)join->probe_keys[k]->column : -1;
    filter_by_keys(exec, small, columns, join->key_count, build_keys, build);
    *out = (Pipeline){0};
    return pipeline_from_table(exec, small, out);
}

void
join_filter_probe(Exec *exec, const Join *join, Pipeline *out)
{
    if (!drops_unmatched_probe(join->plan->join.kind) || join->table.count > SMALL_ROWS ||
        !is_much_larger(out, join->table.count))
        return;
    Batch *build = (Batch *)(uintptr_t)join->build;
    ResultTable small = {.batches = &build, .batch_count = 1};
    ptrdiff_t *columns = ARENA_ARRAY(exec->arena, ptrdiff_t, join->key_count);
    for (uint32_t k = 0; k < join->key_count; k++)
        columns[k] = join->payload + k;
    filter_by_keys(exec, &small, columns, join->key_count, join->probe_keys, out);
}

// ---- the operator ----

bool
build_join(Exec *exec, const Plan *plan, Pipeline *out, AzError *error)
{
    Join *join = ARENA_NEW(exec->arena, Join);
    *join = (Join){
        .plan = plan,
        .key_count = plan->join.key_count,
        .build_left = builds_left(plan->join.kind),
        .schema = plan->schema,
        .columns = plan->join.columns,
        .sequence = -1,
    };
    Expr **left, **right;
    if (!resolve_all(exec, plan->join.left_keys, join->key_count, &left, error) ||
        !resolve_all(exec, plan->join.right_keys, join->key_count, &right, error))
        return false;
    join->probe_keys = join->build_left ? right : left;
    Expr **build_keys = join->build_left ? left : right;
    const Plan *build = join->build_left ? plan->input : plan->join.right;
    const Plan *probe = join->build_left ? plan->join.right : plan->input;
    Type *types = ARENA_ARRAY(exec->arena, Type, join->key_count);
    for (uint32_t k = 0; k < join->key_count; k++)
        types[k] = build_keys[k]->type;
    join->layout = key_layout(exec->arena, types, join->key_count);
    join->payload = join_is_existence(plan->join.kind) ? 0 : build->schema.count;
    Pipeline side = {0};
    if (!pipeline_build(exec, build, &side, error) || !pipeline_build(exec, probe, out, error) ||
        !probe_first(exec, join, probe, out, build_keys, &side, error))
        return false;
    if (join->payload)
        pipeline_extend(exec, &side, plan, build_keys, join->key_count);
    else
        pipeline_project(exec, &side, plan, build_keys, join->key_count);
    Unique *unique = builds_unique(plan->join.kind) ? append_unique(exec, join, &side) : NULL;
    Schema schema = built_schema(exec, join, build, build_keys);
    bool done = join_run(exec, join, &side, &schema, &probe->schema, out, 0, error);
    for (size_t w = 0; unique && w < exec->worker_count; w++)
        unique_free(exec, &unique->workers[w]);
    return done;
}
