// Shared by the runner of identity cases and by its kinds.
#pragma once

#include "azure/path/path_tables.h"
#include "azure/rbac/access.h"

typedef struct Run {
    Arena arena;
    RoleSet built_in;
    PathTables paths;
    StarSegment star;
    uint32_t passed, failed, disputed, skipped;
    uint32_t shorter; // paths of fewer steps than a case gives
    uint32_t exact;   // paths that are the very one a case gives, of those as short
} Run;

Dyn member(Dyn node, const char *name);
Str text(Dyn node, const char *name);
bool flag(Dyn node, const char *name);

// The access model of a case's tenant. Users and service principals that a path case
// lists are principals too.
AccessModel *load_tenant(Run *run, Arena *arena, RoleSet *roles, ScopeTree *scopes, Dyn tenant);

// kind=path: tenant, question {from, goal} -> reachable, edges.
bool run_path(Run *run, Arena *arena, Dyn item, Str *why);
