// Equality and hashes of expressions and plans; see plan_equal.h.

#include "kql/plan_equal.h"

#include "value/scalar.h"

static uint64_t
mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
    return hash ^ hash >> 29;
}

static uint64_t
mix_pointer(uint64_t hash, const void *pointer)
{
    return mix(hash, (uint64_t)(uintptr_t)pointer);
}

// ---- expressions ----

// To the bit: what is computed from 0.0 and from -0.0 may differ.
static bool
constants_equal(const Value *a, const Value *b)
{
    if (a->type != b->type || a->is_null != b->is_null)
        return false;
    if (type_is_text(a->type))
        return str_equal(text_str(&a->text), text_str(&b->text));
    return memcmp(value_data(a), value_data(b), type_size(a->type)) == 0;
}

static bool
exprs_equal(Expr *const *a, Expr *const *b, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (!a[i] != !b[i] || (a[i] && !expr_equal(a[i], b[i])))
            return false;
    return true;
}

bool
expr_equal(const Expr *a, const Expr *b)
{
    if (a->kind != b->kind || a->type != b->type)
        return false;
    switch (a->kind) {
    case EXPR_COLUMN: return a->column == b->column;
    case EXPR_CONST: return constants_equal(&a->value, &b->value);
    case EXPR_CALL:
        return a->fn == b->fn && a->arg_count == b->arg_count && !(a->fn->flags & FN_VOLATILE) &&
               a->fn->kind == FUNCTION_SCALAR && !a->bound == !b->bound &&
               exprs_equal(a->args, b->args, a->arg_count);
    case EXPR_SUBQUERY: return a->shape == b->shape && plan_equal(a->plan, b->plan);
    }
    return false;
}

// False when it can equal no other.
static bool
hash_expr(const Expr *expr, uint64_t *hash)
{
    *hash = mix(mix(*hash, expr->kind), expr->type);
    switch (expr->kind) {
    case EXPR_COLUMN: *hash = mix(*hash, expr->column); return true;
    case EXPR_CONST:
        *hash =
            mix(*hash, expr->value.is_null ? 0 : data_hash(expr->type, value_data(&expr->value)));
        return true;
    case EXPR_CALL:
        if ((expr->fn->flags & FN_VOLATILE) || expr->fn->kind != FUNCTION_SCALAR)
            return false;
        *hash = mix_pointer(*hash, expr->fn);
        for (uint32_t i = 0; i < expr->arg_count; i++)
            if (!hash_expr(expr->args[i], hash))
                return false;
        return true;
    case EXPR_SUBQUERY: {
        uint64_t inner;
        if (!plan_hash(expr->plan, &inner))
            return false;
        *hash = mix(*hash, inner);
        return true;
    }
    }
    return false;
}

uint64_t
expr_hash(const Expr *expr)
{
    uint64_t hash = 0;
    hash_expr(expr, &hash);
    return hash;
}

static bool
hash_exprs(Expr *const *exprs, uint32_t count, uint64_t *hash)
{
    for (uint32_t i = 0; i < count; i++)
        if (exprs[i] && !hash_expr(exprs[i], hash))
            return false;
    return true;
}

static bool
calls_equal(const AggregateCall *a, const AggregateCall *b, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (a[i].fn != b[i].fn || a[i].arg_count != b[i].arg_count ||
            a[i].output_count != b[i].output_count || !a[i].bound != !b[i].bound ||
            !exprs_equal(a[i].args, b[i].args, a[i].arg_count) ||
            !exprs_equal(&a[i].filter, &b[i].filter, 1))
            return false;
    return true;
}

static bool
hash_calls(const AggregateCall *calls, uint32_t count, uint64_t *hash)
{
    for (uint32_t i = 0; i < count; i++) {
        *hash = mix_pointer(*hash, calls[i].fn);
        if (!hash_exprs(calls[i].args, calls[i].arg_count, hash) ||
            !hash_exprs(&calls[i].filter, 1, hash))
            return false;
    }
    return true;
}

// ---- plans ----

static bool
schemas_equal(const Schema *a, const Schema *b)
{
    if (a->count != b->count)
        return false;
    for (uint32_t c = 0; c < a->count; c++)
        if (a->columns[c].type != b->columns[c].type ||
            !str_equal(a->columns[c].name, b->columns[c].name))
            return false;
    return true;
}

// A table is opened anew wherever it is named.
static const void *
rows_of(const Plan *scan)
{
    return scan->scan.source->rows ? scan->scan.source->rows : scan->scan.source;
}

static bool
scans_equal(const Plan *a, const Plan *b)
{
    return rows_of(a) == rows_of(b) && a->scan.windowed == b->scan.windowed &&
           !a->scan.predicate_count && !b->scan.predicate_count &&
           (!a->schema.count || memcmp(a->scan.columns, b->scan.columns,
                                       a->schema.count * sizeof(*a->scan.columns)) == 0);
}

static bool
joins_equal(const Plan *a, const Plan *b)
{
    if (a->join.kind != b->join.kind || a->join.key_count != b->join.key_count ||
        !exprs_equal(a->join.left_keys, b->join.left_keys, a->join.key_count) ||
        !exprs_equal(a->join.right_keys, b->join.right_keys, a->join.key_count))
        return false;
    for (uint32_t c = 0; c < a->schema.count; c++)
        if (a->join.columns[c].from_right != b->join.columns[c].from_right ||
            a->join.columns[c].column != b->join.columns[c].column)
            return false;
    return plan_equal(a->join.right, b->join.right);
}

static bool
unions_equal(const Plan *a, const Plan *b)
{
    if (a->union_.count != b->union_.count || a->union_.source_column != b->union_.source_column)
        return false;
    for (uint32_t i = 0; i < a->union_.count; i++)
        if (!str_equal(a->union_.names[i], b->union_.names[i]) ||
            memcmp(a->union_.columns[i], b->union_.columns[i], a->schema.count * sizeof(int32_t)) ||
            !plan_equal(a->union_.inputs[i], b->union_.inputs[i]))
            return false;
    return true;
}

static bool
summaries_equal(const Plan *a, const Plan *b)
{
    return a->summarize.key_count == b->summarize.key_count &&
           a->summarize.aggregate_count == b->summarize.aggregate_count &&
           exprs_equal(a->summarize.keys, b->summarize.keys, a->summarize.key_count) &&
           calls_equal(a->summarize.aggregates, b->summarize.aggregates,
                       a->summarize.aggregate_count);
}

static bool
series_equal(const Plan *a, const Plan *b)
{
    uint32_t calls = a->make_series.aggregate_count, keys = a->make_series.key_count;
    return calls == b->make_series.aggregate_count && keys == b->make_series.key_count &&
           a->make_series.stop_inclusive == b->make_series.stop_inclusive &&
           a->make_series.nonempty == b->make_series.nonempty &&
           calls_equal(a->make_series.aggregates, b->make_series.aggregates, calls) &&
           exprs_equal(a->make_series.defaults, b->make_series.defaults, calls) &&
           exprs_equal(a->make_series.keys, b->make_series.keys, keys) &&
           exprs_equal(&a->make_series.axis, &b->make_series.axis, 1) &&
           exprs_equal(&a->make_series.from, &b->make_series.from, 1) &&
           exprs_equal(&a->make_series.to, &b->make_series.to, 1) &&
           exprs_equal(&a->make_series.step, &b->make_series.step, 1);
}

static bool
expansions_equal(const Plan *a, const Plan *b)
{
    if (a->mv_expand.item_count != b->mv_expand.item_count ||
        a->mv_expand.index_column != b->mv_expand.index_column ||
        a->mv_expand.bag_as_array != b->mv_expand.bag_as_array ||
        a->mv_expand.row_limit != b->mv_expand.row_limit ||
        memcmp(a->mv_expand.carried, b->mv_expand.carried, a->schema.count * sizeof(uint32_t)))
        return false;
    for (uint32_t i = 0; i < a->mv_expand.item_count; i++)
        if (a->mv_expand.items[i].column != b->mv_expand.items[i].column ||
            a->mv_expand.items[i].to != b->mv_expand.items[i].to ||
            !expr_equal(a->mv_expand.items[i].expr, b->mv_expand.items[i].expr))
            return false;
    return true;
}

static bool
sorts_equal(const Plan *a, const Plan *b)
{
    if (a->sort.key_count != b->sort.key_count || a->sort.limit != b->sort.limit)
        return false;
    for (uint32_t k = 0; k < a->sort.key_count; k++)
        if (a->sort.keys[k].descending != b->sort.keys[k].descending ||
            a->sort.keys[k].nulls_first != b->sort.keys[k].nulls_first ||
            !expr_equal(a->sort.keys[k].expr, b->sort.keys[k].expr))
            return false;
    return true;
}

static bool
operators_equal(const Plan *a, const Plan *b)
{
    switch (a->kind) {
    case PLAN_SCAN: return scans_equal(a, b);
    case PLAN_VALUES:
        return a->values.batches == b->values.batches && a->values.count == b->values.count;
    case PLAN_RANGE:
        return expr_equal(a->range.from, b->range.from) && expr_equal(a->range.to, b->range.to) &&
               expr_equal(a->range.step, b->range.step);
    case PLAN_FILTER: return expr_equal(a->filter.predicate, b->filter.predicate);
    case PLAN_PROJECT: return exprs_equal(a->project.exprs, b->project.exprs, a->schema.count);
    case PLAN_SUMMARIZE: return summaries_equal(a, b);
    case PLAN_JOIN: return joins_equal(a, b);
    case PLAN_UNION: return unions_equal(a, b);
    case PLAN_SORT: return sorts_equal(a, b);
    case PLAN_TAKE: return a->take.count == b->take.count;
    case PLAN_MV_EXPAND: return expansions_equal(a, b);
    case PLAN_MAKE_SERIES: return series_equal(a, b);
    case PLAN_SHARED: return a->shared.id == b->shared.id;
    default: return false;
    }
}

bool
plan_equal(const Plan *a, const Plan *b)
{
    if (a->kind != b->kind || !a->input != !b->input || a->graph || b->graph ||
        !schemas_equal(&a->schema, &b->schema) || !operators_equal(a, b))
        return false;
    return !a->input || plan_equal(a->input, b->input);
}

static bool
hash_operator(const Plan *plan, uint64_t *hash)
{
    uint64_t inner;
    switch (plan->kind) {
    case PLAN_SCAN: *hash = mix_pointer(*hash, rows_of(plan)); return true;
    case PLAN_VALUES: *hash = mix_pointer(*hash, plan->values.batches); return true;
    case PLAN_RANGE: return hash_expr(plan->range.from, hash) && hash_expr(plan->range.to, hash);
    case PLAN_FILTER: return hash_expr(plan->filter.predicate, hash);
    case PLAN_PROJECT: return hash_exprs(plan->project.exprs, plan->schema.count, hash);
    case PLAN_SUMMARIZE:
        return hash_exprs(plan->summarize.keys, plan->summarize.key_count, hash) &&
               hash_calls(plan->summarize.aggregates, plan->summarize.aggregate_count, hash);
    case PLAN_MAKE_SERIES:
        return hash_exprs(plan->make_series.keys, plan->make_series.key_count, hash) &&
               hash_exprs(&plan->make_series.axis, 1, hash) &&
               hash_calls(plan->make_series.aggregates, plan->make_series.aggregate_count, hash);
    case PLAN_JOIN:
        if (!plan_hash(plan->join.right, &inner))
            return false;
        *hash = mix(mix(*hash, plan->join.kind), inner);
        return hash_exprs(plan->join.left_keys, plan->join.key_count, hash);
    case PLAN_UNION:
        for (uint32_t i = 0; i < plan->union_.count; i++) {
            if (!plan_hash(plan->union_.inputs[i], &inner))
                return false;
            *hash = mix(*hash, inner);
        }
        return true;
    case PLAN_SORT:
        for (uint32_t k = 0; k < plan->sort.key_count; k++)
            if (!hash_expr(plan->sort.keys[k].expr, hash))
                return false;
        return true;
    case PLAN_TAKE: *hash = mix(*hash, (uint64_t)plan->take.count); return true;
    case PLAN_MV_EXPAND:
        for (uint32_t i = 0; i < plan->mv_expand.item_count; i++)
            if (!hash_expr(plan->mv_expand.items[i].expr, hash))
                return false;
        return true;
    case PLAN_SHARED: *hash = mix(*hash, plan->shared.id); return true;
    default: return false;
    }
}

bool
plan_hash(const Plan *plan, uint64_t *hash)
{
    *hash = plan->kind;
    if (plan->graph || (plan->input && !plan_hash(plan->input, hash)))
        return false;
    *hash = mix(mix(*hash, plan->kind), plan->schema.count);
    return hash_operator(plan, hash);
}
