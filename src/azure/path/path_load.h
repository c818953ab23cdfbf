// The path model of a snapshot: read from the store with KQL.
#pragma once

#include "azure/path/path_model.h"
#include "azure/rbac/access_load.h"

typedef struct PathWorld {
    AccessWorld access;
    PathTables tables;
    PathModel *model;
} PathWorld;

// Reads identities, directory roles, permissions, resources and exposure of the
// database's snapshot, for the time `at` (ticks). All lives in `arena`.
bool path_load(Database *db, Arena *arena, int64_t at, PathWorld *out, AzError *error);
