// Objects, nodes and edges of the path model, and the two compressed forms of the edges:
// sorted by start (forward), and positions sorted by end (backward).

#include "azure/path/path_internal.h"

#include "azure/arm.h"
#include "azure/rbac/access_internal.h"

#include <string.h>

const char *
object_kind_name(ObjectKind kind)
{
    static const char *const NAMES[] = {
        [OBJECT_UNKNOWN] = "unknown",
        [OBJECT_USER] = "user",
        [OBJECT_GUEST] = "guest",
        [OBJECT_GROUP] = "group",
        [OBJECT_SERVICE_PRINCIPAL] = "service principal",
        [OBJECT_MANAGED_IDENTITY] = "managed identity",
        [OBJECT_APPLICATION] = "application",
        [OBJECT_RESOURCE] = "resource",
        [OBJECT_SCOPE] = "scope",
        [OBJECT_GRANT] = "role",
        [OBJECT_DIRECTORY_ROLE] = "directory role",
        [OBJECT_PERMISSION] = "Graph permission",
        [OBJECT_UNIT] = "administrative unit",
        [OBJECT_TENANT] = "tenant",
        [OBJECT_EXTERNAL] = "external workload",
        [OBJECT_LOCATION] = "credential store",
        [OBJECT_INTERNET] = "internet",
        [OBJECT_NETWORK] = "network",
    };
    return NAMES[kind];
}

uint32_t
path_object_of(PathModel *model, Str id, ObjectKind kind, Str name)
{
    MapEntry *found = map_find(&model->object_index, id);
    if (found) {
        PathObject *object = &model->objects.items[found->number];
        if (object->kind == OBJECT_UNKNOWN)
            object->kind = kind;
        if (!object->name.len && name.len)
            object->name = str_copy(model->arena, name);
        return (uint32_t)found->number;
    }
    PathObject object = {
        .kind = kind,
        .id = str_copy(model->arena, id),
        .name = str_copy(model->arena, name),
        .parent = UINT32_MAX,
        .node = UINT32_MAX,
    };
    uint32_t index = (uint32_t)model->objects.len;
    map_add(&model->object_index, object.id, NULL)->number = index;
    ARRAY_PUSH(model->arena, &model->objects, object);
    return index;
}

uint32_t
path_scope_of(PathModel *model, Str id)
{
    Str scope = scope_normalise(model->arena, id);
    MapEntry *found = map_find(&model->object_index, scope);
    if (found && model->objects.items[found->number].parent != UINT32_MAX)
        return (uint32_t)found->number;
    ScopeChain chain = {0};
    scope_chain(model->access->scopes, model->arena, scope, &chain, NULL);
    uint32_t first = path_object_of(model, scope, OBJECT_SCOPE, (Str){0}), below = first;
    for (size_t i = 0; i < chain.len; i++) {
        if (str_equal_ci(chain.items[i], scope))
            continue;
        uint32_t above = path_object_of(model, chain.items[i], OBJECT_SCOPE, (Str){0});
        bool was_known = model->objects.items[below].parent != UINT32_MAX;
        if (!was_known && above != below)
            model->objects.items[below].parent = above;
        below = above;
    }
    return first;
}

uint32_t
path_add_node(PathModel *model, NodeKind kind, uint32_t object, PathCapability capability)
{
    PathNode node = {(uint8_t)kind, (uint8_t)capability, object};
    ARRAY_PUSH(model->arena, &model->nodes, node);
    return (uint32_t)model->nodes.len - 1;
}

uint32_t
path_object_node(PathModel *model, uint32_t object)
{
    if (model->objects.items[object].node == UINT32_MAX)
        model->objects.items[object].node = path_add_node(model, NODE_OBJECT, object, CAP_CONTROL);
    return model->objects.items[object].node;
}

uint32_t
path_capability_node(PathModel *model, uint32_t index, PathCapability capability)
{
    if (capability == CAP_CONTROL)
        return path_object_node(model, index);
    PathObject *object = &model->objects.items[index];
    if (!object->capabilities)
        object->capabilities = ARENA_ARRAY(model->arena, uint32_t, PATH_CAPABILITY_COUNT);
    if (!object->capabilities[capability])
        object->capabilities[capability] = path_add_node(model, NODE_CAPABILITY, index, capability);
    return object->capabilities[capability];
}

void
path_each_member(const PathModel *model, uint32_t principal, MemberFound found, void *context)
{
    const AccessModel *access = model->access;
    uint32_t start = access_find_principal(access, model->objects.items[principal].id);
    if (start == UINT32_MAX) {
        found(context, model->objects.items[principal].id, false);
        return;
    }
    Arena scratch = {0};
    bool *seen = ARENA_ARRAY(&scratch, bool, access->principals.len);
    ObjectList queue = {0};
    ARRAY_PUSH(&scratch, &queue, start);
    while (queue.len) {
        uint32_t at = queue.items[--queue.len];
        if (seen[at])
            continue;
        seen[at] = true;
        uint32_t first = access->members_of.offsets[at], end = access->members_of.offsets[at + 1];
        found(context, access_principal_id(access, at), first < end);
        for (uint32_t i = first; i < end; i++)
            ARRAY_PUSH(&scratch, &queue, access->members_of.targets[i]);
    }
    arena_free(&scratch);
}

uint32_t
path_add_evidence(PathModel *model, Str id, Str text)
{
    PathEvidence evidence = {id, text};
    ARRAY_PUSH(model->arena, &model->evidence, evidence);
    return (uint32_t)model->evidence.len - 1;
}

// Kinds are numbered by their place in the table.
static uint16_t
kind_number(const PathModel *model, const EdgeKind *kind)
{
    const MapEntry *entry = kind ? map_find(&model->tables->kinds, kind->name) : NULL;
    return entry ? (uint16_t)(entry - model->tables->kinds.entries) : PATH_EDGE_HIDDEN;
}

void
path_link_kind(PathModel *model, uint32_t from, uint32_t to, const EdgeKind *kind,
               uint32_t evidence, bool doubt)
{
    PathEdge edge = {from, to, evidence, kind_number(model, kind), doubt};
    if (from != to)
        ARRAY_PUSH(model->arena, &model->edges, edge);
}

void
path_link(PathModel *model, uint32_t from, uint32_t to, const char *kind, uint32_t evidence)
{
    path_link_kind(model, from, to, kind ? path_kind(model->tables, kind) : NULL, evidence, false);
}

// Counting sorts: stable, so that the edges of a node stay in the order they were made.
static void
compress(PathModel *model)
{
    size_t nodes = model->nodes.len, edges = model->edges.len;
    model->forward = ARENA_ARRAY(model->arena, uint32_t, nodes + 1);
    model->backward = ARENA_ARRAY(model->arena, uint32_t, nodes + 1);
    model->backward_edges = ARENA_ARRAY(model->arena, uint32_t, edges);
    for (size_t i = 0; i < edges; i++) {
        model->forward[model->edges.items[i].from + 1]++;
        model->backward[model->edges.items[i].to + 1]++;
    }
    for (size_t i = 0; i < nodes; i++) {
        model->forward[i + 1] += model->forward[i];
        model->backward[i + 1] += model->backward[i];
    }
    PathEdge *sorted = ARENA_ARRAY(model->arena, PathEdge, edges);
    Arena scratch = {0};
    uint32_t *next = arena_copy(&scratch, model->forward, (nodes + 1) * sizeof *next);
    for (size_t i = 0; i < edges; i++)
        sorted[next[model->edges.items[i].from]++] = model->edges.items[i];
    model->edges.items = sorted;
    model->edges.cap = edges;
    memcpy(next, model->backward, (nodes + 1) * sizeof *next);
    for (size_t i = 0; i < edges; i++)
        model->backward_edges[next[sorted[i].to]++] = (uint32_t)i;
    arena_free(&scratch);
}

// A user-assigned identity and its service principal are one thing to hold.
static void
join_identities(PathModel *model)
{
    for (size_t i = 0; i < model->resources.len; i++) {
        const ResourceFact *fact = &model->resources.items[i];
        Dyn principal = dyn_get_ci(fact->properties, STR("principalId"));
        if (!str_equal_ci(model->objects.items[fact->object].type,
                          STR("microsoft.managedidentity/userassignedidentities")) ||
            dyn_kind(principal) != DYN_STRING || !dyn_string(principal).len)
            continue;
        uint32_t identity = path_object_of(model, dyn_string(principal), OBJECT_MANAGED_IDENTITY,
                                           model->objects.items[fact->object].name);
        if (identity != fact->object)
            model->objects.items[fact->object].node = path_object_node(model, identity);
    }
}

void
path_finish(PathModel *model)
{
    join_identities(model);
    path_read_facts(model);
    path_read_network(model);
    path_build_azure(model);
    path_build_resources(model);
    path_build_directory(model);
    path_build_activations(model);
    compress(model);
}

// ---- reading ----

uint32_t
path_object_count(const PathModel *model)
{
    return (uint32_t)model->objects.len;
}

const PathObject *
path_object(const PathModel *model, uint32_t index)
{
    return &model->objects.items[index];
}

uint32_t
path_find(const PathModel *model, Str id)
{
    const MapEntry *found = map_find(&model->object_index, id);
    return found ? (uint32_t)found->number : UINT32_MAX;
}

Str
path_label(const PathModel *model, uint32_t index)
{
    const PathObject *object = &model->objects.items[index];
    if (object->name.len)
        return object->name;
    bool is_path = object->kind == OBJECT_RESOURCE || object->kind == OBJECT_SCOPE;
    Str last = is_path ? arm_last_segment(object->id) : object->id;
    return last.len ? last : object->id;
}

uint32_t
path_node_count(const PathModel *model)
{
    return (uint32_t)model->nodes.len;
}

const PathNode *
path_node(const PathModel *model, uint32_t node)
{
    return &model->nodes.items[node];
}

uint32_t
path_edge_count(const PathModel *model)
{
    return (uint32_t)model->edges.len;
}

const PathEdge *
path_edge(const PathModel *model, uint32_t edge)
{
    return &model->edges.items[edge];
}

const EdgeKind *
path_edge_kind(const PathModel *model, const PathEdge *edge)
{
    return edge->kind == PATH_EDGE_HIDDEN ? NULL : model->tables->kinds.entries[edge->kind].pointer;
}

const PathEvidence *
path_evidence(const PathModel *model, uint32_t index)
{
    return &model->evidence.items[index];
}

void
path_edges_from(const PathModel *model, uint32_t node, uint32_t *first, uint32_t *end)
{
    *first = model->forward[node];
    *end = model->forward[node + 1];
}

const uint32_t *
path_edges_to(const PathModel *model, uint32_t node, uint32_t *count)
{
    *count = model->backward[node + 1] - model->backward[node];
    return model->backward_edges + model->backward[node];
}

uint32_t
path_inside_network(const PathModel *model)
{
    return model->objects.items[model->network].node;
}

const PathTables *
path_tables(const PathModel *model)
{
    return model->tables;
}
