// Scopes: normal form and the chain to the root.

#include "azure/scope/scope.h"

#include "base/array.h"

#include <string.h>

static const Str GROUP_PREFIX = STR_INIT("/providers/Microsoft.Management/managementGroups/");
static const Str SUBSCRIPTION_PREFIX = STR_INIT("/subscriptions/");

void
scope_tree_init(ScopeTree *tree, Arena *arena)
{
    tree->arena = arena;
    map_init(&tree->groups, arena, true);
    map_init(&tree->subscriptions, arena, true);
}

static bool
starts_ci(Str s, Str prefix)
{
    return s.len >= prefix.len && str_equal_ci(str_slice(s, 0, prefix.len), prefix);
}

// "x" of ".../managementGroups/x", or the name as it is.
static Str
group_name(Str id)
{
    while (id.len && id.ptr[id.len - 1] == '/')
        id.len--;
    return starts_ci(id, GROUP_PREFIX) ? str_slice(id, GROUP_PREFIX.len, id.len) : id;
}

void
scope_add_management_group(ScopeTree *tree, Str name, Str parent)
{
    name = group_name(name);
    if (!name.len)
        return;
    ManagementGroup *group = map_get(&tree->groups, name);
    if (!group) {
        group = ARENA_NEW(tree->arena, ManagementGroup);
        group->name = str_copy(tree->arena, name);
        map_put(&tree->groups, group->name, group);
    }
    group->parent = str_copy(tree->arena, group_name(parent));
}

void
scope_add_subscription(ScopeTree *tree, Str id, Str management_group)
{
    if (starts_ci(id, SUBSCRIPTION_PREFIX))
        id = str_slice(id, SUBSCRIPTION_PREFIX.len, id.len);
    Str *group = ARENA_NEW(tree->arena, Str);
    *group = str_copy(tree->arena, group_name(management_group));
    map_put(&tree->subscriptions, str_copy(tree->arena, id), group);
}

Str
scope_normalise(Arena *arena, Str id)
{
    char *out = arena_alloc(arena, id.len + 2);
    size_t len = 0;
    for (size_t i = 0; i < id.len; i++) {
        if (id.ptr[i] == '/')
            continue;
        if (!len || id.ptr[i - 1] == '/')
            out[len++] = '/';
        out[len++] = id.ptr[i];
    }
    if (!len)
        out[len++] = '/';
    return (Str){out, len};
}

bool
scope_contains(Str ancestor, Str scope)
{
    while (ancestor.len && ancestor.ptr[ancestor.len - 1] == '/')
        ancestor.len--;
    if (!starts_ci(scope, ancestor))
        return false;
    return scope.len == ancestor.len || scope.ptr[ancestor.len] == '/';
}

static bool
holds(const ScopeChain *chain, size_t from, Str scope)
{
    for (size_t i = from; i < chain->len; i++)
        if (str_equal_ci(chain->items[i], scope))
            return true;
    return false;
}

// Management group `name` and those above it. False when one of them is not in the data.
static bool
push_groups(const ScopeTree *tree, Arena *arena, Str name, ScopeChain *out)
{
    size_t first = out->len;
    while (name.len) {
        Str id = str_format(arena, "%.*s%.*s", STR_ARG(GROUP_PREFIX), STR_ARG(name));
        if (holds(out, first, id))
            return true; // a cycle: it is closed
        ARRAY_PUSH(arena, out, id);
        const ManagementGroup *group = map_get(&tree->groups, name);
        if (!group)
            return false;
        name = group->parent;
    }
    return true;
}

void
scope_chain(const ScopeTree *tree, Arena *arena, Str scope, ScopeChain *out, bool *known)
{
    scope = scope_normalise(arena, scope);
    bool all_known = true;
    // The id cut at each segment, longest first; a management group ends the walk, for what
    // is above it is not in the id.
    Str part = scope;
    Str group = {0}, subscription = {0};
    while (part.len > 1) {
        Str name =
            starts_ci(part, GROUP_PREFIX) ? str_slice(part, GROUP_PREFIX.len, part.len) : (Str){0};
        if (name.len && !memchr(name.ptr, '/', name.len)) {
            group = name;
            break;
        }
        ARRAY_PUSH(arena, out, part);
        Str rest = starts_ci(part, SUBSCRIPTION_PREFIX)
                       ? str_slice(part, SUBSCRIPTION_PREFIX.len, part.len)
                       : (Str){0};
        if (rest.len && !memchr(rest.ptr, '/', rest.len)) {
            subscription = rest;
            break;
        }
        while (part.len && part.ptr[--part.len] != '/')
            ;
    }
    if (subscription.len) {
        const Str *parent = map_get(&tree->subscriptions, subscription);
        all_known = parent != NULL;
        group = parent ? *parent : (Str){0};
    }
    if (group.len)
        all_known &= push_groups(tree, arena, group, out);
    ARRAY_PUSH(arena, out, STR("/"));
    if (known)
        *known = all_known;
}
