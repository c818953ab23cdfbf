// A pattern made ready for a graph: which elements each variable may take, and in which
// order its edges are walked.
#pragma once

#include "exec/graph/graph.h"

// An edge of the pattern as it is walked: from a node that is bound to one that is to be
// bound, or when it closes a ring, to one that is too.
typedef struct Step {
    uint32_t edge, from, to; // variables
    bool follow_out, follow_in;
    bool closes;
    bool reversed; // walked from its right end to its left
    uint32_t min, max;
    const uint64_t *edge_set, *inner_set, *to_set; // NULL = all
    // The least number of edges from each node to one that `to` may take, UINT32_MAX =
    // none: what is too far is not walked. NULL = not known.
    const uint32_t *distance;
    uint64_t min_after, max_after; // edges of the steps behind this one
} Step;

typedef struct Pattern {
    const Graph *graph;
    const GraphMatch *match;
    uint64_t **node_sets, **edge_sets, **inner_sets; // of each variable; NULL = all
    uint32_t *candidates;                            // nodes each node variable may take
    Expr **bodies; // of the lambdas among the inputs, sub-queries resolved
    uint32_t start;
    Step *steps;
    uint32_t step_count;
} Pattern;

Pattern *pattern_prepare(Exec *exec, const Graph *graph, const GraphMatch *match, AzError *error);

// Breadth-first over many starts at once: the number of edges from each node to the
// nearest member of `targets` when edges are followed the way the step follows them.
uint32_t *pattern_distances(Arena *arena, const Graph *graph, const Step *step,
                            const uint64_t *targets);

// The edges at a node that a step may follow, the outgoing before the incoming ones; an
// edge from a node to itself comes once.
typedef struct EdgeCursor {
    uint32_t at;
    bool incoming;
} EdgeCursor;

static inline EdgeCursor
cursor_at(const Graph *graph, const Step *step, uint32_t node)
{
    return step->follow_out ? (EdgeCursor){graph->out.start[node], false}
                            : (EdgeCursor){graph->in.start[node], true};
}

static inline bool
cursor_next(const Graph *graph, const Step *step, uint32_t node, EdgeCursor *cursor, uint32_t *edge,
            uint32_t *other)
{
    if (!cursor->incoming) {
        while (cursor->at < graph->out.start[node + 1]) {
            uint32_t e = graph->out.edges[cursor->at++];
            if (step->edge_set && !bit_get(step->edge_set, e))
                continue;
            *edge = e;
            *other = graph->target[e];
            return true;
        }
        if (!step->follow_in)
            return false;
        *cursor = (EdgeCursor){graph->in.start[node], true};
    }
    while (cursor->at < graph->in.start[node + 1]) {
        uint32_t e = graph->in.edges[cursor->at++];
        if ((step->edge_set && !bit_get(step->edge_set, e)) ||
            (step->follow_out && graph->source[e] == graph->target[e]))
            continue;
        *edge = e;
        *other = graph->source[e];
        return true;
    }
    return false;
}

// ---- rows ----

// The edges one edge variable took, and the node behind each, as walked.
typedef struct Walk {
    const uint32_t *edges, *nodes;
    uint32_t length;
    bool reversed;
} Walk;

typedef struct MatchRows MatchRows;

MatchRows *match_rows_new(Worker *worker, const Pattern *pattern);
void match_rows_open(MatchRows *rows, Operator *self);
// A match: the node of each node variable, the walk of each edge variable. *wanted
// becomes false when no more rows are.
bool match_rows_add(MatchRows *rows, const uint32_t *nodes, const Walk *walks, bool *wanted);
bool match_rows_close(MatchRows *rows, bool done); // emits what is left, when done

// ---- searches, as operators over batches of start nodes ----

bool match_push(Operator *self, Worker *worker, Batch *batch);    // graph-match
bool deepen_push(Operator *self, Worker *worker, Batch *batch);   // shortest paths of any pattern
bool shortest_push(Operator *self, Worker *worker, Batch *batch); // of one variable-length edge

typedef struct Search {
    Pattern *pattern;
    void **workers; // what each worker keeps between batches
    bool from_end;  // shortest paths: starts are the ends of paths
} Search;
