// Calls whose answer is known while binding: assert(), bin_auto(), iscolumnexists().

#include "kql/bind_state.h"

// Request properties that functions read are kept as values in the scope, under names
// that no query can write (bind_statement.c).
static Str
property_name(Binder *b, Str name)
{
    return str_format(b->arena, "$set %.*s", STR_ARG(name));
}

static Expr *
property(Binder *b, const char *name, Span span)
{
    Binding *binding = scope_find(b->scope, property_name(b, str_from(name)));
    if (!binding)
        return NULL;
    Expr *copy = ARENA_NEW(b->arena, Expr);
    *copy = *binding->expr;
    copy->span = span;
    return copy;
}

Expr *
bind_bin_auto(Binder *b, const AstExpr *ast, Row *row)
{
    if (ast->args.len != 1) {
        bind_fail(b, ast->span, "bin_auto() takes one value");
        return NULL;
    }
    Expr *value = bind_expression(b, ast->args.items[0], row);
    if (!value)
        return NULL;
    Expr *size = property(b, "query_bin_auto_size", ast->span);
    Expr *at = property(b, "query_bin_auto_at", ast->span);
    if (!size) {
        bind_fail(b, ast->span,
                  "bin_auto() needs the size of a bin: write set query_bin_auto_size=1h; in front "
                  "of the query");
        return NULL;
    }
    Expr **args = ARENA_ARRAY(b->arena, Expr *, 3);
    args[0] = value;
    args[1] = size;
    args[2] = at;
    return bind_function(b, at ? STR("bin_at") : STR("bin"), args, at ? 3 : 2, ast->span);
}

// The condition is a constant; a false one is an error of the query, with the given text.
Expr *
bind_assert(Binder *b, const AstExpr *ast, Row *row)
{
    (void)row;
    if (ast->args.len != 2) {
        bind_fail(b, ast->span, "assert() takes a condition and a message");
        return NULL;
    }
    Expr *condition = bind_constant(b, ast->args.items[0], TYPE_BOOL, "the condition of assert()");
    Expr *message =
        condition ? bind_constant(b, ast->args.items[1], TYPE_STRING, "the message of assert()")
                  : NULL;
    if (!message)
        return NULL;
    if (condition->kind != EXPR_CONST || message->kind != EXPR_CONST) {
        bind_fail(b, ast->span,
                  "assert() cannot wait for the answer of a table: its condition "
                  "and message must be constants");
        return NULL;
    }
    bool known = !b->hypothetical || !condition->value.is_null;
    if (known && (condition->value.is_null || !condition->value.boolean)) {
        bind_fail(b, ast->span, "assert() has failed with message: '%.*s'",
                  STR_ARG(text_str(&message->value.text)));
        return NULL;
    }
    return condition;
}

Expr *
bind_is_column(Binder *b, const AstExpr *ast, Row *row)
{
    if (ast->args.len != 1) {
        bind_fail(b, ast->span, "iscolumnexists() takes the name of a column");
        return NULL;
    }
    Expr *name = bind_constant(b, ast->args.items[0], TYPE_STRING, "the name of the column");
    if (!name)
        return NULL;
    if (name->kind != EXPR_CONST) {
        bind_fail(b, ast->span, "the name of the column must be a constant");
        return NULL;
    }
    Str text = text_str(&name->value.text);
    bool found = row && row->schema &&
                 (row->ignore_case ? schema_find_ci(row->schema, text)
                                   : schema_find(row->schema, text)) >= 0;
    Value value = value_bool(found);
    return expr_const(b->arena, &value, ast->span);
}
