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

static bool
builds_left(JoinKind kind)
{
    return kind == JOIN_INNERUNIQUE || kind == JOIN_RIGHTSEMI || kind == JOIN_RIGHTANTI;
}

// ---- the side that is built ----

// Lets the pipeline of the side yield the columns that are built: those that the output takes (none for semi
// and anti), then the keys that are none of these.
static Schema
append_built_columns(Exec *exec, Join *join, const Plan *side, Expr *const *keys, Pipeline *out)
{
    join->payload = join_is_existence(join->plan->join.kind) ? 0 : side->schema.count;
    Schema schema = {ARENA_ARRAY(exec->arena, Column, join->payload + join->key_count),
                     join->payload};
    if (join->payload)
        memcpy(schema.columns, side->schema.columns, join->payload * sizeof(Column));
    Expr **others = ARENA_ARRAY(exec->arena, Expr *, join->key_count);
    uint32_t *columns = ARENA_ARRAY(exec->arena, uint32_t, join->key_count);
    for (uint32_t k = 0; k < join->key_count; k++) {
        if (join->payload && keys[k]->kind == EXPR_COLUMN) {
            columns[k] = keys[k]->column;
            continue;
        }
        others[schema.count - join->payload] = keys[k];
        columns[k] = schema.count;
        schema.columns[schema.count++] = (Column){STR("$key"), keys[k]->type};
    }
    join->built_columns = schema.count;
    join->built_keys = columns;
    if (join->payload)
        pipeline_extend(exec, out, join->plan, others, schema.count - join->payload);
    else
        pipeline_project(exec, out, join->plan, others, schema.count);
    return schema;
}

const Vector *const *
join_built_keys(const Join *join, Arena *arena, const Batch *rows)
{
    const Vector **keys = ARENA_ARRAY(arena, const Vector *, join->key_count);
    for (uint32_t k = 0; k < join->key_count; k++)
        keys[k] = rows->columns[join->built_keys[k]];
    return keys;
}

// ---- a small side filters the other ----

enum { SMALL_ROWS = 1 << 15, LARGE_ROWS = 1 << 14, TIMES_SMALLER = 4 };

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
    if (!join_drops_unmatched_probe(join->plan->join.kind) || join->table.count > SMALL_ROWS ||
        !is_much_larger(out, join->table.count))
        return;
    Batch *build = (Batch *)(uintptr_t)join->build;
    ResultTable small = {.batches = &build, .batch_count = 1};
    ptrdiff_t *columns = ARENA_ARRAY(exec->arena, ptrdiff_t, join->key_count);
    for (uint32_t k = 0; k < join->key_count; k++)
        columns[k] = join->built_keys[k];
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
    Pipeline side = {0};
    if (!pipeline_build(exec, build, &side, error) || !pipeline_build(exec, probe, out, error) ||
        !probe_first(exec, join, probe, out, build_keys, &side, error))
        return false;
    Schema schema = append_built_columns(exec, join, build, build_keys, &side);
    return join_run(exec, join, &side, &schema, &probe->schema, out, 0, error);
}
