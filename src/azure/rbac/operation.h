// Facts about operations: which there are and on which plane, and the classes that people
// think in ("invoke model", "list keys"). Both are content: content/azure.
#pragma once

#include "azure/rbac/role.h"

typedef struct OperationClass {
    Str name;      // several operations may share one
    Str operation; // the one that stands for the class
    Str about;
    bool is_data;
} OperationClass;

typedef struct Operation {
    Str name;
    bool is_data;
} Operation;

typedef struct OperationFacts {
    Map by_name; // of Operation*, any case: the operations that are known
    OperationClass *classes;
    uint32_t class_count;
} OperationFacts;

bool operation_facts_load(Arena *arena, const char *content, OperationFacts *out, AzError *error);

typedef enum OperationPlane { PLANE_UNKNOWN, PLANE_CONTROL, PLANE_DATA } OperationPlane;

// By the table of operations; else by the roles: an operation that some role names in
// Actions or DataActions belongs there. UNKNOWN when neither says.
OperationPlane operation_plane(const OperationFacts *facts, const RoleSet *roles, Str operation);
