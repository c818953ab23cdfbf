// The model behind access.h, shared by its building and its questions.
#pragma once

#include "azure/rbac/access.h"

typedef struct Principal {
    Str id, kind, name;
    // First given as something that is no group: given as a group too, it has members and acts.
    bool acts;
} Principal;

// Edges in compressed rows: those of node i are targets[offsets[i] .. offsets[i + 1]).
typedef struct Links {
    uint32_t *offsets;
    uint32_t *targets;
} Links;

typedef struct MemberEdge {
    uint32_t group, member;
} MemberEdge;

typedef struct DenyAssignment {
    Str id;
    Str scope;
    bool this_scope_only; // doNotApplyToChildScopes
    bool everyone;
    StrList principals, excluded; // ids of users, service principals, groups
    PermissionBlock *blocks;
    uint32_t block_count;
} DenyAssignment;

// Assignments or denials of one scope: a run of indexes.
typedef struct ScopeRun {
    uint32_t from, to;
} ScopeRun;

struct AccessModel {
    Arena *arena;
    const RoleSet *roles;
    const ScopeTree *scopes;
    StarSegment star;

    Map principal_index; // id -> index
    struct {
        Principal *items;
        size_t len, cap;
    } principals;
    // By principal, apart from the rest because questions go through them.
    struct {
        uint8_t *items; // PrincipalKind; PRINCIPAL_GROUP for all that have members
        size_t len, cap;
    } kinds;
    uint32_t *name_hashes; // of the name in lower case
    struct {
        MemberEdge *items;
        size_t len, cap;
    } members;
    Links groups_of, members_of;

    struct {
        Assignment *items;
        size_t len, cap;
    } assignments;        // after access_finish scope by scope, then by id
    Map runs;             // normalised scope -> ScopeRun*
    Links assignments_of; // principal -> indexes of assignments

    struct {
        DenyAssignment *items;
        size_t len, cap;
    } denials;
    Map denial_runs; // normalised scope -> ScopeRun*
};

// A group and nothing else: its members act in its place.
static inline bool
is_only_group(const AccessModel *model, uint32_t principal)
{
    return model->kinds.items[principal] == PRINCIPAL_GROUP &&
           !model->principals.items[principal].acts;
}

// The principal and all groups it is in, itself first; from[i] is the position in the list
// of the member through which item i was reached.
typedef struct PrincipalClosure {
    uint32_t *items;
    uint32_t *from;
    uint32_t count;
} PrincipalClosure;
PrincipalClosure access_closure(const AccessModel *model, Arena *arena, uint32_t principal);

// What an assignment gives, the principal aside. `unknown` may be NULL.
AssignmentOutcome assignment_outcome(const AccessModel *model, Arena *arena,
                                     const Assignment *assignment, const AccessQuestion *question,
                                     const ConditionContext *context, AttributeList *unknown);
// The same in two halves: what the role gives, and what the assignment leaves of that.
AssignmentOutcome role_outcome(const AccessModel *model, Arena *arena, const Role *role,
                               const AccessQuestion *question, const ConditionContext *context,
                               AttributeList *unknown);
AssignmentOutcome assigned_outcome(Arena *arena, const Assignment *assignment,
                                   const AccessQuestion *question, const ConditionContext *context,
                                   AssignmentOutcome of_role, AttributeList *unknown);
// Whether the assignment may cover the operation, conditions and time aside.
bool assignment_may_cover(const Assignment *assignment, Str action, bool is_data, StarSegment star);
// Whether a deny assignment takes the operation at `scope`, its principals aside.
bool denial_covers(const AccessModel *model, const DenyAssignment *denial,
                   const AccessQuestion *question, bool is_own_scope);
// Whether it concerns the principal whose closure this is.
bool denial_concerns(const AccessModel *model, const DenyAssignment *denial,
                     const PrincipalClosure *closure);
ConditionContext access_context(const AccessModel *model, const AccessQuestion *question);
AccessVerdict outcome_verdict(AssignmentOutcome outcome);
