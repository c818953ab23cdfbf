// Effective access: who may do what, where, and because of which assignment.
//
// An AccessModel holds the principals, groups, scopes, roles and assignments of one
// snapshot. It is filled by the access_add_* calls in any order, closed by access_finish,
// and then only read, from any number of threads. Nothing is multiplied out: a question
// walks the scope's chain and looks at the assignments there, so that a tenant with
// 100,000 assignments costs what the question touches.
//
// The order of decision is Azure's: groups of the caller; deny assignments; assignments
// whose role covers the operation; conditions. One surviving assignment allows.
// Sources: Microsoft Learn, "What is Azure RBAC", "Understand Azure deny assignments",
// "Role assignment conditions", "Privileged Identity Management".
#pragma once

#include "azure/rbac/role.h"
#include "azure/scope/scope.h"

typedef struct AccessModel AccessModel;

// `arena` outlives the model. `roles` and `scopes` are read during questions; the caller
// fills them.
AccessModel *access_new(Arena *arena, const RoleSet *roles, const ScopeTree *scopes,
                        StarSegment star);

// What is known of a principal: the kinds that callers of access_add_principal name.
typedef enum PrincipalKind {
    PRINCIPAL_UNKNOWN, // an id that something names and nothing describes
    PRINCIPAL_USER,
    PRINCIPAL_GUEST,
    PRINCIPAL_SERVICE, // ServicePrincipal
    PRINCIPAL_MANAGED, // ManagedIdentity
    PRINCIPAL_FOREIGN, // Foreign: of another tenant
    PRINCIPAL_GROUP,
} PrincipalKind;

// Ids compare without regard to case. A repeated id keeps its first kind unless that was
// empty. All strings are copied.
void access_add_principal(AccessModel *model, Str id, Str kind, Str name);
void access_add_member(AccessModel *model, Str group, Str member);
// Many at once: groups[i] holds members[i].
void access_add_members(AccessModel *model, const Str *groups, const Str *members, size_t count);

// Where a right comes from.
typedef enum AssignmentSource {
    SOURCE_ASSIGNMENT, // a role assignment, or an eligibility for one
    // Azure Lighthouse: a principal of the managing tenant. The control plane only, even
    // of a role that has come to hold DataActions since.
    // Source: Microsoft Learn, "Tenants, users, and roles in Azure Lighthouse scenarios".
    SOURCE_DELEGATION,
    // A classic administrator: an Owner of the subscription until the role was retired.
    // Source: Microsoft Learn, "Azure classic subscription administrators".
    SOURCE_CLASSIC,
} AssignmentSource;

typedef struct AssignmentRecord {
    Str id;
    Str principal;
    Str role_definition_id;
    Str scope;
    Str condition;      // empty = none
    int64_t start, end; // ticks; 0 = open. Holds while start <= now < end
    bool eligible;      // PIM: grants after activation only
    AssignmentSource source;
    Str origin; // in words, when it is no role assignment; empty else
} AssignmentRecord;
void access_add_assignment(AccessModel *model, const AssignmentRecord *record);

// A deny assignment as Resource Graph gives its properties, or flat. False when it has no
// scope or no permissions that can be read.
bool access_add_deny(AccessModel *model, Str id, Dyn definition);

// Sorts and indexes. Call once, after the last add.
void access_finish(AccessModel *model);

// ---- questions ----

typedef struct AccessQuestion {
    Str principal;
    Str action;
    bool is_data; // the operation belongs to the data plane
    Str scope;
    int64_t at;               // ticks
    ConditionContext context; // attributes; action and star are filled in
} AccessQuestion;

typedef enum AccessVerdict {
    ACCESS_NONE,        // no assignment grants it
    ACCESS_DENIED,      // a deny assignment forbids it
    ACCESS_ELIGIBLE,    // only after an activation in PIM
    ACCESS_CONDITIONAL, // hangs on attributes that are not known
    ACCESS_UNCERTAIN,   // NotActions take it away under one reading of `/*/`
    ACCESS_ALLOWED,
} AccessVerdict;
const char *access_verdict_name(AccessVerdict verdict);

// What became of one assignment.
typedef enum AssignmentOutcome {
    OUTCOME_GRANTS,
    OUTCOME_UNCERTAIN,
    OUTCOME_CONDITION_UNKNOWN,
    OUTCOME_CONDITION_BAD, // the condition cannot be read: it is taken as unknown
    OUTCOME_ELIGIBLE,
    OUTCOME_CONDITION_FALSE,
    OUTCOME_NOT_IN_ROLE,
    OUTCOME_NOT_DELEGATED, // of the data plane, which Azure Lighthouse does not delegate
    OUTCOME_NOT_YET,
    OUTCOME_EXPIRED,
    OUTCOME_RETIRED,      // a classic administrator, after these were retired
    OUTCOME_ROLE_UNKNOWN, // the role definition is not in the data
} AssignmentOutcome;
const char *assignment_outcome_name(AssignmentOutcome outcome);
// Whether the assignment grants now, whatever else is said.
static inline bool
outcome_grants(AssignmentOutcome outcome)
{
    return outcome <= OUTCOME_UNCERTAIN;
}

typedef struct Assignment {
    Str id;
    uint32_t principal; // index, see access_principal_id
    const Role *role;   // NULL when unknown
    Str role_definition_id;
    Str scope; // normalised; assignments at one scope have the same text
    Str condition_text;
    const Condition *condition;
    Str condition_error;
    int64_t start, end;
    bool eligible;
    AssignmentSource source;
    Str origin;
} Assignment;

typedef struct AssignmentStep {
    const Assignment *assignment;
    AssignmentOutcome outcome;
    // From the asking principal to the assignment's: itself first, then its groups.
    const uint32_t *via;
    uint32_t via_count;
} AssignmentStep;

typedef struct AccessAnswer {
    AccessVerdict verdict;
    Str denied_by; // id of the deny assignment
    // Every assignment on the chain that concerns the principal, those that grant first.
    AssignmentStep *steps;
    uint32_t step_count;
    AttributeList unknown; // attributes that conditions hang on
    bool scope_known;      // false: assignments above may be missing (see scope_chain)
    bool principal_known;
} AccessAnswer;

AccessAnswer access_check(const AccessModel *model, Arena *arena, const AccessQuestion *question);

// Everybody who may do an operation at a scope: `question->principal` is ignored. Each
// principal that is no group comes once, with its best verdict and one assignment for it;
// those denied do not come. Calls `each` in the order of the chain and of the assignments.
typedef struct AccessHolder {
    uint32_t principal;
    AccessVerdict verdict;
    const Assignment *assignment;
    uint32_t via_group; // the group that holds the assignment, UINT32_MAX if none
} AccessHolder;
typedef struct WhoCan WhoCan; // scratch memory, kept from question to question by one thread
WhoCan *who_can_new(const AccessModel *model, Arena *arena);
void who_can_free(WhoCan *who);
void who_can(WhoCan *who, const AccessQuestion *question,
             void (*each)(void *context, const AccessHolder *holder), void *context);
// Scopes of the same place have the same holders, whatever the operation: the nearest scope
// at or above at which anything is assigned or denied. `is_own`: the scope itself, where a
// deny assignment may hold that does not apply below. Empty when there is no such scope.
Str who_can_place(WhoCan *who, Str scope, bool *is_own);

// A principal and everybody below it when it is a group, over any number of groups. The
// list is good until the next call; the reader is one thread's.
typedef struct MemberReader MemberReader;
MemberReader *member_reader_new(const AccessModel *model, Arena *arena);
const uint32_t *members_below(MemberReader *reader, uint32_t principal, uint32_t *count);

// All assignments of a principal and of its groups, active or not.
AssignmentStep *access_assignments_of(const AccessModel *model, Arena *arena, Str principal,
                                      uint32_t *count);

Str access_principal_id(const AccessModel *model, uint32_t principal);
Str access_principal_name(const AccessModel *model, uint32_t principal); // empty if not known
Str access_principal_kind(const AccessModel *model, uint32_t principal); // in words
PrincipalKind access_kind_of(const AccessModel *model, uint32_t principal);
uint32_t access_principal_count(const AccessModel *model);
uint32_t access_find_principal(const AccessModel *model, Str id); // UINT32_MAX when unknown
// The principals of that name, in any case: at most `most` of them; returns how many there are.
uint32_t access_find_named(const AccessModel *model, Str name, uint32_t *found, uint32_t most);
uint32_t access_assignment_count(const AccessModel *model);
const Assignment *access_assignment(const AccessModel *model, uint32_t index);
