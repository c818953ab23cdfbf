// Names of columns as values: project-by-names, column_names_of(), assert-schema.

#include "kql/bind_state.h"
#include "value/dynamic.h"

// column_names_of(T): the names of its columns, known before it runs.
Expr *
bind_column_names_of(Binder *b, const AstExpr *ast, Row *row)
{
    (void)row;
    if (ast->args.len != 1) {
        bind_fail(b, ast->span, "column_names_of() takes one table");
        return NULL;
    }
    AggregateList *aggregates = b->aggregates;
    b->aggregates = NULL;
    Plan *plan = bind_table(b, ast->args.items[0]);
    b->aggregates = aggregates;
    if (!plan)
        return NULL;
    DynBuilder *builder = dyn_builder_new();
    dyn_begin_array(builder);
    for (uint32_t c = 0; c < plan->schema.count; c++)
        dyn_push_string(builder, plan->schema.columns[c].name);
    dyn_end_array(builder);
    Value names = {.type = TYPE_DYNAMIC};
    bool done = dyn_finish_text(builder, b->arena, &names.text, &names.is_null);
    dyn_builder_free(builder);
    if (!done) {
        bind_fail(b, ast->span, "the table has too many columns");
        return NULL;
    }
    return expr_const(b->arena, &names, ast->span);
}

// ---- project-by-names ----

typedef struct Picked {
    const Plan *input;
    bool ignore_case;
    bool *taken;
    Column *columns;
    Expr **exprs;
    uint32_t count;
} Picked;

// Takes the columns that a name or a pattern means; what means none is passed over.
static void
pick(Binder *b, Picked *picked, Str pattern, Span span)
{
    bool wild = str_find(pattern, STR("*")) >= 0;
    for (uint32_t c = 0; c < picked->input->schema.count; c++) {
        const Column *column = &picked->input->schema.columns[c];
        bool meant = wild ? name_matches(b, pattern, column->name, picked->ignore_case)
                     : picked->ignore_case ? str_equal_ci(pattern, column->name)
                                           : str_equal(pattern, column->name);
        if (!meant || picked->taken[c])
            continue;
        picked->taken[c] = true;
        picked->columns[picked->count] = *column;
        picked->exprs[picked->count++] = expr_column(b->arena, c, column->type, span);
    }
}

static bool
pick_item(Binder *b, Picked *picked, const AstExpr *ast)
{
    // A bare name that is no let is the column's own.
    if ((ast->kind == AST_NAME && !scope_find(b->scope, ast->name.text)) ||
        ast->kind == AST_WILDCARD || ast->kind == AST_STAR) {
        pick(b, picked, ast->kind == AST_STAR ? STR("*") : ast->name.text, ast->span);
        return true;
    }
    Expr *names = bind_expression(b, ast, NULL);
    if (!names)
        return false;
    if (names->kind != EXPR_CONST || !type_is_text(names->type))
        return bind_fail(b, ast->span,
                         "project-by-names takes names known before the query runs: a text, a "
                         "dynamic array of texts or column_names_of(T)");
    if (names->value.is_null)
        return true;
    if (names->type == TYPE_STRING) {
        pick(b, picked, text_str(&names->value.text), ast->span);
        return true;
    }
    Dyn list = dyn_of_text(&names->value.text);
    if (dyn_kind(list) == DYN_STRING) {
        pick(b, picked, dyn_string(list), ast->span);
        return true;
    }
    if (dyn_kind(list) != DYN_ARRAY)
        return bind_fail(b, ast->span, "the names of project-by-names must be an array of texts");
    for (uint32_t i = 0; i < dyn_count(list); i++) {
        Dyn name = dyn_at(list, i);
        if (dyn_kind(name) != DYN_STRING)
            return bind_fail(b, ast->span,
                             "an element of the names of project-by-names is no text");
        pick(b, picked, dyn_string(name), ast->span);
    }
    return true;
}

Plan *
bind_project_by_names(Binder *b, Plan *input, const AstOperator *step)
{
    uint32_t count = input->schema.count;
    Picked picked = {.input = input, .ignore_case = plan_ignores_case(input)};
    picked.taken = ARENA_ARRAY(b->arena, bool, count);
    picked.columns = ARENA_ARRAY(b->arena, Column, count);
    picked.exprs = ARENA_ARRAY(b->arena, Expr *, count);
    for (size_t i = 0; i < step->items.len; i++) {
        if (step->items.items[i].name_count) {
            bind_fail(b, step->items.items[i].span, "project-by-names gives columns no new names");
            return NULL;
        }
        if (!pick_item(b, &picked, step->items.items[i].expr))
            return NULL;
    }
    Schema schema = {picked.columns, picked.count};
    return bind_projection(b, input, schema, picked.exprs, false, step->span);
}

// ---- assert-schema ----

// assert-schema (a:long, b:string): the input has these columns and no others.
Plan *
bind_assert_schema(Binder *b, Plan *input, const AstOperator *step)
{
    for (size_t i = 0; i < step->columns.len; i++) {
        const AstColumn *column = &step->columns.items[i];
        if (i >= input->schema.count) {
            bind_fail(b, column->name.span, "assert-schema: the table has no column '%.*s'",
                      STR_ARG(column->name.text));
            return NULL;
        }
        const Column *found = &input->schema.columns[i];
        if (!str_equal(found->name, column->name.text) || found->type != column->type) {
            bind_fail(b, column->name.span, "assert-schema: column %zu is %.*s:%s, not %.*s:%s",
                      i + 1, STR_ARG(found->name), type_name(found->type),
                      STR_ARG(column->name.text), type_name(column->type));
            return NULL;
        }
    }
    if (input->schema.count > step->columns.len) {
        const Column *more = &input->schema.columns[step->columns.len];
        bind_fail(b, step->span, "assert-schema: the table has one more column, %.*s:%s",
                  STR_ARG(more->name), type_name(more->type));
        return NULL;
    }
    return input;
}
