// The same summary in several places of a query is made once: summarize(T) read twice is one
// evaluation read twice, as materialize() would have it, when nothing in it differs from run to run.
//
// Let statements are bound anew where they are named, so this is how a let that summarises a table is
// evaluated once. Only summaries are shared: they read much and yield little, and they take
// no filter and no choice of columns from above, so sharing them costs nothing.

#include "base/array.h"
#include "kql/optimise_state.h"
#include "kql/plan_equal.h"

typedef struct Place {
    Plan **place; // where the plan hangs
    uint64_t hash;
    size_t end; // of the places inside of it, which follow it
    bool gone;  // it hung in a plan that was replaced
} Place;

typedef struct Places {
    Arena *arena;
    Place *items;
    size_t len, cap;
} Places;

static void find_places(Places *places, Plan **place);

static void
find_in_expr(Places *places, Expr *expr)
{
    if (!expr)
        return;
    if (expr->kind == EXPR_SUBQUERY)
        find_places(places, &expr->plan);
    for (uint32_t i = 0; expr->kind == EXPR_CALL && i < expr->arg_count; i++)
        find_in_expr(places, expr->args[i]);
}

static void
find_in_exprs(Places *places, Expr *const *exprs, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        find_in_expr(places, exprs[i]);
}

// Outer ones before those they are made of. Plans over the rows of another one (mv-apply,
// partition ...) are not looked into: they are run again for each of those.
static void
find_inside(Places *places, Plan *plan)
{
    switch (plan->kind) {
    case PLAN_FILTER: find_in_expr(places, plan->filter.predicate); break;
    case PLAN_PROJECT: find_in_exprs(places, plan->project.exprs, plan->schema.count); break;
    case PLAN_SUMMARIZE:
        find_in_exprs(places, plan->summarize.keys, plan->summarize.key_count);
        break;
    case PLAN_JOIN: find_places(places, &plan->join.right); break;
    case PLAN_UNION:
        for (uint32_t i = 0; i < plan->union_.count; i++)
            find_places(places, &plan->union_.inputs[i]);
        break;
    case PLAN_SHARED: find_inside(places, plan->shared.plan); break;
    case PLAN_MV_APPLY:
    case PLAN_PARTITION:
    case PLAN_TOP_NESTED:
    case PLAN_EVALUATE: return;
    default: break;
    }
    if (plan->input)
        find_places(places, &plan->input);
}

static void
find_places(Places *places, Plan **at)
{
    Plan *plan = *at;
    Place place = {.place = at};
    bool summary = plan->kind == PLAN_SUMMARIZE || plan->kind == PLAN_MAKE_SERIES;
    size_t own = places->len;
    summary = summary && plan_hash(plan, &place.hash);
    if (summary)
        ARRAY_PUSH(places->arena, places, place);
    find_inside(places, plan);
    if (summary)
        places->items[own].end = places->len;
}

static Plan *
shared_plan(Optimiser *o, Plan *plan, uint32_t id)
{
    Plan *shared = plan_new(o->arena, PLAN_SHARED, plan->span);
    shared->schema = plan->schema;
    shared->absent = plan->absent;
    shared->serialized = plan->serialized;
    shared->open = plan->open;
    shared->shared.plan = plan;
    shared->shared.id = id;
    return shared;
}

// Shares the plan at `first` with those equal to it.
static void
share(Optimiser *o, Places *places, size_t first)
{
    Place *one = &places->items[first];
    Plan *plan = *one->place;
    uint32_t id = 0;
    for (size_t i = one->end; i < places->len; i++) {
        Place *other = &places->items[i];
        if (other->gone || other->hash != one->hash || other->place == one->place ||
            !plan_equal(plan, *other->place))
            continue;
        if (!id)
            id = ++*o->shared_ids;
        *other->place = shared_plan(o, plan, id);
        for (size_t inner = i; inner < other->end; inner++)
            places->items[inner].gone = true;
    }
    if (id)
        *one->place = shared_plan(o, plan, id);
}

void
plan_share(Optimiser *o, Plan **plans, uint32_t count)
{
    Places places = {.arena = o->arena};
    for (uint32_t i = 0; i < count; i++)
        find_places(&places, &plans[i]);
    for (size_t i = 0; i < places.len; i++)
        if (!places.items[i].gone && (*places.items[i].place)->kind != PLAN_SHARED)
            share(o, &places, i);
}
