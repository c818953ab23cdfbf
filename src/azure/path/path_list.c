// From the words of a request to paths: starts, goals, one search a class of starts.

#include "azure/path/path_list.h"

#include "azure/path/path_choke.h"
#include "base/array.h"

#include <stdlib.h>

enum { NAMED_MOST = 16, PATHS_MOST = 20000, ALTERNATIVES_MOST = 16 };

typedef struct StartClass {
    NodeList nodes;
    bool inside;
} StartClass;

typedef struct Listing {
    const PathModel *model;
    Arena *arena;
    struct {
        StartClass items[8];
        size_t len;
    } starts;
    NodeList goals;
    bool one_each; // of the goals that are one object the best is enough
} Listing;

static void
add_node(Listing *listing, NodeList *list, uint32_t node)
{
    for (size_t i = 0; i < list->len && i < NAMED_MOST; i++)
        if (list->items[i] == node)
            return;
    if (node && node != UINT32_MAX)
        ARRAY_PUSH(listing->arena, list, node);
}

// ---- names ----

static bool
can_be_named(const PathObject *object)
{
    return object->kind != OBJECT_GRANT && object->kind != OBJECT_NETWORK &&
           object->kind != OBJECT_PERMISSION;
}

static bool
not_found(const Listing *listing, Str text, const char *what, AzError *error)
{
    uint32_t count = path_object_count(listing->model), named = 0;
    Str *names = ARENA_ARRAY(listing->arena, Str, count);
    for (uint32_t i = 0; i < count; i++)
        if (can_be_named(path_object(listing->model, i)))
            names[named++] = path_label(listing->model, i);
    ptrdiff_t near = str_nearest(text, names, named);
    if (near >= 0)
        return error_set(error, AZ_NOT_FOUND,
                         "there is no %s '%.*s' in the snapshot; did you mean '%.*s'?", what,
                         STR_ARG(text), STR_ARG(names[near]));
    return error_set(error, AZ_NOT_FOUND,
                     "there is no %s '%.*s' in the snapshot: give an id, a user principal name or "
                     "the name of an identity or resource",
                     what, STR_ARG(text));
}

// The objects of that id, or of that name: an application and its service principal, an
// identity and the resource it is, share one.
static bool
find_named(const Listing *listing, Str text, const char *what, NodeList *objects, AzError *error)
{
    const PathModel *model = listing->model;
    Str id = text;
    while (id.len > 1 && id.ptr[id.len - 1] == '/')
        id.len--;
    uint32_t index = path_find(model, id);
    if (index != UINT32_MAX && can_be_named(path_object(model, index)))
        ARRAY_PUSH(listing->arena, objects, index);
    for (uint32_t i = 0; index == UINT32_MAX && i < path_object_count(model); i++)
        if (can_be_named(path_object(model, i)) && str_equal_ci(path_label(model, i), text))
            ARRAY_PUSH(listing->arena, objects, i);
    if (!objects->len)
        return not_found(listing, text, what, error);
    if (objects->len > NAMED_MOST)
        return error_set(error, AZ_INVALID, "'%.*s' names %zu things; give the id, such as %.*s",
                         STR_ARG(text), objects->len,
                         STR_ARG(path_object(model, objects->items[0])->id));
    return true;
}

// ---- starts ----

static void
add_class(Listing *listing, ObjectKind kind, bool inside)
{
    StartClass *class = &listing->starts.items[listing->starts.len++];
    *class = (StartClass){.inside = inside};
    for (uint32_t i = 0; i < path_object_count(listing->model); i++) {
        const PathObject *object = path_object(listing->model, i);
        if (object->kind == kind && object->node != UINT32_MAX)
            ARRAY_PUSH(listing->arena, &class->nodes, object->node);
    }
}

static bool
find_starts(Listing *listing, Str from, AzError *error)
{
    static const struct {
        Str word;
        ObjectKind kind;
        bool inside, by_default;
    } CLASSES[] = {
        {STR_INIT("internet"), OBJECT_INTERNET, false, true},
        {STR_INIT("guest"), OBJECT_GUEST, false, true},
        {STR_INIT("external"), OBJECT_EXTERNAL, false, true},
        {STR_INIT("user"), OBJECT_USER, true, false},
    };
    for (size_t i = 0; i < COUNT_OF(CLASSES); i++)
        if (from.len ? str_equal_ci(from, CLASSES[i].word) : CLASSES[i].by_default)
            add_class(listing, CLASSES[i].kind, CLASSES[i].inside);
    if (listing->starts.len)
        return true;
    NodeList objects = {0};
    if (!find_named(listing, from, "identity or resource", &objects, error))
        return false;
    StartClass *class = &listing->starts.items[listing->starts.len++];
    *class = (StartClass){.inside = true};
    for (size_t i = 0; i < objects.len; i++) {
        const PathObject *object = path_object(listing->model, objects.items[i]);
        add_node(listing, &class->nodes, object->node);
        if (object->kind == OBJECT_GUEST || object->kind == OBJECT_EXTERNAL || object->is_outside)
            class->inside = false;
    }
    return true;
}

// ---- goals ----

// What is worth having of a resource, the worst first; what only helps on the way is not
// in it.
static const PathCapability VALUE[] = {
    CAP_ANY_ROLE,  CAP_SECRETS,        CAP_WRITE,       CAP_READ,       CAP_INVOKE,  CAP_PROMPTS,
    CAP_MODEL,     CAP_REPLACE,        CAP_FINE_TUNE,   CAP_EDIT_AGENT, CAP_GATEWAY, CAP_POISON,
    CAP_NO_FILTER, CAP_NO_DIAGNOSTICS, CAP_NO_DEFENDER, CAP_BROKERED,
};

static void
add_object_goals(Listing *listing, uint32_t index, bool named)
{
    const PathObject *object = path_object(listing->model, index);
    bool is_place = object->kind == OBJECT_RESOURCE || object->kind == OBJECT_SCOPE ||
                    object->kind == OBJECT_TENANT;
    for (size_t i = 0; is_place && object->capabilities && i < COUNT_OF(VALUE); i++)
        add_node(listing, &listing->goals, object->capabilities[VALUE[i]]);
    if (!named)
        return;
    add_node(listing, &listing->goals, object->node);
    if (object->capabilities) {
        add_node(listing, &listing->goals, object->capabilities[CAP_KEYS]);
        add_node(listing, &listing->goals, object->capabilities[CAP_DEPLOY]);
    }
    for (uint32_t i = 0; i < path_object_count(listing->model); i++) {
        const PathObject *grant = path_object(listing->model, i);
        if (grant->kind == OBJECT_GRANT && grant->parent == index)
            add_node(listing, &listing->goals, grant->node);
    }
}

static bool
find_goals(Listing *listing, Str to, AzError *error)
{
    if (!to.len) {
        listing->one_each = true;
        for (uint32_t i = 0; i < path_object_count(listing->model); i++)
            add_object_goals(listing, i, false);
        return true;
    }
    NodeList objects = {0};
    ptrdiff_t colon = str_find(to, STR(":"));
    Str kind = colon < 0 ? to : str_slice(to, 0, (size_t)colon);
    if (path_goal_is_kind(kind)) {
        PathGoal goal = {.kind = kind};
        if (colon < 0) {
            path_goal_nodes(listing->model, listing->arena, &goal, &listing->goals);
            return true;
        }
        Str name = str_slice(to, (size_t)colon + 1, to.len);
        bool is_word = str_equal_ci(kind, STR("entraRole")) ||
                       str_equal_ci(kind, STR("graphPermission")) ||
                       str_equal_ci(kind, STR("azureRole"));
        goal.object = name;
        if (is_word) {
            path_goal_nodes(listing->model, listing->arena, &goal, &listing->goals);
            return true;
        }
        if (!find_named(listing, name, "identity or resource", &objects, error))
            return false;
        for (size_t i = 0; i < objects.len; i++) {
            goal.object = path_object(listing->model, objects.items[i])->id;
            path_goal_nodes(listing->model, listing->arena, &goal, &listing->goals);
        }
        return true;
    }
    if (!find_named(listing, to, "identity, resource or scope", &objects, error)) {
        Buffer kinds = {0};
        path_goal_kinds(&kinds);
        AzError cause = *error;
        error_clear(error);
        error_set(error, cause.code, "%s; kinds of goals are %.*s", cause.message,
                  STR_ARG(buffer_slice(&kinds)));
        buffer_free(&kinds);
        return false;
    }
    for (size_t i = 0; i < objects.len; i++)
        add_object_goals(listing, objects.items[i], true);
    return true;
}

// ---- paths ----

typedef struct PathArray {
    AttackPath *items;
    size_t len, cap;
} PathArray;

static int
path_order(const void *a, const void *b, void *context)
{
    const AttackPath *x = a, *y = b;
    const PathModel *model = context;
    if (x->severity != y->severity)
        return x->severity > y->severity ? -1 : 1;
    if (x->doubt != y->doubt)
        return x->doubt ? 1 : -1;
    if (x->attack_steps != y->attack_steps)
        return x->attack_steps < y->attack_steps ? -1 : 1;
    if (x->count != y->count)
        return x->count < y->count ? -1 : 1;
    int order = str_compare_ci(path_object(model, x->start)->id, path_object(model, y->start)->id);
    if (!order)
        order = str_compare_ci(path_object(model, path_node(model, x->goal)->object)->id,
                               path_object(model, path_node(model, y->goal)->object)->id);
    return order ? order : (x->goal > y->goal) - (x->goal < y->goal);
}

// The goals, and the best path to each that a class of starts has so far.
typedef struct Collector {
    Listing *listing;
    PathSearch *search;
    Arena scratch;
    uint32_t *rank; // by node: 1 + place among the goals, 0 = no goal
    uint32_t *best; // by goal object: 1 + path, 0 = none
    uint64_t *cost; // by path
    PathArray paths;
    size_t first; // path of this class
    uint32_t tried, left;
} Collector;

static void
take_all(Collector *all, uint32_t node)
{
    uint32_t count;
    AttackPath *found =
        path_search_paths(all->search, all->listing->arena, node, ALTERNATIVES_MOST, &count);
    for (uint32_t i = 0; i < count && all->paths.len < PATHS_MOST; i++)
        if (found[i].count)
            ARRAY_PUSH(all->listing->arena, &all->paths, found[i]);
}

// Of two goals that are one object the first of VALUE is told, else the nearer one.
static bool
is_better(const Collector *all, uint32_t node, uint32_t known)
{
    const AttackPath *path = &all->paths.items[known];
    if (all->rank[node] != all->rank[path->goal])
        return all->rank[node] < all->rank[path->goal];
    return path_search_cost(all->search, node) < all->cost[known];
}

static void
take_best(Collector *all, uint32_t node)
{
    uint32_t object = path_node(all->listing->model, node)->object;
    uint32_t key = all->listing->one_each ? object : node;
    uint32_t known = all->best[key];
    if (known && known > all->first && !is_better(all, node, known - 1))
        return;
    if (!(known && known > all->first) && all->paths.len >= PATHS_MOST)
        return;
    AttackPath path = path_search_path(all->search, all->listing->arena, node);
    if (!path.count)
        return;
    if (known && known > all->first) {
        all->paths.items[known - 1] = path;
        all->cost[known - 1] = path_search_cost(all->search, node);
        return;
    }
    all->cost[all->paths.len] = path_search_cost(all->search, node);
    ARRAY_PUSH(all->listing->arena, &all->paths, path);
    all->best[key] = (uint32_t)all->paths.len;
}

// Whether a start leads on just as one before it: of users in the same groups one stands
// for all.
static bool
is_like_another(Collector *all, Map *seen, uint32_t node)
{
    uint32_t first, end;
    path_edges_from(all->listing->model, node, &first, &end);
    Buffer ways = {0};
    for (uint32_t i = first; i < end; i++) {
        const PathEdge *edge = path_edge(all->listing->model, i);
        buffer_put(&ways, &edge->to, sizeof edge->to);
        buffer_put(&ways, &edge->kind, sizeof edge->kind);
    }
    bool is_new;
    map_add(seen, str_copy(&all->scratch, buffer_slice(&ways)), &is_new);
    buffer_free(&ways);
    return !is_new;
}

// One attacker at a time: what two guests could do together is no path of either.
static void
collect(Collector *all, const StartClass *class, const PathRequest *request)
{
    bool alternatives = request->all;
    uint32_t tried = 0;
    Map seen;
    map_init(&seen, &all->scratch, false);
    all->first = all->paths.len;
    for (size_t i = 0; i < class->nodes.len; i++) {
        if (!alternatives && is_like_another(all, &seen, class->nodes.items[i]))
            continue;
        if (request->starts_most && tried == request->starts_most) {
            all->left++;
            continue;
        }
        tried++;
        path_search_run(all->search, &class->nodes.items[i], 1, class->inside, NULL);
        uint32_t count;
        const uint32_t *touched = path_search_touched(all->search, &count);
        for (uint32_t j = 0; j < count; j++) {
            uint32_t node = touched[j];
            if (!all->rank[node] || !path_search_reached(all->search, node) ||
                path_search_cost(all->search, node) == 0)
                continue;
            if (alternatives)
                take_all(all, node);
            else
                take_best(all, node);
        }
    }
    all->tried += tried;
}

// Goals of one capability have one rank, so that the nearest of them is told.
static void
rank_goals(Collector *all)
{
    const Listing *listing = all->listing;
    for (size_t i = 0; i < listing->goals.len; i++) {
        uint32_t node = listing->goals.items[i];
        PathCapability capability = (PathCapability)path_node(listing->model, node)->capability;
        uint32_t rank = COUNT_OF(VALUE) + 1;
        for (uint32_t v = 0; v < COUNT_OF(VALUE); v++)
            if (VALUE[v] == capability)
                rank = v + 1;
        all->rank[node] = rank;
    }
}

bool
path_list(const PathModel *model, Arena *arena, const PathRequest *request, PathList *out,
          AzError *error)
{
    Listing listing = {.model = model, .arena = arena};
    *out = (PathList){0};
    if (!find_starts(&listing, request->from, error) || !find_goals(&listing, request->to, error))
        return false;
    Collector all = {.listing = &listing, .search = path_search_new(model, arena)};
    uint32_t keys = path_node_count(model);
    if (keys < path_object_count(model))
        keys = path_object_count(model);
    all.rank = ARENA_ARRAY(&all.scratch, uint32_t, path_node_count(model));
    all.best = ARENA_ARRAY(&all.scratch, uint32_t, keys);
    all.cost = ARENA_ARRAY(&all.scratch, uint64_t, PATHS_MOST);
    rank_goals(&all);
    for (size_t i = 0; i < listing.starts.len; i++)
        collect(&all, &listing.starts.items[i], request);
    if (all.paths.len)
        qsort_r(all.paths.items, all.paths.len, sizeof *all.paths.items, path_order,
                (void *)(uintptr_t)model);
    *out = (PathList){.paths = all.paths.items,
                      .found = (uint32_t)all.paths.len,
                      .is_full = all.paths.len == PATHS_MOST,
                      .starts_tried = all.tried,
                      .starts_left = all.left};
    out->count = request->limit && request->limit < out->found ? request->limit : out->found;
    path_find_chokes(model, arena, out);
    for (uint32_t i = 0; i < out->choke_count; i++)
        path_try_choke(model, all.search, out, &out->chokes[i]);
    arena_free(&all.scratch);
    return true;
}
