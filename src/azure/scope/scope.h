// Scopes: the tree that role, deny and policy assignments hang in.
//
// A scope is the id of a resource, resource group, subscription or management group, or
// "/". What holds at a scope holds below it. Everything but the parents of management
// groups and the management group of a subscription can be read off the id itself; those
// two are data. Ids compare without regard to case, by whole segments, and without regard
// to a slash at the end.
// Source: Microsoft Learn, "Understand scope for Azure RBAC".
#pragma once

#include "base/map.h"

typedef struct ScopeTree {
    Arena *arena;
    Map groups;        // management group name -> ManagementGroup*
    Map subscriptions; // subscription id -> name of its management group (Str*)
} ScopeTree;

typedef struct ManagementGroup {
    Str name;
    Str parent; // empty for the root
} ManagementGroup;

void scope_tree_init(ScopeTree *tree, Arena *arena);

// Names or whole ids; strings are copied. A later record of the same name wins.
void scope_add_management_group(ScopeTree *tree, Str name, Str parent);
void scope_add_subscription(ScopeTree *tree, Str id, Str management_group);

// The canonical form of an id: one leading slash, none at the end, no empty segments.
Str scope_normalise(Arena *arena, Str id);

// The scope and all above it, nearest first and "/" last. Management groups come as
// /providers/Microsoft.Management/managementGroups/NAME. Cycles among management groups
// end where they close. `known` (may be NULL) becomes false when the parents of a
// management group or of the subscription are not in the data, so that an assignment
// above may be missed.
typedef struct ScopeChain {
    Str *items;
    size_t len, cap;
} ScopeChain;
void scope_chain(const ScopeTree *tree, Arena *arena, Str scope, ScopeChain *out, bool *known);

// Whether `scope` is `ancestor` or lies below it by their ids alone.
bool scope_contains(Str ancestor, Str scope);
