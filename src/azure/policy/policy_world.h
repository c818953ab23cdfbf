// The policies of a tenant with its resources: loaded from a snapshot, evaluated on all cores.
#pragma once

#include "azure/policy/assignment.h"
#include "azure/policy/related.h"
#include "db/table_builder.h"

typedef struct PolicySource { // a definition or initiative
    Dyn json;
    Str id;
} PolicySource;

typedef struct PolicyUnit { // one definition as one assignment holds it
    const PolicyAssignment *assignment;
    uint32_t assignment_index;
    Str definition_id, reference, set_id;
    Str *groups;
    uint32_t group_count;
    const PolicyBinding *binding; // NULL: the reason says why not
    ComplianceState broken;       // then: error or unknown
    Str reason;
    PolicyValue policy; // what policy() gives
} PolicyUnit;

typedef struct PolicyGap { // a data set that was not collected for a scope
    Str dataset, scope;
} PolicyGap;

typedef struct PolicyWorld {
    Arena *arena;
    Database *db;
    AliasTable aliases;
    ScopeTree scopes;
    Map definitions; // id, and name of built-ins: PolicySource*
    Map compiled;    // id: PolicyCompiled*
    PolicyAssignment *assignments;
    uint32_t assignment_count;
    PolicyExemption *exemptions;
    uint32_t exemption_count;
    Map attestations; // "resource|assignment|reference": Dyn*
    PolicyUnit *units;
    uint32_t unit_count, unit_cap;
    PolicyResource *resources;
    size_t resource_count;
    Map containers; // id of a group or subscription: PolicyValue* as its function gives it
    Map collected;  // data sets that were, somewhere
    PolicyGap *gaps;
    uint32_t gap_count;
    RelatedIndex *related;
    bool requests;       // resources are requests: apiVersion is that of the body
    const Str *unknowns; // of values that a deployment leaves open
    uint32_t unknown_count;
    uint32_t unreadable; // objects left out, and why the first was
    Str unreadable_reason;
} PolicyWorld;

bool policy_world_init(PolicyWorld *world, Arena *arena, Database *db, AzError *error);
// Definitions and initiatives from a file of JSON, one object or one a line, gzipped or not:
// the built-in ones, when the snapshot has none.
bool policy_world_add_file(PolicyWorld *world, const char *path, AzError *error);
// Definitions, assignments, exemptions and attestations of the snapshot.
bool policy_world_load(PolicyWorld *world, AzError *error);
// Instead of the snapshot's: one assignment, made up, of a definition or initiative.
bool policy_world_assign(PolicyWorld *world, Dyn definition, Str scope, AzError *error);
// Compiles and binds what the assignments hold, then loads the resources they are about.
bool policy_world_prepare(PolicyWorld *world, AzError *error);

// Units of one assignment, added to the world's.
void policy_expand_assignment(PolicyWorld *world, uint32_t assignment);
// Room for one more in a list of `len` items of the arena.
void *policy_grow(Arena *arena, void *items, uint32_t len, size_t size);

// Evaluates resources that a deployment would create instead of those of the store, which stay
// related ones unless they are deployed anew. After policy_world_prepare.
void policy_world_plan(PolicyWorld *world, PolicyResource *planned, uint32_t count);

// What surrounds a resource: its group and subscription, the assignment, what is unknown.
PolicyContext policy_world_context(const PolicyWorld *world, const PolicyUnit *unit,
                                   const PolicyResource *resource, int64_t at);

// Whether resources of the type were not collected where the resource is.
bool policy_world_has_gap(const PolicyWorld *world, Str type, Str resource_id);

typedef struct PolicyRow {
    uint32_t resource, unit; // resource UINT32_MAX: the unit could not be evaluated at all
    uint8_t state, effect;
    bool fires;
    Str reason;
} PolicyRow;

typedef struct PolicyResults {
    PolicyRow *rows;
    size_t count;
    uint64_t evaluations; // pairs that were evaluated
} PolicyResults;

// All units on all resources in their scope, but for those that do not apply. Rows come in the
// order of resources and units, whatever the number of threads.
void policy_world_evaluate(PolicyWorld *world, int64_t at, bool explain, PolicyResults *out);

// Rows as PolicyStates has them, with the reason: `most` of them, from row *from of the results
// on, which moves behind the last that was looked at. `state` keeps one state (STATE_LIMIT: all).
ResultTable *policy_states_table(const PolicyWorld *world, const PolicyResults *results,
                                 ComplianceState state, int64_t at, Arena *arena, size_t *from,
                                 size_t most);
// One row an assignment and definition: counts of states, the state of all, the percentage.
ResultTable *policy_summary_table(const PolicyWorld *world, const PolicyResults *results);
// What would happen: one row a resource that would be denied, changed or flagged.
ResultTable *policy_whatif_table(PolicyWorld *world, const PolicyResults *results, int64_t at);
