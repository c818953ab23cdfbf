// What a statement yields: one table, or the several of fork, facet and graph-to-table.
//
// Those stand at the end of a statement. What comes before is evaluated once and read by
// each branch, as materialize() would have it.

#include "kql/bind_state.h"

Plan *
bind_shared(Binder *b, Plan *input, Span span)
{
    Plan *plan = bind_plan(b, PLAN_SHARED, span);
    if (!plan)
        return NULL;
    plan->schema = input->schema;
    plan->absent = input->absent;
    plan->serialized = input->serialized;
    plan->graph = input->graph;
    plan->open = input->open;
    plan->shared.plan = input;
    plan->shared.id = ++b->shared_ids;
    return plan;
}

Plan *
bind_several(Binder *b, Plan *input, const AstOperator *step)
{
    (void)input;
    bind_fail(b, step->span, "%.*s yields several tables: it can stand only at the end of a query",
              STR_ARG(step->name));
    return NULL;
}

// consume: the rows are made and nothing is shown of them.
Plan *
bind_consume(Binder *b, Plan *input, const AstOperator *step)
{
    Plan *rows = bind_shared(b, input, step->span);
    Plan *none = rows ? bind_plan(b, PLAN_FILTER, step->span) : NULL;
    if (!none)
        return NULL;
    Value no = value_bool(false);
    none->input = rows;
    none->schema = rows->schema;
    none->filter.predicate = expr_const(b->arena, &no, step->span);
    return bind_projection(b, none, (Schema){0}, NULL, false, step->span);
}

static bool
bind_branch(Binder *b, Plan *shared, const AstExpr *body, Str name, ResultPlans *out)
{
    Plan *outer = b->implicit;
    Scope *scope = b->scope;
    b->implicit = shared;
    b->scope = scope_push(b, scope);
    bool done = bind_results(b, body, name, out);
    b->implicit = outer;
    b->scope = scope;
    return done;
}

static bool
bind_fork(Binder *b, Plan *shared, const AstOperator *step, ResultPlans *out)
{
    for (size_t i = 0; i < step->branches.len; i++) {
        const AstBranch *branch = &step->branches.items[i];
        if (!bind_branch(b, shared, branch->body, branch->name.text, out))
            return false;
    }
    return true;
}

// The values of one column and how many rows have each: key, count_key.
static Plan *
bind_facet_column(Binder *b, Plan *shared, const AstItem *item)
{
    AstExpr *count = ARENA_NEW(b->arena, AstExpr);
    *count = (AstExpr){.kind = AST_CALL, .span = item->span, .name = {STR("count"), item->span}};
    Str about = default_name(b, item->expr);
    AstName *name = ARENA_NEW(b->arena, AstName);
    *name = (AstName){str_format(b->arena, "count_%.*s", STR_ARG(about)), item->span};
    AstItem counted = {.names = name, .name_count = 1, .expr = count, .span = item->span};
    AstOperator step = {.name = STR("summarize"), .span = item->span, .has_by = true};
    ARRAY_PUSH(b->arena, &step.items, counted);
    ARRAY_PUSH(b->arena, &step.by, *item);
    return bind_operator(b, shared, &step);
}

static bool
bind_facet(Binder *b, Plan *shared, const AstOperator *step, ResultPlans *out)
{
    for (size_t i = 0; i < step->branches.len; i++)
        if (!bind_branch(b, shared, step->branches.items[i].body, STR(""), out))
            return false;
    for (size_t i = 0; i < step->by.len; i++) {
        const AstItem *item = &step->by.items[i];
        if (item->expr->kind != AST_NAME)
            return bind_fail(b, item->span, "facet takes the names of columns");
        struct ResultPlan result = {bind_facet_column(b, shared, item), item->expr->name.text};
        if (!result.plan)
            return false;
        ARRAY_PUSH(b->arena, out, result);
    }
    return true;
}

bool
bind_results(Binder *b, const AstExpr *ast, Str name, ResultPlans *out)
{
    const AstOperator *last = ast->kind == AST_PIPELINE && ast->operator_count
                                  ? ast->operators[ast->operator_count - 1]
                                  : NULL;
    bool fork = last && str_equal(last->name, STR("fork"));
    bool facet = last && str_equal(last->name, STR("facet"));
    if (last && last->outputs.len > 1)
        return bind_graph_tables(b, ast, out);
    if (!fork && !facet) {
        struct ResultPlan result = {bind_table(b, ast), name};
        if (last && !name.len && str_equal(last->name, STR("as")))
            result.name = last->as.text;
        if (!result.plan)
            return false;
        ARRAY_PUSH(b->arena, out, result);
        return true;
    }
    AstExpr before = *ast;
    before.operator_count--;
    Plan *rows = bind_table(b, &before);
    Plan *shared = rows ? bind_shared(b, rows, last->span) : NULL;
    if (!shared)
        return false;
    return fork ? bind_fork(b, shared, last, out) : bind_facet(b, shared, last, out);
}
