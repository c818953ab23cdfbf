// Canonical text of expressions and statements. Precedence decides where parentheses
// stand, so that long chains print flat; names that could be read as something else
// are bracketed. Walks recurse: trees are no taller than AST_HEIGHT_MAX.

#include "base/array.h"
#include "kql/ast_print_parts.h"
#include "kql/words.h"
#include "value/dynamic.h"
#include "value/json.h"
#include "value/scalar.h"

#include <math.h>

// ---- names ----

// Whether the name would be read as something else: a word of the language, or one that
// means something where a name may stand too.
static bool
is_word(Str name)
{
    static const char *const MORE[] = {"alias", "declare", "evaluate", "let",    "limit", "null",
                                       "on",    "range",   "restrict", "typeof", "with"};
    for (size_t i = 0; i < COUNT_OF(MORE); i++)
        if (str_equal(name, str_from(MORE[i])))
            return true;
    return word_use(name) != WORD_FREE || type_from_name(name) != TYPE_NONE;
}

void
put_quoted_name(Buffer *out, Str name)
{
    buffer_char(out, '[');
    put_string(out, name);
    buffer_char(out, ']');
}

static bool
is_plain(Str name)
{
    size_t start = name.len > 1 && name.ptr[0] == '$';
    for (size_t i = start; i < name.len; i++) {
        char c = name.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (i == start || c < '0' || c > '9'))
            return false;
    }
    return name.len > start;
}

static void
put_name_text(Buffer *out, Str name)
{
    if (is_plain(name) && !is_word(name))
        buffer_str(out, name);
    else
        put_quoted_name(out, name);
}

void
put_name(Buffer *out, const AstName *name)
{
    put_name_text(out, name->text);
}

// ---- literals ----

void
put_string(Buffer *out, Str text)
{
    json_write_string(out, text, false);
}

static void
put_real(Buffer *out, double real)
{
    bool bare = isfinite(real) && !signbit(real);
    buffer_text(out, bare ? "" : "real(");
    real_print(out, real);
    buffer_text(out, bare ? "" : ")");
}

static void put_dynamic(Buffer *out, Dyn node);

static void
put_container(Buffer *out, Dyn node, bool is_bag)
{
    buffer_char(out, is_bag ? '{' : '[');
    for (uint32_t i = 0; i < dyn_count(node); i++) {
        if (i)
            buffer_char(out, ',');
        if (is_bag) {
            put_string(out, dyn_key_at(node, i));
            buffer_char(out, ':');
        }
        put_dynamic(out, dyn_at(node, i));
    }
    buffer_char(out, is_bag ? '}' : ']');
}

static void
put_scalar(Buffer *out, const Value *value)
{
    bool bare = value->type == TYPE_BOOL || (value->type == TYPE_LONG && value->int64 >= 0);
    if (value->is_null) {
        buffer_printf(out, "%s(null)", type_name(value->type));
    } else if (value->type == TYPE_STRING) {
        put_string(out, text_str(&value->text));
    } else if (value->type == TYPE_REAL) {
        put_real(out, value->real);
    } else {
        if (!bare)
            buffer_printf(out, "%s(", type_name(value->type));
        data_print(out, value->type, value_data(value));
        buffer_text(out, bare ? "" : ")");
    }
}

static void
put_dynamic(Buffer *out, Dyn node)
{
    DynKind kind = dyn_kind(node);
    if (kind == DYN_ARRAY || kind == DYN_BAG) {
        put_container(out, node, kind == DYN_BAG);
    } else if (kind == DYN_NULL) {
        buffer_text(out, "null");
    } else {
        Value value = dyn_value(node);
        put_scalar(out, &value);
    }
}

static void
put_literal(Buffer *out, const Value *value)
{
    if (value->type != TYPE_DYNAMIC) {
        put_scalar(out, value);
        return;
    }
    buffer_text(out, "dynamic(");
    if (value->is_null)
        buffer_text(out, "null");
    else
        put_dynamic(out, dyn_of_text(&value->text));
    buffer_char(out, ')');
}

// ---- expressions ----

// The levels of the grammar, loosest first.
enum {
    LEVEL_PIPE,
    LEVEL_OR,
    LEVEL_AND,
    LEVEL_EQUALITY,
    LEVEL_ORDER,
    LEVEL_SUM,
    LEVEL_PRODUCT,
    LEVEL_STRING,
    LEVEL_UNARY,
    LEVEL_POSTFIX,
};

static int
level_of(const AstExpr *expr)
{
    static const struct {
        const char *op;
        int level;
    } LEVELS[] = {{"or", LEVEL_OR},       {"and", LEVEL_AND},   {"==", LEVEL_EQUALITY},
                  {"!=", LEVEL_EQUALITY}, {"<", LEVEL_ORDER},   {"<=", LEVEL_ORDER},
                  {">", LEVEL_ORDER},     {">=", LEVEL_ORDER},  {"+", LEVEL_SUM},
                  {"-", LEVEL_SUM},       {"*", LEVEL_PRODUCT}, {"/", LEVEL_PRODUCT},
                  {"%", LEVEL_PRODUCT}};
    switch (expr->kind) {
    case AST_PIPELINE:
    case AST_SOURCE: return LEVEL_PIPE;
    case AST_LIST_OP: return LEVEL_EQUALITY;
    case AST_NEGATE: return LEVEL_UNARY;
    case AST_BINARY: break;
    default: return LEVEL_POSTFIX;
    }
    for (size_t i = 0; i < COUNT_OF(LEVELS); i++)
        if (str_equal(expr->op, str_from(LEVELS[i].op)))
            return LEVELS[i].level;
    return LEVEL_STRING;
}

static void
put_at_level(Buffer *out, const AstExpr *expr, int level)
{
    bool parens = level_of(expr) < level;
    if (parens)
        buffer_char(out, '(');
    put_pipe(out, expr);
    if (parens)
        buffer_char(out, ')');
}

void
put_expr(Buffer *out, const AstExpr *expr)
{
    put_at_level(out, expr, LEVEL_OR);
}

void
put_primary(Buffer *out, const AstExpr *expr)
{
    bool primary =
        level_of(expr) == LEVEL_POSTFIX && expr->kind != AST_MEMBER && expr->kind != AST_INDEX;
    if (!primary)
        buffer_char(out, '(');
    put_pipe(out, expr);
    if (!primary)
        buffer_char(out, ')');
}

static void
put_op(Buffer *out, const AstExpr *expr)
{
    static const struct {
        const char *op, *negated;
    } NEGATED[] = {{"=~", "!~"}, {"like", "notlike"}, {"likecs", "notlikecs"}};
    buffer_char(out, ' ');
    for (size_t i = 0; i < COUNT_OF(NEGATED); i++) {
        if (expr->negated && str_equal(expr->op, str_from(NEGATED[i].op))) {
            buffer_printf(out, "%s ", NEGATED[i].negated);
            return;
        }
    }
    buffer_printf(out, "%s%.*s ", expr->negated ? "!" : "", STR_ARG(expr->op));
}

static void
put_binary(Buffer *out, const AstExpr *expr)
{
    int level = level_of(expr);
    bool associative = level == LEVEL_OR || level == LEVEL_AND;
    put_at_level(out, expr->base, level);
    put_op(out, expr);
    put_at_level(out, expr->args.items[0], associative ? level : level + 1);
}

static void
put_list_op(Buffer *out, const AstExpr *expr)
{
    bool between = str_equal(expr->op, STR("between"));
    put_at_level(out, expr->base, LEVEL_EQUALITY);
    put_op(out, expr);
    buffer_char(out, '(');
    for (size_t i = 0; i < expr->args.len; i++) {
        if (i)
            buffer_text(out, between ? " .. " : ", ");
        put_pipe(out, expr->args.items[i]);
    }
    buffer_char(out, ')');
}

static void
put_call(Buffer *out, const AstExpr *expr)
{
    bool is_group = str_equal(expr->name.text, STR("entity_group"));
    buffer_str(out, expr->name.text);
    buffer_char(out, is_group ? '[' : '(');
    for (size_t i = 0; i < expr->args.len; i++) {
        buffer_text(out, i ? ", " : "");
        if (expr->arg_names && expr->arg_names[i].text.len)
            buffer_printf(out, "%.*s=", STR_ARG(expr->arg_names[i].text));
        if (is_group)
            put_expr(out, expr->args.items[i]);
        else
            put_pipe(out, expr->args.items[i]);
    }
    buffer_char(out, is_group ? ']' : ')');
}

// What stands before `.` and `[`.
static void
put_base(Buffer *out, const AstExpr *expr)
{
    bool bare = expr->kind == AST_NAME || expr->kind == AST_CALL || expr->kind == AST_MEMBER ||
                expr->kind == AST_INDEX || expr->kind == AST_WILDCARD;
    buffer_text(out, bare ? "" : "(");
    put_pipe(out, expr);
    buffer_text(out, bare ? "" : ")");
}

static void
put_member(Buffer *out, const AstExpr *expr)
{
    put_base(out, expr->base);
    buffer_char(out, '.');
    if (expr->index)
        put_call(out, expr->index);
    else if (expr->name.text.len && memchr(expr->name.text.ptr, '*', expr->name.text.len) &&
             expr->name.span.end - expr->name.span.start == expr->name.text.len)
        buffer_str(out, expr->name.text); // a pattern: T*
    else
        put_name(out, &expr->name);
}

static void
put_typeof(Buffer *out, const AstExpr *expr)
{
    buffer_text(out, "typeof");
    if (expr->type != TYPE_NONE)
        buffer_printf(out, "(%s)", type_name(expr->type));
    else
        put_columns(out, &expr->columns, expr->open_columns);
}

static void
put_pipeline(Buffer *out, const AstExpr *expr)
{
    if (expr->base)
        put_at_level(out, expr->base, expr->base->kind == AST_SOURCE ? LEVEL_PIPE : LEVEL_OR);
    for (size_t i = 0; i < expr->operator_count; i++) {
        if (i || expr->base)
            buffer_text(out, " | ");
        put_operator(out, expr->operators[i]);
    }
}

void
put_pipe(Buffer *out, const AstExpr *expr)
{
    switch (expr->kind) {
    case AST_LITERAL: put_literal(out, &expr->value); break;
    case AST_NAME: put_name(out, &expr->name); break;
    case AST_WILDCARD: buffer_str(out, expr->name.text); break;
    case AST_STAR: buffer_char(out, '*'); break;
    case AST_CALL: put_call(out, expr); break;
    case AST_MEMBER: put_member(out, expr); break;
    case AST_INDEX:
        put_base(out, expr->base);
        buffer_char(out, '[');
        put_expr(out, expr->index);
        buffer_char(out, ']');
        break;
    case AST_NEGATE:
        buffer_char(out, '-');
        put_at_level(out, expr->base, LEVEL_UNARY);
        break;
    case AST_BINARY: put_binary(out, expr); break;
    case AST_LIST_OP: put_list_op(out, expr); break;
    case AST_PIPELINE: put_pipeline(out, expr); break;
    case AST_SOURCE: put_operator(out, expr->operators[0]); break;
    case AST_TYPEOF: put_typeof(out, expr); break;
    }
}

void
put_body(Buffer *out, const AstExpr *body)
{
    bool own_source = body->kind != AST_PIPELINE || body->base;
    buffer_text(out, own_source ? "{ " : "(");
    put_pipe(out, body);
    buffer_text(out, own_source ? " }" : ")");
}

// ---- statements ----

void
put_columns(Buffer *out, const AstColumnList *columns, bool open)
{
    buffer_text(out, open ? "(*" : "(");
    for (size_t i = 0; i < columns->len; i++) {
        buffer_text(out, i || open ? ", " : "");
        put_name(out, &columns->items[i].name);
        buffer_printf(out, ":%s", type_name(columns->items[i].type));
    }
    buffer_char(out, ')');
}

static void
put_parameter(Buffer *out, const AstParameter *parameter)
{
    put_name(out, &parameter->name);
    buffer_char(out, ':');
    if (parameter->is_table)
        put_columns(out, &parameter->columns, parameter->any_table);
    else
        buffer_text(out, type_name(parameter->type));
    if (parameter->default_) {
        buffer_text(out, " = ");
        put_expr(out, parameter->default_);
    }
}

void
put_parameters(Buffer *out, const AstParameter *parameters, size_t count)
{
    buffer_char(out, '(');
    for (size_t i = 0; i < count; i++) {
        buffer_text(out, i ? ", " : "");
        put_parameter(out, &parameters[i]);
    }
    buffer_char(out, ')');
}

static void
put_block(Buffer *out, const AstStatementList *body)
{
    buffer_text(out, " { ");
    put_statements(out, body);
    buffer_text(out, body->len ? " }" : "}");
}

static void
put_declare_pattern(Buffer *out, const AstStatement *statement)
{
    const AstPattern *pattern = statement->pattern;
    size_t count = pattern->parameter_count - pattern->has_path;
    buffer_text(out, "declare pattern ");
    put_name(out, &statement->name);
    if (!pattern->cases)
        return;
    buffer_text(out, " = ");
    put_parameters(out, pattern->parameters, count);
    if (pattern->has_path) {
        buffer_char(out, '[');
        put_parameter(out, &pattern->parameters[count]);
        buffer_char(out, ']');
    }
    buffer_text(out, " { ");
    for (size_t i = 0; i < pattern->case_count; i++) {
        const AstPatternCase *one = &pattern->cases[i];
        buffer_char(out, '(');
        for (size_t a = 0; a < one->args.len; a++) {
            buffer_text(out, a ? ", " : "");
            put_expr(out, one->args.items[a]);
        }
        buffer_char(out, ')');
        if (one->path) {
            buffer_text(out, ".[");
            put_expr(out, one->path);
            buffer_char(out, ']');
        }
        buffer_text(out, " =");
        put_block(out, &one->body);
        buffer_text(out, "; ");
    }
    buffer_char(out, '}');
}

static void
put_alias(Buffer *out, const AstStatement *statement)
{
    buffer_text(out, "alias database ");
    put_name(out, &statement->name);
    buffer_text(out, " = ");
    put_expr(out, statement->value);
}

static void
put_restrict(Buffer *out, const AstStatement *statement)
{
    buffer_text(out, "restrict access to (");
    for (size_t i = 0; i < statement->entities.len; i++) {
        buffer_text(out, i ? ", " : "");
        put_expr(out, statement->entities.items[i].expr);
    }
    buffer_char(out, ')');
}

static void
put_statement(Buffer *out, const AstStatement *statement)
{
    switch (statement->kind) {
    case AST_LET:
    case AST_LET_FUNCTION:
        buffer_text(out, "let ");
        put_name(out, &statement->name);
        buffer_text(out, " = ");
        if (statement->function) {
            buffer_text(out, statement->function->is_view ? "view " : "");
            put_parameters(out, statement->function->parameters,
                           statement->function->parameter_count);
            put_block(out, &statement->function->body);
        } else {
            put_pipe(out, statement->value);
        }
        break;
    case AST_SET:
        buffer_text(out, "set ");
        put_name(out, &statement->name);
        if (statement->value) {
            buffer_text(out, " = ");
            put_expr(out, statement->value);
        }
        break;
    case AST_QUERY_PARAMETERS:
        buffer_text(out, "declare query_parameters");
        put_parameters(out, statement->parameters, statement->parameter_count);
        break;
    case AST_TABULAR: put_pipe(out, statement->value); break;
    case AST_PATTERN: put_declare_pattern(out, statement); break;
    case AST_ALIAS: put_alias(out, statement); break;
    case AST_RESTRICT: put_restrict(out, statement); break;
    }
}

void
put_statements(Buffer *out, const AstStatementList *statements)
{
    for (size_t i = 0; i < statements->len; i++) {
        buffer_text(out, i ? "; " : "");
        put_statement(out, &statements->items[i]);
    }
}

void
ast_print(const AstQuery *query, Buffer *out)
{
    put_statements(out, &query->statements);
}

void
ast_print_parameters(const AstFunction *function, Buffer *out)
{
    put_parameters(out, function->parameters, function->parameter_count);
}
