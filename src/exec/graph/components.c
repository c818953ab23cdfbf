// Connected components. Weak ones by union-find over the edges, strong ones by Tarjan's
// algorithm with a stack of its own, so that a long chain of nodes is no deep recursion.
// Both are linear in nodes and edges (union-find up to the inverse of Ackermann's function).

#include "exec/graph/graph.h"

// Numbers from 0 in the order in which `roots` first appear.
static int64_t *
number_in_order(Exec *exec, const uint32_t *roots, uint32_t count)
{
    Arena *arena = graph_arena(exec);
    uint32_t *number = arena_alloc_array(arena, (size_t)count + 1, sizeof(uint32_t));
    int64_t *out = arena_alloc_array(arena, (size_t)count + 1, sizeof(int64_t));
    memset(number, 0xFF, count * sizeof(uint32_t));
    uint32_t next = 0;
    for (uint32_t v = 0; v < count; v++) {
        if (number[roots[v]] == UINT32_MAX)
            number[roots[v]] = next++;
        out[v] = number[roots[v]];
    }
    return out;
}

// The root of a tree, with every other node on the way hung one higher.
static uint32_t
find_root(uint32_t *parent, uint32_t v)
{
    while (parent[v] != v) {
        parent[v] = parent[parent[v]];
        v = parent[v];
    }
    return v;
}

int64_t *
graph_weak_components(Exec *exec, const Graph *graph)
{
    uint32_t count = graph->node_count;
    uint32_t *parent = arena_alloc_array(graph_arena(exec), (size_t)count + 1, sizeof(uint32_t));
    for (uint32_t v = 0; v < count; v++)
        parent[v] = v;
    for (uint32_t e = 0; e < graph->edge_count; e++) {
        uint32_t a = find_root(parent, graph->source[e]), b = find_root(parent, graph->target[e]);
        // The smaller number is the root: trees stay flat enough with the halving above.
        if (a < b)
            parent[b] = a;
        else
            parent[a] = b;
    }
    for (uint32_t v = 0; v < count; v++)
        parent[v] = find_root(parent, v);
    return number_in_order(exec, parent, count);
}

typedef struct Tarjan {
    const Graph *graph;
    uint32_t *index;  // when a node was met, from 1; 0 = not yet
    uint32_t *low;    // the earliest node on the stack it reaches
    uint32_t *cursor; // next of its out-edges
    uint32_t *stack;  // nodes whose component is not closed
    uint32_t *path;   // the nodes being looked at, innermost last
    uint32_t *root;   // of a closed component; UINT32_MAX while on the stack
    uint32_t met, stacked, depth;
} Tarjan;

static void
tarjan_enter(Tarjan *t, uint32_t v)
{
    t->index[v] = t->low[v] = ++t->met;
    t->cursor[v] = t->graph->out.start[v];
    t->stack[t->stacked++] = v;
    t->path[t->depth++] = v;
}

// All out-edges of the innermost node are seen: closes its component when it is its root.
static void
tarjan_leave(Tarjan *t, uint32_t v)
{
    t->depth--;
    if (t->depth) {
        uint32_t above = t->path[t->depth - 1];
        if (t->low[v] < t->low[above])
            t->low[above] = t->low[v];
    }
    if (t->low[v] != t->index[v])
        return;
    uint32_t member;
    do {
        member = t->stack[--t->stacked];
        t->root[member] = v;
    } while (member != v);
}

int64_t *
graph_strong_components(Exec *exec, const Graph *graph)
{
    Arena scratch = {0};
    uint32_t count = graph->node_count;
    Tarjan t = {
        .graph = graph,
        .index = ARENA_ARRAY(&scratch, uint32_t, (size_t)count + 1),
        .low = ARENA_ARRAY(&scratch, uint32_t, (size_t)count + 1),
        .cursor = ARENA_ARRAY(&scratch, uint32_t, (size_t)count + 1),
        .stack = ARENA_ARRAY(&scratch, uint32_t, (size_t)count + 1),
        .path = ARENA_ARRAY(&scratch, uint32_t, (size_t)count + 1),
        .root = arena_alloc_array(&scratch, (size_t)count + 1, sizeof(uint32_t)),
    };
    memset(t.root, 0xFF, ((size_t)count + 1) * sizeof(uint32_t));
    for (uint32_t first = 0; first < count; first++) {
        if (t.index[first])
            continue;
        tarjan_enter(&t, first);
        while (t.depth) {
            uint32_t v = t.path[t.depth - 1];
            if (t.cursor[v] == graph->out.start[v + 1]) {
                tarjan_leave(&t, v);
                continue;
            }
            uint32_t w = graph->target[graph->out.edges[t.cursor[v]++]];
            if (!t.index[w])
                tarjan_enter(&t, w);
            else if (t.root[w] == UINT32_MAX && t.index[w] < t.low[v])
                t.low[v] = t.index[w];
        }
    }
    int64_t *out = number_in_order(exec, t.root, count);
    arena_free(&scratch);
    return out;
}
