// The state of building the edges of Azure, shared by its two halves.
#pragma once

#include "azure/path/path_internal.h"
#include "azure/rbac/access_internal.h"

typedef struct AzureBuild {
    PathModel *model;
    Arena arena; // of the build
    Coverage *coverage;
    Callers *callers;
    bool *has_own; // by object: assignments stand at it or, of a resource, on a part of it
    uint32_t object_count;
    uint32_t assign_roles; // operation: roleAssignments/write
} AzureBuild;

static inline PathObject *
azure_object(const AzureBuild *build, uint32_t index)
{
    return &build->model->objects.items[index];
}

// "Owner at sub-ai-production".
Str azure_grant_name(AzureBuild *build, const Role *role, uint32_t scope);
// The node of a principal of the access model.
uint32_t azure_principal_node(AzureBuild *build, uint32_t principal);

// Grants of assignments, delegations and elevation, and what they lead to: path_grant.c.
void azure_build_grants(AzureBuild *build);
