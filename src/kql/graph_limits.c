// The limits of Azure Resource Graph: operators it knows, how often join, union and
// mv-expand may stand in a query, kinds of join (Azure docs: Resource Graph query
// language). Queries here are not held to them; this tells who wants to run them there.

#include "kql/graph_limits.h"

#include "base/array.h"
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

typedef struct Limits {
    Str text;
    Buffer *out;
    uint32_t joins, expands; // joins and unions are counted together
} Limits;

enum { JOINS_MAX = 3, EXPANDS_MAX = 3, EXPAND_ROWS_MAX = 2000 };

static void tell(Limits *limits, Span span, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void
tell(Limits *limits, Span span, const char *format, ...)
{
    uint32_t line = 0, column = 0;
    text_position(limits->text, span.start, &line, &column);
    buffer_printf(limits->out, "%u:%u: ", line, column);
    char message[400];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    buffer_text(limits->out, message);
    buffer_char(limits->out, '\n');
}

static bool
is_one_of(Str name, const Str *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal(name, names[i]))
            return true;
    return false;
}

static void walk_expr(Limits *limits, const AstExpr *expr);
static void walk_statements(Limits *limits, const AstStatementList *statements);

static void
walk_items(Limits *limits, const AstItemList *items)
{
    for (size_t i = 0; i < items->len; i++) {
        walk_expr(limits, items->items[i].expr);
        walk_expr(limits, items->items[i].default_);
    }
}

static const AstParam *
find_param(const AstOperator *step, const char *name)
{
    for (size_t i = 0; i < step->params.len; i++)
        if (str_equal_ci(step->params.items[i].name, str_from(name)))
            return &step->params.items[i];
    return NULL;
}

static void
check_join(Limits *limits, const AstOperator *step)
{
    static const Str KINDS[] = {STR_INIT("innerunique"), STR_INIT("inner"), STR_INIT("leftouter"),
                                STR_INIT("fullouter")};
    const AstParam *kind = find_param(step, "kind");
    if (kind && !is_one_of(kind->text, KINDS, COUNT_OF(KINDS)))
        tell(limits, kind->span, "join kind '%.*s' is not supported", STR_ARG(kind->text));
    const AstParam *strategy = find_param(step, "hint.strategy");
    if (strategy)
        tell(limits, strategy->span, "join strategies are not allowed");
}

static void
check_operator(Limits *limits, const AstOperator *step)
{
    static const Str KNOWN[] = {
        STR_INIT("count"), STR_INIT("distinct"),     STR_INIT("extend"),    STR_INIT("join"),
        STR_INIT("take"),  STR_INIT("mv-expand"),    STR_INIT("mvexpand"),  STR_INIT("sort"),
        STR_INIT("parse"), STR_INIT("project"),      STR_INIT("summarize"), STR_INIT("top"),
        STR_INIT("union"), STR_INIT("project-away"), STR_INIT("where"),     STR_INIT("render"),
    };
    if (!is_one_of(step->name, KNOWN, COUNT_OF(KNOWN)))
        tell(limits, step->span, "the operator '%.*s' is not among those Resource Graph documents",
             STR_ARG(step->name));
    bool is_join = str_equal(step->name, STR("join"));
    bool is_union = str_equal(step->name, STR("union"));
    if ((is_join || is_union) && ++limits->joins == JOINS_MAX + 1)
        tell(limits, step->span, "more than %d joins and unions in a query", JOINS_MAX);
    if (is_join)
        check_join(limits, step);
    if (is_union) {
        const AstParam *fuzzy = find_param(step, "isfuzzy");
        if (fuzzy)
            tell(limits, fuzzy->span, "union isfuzzy is not allowed");
    }
    if (str_equal(step->name, STR("mv-expand")) || str_equal(step->name, STR("mvexpand"))) {
        if (++limits->expands == EXPANDS_MAX + 1)
            tell(limits, step->span, "more than %d mv-expands in a query", EXPANDS_MAX);
        if (step->expr && step->expr->kind == AST_LITERAL && step->expr->value.type == TYPE_LONG &&
            step->expr->value.int64 > EXPAND_ROWS_MAX)
            tell(limits, step->expr->span, "mv-expand takes a limit of at most %d rows",
                 EXPAND_ROWS_MAX);
    }
}

static void
walk_operator(Limits *limits, const AstOperator *step)
{
    check_operator(limits, step);
    walk_items(limits, &step->items);
    walk_items(limits, &step->by);
    walk_items(limits, &step->on);
    walk_expr(limits, step->expr);
    walk_expr(limits, step->right);
    walk_expr(limits, step->body);
    walk_expr(limits, step->from);
    walk_expr(limits, step->to);
    walk_expr(limits, step->step);
}

static void
check_call(Limits *limits, const AstExpr *call)
{
    // What needs another service, or reaches outside of Resource Graph.
    static const Str REFUSED[] = {
        STR_INIT("cluster"),
        STR_INIT("database"),
        STR_INIT("workspace"),
        STR_INIT("app"),
        STR_INIT("adx"),
        STR_INIT("table"),
        STR_INIT("external_table"),
        STR_INIT("materialized_view"),
    };
    if (is_one_of(call->name.text, REFUSED, COUNT_OF(REFUSED)))
        tell(limits, call->span, "%.*s() reaches outside of Resource Graph",
             STR_ARG(call->name.text));
}

// Trees are at most AST_HEIGHT_MAX high.
static void
walk_expr(Limits *limits, const AstExpr *expr)
{
    if (!expr)
        return;
    if (expr->kind == AST_CALL)
        check_call(limits, expr);
    walk_expr(limits, expr->base);
    walk_expr(limits, expr->index);
    for (size_t i = 0; i < expr->args.len; i++)
        walk_expr(limits, expr->args.items[i]);
    for (size_t i = 0; i < expr->operator_count; i++)
        walk_operator(limits, expr->operators[i]);
}

static void
walk_statements(Limits *limits, const AstStatementList *statements)
{
    for (size_t i = 0; i < statements->len; i++) {
        const AstStatement *statement = &statements->items[i];
        if (statement->kind != AST_TABULAR && statement->kind != AST_LET)
            tell(limits, statement->span,
                 "a query may hold let statements with values and a table only");
        walk_expr(limits, statement->value);
        if (statement->function)
            walk_statements(limits, &statement->function->body);
    }
}

void
kql_graph_limits(const AstQuery *query, Buffer *out)
{
    Limits limits = {.text = query->text, .out = out};
    walk_statements(&limits, &query->statements);
    uint32_t results = 0;
    for (size_t i = 0; i < query->statements.len; i++)
        if (query->statements.items[i].kind == AST_TABULAR && ++results == 2)
            tell(&limits, query->statements.items[i].span, "a query has one result");
}
