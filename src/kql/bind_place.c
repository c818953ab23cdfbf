// Names of other places: database("d").T, cluster("c").database("d").T,
// workspace("w").T, app("a").requests, adx("address").T, arg("").Resources.
//
// A chain of such calls becomes one text ("cluster:c/database:d"), which the catalog
// leads to a store, by the maps the request came with. The empty place is the database
// at hand.

#include "kql/bind_state.h"

static const Str PLACES[] = {
    STR_INIT("database"), STR_INIT("cluster"), STR_INIT("workspace"), STR_INIT("app"),
    STR_INIT("adx"),      STR_INIT("arg"),     STR_INIT("resource"),
};

bool
is_place_call(Str name)
{
    for (size_t i = 0; i < COUNT_OF(PLACES); i++)
        if (str_equal(name, PLACES[i]))
            return true;
    return false;
}

// One call of a chain. Resource Graph is one for all subscriptions, so that what stands
// in arg() does not matter.
static bool
place_of_call(Binder *b, const AstExpr *call, Str *place)
{
    Str kind = call->name.text;
    *place = STR("");
    if (str_equal(kind, STR("arg"))) {
        *place = kind;
        return true;
    }
    if (!call->args.len)
        return str_equal(kind, STR("database")) || str_equal(kind, STR("cluster")) ||
               bind_fail(b, call->span, "%.*s() needs a name", STR_ARG(kind));
    Expr *name = bind_constant(b, call->args.items[0], TYPE_STRING,
                               "the name of a database, "
                               "cluster or workspace");
    if (!name || name->kind != EXPR_CONST)
        return name &&
               bind_fail(b, call->span, "the name in %.*s() must be a constant", STR_ARG(kind));
    Str text = text_str(&name->value.text);
    if (str_equal(kind, STR("database"))) {
        Binding *alias =
            scope_find(b->scope, str_format(b->arena, "$database %.*s", STR_ARG(text)));
        if (alias) {
            *place = alias->place;
            return true;
        }
        bool any =
            str_find(text, STR("*")) >= 0; // a pattern of databases: this is the one there is
        if (!text.len || any || str_equal_ci(text, b->catalog->database))
            return true;
    }
    *place = str_format(b->arena, "%.*s:%.*s", STR_ARG(kind), STR_ARG(text));
    return true;
}

bool
place_of(Binder *b, const AstExpr *ast, Str *place)
{
    ast = entity_base(b, ast); // macro-expand's name stands for one
    if (ast->kind == AST_CALL)
        return is_place_call(ast->name.text) && place_of_call(b, ast, place);
    if (ast->kind != AST_MEMBER || !ast->index || !is_place_call(ast->index->name.text))
        return false;
    Str outer, inner;
    if (!place_of(b, ast->base, &outer) || !place_of_call(b, ast->index, &inner))
        return false;
    *place = !outer.len   ? inner
             : !inner.len ? outer
                          : str_format(b->arena, "%.*s/%.*s", STR_ARG(outer), STR_ARG(inner));
    return true;
}

// A function of a place: its own definition is not here, ours of that name is taken.
static Plan *
qualified_call(Binder *b, const AstExpr *ast, Str place)
{
    const AstExpr *call = ast->index;
    Plan *plan;
    if (str_equal(call->name.text, STR("table")) && call->args.len) {
        Expr *name = bind_constant(b, call->args.items[0], TYPE_STRING, "the name of the table");
        return name && name->kind == EXPR_CONST
                   ? bind_place_table(b, place, text_str(&name->value.text), ast->span)
                   : NULL;
    }
    if (bind_special_table(b, call, &plan))
        return plan;
    AzError error = {0};
    const AstFunctionFile *file =
        b->catalog->find_user_function(b->catalog->context, call->name.text, &error);
    if (error.code != AZ_OK && b->error->code == AZ_OK)
        *b->error = error;
    else if (!file || !name_is_visible(b, place, call->name.text))
        bind_fail(b, call->name.span,
                  "there is no function '%.*s' here; save it: azimuth functions save",
                  STR_ARG(call->name.text));
    return b->error->code == AZ_OK
               ? call_function(b, file->function, NULL, file, call, NULL, call->span)
               : NULL;
}

Plan *
bind_qualified(Binder *b, const AstExpr *ast)
{
    const AstExpr *base = ast->base;
    if (base->kind == AST_CALL && (ast->kind == AST_INDEX || !ast->index)) {
        Binding *pattern = scope_find(b->scope, base->name.text);
        if (pattern && pattern->kind == BINDING_PATTERN && binding_is_visible(b, pattern))
            return bind_pattern_call(b, pattern, base, ast, ast->span);
    }
    Str place;
    if (ast->kind == AST_INDEX || !place_of(b, base, &place)) {
        bind_fail(b, ast->span, "a table is needed here, not a member of a value");
        return NULL;
    }
    return ast->index ? qualified_call(b, ast, place)
                      : bind_place_table(b, place, ast->name.text, ast->span);
}
