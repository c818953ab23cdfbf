// What a path leads to, and where it starts, by the names people and cases use.
#pragma once

#include "azure/path/path_model.h"
#include "base/buffer.h"

typedef struct NodeList {
    uint32_t *items;
    size_t len, cap;
} NodeList;

// Kinds of goals. `object` is an id: of a principal, group, Entra role (or its name),
// permission of Graph (by value), role of Azure (id or name), resource; `scope` is that of
// an Azure role. An empty `object` means any.
typedef struct PathGoal {
    Str kind, object, scope;
} PathGoal;

bool path_goal_is_kind(Str kind);
void path_goal_kinds(Buffer *out); // "principal, memberOf, ..."

// The nodes that satisfy the goal; none when the snapshot has no such thing. `arena` holds
// the list.
void path_goal_nodes(const PathModel *model, Arena *arena, const PathGoal *goal, NodeList *out);
