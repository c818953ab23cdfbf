// The optimiser: few rules, each in its own function with the equality that justifies
// it. Plans may be shared (let tables bound once, materialize), so rules that change a
// node copy it first; every rule can be switched off, and answers never change.

#include "base/array.h"
#include "kql/binder.h"
#include "kql/plugin_def.h"

// A shared plan is optimised once, however many read it.
typedef struct SharedPlan {
    uint32_t id;
    Plan *plan; // NULL while it is being optimised
} SharedPlan;

typedef struct Optimiser {
    Arena *arena;
    uint32_t rules;
    struct {
        SharedPlan *items;
        size_t len, cap;
    } shared;
} Optimiser;

static Plan *
copy_plan(Optimiser *o, const Plan *plan)
{
    Plan *copy = ARENA_NEW(o->arena, Plan);
    *copy = *plan;
    return copy;
}

// ---- expressions ----

static void
mark_columns(const Expr *expr, bool *used)
{
    if (expr->kind == EXPR_COLUMN)
        used[expr->column] = true;
    for (uint32_t i = 0; expr->kind == EXPR_CALL && i < expr->arg_count; i++)
        mark_columns(expr->args[i], used);
}

// The expression with each column replaced: by `exprs` (through a projection), or by a
// new position (`map`).
static Expr *
rewrite(Optimiser *o, const Expr *expr, Expr *const *exprs, const uint32_t *map)
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
        copy->args[i] = rewrite(o, expr->args[i], exprs, map);
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
    Plan *below = copy_plan(o, filter);
    below->input = project->input;
    below->schema = project->input->schema;
    below->serialized = project->input->serialized;
    below->filter.predicate = rewrite(o, filter->filter.predicate, project->project.exprs, NULL);
    Plan *above = copy_plan(o, project);
    above->input = below;
    return above;
}

static Plan *push_filters(Optimiser *o, const Plan *plan);

// filter(union(A, B)) = union(filter(A), filter(B)): a column that an input lacks is null
// in the union's rows, so the condition over that input reads a null in its place.
static Plan *
push_through_union(Optimiser *o, Plan *filter)
{
    Plan *all = filter->input;
    uint32_t count = all->schema.count;
    bool *used = ARENA_ARRAY(o->arena, bool, count);
    mark_columns(filter->filter.predicate, used);
    // The name of the input is no column of it.
    if (all->union_.source_column >= 0 && used[all->union_.source_column])
        return filter;
    Plan *above = copy_plan(o, all);
    above->union_.inputs = ARENA_ARRAY(o->arena, Plan *, all->union_.count);
    Expr **exprs = ARENA_ARRAY(o->arena, Expr *, count);
    for (uint32_t i = 0; i < all->union_.count; i++) {
        for (uint32_t c = 0; c < count; c++) {
            int32_t at = all->union_.columns[i][c];
            Type type = all->schema.columns[c].type;
            Value none = value_null(type);
            exprs[c] = at < 0 ? expr_const(o->arena, &none, filter->span)
                              : expr_column(o->arena, (uint32_t)at, type, filter->span);
        }
        Plan *part = copy_plan(o, filter);
        part->input = all->union_.inputs[i];
        part->schema = part->input->schema;
        part->filter.predicate =
            condition_without_hopeless(rewrite(o, filter->filter.predicate, exprs, NULL));
        above->union_.inputs[i] = push_filters(o, part);
    }
    return above;
}

static Plan *
push_filters(Optimiser *o, const Plan *plan)
{
    Plan *out = copy_plan(o, plan);
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

// ---- only needed columns are read ----

static Plan *prune(Optimiser *o, const Plan *plan, const bool *needed, uint32_t **map);

static uint32_t *
identity_map(Optimiser *o, uint32_t count)
{
    uint32_t *map = ARENA_ARRAY(o->arena, uint32_t, count + 1);
    for (uint32_t i = 0; i < count; i++)
        map[i] = i;
    return map;
}

static Schema
keep_columns(Optimiser *o, const Schema *schema, const bool *needed, uint32_t **map)
{
    Schema kept = {ARENA_ARRAY(o->arena, Column, schema->count), 0};
    *map = ARENA_ARRAY(o->arena, uint32_t, schema->count + 1);
    for (uint32_t c = 0; c < schema->count; c++) {
        if (!needed[c])
            continue;
        (*map)[c] = kept.count;
        kept.columns[kept.count++] = schema->columns[c];
    }
    return kept;
}

static Plan *
prune_scan(Optimiser *o, const Plan *plan, const bool *needed, uint32_t **map)
{
    Plan *out = copy_plan(o, plan);
    out->schema = keep_columns(o, &plan->schema, needed, map);
    out->scan.columns = ARENA_ARRAY(o->arena, uint32_t, out->schema.count);
    for (uint32_t c = 0; c < plan->schema.count; c++)
        if (needed[c])
            out->scan.columns[(*map)[c]] = plan->scan.columns[c];
    return out;
}

static Plan *
prune_filter(Optimiser *o, const Plan *plan, const bool *needed, uint32_t **map)
{
    Plan *out = copy_plan(o, plan);
    bool *below = ARENA_ARRAY(o->arena, bool, plan->schema.count + 1);
    memcpy(below, needed, plan->schema.count * sizeof(bool));
    mark_columns(plan->filter.predicate, below);
    out->input = prune(o, plan->input, below, map);
    out->schema = out->input->schema;
    out->filter.predicate = rewrite(o, plan->filter.predicate, NULL, *map);
    return out;
}

static Plan *
prune_project(Optimiser *o, const Plan *plan, const bool *needed, uint32_t **map)
{
    Plan *out = copy_plan(o, plan);
    out->schema = keep_columns(o, &plan->schema, needed, map);
    bool *below = ARENA_ARRAY(o->arena, bool, plan->input->schema.count + 1);
    for (uint32_t c = 0; c < plan->schema.count; c++)
        if (needed[c])
            mark_columns(plan->project.exprs[c], below);
    uint32_t *inner;
    out->input = prune(o, plan->input, below, &inner);
    out->project.exprs = ARENA_ARRAY(o->arena, Expr *, out->schema.count);
    for (uint32_t c = 0; c < plan->schema.count; c++)
        if (needed[c])
            out->project.exprs[(*map)[c]] = rewrite(o, plan->project.exprs[c], NULL, inner);
    return out;
}

static Expr **
rewrite_list(Optimiser *o, Expr *const *exprs, uint32_t count, const uint32_t *map)
{
    Expr **out = ARENA_ARRAY(o->arena, Expr *, count);
    for (uint32_t i = 0; i < count; i++)
        out[i] = rewrite(o, exprs[i], NULL, map);
    return out;
}

static Plan *
prune_summarize(Optimiser *o, const Plan *plan, uint32_t **map)
{
    Plan *out = copy_plan(o, plan);
    bool *below = ARENA_ARRAY(o->arena, bool, plan->input->schema.count + 1);
    for (uint32_t k = 0; k < plan->summarize.key_count; k++)
        mark_columns(plan->summarize.keys[k], below);
    for (uint32_t a = 0; a < plan->summarize.aggregate_count; a++) {
        const AggregateCall *call = &plan->summarize.aggregates[a];
        for (uint32_t i = 0; i < call->arg_count; i++)
            mark_columns(call->args[i], below);
        if (call->filter)
            mark_columns(call->filter, below);
    }
    uint32_t *inner;
    out->input = prune(o, plan->input, below, &inner);
    out->summarize.keys = rewrite_list(o, plan->summarize.keys, plan->summarize.key_count, inner);
    out->summarize.aggregates =
        ARENA_ARRAY(o->arena, AggregateCall, plan->summarize.aggregate_count);
    for (uint32_t a = 0; a < plan->summarize.aggregate_count; a++) {
        AggregateCall *call = &out->summarize.aggregates[a];
        *call = plan->summarize.aggregates[a];
        call->args = rewrite_list(o, call->args, call->arg_count, inner);
        if (call->filter)
            call->filter = rewrite(o, call->filter, NULL, inner);
    }
    *map = identity_map(o, plan->schema.count);
    return out;
}

static Plan *
prune_join(Optimiser *o, const Plan *plan, const bool *needed, uint32_t **map)
{
    Plan *out = copy_plan(o, plan);
    bool *left = ARENA_ARRAY(o->arena, bool, plan->input->schema.count + 1);
    bool *right = ARENA_ARRAY(o->arena, bool, plan->join.right->schema.count + 1);
    for (uint32_t k = 0; k < plan->join.key_count; k++) {
        mark_columns(plan->join.left_keys[k], left);
        mark_columns(plan->join.right_keys[k], right);
    }
    for (uint32_t c = 0; c < plan->schema.count; c++)
        if (needed[c])
            (plan->join.columns[c].from_right ? right : left)[plan->join.columns[c].column] = true;
    uint32_t *left_map, *right_map;
    out->input = prune(o, plan->input, left, &left_map);
    out->join.right = prune(o, plan->join.right, right, &right_map);
    out->join.left_keys = rewrite_list(o, plan->join.left_keys, plan->join.key_count, left_map);
    out->join.right_keys = rewrite_list(o, plan->join.right_keys, plan->join.key_count, right_map);
    out->schema = keep_columns(o, &plan->schema, needed, map);
    out->join.columns =
        arena_zalloc_array(o->arena, out->schema.count + 1, sizeof(*out->join.columns));
    for (uint32_t c = 0; c < plan->schema.count; c++) {
        if (!needed[c])
            continue;
        bool from_right = plan->join.columns[c].from_right;
        uint32_t column = plan->join.columns[c].column;
        out->join.columns[(*map)[c]].from_right = from_right;
        out->join.columns[(*map)[c]].column = from_right ? right_map[column] : left_map[column];
    }
    return out;
}

static Plan *
prune_union(Optimiser *o, const Plan *plan, const bool *needed, uint32_t **map)
{
    Plan *out = copy_plan(o, plan);
    out->schema = keep_columns(o, &plan->schema, needed, map);
    out->union_.inputs = ARENA_ARRAY(o->arena, Plan *, plan->union_.count);
    out->union_.columns = ARENA_ARRAY(o->arena, int32_t *, plan->union_.count);
    if (plan->union_.source_column >= 0)
        out->union_.source_column =
            needed[plan->union_.source_column] ? (ptrdiff_t)(*map)[plan->union_.source_column] : -1;
    for (uint32_t i = 0; i < plan->union_.count; i++) {
        const Plan *input = plan->union_.inputs[i];
        bool *below = ARENA_ARRAY(o->arena, bool, input->schema.count + 1);
        for (uint32_t c = 0; c < plan->schema.count; c++)
            if (needed[c] && plan->union_.columns[i][c] >= 0)
                below[plan->union_.columns[i][c]] = true;
        uint32_t *inner;
        out->union_.inputs[i] = prune(o, input, below, &inner);
        out->union_.columns[i] = ARENA_ARRAY(o->arena, int32_t, out->schema.count + 1);
        for (uint32_t c = 0; c < plan->schema.count; c++) {
            if (!needed[c])
                continue;
            int32_t column = plan->union_.columns[i][c];
            out->union_.columns[i][(*map)[c]] = column < 0 ? -1 : (int32_t)inner[column];
        }
    }
    return out;
}

static Plan *
prune_sort(Optimiser *o, const Plan *plan, const bool *needed, uint32_t **map)
{
    Plan *out = copy_plan(o, plan);
    bool *below = ARENA_ARRAY(o->arena, bool, plan->schema.count + 1);
    memcpy(below, needed, plan->schema.count * sizeof(bool));
    for (uint32_t k = 0; k < plan->sort.key_count; k++)
        mark_columns(plan->sort.keys[k].expr, below);
    out->input = prune(o, plan->input, below, map);
    out->schema = out->input->schema;
    out->sort.keys = ARENA_ARRAY(o->arena, SortKey, plan->sort.key_count);
    for (uint32_t k = 0; k < plan->sort.key_count; k++) {
        out->sort.keys[k] = plan->sort.keys[k];
        out->sort.keys[k].expr = rewrite(o, plan->sort.keys[k].expr, NULL, *map);
    }
    return out;
}

static Plan *
prune_mv_expand(Optimiser *o, const Plan *plan, const bool *needed, uint32_t **map)
{
    Plan *out = copy_plan(o, plan);
    // Expanded columns always stay: they decide how many rows there are.
    bool *kept = ARENA_ARRAY(o->arena, bool, plan->schema.count + 1);
    bool *below = ARENA_ARRAY(o->arena, bool, plan->input->schema.count + 1);
    for (uint32_t c = 0; c < plan->schema.count; c++) {
        kept[c] = needed[c] || plan->mv_expand.carried[c] == UINT32_MAX;
        if (kept[c] && plan->mv_expand.carried[c] != UINT32_MAX)
            below[plan->mv_expand.carried[c]] = true;
    }
    for (uint32_t i = 0; i < plan->mv_expand.item_count; i++)
        mark_columns(plan->mv_expand.items[i].expr, below);
    uint32_t *inner;
    out->input = prune(o, plan->input, below, &inner);
    out->schema = keep_columns(o, &plan->schema, kept, map);
    out->mv_expand.carried = ARENA_ARRAY(o->arena, uint32_t, out->schema.count + 1);
    for (uint32_t c = 0; c < plan->schema.count; c++) {
        uint32_t from = plan->mv_expand.carried[c];
        if (kept[c])
            out->mv_expand.carried[(*map)[c]] = from == UINT32_MAX ? UINT32_MAX : inner[from];
    }
    out->mv_expand.items = ARENA_ARRAY(o->arena, MvExpandItem, plan->mv_expand.item_count);
    for (uint32_t i = 0; i < plan->mv_expand.item_count; i++) {
        const MvExpandItem *item = &plan->mv_expand.items[i];
        out->mv_expand.items[i] =
            (MvExpandItem){(*map)[item->column], rewrite(o, item->expr, NULL, inner), item->to};
    }
    if (plan->mv_expand.index_column >= 0)
        out->mv_expand.index_column = (ptrdiff_t)(*map)[plan->mv_expand.index_column];
    return out;
}

// Operators that are not looked into need all that their input has.
static Plan *
prune_opaque(Optimiser *o, const Plan *plan, uint32_t **map)
{
    Plan *out = copy_plan(o, plan);
    *map = identity_map(o, plan->schema.count);
    if (plan->kind == PLAN_TAKE || plan->kind == PLAN_SAMPLE || plan->kind == PLAN_WINDOW ||
        plan->kind == PLAN_PARSE || plan->kind == PLAN_PARSE_KV || plan->kind == PLAN_MAKE_SERIES ||
        plan->kind == PLAN_PARTITION || plan->kind == PLAN_SEQUENCES ||
        plan->kind == PLAN_TOP_NESTED || plan->kind == PLAN_REDUCE ||
        (plan->kind == PLAN_EVALUATE && plan->input)) {
        bool *all = ARENA_ARRAY(o->arena, bool, plan->input->schema.count + 1);
        memset(all, true, plan->input->schema.count);
        uint32_t *ignored;
        out->input = prune(o, plan->input, all, &ignored);
    }
    return out;
}

static Plan *
prune_take(Optimiser *o, const Plan *plan, const bool *needed, uint32_t **map)
{
    Plan *out = copy_plan(o, plan);
    out->input = prune(o, plan->input, needed, map);
    out->schema = out->input->schema;
    return out;
}

// The plan with at least the needed columns; `map` says where each old column is now.
static Plan *
prune(Optimiser *o, const Plan *plan, const bool *needed, uint32_t **map)
{
    switch (plan->kind) {
    case PLAN_SCAN: return prune_scan(o, plan, needed, map);
    case PLAN_FILTER: return prune_filter(o, plan, needed, map);
    case PLAN_PROJECT: return prune_project(o, plan, needed, map);
    case PLAN_SUMMARIZE: return prune_summarize(o, plan, map);
    case PLAN_JOIN: return prune_join(o, plan, needed, map);
    case PLAN_UNION: return prune_union(o, plan, needed, map);
    case PLAN_SORT: return prune_sort(o, plan, needed, map);
    case PLAN_MV_EXPAND: return prune_mv_expand(o, plan, needed, map);
    case PLAN_TAKE: return prune_take(o, plan, needed, map);
    default: return prune_opaque(o, plan, map);
    }
}

static Plan *
prune_root(Optimiser *o, Plan *plan)
{
    bool *all = ARENA_ARRAY(o->arena, bool, plan->schema.count + 1);
    memset(all, true, plan->schema.count);
    uint32_t *map;
    Plan *out = prune(o, plan, all, &map);
    return out->schema.count == plan->schema.count ? out : plan;
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
    if (o->rules & OPTIMISE_PUSH_FILTER)
        plan = push_filters(o, plan);
    if (o->rules & OPTIMISE_PRUNE_COLUMNS)
        plan = prune_root(o, plan);
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

Plan *
kql_optimise(Arena *arena, Plan *plan, const Catalog *catalog, uint32_t rules)
{
    (void)catalog;
    Optimiser optimiser = {.arena = arena, .rules = rules};
    plan = optimise(&optimiser, plan);
    if (rules & OPTIMISE_TOP_K)
        top_k(plan);
    return plan;
}
