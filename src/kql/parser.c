// Statements and pipelines.

#include "kql/parser.h"

#include "base/array.h"
#include "kql/parser_state.h"
#include "kql/words.h"

#include <stdio.h>

// ---- cursor ----

static bool
token_is(const Token *token, TokenKind kind, const char *text)
{
    return token->kind == kind && str_equal(token->text, str_from(text));
}

bool
parser_is_symbol(const Parser *p, const char *symbol)
{
    return token_is(p->token, TOKEN_SYMBOL, symbol);
}

bool
parser_is_word(const Parser *p, const char *word)
{
    return token_is(p->token, TOKEN_NAME, word);
}

bool
parser_next_is_symbol(const Parser *p, const char *symbol)
{
    return p->token->kind != TOKEN_END && token_is(p->token + 1, TOKEN_SYMBOL, symbol);
}

bool
parser_next_is_word(const Parser *p, const char *word)
{
    return p->token->kind != TOKEN_END && token_is(p->token + 1, TOKEN_NAME, word);
}

void
parser_advance(Parser *p)
{
    if (p->token->kind != TOKEN_END)
        p->token++;
}

bool
parser_take_symbol(Parser *p, const char *symbol)
{
    if (!parser_is_symbol(p, symbol))
        return false;
    parser_advance(p);
    return true;
}

bool
parser_take_word(Parser *p, const char *word)
{
    if (!parser_is_word(p, word))
        return false;
    parser_advance(p);
    return true;
}

bool
parser_fail(Parser *p, const char *expected)
{
    if (p->error && p->error->code != AZ_OK)
        return false;
    if (p->token->kind == TOKEN_END)
        return error_at(p->error, AZ_SYNTAX, p->token->span, "expected %s, but the query ends here",
                        expected);
    Str found = str_slice(p->text, p->token->span.start, p->token->span.end);
    if (found.ptr[0] == 'h' || found.ptr[0] == 'H')
        found = kql_hide_secrets(p->arena, found);
    return error_at(p->error, AZ_SYNTAX, p->token->span, "expected %s, found '%.*s'%s", expected,
                    (int)(found.len > 60 ? 60 : found.len), found.ptr, found.len > 60 ? "..." : "");
}

bool
parser_expect_symbol(Parser *p, const char *symbol, const char *where)
{
    if (parser_take_symbol(p, symbol))
        return true;
    char expected[120];
    snprintf(expected, sizeof(expected), "'%s' %s", symbol, where);
    return parser_fail(p, expected);
}

bool
parser_expect_word(Parser *p, const char *word, const char *where)
{
    if (parser_take_word(p, word))
        return true;
    char expected[120];
    snprintf(expected, sizeof(expected), "'%s' %s", word, where);
    return parser_fail(p, expected);
}

bool
parser_enter(Parser *p)
{
    if (++p->depth <= PARSER_DEPTH_MAX)
        return true;
    if (!p->error || p->error->code == AZ_OK)
        error_at(p->error, AZ_SYNTAX, p->token->span,
                 "this is nested more than %d levels deep; split the query with let statements",
                 PARSER_DEPTH_MAX);
    return false;
}

void
parser_leave(Parser *p)
{
    p->depth--;
}

static uint32_t
taller(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static bool
set_height(Parser *p, AstExpr *node, uint32_t height)
{
    node->height = height;
    p->tallest = taller(p->tallest, height);
    if (height <= AST_HEIGHT_MAX)
        return true;
    if (!p->error || p->error->code == AZ_OK)
        error_at(p->error, AZ_SYNTAX, node->span,
                 "this chain of operators is more than %d long; split it with let statements, or "
                 "use a list: x in (...)",
                 AST_HEIGHT_MAX);
    return false;
}

bool
parser_set_height(Parser *p, AstExpr *node, const AstExpr *a, const AstExpr *b)
{
    return set_height(p, node, 1 + taller(a ? a->height : 0, b ? b->height : 0));
}

uint32_t
parser_height_begin(Parser *p)
{
    uint32_t before = p->tallest;
    p->tallest = 0;
    return before;
}

bool
parser_height_end(Parser *p, uint32_t before, AstExpr *node)
{
    uint32_t height = p->tallest + 1;
    p->tallest = before;
    return set_height(p, node, height);
}

static int
bracket(const Token *token)
{
    if (token->kind != TOKEN_SYMBOL || token->text.len != 1)
        return 0;
    return strchr("([{", token->text.ptr[0]) ? 1 : strchr(")]}", token->text.ptr[0]) ? -1 : 0;
}

bool
parser_recover(Parser *p, const Token *start)
{
    if (!p->diagnostics || !p->error || p->error->code != AZ_SYNTAX)
        return false;
    // Brackets that are open at the error close first; only then does a `|` count.
    const Token *at = start;
    int depth = 0;
    for (; at->kind != TOKEN_END; at++) {
        bool behind = at >= p->token;
        if (behind && depth == 0 && (token_is(at, TOKEN_SYMBOL, "|") || bracket(at) < 0))
            break;
        if (behind && depth <= 0 && token_is(at, TOKEN_SYMBOL, ";"))
            break;
        depth += bracket(at);
        if (depth < 0 && !behind)
            depth = 0;
    }
    if (!diagnostics_error(p->diagnostics, p->error) || depth > 0)
        return false;
    p->failed = true;
    error_clear(p->error);
    p->token = at;
    return true;
}

Span
parser_span(const Parser *p, uint32_t start)
{
    uint32_t end = p->token->span.start;
    if (p->token[-1].span.end > start)
        end = p->token[-1].span.end;
    return (Span){start, end < start ? start : end};
}

AstExpr *
ast_new(Parser *p, AstKind kind, Span span)
{
    AstExpr *expr = ARENA_NEW(p->arena, AstExpr);
    expr->kind = kind;
    expr->span = span;
    return expr;
}

// ---- small symbols ----

bool
parse_word(Parser *p, AstName *out, const char *expected)
{
    if (p->token->kind != TOKEN_NAME && p->token->kind != TOKEN_QUOTED)
        return parser_fail(p, expected);
    *out = (AstName){p->token->text, p->token->span};
    parser_advance(p);
    return true;
}

// A name that may be a word of these uses.
static bool
parse_usable_name(Parser *p, AstName *out, const char *expected, WordUse most, WordUse also)
{
    WordUse use = p->token->kind == TOKEN_NAME ? word_use(p->token->text) : WORD_FREE;
    if (use > most && use != also && !p->any_word)
        return error_at(p->error, AZ_SYNTAX, p->token->span,
                        "'%.*s' is a word of the language: write ['%.*s'] to use it as a name",
                        STR_ARG(p->token->text), STR_ARG(p->token->text));
    return parse_word(p, out, expected);
}

bool
parse_name(Parser *p, AstName *out, const char *expected)
{
    return parse_usable_name(p, out, expected, WORD_FREE, WORD_FREE);
}

bool
parse_assigned_name(Parser *p, AstName *out, const char *expected)
{
    return parse_usable_name(p, out, expected, WORD_ASSIGNED, WORD_ASSIGNED);
}

bool
parse_special_name(Parser *p, AstName *out, const char *expected)
{
    return parse_usable_name(p, out, expected, WORD_FREE, WORD_SPECIAL);
}

bool
parse_type(Parser *p, Type *out)
{
    *out = p->token->kind == TOKEN_NAME ? type_from_name(p->token->text) : TYPE_NONE;
    if (*out == TYPE_NONE)
        return parser_fail(p, "a type (bool, int, long, real, decimal, datetime, timespan, string, "
                              "guid or dynamic)");
    parser_advance(p);
    return true;
}

bool
parse_string(Parser *p, Str *out, const char *expected)
{
    if (p->token->kind != TOKEN_LITERAL || p->token->value.type != TYPE_STRING)
        return parser_fail(p, expected);
    *out = text_str(&p->token->value.text);
    parser_advance(p);
    return true;
}

bool
parse_columns(Parser *p, AstColumnList *out)
{
    return parser_expect_symbol(p, "(", "before the columns") && parse_columns_rest(p, out);
}

bool
parse_columns_rest(Parser *p, AstColumnList *out)
{
    while (!parser_is_symbol(p, ")")) {
        AstColumn column;
        if (!parse_name(p, &column.name, "a column name") ||
            !parser_expect_symbol(p, ":", "between a column and its type") ||
            !parse_type(p, &column.type))
            return false;
        ARRAY_PUSH(p->arena, out, column);
        if (!parser_take_symbol(p, ","))
            break;
    }
    return parser_expect_symbol(p, ")", "after the columns");
}

// ---- pipelines ----

// The operators after a source, as long as `|` follows.
static bool
parse_pipes(Parser *p, AstExpr *pipeline)
{
    size_t cap = 0;
    while (parser_take_symbol(p, "|")) {
        Parser before = *p;
        AstOperator *step = parse_operator(p, false);
        if (!step) {
            if (!parser_recover(p, before.token))
                return false;
            p->depth = before.depth;
            p->patterns = before.patterns;
            continue;
        }
        if (pipeline->operator_count == cap)
            pipeline->operators = array_grow(p->arena, pipeline->operators,
                                             pipeline->operator_count, &cap, sizeof(step));
        pipeline->operators[pipeline->operator_count++] = step;
    }
    pipeline->span = parser_span(p, pipeline->span.start);
    return true;
}

AstExpr *
parse_pipe_expression(Parser *p)
{
    if (!parser_enter(p))
        return NULL;
    bool patterns = p->patterns;
    p->patterns = false;
    uint32_t before = parser_height_begin(p);
    AstExpr *expr;
    if (parser_at_source(p)) {
        expr = ast_new(p, AST_SOURCE, p->token->span);
        expr->operators = ARENA_ARRAY(p->arena, AstOperator *, 1);
        expr->operators[0] = parse_operator(p, true);
        expr->operator_count = 1;
        if (!expr->operators[0])
            return NULL;
        expr->span = parser_span(p, expr->span.start);
    } else {
        expr = parse_expression(p);
    }
    if (expr && parser_is_symbol(p, "|")) {
        AstExpr *pipeline = ast_new(p, AST_PIPELINE, expr->span);
        pipeline->base = expr;
        expr = parse_pipes(p, pipeline) ? pipeline : NULL;
    }
    if (!expr || !parser_height_end(p, before, expr))
        return NULL;
    p->patterns = patterns;
    parser_leave(p);
    return expr;
}

AstExpr *
parse_body(Parser *p)
{
    if (!parser_enter(p) || !parser_expect_symbol(p, "(", "before the sub-query"))
        return NULL;
    AstExpr *body = ast_new(p, AST_PIPELINE, p->token->span);
    uint32_t before = parser_height_begin(p);
    AstOperator *first = parse_operator(p, false);
    if (!first)
        return NULL;
    AstExpr rest = {.span = body->span};
    if (!parse_pipes(p, &rest) || !parser_expect_symbol(p, ")", "after the sub-query"))
        return NULL;
    body->operator_count = rest.operator_count + 1;
    body->operators = ARENA_ARRAY(p->arena, AstOperator *, body->operator_count);
    body->operators[0] = first;
    for (size_t i = 0; i < rest.operator_count; i++)
        body->operators[i + 1] = rest.operators[i];
    body->span = parser_span(p, body->span.start);
    if (!parser_height_end(p, before, body))
        return NULL;
    parser_leave(p);
    return body;
}

// ---- functions ----

static bool
parse_parameter(Parser *p, AstParameter *out)
{
    *out = (AstParameter){0};
    if (!parse_assigned_name(p, &out->name, "a parameter name") ||
        !parser_expect_symbol(p, ":", "between a parameter and its type"))
        return false;
    if (parser_is_symbol(p, "(")) {
        out->is_table = true;
        if (parser_next_is_symbol(p, "*")) {
            out->any_table = true;
            parser_advance(p);
            parser_advance(p);
            return parser_expect_symbol(p, ")", "after '*'");
        }
        return parse_columns(p, &out->columns);
    }
    if (!parse_type(p, &out->type))
        return false;
    if (parser_take_symbol(p, "=")) {
        out->default_ = parse_expression(p);
        return out->default_ != NULL;
    }
    return true;
}

bool
parse_declared(Parser *p, AstParameter **out, size_t *count)
{
    size_t cap = 0;
    *out = NULL;
    *count = 0;
    if (!parser_expect_symbol(p, "(", "before the parameters"))
        return false;
    while (!parser_is_symbol(p, ")")) {
        AstParameter parameter;
        if (!parse_parameter(p, &parameter))
            return false;
        if (*count == cap)
            *out = array_grow(p->arena, *out, *count, &cap, sizeof(parameter));
        (*out)[(*count)++] = parameter;
        if (!parser_take_symbol(p, ","))
            break;
    }
    return parser_expect_symbol(p, ")", "after the parameters");
}

static bool parse_statement(Parser *p, AstStatement *out);

// Behind an error of a statement of the request: its further operators, if any, are read
// for their own mistakes.
static bool
recover_statement(Parser *p, const Parser *before)
{
    for (;;) {
        if (!parser_recover(p, before->token))
            return false;
        p->depth = before->depth;
        p->patterns = before->patterns;
        while (bracket(p->token) < 0) // one that nothing opened
            parser_advance(p);
        if (parser_is_symbol(p, ";") || p->token->kind == TOKEN_END)
            return true;
        AstExpr rest = {0};
        if (parser_is_symbol(p, "|") && parse_pipes(p, &rest) &&
            (parser_is_symbol(p, ";") || p->token->kind == TOKEN_END))
            return true;
        if (p->error->code == AZ_OK)
            parser_fail(p, "'|', ';' or the end of the query");
    }
}

bool
parse_statements(Parser *p, AstStatementList *out, const char *end)
{
    for (bool first = true;; first = false) {
        if (!first)
            parser_take_symbol(p, ";");
        if (p->token->kind == TOKEN_END || (end && parser_is_symbol(p, end)))
            return true;
        AstStatement statement;
        Parser before = *p;
        if (parse_statement(p, &statement)) {
            ARRAY_PUSH(p->arena, out, statement);
            if (p->token->kind == TOKEN_END || (end && parser_is_symbol(p, end)))
                return true;
            if (parser_is_symbol(p, ";"))
                continue;
            parser_fail(p, "'|', ';' or the end of the query");
        }
        if (end || !recover_statement(p, &before))
            return false;
    }
}

static AstFunction *
parse_function(Parser *p)
{
    AstFunction *function = ARENA_NEW(p->arena, AstFunction);
    uint32_t start = p->token->span.start;
    if (!parser_enter(p) || !parse_declared(p, &function->parameters, &function->parameter_count) ||
        !parser_expect_symbol(p, "{", "before the function's body") ||
        !parse_statements(p, &function->body, "}") ||
        !parser_expect_symbol(p, "}", "after the function's body"))
        return NULL;
    parser_leave(p);
    function->span = parser_span(p, start);
    return function;
}

// `(` starts a function when its parameter list ends before `{`.
static bool
at_function(const Parser *p)
{
    if (!parser_is_symbol(p, "("))
        return false;
    int depth = 0;
    for (const Token *t = p->token; t->kind != TOKEN_END; t++) {
        if (token_is(t, TOKEN_SYMBOL, "("))
            depth++;
        if (token_is(t, TOKEN_SYMBOL, ")") && --depth == 0)
            return token_is(t + 1, TOKEN_SYMBOL, "{");
        if (token_is(t, TOKEN_SYMBOL, ";") || token_is(t, TOKEN_SYMBOL, "|"))
            return false;
    }
    return false;
}

// ---- statements ----

static bool
parse_let(Parser *p, AstStatement *out)
{
    out->kind = AST_LET;
    if (!parse_name(p, &out->name, "a name after 'let'") ||
        !parser_expect_symbol(p, "=", "after the name of a let statement"))
        return false;
    bool is_view = parser_is_word(p, "view") && parser_next_is_symbol(p, "(");
    if (is_view)
        parser_advance(p);
    if (at_function(p)) {
        out->kind = AST_LET_FUNCTION;
        out->function = parse_function(p);
        if (out->function)
            out->function->is_view = is_view;
        return out->function != NULL;
    }
    out->value = parse_pipe_expression(p);
    return out->value != NULL;
}

static bool
parse_set(Parser *p, AstStatement *out)
{
    out->kind = AST_SET;
    if (!parse_word(p, &out->name, "the name of a request property"))
        return false;
    if (!parser_take_symbol(p, "="))
        return true;
    out->value = parse_expression(p);
    return out->value != NULL;
}

// ("x", "y")[.["path"]] = { statements }
static bool
parse_pattern_case(Parser *p, AstPatternCase *out)
{
    *out = (AstPatternCase){0};
    if (!parser_expect_symbol(p, "(", "before the arguments of the pattern"))
        return false;
    while (!parser_is_symbol(p, ")")) {
        AstExpr *arg = parse_expression(p);
        if (!arg)
            return false;
        ARRAY_PUSH(p->arena, &out->args, arg);
        if (!parser_take_symbol(p, ","))
            break;
    }
    if (!parser_expect_symbol(p, ")", "after the arguments of the pattern"))
        return false;
    if (parser_take_symbol(p, ".")) {
        if (p->token->kind == TOKEN_QUOTED) { // ["path"] is read as a quoted name
            out->path = ast_new(p, AST_LITERAL, p->token->span);
            out->path->value = value_string(p->token->text);
            parser_advance(p);
        } else if (!parser_expect_symbol(p, "[", "before the path of the pattern") ||
                   !(out->path = parse_expression(p)) ||
                   !parser_expect_symbol(p, "]", "after the path of the pattern")) {
            return false;
        }
    }
    return parser_expect_symbol(p, "=", "before the body of the pattern") &&
           parser_expect_symbol(p, "{", "before the body of the pattern") &&
           parse_statements(p, &out->body, "}") &&
           parser_expect_symbol(p, "}", "after the body of the pattern");
}

static bool
parse_pattern_cases(Parser *p, AstPattern *out)
{
    size_t cap = 0;
    if (!parser_expect_symbol(p, "{", "before the cases of the pattern"))
        return false;
    while (!parser_is_symbol(p, "}")) {
        AstPatternCase one;
        if (!parse_pattern_case(p, &one))
            return false;
        if (out->case_count == cap)
            out->cases = array_grow(p->arena, out->cases, out->case_count, &cap, sizeof(one));
        out->cases[out->case_count++] = one;
        if (!parser_take_symbol(p, ";"))
            break;
    }
    return parser_expect_symbol(p, "}", "after the cases of the pattern");
}

// declare pattern name [= (a:string, ...)[path:string] { cases }]
static bool
parse_declare_pattern(Parser *p, AstStatement *out)
{
    out->kind = AST_PATTERN;
    AstPattern *pattern = out->pattern = ARENA_NEW(p->arena, AstPattern);
    if (!parse_name(p, &out->name, "the name of the pattern"))
        return false;
    if (!parser_take_symbol(p, "="))
        return true;
    if (!parse_declared(p, &pattern->parameters, &pattern->parameter_count))
        return false;
    if (parser_take_symbol(p, "[")) {
        AstParameter path;
        if (!parse_parameter(p, &path) || !parser_expect_symbol(p, "]", "after the path"))
            return false;
        AstParameter *all = ARENA_ARRAY(p->arena, AstParameter, pattern->parameter_count + 1);
        for (size_t i = 0; i < pattern->parameter_count; i++)
            all[i] = pattern->parameters[i];
        all[pattern->parameter_count++] = path;
        pattern->parameters = all;
        pattern->has_path = true;
    }
    return parse_pattern_cases(p, pattern);
}

static bool
parse_declare(Parser *p, AstStatement *out)
{
    if (parser_take_word(p, "query_parameters")) {
        out->kind = AST_QUERY_PARAMETERS;
        return parse_declared(p, &out->parameters, &out->parameter_count);
    }
    if (parser_take_word(p, "pattern"))
        return parse_declare_pattern(p, out);
    return parser_fail(p, "'query_parameters' or 'pattern' after 'declare'");
}

// alias database name = cluster("c").database("d")
static bool
parse_alias(Parser *p, AstStatement *out)
{
    out->kind = AST_ALIAS;
    parser_advance(p); // database
    if (!parse_name(p, &out->name, "a name after 'alias database'") ||
        !parser_expect_symbol(p, "=", "after the alias"))
        return false;
    out->value = parse_expression(p);
    return out->value != NULL;
}

// restrict access to (table, database("d").*, ...)
static bool
parse_restrict(Parser *p, AstStatement *out)
{
    out->kind = AST_RESTRICT;
    parser_advance(p); // access
    return parser_expect_word(p, "to", "after 'restrict access'") &&
           parse_table_list(p, &out->entities);
}

static bool
parse_statement(Parser *p, AstStatement *out)
{
    *out = (AstStatement){.span = p->token->span};
    bool done;
    if (parser_take_word(p, "let")) {
        done = parse_let(p, out);
    } else if (parser_is_word(p, "set") && !parser_next_is_symbol(p, "|")) {
        parser_advance(p);
        done = parse_set(p, out);
    } else if (parser_take_word(p, "declare")) {
        done = parse_declare(p, out);
    } else if (parser_is_word(p, "alias") && parser_next_is_word(p, "database")) {
        parser_advance(p);
        done = parse_alias(p, out);
    } else if (parser_is_word(p, "restrict") && parser_next_is_word(p, "access")) {
        parser_advance(p);
        done = parse_restrict(p, out);
    } else {
        out->kind = AST_TABULAR;
        out->value = parse_pipe_expression(p);
        done = out->value != NULL;
    }
    if (done)
        out->span = parser_span(p, out->span.start);
    return done;
}

// ---- entries ----

static bool
parser_start(Parser *p, Arena *arena, Str text, Diagnostics *diagnostics, AzError *error)
{
    TokenList tokens;
    if (!kql_tokens(arena, text, &tokens, diagnostics, error))
        return false;
    // A token before the first, so that parser_span may look back.
    Token *items = ARENA_ARRAY(arena, Token, tokens.len + 1);
    memcpy(items + 1, tokens.items, tokens.len * sizeof(Token));
    *p = (Parser){.arena = arena, .text = text, .token = items + 1, .error = error};
    p->diagnostics = diagnostics;
    return true;
}

AstQuery *
kql_parse(Arena *arena, Str text, Diagnostics *diagnostics, AzError *error)
{
    Parser p;
    AzError local = {0};
    AzError *cause = error ? error : &local;
    AstQuery *query = ARENA_NEW(arena, AstQuery);
    query->text = text;
    if (!parser_start(&p, arena, text, diagnostics, cause))
        return NULL;
    bool done = parse_statements(&p, &query->statements, NULL);
    if (p.failed) {
        error_clear(cause);
        *cause = diagnostics->errors[0];
    }
    return done && !p.failed ? query : NULL;
}

static bool
parse_function_properties(Parser *p, AstFunctionFile *out)
{
    if (!parser_take_word(p, "with"))
        return true;
    if (!parser_expect_symbol(p, "(", "after 'with'"))
        return false;
    while (!parser_is_symbol(p, ")")) {
        AstName name;
        if (!parse_word(p, &name, "a property name") ||
            !parser_expect_symbol(p, "=", "after the property name"))
            return false;
        Str value = p->token->kind == TOKEN_LITERAL && p->token->value.type == TYPE_STRING
                        ? text_str(&p->token->value.text)
                        : p->token->text;
        parser_advance(p);
        if (str_equal_ci(name.text, STR("folder")))
            out->folder = value;
        else if (str_equal_ci(name.text, STR("docstring")))
            out->docstring = value;
        if (!parser_take_symbol(p, ","))
            break;
    }
    return parser_expect_symbol(p, ")", "after the properties");
}

AstFunctionFile *
kql_parse_function(Arena *arena, Str text, AzError *error)
{
    Parser p;
    AstFunctionFile *file = ARENA_NEW(arena, AstFunctionFile);
    file->text = text;
    if (!parser_start(&p, arena, text, NULL, error) ||
        !parser_expect_symbol(&p, ".", "and a command such as '.create-or-alter function'"))
        return NULL;
    while (p.token->kind != TOKEN_END && !parser_is_word(&p, "function"))
        parser_advance(&p);
    if (!parser_expect_word(&p, "function", "in '.create-or-alter function'") ||
        !parse_function_properties(&p, file) || !parse_word(&p, &file->name, "the function's name"))
        return NULL;
    file->function = parse_function(&p);
    if (file->function && p.token->kind != TOKEN_END)
        return parser_fail(&p, "the end of the file after the function"), NULL;
    return file->function ? file : NULL;
}

bool
kql_parse_create_table(Arena *arena, Str text, size_t *offset, AstTableSchema *out, AzError *error)
{
    *out = (AstTableSchema){0};
    Str rest = str_slice(text, *offset, text.len);
    ptrdiff_t start = str_find(rest, STR(".create table "));
    if (start < 0)
        return false;
    size_t from = *offset + (size_t)start;
    ptrdiff_t end = str_find(str_slice(text, from + 1, text.len), STR(".create "));
    size_t to = end < 0 ? text.len : from + 1 + (size_t)end;
    *offset = to;
    Parser p;
    if (!parser_start(&p, arena, str_slice(text, from, to), NULL, error))
        return false;
    parser_advance(&p); // .
    parser_advance(&p); // create
    parser_advance(&p); // table
    p.any_word = true;
    return parse_name(&p, &out->name, "the table's name") && parse_columns(&p, &out->columns);
}
