// The smallest custom role for a set of operations: these and nothing else.
// Source: Microsoft Learn, "Azure custom roles", custom role properties and limits.
#pragma once

#include "azure/rbac/operation.h"

// The definition as JSON, {"Actions":[...],"DataActions":[...],"AssignableScopes":[...]}, to
// which `az role definition create` wants a name, in `arena`. Its assignable scope is `scope`,
// or the resource group or subscription around a resource, as Azure asks. Empty when `scope`
// is the root, where no custom role can be assigned. One with DataActions cannot be assigned
// at a management group, only below it.
Str custom_role(Arena *arena, Str scope, const Operation *const *operations, size_t count);
