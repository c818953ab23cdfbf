// graph-match and graph-shortest-paths: patterns, and their where and project.
//
// The conjuncts of `where` that speak of one variable only become filters of the match:
// they are asked once for each node or edge of the graph, not for each row. So is
// all(e, condition) on the edges or the inner nodes of a variable-length edge. The rest
// filters rows. A condition on properties of a variable-length edge (`e.kind == "x"`)
// means every edge of it (Kusto docs, graph-match operator: all edges of the sequence
// must meet the constraints of the where clause).

#include "kql/bind_graph.h"

typedef struct MatchBinder {
    Binder *b;
    Plan *plan;
    GraphMatch *match;
    GraphNames names;
    struct {
        GraphEdgeVariable *items;
        size_t len, cap;
    } edges;
    struct {
        GraphFilter *items;
        size_t len, cap;
    } filters;
    GraphScope scope;
    Expr *residual; // what of `where` is asked of each row
} MatchBinder;

// ---- patterns ----

static bool
bind_length(Binder *b, const AstExpr *ast, uint32_t *out)
{
    Expr *value = bind_constant(b, ast, TYPE_LONG, "the length of an edge");
    if (!value)
        return false;
    if (value->kind != EXPR_CONST || value->value.is_null || value->value.int64 < 0 ||
        value->value.int64 > INT32_MAX)
        return bind_fail(b, ast->span, "the length of an edge must be a whole number from 0 to %d",
                         INT32_MAX);
    *out = (uint32_t)value->value.int64;
    return true;
}

// The node variable of a part; a name met before is the same node.
static bool
bind_pattern_node(MatchBinder *m, const AstGraphPart *part, uint32_t *out)
{
    const GraphVariableName *known =
        part->name.text.len ? graph_variable(&m->scope, part->name.text) : NULL;
    if (known && known->is_edge)
        return bind_fail(m->b, part->name.span, "'%.*s' names an edge of this pattern already",
                         STR_ARG(part->name.text));
    *out = known ? known->variable : m->match->node_count++;
    if (!known && part->name.text.len) {
        GraphVariableName name = {part->name.text, false, *out};
        ARRAY_PUSH(m->b->arena, &m->names, name);
    }
    return true;
}

static bool
bind_pattern_edge(MatchBinder *m, const AstGraphPart *part, uint32_t left)
{
    GraphEdgeVariable edge = {.left = left, .min = 1, .max = 1, .span = part->span};
    edge.to_right = part->direction != AST_BACKWARD;
    edge.to_left = part->direction != AST_FORWARD;
    edge.is_path = part->min != NULL;
    if (part->min &&
        (!bind_length(m->b, part->min, &edge.min) || !bind_length(m->b, part->max, &edge.max)))
        return false;
    if (edge.min > edge.max)
        return bind_fail(m->b, part->span,
                         "the least length of this edge is greater than its most");
    if (part->name.text.len) {
        if (graph_variable(&m->scope, part->name.text))
            return bind_fail(m->b, part->name.span, "'%.*s' is named in this pattern already",
                             STR_ARG(part->name.text));
        GraphVariableName name = {part->name.text, true, (uint32_t)m->edges.len};
        ARRAY_PUSH(m->b->arena, &m->names, name);
    }
    ARRAY_PUSH(m->b->arena, &m->edges, edge);
    return true;
}

static bool
bind_pattern(MatchBinder *m, const AstGraphPattern *pattern)
{
    uint32_t node;
    if (!bind_pattern_node(m, &pattern->items[0], &node))
        return false;
    if (!m->match->edge_count && !m->edges.len)
        m->match->first = node;
    for (size_t i = 1; i + 1 < pattern->len; i += 2) {
        if (!bind_pattern_edge(m, &pattern->items[i], node) ||
            !bind_pattern_node(m, &pattern->items[i + 1], &node))
            return false;
        m->edges.items[m->edges.len - 1].right = node;
    }
    m->match->last = node;
    return true;
}

// All sequences must hang together: a product of unrelated matches is not a pattern.
static bool
check_connected(MatchBinder *m, const AstOperator *step)
{
    uint32_t count = m->match->node_count, reached = 1;
    bool *seen = ARENA_ARRAY(m->b->arena, bool, count);
    seen[0] = true;
    for (bool grows = true; grows;) {
        grows = false;
        for (size_t e = 0; e < m->edges.len; e++) {
            const GraphEdgeVariable *edge = &m->edges.items[e];
            if (seen[edge->left] == seen[edge->right])
                continue;
            seen[edge->left] = seen[edge->right] = grows = true;
            reached++;
        }
    }
    if (reached == count)
        return true;
    return bind_fail(
        m->b, step->span,
        "the sequences of a pattern must be connected: let them share a node variable");
}

static bool
bind_patterns(MatchBinder *m, const AstOperator *step)
{
    GraphMatch *match = m->match;
    if (match->shortest && step->patterns.len > 1)
        return bind_fail(m->b, step->span, "graph-shortest-paths takes one sequence, not several");
    for (size_t i = 0; i < step->patterns.len; i++)
        if (!bind_pattern(m, &step->patterns.items[i]))
            return false;
    match->edges = m->edges.items;
    match->edge_count = (uint32_t)m->edges.len;
    bool has_path = false;
    for (size_t e = 0; e < m->edges.len; e++)
        has_path = has_path || m->edges.items[e].is_path;
    if (match->shortest && !has_path)
        return bind_fail(m->b, step->span,
                         "graph-shortest-paths needs a variable-length edge such as -[e*1..5]->");
    return check_connected(m, step);
}

static bool
bind_options(MatchBinder *m, const AstOperator *step)
{
    static const struct {
        Str name;
        GraphCycles cycles;
    } CYCLES[] = {
        {STR_INIT("all"), CYCLES_ALL},
        {STR_INIT("none"), CYCLES_NONE},
        {STR_INIT("unique_edges"), CYCLES_UNIQUE_EDGES},
    };
    // A shortest path does not come back to where it was.
    m->match->cycles = m->match->shortest ? CYCLES_NONE : CYCLES_UNIQUE_EDGES;
    const AstParam *cycles = operator_param(step, "cycles");
    bool known = !cycles;
    for (size_t i = 0; cycles && i < COUNT_OF(CYCLES); i++) {
        if (str_equal(cycles->text, CYCLES[i].name)) {
            m->match->cycles = CYCLES[i].cycles;
            known = true;
        }
    }
    if (!known)
        return bind_fail(m->b, cycles->span, "cycles is all, none or unique_edges");
    const AstParam *output = operator_param(step, "output");
    if (!output || !m->match->shortest)
        return true;
    m->match->all_shortest = str_equal(output->text, STR("all"));
    if (m->match->all_shortest || str_equal(output->text, STR("any")))
        return true;
    return bind_fail(m->b, output->span, "output is any or all");
}

// ---- where ----

typedef struct Reads {
    const GraphInputs *inputs;
    const GraphInput *only; // what it reads, when that is one variable
    bool several;
} Reads;

static void
collect_reads(Reads *reads, const Expr *expr)
{
    if (expr->kind == EXPR_COLUMN) {
        const GraphInput *input = &reads->inputs->items[expr->column];
        if (reads->only &&
            (reads->only->kind != input->kind || reads->only->variable != input->variable ||
             input->kind == GRAPH_LAMBDA))
            reads->several = true;
        reads->only = input;
    }
    for (uint32_t i = 0; expr->kind == EXPR_CALL && i < expr->arg_count; i++)
        collect_reads(reads, expr->args[i]);
}

// A condition on one variable becomes a filter of the match; false when it is none.
static bool
push_filter(MatchBinder *m, Expr *conjunct)
{
    Reads reads = {.inputs = &m->match->inputs};
    collect_reads(&reads, conjunct);
    if (!reads.only || reads.several || expr_is_volatile(conjunct))
        return false;
    GraphFilter filter = {
        .variable = reads.only->variable, .inputs = &m->match->inputs, .predicate = conjunct};
    if (reads.only->kind == GRAPH_LAMBDA) {
        const GraphLambda *lambda = reads.only->lambda;
        if (conjunct->kind != EXPR_COLUMN || lambda->kind != GRAPH_ALL || !lambda->of_element)
            return false;
        filter.inputs = &lambda->inputs;
        filter.predicate = lambda->body;
        filter.target = lambda->inner_nodes ? GRAPH_OF_INNER_NODES : GRAPH_OF_EDGE;
    } else {
        filter.target = reads.only->kind == GRAPH_NODE ? GRAPH_OF_NODE : GRAPH_OF_EDGE;
    }
    ARRAY_PUSH(m->b->arena, &m->filters, filter);
    return true;
}

static bool
bind_conjunct(MatchBinder *m, const AstExpr *ast, Row *row)
{
    Binder *b = m->b;
    if (ast->kind == AST_BINARY && str_equal(ast->op, STR("and")) && !ast->negated) {
        if (!bind_enter(b, ast->span))
            return false;
        bool done = bind_conjunct(m, ast->base, row) && bind_conjunct(m, ast->args.items[0], row);
        b->depth--;
        return done;
    }
    const GraphVariableName *path = graph_elementwise(b, &m->scope, ast);
    Expr *conjunct =
        path ? graph_lambda(b, ast, &m->scope, GRAPH_ALL, path->variable, false, true, ast->span)
             : bind_predicate(b, ast, row);
    if (!conjunct)
        return false;
    if (push_filter(m, conjunct))
        return true;
    if (m->residual) {
        Expr **both = ARENA_ARRAY(b->arena, Expr *, 2);
        both[0] = m->residual;
        both[1] = conjunct;
        conjunct = bind_function(b, STR("and"), both, 2, ast->span);
    }
    m->residual = conjunct;
    return conjunct != NULL;
}

// ---- the operator ----

static void
mark_used(GraphInputs *inputs, const Expr *expr)
{
    if (expr->kind == EXPR_COLUMN)
        inputs->items[expr->column].used = true;
    for (uint32_t i = 0; expr->kind == EXPR_CALL && i < expr->arg_count; i++)
        mark_used(inputs, expr->args[i]);
}

// Without project each named variable is a column.
static AstItemList
default_items(MatchBinder *m)
{
    AstItemList items = {0};
    for (size_t i = 0; i < m->names.len; i++) {
        AstName name = {m->names.items[i].name, m->plan->span};
        AstExpr *expr = ARENA_NEW(m->b->arena, AstExpr);
        *expr = (AstExpr){.kind = AST_NAME, .span = m->plan->span, .name = name};
        AstItem item = {.expr = expr, .span = m->plan->span};
        ARRAY_PUSH(m->b->arena, &items, item);
    }
    return items;
}

static bool
bind_outputs(MatchBinder *m, const AstItemList *items, Row *row, ColumnNamer *namer, Expr **exprs)
{
    for (size_t i = 0; i < items->len; i++) {
        const AstItem *item = &items->items[i];
        if (item->name_count > 1)
            return bind_fail(m->b, item->span, "a column of a pattern has one name");
        Expr *expr = bind_expression(m->b, item->expr, row);
        if (!expr || !namer_add(m->b, namer, item->name_count ? &item->names[0] : NULL,
                                default_name(m->b, item->expr), expr->type))
            return false;
        exprs[i] = expr;
        mark_used(&m->match->inputs, expr);
    }
    return true;
}

// The columns of a match, in the order of its inputs; known once all is bound.
static Schema
match_schema(MatchBinder *m)
{
    const GraphInputs *inputs = &m->match->inputs;
    Schema schema = {ARENA_ARRAY(m->b->arena, Column, inputs->len), (uint32_t)inputs->len};
    for (uint32_t i = 0; i < schema.count; i++)
        schema.columns[i] = (Column){str_format(m->b->arena, "$%u", i), inputs->items[i].type};
    return schema;
}

Plan *
bind_graph_match(Binder *b, Plan *input, const AstOperator *step)
{
    Plan *plan = bind_plan(b, PLAN_GRAPH_MATCH, step->span);
    if (!plan)
        return NULL;
    plan->input = input;
    MatchBinder m = {.b = b, .plan = plan, .match = &plan->graph_match};
    m.match->shortest = str_equal(step->name, STR("graph-shortest-paths"));
    m.scope = (GraphScope){
        .shape = input->graph,
        .match = m.match,
        .names = &m.names,
        .inputs = &m.match->inputs,
    };
    Row row = {.graph = &m.scope};
    if (!bind_options(&m, step) || !bind_patterns(&m, step) ||
        (step->expr && !bind_conjunct(&m, step->expr, &row)))
        return NULL;
    if (m.residual)
        mark_used(&m.match->inputs, m.residual);
    AstItemList items = step->project.len ? step->project : default_items(&m);
    if (!items.len) {
        bind_fail(b, step->span, "this pattern names nothing to show; name a node or add project");
        return NULL;
    }
    ColumnNamer namer = {.arena = b->arena};
    Expr **exprs = ARENA_ARRAY(b->arena, Expr *, items.len);
    if (!bind_outputs(&m, &items, &row, &namer, exprs))
        return NULL;
    m.match->filters = m.filters.items;
    m.match->filter_count = (uint32_t)m.filters.len;
    plan->schema = match_schema(&m);
    Plan *rows = plan;
    if (m.residual) {
        rows = bind_plan(b, PLAN_FILTER, step->span);
        if (!rows)
            return NULL;
        rows->input = plan;
        rows->schema = plan->schema;
        rows->filter.predicate = m.residual;
    }
    return bind_projection(b, rows, namer_schema(&namer), exprs, false, step->span);
}
