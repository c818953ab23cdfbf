#include "azure/path/path_search.h"

#include "azure/path/path_search_internal.h"
#include "base/array.h"

#include <assert.h>

enum { STEP = 1, ATTACK = 1 << 16 }; // of a cost: all steps, and those that are attacks

// What only says who holds a role is no step of a path.
bool
path_kind_holds(const EdgeKind *kind)
{
    return kind && (str_equal(kind->name, STR("HasAzureRole")) ||
                    str_equal(kind->name, STR("HasEntraRole")) ||
                    str_equal(kind->name, STR("HasGraphPermission")));
}

static uint64_t
kind_cost(const EdgeKind *kind)
{
    if (kind->severity == EDGE_INFO)
        return path_kind_holds(kind) ? 0 : STEP;
    return ATTACK + STEP;
}

uint64_t
path_search_edge_cost(const PathSearch *search, const PathEdge *edge)
{
    return edge->kind == PATH_EDGE_HIDDEN ? 0 : search->kind_cost[edge->kind];
}

// Takes a node back to the base.
static void
clear_node(PathSearch *search, uint32_t node)
{
    const SearchBase *base = search->base;
    search->settled[node] = base->settled[node];
    search->cost[node] = base->settled[node] ? 0 : UINT64_MAX;
    search->edge[node] = base->edge[node];
    search->missing[node] = base->missing[node];
    search->is_start[node] = search->is_touched[node] = false;
}

static void
new_base(const PathSearch *search, SearchBase *base)
{
    uint32_t nodes = path_node_count(search->model);
    base->missing = ARENA_ARRAY(search->arena, uint32_t, nodes);
    base->settled = ARENA_ARRAY(search->arena, bool, nodes);
    base->edge = ARENA_ARRAY(search->arena, uint32_t, nodes);
    for (uint32_t i = 0; i < nodes; i++) {
        base->edge[i] = UINT32_MAX;
        if (path_node(search->model, i)->kind == NODE_ALL)
            path_edges_to(search->model, i, &base->missing[i]);
    }
    base->is_ready = true;
}

PathSearch *
path_search_new(const PathModel *model, Arena *arena)
{
    uint32_t nodes = path_node_count(model);
    PathSearch *search = ARENA_NEW(arena, PathSearch);
    search->model = model;
    search->arena = arena;
    search->cost = ARENA_ARRAY(arena, uint64_t, nodes);
    search->edge = ARENA_ARRAY(arena, uint32_t, nodes);
    search->missing = ARENA_ARRAY(arena, uint32_t, nodes);
    search->settled = ARENA_ARRAY(arena, bool, nodes);
    search->mark = ARENA_ARRAY(arena, uint32_t, nodes);
    search->is_start = ARENA_ARRAY(arena, bool, nodes);
    search->touched = ARENA_ARRAY(arena, uint32_t, nodes);
    search->is_touched = ARENA_ARRAY(arena, bool, nodes);
    const Map *kinds = &path_tables(model)->kinds;
    search->kind_cost = ARENA_ARRAY(arena, uint64_t, kinds->len);
    for (size_t i = 0; i < kinds->len; i++)
        search->kind_cost[i] = kind_cost(kinds->entries[i].pointer);
    new_base(search, &search->bases[false]);
    return search;
}

// ---- the queue: a binary heap of (cost, node) ----

static void
queue_push(PathSearch *search, uint64_t cost, uint32_t node)
{
    QueueItem item = {cost, node};
    ARRAY_PUSH(search->arena, &search->queue, item);
    QueueItem *heap = search->queue.items;
    size_t at = search->queue.len - 1;
    while (at && heap[(at - 1) / 2].cost > cost) {
        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap[at] = item;
}

static QueueItem
queue_pop(PathSearch *search)
{
    QueueItem *heap = search->queue.items, least = heap[0];
    QueueItem last = heap[--search->queue.len];
    size_t at = 0, count = search->queue.len;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child + 1 < count && heap[child + 1].cost < heap[child].cost)
            child++;
        if (child >= count || heap[child].cost >= last.cost)
            break;
        heap[at] = heap[child];
        at = child;
    }
    if (count)
        heap[at] = last;
    return least;
}

// ---- the fixpoint ----

// A search costs what it reaches, not what the graph holds: thousands of starts can be
// tried one by one.
static void
touch(PathSearch *search, uint32_t node)
{
    if (!search->is_touched[node])
        search->touched[search->touched_count++] = node;
    search->is_touched[node] = true;
}

// The cost of all steps that lead to the branches of a NODE_ALL, each counted once.
static uint64_t
joined_cost(PathSearch *search, uint32_t all)
{
    uint64_t cost = 0;
    uint32_t round = ++search->round;
    search->walk.len = 0;
    ARRAY_PUSH(search->arena, &search->walk, all);
    while (search->walk.len) {
        uint32_t node = search->walk.items[--search->walk.len];
        if (search->mark[node] == round)
            continue;
        search->mark[node] = round;
        if (path_node(search->model, node)->kind == NODE_ALL) {
            uint32_t count;
            const uint32_t *edges = path_edges_to(search->model, node, &count);
            for (uint32_t i = 0; i < count; i++) {
                const PathEdge *edge = path_edge(search->model, edges[i]);
                cost += path_search_edge_cost(search, edge);
                ARRAY_PUSH(search->arena, &search->walk, edge->from);
            }
        } else if (search->edge[node] != UINT32_MAX) {
            const PathEdge *edge = path_edge(search->model, search->edge[node]);
            cost += path_search_edge_cost(search, edge);
            ARRAY_PUSH(search->arena, &search->walk, edge->from);
        }
    }
    return cost;
}

static void
offer(PathSearch *search, uint32_t edge_index, const uint8_t *banned)
{
    const PathEdge *edge = path_edge(search->model, edge_index);
    uint32_t node = edge->to;
    if (search->settled[node] || (banned && banned[edge_index]))
        return;
    touch(search, node);
    if (path_node(search->model, node)->kind == NODE_ALL) {
        if (--search->missing[node])
            return;
        search->cost[node] = joined_cost(search, node);
    } else {
        uint64_t cost = search->cost[edge->from] + path_search_edge_cost(search, edge);
        if (cost >= search->cost[node])
            return;
        search->cost[node] = cost;
        search->edge[node] = edge_index;
    }
    queue_push(search, search->cost[node], node);
}

static void
start_at(PathSearch *search, uint32_t node)
{
    touch(search, node);
    search->is_start[node] = true;
    search->cost[node] = 0;
    queue_push(search, 0, node);
}

static void
settle(PathSearch *search, const uint8_t *banned)
{
    while (search->queue.len) {
        QueueItem item = queue_pop(search);
        if (search->settled[item.node] || item.cost > search->cost[item.node])
            continue;
        search->settled[item.node] = true;
        uint32_t edge, end;
        path_edges_from(search->model, item.node, &edge, &end);
        for (; edge < end; edge++)
            offer(search, edge, banned);
    }
}

static void
take_base(PathSearch *search, SearchBase *base)
{
    uint32_t nodes = path_node_count(search->model);
    search->base = base;
    for (uint32_t i = 0; i < nodes; i++)
        clear_node(search, i);
    search->touched_count = 0;
}

// What follows from the network costs nothing: edges from it are hidden. It is settled
// before any start is, which is the order of cost.
static void
inside_base(PathSearch *search)
{
    SearchBase *base = &search->bases[true];
    uint32_t nodes = path_node_count(search->model);
    new_base(search, base);
    take_base(search, &search->bases[false]);
    start_at(search, path_inside_network(search->model));
    settle(search, NULL);
    for (uint32_t i = 0; i < nodes; i++) {
        base->settled[i] = search->settled[i];
        base->edge[i] = search->edge[i];
        base->missing[i] = search->missing[i];
        assert(!search->settled[i] || search->cost[i] == 0);
    }
}

void
path_search_run(PathSearch *search, const uint32_t *starts, size_t count, bool inside,
                const uint8_t *banned)
{
    search->queue.len = 0;
    if (!search->bases[inside].is_ready)
        inside_base(search);
    if (search->base != &search->bases[inside])
        take_base(search, &search->bases[inside]);
    for (uint32_t i = 0; i < search->touched_count; i++)
        clear_node(search, search->touched[i]);
    search->touched_count = 0;
    search->inside = inside;
    for (size_t i = 0; i < count; i++)
        start_at(search, starts[i]);
    // A start that the network alone had brought is one all the same.
    for (size_t i = 0; i < count; i++)
        search->settled[starts[i]] = false;
    settle(search, banned);
}

const uint32_t *
path_search_touched(const PathSearch *search, uint32_t *count)
{
    *count = search->touched_count;
    return search->touched;
}

bool
path_search_reached(const PathSearch *search, uint32_t node)
{
    return search->settled[node];
}

uint64_t
path_search_cost(const PathSearch *search, uint32_t node)
{
    return search->cost[node];
}

uint32_t
path_search_edge(const PathSearch *search, uint32_t node)
{
    return search->edge[node];
}

const PathModel *
path_search_model(const PathSearch *search)
{
    return search->model;
}
