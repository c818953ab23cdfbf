// Graphs in memory, and what runs over them.
//
// Nodes and edges are numbered from 0: nodes in the order in which tables of nodes and
// then edges name them, edges in the order of their rows. Ids are looked up once, while
// the graph is built; all else works on numbers. Who touches whom is kept twice, from
// the source and from the target, as compressed rows (CSR): the edges at node v stand in
// edges[start[v] .. start[v + 1]), ascending.
//
// A graph is built by the coordinating thread into the memory of worker 0, which the
// budget knows of, and only read afterwards.
#pragma once

#include "exec/internal.h"

typedef struct Adjacency {
    uint32_t *start; // node_count + 1
    uint32_t *edges;
} Adjacency;

struct Graph {
    const GraphShape *shape;
    uint32_t node_count, edge_count;
    const Vector **nodes; // flat columns: the properties, then the hidden ones
    const Vector **edges;
    uint32_t *source, *target; // the nodes of each edge
    Adjacency out, in;
};

// The graph a plan yields. NULL with error.
Graph *graph_build(Exec *exec, const Plan *plan, AzError *error);
// make-graph over tables that stand already: the inputs' columns, ids last; `nodes` may
// be NULL.
Graph *graph_make(Exec *exec, const Plan *make, const Batch *edges, const Batch *nodes,
                  AzError *error);

// The edges at each node.
Adjacency graph_adjacency(Arena *arena, const uint32_t *ends, uint32_t edge_count,
                          uint32_t node_count);
// The component of each node, numbered in the order of their first nodes.
int64_t *graph_weak_components(Exec *exec, const Graph *graph);
int64_t *graph_strong_components(Exec *exec, const Graph *graph);

// ---- sets of nodes or edges, a bit each ----

// Takes out of `set` what fails the predicate. The columns of `inputs` that are not
// the element's stay unread.
bool graph_filter_set(Exec *exec, const Graph *graph, bool edges, const GraphInputs *inputs,
                      const Expr *predicate, uint64_t *set, AzError *error);
uint64_t *graph_full_set(Arena *arena, uint32_t count);
uint32_t graph_set_size(const uint64_t *set, uint32_t count);

// ---- memory and errors ----

// Arena of the graph; tells the budget at graph_charge.
static inline Arena *
graph_arena(Exec *exec)
{
    return &exec->workers[0].keep;
}
// Asks whether `bytes` more fit. False with error.
bool graph_reserve(Exec *exec, size_t bytes, AzError *error);
bool graph_charge(Exec *exec, AzError *error);

// Long loops of the coordinator ask now and then whether the query is still wanted.
enum { GRAPH_CHECK_EVERY = 1 << 14 };
bool graph_check(Exec *exec, AzError *error);
