// Expressions: "[concat(parameters('a'), '-b')]" parsed to trees (expression_evaluate.c
// evaluates them).
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
