// Statements that are neither let nor table: set, declare query_parameters, declare
// pattern, alias and restrict.
//
// `restrict` hides names from what is written after it, not from the bodies written
// before: a view may go on reading the table that it narrows. So a scope carries what is
// visible in it, each let remembers what was visible where it was declared, and a body
// is bound in the scope it was written in (Kusto docs: restrict statement).

#include "kql/bind_state.h"
#include "kql/lexer.h"
#include "value/scalar.h"

// ---- set ----

static bool
take_flag(Binder *b, const AstExpr *ast, bool *out)
{
    if (!ast) {
        *out = true; // `set notruncation;`
        return true;
    }
    Expr *value = bind_constant(b, ast, TYPE_BOOL, "the value of this request property");
    if (value)
        *out = value->kind == EXPR_CONST && !value->value.is_null && value->value.boolean;
    return value != NULL;
}

static bool
take_number(Binder *b, const AstStatement *statement, Type type, int64_t *out)
{
    if (!statement->value)
        return bind_fail(b, statement->span,
                         "the request property '%.*s' needs a value: set %.*s = ...",
                         STR_ARG(statement->name.text), STR_ARG(statement->name.text));
    Expr *value = bind_constant(b, statement->value, type, "the value of this request property");
    if (!value)
        return false;
    if (value->kind != EXPR_CONST || value->value.is_null || value->value.int64 < 0)
        return bind_fail(b, statement->value->span,
                         "the request property '%.*s' must be a constant of at least 0",
                         STR_ARG(statement->name.text));
    *out = value->value.int64;
    return true;
}

// Sets a property that calls of functions read, as a name that no query can write.
static bool
keep_property(Binder *b, const AstStatement *statement)
{
    if (!statement->value)
        return true;
    Expr *value = bind_expression(b, statement->value, NULL);
    if (!value)
        return false;
    if (value->kind != EXPR_CONST)
        return bind_fail(b, statement->value->span, "a request property must be a constant");
    Str name = str_format(b->arena, "$set %.*s", STR_ARG(statement->name.text));
    scope_add(b, b->scope, name, BINDING_SCALAR)->expr = value;
    return true;
}

// Properties that mean nothing to an engine in one process are accepted, known or not
// (Kusto docs: set statement).
bool
bind_set(Binder *b, const AstStatement *statement)
{
    Str name = statement->name.text;
    if (str_equal_ci(name, STR("notruncation")))
        return take_flag(b, statement->value, &b->properties.no_truncation);
    if (str_equal_ci(name, STR("truncationmaxrecords")))
        return take_number(b, statement, TYPE_LONG, &b->properties.max_records);
    if (str_equal_ci(name, STR("query_take_max_records")))
        return take_number(b, statement, TYPE_LONG, &b->properties.take_max_records);
    if (str_equal_ci(name, STR("servertimeout")) || str_equal_ci(name, STR("querytimeout")))
        return take_number(b, statement, TYPE_TIMESPAN, &b->properties.timeout);
    if (str_equal_ci(name, STR("query_bin_auto_size")) ||
        str_equal_ci(name, STR("query_bin_auto_at")))
        return keep_property(b, statement);
    return true;
}

// ---- declare query_parameters ----

// A value given with the request, as text: a literal of the declared type as KQL writes
// it (datetime(2020-01-01), 1h, "x"), else what the type's conversion reads.
static Expr *
given_parameter(Binder *b, const AstParameter *parameter, Str text)
{
    Span span = parameter->name.span;
    Value value = value_string(text);
    if (parameter->type == TYPE_STRING)
        return expr_const(b->arena, &value, span);
    if (parameter->type == TYPE_DYNAMIC) { // JSON, or dynamic(JSON)
        Str json = str_trim(text);
        if (str_starts(json, STR("dynamic(")) && str_ends(json, STR(")")))
            json = str_slice(json, 8, json.len - 1);
        value_parse(b->arena, TYPE_DYNAMIC, json, &value);
        return expr_const(b->arena, &value, span);
    }
    TokenList tokens = {0};
    AzError ignored = {0};
    bool null = str_equal_ci(str_trim(text), STR("null"));
    if (kql_tokens(b->arena, text, &tokens, NULL, &ignored) && tokens.len == 2 &&
        tokens.items[0].kind == TOKEN_LITERAL && !tokens.items[0].unreadable)
        value = tokens.items[0].value;
    null |= value.is_null;
    Expr *given = bind_convert(b, expr_const(b->arena, &value, span), parameter->type);
    if (!given)
        return NULL;
    if (given->kind != EXPR_CONST)
        b->catalog->fold(b->catalog->context, b->arena, given, &value, &ignored);
    else
        value = given->value;
    if (value.is_null && !null) {
        bind_fail(b, span, "the value given for the query parameter '%.*s' is no %s: '%.*s'",
                  STR_ARG(parameter->name.text), type_name(parameter->type), STR_ARG(text));
        return NULL;
    }
    return expr_const(b->arena, &value, span);
}

bool
bind_query_parameters(Binder *b, const AstStatement *statement)
{
    for (size_t i = 0; i < statement->parameter_count; i++) {
        const AstParameter *parameter = &statement->parameters[i];
        if (parameter->is_table)
            return bind_fail(b, parameter->name.span, "a query parameter must be a single value");
        if (parameter->type == TYPE_DYNAMIC && parameter->default_)
            return bind_fail(b, parameter->default_->span,
                             "a query parameter of type dynamic cannot have a default");
        Str text;
        Expr *value;
        if (b->catalog->find_parameter(b->catalog->context, parameter->name.text, &text))
            value = given_parameter(b, parameter, text);
        else if (parameter->default_)
            value = bind_constant(b, parameter->default_, parameter->type,
                                  "the default of a query parameter");
        else if (b->catalog->check) {
            Value null = value_null(parameter->type);
            value = expr_const(b->arena, &null, parameter->name.span);
        } else
            return bind_fail(b, parameter->name.span,
                             "the query parameter '%.*s' has no value: give it one with the "
                             "request (--param %.*s=...), or a default in the declaration",
                             STR_ARG(parameter->name.text), STR_ARG(parameter->name.text));
        if (!value)
            return false;
        scope_add(b, b->scope, parameter->name.text, BINDING_SCALAR)->expr = value;
    }
    return true;
}

// ---- declare pattern ----

bool
bind_pattern_statement(Binder *b, const AstStatement *statement)
{
    const AstPattern *pattern = statement->pattern;
    for (size_t i = 0; i < pattern->parameter_count; i++)
        if (pattern->parameters[i].type != TYPE_STRING)
            return bind_fail(b, pattern->parameters[i].name.span,
                             "the arguments and the path of a pattern are strings");
    size_t arguments = pattern->parameter_count - pattern->has_path;
    for (size_t i = 0; i < pattern->case_count; i++) {
        const AstPatternCase *one = &pattern->cases[i];
        if (one->args.len != arguments || (one->path != NULL) != pattern->has_path)
            return bind_fail(b, one->args.len ? one->args.items[0]->span : statement->span,
                             "this case of the pattern '%.*s' must have %zu argument%s and %s path",
                             STR_ARG(statement->name.text), arguments, arguments == 1 ? "" : "s",
                             pattern->has_path ? "a" : "no");
    }
    Binding *binding = scope_add(b, b->scope, statement->name.text, BINDING_PATTERN);
    binding->pattern = pattern;
    Scope *before = scope_push(b, b->scope->outer);
    before->bindings = binding->next;
    before->access = b->scope->access;
    binding->scope = before;
    return true;
}

static bool
constant_text(Binder *b, const AstExpr *ast, Str *out)
{
    Expr *value = bind_constant(b, ast, TYPE_STRING, "the argument of a pattern");
    if (!value)
        return false;
    if (value->kind != EXPR_CONST)
        return bind_fail(b, ast->span, "the argument of a pattern must be a constant");
    *out = text_str(&value->value.text);
    return true;
}

// The path of a call: p("x").name, p("x").["a name"]
static bool
path_text(Binder *b, const AstExpr *path, Str *out)
{
    if (path->kind == AST_MEMBER) {
        *out = path->name.text;
        return true;
    }
    return constant_text(b, path->index, out);
}

// Names the reference as middle tiers read it (Kusto docs: pattern statement).
static Plan *
missing_pattern(Binder *b, Str name, const Str *args, size_t count, bool has_path, Str path,
                Span span)
{
    Buffer reference = {0};
    buffer_str(&reference, name);
    buffer_char(&reference, '(');
    for (size_t i = 0; i < count; i++)
        buffer_printf(&reference, "%s'%.*s'", i ? "," : "", STR_ARG(args[i]));
    buffer_char(&reference, ')');
    if (has_path)
        buffer_printf(&reference, ".['%.*s']", STR_ARG(path));
    bind_fail(b, span,
              "SEM0036: a pattern is referred to that is not declared so. Detected pattern "
              "references: [\"%.*s\"]; declare it: declare pattern %.*s = ... { ... }",
              STR_ARG(buffer_slice(&reference)), STR_ARG(name));
    buffer_free(&reference);
    return NULL;
}

static bool
case_matches(Binder *b, const AstPatternCase *one, const Str *args, bool has_path, Str path,
             bool *matches)
{
    *matches = false;
    for (size_t i = 0; i < one->args.len; i++) {
        Str value;
        if (!constant_text(b, one->args.items[i], &value))
            return false;
        if (!str_equal(value, args[i]))
            return true;
    }
    Str value = path;
    if (has_path && !constant_text(b, one->path, &value))
        return false;
    *matches = str_equal(value, path);
    return true;
}

Plan *
bind_pattern_call(Binder *b, const Binding *binding, const AstExpr *call, const AstExpr *path,
                  Span span)
{
    const AstPattern *pattern = binding->pattern;
    Str *args = ARENA_ARRAY(b->arena, Str, call->args.len + 1);
    for (size_t i = 0; i < call->args.len; i++)
        if (!constant_text(b, call->args.items[i], &args[i]))
            return NULL;
    Str path_name = STR("");
    if (path && !path_text(b, path, &path_name))
        return NULL;
    size_t arguments = pattern->parameter_count - pattern->has_path;
    if (pattern->case_count &&
        (call->args.len != arguments || (path != NULL) != pattern->has_path)) {
        bind_fail(b, span, "the pattern '%.*s' takes %zu argument%s and %s path",
                  STR_ARG(binding->name), arguments, arguments == 1 ? "" : "s",
                  pattern->has_path ? "a" : "no");
        return NULL;
    }
    for (size_t i = 0; i < pattern->case_count; i++) {
        const AstPatternCase *one = &pattern->cases[i];
        bool matches;
        if (!case_matches(b, one, args, path != NULL, path_name, &matches))
            return NULL;
        if (!matches)
            continue;
        Scope *scope = scope_push(b, binding->scope);
        return bind_enter(b, span) ? bind_body(b, &one->body, scope, span) : NULL;
    }
    return missing_pattern(b, binding->name, args, call->args.len, path != NULL, path_name, span);
}

// ---- alias ----

bool
bind_alias(Binder *b, const AstStatement *statement)
{
    Str place;
    if (!place_of(b, statement->value, &place))
        return bind_fail(b, statement->value->span,
                         "an alias stands for a database: alias database %.*s = "
                         "cluster(\"...\").database(\"...\")",
                         STR_ARG(statement->name.text));
    Str name = str_format(b->arena, "$database %.*s", STR_ARG(statement->name.text));
    scope_add(b, b->scope, name, BINDING_DATABASE)->place = place;
    return true;
}

// ---- restrict ----

static bool
add_entity(Binder *b, Access *access, const AstExpr *ast)
{
    AccessEntry entry = {0};
    if (ast->kind == AST_STAR) {
        entry.name = STR("*");
    } else if (ast->kind == AST_NAME || ast->kind == AST_WILDCARD || ast->kind == AST_CALL) {
        entry.name = ast->name.text;
    } else if (ast->kind == AST_MEMBER && place_of(b, ast->base, &entry.place)) {
        entry.is_database = true;
        entry.name = ast->index ? ast->index->name.text : ast->name.text;
    } else {
        return bind_fail(b, ast->span,
                         "restrict takes names of views, tables, functions and patterns: "
                         "restrict access to (View, database().Table)");
    }
    ARRAY_PUSH(b->arena, access, entry);
    return true;
}

bool
bind_restrict(Binder *b, const AstStatement *statement)
{
    Access *access = ARENA_NEW(b->arena, Access);
    access->outer = b->scope->access;
    for (size_t i = 0; i < statement->entities.len; i++)
        if (!add_entity(b, access, statement->entities.items[i].expr))
            return false;
    b->scope->access = access;
    return true;
}

static bool
has_star(Str name)
{
    return str_find(name, STR("*")) >= 0;
}

static bool
entry_allows_let(Binder *b, const Access *access, Str name)
{
    for (size_t i = 0; i < access->len; i++)
        if (!access->items[i].is_database && name_matches(b, access->items[i].name, name, false))
            return true;
    return false;
}

bool
binding_is_visible(Binder *b, const Binding *binding)
{
    if (binding->kind == BINDING_SCALAR || binding->kind == BINDING_DATABASE)
        return true;
    for (const Access *access = b->scope->access; access && access != binding->access;
         access = access->outer)
        if (!entry_allows_let(b, access, binding->name))
            return false;
    return true;
}

// `(*)` and `(View*)` mean lets alone; a table needs its name, or database().*.
static bool
entry_allows_table(Binder *b, const Access *access, Str place, Str name)
{
    for (size_t i = 0; i < access->len; i++) {
        const AccessEntry *entry = &access->items[i];
        if (!entry->is_database && !place.len && !has_star(entry->name) &&
            str_equal(entry->name, name))
            return true;
        if (entry->is_database && str_equal_ci(entry->place, place) &&
            name_matches(b, entry->name, name, false))
            return true;
    }
    return false;
}

bool
name_is_visible(Binder *b, Str place, Str name)
{
    for (const Access *access = b->scope->access; access; access = access->outer)
        if (!entry_allows_table(b, access, place, name))
            return false;
    return true;
}

bool
table_is_visible(Binder *b, Str place, Str name)
{
    Binding *binding = place.len ? NULL : scope_find(b->scope, name);
    return binding ? binding_is_visible(b, binding) : name_is_visible(b, place, name);
}
