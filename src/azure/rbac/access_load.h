// The access model of a snapshot: read from the store with KQL.
#pragma once

#include "azure/rbac/access.h"
#include "azure/rbac/access_gaps.h"

typedef struct AccessWorld {
    RoleSet roles;
    ScopeTree scopes;
    AccessModel *model;
    // What could not be taken: deny assignments without scope, role definitions without id,
    // delegations whose definition is not there.
    uint32_t unreadable;
    AccessGaps gaps;
} AccessWorld;

// Reads principals, memberships, containers, roles, assignments, eligibilities and deny
// assignments, delegations and classic administrators of the database's snapshot. All lives in `arena`.
bool access_load(Database *db, Arena *arena, StarSegment star, AccessWorld *out, AzError *error);
