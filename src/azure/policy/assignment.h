// Assignments, exemptions and initiatives: where policies hold, with which values.
#pragma once

#include "azure/policy/policy.h"
#include "azure/scope/scope.h"

typedef struct PolicySelectors PolicySelectors; // resourceSelectors
typedef struct PolicyOverride PolicyOverride;

typedef struct PolicyAssignment {
    Str id, name, display_name;
    Str scope;
    Str *not_scopes;
    uint32_t not_scope_count;
    Str definition_id; // of a definition or an initiative
    PolicyValue parameters;
    PolicySelectors *selectors;
    PolicyOverride *overrides;
    uint32_t override_count;
    Dyn messages;
    bool enforced; // enforcementMode Default
} PolicyAssignment;

typedef struct PolicyExemption {
    Str id;
    Str scope;         // that it hangs on
    Str assignment_id; // empty: any
    Str *references;   // members of an initiative; none = all
    uint32_t reference_count;
    Str category;    // Waiver, Mitigated
    int64_t expires; // ticks; 0 = never
    PolicySelectors *selectors;
} PolicyExemption;

// From the ARM object or its properties alone. Views into it; lists in the arena. False with
// an error when there is neither a scope nor an id to read it off.
bool policy_assignment_read(Arena *arena, Dyn json, PolicyAssignment *out, AzError *error);
bool policy_exemption_read(Arena *arena, Dyn json, PolicyExemption *out, AzError *error);

// Whether the assignment's scope holds the resource: by its id, or through the management
// groups of its subscription (`above` may be NULL). Looks at notScopes too.
bool policy_assignment_covers(const PolicyAssignment *assignment, Str resource_id,
                              const ScopeChain *above);
// Whether its resourceSelectors select the resource.
bool policy_assignment_selects(const PolicyAssignment *assignment, const PolicyResource *resource);
// The effect that an override gives, EFFECT_INVALID when none applies. `reference` is that of
// the initiative's member, empty for a single definition.
PolicyEffect policy_assignment_override(const PolicyAssignment *assignment, Str reference,
                                        const PolicyResource *resource);
// The message people get, empty when there is none.
Str policy_assignment_message(const PolicyAssignment *assignment, Str reference);

bool policy_exemption_holds(const PolicyExemption *exemption, const PolicyAssignment *assignment,
                            Str reference, const PolicyResource *resource, int64_t at,
                            const ScopeChain *above);

// Initiatives ---------------------------------------------------------------

typedef struct InitiativeMember {
    Str definition_id;
    Str reference;
    PolicyValue parameters; // values may be expressions of the initiative's parameters
    Str *groups;
    uint32_t group_count;
} InitiativeMember;

typedef struct PolicyInitiative {
    Str id, name, display_name;
    Dyn parameters; // declarations
    InitiativeMember *members;
    uint32_t member_count;
} PolicyInitiative;

bool policy_initiative_read(Arena *arena, Dyn json, PolicyInitiative *out, AzError *error);
bool policy_is_initiative(Dyn json); // has policyDefinitions
