// graph-shortest-paths of one variable-length edge: breadth-first search.
//
// A search starts at each member of the smaller side: from the start nodes along the
// edges, or from the end nodes against them. One search of linear cost thus serves all
// nodes of the other side, which is what attack paths to a few precious targets need; a
// search from both sides at once would save less than building the graph has cost. With
// least length 0 or 1 a shortest walk between two nodes passes no node twice, so
// cycles=none holds by itself. Patterns of any other form are found by match.c.
//
// The edges that lead to a node at the least distance make a graph without rings. `any`
// follows the edge by which the search first came, `all` every one.

#include "base/array.h"
#include "exec/graph/pattern.h"

typedef struct Finder {
    Worker *worker;
    const Pattern *pattern;
    MatchRows *rows;
    Step step;             // in the direction of the search
    Step back;             // against it
    const uint64_t *goals; // where paths may end; NULL = anywhere
    uint32_t goal_count;
    uint32_t *distance; // from the start, UINT32_MAX = not reached
    uint32_t *parent;   // the edge by which a node was first reached
    uint32_t *queue;
    uint32_t queued;
    struct {
        uint32_t *items;
        size_t len, cap;
    } edges, ends; // a path from its goal back to the start of the search
    struct {
        EdgeCursor *items;
        size_t len, cap;
    } cursors;
    uint32_t *nodes;
    bool wanted;
} Finder;

static Finder *
finder_new(Worker *worker, const Search *search)
{
    Arena *arena = &worker->keep;
    const Pattern *pattern = search->pattern;
    size_t count = (size_t)pattern->graph->node_count + 1;
    if (!worker_reserve(worker, count * 3 * sizeof(uint32_t), "the search of a graph"))
        return NULL;
    Finder *f = ARENA_NEW(arena, Finder);
    f->worker = worker;
    f->pattern = pattern;
    f->rows = match_rows_new(worker, pattern);
    f->step = f->back = pattern->steps[0];
    Step *against = search->from_end ? &f->step : &f->back;
    against->follow_out = pattern->steps[0].follow_in;
    against->follow_in = pattern->steps[0].follow_out;
    uint32_t goal = search->from_end ? pattern->match->first : pattern->match->last;
    f->goals = pattern->node_sets[goal];
    f->goal_count = pattern->candidates[goal];
    f->distance = arena_alloc_array(arena, count, sizeof(uint32_t));
    memset(f->distance, 0xFF, count * sizeof(uint32_t));
    f->parent = arena_alloc_array(arena, count, sizeof(uint32_t));
    f->queue = arena_alloc_array(arena, count, sizeof(uint32_t));
    f->nodes = ARENA_ARRAY(arena, uint32_t, pattern->match->node_count);
    return f;
}

// ---- paths ----

static bool
emit_path(Finder *f, const Search *search, uint32_t start, uint32_t goal)
{
    const GraphMatch *match = f->pattern->match;
    f->nodes[match->first] = search->from_end ? goal : start;
    f->nodes[match->last] = search->from_end ? start : goal;
    // The path was gathered from the goal to the start: as written when searched from the end.
    Walk walk = {f->edges.items, f->ends.items, (uint32_t)f->edges.len, !search->from_end};
    return match_rows_add(f->rows, f->nodes, &walk, &f->wanted);
}

static void
push_edge(Finder *f, uint32_t edge, uint32_t end)
{
    Arena *arena = &f->worker->keep;
    ARRAY_PUSH(arena, &f->edges, edge);
    ARRAY_PUSH(arena, &f->ends, end);
}

static uint32_t
other_end(const Graph *graph, uint32_t edge, uint32_t node)
{
    return graph->source[edge] == node ? graph->target[edge] : graph->source[edge];
}

static bool
emit_any(Finder *f, const Search *search, uint32_t start, uint32_t goal)
{
    f->edges.len = f->ends.len = 0;
    for (uint32_t node = goal; node != start;) {
        uint32_t edge = f->parent[node];
        node = other_end(f->pattern->graph, edge, node);
        push_edge(f, edge, node);
    }
    return emit_path(f, search, start, goal);
}

// Every path of the least length, depth first from the goal back.
static bool
emit_all(Finder *f, const Search *search, uint32_t start, uint32_t goal)
{
    const Graph *graph = f->pattern->graph;
    Arena *arena = &f->worker->keep;
    f->edges.len = f->ends.len = f->cursors.len = 0;
    if (start == goal)
        return emit_path(f, search, start, goal);
    ARRAY_PUSH(arena, &f->cursors, cursor_at(graph, &f->back, goal));
    bool done = true;
    while (f->cursors.len && done && f->wanted) {
        uint32_t node = f->ends.len ? f->ends.items[f->ends.len - 1] : goal, edge, other;
        bool found = false;
        while (!found && cursor_next(graph, &f->back, node, &f->cursors.items[f->cursors.len - 1],
                                     &edge, &other))
            found = f->distance[other] != UINT32_MAX &&
                    f->distance[other] + 1 == f->distance[node] &&
                    // what lies between must be allowed there
                    (other == start || !f->step.inner_set || bit_get(f->step.inner_set, other));
        if (!found) {
            f->cursors.len--;
            if (f->ends.len) {
                f->ends.len--;
                f->edges.len--;
            }
            continue;
        }
        push_edge(f, edge, other);
        if (other != start) {
            ARRAY_PUSH(arena, &f->cursors, cursor_at(graph, &f->back, other));
            continue;
        }
        done = emit_path(f, search, start, goal);
        f->ends.len--;
        f->edges.len--;
        if (done && f->wanted)
            done = worker_check(f->worker);
    }
    return done;
}

// ---- the search ----

static bool
is_goal(const Finder *f, uint32_t node)
{
    return !f->goals || bit_get(f->goals, node);
}

static bool
emit_goal(Finder *f, const Search *search, uint32_t start, uint32_t goal)
{
    return f->pattern->match->all_shortest ? emit_all(f, search, start, goal)
                                           : emit_any(f, search, start, goal);
}

// Breadth-first from one node; each goal is given out in the order of its distance, once
// all of its distance are reached.
static bool
find_from(Finder *f, const Search *search, uint32_t start)
{
    const Graph *graph = f->pattern->graph;
    uint32_t head = 0, given = 0, found = 0;
    f->queued = 0;
    f->distance[start] = 0;
    f->queue[f->queued++] = start;
    bool done = true;
    while (done && f->wanted && given < f->queued) {
        // Whoever is next in line has its final distance, and all nearer nodes have theirs.
        uint32_t node = f->queue[given++];
        if (is_goal(f, node) && f->distance[node] >= f->step.min) {
            found++;
            done = emit_goal(f, search, start, node);
        }
        if (found == f->goal_count)
            break;
        uint32_t far = f->distance[node], edge, other;
        if (head++ % GRAPH_CHECK_EVERY == 0)
            done = done && worker_check(f->worker);
        if (far == f->step.max || (far && f->step.inner_set && !bit_get(f->step.inner_set, node)))
            continue;
        for (EdgeCursor cursor = cursor_at(graph, &f->step, node);
             cursor_next(graph, &f->step, node, &cursor, &edge, &other);) {
            // Too far from every end there is.
            if (f->distance[other] != UINT32_MAX ||
                (!search->from_end && f->step.distance &&
                 (f->step.distance[other] == UINT32_MAX ||
                  (uint64_t)far + 1 + f->step.distance[other] > f->step.max)))
                continue;
            f->distance[other] = far + 1;
            f->parent[other] = edge;
            f->queue[f->queued++] = other;
        }
    }
    for (uint32_t i = 0; i < f->queued; i++)
        f->distance[f->queue[i]] = UINT32_MAX;
    return done;
}

bool
shortest_push(Operator *self, Worker *worker, Batch *batch)
{
    const Search *search = self->state;
    Finder *f = search->workers[worker->number];
    if (!f && !(f = search->workers[worker->number] = finder_new(worker, search)))
        return false;
    const int64_t *starts = batch_column(&worker->batch, batch, 0)->data;
    bool done = true;
    f->wanted = true;
    match_rows_open(f->rows, self);
    for (uint32_t i = 0; i < batch->selected && done && f->wanted; i++)
        done = find_from(f, search, (uint32_t)starts[i]);
    return match_rows_close(f->rows, done);
}
