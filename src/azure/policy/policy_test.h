// One definition on a few resources, as a pipeline checks them before they are deployed.
#pragma once

#include "azure/policy/policy_world.h"

typedef struct PolicyTest {
    ResultTable *table; // ResourceId, ResourceType, ComplianceState, Effect, Reason
    uint32_t failing;   // resources that are not compliant, or fail to evaluate
} PolicyTest;

// `definition` is a definition or a rule, `resources` are resources or arrays of them.
// `parameters` (may be "no such node") is an object of values. Related resources are looked for
// among the resources given.
bool policy_test(Arena *arena, const AliasTable *aliases, Dyn definition, Dyn parameters,
                 const Dyn *resources, uint32_t count, int64_t at, PolicyTest *out, AzError *error);
