// Permissions that are held against operations that were seen.
//
// Each assignment is compared with what the logs show its principal (or the members of its
// group) doing below its scope. Logs hold less than people do: the activity log has no
// reads, and a service whose data plane is not logged shows nothing. What cannot be known
// is called unknown, never unused.
// Source of the idea: Microsoft Learn, "Best practices for Azure RBAC", least privilege.
#pragma once

#include "azure/rbac/access_table.h"

typedef enum UseStatus { USE_UNUSED, USE_UNKNOWN, USE_USED } UseStatus;

// One row an assignment that is active at `at`: Principal, Kind, Role, Scope, Status
// (unused, unknown, used), Why, Operations (distinct ones seen), Calls, LastSeen,
// SmallerRole (a role that covers what was seen with fewer operations; "(none)" when
// nothing was seen and the assignment can go), CustomRole (the smallest custom role, as the JSON
// of a role definition; empty at the root, where none can be assigned, and when nothing was
// seen), Privileged, AssignmentId. Those unused
// first, the privileged among them first. `principal` empty = everybody's; else only
// assignments of that principal and its groups, measured by that principal alone.
// NULL with an error of the queries.
ResultTable *access_unused(Database *db, const AccessWorld *world, const OperationFacts *facts,
                           Arena *arena, Str principal, int64_t since, int64_t at, AzError *error);
