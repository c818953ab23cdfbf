// Facts about operations: which belong to the data plane, and the classes that people
// think in ("invoke model", "list keys"). Both are content: content/azure.
#pragma once

#include "azure/rbac/role.h"

typedef struct OperationClass {
    Str name;      // several operations may share one
    Str operation; // the one that stands for the class
    Str about;
    bool is_data;
} OperationClass;

typedef struct OperationFacts {
    Map data_actions; // of operations, any case
    OperationClass *classes;
    uint32_t class_count;
} OperationFacts;

bool operation_facts_load(Arena *arena, const char *content, OperationFacts *out, AzError *error);

typedef enum OperationPlane { PLANE_UNKNOWN, PLANE_CONTROL, PLANE_DATA } OperationPlane;

// By the table of data actions; else by the roles: an operation that some role names in
// Actions or DataActions belongs there. UNKNOWN when neither says.
OperationPlane operation_plane(const OperationFacts *facts, const RoleSet *roles, Str operation);
