// A path as steps: the derivation of a node with what is hidden folded away.
//
// A step is a shown edge. Its evidence is that of the edge or of the hidden ones before it
// (the assignment that a rule was passed by). Its source is whoever acts: the identity
// that got that far, or the resource when the kind starts at one. A set shows as the
// member that the path goes on to.

#include "azure/path/path_search_internal.h"
#include "base/array.h"

typedef struct StepList {
    PathStep *items;
    size_t len, cap;
} StepList;

typedef struct Reading {
    PathSearch *search;
    Arena *arena;
    StepList steps;
    const uint32_t *choice; // edges that replace those of the search, by node; or NULL
    uint32_t round, start;
} Reading;

static uint32_t
edge_into(const Reading *reading, uint32_t node)
{
    if (reading->choice && reading->choice[node] != UINT32_MAX)
        return reading->choice[node];
    return reading->search->edge[node];
}

static bool
is_actor(const PathModel *model, const PathNode *node)
{
    if (node->kind != NODE_OBJECT)
        return false;
    ObjectKind kind = path_object(model, node->object)->kind;
    return kind != OBJECT_GRANT && kind != OBJECT_DIRECTORY_ROLE && kind != OBJECT_PERMISSION &&
           kind != OBJECT_NETWORK && kind != OBJECT_TENANT;
}

// Who acts from a node: the object it is of, or whoever came to it.
static uint32_t
actor(const Reading *reading, uint32_t node)
{
    const PathModel *model = reading->search->model;
    for (uint32_t guard = path_node_count(model); guard; guard--) {
        const PathNode *at = path_node(model, node);
        if (reading->search->is_start[node] || is_actor(model, at))
            break;
        uint32_t edge = edge_into(reading, node);
        if (at->kind == NODE_ALL) { // the last branch is the one that acts
            uint32_t count;
            const uint32_t *edges = path_edges_to(model, node, &count);
            edge = edges[count - 1];
        }
        if (edge == UINT32_MAX)
            break;
        node = path_edge(model, edge)->from;
    }
    return path_node(model, node)->object;
}

static void
add_source(Reading *reading, PathStep *step, uint32_t object)
{
    for (uint32_t i = 0; i < step->source_count; i++)
        if (step->sources[i] == object)
            return;
    uint32_t *sources = ARENA_ARRAY(reading->arena, uint32_t, step->source_count + 1);
    for (uint32_t i = 0; i < step->source_count; i++)
        sources[i] = step->sources[i];
    sources[step->source_count++] = object;
    step->sources = sources;
}

static void
find_sources(Reading *reading, PathStep *step, uint32_t from)
{
    const PathModel *model = reading->search->model;
    const PathNode *node = path_node(model, from);
    if (node->kind == NODE_ALL) {
        uint32_t count;
        const uint32_t *edges = path_edges_to(model, from, &count);
        for (uint32_t i = 0; i < count; i++)
            add_source(reading, step, actor(reading, path_edge(model, edges[i])->from));
    } else {
        add_source(reading, step, step->kind->from_resource ? node->object : actor(reading, from));
    }
}

// The evidence of an edge, else of the hidden ones and of roles held before it.
static void
find_evidence(const Reading *reading, PathStep *step, const PathEdge *edge)
{
    const PathModel *model = reading->search->model;
    uint32_t evidence = edge->evidence;
    step->doubt = edge->doubt;
    for (uint32_t node = edge->from, guard = path_node_count(model); guard; guard--) {
        uint32_t into = reading->search->is_start[node] ? UINT32_MAX : edge_into(reading, node);
        if (into == UINT32_MAX)
            break;
        const PathEdge *before = path_edge(model, into);
        const EdgeKind *kind = path_edge_kind(model, before);
        if (kind && !path_kind_holds(kind) && !str_equal(kind->name, STR("ActivateEligible")))
            break;
        // An activation is a step of its own and the evidence of what follows from it.
        if (!evidence && before->evidence) {
            evidence = before->evidence;
            step->activated = kind && !path_kind_holds(kind);
        }
        if (kind && !path_kind_holds(kind))
            break;
        step->doubt |= before->doubt;
        node = before->from;
    }
    step->evidence = evidence ? path_evidence(model, evidence) : NULL;
}

static void
add_step(Reading *reading, uint32_t edge_index, uint32_t to)
{
    const PathModel *model = reading->search->model;
    const PathEdge *edge = path_edge(model, edge_index);
    const PathNode *target = path_node(model, to);
    PathStep step = {
        .kind = path_edge_kind(model, edge),
        .target = target->object,
        .capability = (PathCapability)target->capability,
        .edge = edge_index,
    };
    find_sources(reading, &step, edge->from);
    find_evidence(reading, &step, edge);
    ARRAY_PUSH(reading->arena, &reading->steps, step);
}

static void
read_node(Reading *reading, uint32_t node, bool is_goal)
{
    PathSearch *search = reading->search;
    const PathModel *model = search->model;
    if (search->mark[node] == reading->round)
        return;
    search->mark[node] = reading->round;
    if (search->is_start[node]) {
        reading->start = node;
        return;
    }
    if (path_node(model, node)->kind == NODE_ALL) {
        uint32_t count;
        const uint32_t *edges = path_edges_to(model, node, &count);
        for (uint32_t i = 0; i < count; i++)
            read_node(reading, path_edge(model, edges[i])->from, false);
        return;
    }
    uint32_t into = edge_into(reading, node);
    if (into == UINT32_MAX)
        return;
    uint32_t from = path_edge(model, into)->from;
    if (path_node(model, from)->kind == NODE_SET) { // shown as this member
        uint32_t before = edge_into(reading, from);
        if (before == UINT32_MAX)
            return;
        read_node(reading, path_edge(model, before)->from, false);
        add_step(reading, before, node);
        return;
    }
    read_node(reading, from, false);
    const EdgeKind *kind = path_edge_kind(model, path_edge(model, into));
    if (kind && path_node(model, node)->kind != NODE_SET && (!path_kind_holds(kind) || is_goal))
        add_step(reading, into, node);
}

static AttackPath
read_path(PathSearch *search, Arena *arena, uint32_t node, const uint32_t *choice)
{
    Reading reading = {.search = search,
                       .arena = arena,
                       .choice = choice,
                       .round = ++search->round,
                       .start = node};
    read_node(&reading, node, true);
    AttackPath path = {.steps = reading.steps.items,
                       .count = (uint32_t)reading.steps.len,
                       .start = path_node(search->model, reading.start)->object,
                       .start_node = reading.start,
                       .inside = search->inside,
                       .goal = node};
    for (uint32_t i = 0; i < path.count; i++) {
        path.attack_steps += path.steps[i].kind->severity != EDGE_INFO;
        path.doubt |= path.steps[i].doubt;
        if (path.steps[i].kind->severity > path.severity)
            path.severity = path.steps[i].kind->severity;
    }
    return path;
}

AttackPath
path_search_path(PathSearch *search, Arena *arena, uint32_t node)
{
    return read_path(search, arena, node, NULL);
}

// ---- all of the least cost ----

typedef struct Alternatives {
    PathSearch *search;
    Arena *arena;
    uint32_t *choice;
    bool *on_way;
    uint32_t goal, limit;
    AttackPath *found;
    uint32_t count, visits;
} Alternatives;

// Follows every edge that costs no more than the one the search took, back to a start or
// to a NODE_ALL, whose branches stay as the search has them.
static void
follow(Alternatives *all, uint32_t node)
{
    PathSearch *search = all->search;
    const PathModel *model = search->model;
    if (all->count >= all->limit || all->on_way[node] || all->visits++ > 1000000)
        return;
    if (search->is_start[node] || path_node(model, node)->kind == NODE_ALL) {
        all->found[all->count++] = read_path(search, all->arena, all->goal, all->choice);
        return;
    }
    all->on_way[node] = true;
    uint32_t count;
    const uint32_t *edges = path_edges_to(model, node, &count);
    for (uint32_t i = 0; i < count; i++) {
        const PathEdge *edge = path_edge(model, edges[i]);
        if (!search->settled[edge->from] ||
            search->cost[edge->from] + path_search_edge_cost(search, edge) != search->cost[node])
            continue;
        all->choice[node] = edges[i];
        follow(all, edge->from);
    }
    all->choice[node] = UINT32_MAX;
    all->on_way[node] = false;
}

AttackPath *
path_search_paths(PathSearch *search, Arena *arena, uint32_t node, uint32_t limit, uint32_t *count)
{
    Arena scratch = {0};
    uint32_t nodes = path_node_count(search->model);
    Alternatives all = {
        .search = search,
        .arena = arena,
        .choice = ARENA_ARRAY(&scratch, uint32_t, nodes),
        .on_way = ARENA_ARRAY(&scratch, bool, nodes),
        .goal = node,
        .limit = limit,
        .found = ARENA_ARRAY(arena, AttackPath, limit),
    };
    for (uint32_t i = 0; i < nodes; i++)
        all.choice[i] = UINT32_MAX;
    if (search->settled[node])
        follow(&all, node);
    arena_free(&scratch);
    *count = all.count;
    return all.found;
}
