// Graph operators: make-graph, graph-match and its kin. Patterns are read from the
// plain symbols of the lexer: `-[e*1..5]->` is nine tokens, `-->` three.

#include "base/array.h"
#include "kql/parser_state.h"

// ---- patterns ----

// ( [name] )
static bool
parse_graph_node(Parser *p, AstGraphPart *out)
{
    *out = (AstGraphPart){.span = p->token->span};
    if (!parser_expect_symbol(p, "(", "before a node of the pattern") ||
        (!parser_is_symbol(p, ")") && !parse_name(p, &out->name, "the node's name")) ||
        !parser_expect_symbol(p, ")", "after a node of the pattern"))
        return false;
    out->span = parser_span(p, out->span.start);
    return true;
}

// [ [name] [* min .. max] ]
static bool
parse_edge_inside(Parser *p, AstGraphPart *out)
{
    parser_advance(p); // [
    if (p->token->kind == TOKEN_NAME || p->token->kind == TOKEN_QUOTED)
        parse_name(p, &out->name, "the edge's name");
    if (parser_take_symbol(p, "*")) {
        if (!(out->min = parse_primary(p)) ||
            !parser_expect_symbol(p, "..", "between the lengths of the edge") ||
            !(out->max = parse_primary(p)))
            return false;
    }
    return parser_expect_symbol(p, "]", "after the edge");
}

// --> <-- -- -[e]-> <-[e]- -[e]-
static bool
parse_graph_edge(Parser *p, AstGraphPart *out)
{
    *out = (AstGraphPart){.is_edge = true, .span = p->token->span};
    bool backward = parser_take_symbol(p, "<");
    if (!parser_expect_symbol(p, "-", "of an edge such as '-->' or '-[e]->'") ||
        (parser_is_symbol(p, "[") && !parse_edge_inside(p, out)) ||
        !parser_expect_symbol(p, "-", "of an edge such as '-->' or '-[e]->'"))
        return false;
    bool forward = !backward && parser_take_symbol(p, ">");
    out->direction = backward ? AST_BACKWARD : forward ? AST_FORWARD : AST_EITHER_WAY;
    out->span = parser_span(p, out->span.start);
    return true;
}

static bool
parse_graph_pattern(Parser *p, AstGraphPattern *out)
{
    AstGraphPart part;
    if (!parse_graph_node(p, &part))
        return false;
    ARRAY_PUSH(p->arena, out, part);
    while (parser_is_symbol(p, "-") || parser_is_symbol(p, "<")) {
        if (!parse_graph_edge(p, &part))
            return false;
        ARRAY_PUSH(p->arena, out, part);
        if (!parse_graph_node(p, &part))
            return false;
        ARRAY_PUSH(p->arena, out, part);
    }
    return true;
}

// graph-match and graph-shortest-paths: pattern, ... [where predicate] [project columns]
bool
read_graph_match(Parser *p, AstOperator *out)
{
    if (!parse_parameters(p, out))
        return false;
    do {
        AstGraphPattern pattern = {0};
        if (!parse_graph_pattern(p, &pattern))
            return false;
        ARRAY_PUSH(p->arena, &out->patterns, pattern);
    } while (parser_take_symbol(p, ","));
    if (parser_take_word(p, "where") && !(out->expr = parse_expression(p)))
        return false;
    return !parser_take_word(p, "project") || parse_items(p, &out->project);
}

// ---- making and unmaking ----

static bool
parse_node_tables(Parser *p, AstOperator *out)
{
    do {
        AstBranch table;
        if (!(table.body = parse_expression(p)) ||
            !parser_expect_word(p, "on", "before the nodes' key column") ||
            !parse_name(p, &table.name, "the nodes' key column"))
            return false;
        ARRAY_PUSH(p->arena, &out->branches, table);
    } while (parser_take_symbol(p, ","));
    return true;
}

// partitioned-by column ( sub-query )
static bool
parse_partitioned_by(Parser *p, AstOperator *out)
{
    if (!parser_is_word(p, "partitioned") || !parser_next_is_symbol(p, "-"))
        return true;
    parser_advance(p);
    parser_advance(p);
    AstItem key = {.span = p->token->span};
    if (!parser_expect_word(p, "by", "after 'partitioned-'") || !(key.expr = parse_column(p)))
        return false;
    ARRAY_PUSH(p->arena, &out->by, key);
    out->has_by = true;
    out->body = parse_body(p);
    return out->body != NULL;
}

// make-graph source --> target [with table on key, ... | with_node_id=name]
bool
read_make_graph(Parser *p, AstOperator *out)
{
    if (!parse_parameters(p, out) || !(out->from = parse_primary(p)) ||
        !parser_expect_symbol(p, "-", "of '-->' between source and target") ||
        !parser_expect_symbol(p, "-", "of '-->' between source and target") ||
        !parser_expect_symbol(p, ">", "of '-->' between source and target") ||
        !(out->to = parse_primary(p)) || !parse_parameters(p, out))
        return false;
    if (parser_take_word(p, "with") && !parse_node_tables(p, out))
        return false;
    return parse_partitioned_by(p, out);
}

// graph-to-table nodes [as name] [with_node_id=x], edges [as name] [with_source_id=x ...]
bool
read_graph_to_table(Parser *p, AstOperator *out)
{
    do {
        AstGraphOutput output = {.span = p->token->span};
        output.is_edges = parser_is_word(p, "edges");
        if (!parser_take_word(p, "nodes") && !parser_take_word(p, "edges"))
            return parser_fail(p, "'nodes' or 'edges'");
        if (parser_take_word(p, "as") && !parse_name(p, &output.name, "a name after 'as'"))
            return false;
        AstOperator clause = {0};
        if (!parse_parameters(p, &clause))
            return false;
        output.params = clause.params;
        output.span = parser_span(p, output.span.start);
        ARRAY_PUSH(p->arena, &out->outputs, output);
    } while (parser_take_symbol(p, ","));
    return true;
}
