// Answers about access as tables, for commands and for the database.
#pragma once

#include "azure/rbac/access_load.h"
#include "azure/rbac/operation.h"
#include "db/table_builder.h"

// The columns of the tables below, for those who declare them.
extern const TableColumn WHO_CAN_COLUMNS[], WHAT_CAN_COLUMNS[], ACCESS_PATH_COLUMNS[];
enum { WHO_CAN_COLUMN_COUNT = 8, WHAT_CAN_COLUMN_COUNT = 8, ACCESS_PATH_COLUMN_COUNT = 8 };

// Who may do the operation: Principal, Kind, Id, Verdict, Role, Scope, Via, Condition.
// `via` is the group that holds the assignment, empty when the principal does. The surest
// verdicts first, then by name.
ResultTable *access_who_can(const AccessWorld *world, Arena *arena, const AccessQuestion *question);

// For many scopes at once, one row a scope: Scope, Allowed (principals that may do the
// operation now), of which Users, Guests, ServicePrincipals, ManagedIdentities; Conditional
// (uncertain ones too) and Eligible beside them.
ResultTable *access_who_can_each(const AccessWorld *world, Arena *arena,
                                 const AccessQuestion *question, const Str *scopes, size_t count);

// What a principal may do: one row an assignment of its own or of its groups: Role, Scope,
// State (active, eligible, expired, not yet), Can (the classes of operations the role
// covers), Privileged, Via (the chain of groups), Condition, AssignmentId.
ResultTable *access_what_can(const AccessWorld *world, const OperationFacts *facts, Arena *arena,
                             Str principal, int64_t at);

// How a principal comes to a resource: one path for each assignment of its own or of its
// groups at the resource or above it, one row a hop: Path (number), Step, Edge (MemberOf,
// HasRole, Contains), From, To, Role, State, Condition.
ResultTable *access_path(const AccessWorld *world, Arena *arena, Str principal, Str resource,
                         int64_t at);

// The name people know a principal by; its id when it has none. "(not in the data)" is
// added to ids that no collected principal has.
Str access_principal_label(const AccessModel *model, Arena *arena, uint32_t principal);

// Name of the role, or its id when the definition is not in the data.
Str access_role_label(const Assignment *assignment);

// The groups between the principal and the assignment, "a > b"; empty for its own.
Str access_via_label(const AccessModel *model, Arena *arena, const AssignmentStep *step);
