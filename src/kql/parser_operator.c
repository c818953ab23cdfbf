// Tabular operators: which clauses each has and how they are read.

#include "base/array.h"
#include "kql/parser.h"
#include "kql/parser_state.h"

typedef bool (*ClauseReader)(Parser *p, AstOperator *out);

typedef struct OperatorGrammar {
    const char *written; // spelling in the query
    const char *name;    // canonical
    bool source;         // may stand first
    bool step;           // may stand behind `|`
    ClauseReader read;
} OperatorGrammar;

// ---- clauses ----

// name=value pairs: hint.strategy=shuffle, kind=inner, withsource=T.
static bool
at_parameter(const Parser *p)
{
    if (p->token->kind != TOKEN_NAME)
        return false;
    const Token *t = p->token + 1;
    while (t->kind == TOKEN_SYMBOL && str_equal(t->text, STR(".")) && t[1].kind == TOKEN_NAME)
        t += 2;
    return t->kind == TOKEN_SYMBOL && str_equal(t->text, STR("="));
}

// One such pair, at the cursor.
static bool
parse_parameter(Parser *p, AstOperator *out)
{
    AstParam param = {0};
    uint32_t start = p->token->span.start;
    while (!parser_is_symbol(p, "="))
        parser_advance(p);
    param.name = str_trim(str_slice(p->text, start, p->token->span.start));
    parser_advance(p);
    if (p->token->kind == TOKEN_NAME || p->token->kind == TOKEN_QUOTED) {
        AstName value;
        bool names = str_equal(param.name, STR("withsource"));
        if (!(names ? parse_name : parse_word)(p, &value, "a value"))
            return false;
        param.text = value.text;
    } else if (!(param.expr = parse_primary(p))) {
        return false;
    }
    param.span = parser_span(p, start);
    ARRAY_PUSH(p->arena, &out->params, param);
    return true;
}

bool
parse_parameters(Parser *p, AstOperator *out)
{
    while (at_parameter(p))
        if (!parse_parameter(p, out))
            return false;
    return true;
}

// Only hints and the named parameters, so that `summarize x=count()` is no parameter.
static bool
parse_known_parameters(Parser *p, AstOperator *out, const char *const *names, size_t count)
{
    for (;;) {
        bool known = parser_is_word(p, "hint") && at_parameter(p);
        for (size_t i = 0; i < count && !known; i++)
            known = parser_is_word(p, names[i]) && parser_next_is_symbol(p, "=");
        if (!known)
            return true;
        if (!parse_parameter(p, out))
            return false;
    }
}

static bool
parse_by(Parser *p, AstOperator *out)
{
    if (!parser_take_word(p, "by"))
        return true;
    out->has_by = true;
    return parse_items(p, &out->by);
}

// asc, desc, nulls first, nulls last behind a sort key.
bool
parse_order_suffix(Parser *p, AstItem *item)
{
    item->descending = true;
    if (parser_is_word(p, "asc") || parser_is_word(p, "desc")) {
        item->has_order = true;
        item->descending = parser_is_word(p, "desc");
        parser_advance(p);
    }
    item->nulls_first = !item->descending;
    if (parser_take_word(p, "nulls")) {
        item->has_nulls = true;
        item->nulls_first = parser_is_word(p, "first");
        if (!parser_take_word(p, "first") && !parser_take_word(p, "last"))
            return parser_fail(p, "'first' or 'last' after 'nulls'");
    }
    return true;
}

bool
parse_sort_keys(Parser *p, AstItemList *out)
{
    do {
        AstItem item;
        if (!parse_item(p, &item) || !parse_order_suffix(p, &item))
            return false;
        ARRAY_PUSH(p->arena, out, item);
    } while (parser_take_symbol(p, ","));
    return true;
}

// A column or a path in one, as partition's key: `by a (` is no call.
AstExpr *
parse_column(Parser *p)
{
    AstExpr *column = ast_new(p, AST_NAME, p->token->span);
    if (!parse_name(p, &column->name, "a column name after 'by'"))
        return NULL;
    while (parser_take_symbol(p, ".")) {
        AstExpr *member = ast_new(p, AST_MEMBER, column->span);
        member->base = column;
        if (!parse_special_name(p, &member->name, "a member name after '.'") ||
            !parser_set_height(p, member, member->base, member->index))
            return NULL;
        member->span = parser_span(p, column->span.start);
        column = member;
    }
    return column;
}

// Items whose names may hold stars.
bool
parse_name_items(Parser *p, AstItemList *out)
{
    bool before = p->patterns;
    p->patterns = true;
    bool done = parse_items(p, out);
    p->patterns = before;
    return done;
}

bool
parser_at_pipe_end(const Parser *p)
{
    return p->token->kind == TOKEN_END || parser_is_symbol(p, "|") || parser_is_symbol(p, ")") ||
           parser_is_symbol(p, ";") || parser_is_symbol(p, "}");
}

// ---- operators with one or two clauses ----

static bool
read_parameters(Parser *p, AstOperator *out)
{
    return parse_parameters(p, out);
}

static bool
read_expression(Parser *p, AstOperator *out)
{
    out->expr = parse_expression(p);
    return out->expr != NULL;
}

static bool
read_where(Parser *p, AstOperator *out)
{
    if (!parse_known_parameters(p, out, NULL, 0) || !read_expression(p, out))
        return false;
    // The grammar reads `where a = 1` as a name with a value; the binder says what it
    // thinks of it.
    if (out->expr->kind == AST_NAME && parser_is_symbol(p, "=")) {
        out->as = out->expr->name;
        parser_advance(p);
        return read_expression(p, out);
    }
    return true;
}

static bool
read_items(Parser *p, AstOperator *out)
{
    return parse_items(p, &out->items);
}

// distinct a, b: only hints are parameters.
static bool
read_distinct(Parser *p, AstOperator *out)
{
    return parse_known_parameters(p, out, NULL, 0) && parse_items(p, &out->items);
}

// project-away, project-keep
static bool
read_name_items(Parser *p, AstOperator *out)
{
    return parse_name_items(p, &out->items);
}

static bool
read_schema(Parser *p, AstOperator *out)
{
    return parse_columns(p, &out->columns);
}

// project-reorder a desc, b*: sort words behind names.
static bool
read_reorder(Parser *p, AstOperator *out)
{
    do {
        AstItem item;
        p->patterns = true;
        bool done = parse_item(p, &item);
        p->patterns = false;
        if (!done)
            return false;
        if (parser_is_word(p, "granny") && parser_next_is_symbol(p, "-")) {
            parser_advance(p);
            parser_advance(p);
            item.granny = true;
            if (!parser_is_word(p, "asc") && !parser_is_word(p, "desc"))
                return parser_fail(p, "'asc' or 'desc' after 'granny-'");
        }
        if (parser_is_word(p, "asc") || parser_is_word(p, "desc")) {
            item.has_order = true;
            item.descending = parser_is_word(p, "desc");
            parser_advance(p);
        }
        ARRAY_PUSH(p->arena, &out->items, item);
    } while (parser_take_symbol(p, ","));
    return true;
}

static bool
read_summarize(Parser *p, AstOperator *out)
{
    if (!parse_known_parameters(p, out, NULL, 0))
        return false;
    bool has_items = !parser_is_word(p, "by");
    if (has_items && !parse_items(p, &out->items))
        return false;
    return parse_by(p, out);
}

static bool
read_sort(Parser *p, AstOperator *out)
{
    return parse_known_parameters(p, out, NULL, 0) &&
           parser_expect_word(p, "by", "after 'sort' or 'order'") && parse_sort_keys(p, &out->by);
}

static bool
read_top(Parser *p, AstOperator *out)
{
    return parse_known_parameters(p, out, NULL, 0) && read_expression(p, out) &&
           parser_expect_word(p, "by", "after the number of rows") && parse_sort_keys(p, &out->by);
}

static bool
read_count(Parser *p, AstOperator *out)
{
    return !parser_take_word(p, "as") || parse_name(p, &out->as, "a column name after 'as'");
}

static bool
read_as(Parser *p, AstOperator *out)
{
    return parse_known_parameters(p, out, NULL, 0) && parse_name(p, &out->as, "a name after 'as'");
}

static bool
read_sample_distinct(Parser *p, AstOperator *out)
{
    AstItem item;
    if (!read_expression(p, out) || !parser_expect_word(p, "of", "after the number of values") ||
        !parse_item(p, &item))
        return false;
    ARRAY_PUSH(p->arena, &out->items, item);
    return true;
}

static bool
read_serialize(Parser *p, AstOperator *out)
{
    if (!parse_known_parameters(p, out, NULL, 0))
        return false;
    return parser_at_pipe_end(p) || parse_items(p, &out->items);
}

// ---- tables ----
// Behind the parameters that an operator has there is no other.
static bool
no_parameter(Parser *p, const char *known)
{
    return !at_parameter(p) || parser_fail(p, known);
}

static bool
read_join(Parser *p, AstOperator *out)
{
    static const char *const NAMES[] = {"kind"};
    if (!parse_known_parameters(p, out, NAMES, COUNT_OF(NAMES)) || !no_parameter(p, "kind"))
        return false;
    out->right = parser_is_symbol(p, "(") ? parse_primary(p) : parse_expression(p);
    if (!out->right)
        return false;
    if (!parser_take_word(p, "on")) {
        if (parser_take_word(p, "where"))
            return read_expression(p, out);
        return parser_fail(p, "'on' and the join's conditions");
    }
    return parse_items(p, &out->on);
}

static bool
read_union(Parser *p, AstOperator *out)
{
    static const char *const NAMES[] = {"kind", "withsource", "with_source", "isfuzzy"};
    return parse_known_parameters(p, out, NAMES, COUNT_OF(NAMES)) &&
           no_parameter(p, "kind, withsource or isfuzzy") && parse_name_items(p, &out->items);
}

static bool
read_call(Parser *p, AstOperator *out)
{
    if (!parse_known_parameters(p, out, NULL, 0))
        return false;
    out->right = parse_primary(p);
    if (!out->right)
        return false;
    // invoke database("d").f(...)
    while (parser_take_symbol(p, ".")) {
        AstExpr *member = ast_new(p, AST_MEMBER, out->right->span);
        member->base = out->right;
        if (p->token->kind != TOKEN_NAME || !parser_next_is_symbol(p, "("))
            return parser_fail(p, "a function call after '.'");
        if (!(member->index = parse_primary(p)) ||
            !parser_set_height(p, member, member->base, member->index))
            return false;
        member->span = parser_span(p, member->span.start);
        out->right = member;
    }
    // evaluate plugin(...) : (a:long, ...)
    if (!parser_take_symbol(p, ":"))
        return true;
    if (!parser_is_symbol(p, "(") || !parser_next_is_symbol(p, "*"))
        return parse_columns(p, &out->columns);
    // (*, b:string): the input's columns first
    out->open_columns = true;
    parser_advance(p); // (
    parser_advance(p); // *
    parser_take_symbol(p, ",");
    return parse_columns_rest(p, &out->columns);
}

// ---- mv-expand, mv-apply ----

static bool
parse_typed_items(Parser *p, AstItemList *out)
{
    do {
        AstItem item;
        if (!parse_item(p, &item))
            return false;
        if (parser_take_word(p, "to")) {
            if (!parser_expect_word(p, "typeof", "after 'to'") ||
                !parser_expect_symbol(p, "(", "after 'typeof'") || !parse_type(p, &item.to_type) ||
                !parser_expect_symbol(p, ")", "after the type"))
                return false;
        }
        ARRAY_PUSH(p->arena, out, item);
    } while (parser_take_symbol(p, ","));
    return true;
}

static bool
parse_limit(Parser *p, AstOperator *out)
{
    if (!parser_take_word(p, "limit"))
        return true;
    return read_expression(p, out);
}

static bool
read_mv_expand(Parser *p, AstOperator *out)
{
    static const char *const NAMES[] = {"kind", "bagexpansion", "with_itemindex"};
    return parse_known_parameters(p, out, NAMES, COUNT_OF(NAMES)) &&
           parse_typed_items(p, &out->items) && parse_limit(p, out);
}

static bool
read_mv_apply(Parser *p, AstOperator *out)
{
    static const char *const NAMES[] = {"kind", "bagexpansion", "with_itemindex", "id"};
    if (!parse_known_parameters(p, out, NAMES, COUNT_OF(NAMES)) ||
        !parse_typed_items(p, &out->items) || !parse_limit(p, out) ||
        !parser_expect_word(p, "on", "before the sub-query"))
        return false;
    out->body = parse_body(p);
    return out->body != NULL;
}

static bool
read_partition(Parser *p, AstOperator *out)
{
    AstItem key = {.span = p->token->span};
    if (!parse_known_parameters(p, out, NULL, 0) ||
        !parser_expect_word(p, "by", "after 'partition'") || !(key.expr = parse_column(p)))
        return false;
    key.span = key.expr->span;
    ARRAY_PUSH(p->arena, &out->by, key);
    out->has_by = true;
    if (parser_take_symbol(p, "{")) { // the older form names its own source
        out->body = parse_pipe_expression(p);
        return out->body && parser_expect_symbol(p, "}", "after the sub-query");
    }
    if (!parser_is_symbol(p, "("))
        return parser_fail(p, "'(' and the sub-query of each partition");
    out->body = parse_body(p);
    return out->body != NULL;
}

// ---- make-series ----

static bool
read_make_series(Parser *p, AstOperator *out)
{
    static const char *const NAMES[] = {"kind"};
    if (!parse_known_parameters(p, out, NAMES, COUNT_OF(NAMES)))
        return false;
    do {
        AstItem item;
        if (!parse_item(p, &item))
            return false;
        if (parser_take_word(p, "default") && parser_expect_symbol(p, "=", "after 'default'")) {
            item.default_ = parse_expression(p);
            if (!item.default_)
                return false;
        }
        ARRAY_PUSH(p->arena, &out->items, item);
    } while (parser_take_symbol(p, ","));
    AstItem axis;
    if (!parser_expect_word(p, "on", "before the axis of make-series") || !parse_item(p, &axis))
        return false;
    ARRAY_PUSH(p->arena, &out->on, axis);
    if (parser_take_word(p, "in")) {
        out->is_range = true;
        if (!parser_expect_word(p, "range", "after 'in'") ||
            !parser_expect_symbol(p, "(", "after 'range'") || !(out->from = parse_expression(p)) ||
            !parser_expect_symbol(p, ",", "between the bounds") ||
            !(out->to = parse_expression(p)) || !parser_expect_symbol(p, ",", "before the step") ||
            !(out->step = parse_expression(p)) || !parser_expect_symbol(p, ")", "after the step"))
            return false;
        return parse_by(p, out);
    }
    if ((parser_take_word(p, "from") && !(out->from = parse_expression(p))) ||
        (parser_take_word(p, "to") && !(out->to = parse_expression(p))) ||
        !parser_expect_word(p, "step", "and the width of a bin") ||
        !(out->step = parse_expression(p)))
        return false;
    return parse_by(p, out);
}

// ---- parse ----

// What a star or a column matches ends where the next text is found: so a text comes behind
// a star, and between two columns; a star cannot follow a column of text.
static bool
check_pattern(Parser *p, const AstParseList *parts)
{
    for (size_t i = 0; i + 1 < parts->len; i++) {
        const AstParsePart *part = &parts->items[i], *next = part + 1;
        if (part->is_text || next->is_text)
            continue;
        if (part->is_star)
            return error_at(p->error, AZ_SYNTAX, part->span,
                            "a text in quotes must follow '*', to say where it ends");
        if (!next->is_star)
            return error_at(p->error, AZ_SYNTAX, next->span,
                            "a text in quotes must stand between two columns");
        if (part->type == TYPE_STRING)
            return error_at(p->error, AZ_SYNTAX, next->span,
                            "'*' cannot follow a column of type string: which takes what?");
    }
    return true;
}

static bool
parse_pattern(Parser *p, AstOperator *out)
{
    while (!parser_at_pipe_end(p)) {
        AstParsePart part = {.span = p->token->span, .type = TYPE_STRING};
        if (parser_take_symbol(p, "*")) {
            part.is_star = true;
        } else if (p->token->kind == TOKEN_LITERAL && p->token->value.type == TYPE_STRING) {
            part.is_text = true;
            part.text = text_str(&p->token->value.text);
            parser_advance(p);
        } else {
            if (!parse_assigned_name(p, &part.column, "a column, '*' or a text in quotes"))
                return false;
            if (parser_take_symbol(p, ":") && !parse_type(p, &part.type))
                return false;
        }
        part.span = parser_span(p, part.span.start);
        ARRAY_PUSH(p->arena, &out->parts, part);
        parser_take_symbol(p, ",");
    }
    if (!check_pattern(p, &out->parts))
        return false;
    return out->parts.len || parser_fail(p, "a pattern after 'with'");
}

static bool
read_parse(Parser *p, AstOperator *out)
{
    static const char *const NAMES[] = {"kind", "flags"};
    return parse_known_parameters(p, out, NAMES, COUNT_OF(NAMES)) && read_expression(p, out) &&
           parser_expect_word(p, "with", "before the pattern") && parse_pattern(p, out);
}

static bool
read_parse_kv(Parser *p, AstOperator *out)
{
    if (!read_expression(p, out) || !parser_expect_word(p, "as", "before the columns") ||
        !parse_columns(p, &out->columns))
        return false;
    if (!parser_take_word(p, "with"))
        return true;
    if (!parser_expect_symbol(p, "(", "after 'with'"))
        return false;
    while (!parser_is_symbol(p, ")")) {
        static const char *const NAMES[] = {"pair_delimiter", "kv_delimiter", "quote",
                                            "escape",         "greedy",       "regex"};
        size_t before = out->params.len;
        if (!parse_known_parameters(p, out, NAMES, COUNT_OF(NAMES)))
            return false;
        if (out->params.len == before)
            return parser_fail(p, "pair_delimiter, kv_delimiter, quote, escape, greedy or regex");
        if (!parser_take_symbol(p, ","))
            break;
    }
    return parser_expect_symbol(p, ")", "after the delimiters");
}

// ---- sources ----

static bool
read_range(Parser *p, AstOperator *out)
{
    return parse_name(p, &out->as, "a column name after 'range'") &&
           parser_expect_word(p, "from", "after the column of range") &&
           (out->from = parse_expression(p)) &&
           parser_expect_word(p, "to", "before the last value of range") &&
           (out->to = parse_expression(p)) &&
           parser_expect_word(p, "step", "before the step of range") &&
           (out->step = parse_expression(p));
}

static bool
read_datatable(Parser *p, AstOperator *out)
{
    if (!parse_columns(p, &out->columns))
        return false;
    // ["x"] with one text in it is read as a quoted name by the lexer.
    if (p->token->kind == TOKEN_QUOTED) {
        AstExpr *cell = ast_new(p, AST_LITERAL, p->token->span);
        cell->value = value_string(p->token->text);
        ARRAY_PUSH(p->arena, &out->rows, cell);
        parser_advance(p);
        return true;
    }
    if (!parser_expect_symbol(p, "[", "before the rows"))
        return false;
    while (!parser_is_symbol(p, "]")) {
        AstExpr *cell = parse_expression(p);
        if (!cell)
            return false;
        ARRAY_PUSH(p->arena, &out->rows, cell);
        if (!parser_take_symbol(p, ","))
            break;
    }
    return parser_expect_symbol(p, "]", "after the rows");
}

static bool
read_externaldata(Parser *p, AstOperator *out)
{
    if (!read_datatable(p, out))
        return false;
    return !parser_take_word(p, "with") || parse_properties(p, &out->properties);
}

// partition by (name:type [= expression], ...)
static bool
read_partitions(Parser *p, AstOperator *out)
{
    return parser_expect_word(p, "by", "after 'partition'") &&
           parse_declared(p, &out->declared, &out->declared_count);
}

// pathformat = ('text' column datetime_pattern('format', column) ...): how the service
// lays out folders; kept as it was written.
static bool
read_path_format(Parser *p, AstOperator *out)
{
    AstParam format = {.name = STR("pathformat"), .span = p->token->span};
    parser_advance(p); // pathformat
    if (!parser_expect_symbol(p, "=", "after 'pathformat'") ||
        !parser_expect_symbol(p, "(", "before the parts of the path"))
        return false;
    uint32_t start = p->token[-1].span.start;
    while (!parser_is_symbol(p, ")"))
        if (!parse_expression(p))
            return false;
    parser_advance(p);
    format.text = str_slice(p->text, start, parser_span(p, start).end);
    ARRAY_PUSH(p->arena, &out->params, format);
    return true;
}

// inline_external_table [(columns)] kind=storage [partition by ...] [pathformat = ...]
// dataformat=csv (path, ...) [with (...)]
static bool
read_inline_external_table(Parser *p, AstOperator *out)
{
    if (parser_is_symbol(p, "(") && !parse_columns(p, &out->columns))
        return false;
    while (!parser_is_symbol(p, "(")) {
        bool done;
        if (parser_take_word(p, "partition"))
            done = read_partitions(p, out);
        else if (parser_is_word(p, "pathformat"))
            done = read_path_format(p, out);
        else if (at_parameter(p))
            done = parse_parameter(p, out);
        else
            done = parser_fail(p, "kind=..., dataformat=... or the paths in parentheses");
        if (!done)
            return false;
    }
    parser_advance(p);
    while (!parser_is_symbol(p, ")")) {
        AstExpr *path = parse_expression(p);
        if (!path)
            return false;
        ARRAY_PUSH(p->arena, &out->rows, path);
        if (!parser_take_symbol(p, ","))
            break;
    }
    return parser_expect_symbol(p, ")", "after the paths") &&
           (!parser_take_word(p, "with") || parse_properties(p, &out->properties));
}

static bool
read_print(Parser *p, AstOperator *out)
{
    return parse_items(p, &out->items);
}

static bool
read_search(Parser *p, AstOperator *out)
{
    static const char *const NAMES[] = {"kind"};
    if (!parse_known_parameters(p, out, NAMES, COUNT_OF(NAMES)))
        return false;
    if (parser_take_word(p, "in")) {
        if (!parse_table_list(p, &out->items))
            return false;
    }
    return read_expression(p, out);
}

// ---- the table ----

static const OperatorGrammar OPERATORS[] = {
    {"as", "as", false, true, read_as},
    {"assert-schema", "assert-schema", false, true, read_schema},
    {"consume", "consume", false, true, read_parameters},
    {"count", "count", false, true, read_count},
    {"datatable", "datatable", true, false, read_datatable},
    {"distinct", "distinct", false, true, read_distinct},
    {"evaluate", "evaluate", true, true, read_call},
    {"execute-and-cache", "execute-and-cache", false, true, read_parameters},
    {"extend", "extend", false, true, read_items},
    {"externaldata", "externaldata", true, false, read_externaldata},
    {"external_data", "externaldata", true, false, read_externaldata},
    {"facet", "facet", false, true, read_facet},
    {"filter", "where", false, true, read_where},
    {"find", "find", true, true, read_find},
    {"fork", "fork", false, true, read_fork},
    {"getschema", "getschema", false, true, read_parameters},
    {"graph-mark-components", "graph-mark-components", false, true, read_parameters},
    {"graph-match", "graph-match", false, true, read_graph_match},
    {"graph-shortest-paths", "graph-shortest-paths", false, true, read_graph_match},
    {"graph-to-table", "graph-to-table", false, true, read_graph_to_table},
    {"graph-where-edges", "graph-where-edges", false, true, read_expression},
    {"graph-where-nodes", "graph-where-nodes", false, true, read_expression},
    {"inline_external_table", "inline_external_table", true, false, read_inline_external_table},
    {"invoke", "invoke", false, true, read_call},
    {"join", "join", false, true, read_join},
    {"limit", "take", false, true, read_expression},
    {"lookup", "lookup", false, true, read_join},
    {"macro-expand", "macro-expand", true, true, read_macro_expand},
    {"make-graph", "make-graph", false, true, read_make_graph},
    {"make-series", "make-series", false, true, read_make_series},
    {"mv-apply", "mv-apply", false, true, read_mv_apply},
    {"mvapply", "mv-apply", false, true, read_mv_apply},
    {"mv-expand", "mv-expand", false, true, read_mv_expand},
    {"mvexpand", "mvexpand", false, true, read_mv_expand},
    {"order", "sort", false, true, read_sort},
    {"parse", "parse", false, true, read_parse},
    {"parse-kv", "parse-kv", false, true, read_parse_kv},
    {"parse-where", "parse-where", false, true, read_parse},
    {"partition", "partition", false, true, read_partition},
    {"print", "print", true, false, read_print},
    {"project", "project", false, true, read_items},
    {"project-away", "project-away", false, true, read_name_items},
    {"project-by-names", "project-by-names", false, true, read_items},
    {"project-keep", "project-keep", false, true, read_name_items},
    {"project-rename", "project-rename", false, true, read_items},
    {"project-reorder", "project-reorder", false, true, read_reorder},
    {"range", "range", true, false, read_range},
    {"reduce", "reduce", false, true, read_reduce},
    {"render", "render", false, true, read_render},
    {"sample", "sample", false, true, read_expression},
    {"sample-distinct", "sample-distinct", false, true, read_sample_distinct},
    {"scan", "scan", false, true, read_scan},
    {"search", "search", true, true, read_search},
    {"serialize", "serialize", false, true, read_serialize},
    {"sort", "sort", false, true, read_sort},
    {"summarize", "summarize", false, true, read_summarize},
    {"take", "take", false, true, read_expression},
    {"top", "top", false, true, read_top},
    {"top-hitters", "top-hitters", false, true, read_top_hitters},
    {"top-nested", "top-nested", false, true, read_top_nested},
    {"union", "union", true, true, read_union},
    {"where", "where", false, true, read_where},
};

const char *
kql_operator_spelling(size_t index)
{
    return index < COUNT_OF(OPERATORS) ? OPERATORS[index].written : NULL;
}

// The name at the cursor with its hyphenated parts: mv-expand, graph-to-table.
static Str
operator_name(const Parser *p, size_t *tokens)
{
    const Token *last = p->token;
    while (last[1].kind == TOKEN_SYMBOL && str_equal(last[1].text, STR("-")) && last[1].glued &&
           last[2].kind == TOKEN_NAME && last[2].glued)
        last += 2;
    *tokens = (size_t)(last - p->token) + 1;
    return str_slice(p->text, p->token->span.start, last->span.end);
}

static const OperatorGrammar *
find_operator(Str name)
{
    for (size_t i = 0; i < COUNT_OF(OPERATORS); i++)
        if (str_equal(name, str_from(OPERATORS[i].written)))
            return &OPERATORS[i];
    return NULL;
}

bool
parser_at_source(const Parser *p)
{
    if (p->token->kind != TOKEN_NAME)
        return false;
    size_t tokens;
    const OperatorGrammar *grammar = find_operator(operator_name(p, &tokens));
    if (!grammar || !grammar->source)
        return false;
    // A table may bear the name: it is then followed by what ends a name.
    const Token *next = p->token + tokens;
    if (next->kind == TOKEN_END)
        return false;
    if (next->kind != TOKEN_SYMBOL)
        return true;
    static const char *const ENDS[] = {"|", ")", ",",  ";",  "=",  "==", ".", "}",
                                       ">", "<", ">=", "<=", "!=", "+",  "/", "%"};
    for (size_t i = 0; i < COUNT_OF(ENDS); i++)
        if (str_equal(next->text, str_from(ENDS[i])))
            return false;
    // range(1, 2) is the function.
    return !(str_equal(next->text, STR("(")) && str_equal(str_from(grammar->name), STR("range")));
}

static AstOperator *
unknown_operator(Parser *p, Str name, Span span)
{
    Str names[COUNT_OF(OPERATORS)];
    for (size_t i = 0; i < COUNT_OF(OPERATORS); i++)
        names[i] = str_from(OPERATORS[i].written);
    ptrdiff_t near = str_nearest(name, names, COUNT_OF(OPERATORS));
    if (p->error && p->error->code != AZ_OK)
        return NULL;
    if (near >= 0)
        error_at(p->error, AZ_SYNTAX, span, "there is no operator '%.*s'; did you mean '%s'?",
                 STR_ARG(name), OPERATORS[near].written);
    else
        error_at(p->error, AZ_SYNTAX, span, "there is no operator '%.*s'", STR_ARG(name));
    return NULL;
}

AstOperator *
parse_operator(Parser *p, bool is_source)
{
    if (p->token->kind != TOKEN_NAME) {
        parser_fail(p, "an operator (where, project, summarize ...)");
        return NULL;
    }
    size_t tokens;
    Str name = operator_name(p, &tokens);
    Span span = {p->token->span.start, p->token[tokens - 1].span.end};
    const OperatorGrammar *grammar = find_operator(name);
    if (!grammar)
        return unknown_operator(p, name, span);
    if (!is_source && !grammar->step) {
        error_at(p->error, AZ_SYNTAX, span, "'%.*s' begins a query; it cannot stand behind '|'",
                 STR_ARG(name));
        return NULL;
    }
    AstOperator *step = ARENA_NEW(p->arena, AstOperator);
    step->name = str_from(grammar->name);
    step->span = span;
    for (size_t i = 0; i < tokens; i++)
        parser_advance(p);
    return grammar->read(p, step) ? step : NULL;
}
