// What is evaluated once in a run: sub-queries that become constants, and plans that
// several readers share.
//
// A call that held a sub-query is bound again once the value is known, so that it can
// prepare for it (`in` makes a hash set of an array, `matches regex` compiles).

#include "exec/graph/graph.h"
#include "exec/keys.h"
#include "kql/plugin_def.h"

enum { SUBQUERY_DEPTH = 64, IN_VALUES_MAX = 1000000 };

static Prepared *
prepared_add(Exec *exec, const void *key, uint32_t id)
{
    Prepared *prepared = ARENA_NEW(exec->arena, Prepared);
    prepared->key = key;
    prepared->id = id;
    prepared->next = exec->prepared;
    exec->prepared = prepared;
    return prepared;
}

static Prepared *
prepared_find(const Exec *exec, const void *key, uint32_t id)
{
    for (Prepared *prepared = exec->prepared; prepared; prepared = prepared->next)
        if (prepared->key == key && prepared->id == id)
            return prepared;
    return NULL;
}

ResultTable *
shared_result(Exec *exec, const Plan *plan, AzError *error)
{
    Prepared *prepared = prepared_find(exec, NULL, plan->shared.id);
    if (prepared)
        return prepared->table;
    ResultTable *table = exec_collect_shared(exec, plan->shared.plan, error);
    if (table)
        prepared_add(exec, NULL, plan->shared.id)->table = table;
    return table;
}

Graph *
shared_graph(Exec *exec, const Plan *plan, AzError *error)
{
    Prepared *prepared = prepared_find(exec, NULL, plan->shared.id);
    if (prepared)
        return prepared->graph;
    Graph *graph = graph_build(exec, plan->shared.plan, error);
    if (graph)
        prepared_add(exec, NULL, plan->shared.id)->graph = graph;
    return graph;
}

// ---- values of sub-queries ----

// The distinct values of the first column, in order of appearance, without nulls.
static bool
distinct_array(Exec *exec, const ResultTable *table, Span span, Value *out, AzError *error)
{
    Arena scratch = {0};
    Type type = table->schema.columns[0].type;
    KeyLayout layout = key_layout(&scratch, &type, 1);
    GroupTable seen;
    group_table_init(&seen, &layout, 0, &scratch);
    DynBuilder *builder = exec->workers[0].scratch.dyn;
    dyn_builder_reset(builder);
    dyn_begin_array(builder);
    for (uint32_t b = 0; b < table->batch_count; b++) {
        const Vector *v = table->batches[b]->columns[0];
        uint64_t *rows, *hashes;
        Arena keys = {0};
        key_encode(&keys, &layout, &v, v->count, &rows, &hashes);
        for (uint32_t i = 0; i < v->count; i++) {
            uint32_t before = seen.count;
            if (vector_is_null(v, i))
                continue;
            group_add(&seen, rows + (size_t)i * layout.words, hashes[i]);
            if (seen.count == before)
                continue;
            Value value = vector_value(v, i);
            dyn_push_value(builder, &value);
        }
        arena_free(&keys);
    }
    dyn_end_array(builder);
    uint32_t count = seen.count;
    arena_free(&scratch);
    bool is_null;
    if (count > IN_VALUES_MAX || !dyn_finish_text(builder, exec->arena, &out->text, &is_null))
        return error_at(error, AZ_LIMIT, span,
                        "the table on the right side yields more than %d distinct values",
                        IN_VALUES_MAX);
    out->is_null = is_null;
    return true;
}

static bool
subquery_value(Exec *exec, const Expr *expr, Value *out, AzError *error)
{
    if (exec->depth >= SUBQUERY_DEPTH)
        return error_at(error, AZ_LIMIT, expr->span, "sub-queries are nested more than %d deep",
                        SUBQUERY_DEPTH);
    exec->depth++;
    bool scalar = expr->shape == SUBQUERY_SCALAR;
    ProfileNode *node = exec->node;
    exec->node = NULL; // its rows are no input of the operator that needs the value
    ResultTable *table = exec_collect_limit(exec, expr->plan, scalar ? 1 : -1, error);
    exec->node = node;
    exec->depth--;
    if (!table)
        return false;
    *out = value_null(expr->type);
    if (!scalar)
        return distinct_array(exec, table, expr->span, out, error);
    if (table->row_count)
        *out = vector_value(table->batches[0]->columns[0], 0);
    return true;
}

static bool
resolved_value(Exec *exec, const Expr *expr, Value *out, AzError *error)
{
    Prepared *prepared = prepared_find(exec, expr, 0);
    if (!prepared) {
        Value value;
        if (!subquery_value(exec, expr, &value, error))
            return false;
        prepared = prepared_add(exec, expr, 0);
        prepared->value = value;
    }
    *out = prepared->value;
    return true;
}

static bool
has_subquery(const Expr *expr)
{
    if (expr->kind == EXPR_SUBQUERY)
        return true;
    for (uint32_t i = 0; expr->kind == EXPR_CALL && i < expr->arg_count; i++)
        if (has_subquery(expr->args[i]))
            return true;
    return false;
}

Expr *
resolve_subqueries(Exec *exec, const Expr *expr, AzError *error)
{
    if (!has_subquery(expr))
        return (Expr *)(uintptr_t)expr;
    if (expr->kind == EXPR_SUBQUERY) {
        Value value;
        return resolved_value(exec, expr, &value, error)
                   ? expr_const(exec->arena, &value, expr->span)
                   : NULL;
    }
    Expr *copy = ARENA_NEW(exec->arena, Expr);
    *copy = *expr;
    if (!resolve_all(exec, expr->args, expr->arg_count, &copy->args, error))
        return NULL;
    const ScalarImpl *impl = expr->fn->kind == FUNCTION_SCALAR ? expr->fn->impl : NULL;
    if (impl && impl->bind &&
        !impl->bind(exec->arena, expr->fn, copy->args, copy->arg_count, copy->span, &copy->type,
                    &copy->bound, error))
        return NULL;
    return copy;
}

bool
resolve_all(Exec *exec, Expr *const *exprs, uint32_t count, Expr ***out, AzError *error)
{
    Expr **resolved = ARENA_ARRAY(exec->arena, Expr *, count);
    for (uint32_t i = 0; i < count; i++)
        if (!(resolved[i] = resolve_subqueries(exec, exprs[i], error)))
            return false;
    *out = resolved;
    return true;
}

// ---- preparing what is run many times ----

typedef struct Walk {
    Exec *exec;
    AzError *error;
    bool evaluate;   // else only look for correlated leaves
    bool correlated; // one was met that stands for rows from outside the plan
    bool failed;
    const struct OwnLeaf *own; // leaves of sub-queries that the walk is in
} Walk;

typedef struct OwnLeaf {
    uint32_t leaf;
    const struct OwnLeaf *outer;
} OwnLeaf;

static void walk_plan(Walk *walk, const Plan *plan);

bool
plan_is_correlated(const Plan *plan)
{
    Walk walk = {0};
    walk_plan(&walk, plan);
    return walk.correlated;
}

// What a sub-query does with its own leaf is no business of the plan around it.
static void
walk_subplan(Walk *walk, const Plan *plan, uint32_t leaf)
{
    // What hangs on rows of an inner leaf cannot be evaluated before its turn.
    Walk inner = {.exec = walk->exec, .error = walk->error};
    OwnLeaf own = {leaf, walk->own};
    inner.own = &own;
    walk_plan(&inner, plan);
    walk->correlated = walk->correlated || inner.correlated;
}

static bool
is_own_leaf(const Walk *walk, uint32_t leaf)
{
    for (const OwnLeaf *own = walk->own; own; own = own->outer)
        if (own->leaf == leaf)
            return true;
    return false;
}

static void
walk_expr(Walk *walk, const Expr *expr)
{
    if (!expr || walk->failed)
        return;
    if (expr->kind == EXPR_SUBQUERY) {
        Value value;
        if (walk->evaluate && !plan_is_correlated(expr->plan))
            walk->failed = !resolved_value(walk->exec, expr, &value, walk->error);
        else
            walk_plan(walk, expr->plan);
    }
    for (uint32_t i = 0; expr->kind == EXPR_CALL && i < expr->arg_count; i++)
        walk_expr(walk, expr->args[i]);
}

static void
walk_exprs(Walk *walk, Expr *const *exprs, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        walk_expr(walk, exprs[i]);
}

static void
walk_calls(Walk *walk, const AggregateCall *calls, uint32_t count)
{
    for (uint32_t a = 0; a < count; a++) {
        walk_exprs(walk, calls[a].args, calls[a].arg_count);
        walk_expr(walk, calls[a].filter);
    }
}

static void
walk_match(Walk *walk, const GraphMatch *match)
{
    for (uint32_t i = 0; i < match->filter_count; i++)
        walk_expr(walk, match->filters[i].predicate);
    for (size_t i = 0; i < match->inputs.len; i++)
        if (match->inputs.items[i].kind == GRAPH_LAMBDA)
            walk_expr(walk, match->inputs.items[i].lambda->body);
}

static void
walk_plugin(Walk *walk, const PluginCall *call)
{
    for (uint32_t p = 0; p < call->plugin->param_count; p++) {
        for (uint32_t i = 0; i < call->args[p].len; i++) {
            const PluginArg *arg = &call->args[p].items[i];
            walk_expr(walk, arg->expr);
            walk_plan(walk, arg->table);
            if (arg->aggregate)
                walk_calls(walk, arg->aggregate, 1);
        }
    }
}

static void
walk_plan(Walk *walk, const Plan *plan)
{
    if (!plan || walk->failed)
        return;
    walk_plan(walk, plan->input);
    switch (plan->kind) {
    case PLAN_CORRELATED:
        walk->correlated = walk->correlated || !is_own_leaf(walk, plan->correlated.leaf);
        break;
    case PLAN_SHARED:
        if (walk->evaluate && !plan_is_correlated(plan->shared.plan))
            walk->failed = plan->graph ? !shared_graph(walk->exec, plan, walk->error)
                                       : !shared_result(walk->exec, plan, walk->error);
        else
            walk_plan(walk, plan->shared.plan);
        break;
    case PLAN_RANGE:
        walk_expr(walk, plan->range.from);
        walk_expr(walk, plan->range.to);
        walk_expr(walk, plan->range.step);
        break;
    case PLAN_FILTER: walk_expr(walk, plan->filter.predicate); break;
    case PLAN_PROJECT: walk_exprs(walk, plan->project.exprs, plan->schema.count); break;
    case PLAN_WINDOW: walk_exprs(walk, plan->window.exprs, plan->schema.count); break;
    case PLAN_SUMMARIZE:
        walk_exprs(walk, plan->summarize.keys, plan->summarize.key_count);
        walk_calls(walk, plan->summarize.aggregates, plan->summarize.aggregate_count);
        break;
    case PLAN_JOIN:
        walk_plan(walk, plan->join.right);
        walk_exprs(walk, plan->join.left_keys, plan->join.key_count);
        walk_exprs(walk, plan->join.right_keys, plan->join.key_count);
        break;
    case PLAN_UNION:
        for (uint32_t i = 0; i < plan->union_.count; i++)
            walk_plan(walk, plan->union_.inputs[i]);
        break;
    case PLAN_SORT:
        for (uint32_t k = 0; k < plan->sort.key_count; k++)
            walk_expr(walk, plan->sort.keys[k].expr);
        break;
    case PLAN_MV_EXPAND:
        for (uint32_t i = 0; i < plan->mv_expand.item_count; i++)
            walk_expr(walk, plan->mv_expand.items[i].expr);
        break;
    case PLAN_MV_APPLY:
        for (uint32_t i = 0; i < plan->mv_apply.expand->mv_expand.item_count; i++)
            walk_expr(walk, plan->mv_apply.expand->mv_expand.items[i].expr);
        walk_subplan(walk, plan->mv_apply.subplan, plan->mv_apply.leaf);
        break;
    case PLAN_PARTITION:
        walk_exprs(walk, plan->partition.keys, plan->partition.key_count);
        walk_subplan(walk, plan->partition.subplan, plan->partition.leaf);
        break;
    case PLAN_SEQUENCES:
        for (uint32_t s = 0; s < plan->sequences.step_count; s++) {
            walk_expr(walk, plan->sequences.steps[s].condition);
            walk_exprs(walk, plan->sequences.steps[s].assigned, plan->sequences.slot_count);
        }
        break;
    case PLAN_TOP_NESTED:
        for (uint32_t l = 0; l < plan->top_nested.level_count; l++) {
            walk_subplan(walk, plan->top_nested.levels[l].ranked, plan->top_nested.leaf);
            if (plan->top_nested.levels[l].rest)
                walk_subplan(walk, plan->top_nested.levels[l].rest, plan->top_nested.leaf);
        }
        break;
    case PLAN_REDUCE: walk_expr(walk, plan->reduce.text); break;
    case PLAN_EVALUATE: walk_plugin(walk, plan->evaluate.call); break;
    case PLAN_PARSE: walk_expr(walk, plan->parse.text); break;
    case PLAN_PARSE_KV: walk_expr(walk, plan->parse_kv.text); break;
    case PLAN_MAKE_SERIES:
        walk_calls(walk, plan->make_series.aggregates, plan->make_series.aggregate_count);
        walk_exprs(walk, plan->make_series.keys, plan->make_series.key_count);
        walk_expr(walk, plan->make_series.axis);
        walk_expr(walk, plan->make_series.from);
        walk_expr(walk, plan->make_series.to);
        walk_expr(walk, plan->make_series.step);
        break;
    case PLAN_MAKE_GRAPH: walk_plan(walk, plan->make_graph.nodes); break;
    case PLAN_GRAPH_FILTER: walk_expr(walk, plan->graph_filter.predicate); break;
    case PLAN_GRAPH_MATCH: walk_match(walk, &plan->graph_match); break;
    default: break;
    }
}

bool
exec_prepare(Exec *exec, const Plan *plan, AzError *error)
{
    Walk walk = {.exec = exec, .error = error, .evaluate = true};
    walk_plan(&walk, plan);
    return !walk.failed;
}
