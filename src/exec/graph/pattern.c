// Preparing a pattern: sets of candidates, the order of the walk, distances.
//
// The walk starts at the node variable with the fewest candidates and then takes, among
// the edges that touch what is bound: first those that close a ring, then those of fixed
// length, then the one whose other end has the fewest candidates. For shortest paths the
// order is that of the pattern, since lengths are counted from its first node.

#include "exec/graph/pattern.h"

// ---- candidates ----

static uint64_t *
set_for(Exec *exec, uint64_t **sets, uint32_t variable, uint32_t count)
{
    if (!sets[variable])
        sets[variable] = graph_full_set(graph_arena(exec), count);
    return sets[variable];
}

static bool
apply_filters(Exec *exec, Pattern *p, AzError *error)
{
    for (uint32_t i = 0; i < p->match->filter_count; i++) {
        const GraphFilter *filter = &p->match->filters[i];
        bool edges = filter->target == GRAPH_OF_EDGE;
        uint64_t **sets = edges                             ? p->edge_sets
                          : filter->target == GRAPH_OF_NODE ? p->node_sets
                                                            : p->inner_sets;
        uint64_t *set = set_for(exec, sets, filter->variable,
                                edges ? p->graph->edge_count : p->graph->node_count);
        if (!graph_filter_set(exec, p->graph, edges, filter->inputs, filter->predicate, set, error))
            return false;
    }
    for (uint32_t v = 0; v < p->match->node_count; v++)
        p->candidates[v] = p->node_sets[v] ? graph_set_size(p->node_sets[v], p->graph->node_count)
                                           : p->graph->node_count;
    return true;
}

// ---- the order of the walk ----

static Step
make_step(const Pattern *p, uint32_t e, bool reversed, bool closes)
{
    const GraphEdgeVariable *edge = &p->match->edges[e];
    Step step = {.edge = e, .closes = closes, .reversed = reversed};
    step.min = edge->min;
    step.max = edge->max;
    step.from = reversed ? edge->right : edge->left;
    step.to = reversed ? edge->left : edge->right;
    step.follow_out = reversed ? edge->to_left : edge->to_right;
    step.follow_in = reversed ? edge->to_right : edge->to_left;
    step.edge_set = p->edge_sets[e];
    step.inner_set = p->inner_sets[e];
    step.to_set = p->node_sets[step.to];
    return step;
}

// Less is better.
static uint64_t
step_rank(const Pattern *p, uint32_t e, bool reversed, bool closes)
{
    const GraphEdgeVariable *edge = &p->match->edges[e];
    if (closes)
        return edge->is_path;
    return (uint64_t)(2 + edge->is_path) << 32 | p->candidates[reversed ? edge->left : edge->right];
}

static void
order_steps(Exec *exec, Pattern *p)
{
    const GraphMatch *match = p->match;
    Arena *arena = exec->arena;
    bool *bound = ARENA_ARRAY(arena, bool, match->node_count);
    bool *walked = ARENA_ARRAY(arena, bool, match->edge_count);
    p->steps = ARENA_ARRAY(arena, Step, match->edge_count);
    p->start = match->shortest ? match->first : 0;
    for (uint32_t v = 1; v < match->node_count && !match->shortest; v++)
        if (p->candidates[v] < p->candidates[p->start])
            p->start = v;
    bound[p->start] = true;
    while (p->step_count < match->edge_count) {
        uint32_t best = UINT32_MAX;
        uint64_t best_rank = UINT64_MAX;
        bool best_reversed = false, best_closes = false;
        for (uint32_t e = 0; e < match->edge_count; e++) {
            bool left = bound[match->edges[e].left], right = bound[match->edges[e].right];
            if (walked[e] || (!left && !right))
                continue;
            bool reversed = !left;
            uint64_t rank = match->shortest ? e : step_rank(p, e, reversed, left && right);
            if (rank >= best_rank)
                continue;
            best = e;
            best_rank = rank;
            best_reversed = reversed;
            best_closes = left && right;
        }
        Step *step = &p->steps[p->step_count++];
        *step = make_step(p, best, best_reversed, best_closes);
        walked[best] = true;
        bound[step->to] = true;
    }
    uint64_t min = 0, max = 0;
    for (uint32_t i = p->step_count; i-- > 0;) {
        p->steps[i].min_after = min;
        p->steps[i].max_after = max;
        min += p->steps[i].min;
        max += p->steps[i].max;
    }
}

// ---- distances ----

uint32_t *
pattern_distances(Arena *arena, const Graph *graph, const Step *step, const uint64_t *targets)
{
    uint32_t count = graph->node_count, head = 0, tail = 0;
    uint32_t *distance = arena_alloc_array(arena, (size_t)count + 1, sizeof(uint32_t));
    uint32_t *queue = arena_alloc_array(arena, (size_t)count + 1, sizeof(uint32_t));
    for (uint32_t v = 0; v < count; v++) {
        distance[v] = UINT32_MAX;
        if (bit_get(targets, v)) {
            distance[v] = 0;
            queue[tail++] = v;
        }
    }
    // Against the way the step follows edges.
    Step back = *step;
    back.follow_out = step->follow_in;
    back.follow_in = step->follow_out;
    while (head < tail) {
        uint32_t v = queue[head++], edge, other;
        // A target may lie in the middle of a path only if inner nodes may be like it.
        if (distance[v] >= step->max ||
            (distance[v] && step->inner_set && !bit_get(step->inner_set, v)))
            continue;
        for (EdgeCursor cursor = cursor_at(graph, &back, v);
             cursor_next(graph, &back, v, &cursor, &edge, &other);) {
            if (distance[other] != UINT32_MAX)
                continue;
            distance[other] = distance[v] + 1;
            queue[tail++] = other;
        }
    }
    return distance;
}

static bool
add_distances(Exec *exec, Pattern *p, AzError *error)
{
    for (uint32_t i = 0; i < p->step_count; i++) {
        Step *step = &p->steps[i];
        if (step->max < 2 || !step->to_set)
            continue;
        if (!graph_reserve(exec, (size_t)p->graph->node_count * 8, error) ||
            !graph_check(exec, error))
            return false;
        step->distance = pattern_distances(graph_arena(exec), p->graph, step, step->to_set);
    }
    return graph_charge(exec, error);
}

Pattern *
pattern_prepare(Exec *exec, const Graph *graph, const GraphMatch *match, AzError *error)
{
    Arena *arena = exec->arena;
    Pattern *p = ARENA_NEW(arena, Pattern);
    p->graph = graph;
    p->match = match;
    p->node_sets = ARENA_ARRAY(arena, uint64_t *, match->node_count);
    p->edge_sets = ARENA_ARRAY(arena, uint64_t *, match->edge_count);
    p->inner_sets = ARENA_ARRAY(arena, uint64_t *, match->edge_count);
    p->candidates = ARENA_ARRAY(arena, uint32_t, match->node_count);
    p->bodies = ARENA_ARRAY(arena, Expr *, match->inputs.len);
    for (size_t i = 0; i < match->inputs.len; i++) {
        const GraphInput *input = &match->inputs.items[i];
        if (input->kind == GRAPH_LAMBDA && input->used &&
            !(p->bodies[i] = resolve_subqueries(exec, input->lambda->body, error)))
            return NULL;
    }
    if (!apply_filters(exec, p, error))
        return NULL;
    order_steps(exec, p);
    return add_distances(exec, p, error) ? p : NULL;
}
