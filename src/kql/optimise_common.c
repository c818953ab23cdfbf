// Equal parts of expressions are computed once.
//
// project(e(f(x)), g(f(x))) = project(e(c), g(c)) over extend(c = f(x)), and a part that a
// projection below computes already is read from there: what a call gives depends on its
// arguments alone, unless it is volatile. The same for the keys and arguments of a summarize. Parts
// that are evaluated for some rows only, in the branches of iff(), stay where they are.

#include "base/array.h"
#include "kql/optimise_state.h"
#include "kql/plan_equal.h"

// ---- what is worth a column ----

static uint32_t
call_count(const Expr *expr)
{
    uint32_t calls = expr->kind == EXPR_CALL;
    for (uint32_t i = 0; expr->kind == EXPR_CALL && i < expr->arg_count; i++)
        calls += call_count(expr->args[i]);
    return calls;
}

static bool
reads_text(const Expr *expr)
{
    if (expr->kind == EXPR_COLUMN)
        return type_is_text(expr->type);
    for (uint32_t i = 0; expr->kind == EXPR_CALL && i < expr->arg_count; i++)
        if (reads_text(expr->args[i]))
            return true;
    return false;
}

// One step of arithmetic costs no more than keeping its result.
static bool
is_worth_it(const Expr *expr)
{
    return expr->kind == EXPR_CALL && !expr_is_volatile(expr) && !expr_is_constant(expr) &&
           (reads_text(expr) || call_count(expr) > 1);
}

// ---- parts and how often they occur ----

typedef struct Part {
    const Expr *expr;
    uint64_t hash;
    uint32_t uses;
    ptrdiff_t column; // of the new projection; -1 = none yet
} Part;

typedef struct Parts {
    Arena *arena;
    Part *items;
    size_t len, cap;
    uint32_t first_column, columns; // new columns
} Parts;

static Part *
find_part(const Parts *parts, const Expr *expr, uint64_t hash)
{
    for (size_t i = 0; i < parts->len; i++)
        if (parts->items[i].hash == hash && expr_equal(parts->items[i].expr, expr))
            return &parts->items[i];
    return NULL;
}

// How many of the call's first arguments are evaluated for every row.
static uint32_t
eager_args(const Expr *call)
{
    return call->fn->flags & FN_LAZY ? 1 : call->arg_count;
}

enum { PARTS_MOST = 256 }; // more are not looked at: expressions of generated queries

static void
count_parts(Parts *parts, const Expr *expr)
{
    if (!expr || expr->kind != EXPR_CALL || parts->len >= PARTS_MOST)
        return;
    if (is_worth_it(expr)) {
        uint64_t hash = expr_hash(expr);
        Part *part = find_part(parts, expr, hash);
        if (part) {
            part->uses++;
            return; // what it is made of is as common as itself
        }
        Part fresh = {expr, hash, 1, -1};
        ARRAY_PUSH(parts->arena, parts, fresh);
    }
    for (uint32_t i = 0; i < eager_args(expr); i++)
        count_parts(parts, expr->args[i]);
}

// The expression with common parts read from the new columns, also where they would be evaluated for
// some rows only.
static Expr *
replace_parts(Parts *parts, const Expr *expr)
{
    if (!expr || expr->kind != EXPR_CALL)
        return (Expr *)(uintptr_t)expr;
    Part *part = is_worth_it(expr) ? find_part(parts, expr, expr_hash(expr)) : NULL;
    if (part && part->uses > 1) {
        if (part->column < 0)
            part->column = (ptrdiff_t)(parts->first_column + parts->columns++);
        return expr_column(parts->arena, (uint32_t)part->column, expr->type, expr->span);
    }
    Expr *copy = ARENA_NEW(parts->arena, Expr);
    *copy = *expr;
    copy->args = ARENA_ARRAY(parts->arena, Expr *, expr->arg_count);
    for (uint32_t i = 0; i < expr->arg_count; i++)
        copy->args[i] = replace_parts(parts, expr->args[i]);
    return copy;
}

static bool
some_are_common(const Parts *parts)
{
    for (size_t i = 0; i < parts->len; i++)
        if (parts->items[i].uses > 1)
            return true;
    return false;
}

// A projection that passes the input's columns on and adds those of the common parts.
static Plan *
extend_by_parts(Optimiser *o, const Parts *parts, Plan *input)
{
    Plan *out = plan_new(o->arena, PLAN_PROJECT, input->span);
    uint32_t before = input->schema.count;
    out->input = input;
    out->serialized = input->serialized;
    out->schema.count = before + parts->columns;
    out->schema.columns = ARENA_ARRAY(o->arena, Column, out->schema.count);
    out->project.exprs = ARENA_ARRAY(o->arena, Expr *, out->schema.count);
    for (uint32_t c = 0; c < before; c++) {
        out->schema.columns[c] = input->schema.columns[c];
        out->project.exprs[c] =
            expr_column(o->arena, c, input->schema.columns[c].type, input->span);
    }
    for (size_t i = 0; i < parts->len; i++) {
        const Part *part = &parts->items[i];
        if (part->column < 0)
            continue;
        out->schema.columns[part->column] = (Column){STR("$common"), part->expr->type};
        out->project.exprs[part->column] = (Expr *)(uintptr_t)part->expr;
    }
    return out;
}

// ---- what a projection below computes ----

// A column of the rows that some operator below computes, over that operator's input.
static const Plan *
projection_below(const Plan *plan)
{
    while (plan->kind == PLAN_FILTER)
        plan = plan->input;
    return plan->kind == PLAN_PROJECT ? plan : NULL;
}

// Whether `expr`, over the columns of the projection, is what `lower` is over its input's.
static bool
equal_through(const Expr *expr, const Expr *lower, Expr *const *columns)
{
    if (expr->kind == EXPR_COLUMN)
        return expr_equal(columns[expr->column], lower);
    if (expr->kind != EXPR_CALL || lower->kind != EXPR_CALL)
        return expr_equal(expr, lower);
    if (expr->fn != lower->fn || expr->type != lower->type || expr->arg_count != lower->arg_count ||
        !expr->bound != !lower->bound)
        return false;
    for (uint32_t i = 0; i < expr->arg_count; i++)
        if (!equal_through(expr->args[i], lower->args[i], columns))
            return false;
    return true;
}

static Expr *
read_computed(Optimiser *o, const Plan *below, const Expr *expr)
{
    if (!expr || expr->kind != EXPR_CALL)
        return (Expr *)(uintptr_t)expr;
    for (uint32_t c = 0; is_worth_it(expr) && c < below->schema.count; c++)
        if (below->project.exprs[c]->kind == EXPR_CALL &&
            !expr_is_volatile(below->project.exprs[c]) &&
            equal_through(expr, below->project.exprs[c], below->project.exprs))
            return expr_column(o->arena, c, expr->type, expr->span);
    Expr *copy = ARENA_NEW(o->arena, Expr);
    *copy = *expr;
    copy->args = ARENA_ARRAY(o->arena, Expr *, expr->arg_count);
    for (uint32_t i = 0; i < expr->arg_count; i++)
        copy->args[i] = read_computed(o, below, expr->args[i]);
    return copy;
}

// ---- operators ----

// The places of an operator's expressions, and what they are over.
typedef struct Places {
    Expr ***items;
    size_t len, cap;
    Plan *input;
} Places;

static void
add_places(Arena *arena, Places *places, Expr **exprs, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        Expr **place = &exprs[i];
        if (*place)
            ARRAY_PUSH(arena, places, place);
    }
}

static void
rewrite_common(Optimiser *o, Places *places)
{
    const Plan *below = projection_below(places->input);
    Parts parts = {.arena = o->arena, .first_column = places->input->schema.count};
    for (size_t i = 0; i < places->len; i++) {
        if (below)
            *places->items[i] = read_computed(o, below, *places->items[i]);
        count_parts(&parts, *places->items[i]);
    }
    if (!some_are_common(&parts))
        return;
    for (size_t i = 0; i < places->len; i++)
        *places->items[i] = replace_parts(&parts, *places->items[i]);
    Plan *extended = extend_by_parts(o, &parts, places->input);
    // Parts have parts in common too.
    Places inner = {.input = extended->input};
    add_places(o->arena, &inner, extended->project.exprs, extended->schema.count);
    rewrite_common(o, &inner);
    extended->input = inner.input;
    places->input = extended;
}

static Expr **
copy_list(Optimiser *o, Expr *const *exprs, uint32_t count)
{
    return arena_copy(o->arena, exprs, count * sizeof(*exprs));
}

static void
common_of_project(Optimiser *o, Plan *out)
{
    Places places = {.input = out->input};
    out->project.exprs = copy_list(o, out->project.exprs, out->schema.count);
    add_places(o->arena, &places, out->project.exprs, out->schema.count);
    rewrite_common(o, &places);
    out->input = places.input;
}

static void
common_of_summarize(Optimiser *o, Plan *out)
{
    Places places = {.input = out->input};
    uint32_t calls = out->summarize.aggregate_count;
    out->summarize.keys = copy_list(o, out->summarize.keys, out->summarize.key_count);
    add_places(o->arena, &places, out->summarize.keys, out->summarize.key_count);
    out->summarize.aggregates =
        arena_copy(o->arena, out->summarize.aggregates, calls * sizeof(*out->summarize.aggregates));
    for (uint32_t a = 0; a < calls; a++) {
        AggregateCall *call = &out->summarize.aggregates[a];
        call->args = copy_list(o, call->args, call->arg_count);
        add_places(o->arena, &places, call->args, call->arg_count);
        add_places(o->arena, &places, &call->filter, 1);
    }
    rewrite_common(o, &places);
    out->input = places.input;
}

Plan *
plan_common(Optimiser *o, const Plan *plan)
{
    Plan *out = plan_copy(o, plan);
    if (out->input)
        out->input = plan_common(o, out->input);
    if (out->kind == PLAN_JOIN)
        out->join.right = plan_common(o, out->join.right);
    if (out->kind == PLAN_UNION) {
        out->union_.inputs = arena_copy(o->arena, out->union_.inputs,
                                        out->union_.count * sizeof(*out->union_.inputs));
        for (uint32_t i = 0; i < out->union_.count; i++)
            out->union_.inputs[i] = plan_common(o, out->union_.inputs[i]);
    }
    if (out->kind == PLAN_PROJECT)
        common_of_project(o, out);
    if (out->kind == PLAN_SUMMARIZE)
        common_of_summarize(o, out);
    return out;
}
