// The tables that edges of attack paths are made from; all are content (content/azure).
//
// edges.jsonl            the kinds of edges: severity, techniques, how to break them
// edge-operations.jsonl  edges that hang on operations of Azure
// edge-directory.jsonl   edges that hang on Entra roles and permissions of Graph
// directory-names.jsonl  names of those roles and permissions
#pragma once

#include "azure/rbac/role.h"

typedef enum EdgeSeverity {
    EDGE_INFO, // how things hang together; no step of an attacker's
    EDGE_MEDIUM,
    EDGE_HIGH,
    EDGE_CRITICAL,
} EdgeSeverity;
const char *edge_severity_name(EdgeSeverity severity);

typedef struct EdgeKind {
    Str name;
    EdgeSeverity severity;
    Str attack, atlas;  // techniques; empty = none
    Str about;          // the condition under which the edge exists
    Str remedy;         // how to break it, in words
    Str command;        // and as a command, with {source} {target} {evidence}
    Map commands;       // by resource type of the target, Str*; goes before `command`
    bool from_resource; // starts at a resource, not at whoever got that far
} EdgeKind;

// What an attacker can hold of a resource. CONTROL: runs code as it. Order and names are
// those of `gives` in edge-operations.jsonl.
#define PATH_CAPABILITIES(X)                                                                       \
    X(CONTROL, "control")                                                                          \
    X(ANY_ROLE, "anyrole")                                                                         \
    X(KEYS, "keys")                                                                                \
    X(LOCAL_AUTH, "localauth")                                                                     \
    X(REACH, "reach")                                                                              \
    X(LOGIN, "login")                                                                              \
    X(POLICY, "policy")                                                                            \
    X(SECRETS, "secrets")                                                                          \
    X(READ, "read")                                                                                \
    X(WRITE, "write")                                                                              \
    X(INVOKE, "invoke")                                                                            \
    X(PROMPTS, "prompts")                                                                          \
    X(PROMPT_LOGS, "promptlogs")                                                                   \
    X(NO_DIAGNOSTICS, "nodiag")                                                                    \
    X(NO_FILTER, "nofilter")                                                                       \
    X(NO_DEFENDER, "nodefender")                                                                   \
    X(AGENT, "agent")                                                                              \
    X(IMPERSONATE, "impersonate")                                                                  \
    X(EDIT_AGENT, "editagent")                                                                     \
    X(DEPLOY, "deploy")                                                                            \
    X(FINE_TUNE, "finetune")                                                                       \
    X(REPLACE, "replace")                                                                          \
    X(MODEL, "model")                                                                              \
    X(POISON, "poison")                                                                            \
    X(NOTEBOOK, "notebook")                                                                        \
    X(GATEWAY, "gateway")                                                                          \
    X(BROKERED, "brokered")

typedef enum PathCapability {
#define X(id, name) CAP_##id,
    PATH_CAPABILITIES(X)
#undef X
        PATH_CAPABILITY_COUNT
} PathCapability;
const char *path_capability_name(PathCapability capability);

// One operation that a rule asks of a caller, and where it must be held.
typedef enum OperationPlace {
    PLACE_TARGET,        // at the resource or above
    PLACE_UNCONDITIONAL, // the same, and no condition may bound it
    PLACE_CONTAINER,     // at some resource group or above
    PLACE_ANYWHERE,      // at any scope
} OperationPlace;

typedef struct RuleOperation {
    uint32_t operation; // index into PathTables.operations
    OperationPlace place;
} RuleOperation;

typedef struct RuleOption {
    RuleOperation *operations;
    uint32_t count;
} RuleOption;

typedef struct OperationRule {
    const EdgeKind *kind;
    Str type;
    RuleOption *options; // none: the rule follows from the capability `from`
    uint32_t option_count;
    PathCapability from, gives;
    bool needs_reach, partial;
    StrList when;
    Str switch_; // empty = none
    uint32_t index;
} OperationRule;

typedef struct PathOperation {
    Str name;
    bool is_data;
} PathOperation;

typedef struct DirectoryRule {
    const EdgeKind *kind;
    Str to;
    StrList roles, permissions, actions;
    bool is_bounded; // `only` was given, maybe empty
    StrList only;
} DirectoryRule;

typedef struct PathTables {
    Arena *arena;
    Map kinds; // name -> EdgeKind*
    OperationRule *rules;
    uint32_t rule_count;
    Map rules_of; // resource type -> RuleList*
    PathOperation *operations;
    uint32_t operation_count;
    DirectoryRule *directory;
    uint32_t directory_count;
    Map role_names, permission_names; // id -> Str*
} PathTables;

typedef struct RuleList {
    const OperationRule **items;
    size_t len, cap;
} RuleList;

bool path_tables_load(Arena *arena, const char *content, PathTables *out, AzError *error);

// The kind of that name; the tables hold every kind the program names.
const EdgeKind *path_kind(const PathTables *tables, const char *name);
const RuleList *path_rules_of(const PathTables *tables, Str type); // NULL when there are none
// The name of an Entra role or of a permission of Graph; the id itself when unknown.
Str path_role_name(const PathTables *tables, Str id);
Str path_permission_name(const PathTables *tables, Str id);
