// Expressions: "[concat(parameters('a'), '-b')]" parsed to trees and evaluated.
//
//     expression = value { '.' name | '[' expression ']' }
//     value      = name '(' [ expression { ',' expression } ] ')' | 'text' | number
//
// Source: Microsoft Learn, "Syntax and expressions in ARM templates".

#include "azure/policy/program.h"

#include "value/scalar.h"

#include <ctype.h>
#include <string.h>

enum {
    SOURCE_LIMIT = 81920, // characters of an expression
    FUNCTION_LIMIT = 2048,
    NESTING_LIMIT = 64,
    JSON_DEPTH_LIMIT = 128,
};

typedef struct Parser {
    Compiler *compiler;
    Str text; // between the brackets
    size_t at;
    uint32_t depth;
} Parser;

static PolicyExpr *parse_expression(Parser *parser);

static PolicyExpr *
fail(Parser *parser, const char *what)
{
    Compiler *compiler = parser->compiler;
    if (!compiler->error || !compiler->error->code)
        error_set(compiler->error, AZ_SYNTAX, "expression '[%.*s]', character %zu: %s",
                  (int)(parser->text.len < 300 ? parser->text.len : 300), parser->text.ptr,
                  parser->at + 2, what);
    return NULL;
}

static PolicyExpr *
fail_semantic(Parser *parser, Str name, const char *what)
{
    Compiler *compiler = parser->compiler;
    if (!compiler->error || !compiler->error->code)
        error_set(compiler->error, AZ_SEMANTIC, "expression '[%.*s]': %.*s() %s",
                  (int)(parser->text.len < 300 ? parser->text.len : 300), parser->text.ptr,
                  STR_ARG(name), what);
    return NULL;
}

static PolicyExpr *
expr_new(Compiler *compiler, ExprKind kind)
{
    PolicyExpr *expr = ARENA_NEW(compiler->arena, PolicyExpr);
    expr->kind = kind;
    return expr;
}

PolicyExpr *
expr_literal(Arena *arena, PolicyValue value)
{
    PolicyExpr *expr = ARENA_NEW(arena, PolicyExpr);
    expr->kind = EXPR_LITERAL;
    expr->literal = value;
    return expr;
}

static void
skip_space(Parser *parser)
{
    while (parser->at < parser->text.len && isspace((unsigned char)parser->text.ptr[parser->at]))
        parser->at++;
}

static char
peek(Parser *parser)
{
    skip_space(parser);
    return parser->at < parser->text.len ? parser->text.ptr[parser->at] : '\0';
}

static bool
take(Parser *parser, char c)
{
    if (peek(parser) != c)
        return false;
    parser->at++;
    return true;
}

static Str
take_name(Parser *parser)
{
    skip_space(parser);
    size_t from = parser->at;
    while (parser->at < parser->text.len && (isalnum((unsigned char)parser->text.ptr[parser->at]) ||
                                             strchr("_$", parser->text.ptr[parser->at])))
        parser->at++;
    return str_slice(parser->text, from, parser->at);
}

static PolicyExpr *
parse_text(Parser *parser)
{
    size_t from = ++parser->at, len = 0;
    Arena *arena = parser->compiler->arena;
    char *text = arena_alloc(arena, parser->text.len - from + 1);
    while (parser->at < parser->text.len) {
        char c = parser->text.ptr[parser->at++];
        if (c == '\'') {
            if (parser->at >= parser->text.len || parser->text.ptr[parser->at] != '\'')
                return expr_literal(arena, policy_text((Str){text, len}));
            parser->at++;
        }
        text[len++] = c;
    }
    return fail(parser, "the text in quotes does not end");
}

static PolicyExpr *
parse_number(Parser *parser)
{
    size_t from = parser->at++;
    while (parser->at < parser->text.len && (isalnum((unsigned char)parser->text.ptr[parser->at]) ||
                                             parser->text.ptr[parser->at] == '.' ||
                                             (strchr("+-", parser->text.ptr[parser->at]) &&
                                              strchr("eE", parser->text.ptr[parser->at - 1]))))
        parser->at++;
    Str digits = str_slice(parser->text, from, parser->at);
    int64_t integer;
    double real;
    if (long_parse(digits, &integer))
        return expr_literal(parser->compiler->arena, policy_long(integer));
    if (real_parse(digits, &real))
        return expr_literal(parser->compiler->arena, policy_real(real));
    return fail(parser, "this is no number");
}

PolicyField *
compile_field(Compiler *compiler, Str name)
{
    FieldScopes scopes = {compiler->scopes, compiler->scope_count};
    PolicyField *field = field_parse(compiler->arena, compiler->options, name, &scopes);
    if (field->kind == FIELD_UNKNOWN)
        compiler->bad_alias = true;
    if (field->kind == FIELD_LOCATION)
        compiler->uses_location = true;
    return field;
}

static PolicyExpr *
make_parameter(Parser *parser, PolicyExpr *call)
{
    if (call->args[0]->kind != EXPR_LITERAL) {
        call->kind = EXPR_PARAMETER;
        return call;
    }
    if (call->args[0]->literal.kind != POLICY_STRING)
        return fail(parser, "parameters() takes a name in quotes");
    Compiler *compiler = parser->compiler;
    Str name = call->args[0]->literal.text;
    MapEntry *entry = map_find(&compiler->parameters, name);
    if (!entry) {
        if (!compiler->options->open_parameters) {
            if (!compiler->error || !compiler->error->code)
                error_set(compiler->error, AZ_SEMANTIC,
                          "the parameter '%.*s' is not declared; declare it under 'parameters'",
                          STR_ARG(name));
            return NULL;
        }
        bool is_new;
        entry = map_add(&compiler->parameters, name, &is_new);
        entry->number = compiler->parameters.len;
    }
    call->kind = EXPR_PARAMETER;
    call->slot = (uint16_t)(entry->number - 1);
    call->count = 0;
    return call;
}

static PolicyExpr *
make_current(Parser *parser, PolicyExpr *call)
{
    call->kind = EXPR_CURRENT;
    if (!call->count)
        return call;
    if (call->args[0]->kind != EXPR_LITERAL || call->args[0]->literal.kind != POLICY_STRING)
        return fail(parser, "current() takes a name in quotes");
    Compiler *compiler = parser->compiler;
    call->name = call->args[0]->literal.text;
    for (uint32_t i = compiler->scope_count; i > 0; i--)
        if (!compiler->scopes[i - 1] && str_equal_ci(compiler->scope_names[i - 1], call->name))
            return call;
    FieldScopes scopes = {compiler->scopes, compiler->scope_count};
    call->field = field_parse(compiler->arena, compiler->options, call->name, &scopes);
    return call;
}

static PolicyExpr *
make_call(Parser *parser, Str name, PolicyExpr *call)
{
    Compiler *compiler = parser->compiler;
    uint32_t count = call->count;
    bool template = compiler->options->template_expressions;
    if (template && (str_equal_ci(name, STR("field")) || str_equal_ci(name, STR("current"))))
        return fail_semantic(parser, name, "is a function of policy rules, not of templates");
    if (!template && str_equal_ci(name, STR("parameters")))
        return count == 1 ? make_parameter(parser, call)
                          : fail(parser, "parameters() takes one name");
    if (str_equal_ci(name, STR("current")))
        return count <= 1 ? make_current(parser, call) : fail(parser, "current() takes one name");
    if (str_equal_ci(name, STR("field"))) {
        if (count != 1)
            return fail(parser, "field() takes one name");
        call->kind = EXPR_FIELD;
        if (call->args[0]->kind == EXPR_LITERAL && call->args[0]->literal.kind == POLICY_STRING)
            call->field = compile_field(compiler, call->args[0]->literal.text);
        return call;
    }
    call->function = function_find(name);
    if (!call->function && template && name.len > 4 &&
        str_equal_ci(str_slice(name, 0, 4), STR("list"))) // listKeys, listSecrets, ...
        call->function = function_find(STR("list"));
    if (!call->function ||
        (call->function->template_only && !compiler->options->template_functions)) {
        const char *why = template ? "is no function of templates" : function_refused(name);
        return fail_semantic(parser, name, why ? why : "is no function of the policy language");
    }
    if ((int)count < call->function->least ||
        (call->function->most >= 0 && (int)count > call->function->most))
        return fail_semantic(parser, name, "has another number of arguments");
    return call;
}

static PolicyExpr *
parse_call(Parser *parser, Str name, bool of_user)
{
    PolicyExpr *args[256];
    uint32_t count = 0;
    Compiler *compiler = parser->compiler;
    if (++compiler->functions > FUNCTION_LIMIT)
        return fail(parser, "a definition holds at most 2048 function calls");
    if (peek(parser) != ')') {
        do {
            if (count == sizeof args / sizeof args[0])
                return fail(parser, "there are more than 256 arguments");
            args[count] = parse_expression(parser);
            if (!args[count++])
                return NULL;
        } while (take(parser, ','));
    }
    if (!take(parser, ')'))
        return fail(parser, "')' or ',' is missing");
    PolicyExpr *call = expr_new(compiler, EXPR_CALL);
    call->count = count;
    call->args = arena_alloc_array(compiler->arena, count, sizeof(*args));
    if (count)
        memcpy(call->args, args, count * sizeof(*args));
    if (!of_user)
        return make_call(parser, name, call);
    call->function = &FUNCTION_USER;
    call->name = name;
    return call;
}

static PolicyExpr *
parse_value(Parser *parser)
{
    char c = peek(parser);
    if (c == '\'')
        return parse_text(parser);
    if (isdigit((unsigned char)c) || c == '-' || c == '+')
        return parse_number(parser);
    Str name = take_name(parser);
    if (!name.len)
        return fail(parser, "a function, a text in quotes or a number is expected");
    if (take(parser, '('))
        return parse_call(parser, name, false);
    if (parser->compiler->options->template_expressions && take(parser, '.')) {
        Str member = take_name(parser); // a function of the template: namespace.name(...)
        name.len = (size_t)(member.ptr + member.len - name.ptr);
        if (member.len && take(parser, '('))
            return parse_call(parser, name, true);
    }
    if (str_equal_ci(name, STR("true")) || str_equal_ci(name, STR("false")))
        return expr_literal(parser->compiler->arena, policy_bool(name.len == 4));
    if (str_equal_ci(name, STR("null")))
        return expr_literal(parser->compiler->arena, policy_null());
    return fail(parser, "'(' is missing behind the name of a function");
}

static PolicyExpr *
make_member(Parser *parser, PolicyExpr *base, PolicyExpr *index)
{
    PolicyExpr *member = expr_new(parser->compiler, EXPR_MEMBER);
    member->count = 2;
    member->args = ARENA_ARRAY(parser->compiler->arena, PolicyExpr *, 2);
    member->args[0] = base;
    member->args[1] = index;
    // Who makes the request is known on a request only, not in a scan.
    if (base->kind == EXPR_CALL &&
        str_equal(str_from(base->function->name), STR("requestContext")) &&
        index->kind == EXPR_LITERAL && index->literal.kind == POLICY_STRING &&
        str_equal_ci(index->literal.text, STR("identity")))
        parser->compiler->asks_identity = true;
    return member;
}

static PolicyExpr *
parse_expression(Parser *parser)
{
    if (++parser->depth > NESTING_LIMIT)
        return fail(parser, "expressions nest at most 64 deep");
    PolicyExpr *expr = parse_value(parser);
    for (uint32_t accessors = 0; expr; accessors++) {
        if (accessors > NESTING_LIMIT)
            return fail(parser, "there are more than 64 accessors in a row");
        if (take(parser, '.')) {
            Str name = take_name(parser);
            while (parser->at < parser->text.len && parser->text.ptr[parser->at] == '-') {
                parser->at++;
                Str more = take_name(parser);
                name.len = (size_t)(more.ptr + more.len - name.ptr);
            }
            if (!name.len)
                return fail(parser, "the name of a property is missing behind '.'");
            expr =
                make_member(parser, expr, expr_literal(parser->compiler->arena, policy_text(name)));
        } else if (take(parser, '[')) {
            PolicyExpr *index = parse_expression(parser);
            if (!index)
                return NULL;
            if (!take(parser, ']'))
                return fail(parser, "']' is missing");
            expr = make_member(parser, expr, index);
        } else {
            break;
        }
    }
    parser->depth--;
    return expr;
}

// "[...]"
static PolicyExpr *
expr_parse(Compiler *compiler, Str source)
{
    Parser parser = {.compiler = compiler, .text = str_slice(source, 1, source.len - 1)};
    if (source.len > SOURCE_LIMIT)
        return fail(&parser, "an expression has at most 81,920 characters");
    PolicyExpr *expr = parse_expression(&parser);
    if (expr && peek(&parser))
        return fail(&parser, "the expression should end here");
    if (expr)
        expr->source = source;
    return expr;
}

bool
expr_is_expression(const PolicyValue *json)
{
    return json->kind == POLICY_STRING && json->text.len >= 2 && json->text.ptr[0] == '[' &&
           json->text.ptr[json->text.len - 1] == ']' && json->text.ptr[1] != '[';
}

// Whether something inside has to be evaluated, or loses its escape.
static bool
has_expression(const PolicyValue *json, uint32_t depth)
{
    if (json->kind == POLICY_STRING)
        return json->text.len >= 2 && json->text.ptr[0] == '[' &&
               (expr_is_expression(json) || json->text.ptr[1] == '[');
    uint32_t count = policy_count(json);
    if (depth > JSON_DEPTH_LIMIT)
        return true; // too deep: the compiler says so
    for (uint32_t i = 0; i < count; i++) {
        PolicyValue item = policy_at(json, i);
        if (has_expression(&item, depth + 1))
            return true;
    }
    return false;
}

PolicyExpr *
expr_compile(Compiler *compiler, const PolicyValue *json)
{
    if (expr_is_expression(json))
        return expr_parse(compiler, json->text);
    if (!has_expression(json, 0))
        return expr_literal(compiler->arena, *json);
    if (json->kind == POLICY_STRING) // "[[..." is the text "[..."
        return expr_literal(compiler->arena, policy_text(str_slice(json->text, 1, json->text.len)));
    if (++compiler->depth > JSON_DEPTH_LIMIT) {
        error_set(compiler->error, AZ_SYNTAX, "a value nests more than 128 deep");
        return NULL;
    }
    bool object = json->kind == POLICY_OBJECT;
    PolicyExpr *expr = expr_new(compiler, object ? EXPR_OBJECT : EXPR_ARRAY);
    expr->count = policy_count(json);
    expr->args = ARENA_ARRAY(compiler->arena, PolicyExpr *, expr->count);
    expr->keys = object ? ARENA_ARRAY(compiler->arena, Str, expr->count) : NULL;
    for (uint32_t i = 0; i < expr->count; i++) {
        PolicyValue item = policy_at(json, i);
        if (object)
            expr->keys[i] = policy_key_at(json, i);
        expr->args[i] = expr_compile(compiler, &item);
        if (!expr->args[i])
            return NULL;
    }
    compiler->depth--;
    return expr;
}

// Evaluation ----------------------------------------------------------------

static bool
find_member(Eval *eval, const PolicyValue *base, const PolicyValue *index, PolicyValue *out)
{
    *out = base->kind == POLICY_UNKNOWN ? *base : *index;
    if (out->kind == POLICY_UNKNOWN)
        return true;
    *out = policy_null();
    if (base->kind == POLICY_ARRAY && index->kind == POLICY_LONG) {
        if (index->integer < 0 || index->integer >= (int64_t)policy_count(base))
            return eval_fail(eval, "index %lld lies outside an array of %u members",
                             (long long)index->integer, policy_count(base));
        *out = policy_at(base, (uint32_t)index->integer);
        return true;
    }
    if (index->kind != POLICY_STRING)
        return eval_fail(eval, "a member is named by a text, or counted in an array");
    if (base->kind == POLICY_OBJECT && policy_get(base, index->text, out))
        return true;
    // What is not there is null: tags of a resource group, properties of a member.
    if (base->kind == POLICY_OBJECT || base->kind == POLICY_NULL ||
        (base->kind == POLICY_STRING && !base->text.len))
        return true;
    return eval_fail(eval, "'%.*s' is asked of what is no object", STR_ARG(index->text));
}

static bool
evaluate_parameter(Eval *eval, const PolicyExpr *expr, PolicyValue *out)
{
    const PolicyBinding *binding = eval->binding;
    uint32_t slot = expr->slot;
    if (expr->count) {
        PolicyValue name;
        if (!expr_evaluate(eval, expr->args[0], &name))
            return false;
        MapEntry *entry = name.kind == POLICY_STRING
                              ? map_find(&binding->definition->parameters, name.text)
                              : NULL;
        if (!entry)
            return eval_fail(eval, "parameters() is asked for a name that is not declared");
        slot = (uint32_t)entry->number - 1;
    }
    if (!binding->bound[slot])
        return eval_fail(eval, "the parameter '%.*s' has no value",
                         STR_ARG(binding->definition->parameter_names[slot]));
    *out = binding->values[slot];
    return true;
}

static FieldScopes
scopes_now(Eval *eval, const PolicyField **room)
{
    uint32_t count = 0;
    for (const CountScope *scope = eval->scope; scope && count < COUNT_LIMIT; scope = scope->up)
        count++;
    uint32_t at = count;
    for (const CountScope *scope = eval->scope; at; scope = scope->up)
        room[--at] = scope->field;
    return (FieldScopes){room, count};
}

// A field whose name is computed.
PolicyField *
eval_field(Eval *eval, const PolicyExpr *name_expr)
{
    PolicyValue name;
    if (!expr_evaluate(eval, name_expr, &name))
        return NULL;
    if (name.kind == POLICY_UNKNOWN) {
        eval_unknown(eval, &name);
        eval->failed_unknown = true;
    }
    if (name.kind != POLICY_STRING) {
        eval_fail(eval, "the name of a field is no text");
        return NULL;
    }
    const PolicyField *room[COUNT_LIMIT];
    FieldScopes scopes = scopes_now(eval, room);
    return field_parse(eval->arena, eval->binding->definition->options, name.text, &scopes);
}

static bool
evaluate_current(Eval *eval, const PolicyExpr *expr, PolicyValue *out)
{
    for (const CountScope *scope = eval->scope; scope; scope = scope->up) {
        if (!expr->name.len || (!scope->field && str_equal_ci(scope->name, expr->name)) ||
            (scope->field && str_equal_ci(scope->field->name, expr->name))) {
            *out = scope->current;
            return true;
        }
    }
    if (!expr->field || expr->field->kind == FIELD_UNKNOWN ||
        (!expr->field->scope_up && eval->resource == eval->subject))
        return eval_fail(eval, "current('%.*s') is outside of a count of that name",
                         STR_ARG(expr->name));
    PolicyValue all = field_value(eval, eval->resource, expr->field);
    bool single = all.kind == POLICY_ARRAY && all.computed &&
                  expr->field->stars == expr->field->scope_stars && all.count == 1;
    *out = single ? all.items[0] : all;
    return true;
}

static bool
evaluate_items(Eval *eval, const PolicyExpr *expr, PolicyValue *out)
{
    PolicyValue *items = arena_alloc_array(eval->arena, expr->count, sizeof(*items));
    for (uint32_t i = 0; i < expr->count; i++)
        if (!expr_evaluate(eval, expr->args[i], &items[i]))
            return false;
    *out = expr->kind == EXPR_OBJECT ? policy_object(expr->keys, items, expr->count)
                                     : policy_array(items, expr->count);
    return true;
}

// Functions that look at the members of an array or object only as wholes; all others give
// something unknown when anything in their arguments is.
static bool
keeps_members(const char *name)
{
    static const char *const NAMES[] = {
        "createArray", "createObject", "array",   "concat",       "union",
        "length",      "empty",        "first",   "last",         "skip",
        "take",        "items",        "flatten", "shallowMerge", "tryGet",
    };
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++)
        if (strcmp(name, NAMES[i]) == 0)
            return true;
    return false;
}

static bool
open_argument(const PolicyExpr *call, const PolicyValue *args, PolicyValue *out)
{
    const char *name = call->function->name;
    bool whole = keeps_members(name), object = strcmp(name, "createObject") == 0;
    for (uint32_t i = 0; i < call->count; i++) {
        if ((object && i % 2) || strcmp(name, "createArray") == 0)
            continue; // a member, unknown for itself
        if (args[i].kind == POLICY_UNKNOWN)
            *out = args[i];
        if (args[i].kind == POLICY_UNKNOWN || (!whole && policy_has_unknown(&args[i], out)))
            return true;
    }
    return false;
}

static bool
evaluate_call(Eval *eval, const PolicyExpr *expr, PolicyValue *out)
{
    if (expr->function->lazy)
        return expr->function->lazy(eval, expr, out);
    PolicyValue few[8], *args = few;
    if (expr->count > 8)
        args = arena_alloc_array(eval->arena, expr->count, sizeof(*args));
    for (uint32_t i = 0; i < expr->count; i++)
        if (!expr_evaluate(eval, expr->args[i], &args[i]))
            return false;
    if (eval->context->unknowns && open_argument(expr, args, out))
        return true;
    return expr->function->run(eval, args, expr->count, out) ||
           eval_fail(eval, "%s() cannot take these arguments", expr->function->name);
}

bool
expr_evaluate(Eval *eval, const PolicyExpr *expr, PolicyValue *out)
{
    PolicyValue base, index;
    const PolicyField *field;
    switch (expr->kind) {
    case EXPR_LITERAL: *out = expr->literal; return true;
    case EXPR_PARAMETER: return evaluate_parameter(eval, expr, out);
    case EXPR_FIELD:
        field = expr->field ? expr->field : eval_field(eval, expr->args[0]);
        if (field)
            *out = field_value(eval, eval->subject, field);
        return field != NULL;
    case EXPR_CURRENT: return evaluate_current(eval, expr, out);
    case EXPR_CALL: return evaluate_call(eval, expr, out);
    case EXPR_MEMBER:
        return expr_evaluate(eval, expr->args[0], &base) &&
               expr_evaluate(eval, expr->args[1], &index) && find_member(eval, &base, &index, out);
    case EXPR_ARRAY:
    case EXPR_OBJECT: return evaluate_items(eval, expr, out);
    }
    return false;
}
