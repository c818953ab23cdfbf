// Azure Policy: definitions compiled once, evaluated on resources.
//
// A definition is compiled to a program in an arena (program.h) that any number of threads
// read. A binding is a definition with the values of its parameters. Evaluation takes a
// binding, a resource and what surrounds it, and gives a compliance state with its reason.
// Sources: Microsoft Learn, "Azure Policy definition structure", "Policy applicability",
// "Azure Policy compliance states", "Effects", "Author policies for array properties".
#pragma once

#include "azure/policy/alias.h"
#include "azure/policy/value.h"

typedef struct PolicyDefinition PolicyDefinition;

typedef enum PolicyEffect {
    EFFECT_DISABLED,
    EFFECT_APPEND,
    EFFECT_MODIFY,
    EFFECT_DENY,
    EFFECT_AUDIT,
    EFFECT_MANUAL,
    EFFECT_AUDIT_IF_NOT_EXISTS,
    EFFECT_DEPLOY_IF_NOT_EXISTS,
    EFFECT_DENY_ACTION,
    EFFECT_PROVIDER, // effects of resource provider modes: mutate, addToNetworkGroup, ...
    EFFECT_INVALID,
} PolicyEffect;
PolicyEffect policy_effect_of(Str name); // any case
const char *policy_effect_name(PolicyEffect effect);

typedef enum PolicyMode {
    MODE_INDEXED, // also when the mode is not said
    MODE_ALL,
    MODE_STATIC,   // "Microsoft managed" controls: nothing to evaluate
    MODE_PROVIDER, // components inside a resource provider: not decidable from ARM
} PolicyMode;

// The first that some resource has is the state of a group: the roll-up order.
typedef enum ComplianceState {
    STATE_NON_COMPLIANT,
    STATE_COMPLIANT,
    STATE_ERROR,
    STATE_CONFLICTING,
    STATE_PROTECTED,
    STATE_EXEMPT,
    STATE_UNKNOWN,
    STATE_NOT_APPLICABLE, // these two are no states of a resource in the portal
    STATE_NOT_EVALUATED,
    STATE_LIMIT,
} ComplianceState;
const char *compliance_state_name(ComplianceState state);
ComplianceState compliance_state_of(Str name); // STATE_LIMIT when it is none

// State of a group by the counts of its members' states; STATE_NOT_APPLICABLE when empty.
ComplianceState compliance_roll_up(const uint64_t counts[STATE_LIMIT]);
// Percentage as the portal shows it; 100 when nothing counts.
double compliance_percentage(const uint64_t counts[STATE_LIMIT]);

// Compiling -----------------------------------------------------------------

typedef struct PolicyCompileOptions {
    const AliasTable *aliases;
    bool paths;                // field names are paths from the resource's root, not aliases
    bool template_functions;   // also functions that templates have and policies lack
    bool open_parameters;      // parameters need no declaration
    bool template_expressions; // of an ARM template: parameters() and variables() are its own
} PolicyCompileOptions;

// A definition: the ARM object, or its properties, or {"policyRule": ...}. NULL with an error
// that says where in the definition and why: AZ_SYNTAX when it cannot be read, AZ_SEMANTIC
// when it asks for what does not exist.
PolicyDefinition *policy_compile(Arena *arena, const PolicyCompileOptions *options, Dyn definition,
                                 AzError *error);

Str policy_display_name(const PolicyDefinition *definition);

typedef struct PolicyBinding PolicyBinding;

// A definition with parameters: `given` is an object of values, or of {value: ...} as
// assignments write them. `initiative` (may be NULL) are the parameters that expressions in
// `given` mean. NULL with an error when a value is none of the allowed ones; one that is
// missing fails where the rule uses it.
PolicyBinding *policy_bind(Arena *arena, const PolicyDefinition *definition,
                           const PolicyValue *given, const PolicyValue *initiative, AzError *error);
// The effect by the parameters alone; EFFECT_INVALID when it is none.
PolicyEffect policy_bound_effect(const PolicyBinding *binding);
const PolicyDefinition *policy_bound_definition(const PolicyBinding *binding);

// Values of parameters declared as in a definition or an initiative: `given` over defaults.
bool policy_parameter_values(Arena *arena, Dyn declared, const PolicyValue *given, PolicyValue *out,
                             AzError *error);

// Evaluating ----------------------------------------------------------------

typedef struct PolicyResource {
    Dyn body; // the ARM object
    Str id, type, kind, name, full_name;
    Str location; // normalised: lower case, no spaces
    bool has_location;
    Str resource_group, subscription; // names off the id; empty when it is in none
    const AliasType *alias_type;      // NULL when no alias has this type
} PolicyResource;

// Reads a resource; strings that are derived go to the arena.
void policy_resource_init(PolicyResource *resource, Arena *arena, const AliasTable *aliases,
                          Dyn body);

// What an IfNotExists effect looks for.
typedef struct RelatedQuery {
    Str type;
    Str name;           // empty = any; "a/b"; a last segment ? is any child
    Str resource_group; // empty = that of the resource
    bool subscription;  // existenceScope Subscription
} RelatedQuery;

typedef struct RelatedSet {
    const PolicyResource *const *items;
    uint32_t count;
    bool known; // false: resources of that type are not in the data
} RelatedSet;

typedef struct PolicyContext {
    PolicyValue resource_group, subscription; // objects, or null
    PolicyValue request, policy;              // requestContext() and policy()
    Str api_version;                          // of the request; empty in a scan
    int64_t now;                              // ticks
    // Related resources of `resource`; the set lives in `arena`.
    RelatedSet (*related)(void *data, Arena *arena, const PolicyResource *resource,
                          const RelatedQuery *query);
    // State that was attested for the resource (manual), STATE_LIMIT when none was.
    ComplianceState (*attested)(void *data, const PolicyResource *resource);
    void *data;
    PolicyEffect override; // EFFECT_INVALID = none
    // Why values are unknown, by number; NULL when nothing is (resources that exist).
    const Str *unknowns;
    uint32_t unknown_count;
} PolicyContext;

typedef struct PolicyOutcome {
    ComplianceState state;
    bool fires; // the effect takes place
    PolicyEffect effect;
    Str effect_text; // as the definition or the parameter writes it
    Str reason;      // when asked for, or when the state is error or unknown
} PolicyOutcome;

// Evaluates; scratch memory and the outcome's texts are in `arena`. With `explain` the
// reason says which conditions decided, with the values found and wanted.
PolicyOutcome policy_evaluate(Arena *arena, const PolicyBinding *binding,
                              const PolicyResource *resource, const PolicyContext *context,
                              bool explain);

// Whether resources of the type can be subject to the policy at all. For pruning: false is
// certain.
bool policy_may_apply(Arena *arena, const PolicyBinding *binding, Str type,
                      const AliasType *alias_type);

// The effect's details with all expressions evaluated; null when there are none. False with
// the reason when an expression fails.
bool policy_details(Arena *arena, const PolicyBinding *binding, const PolicyResource *resource,
                    const PolicyContext *context, PolicyValue *out, Str *why);

// What append or modify would make of the resource.
typedef struct PolicyChange {
    bool denied;  // the change conflicts with what is there or with the rules of modify
    bool open;    // it depends on an unknown value whether and what is changed
    Str why;      // of a denial, or of that
    Dyn resource; // as it would be, in the arena
    Str diff;     // "path: old -> new" lines
} PolicyChange;
bool policy_change(Arena *arena, const PolicyBinding *binding, const PolicyResource *resource,
                   const PolicyContext *context, PolicyChange *out);

// The type an IfNotExists effect looks for; empty when it depends on the resource or there is
// no such effect.
Str policy_related_type(Arena *arena, const PolicyBinding *binding);

// Language parts on their own, for tests and tools ---------------------------

// A condition operator on two values; false with *why when the operator is unknown.
bool policy_operator(Arena *arena, Str name, const PolicyValue *left, const PolicyValue *right,
                     bool *holds, Str *why);
// A template function on values.
bool policy_function(Arena *arena, Str name, const PolicyValue *args, uint32_t count,
                     PolicyValue *out, Str *why);
