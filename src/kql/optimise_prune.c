// Only needed columns are read: each operator says what it needs of its input, given what
// is needed of it, and is rewritten to the columns that are left.

#include "base/array.h"
#include "kql/optimise_state.h"

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
    Plan *out = plan_copy(o, plan);
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
    Plan *out = plan_copy(o, plan);
    bool *below = ARENA_ARRAY(o->arena, bool, plan->schema.count + 1);
    memcpy(below, needed, plan->schema.count * sizeof(bool));
    expr_mark_columns(plan->filter.predicate, below);
    out->input = prune(o, plan->input, below, map);
    out->schema = out->input->schema;
    out->filter.predicate = expr_rewrite(o, plan->filter.predicate, NULL, *map);
    bool *read = ARENA_ARRAY(o->arena, bool, out->schema.count + 1);
    memset(read, true, out->schema.count);
    for (uint32_t c = 0; c < plan->schema.count; c++)
        if (below[c])
            read[(*map)[c]] = needed[c];
    out->filter.read = read;
    return out;
}

static Plan *
prune_project(Optimiser *o, const Plan *plan, const bool *needed, uint32_t **map)
{
    Plan *out = plan_copy(o, plan);
    out->schema = keep_columns(o, &plan->schema, needed, map);
    bool *below = ARENA_ARRAY(o->arena, bool, plan->input->schema.count + 1);
    for (uint32_t c = 0; c < plan->schema.count; c++)
        if (needed[c])
            expr_mark_columns(plan->project.exprs[c], below);
    uint32_t *inner;
    out->input = prune(o, plan->input, below, &inner);
    out->project.exprs = ARENA_ARRAY(o->arena, Expr *, out->schema.count);
    for (uint32_t c = 0; c < plan->schema.count; c++)
        if (needed[c])
            out->project.exprs[(*map)[c]] = expr_rewrite(o, plan->project.exprs[c], NULL, inner);
    return out;
}

static Expr **
rewrite_list(Optimiser *o, Expr *const *exprs, uint32_t count, const uint32_t *map)
{
    Expr **out = ARENA_ARRAY(o->arena, Expr *, count);
    for (uint32_t i = 0; i < count; i++)
        out[i] = expr_rewrite(o, exprs[i], NULL, map);
    return out;
}

static void
mark_aggregates(const AggregateCall *calls, uint32_t count, bool *below)
{
    for (uint32_t a = 0; a < count; a++) {
        for (uint32_t i = 0; i < calls[a].arg_count; i++)
            expr_mark_columns(calls[a].args[i], below);
        if (calls[a].filter)
            expr_mark_columns(calls[a].filter, below);
    }
}

static AggregateCall *
rewrite_aggregates(Optimiser *o, const AggregateCall *calls, uint32_t count, const uint32_t *map)
{
    AggregateCall *out = ARENA_ARRAY(o->arena, AggregateCall, count + 1);
    for (uint32_t a = 0; a < count; a++) {
        out[a] = calls[a];
        out[a].args = rewrite_list(o, calls[a].args, calls[a].arg_count, map);
        if (calls[a].filter)
            out[a].filter = expr_rewrite(o, calls[a].filter, NULL, map);
    }
    return out;
}

static Plan *
prune_summarize(Optimiser *o, const Plan *plan, uint32_t **map)
{
    Plan *out = plan_copy(o, plan);
    bool *below = ARENA_ARRAY(o->arena, bool, plan->input->schema.count + 1);
    for (uint32_t k = 0; k < plan->summarize.key_count; k++)
        expr_mark_columns(plan->summarize.keys[k], below);
    mark_aggregates(plan->summarize.aggregates, plan->summarize.aggregate_count, below);
    uint32_t *inner;
    out->input = prune(o, plan->input, below, &inner);
    out->summarize.keys = rewrite_list(o, plan->summarize.keys, plan->summarize.key_count, inner);
    out->summarize.aggregates =
        rewrite_aggregates(o, plan->summarize.aggregates, plan->summarize.aggregate_count, inner);
    *map = identity_map(o, plan->schema.count);
    return out;
}

static Plan *
prune_make_series(Optimiser *o, const Plan *plan, uint32_t **map)
{
    Plan *out = plan_copy(o, plan);
    bool *below = ARENA_ARRAY(o->arena, bool, plan->input->schema.count + 1);
    for (uint32_t k = 0; k < plan->make_series.key_count; k++)
        expr_mark_columns(plan->make_series.keys[k], below);
    expr_mark_columns(plan->make_series.axis, below);
    mark_aggregates(plan->make_series.aggregates, plan->make_series.aggregate_count, below);
    uint32_t *inner;
    out->input = prune(o, plan->input, below, &inner);
    out->make_series.keys =
        rewrite_list(o, plan->make_series.keys, plan->make_series.key_count, inner);
    out->make_series.axis = expr_rewrite(o, plan->make_series.axis, NULL, inner);
    out->make_series.aggregates = rewrite_aggregates(o, plan->make_series.aggregates,
                                                     plan->make_series.aggregate_count, inner);
    *map = identity_map(o, plan->schema.count);
    return out;
}

// Operators that are not looked into need all that their input has.
static Plan *
prune_opaque(Optimiser *o, const Plan *plan, uint32_t **map)
{
    Plan *out = plan_copy(o, plan);
    *map = identity_map(o, plan->schema.count);
    if (plan->kind == PLAN_TAKE || plan->kind == PLAN_SAMPLE || plan->kind == PLAN_WINDOW ||
        plan->kind == PLAN_PARSE || plan->kind == PLAN_PARSE_KV || plan->kind == PLAN_PARTITION ||
        plan->kind == PLAN_SEQUENCES || plan->kind == PLAN_TOP_NESTED ||
        plan->kind == PLAN_REDUCE || (plan->kind == PLAN_EVALUATE && plan->input)) {
        bool *all = ARENA_ARRAY(o->arena, bool, plan->input->schema.count + 1);
        memset(all, true, plan->input->schema.count);
        uint32_t *ignored;
        out->input = prune(o, plan->input, all, &ignored);
    }
    return out;
}

// The leaf under the plans of a level: marks what they read, or has only that.
static Plan *
prune_leaf(Optimiser *o, const Plan *plan, const bool *needed, uint32_t **map)
{
    Plan *out = plan_copy(o, plan);
    if (o->leaf->drop) {
        out->schema = keep_columns(o, &plan->schema, o->leaf->needed, map);
        return out;
    }
    for (uint32_t c = 0; c < plan->schema.count; c++)
        o->leaf->needed[c] |= needed[c];
    *map = identity_map(o, plan->schema.count);
    return out;
}

static void
prune_levels(Optimiser *o, const Plan *plan, NestedLevel *out)
{
    for (uint32_t l = 0; l < plan->top_nested.level_count; l++) {
        const NestedLevel *level = &plan->top_nested.levels[l];
        out[l] = *level;
        out[l].ranked = plan_prune(o, level->ranked);
        if (level->rest)
            out[l].rest = plan_prune(o, level->rest);
    }
}

// The rows need the keys of the levels and what their aggregates read. The leaf's columns
// are those of the rows and, last, the number of the group.
static Plan *
prune_top_nested(Optimiser *o, const Plan *plan, uint32_t **map)
{
    Plan *out = plan_copy(o, plan);
    uint32_t columns = plan->input->schema.count, levels = plan->top_nested.level_count;
    PrunedLeaf leaf = {plan->top_nested.leaf, ARENA_ARRAY(o->arena, bool, columns + 2), false};
    PrunedLeaf *outer = o->leaf;
    o->leaf = &leaf;
    out->top_nested.levels = ARENA_ARRAY(o->arena, NestedLevel, levels);
    prune_levels(o, plan, out->top_nested.levels);
    for (uint32_t l = 0; l < levels; l++)
        leaf.needed[plan->top_nested.levels[l].key] = true;
    leaf.needed[columns] = true;
    leaf.drop = true;
    prune_levels(o, plan, out->top_nested.levels);
    o->leaf = outer;
    uint32_t *inner;
    out->input = prune(o, plan->input, leaf.needed, &inner);
    uint32_t kept = 0;
    for (uint32_t c = 0; c < columns; c++)
        kept += leaf.needed[c];
    // The leaf has those columns and no others; an input that keeps more keeps all.
    if (out->input->schema.count != kept)
        return prune_opaque(o, plan, map);
    for (uint32_t l = 0; l < levels; l++)
        out->top_nested.levels[l].key = inner[plan->top_nested.levels[l].key];
    *map = identity_map(o, plan->schema.count);
    return out;
}

static Plan *
prune_join(Optimiser *o, const Plan *plan, const bool *needed, uint32_t **map)
{
    Plan *out = plan_copy(o, plan);
    bool *left = ARENA_ARRAY(o->arena, bool, plan->input->schema.count + 1);
    bool *right = ARENA_ARRAY(o->arena, bool, plan->join.right->schema.count + 1);
    for (uint32_t k = 0; k < plan->join.key_count; k++) {
        expr_mark_columns(plan->join.left_keys[k], left);
        expr_mark_columns(plan->join.right_keys[k], right);
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
    Plan *out = plan_copy(o, plan);
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
    Plan *out = plan_copy(o, plan);
    bool *below = ARENA_ARRAY(o->arena, bool, plan->schema.count + 1);
    memcpy(below, needed, plan->schema.count * sizeof(bool));
    for (uint32_t k = 0; k < plan->sort.key_count; k++)
        expr_mark_columns(plan->sort.keys[k].expr, below);
    out->input = prune(o, plan->input, below, map);
    out->schema = out->input->schema;
    out->sort.keys = ARENA_ARRAY(o->arena, SortKey, plan->sort.key_count);
    for (uint32_t k = 0; k < plan->sort.key_count; k++) {
        out->sort.keys[k] = plan->sort.keys[k];
        out->sort.keys[k].expr = expr_rewrite(o, plan->sort.keys[k].expr, NULL, *map);
    }
    return out;
}

static Plan *
prune_mv_expand(Optimiser *o, const Plan *plan, const bool *needed, uint32_t **map)
{
    Plan *out = plan_copy(o, plan);
    // Expanded columns always stay: they decide how many rows there are.
    bool *kept = ARENA_ARRAY(o->arena, bool, plan->schema.count + 1);
    bool *below = ARENA_ARRAY(o->arena, bool, plan->input->schema.count + 1);
    for (uint32_t c = 0; c < plan->schema.count; c++) {
        kept[c] = needed[c] || plan->mv_expand.carried[c] == UINT32_MAX;
        if (kept[c] && plan->mv_expand.carried[c] != UINT32_MAX)
            below[plan->mv_expand.carried[c]] = true;
    }
    for (uint32_t i = 0; i < plan->mv_expand.item_count; i++)
        expr_mark_columns(plan->mv_expand.items[i].expr, below);
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
        out->mv_expand.items[i] = (MvExpandItem){
            (*map)[item->column], expr_rewrite(o, item->expr, NULL, inner), item->to};
    }
    if (plan->mv_expand.index_column >= 0)
        out->mv_expand.index_column = (ptrdiff_t)(*map)[plan->mv_expand.index_column];
    return out;
}

static Plan *
prune_take(Optimiser *o, const Plan *plan, const bool *needed, uint32_t **map)
{
    Plan *out = plan_copy(o, plan);
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
    case PLAN_MAKE_SERIES: return prune_make_series(o, plan, map);
    case PLAN_TOP_NESTED: return prune_top_nested(o, plan, map);
    case PLAN_CORRELATED:
        return o->leaf && o->leaf->number == plan->correlated.leaf
                   ? prune_leaf(o, plan, needed, map)
                   : prune_opaque(o, plan, map);
    default: return prune_opaque(o, plan, map);
    }
}

Plan *
plan_prune(Optimiser *o, Plan *plan)
{
    bool *all = ARENA_ARRAY(o->arena, bool, plan->schema.count + 1);
    memset(all, true, plan->schema.count);
    uint32_t *map;
    Plan *out = prune(o, plan, all, &map);
    return out->schema.count == plan->schema.count ? out : plan;
}
