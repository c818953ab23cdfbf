// Graphs in plans: what make-graph builds and what the graph operators ask of it.
//
// A plan whose `graph` is set yields a graph, not rows. Behind the properties that a
// query can name, nodes and edges have hidden columns (GraphHidden).
#pragma once

#include "base/error.h"
#include "column/schema.h"

typedef struct Plan Plan;
typedef struct Expr Expr;

// What a graph is made of, as the binder sees it.
typedef struct GraphShape {
    Schema nodes, edges; // the properties
    Type id;             // of what names a node
    bool nodes_ignore_case, edges_ignore_case;
} GraphShape;

// Columns behind the properties. Edges have their ends' ids.
typedef enum GraphHidden {
    NODE_ID = 0,
    NODE_DEGREE_IN = 1,
    NODE_DEGREE_OUT = 2,
    NODE_HIDDEN = 3,
    EDGE_SOURCE_ID = 0,
    EDGE_TARGET_ID = 1,
    EDGE_HIDDEN = 2,
} GraphHidden;

// make-graph over the edges (plan->input), whose last two columns are the ids of source
// and target.
typedef struct GraphMake {
    Plan *nodes; // their last column is the id; NULL: nodes are what edges name
    // The node properties that show the id, also of a node that only edges name.
    uint32_t *id_properties;
    uint32_t id_property_count;
} GraphMake;

// ---- patterns ----

typedef struct GraphLambda GraphLambda;

typedef enum GraphInputKind {
    GRAPH_NODE,    // column of the node bound to variable `variable`
    GRAPH_EDGE,    // column of the edge bound to a variable of fixed length
    GRAPH_ELEMENT, // column of the element a lambda looks at
    GRAPH_LAMBDA,  // all(), any() or map() over a variable of variable length
} GraphInputKind;

// A column of the rows that expressions over a pattern see.
typedef struct GraphInput {
    GraphInputKind kind;
    Type type;
    uint32_t variable;
    uint32_t column;
    GraphLambda *lambda;
    bool used; // by something above the match
} GraphInput;

typedef struct GraphInputs {
    GraphInput *items;
    size_t len, cap;
} GraphInputs;

typedef enum GraphLambdaKind { GRAPH_ALL, GRAPH_ANY, GRAPH_MAP } GraphLambdaKind;

struct GraphLambda {
    GraphLambdaKind kind;
    uint32_t edge;      // the variable
    bool inner_nodes;   // over the nodes between its edges, not over these
    GraphInputs inputs; // of `body`: the element's and the match's
    Expr *body;
    bool of_element; // reads the element alone
};

typedef enum GraphTarget { GRAPH_OF_NODE, GRAPH_OF_EDGE, GRAPH_OF_INNER_NODES } GraphTarget;

// A condition on one variable: elements that fail it are in no match.
typedef struct GraphFilter {
    GraphTarget target;
    uint32_t variable;
    const GraphInputs *inputs; // that `predicate` reads
    Expr *predicate;
} GraphFilter;

typedef struct GraphEdgeVariable {
    uint32_t left, right;   // node variables, as written
    bool to_right, to_left; // which way the edge may point; both: either way
    bool is_path;           // of variable length
    uint32_t min, max;
    Span span;
} GraphEdgeVariable;

typedef enum GraphCycles { CYCLES_UNIQUE_EDGES, CYCLES_NONE, CYCLES_ALL } GraphCycles;

// graph-match and graph-shortest-paths: one row a match, its columns are `inputs`.
typedef struct GraphMatch {
    uint32_t node_count; // node variables
    GraphEdgeVariable *edges;
    uint32_t edge_count;
    GraphCycles cycles;
    bool shortest;     // graph-shortest-paths, from variable `first` to variable `last`
    bool all_shortest; // output=all
    uint32_t first, last;
    GraphInputs inputs;
    GraphFilter *filters;
    uint32_t filter_count;
} GraphMatch;

// optimise_graph.c: properties that a match never reads are not read from their tables.
void graph_drop_unread(Arena *arena, Plan *match);
