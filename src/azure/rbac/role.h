// Role definitions: built-in and custom, compiled for matching.
//
// A role is a list of permission blocks. A block grants an operation of the control plane
// when one of `actions` covers it and none of `notActions` does; of the data plane by
// `dataActions` and `notDataActions`. NotActions subtract inside their own block only and
// deny nothing elsewhere. A block may carry a condition.
// Source: Microsoft Learn, "Understand Azure role definitions".
#pragma once

#include "azure/rbac/condition.h"
#include "base/map.h"

typedef struct StrList {
    const Str *items;
    uint32_t count;
} StrList;

typedef struct PermissionBlock {
    StrList actions, not_actions, data_actions, not_data_actions;
    Str condition_text; // empty = none
    const Condition *condition;
    Str condition_error; // why `condition_text` cannot be read; then `condition` is NULL
} PermissionBlock;

typedef struct Role {
    Str id; // the GUID alone: the path before it differs from subscription to subscription
    Str name;
    uint32_t index; // below RoleSet.count
    bool is_built_in, is_privileged;
    PermissionBlock *blocks;
    uint32_t block_count;
} Role;

typedef struct RoleSet {
    Arena *arena;
    Map by_id;      // of Role*
    uint32_t count; // of roles ever added, replaced ones too
} RoleSet;

void role_set_init(RoleSet *set, Arena *arena);

// The roles of `base` too, shared and not copied: `base` outlives the set.
void role_set_share(RoleSet *set, const RoleSet *base);

// The built-in roles of `content`/azure/builtin-roles.jsonl.
bool role_set_add_built_in(RoleSet *set, const char *content, AzError *error);

// Adds or replaces one role from a role definition as ARM and Resource Graph give it
// (`{id|name, properties:{roleName, type, permissions}}`) or flat (`{id, roleName,
// roleType, permissions}`). Strings are copied. Members of the wrong type are left out.
Role *role_set_add(RoleSet *set, Dyn definition, bool is_built_in);

// By id, or by a path that ends in it, in any case; NULL when unknown.
const Role *role_set_find(const RoleSet *set, Str role_definition_id);

// The blocks of a `permissions` array, also of a deny assignment; returns their number.
uint32_t role_read_blocks(Arena *arena, Dyn permissions, PermissionBlock **out);

typedef enum BlockVerdict {
    BLOCK_NO,
    BLOCK_UNCERTAIN, // NotActions take it away only if `/*/` may be a single slash
    BLOCK_YES,
} BlockVerdict;

// Whether a block covers the operation, its condition aside.
BlockVerdict permission_covers(const PermissionBlock *block, Str action, bool is_data,
                               StarSegment star);

// Whether some block of the role covers the operation.
bool role_may_cover(const Role *role, Str action, bool is_data, StarSegment star);
