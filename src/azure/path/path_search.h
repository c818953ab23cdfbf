// What an attacker can reach, and by the fewest steps.
//
// A fixpoint over the graph: a node is reached when something before it is, or, of
// NODE_ALL, when everything before it is. Nodes are settled in the order of their cost, as
// Knuth generalised Dijkstra's algorithm to such graphs: attack steps first, then all shown
// steps. The cost of a NODE_ALL is that of the steps of all its branches together, each
// counted once.
#pragma once

#include "azure/path/path_model.h"

typedef struct PathSearch PathSearch;

// One search reuses its memory for the next; one thread each.
PathSearch *path_search_new(const PathModel *model, Arena *arena);

// `inside`: the attacker starts with a place in the tenant's networks. `banned` (by edge,
// may be NULL) are left out.
void path_search_run(PathSearch *search, const uint32_t *starts, size_t count, bool inside,
                     const uint8_t *banned);

// All nodes that may have been reached, in the order they were first seen.
const uint32_t *path_search_touched(const PathSearch *search, uint32_t *count);
bool path_search_reached(const PathSearch *search, uint32_t node);
uint64_t path_search_cost(const PathSearch *search, uint32_t node); // orders what is reached
// The edge by which a node was reached; UINT32_MAX for starts and NODE_ALL.
uint32_t path_search_edge(const PathSearch *search, uint32_t node);
// What an edge adds to the cost.
uint64_t path_search_edge_cost(const PathSearch *search, const PathEdge *edge);
const PathModel *path_search_model(const PathSearch *search);

// ---- paths as people read them ----

typedef struct PathStep {
    const EdgeKind *kind;
    uint32_t *sources; // objects; several when they act together
    uint32_t source_count;
    uint32_t target;              // object
    PathCapability capability;    // what is held of it afterwards
    uint32_t edge;                // the edge of the graph
    const PathEvidence *evidence; // NULL = none
    bool activated;               // the evidence is an eligibility, not an assignment
    bool doubt;                   // hangs on a condition that is not known
} PathStep;

typedef struct AttackPath {
    PathStep *steps;
    uint32_t count;
    uint32_t attack_steps; // those that are more than how things hang together
    uint32_t start;        // object
    uint32_t goal;         // node
    uint32_t start_node;
    bool inside; // it started with a place in the tenant's networks
    bool doubt;
    EdgeSeverity severity; // of its gravest step
} AttackPath;

// The path that the search found to a node that it reached; in `arena`.
AttackPath path_search_path(PathSearch *search, Arena *arena, uint32_t node);

// All paths to the node that cost as little, at most `limit`.
AttackPath *path_search_paths(PathSearch *search, Arena *arena, uint32_t node, uint32_t limit,
                              uint32_t *count);
