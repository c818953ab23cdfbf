// What the binder's files about graphs share: how expressions inside a graph operator see
// its variables.
#pragma once

#include "kql/bind_state.h"

typedef struct GraphVariableName {
    Str name;
    bool is_edge;
    uint32_t variable; // of the nodes' or of the edges'
} GraphVariableName;

typedef struct GraphNames {
    GraphVariableName *items;
    size_t len, cap;
} GraphNames;

// What an expression may name: the variables of a pattern, and inside all(), any() and
// map() the properties of the element looked at. Columns it reads are added to `inputs`.
struct GraphScope {
    const GraphShape *shape;
    const GraphMatch *match; // NULL: no pattern (graph-where-nodes, graph-where-edges)
    const GraphNames *names; // NULL with it
    GraphInputs *inputs;
    bool element, element_is_node; // an element is looked at
    uint32_t self;                 // the edge variable whose edges the elements are
    bool has_self;                 // then its name means the element
};

// Properties of nodes or edges, then the hidden columns.
Schema graph_columns(Arena *arena, const GraphShape *shape, bool edges);
// The value of an expression for each edge of a path variable: all() of it, or map().
Expr *graph_lambda(Binder *b, const AstExpr *body, GraphScope *scope, GraphLambdaKind kind,
                   uint32_t edge, bool inner_nodes, bool own_name, Span span);
// The path variable for whose edges an expression is evaluated, one by one, because it is
// made of their properties; NULL when it is not.
const GraphVariableName *graph_elementwise(Binder *b, const GraphScope *scope, const AstExpr *ast);
const GraphVariableName *graph_variable(const GraphScope *scope, Str name);
