// graph-match: all ways in which a pattern fits the graph.
//
// From each start node the steps of the pattern are walked depth first. A step of fixed
// length is one of length 1..1, so one loop does both. The stack is an array of frames:
// a path of a million edges is no deep recursion. What is taken by a match so far is
// marked in a bit set of edges (cycles=unique_edges) or of nodes (cycles=none), so that a
// repetition is seen at once whatever the length.
//
// The same walk finds shortest paths of patterns that breadth-first search cannot do
// (shortest.c): it is repeated for each total length, from the least on.

#include "base/array.h"
#include "exec/graph/pattern.h"

typedef enum FrameState {
    FRAME_ENTERED,  // the node was just reached
    FRAME_ACCEPTED, // the step ended here and the steps behind it have been walked
    FRAME_WALKING,  // its edges are being followed
} FrameState;

typedef struct Frame {
    uint32_t step, node, depth; // depth: edges of the step so far
    FrameState state;
    EdgeCursor cursor;
} Frame;

typedef struct Matcher {
    Worker *worker;
    const Pattern *pattern;
    MatchRows *rows;
    struct {
        Frame *items;
        size_t len, cap;
    } frames;
    // All edges walked, step by step, and the node behind each.
    struct {
        uint32_t *items;
        size_t len, cap;
    } edges, ends;
    uint32_t *step_first; // where the walk of each step begins in them
    uint32_t *nodes;      // of each node variable
    Walk *walks;          // of each edge variable
    uint64_t *edge_used, *node_used;
    uint32_t ticks;
    bool wanted; // more rows are
    // Shortest paths: only matches of this many edges; `cut`: longer ones may exist.
    bool exact, cut;
    uint64_t total;
    uint64_t *found; // length + 1 of the shortest path to each node, 0 = none yet
    struct {
        uint32_t *items;
        size_t len, cap;
    } found_nodes;
} Matcher;

static Matcher *
matcher_new(Worker *worker, const Pattern *pattern)
{
    Arena *arena = &worker->keep;
    const Graph *graph = pattern->graph;
    size_t bytes = ((size_t)graph->edge_count + graph->node_count) / 8;
    if (pattern->match->shortest)
        bytes += (size_t)graph->node_count * sizeof(uint64_t);
    if (!worker_reserve(worker, bytes, "the search of a graph"))
        return NULL;
    Matcher *m = ARENA_NEW(arena, Matcher);
    m->worker = worker;
    m->pattern = pattern;
    m->rows = match_rows_new(worker, pattern);
    m->step_first = ARENA_ARRAY(arena, uint32_t, (size_t)pattern->step_count + 1);
    m->nodes = ARENA_ARRAY(arena, uint32_t, pattern->match->node_count);
    m->walks = ARENA_ARRAY(arena, Walk, pattern->match->edge_count);
    if (pattern->match->cycles == CYCLES_UNIQUE_EDGES)
        m->edge_used = ARENA_ARRAY(arena, uint64_t, bit_words(graph->edge_count) + 1);
    if (pattern->match->cycles == CYCLES_NONE)
        m->node_used = ARENA_ARRAY(arena, uint64_t, bit_words(graph->node_count) + 1);
    if (pattern->match->shortest)
        m->found = ARENA_ARRAY(arena, uint64_t, (size_t)graph->node_count + 1);
    return m;
}

static void
push_frame(Matcher *m, uint32_t step, uint32_t node, uint32_t depth)
{
    Frame frame = {.step = step, .node = node, .depth = depth};
    if (!depth)
        m->step_first[step] = (uint32_t)m->edges.len;
    ARRAY_PUSH(&m->worker->keep, &m->frames, frame);
}

// ---- matches ----

// Whether a shortest path to this node is still looked for.
static bool
is_news(Matcher *m, uint32_t node)
{
    uint64_t *found = &m->found[node];
    if (*found && !(m->pattern->match->all_shortest && *found == m->total + 1))
        return false;
    if (!*found)
        ARRAY_PUSH(&m->worker->keep, &m->found_nodes, node);
    *found = m->total + 1;
    return true;
}

static bool
emit_match(Matcher *m)
{
    const Pattern *p = m->pattern;
    if (m->exact && !is_news(m, m->nodes[p->match->last]))
        return true;
    for (uint32_t s = 0; s < p->step_count; s++) {
        size_t first = m->step_first[s];
        size_t end = s + 1 < p->step_count ? m->step_first[s + 1] : m->edges.len;
        Walk *walk = &m->walks[p->steps[s].edge];
        *walk = (Walk){.length = (uint32_t)(end - first), .reversed = p->steps[s].reversed};
        if (walk->length) {
            walk->edges = m->edges.items + first;
            walk->nodes = m->ends.items + first;
        }
    }
    return match_rows_add(m->rows, m->nodes, m->walks, &m->wanted);
}

// ---- steps ----

static bool
accepts(const Matcher *m, const Step *step, const Frame *frame)
{
    if (frame->depth < step->min || (step->to_set && !bit_get(step->to_set, frame->node)) ||
        (step->closes && frame->node != m->nodes[step->to]))
        return false;
    return !m->exact || (m->edges.len + step->min_after <= m->total &&
                         m->edges.len + step->max_after >= m->total);
}

// Whether a walk that goes on over `other` can still be a match.
static bool
can_reach(Matcher *m, const Step *step, uint32_t depth, uint32_t other)
{
    uint64_t far = step->distance ? step->distance[other] : 0;
    if (far == UINT32_MAX || depth + far > step->max)
        return false;
    if (!m->exact)
        return true;
    uint64_t left = step->min > depth ? step->min - depth : 0;
    if (far > left)
        left = far;
    if (m->edges.len + 1 + left + step->min_after <= m->total)
        return true;
    m->cut = true;
    return false;
}

// Follows the next edge at the innermost frame; false when none is left.
static bool
walk_on(Matcher *m, Frame *frame)
{
    const Graph *graph = m->pattern->graph;
    const Step *step = &m->pattern->steps[frame->step];
    if (frame->depth == step->max ||
        (frame->depth && step->inner_set && !bit_get(step->inner_set, frame->node)))
        return false;
    uint32_t edge, other;
    while (cursor_next(graph, step, frame->node, &frame->cursor, &edge, &other)) {
        m->ticks++;
        if ((m->edge_used && bit_get(m->edge_used, edge)) ||
            (m->node_used && bit_get(m->node_used, other)) ||
            !can_reach(m, step, frame->depth + 1, other))
            continue;
        if (m->edge_used)
            bit_set(m->edge_used, edge);
        if (m->node_used)
            bit_set(m->node_used, other);
        ARRAY_PUSH(&m->worker->keep, &m->edges, edge);
        ARRAY_PUSH(&m->worker->keep, &m->ends, other);
        push_frame(m, frame->step, other, frame->depth + 1);
        return true;
    }
    return false;
}

static void
pop_frame(Matcher *m)
{
    Frame *frame = &m->frames.items[--m->frames.len];
    if (!frame->depth)
        return;
    uint32_t edge = m->edges.items[--m->edges.len];
    m->ends.len--;
    if (m->edge_used)
        bit_clear(m->edge_used, edge);
    if (m->node_used)
        bit_clear(m->node_used, frame->node);
}

static bool
enter(Matcher *m, Frame *frame)
{
    const Pattern *p = m->pattern;
    const Step *step = &p->steps[frame->step];
    frame->state = FRAME_WALKING;
    frame->cursor = cursor_at(p->graph, step, frame->node);
    if (!accepts(m, step, frame))
        return true;
    m->nodes[step->to] = frame->node;
    if (frame->step + 1 == p->step_count)
        return emit_match(m);
    frame->state = FRAME_ACCEPTED;
    uint32_t next = frame->step + 1;
    push_frame(m, next, m->nodes[p->steps[next].from], 0);
    return true;
}

// All matches that start at a node.
static bool
match_from(Matcher *m, uint32_t start)
{
    enum { CHECK_EVERY = 1 << 14 };
    const Pattern *p = m->pattern;
    m->nodes[p->start] = start;
    if (!p->step_count)
        return match_rows_add(m->rows, m->nodes, m->walks, &m->wanted);
    if (m->node_used)
        bit_set(m->node_used, start);
    push_frame(m, 0, start, 0);
    bool done = true;
    while (m->frames.len) {
        Frame *frame = &m->frames.items[m->frames.len - 1];
        if (!done || !m->wanted) {
            pop_frame(m);
            continue;
        }
        if (frame->state == FRAME_ENTERED) {
            done = enter(m, frame);
        } else if (frame->state == FRAME_ACCEPTED) {
            frame->state = FRAME_WALKING;
        } else if (!walk_on(m, frame)) {
            pop_frame(m);
        }
        if (m->ticks >= CHECK_EVERY) {
            m->ticks = 0;
            done = done && worker_check(m->worker) && worker_charge(m->worker, "a long path");
        }
    }
    if (m->node_used)
        bit_clear(m->node_used, start);
    return done;
}

// The shortest matches that start at a node, one length after the other.
static bool
deepen_from(Matcher *m, uint32_t start)
{
    const Pattern *p = m->pattern;
    uint64_t least = p->steps[0].min_after + p->steps[0].min;
    uint64_t most = p->steps[0].max_after + p->steps[0].max;
    m->exact = true;
    bool done = true;
    for (m->total = least; done && m->wanted && m->total <= most; m->total++) {
        m->cut = false;
        done = match_from(m, start);
        if (!m->cut || m->found_nodes.len >= p->candidates[p->match->last])
            break;
    }
    for (size_t i = 0; i < m->found_nodes.len; i++)
        m->found[m->found_nodes.items[i]] = 0;
    m->found_nodes.len = 0;
    return done;
}

static bool
search_push(Operator *self, Worker *worker, Batch *batch,
            bool (*search)(Matcher *m, uint32_t start))
{
    Search *state = self->state;
    Matcher *m = state->workers[worker->number];
    if (!m && !(m = state->workers[worker->number] = matcher_new(worker, state->pattern)))
        return false;
    const int64_t *starts = batch_column(&worker->batch, batch, 0)->data;
    bool done = true;
    m->wanted = true;
    match_rows_open(m->rows, self);
    for (uint32_t i = 0; i < batch->selected && done && m->wanted; i++)
        done = search(m, (uint32_t)starts[i]);
    return match_rows_close(m->rows, done);
}

bool
match_push(Operator *self, Worker *worker, Batch *batch)
{
    return search_push(self, worker, batch, match_from);
}

bool
deepen_push(Operator *self, Worker *worker, Batch *batch)
{
    return search_push(self, worker, batch, deepen_from);
}
