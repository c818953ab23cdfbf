// The graph of attack paths of one snapshot.
//
// A node is something an attacker can hold: an identity it acts as, a capability over a
// resource (its keys, its data, code that runs as it), the right to assign roles at a
// scope. An edge says what follows from what, with the kind (path_tables.h) and the
// evidence: the assignment, role or property behind it. A node of the kind NODE_ALL is
// reached when everything before it is; all others when anything is.
//
// Filled by the path_add_* calls in any order, closed by path_finish, then only read.
// What hangs on operations of Azure is asked of the access model; nothing of RBAC is
// decided here. Assignments at a scope do not become edges to every resource below it: a
// hidden node "this rule at this scope" hands them down the tree.
// docs/paths.md has the meaning of each kind of edge and the limits.
#pragma once

#include "azure/path/path_tables.h"
#include "azure/rbac/access.h"

typedef struct PathModel PathModel;

typedef enum ObjectKind {
    OBJECT_UNKNOWN, // an id that something names and nothing describes
    OBJECT_USER,
    OBJECT_GUEST,
    OBJECT_GROUP,
    OBJECT_SERVICE_PRINCIPAL,
    OBJECT_MANAGED_IDENTITY,
    OBJECT_APPLICATION,
    OBJECT_RESOURCE,
    OBJECT_SCOPE, // a resource group, subscription, management group or part of a resource
    OBJECT_GRANT, // a role at a scope
    OBJECT_DIRECTORY_ROLE,
    OBJECT_PERMISSION, // of Microsoft Graph
    OBJECT_UNIT,       // an administrative unit
    OBJECT_TENANT,
    OBJECT_EXTERNAL, // a workload that others run, known by issuer and subject
    OBJECT_LOCATION, // where a credential lies
    OBJECT_INTERNET,
    OBJECT_NETWORK, // a place inside the tenant's networks
} ObjectKind;
const char *object_kind_name(ObjectKind kind);

PathModel *path_new(Arena *arena, const PathTables *tables, const AccessModel *access, int64_t at);

// Facts. Ids compare without regard to case; a repeated id keeps its first record.
// Strings are copied; Dyn views must live until path_finish.
void path_add_user(PathModel *model, Str id, Str name, bool is_guest, bool is_outside);
// A subscription, resource group or management group by its name.
void path_add_scope(PathModel *model, Str id, Str name);
void path_add_group(PathModel *model, Str id, Str name, bool role_assignable, Str membership_rule);
void path_add_application(PathModel *model, Str id, Str app_id, Str name);
// `is_locked`: its credentials cannot be changed (servicePrincipalLockConfiguration).
void path_add_service_principal(PathModel *model, Str id, Str app_id, Str name, bool is_managed,
                                bool is_locked);
void path_add_owner(PathModel *model, Str object, Str owner);
// PIM for groups: may become a member or an owner.
void path_add_eligible(PathModel *model, Str group, Str principal, bool as_owner);
// PIM's settings for activating a role at a scope ("/" in the directory; of a group its id, with
// the role "member" or "owner"): whether an approver is waited for, the approvalStages of the
// rule Approval_EndUser_Assignment, and in words all it asks for. The first of a role and scope
// counts.
// https://learn.microsoft.com/graph/api/resources/unifiedrolemanagementpolicyapprovalrule
void path_add_activation_rule(PathModel *model, Str id, Str role, Str scope, bool needs_approval,
                              Dyn stages, Str asks);
void path_add_directory_role_actions(PathModel *model, Str role, Str name, Dyn actions);
void path_add_directory_assignment(PathModel *model, Str id, Str principal, Str role, Str scope,
                                   bool is_eligible);
void path_add_unit(PathModel *model, Str id, Str name, Str membership_rule);
void path_add_unit_member(PathModel *model, Str unit, Str member);
void path_add_permission(PathModel *model, Str assignment, Str principal, Str permission);
void path_add_federated(PathModel *model, Str id, Str object, Str issuer, Str subject);
void path_add_external(PathModel *model, Str id, Str issuer, Str subject);
// A stored credential of `of` at a resource or elsewhere; `readers` (an array of ids) may
// take it there.
void path_add_credential(PathModel *model, Str location, Str of, Dyn readers);
// A role of a Cosmos DB account's own access control.
void path_add_sql_role(PathModel *model, Str principal, Str role, Str scope);
void path_add_resource(PathModel *model, Str id, Str type, Str kind, Dyn identity, Dyn properties);
// A custom role of Azure: whoever may edit it at all of its scopes edits what its holders
// may do.
void path_add_custom_role(PathModel *model, Str id, Str name, Dyn assignable_scopes);
// Diagnostic settings send requests and prompts of `source` to `target`.
void path_add_prompt_log(PathModel *model, Str source, Str target);
// The resource runs as the principal, beside what `identity` of the resource says.
void path_add_identity(PathModel *model, Str resource, Str principal);

// Makes the graph. Call once, after the last add; the access model is finished before.
void path_finish(PathModel *model);

// ---- reading ----

typedef enum NodeKind {
    NODE_OBJECT,     // acts as the object; of a resource: runs code as it
    NODE_CAPABILITY, // holds `capability` of the object
    NODE_STEP,       // in between, not shown
    NODE_SET,        // stands for many; shown as the one a path goes on to
    NODE_ALL,        // reached when all nodes before it are
} NodeKind;

typedef struct PathNode {
    uint8_t kind, capability;
    uint32_t object;
} PathNode;

typedef struct PathEdge {
    uint32_t from, to;
    uint32_t evidence; // index, 0 = none
    uint16_t kind;     // index into the kinds, PATH_EDGE_HIDDEN for what is no step
    bool doubt;        // hangs on a condition or on a reading that is not known
} PathEdge;

enum { PATH_EDGE_HIDDEN = UINT16_MAX };

typedef struct PathEvidence {
    Str id;   // of the assignment, credential, rule
    Str text; // "Owner at sub-ai-production"
} PathEvidence;

typedef struct PathObject {
    ObjectKind kind;
    Str id, name, type;
    uint32_t parent;        // of a scope or resource; UINT32_MAX = none
    uint32_t node;          // NODE_OBJECT, UINT32_MAX while there is none
    uint32_t *capabilities; // nodes by PathCapability, 0 = none; NULL = none at all
    uint32_t *rules;        // hidden nodes by rule, 0 = none
    bool is_outside;        // a user known to have no place in the tenant's networks
    bool is_guarded;        // a deny assignment stands at it or above it
} PathObject;

uint32_t path_object_count(const PathModel *model);
const PathObject *path_object(const PathModel *model, uint32_t index);
uint32_t path_find(const PathModel *model, Str id); // object, UINT32_MAX when unknown
Str path_label(const PathModel *model, uint32_t object);

uint32_t path_node_count(const PathModel *model);
const PathNode *path_node(const PathModel *model, uint32_t node);
uint32_t path_edge_count(const PathModel *model);
const PathEdge *path_edge(const PathModel *model, uint32_t edge);
const EdgeKind *path_edge_kind(const PathModel *model, const PathEdge *edge); // NULL = hidden
const PathEvidence *path_evidence(const PathModel *model, uint32_t index);

// Edges are sorted by their start: those of a node are [first, end).
void path_edges_from(const PathModel *model, uint32_t node, uint32_t *first, uint32_t *end);
// Edges into a node, as positions for path_edge.
const uint32_t *path_edges_to(const PathModel *model, uint32_t node, uint32_t *count);

uint32_t path_inside_network(const PathModel *model); // the node of a place inside
const PathTables *path_tables(const PathModel *model);
