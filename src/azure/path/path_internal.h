// The path model behind path_model.h, shared by the files that build it.
#pragma once

#include "azure/path/path_model.h"
#include "base/array.h"

typedef struct ResourceFact {
    uint32_t object;
    Str kind;
    Dyn identity, properties;
    bool is_private;  // its data plane is closed to the internet
    bool is_training; // holds data that models are trained on
    bool has_prompts; // receives requests and prompts of models
    bool is_logged;   // its requests and prompts are logged somewhere
} ResourceFact;

typedef struct PairFact {
    uint32_t a, b; // objects
    Str id, role;
    bool flag;
} PairFact;

typedef struct PairFacts {
    PairFact *items;
    size_t len, cap;
} PairFacts;

typedef struct DirectoryFact {
    Str id, role, scope;
    uint32_t principal;
    bool is_eligible;
} DirectoryFact;

typedef struct GroupFact {
    uint32_t object;
    bool role_assignable;
    Str membership_rule; // not empty: dynamic, nobody adds members
} GroupFact;

typedef struct ApplicationFact {
    uint32_t object;
    Str app_id;
    bool is_application, is_managed, is_locked; // else a service principal
} ApplicationFact;

typedef struct TokenFact { // what a federated credential trusts, or what a workload presents
    uint32_t object;
    Str id, issuer, subject;
} TokenFact;

typedef struct RoleActions {
    Str role;
    StrList actions;
} RoleActions;

typedef struct ObjectList {
    uint32_t *items;
    size_t len, cap;
} ObjectList;

typedef ObjectList ApprovalStage; // any of them approves

typedef struct ActivationRule { // PIM's settings of a role at a scope
    Str id, asks;               // asks: in words
    bool needs_approval;
    ApprovalStage *stages; // all of them approve
    uint32_t stage_count;
} ActivationRule;

typedef struct Activation { // that waits for an approver
    uint32_t principal, to; // object, node
    uint32_t evidence;
    const ActivationRule *rule;
} Activation;

struct PathModel {
    Arena *arena;
    const PathTables *tables;
    const AccessModel *access;
    int64_t at;

    struct {
        PathObject *items;
        size_t len, cap;
    } objects;
    Map object_index; // id -> object
    struct {
        PathNode *items;
        size_t len, cap;
    } nodes;
    struct {
        PathEdge *items;
        size_t len, cap;
    } edges;
    struct {
        PathEvidence *items;
        size_t len, cap;
    } evidence;
    uint32_t *forward;  // node -> first edge, after path_finish
    uint32_t *backward; // node -> first of backward_edges
    uint32_t *backward_edges;
    uint32_t tenant, internet, network; // objects
    uint32_t any_user;                  // node: some user is controlled
    uint32_t elevated;                  // node: User Access Administrator at "/"; 0 = none

    // facts, until path_finish
    struct {
        ResourceFact *items;
        size_t len, cap;
    } resources;
    Map resource_index; // id -> position in `resources`
    struct {
        DirectoryFact *items;
        size_t len, cap;
    } directory;
    struct {
        GroupFact *items;
        size_t len, cap;
    } groups;
    struct {
        ApplicationFact *items;
        size_t len, cap;
    } applications;
    struct {
        TokenFact *items;
        size_t len, cap;
    } federated, external;
    Map role_actions; // custom directory role -> StrList*
    PairFacts users, owners, eligible, unit_members, permissions, credentials, readers, sql_roles,
        prompt_logs, identities;
    Map units;            // id -> rule (Str*)
    Map activation_rules; // role@scope -> ActivationRule*
    struct {
        Activation *items;
        size_t len, cap;
    } activations;
};

// ---- objects and nodes ----

// The object of that id; made when it is new. An object without a kind takes it.
uint32_t path_object_of(PathModel *model, Str id, ObjectKind kind, Str name);
// A scope with all above it as parents.
uint32_t path_scope_of(PathModel *model, Str id);
uint32_t path_add_node(PathModel *model, NodeKind kind, uint32_t object, PathCapability capability);
// The node "acts as"; of a user-assigned identity that of its service principal.
uint32_t path_object_node(PathModel *model, uint32_t object);
uint32_t path_capability_node(PathModel *model, uint32_t object, PathCapability capability);

// Calls for the principal and for all members below it, at any depth, each once.
typedef void (*MemberFound)(void *context, Str id, bool has_members);
void path_each_member(const PathModel *model, uint32_t principal, MemberFound found, void *context);

uint32_t path_add_evidence(PathModel *model, Str id, Str text);
// `kind` NULL: hidden. Edges from a node to itself are left out.
void path_link(PathModel *model, uint32_t from, uint32_t to, const char *kind, uint32_t evidence);
void path_link_kind(PathModel *model, uint32_t from, uint32_t to, const EdgeKind *kind,
                    uint32_t evidence, bool doubt);

// Whether a property of the resource is as `test` says: "a.b=value", "a.b!=value", "a.b!"
// (absent), "kind~part", "~fact", "!~fact".
bool path_property_holds(const ResourceFact *fact, Str test);
Dyn path_property(Dyn properties, Str path);              // members by name, dots between
Str path_property_text(Dyn properties, const char *path); // empty when it is no text
// The node to link to so that `capability` is held: when the data plane is closed to the
// internet one before which a place in the network must be had too.
uint32_t path_reached(PathModel *model, const ResourceFact *fact, PathCapability capability);
ResourceFact *path_resource_fact(const PathModel *model, Str id); // NULL when unknown

// ---- the parts of path_finish ----

void path_read_facts(PathModel *model);        // what rules ask for: path_resource.c
void path_read_network(PathModel *model);      // exposure, private endpoints: path_network.c
void path_build_azure(PathModel *model);       // rules at scopes, grants: path_azure.c
void path_build_resources(PathModel *model);   // identities, links, credentials: path_resource.c
void path_build_brokers(PathModel *model);     // path_broker.c
void path_build_directory(PathModel *model);   // Entra: path_directory.c
void path_build_activations(PathModel *model); // approvals, last: path_activation.c
// Links the principal (object) that is eligible to the node of what it is eligible for, at once
// or, when the settings of the role at the scope want an approver, by path_build_activations.
void path_activate(PathModel *model, uint32_t principal, uint32_t to, Str role, Str scope, Str id,
                   Str text);

// What a role gives of an operation, or an assignment with its conditions: path_cover.c.
typedef struct Coverage Coverage;
Coverage *coverage_new(PathModel *model, Arena *arena);
void coverage_free(Coverage *coverage);
AccessVerdict coverage_of(Coverage *coverage, const Assignment *assignment, uint32_t operation);
// Whether the assignment holds at the model's time, its conditions aside.
bool assignment_in_time(const PathModel *model, const Assignment *assignment);

// Callers that hold all operations of an option at a scope: path_callers.c. Calls `each`
// with the object of a principal and the assignment that shows it.
typedef struct Callers Callers;
Callers *callers_new(PathModel *model, Coverage *coverage, Arena *arena);
void callers_free(Callers *callers);
typedef void (*CallerFound)(void *context, uint32_t principal, const Assignment *assignment,
                            bool doubt);
void callers_of(Callers *callers, const RuleOption *option, uint32_t scope, CallerFound each,
                void *context);
