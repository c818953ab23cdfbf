// Graphs and the columns nobody reads.
//
// A match names the properties it reads. The others stay in the shape of the graph, so
// that no position changes, but become constant nulls in the projections under
// make-graph; the columns they came from are then dropped like any that is not needed.

#include "kql/plan.h"

typedef struct Needed {
    bool *nodes, *edges; // which properties
    const GraphShape *shape;
} Needed;

static void
need(Needed *needed, bool of_edges, uint32_t column)
{
    const Schema *own = of_edges ? &needed->shape->edges : &needed->shape->nodes;
    if (column < own->count)
        (of_edges ? needed->edges : needed->nodes)[column] = true;
}

static void
need_inputs(Needed *needed, const GraphInputs *inputs, bool elements_are_edges)
{
    for (size_t i = 0; i < inputs->len; i++) {
        const GraphInput *input = &inputs->items[i];
        switch (input->kind) {
        case GRAPH_NODE: need(needed, false, input->column); break;
        case GRAPH_EDGE: need(needed, true, input->column); break;
        case GRAPH_ELEMENT: need(needed, elements_are_edges, input->column); break;
        case GRAPH_LAMBDA:
            need_inputs(needed, &input->lambda->inputs, !input->lambda->inner_nodes);
            break;
        }
    }
}

// A copy of the projection whose columns that are not needed are null.
static Plan *
null_columns(Arena *arena, const Plan *projection, const bool *needed, uint32_t count)
{
    Plan *copy = ARENA_NEW(arena, Plan);
    *copy = *projection;
    copy->project.exprs = ARENA_ARRAY(arena, Expr *, projection->schema.count);
    for (uint32_t c = 0; c < projection->schema.count; c++) {
        copy->project.exprs[c] = projection->project.exprs[c];
        if (c >= count || needed[c])
            continue;
        Value nothing = value_null(projection->schema.columns[c].type);
        copy->project.exprs[c] = expr_const(arena, &nothing, projection->span);
    }
    return copy;
}

void
graph_drop_unread(Arena *arena, Plan *match)
{
    // Down to make-graph, over copies: other readers of the graph may need other columns.
    Plan **link = &match->input;
    while ((*link)->kind == PLAN_GRAPH_FILTER || (*link)->kind == PLAN_GRAPH_COMPONENTS) {
        Plan *copy = ARENA_NEW(arena, Plan);
        *copy = **link;
        *link = copy;
        link = &copy->input;
    }
    const Plan *make = *link;
    if (make->kind != PLAN_MAKE_GRAPH || make->input->kind != PLAN_PROJECT ||
        (make->make_graph.nodes && make->make_graph.nodes->kind != PLAN_PROJECT))
        return;
    Needed needed = {.shape = make->graph};
    needed.nodes = ARENA_ARRAY(arena, bool, make->graph->nodes.count + 1);
    needed.edges = ARENA_ARRAY(arena, bool, make->graph->edges.count + 1);
    // Columns behind the properties of this shape are properties of a later one, or hidden.
    need_inputs(&needed, &match->graph_match.inputs, true);
    for (const Plan *at = match->input; at != make; at = at->input)
        if (at->kind == PLAN_GRAPH_FILTER)
            need_inputs(&needed, at->graph_filter.inputs, at->graph_filter.edges);
    Plan *copy = ARENA_NEW(arena, Plan);
    *copy = *make;
    copy->input = null_columns(arena, make->input, needed.edges, make->graph->edges.count);
    if (make->make_graph.nodes)
        copy->make_graph.nodes =
            null_columns(arena, make->make_graph.nodes, needed.nodes, make->graph->nodes.count);
    *link = copy;
}
