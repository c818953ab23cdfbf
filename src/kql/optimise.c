// The optimiser: few rules, each in its own function with the equality that justifies
// it. Plans may be shared (let tables bound once, materialize), so rules that change a
// node copy it first; every rule can be switched off, and answers never change.

#include "base/array.h"
#include "kql/optimise_state.h"
#include "kql/plugin_def.h"

Plan *
plan_copy(Optimiser *o, const Plan *plan)
{
    Plan *copy = ARENA_NEW(o->arena, Plan);
    *copy = *plan;
    return copy;
}

// ---- expressions ----

void
expr_mark_columns(const Expr *expr, bool *used)
{
    if (expr->kind == EXPR_COLUMN)
        used[expr->column] = true;
    for (uint32_t i = 0; expr->kind == EXPR_CALL && i < expr->arg_count; i++)
        expr_mark_columns(expr->args[i], used);
}

Expr *
expr_rewrite(Optimiser *o, const Expr *expr, Expr *const *exprs, const uint32_t *map)
{
    if (expr->kind == EXPR_COLUMN)
        return exprs ? exprs[expr->column]
                     : expr_column(o->arena, map[expr->column], expr->type, expr->span);
    if (expr->kind != EXPR_CALL)
        return (Expr *)expr;
    Expr *copy = ARENA_NEW(o->arena, Expr);
    *copy = *expr;
    copy->args = ARENA_ARRAY(o->arena, Expr *, expr->arg_count);
    for (uint32_t i = 0; i < expr->arg_count; i++)
        copy->args[i] = expr_rewrite(o, expr->args[i], exprs, map);
    return copy;
}

// ---- filters move towards the scan ----

// Whether all columns the predicate reads are plain columns of the projection's input.
static bool
reads_plain_columns(const Expr *predicate, Expr *const *exprs)
{
    if (predicate->kind == EXPR_COLUMN)
        return exprs[predicate->column]->kind == EXPR_COLUMN;
    for (uint32_t i = 0; predicate->kind == EXPR_CALL && i < predicate->arg_count; i++)
        if (!reads_plain_columns(predicate->args[i], exprs))
            return false;
    return true;
}

// filter(project(T)) = project(filter(T)) when the condition only reads columns that
// the projection passes on, and the projection is not volatile.
static Plan *
push_through_project(Optimiser *o, Plan *filter)
{
    Plan *project = filter->input;
    if (!reads_plain_columns(filter->filter.predicate, project->project.exprs))
        return filter;
    for (uint32_t i = 0; i < project->schema.count; i++)
        if (expr_is_volatile(project->project.exprs[i]))
            return filter;
    Plan *below = plan_copy(o, filter);
    below->input = project->input;
    below->schema = project->input->schema;
    below->serialized = project->input->serialized;
    below->filter.predicate =
        expr_rewrite(o, filter->filter.predicate, project->project.exprs, NULL);
    Plan *above = plan_copy(o, project);
    above->input = below;
    return above;
}

static Plan *push_filters(Optimiser *o, const Plan *plan);

static bool
has_no_rows(const Plan *plan)
{
    while (plan->kind == PLAN_FILTER || plan->kind == PLAN_PROJECT)
        plan = plan->input;
    return plan->kind == PLAN_SCAN && !plan->scan.source->row_count;
}

// The condition with tests of constants alone told, as far as its `and`s and `or`s go: of what an input's name
// is, for example. Null is as good as false there.
static Expr *
tell_constants(Optimiser *o, Expr *condition)
{
    bool is_and = condition->kind == EXPR_CALL && strcmp(condition->fn->name, "and") == 0;
    bool is_or = condition->kind == EXPR_CALL && strcmp(condition->fn->name, "or") == 0;
    const Catalog *catalog = o->catalog;
    Value value = value_bool(false);
    AzError ignored = {0};
    if (is_and || is_or) {
        Expr *left = tell_constants(o, condition->args[0]);
        Expr *right = tell_constants(o, condition->args[1]);
        // What a side that is true or false leaves: `is_or` says which of both decides alone.
        if (left->kind == EXPR_CONST)
            return left->value.boolean == is_or ? left : right;
        if (right->kind == EXPR_CONST)
            return right->value.boolean == is_or ? right : left;
        condition->args[0] = left;
        condition->args[1] = right;
        return condition;
    }
    // Most columns of a search over all tables are none of this input's: told without evaluating.
    if (condition_is_hopeless(condition))
        return expr_const(o->arena, &value, condition->span);
    if (condition->kind != EXPR_CALL || !expr_is_constant(condition) ||
        !catalog->fold(catalog->context, o->arena, condition, &value, &ignored)) {
        error_clear(&ignored);
        return condition;
    }
    value = value_bool(!value.is_null && value.boolean);
    return expr_const(o->arena, &value, condition->span);
}

// filter(union(A, B)) = union(filter(A), filter(B)): a column that an input lacks is null
// in the union's rows, so the condition over that input reads a null in its place, and the input's name
// in that of the column that says it.
static Plan *
push_through_union(Optimiser *o, Plan *filter)
{
    Plan *all = filter->input;
    uint32_t count = all->schema.count;
    bool *used = ARENA_ARRAY(o->arena, bool, count);
    expr_mark_columns(filter->filter.predicate, used);
    Plan *above = plan_copy(o, all);
    above->union_.inputs = ARENA_ARRAY(o->arena, Plan *, all->union_.count);
    // A search over hundreds of tables reads thousands of columns, few of which an input has.
    Expr **exprs = ARENA_ARRAY(o->arena, Expr *, count),
         **nulls = ARENA_ARRAY(o->arena, Expr *, count);
    for (uint32_t c = 0; c < count; c++) {
        Value none = value_null(all->schema.columns[c].type);
        nulls[c] = used[c] ? expr_const(o->arena, &none, filter->span) : NULL;
    }
    for (uint32_t i = 0; i < all->union_.count; i++) {
        // Most tables that are declared hold nothing, and a condition over all columns of all of them is long.
        if (has_no_rows(all->union_.inputs[i])) {
            above->union_.inputs[i] = all->union_.inputs[i];
            continue;
        }
        for (uint32_t c = 0; c < count; c++) {
            int32_t at = all->union_.columns[i][c];
            exprs[c] = nulls[c];
            if (used[c] && at >= 0)
                exprs[c] =
                    expr_column(o->arena, (uint32_t)at, all->schema.columns[c].type, filter->span);
        }
        if (all->union_.source_column >= 0 && used[all->union_.source_column]) {
            Value name = value_string(all->union_.names[i]);
            exprs[all->union_.source_column] = expr_const(o->arena, &name, filter->span);
        }
        Plan *part = plan_copy(o, filter);
        part->input = all->union_.inputs[i];
        part->schema = part->input->schema;
        part->filter.predicate =
            tell_constants(o, expr_rewrite(o, filter->filter.predicate, exprs, NULL));
        above->union_.inputs[i] = push_filters(o, part);
    }
    return above;
}

static Plan *
push_filters(Optimiser *o, const Plan *plan)
{
    Plan *out = plan_copy(o, plan);
    if (out->kind == PLAN_FILTER && out->input->kind == PLAN_PROJECT) {
        Plan *moved = push_through_project(o, out);
        if (moved != out) {
            moved->input = push_filters(o, moved->input);
            return moved;
        }
    }
    if (out->kind == PLAN_FILTER && out->input->kind == PLAN_UNION)
        out = push_through_union(o, out);
    if (out->kind == PLAN_UNION && plan->kind == PLAN_FILTER)
        return out;
    if (out->input)
        out->input = push_filters(o, out->input);
    if (out->kind == PLAN_JOIN)
        out->join.right = push_filters(o, out->join.right);
    if (out->kind == PLAN_UNION) {
        Plan **inputs = ARENA_ARRAY(o->arena, Plan *, out->union_.count);
        for (uint32_t i = 0; i < out->union_.count; i++)
            inputs[i] = push_filters(o, out->union_.inputs[i]);
        out->union_.inputs = inputs;
    }
    return out;
}

// ---- sub-queries and shared plans ----

static void optimise_expr(Optimiser *o, Expr *expr);
static Plan *optimise(Optimiser *o, Plan *plan);

static void
optimise_exprs(Optimiser *o, Expr *const *exprs, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (exprs[i])
            optimise_expr(o, exprs[i]);
}

static void
optimise_expr(Optimiser *o, Expr *expr)
{
    if (expr->kind == EXPR_SUBQUERY)
        expr->plan = optimise(o, expr->plan);
    if (expr->kind == EXPR_CALL)
        optimise_exprs(o, expr->args, expr->arg_count);
}

static Plan *
optimise_shared(Optimiser *o, const Plan *plan)
{
    for (size_t i = 0; i < o->shared.len; i++)
        if (o->shared.items[i].id == plan->shared.id)
            return o->shared.items[i].plan ? o->shared.items[i].plan : plan->shared.plan;
    SharedPlan entry = {plan->shared.id, NULL};
    size_t at = o->shared.len;
    ARRAY_PUSH(o->arena, &o->shared, entry);
    Plan *done = optimise(o, plan->shared.plan);
    o->shared.items[at].plan = done;
    return done;
}

static void
optimise_match(Optimiser *o, Plan *plan)
{
    const GraphMatch *match = &plan->graph_match;
    for (uint32_t i = 0; i < match->filter_count; i++)
        optimise_expr(o, match->filters[i].predicate);
    for (size_t i = 0; i < match->inputs.len; i++)
        if (match->inputs.items[i].kind == GRAPH_LAMBDA)
            optimise_expr(o, match->inputs.items[i].lambda->body);
    if (o->rules & OPTIMISE_PRUNE_COLUMNS)
        graph_drop_unread(o->arena, plan);
}

// The arguments of a plugin: expressions, and tables that are plans of their own.
static void
optimise_plugin(Optimiser *o, PluginCall *call)
{
    for (uint32_t p = 0; p < call->plugin->param_count; p++) {
        for (uint32_t i = 0; i < call->args[p].len; i++) {
            PluginArg *arg = &call->args[p].items[i];
            if (arg->expr)
                optimise_expr(o, arg->expr);
            if (arg->table)
                arg->table = optimise(o, arg->table);
            if (arg->aggregate)
                optimise_exprs(o, arg->aggregate->args, arg->aggregate->arg_count);
        }
    }
}

// Plans inside expressions and behind materialize() are plans of their own.
static void
optimise_inner(Optimiser *o, Plan *plan)
{
    switch (plan->kind) {
    case PLAN_FILTER: optimise_expr(o, plan->filter.predicate); break;
    case PLAN_PROJECT: optimise_exprs(o, plan->project.exprs, plan->schema.count); break;
    case PLAN_WINDOW: optimise_exprs(o, plan->window.exprs, plan->schema.count); break;
    case PLAN_SUMMARIZE:
        optimise_exprs(o, plan->summarize.keys, plan->summarize.key_count);
        for (uint32_t a = 0; a < plan->summarize.aggregate_count; a++)
            optimise_exprs(o, plan->summarize.aggregates[a].args,
                           plan->summarize.aggregates[a].arg_count);
        break;
    case PLAN_SHARED: plan->shared.plan = optimise_shared(o, plan); break;
    case PLAN_EVALUATE: optimise_plugin(o, plan->evaluate.call); break;
    case PLAN_MV_APPLY:
        plan->input = optimise(o, plan->input);
        plan->mv_apply.expand->input = plan->input;
        return;
    case PLAN_SEQUENCES:
        for (uint32_t s = 0; s < plan->sequences.step_count; s++) {
            optimise_expr(o, plan->sequences.steps[s].condition);
            optimise_exprs(o, plan->sequences.steps[s].assigned, plan->sequences.slot_count);
        }
        break;
    case PLAN_PARTITION: plan->partition.subplan = optimise(o, plan->partition.subplan); break;
    case PLAN_MAKE_GRAPH:
        plan->input = optimise(o, plan->input);
        if (plan->make_graph.nodes)
            plan->make_graph.nodes = optimise(o, plan->make_graph.nodes);
        return;
    case PLAN_GRAPH_FILTER: optimise_expr(o, plan->graph_filter.predicate); break;
    case PLAN_GRAPH_MATCH: optimise_match(o, plan); break;
    default: break;
    }
    if (plan->input)
        optimise_inner(o, plan->input);
    if (plan->kind == PLAN_JOIN)
        optimise_inner(o, plan->join.right);
    for (uint32_t i = 0; plan->kind == PLAN_UNION && i < plan->union_.count; i++)
        optimise_inner(o, plan->union_.inputs[i]);
}

static Plan *
optimise(Optimiser *o, Plan *plan)
{
    if (o->rules & OPTIMISE_JSON_PATHS)
        plan = plan_paths(o, plan);
    if (o->rules & OPTIMISE_PUSH_FILTER)
        plan = push_filters(o, plan);
    if (o->rules & OPTIMISE_COMMON)
        plan = plan_common(o, plan);
    if (o->rules & OPTIMISE_PRUNE_COLUMNS)
        plan = plan_prune(o, plan);
    if (o->rules & OPTIMISE_SCAN_PREDICATES)
        plan_scan_predicates(o->arena, plan, o->rules);
    optimise_inner(o, plan);
    return plan;
}

// ---- top-k ----

// take(sort(T)) = the first rows of the sort alone.
static Plan *
top_k(Plan *plan)
{
    if (plan->kind == PLAN_TAKE && plan->input->kind == PLAN_SORT && plan->input->sort.key_count) {
        Plan *sort = plan->input;
        if (sort->sort.limit < 0 || sort->sort.limit > plan->take.count)
            sort->sort.limit = plan->take.count;
    }
    if (plan->input)
        top_k(plan->input);
    return plan;
}

void
kql_optimise(Arena *arena, Plan **plans, uint32_t count, const Catalog *catalog, uint32_t rules)
{
    Optimiser optimiser = {
        .arena = arena, .rules = rules, .catalog = catalog, .shared_ids = catalog->shared_ids};
    if (rules & OPTIMISE_SHARE)
        plan_share(&optimiser, plans, count);
    for (uint32_t i = 0; i < count; i++) {
        plans[i] = optimise(&optimiser, plans[i]);
        if (rules & OPTIMISE_TOP_K)
            top_k(plans[i]);
    }
}
