// Assignments and exemptions.
// Source: Microsoft Learn, "Azure Policy assignment structure", "exemption structure".

#include "azure/policy/assignment.h"

#include "azure/arm.h"
#include "value/scalar.h"

typedef enum SelectorKind {
    SELECT_LOCATION,
    SELECT_TYPE,
    SELECT_NO_LOCATION,
    SELECT_REFERENCE,
    SELECT_OTHER, // of a caller: does not narrow resources
} SelectorKind;

typedef struct Selector {
    SelectorKind kind;
    Str *values;
    uint32_t count;
    bool negated; // notIn
} Selector;

typedef struct SelectorGroup {
    Selector *items;
    uint32_t count;
} SelectorGroup;

struct PolicySelectors {
    SelectorGroup *groups; // one of them has to select, with all its selectors
    uint32_t count;
};

struct PolicyOverride {
    PolicyEffect effect; // EFFECT_INVALID: of another kind
    SelectorGroup selectors;
};

static Str *
read_texts(Arena *arena, Dyn list, uint32_t *count)
{
    *count = dyn_kind(list) == DYN_ARRAY ? dyn_count(list) : 0;
    Str *texts = ARENA_ARRAY(arena, Str, *count);
    for (uint32_t i = 0; i < *count; i++)
        texts[i] = dyn_string(dyn_at(list, i));
    return texts;
}

static SelectorKind
selector_kind(Str name)
{
    static const struct {
        Str name;
        SelectorKind kind;
    } KINDS[] = {{STR_INIT("resourceLocation"), SELECT_LOCATION},
                 {STR_INIT("resourceType"), SELECT_TYPE},
                 {STR_INIT("resourceWithoutLocation"), SELECT_NO_LOCATION},
                 {STR_INIT("policyDefinitionReferenceId"), SELECT_REFERENCE}};
    for (size_t i = 0; i < sizeof KINDS / sizeof KINDS[0]; i++)
        if (str_equal_ci(name, KINDS[i].name))
            return KINDS[i].kind;
    return SELECT_OTHER;
}

static SelectorGroup
read_group(Arena *arena, Dyn list)
{
    SelectorGroup group = {.count = dyn_kind(list) == DYN_ARRAY ? dyn_count(list) : 0};
    group.items = ARENA_ARRAY(arena, Selector, group.count);
    for (uint32_t i = 0; i < group.count; i++) {
        Dyn item = dyn_at(list, i), in = dyn_get_ci(item, STR("in"));
        Selector *selector = &group.items[i];
        selector->kind = selector_kind(arm_text(item, "kind"));
        selector->negated = !in.ptr;
        selector->values =
            read_texts(arena, in.ptr ? in : dyn_get_ci(item, STR("notIn")), &selector->count);
    }
    return group;
}

static PolicySelectors *
read_selectors(Arena *arena, Dyn list)
{
    uint32_t count = dyn_kind(list) == DYN_ARRAY ? dyn_count(list) : 0;
    if (!count)
        return NULL;
    PolicySelectors *selectors = ARENA_NEW(arena, PolicySelectors);
    selectors->count = count;
    selectors->groups = ARENA_ARRAY(arena, SelectorGroup, count);
    for (uint32_t i = 0; i < count; i++)
        selectors->groups[i] = read_group(arena, dyn_get_ci(dyn_at(list, i), STR("selectors")));
    return selectors;
}

// Texts that compare without spaces: locations come as "East US" and as eastus.
static bool
same_location(Str a, Str b)
{
    size_t i = 0, k = 0;
    while (true) {
        while (i < a.len && a.ptr[i] == ' ')
            i++;
        while (k < b.len && b.ptr[k] == ' ')
            k++;
        if (i == a.len || k == b.len)
            return i == a.len && k == b.len;
        if (!str_equal_ci(str_slice(a, i, i + 1), str_slice(b, k, k + 1)))
            return false;
        i++, k++;
    }
}

static bool
lists(const Selector *selector, Str value)
{
    for (uint32_t i = 0; i < selector->count; i++)
        if (selector->kind == SELECT_LOCATION ? same_location(selector->values[i], value)
                                              : str_equal_ci(selector->values[i], value))
            return true;
    return false;
}

static bool
selects(const Selector *selector, Str reference, const PolicyResource *resource)
{
    switch (selector->kind) {
    case SELECT_LOCATION:
        return resource->has_location && lists(selector, resource->location) != selector->negated;
    case SELECT_TYPE: return lists(selector, resource->type) != selector->negated;
    case SELECT_NO_LOCATION: return !resource->has_location;
    case SELECT_REFERENCE: return lists(selector, reference) != selector->negated;
    case SELECT_OTHER: break;
    }
    return true;
}

static bool
group_selects(const SelectorGroup *group, Str reference, const PolicyResource *resource)
{
    for (uint32_t i = 0; i < group->count; i++)
        if (!selects(&group->items[i], reference, resource))
            return false;
    return true;
}

static bool
selectors_select(const PolicySelectors *selectors, Str reference, const PolicyResource *resource)
{
    for (uint32_t i = 0; selectors && i < selectors->count; i++)
        if (group_selects(&selectors->groups[i], reference, resource))
            return true;
    return !selectors;
}

// The part of an id in front of its last /providers/: what the object hangs on.
static Str
parent_scope(Str id)
{
    static const Str MARK = STR_INIT("/providers/");
    for (size_t i = id.len; i-- > 0;)
        if (i + MARK.len <= id.len && str_equal_ci(str_slice(id, i, i + MARK.len), MARK))
            return i ? str_slice(id, 0, i) : STR("/");
    return (Str){0};
}

static void
read_overrides(Arena *arena, Dyn list, PolicyAssignment *out)
{
    out->override_count = dyn_kind(list) == DYN_ARRAY ? dyn_count(list) : 0;
    out->overrides = ARENA_ARRAY(arena, PolicyOverride, out->override_count);
    for (uint32_t i = 0; i < out->override_count; i++) {
        Dyn item = dyn_at(list, i);
        bool effect = str_equal_ci(arm_text(item, "kind"), STR("policyEffect"));
        out->overrides[i].effect =
            effect ? policy_effect_of(arm_text(item, "value")) : EFFECT_INVALID;
        out->overrides[i].selectors = read_group(arena, dyn_get_ci(item, STR("selectors")));
    }
}

bool
policy_assignment_read(Arena *arena, Dyn json, PolicyAssignment *out, AzError *error)
{
    Dyn body = arm_body(json);
    *out = (PolicyAssignment){
        .id = arm_text(json, "id"),
        .name = arm_text(json, "name"),
        .display_name = arm_text(body, "displayName"),
        .scope = arm_text(body, "scope"),
        .definition_id = arm_text(body, "policyDefinitionId"),
        .parameters = policy_value_of(dyn_get_ci(body, STR("parameters"))),
        .selectors = read_selectors(arena, dyn_get_ci(body, STR("resourceSelectors"))),
        .messages = dyn_get_ci(body, STR("nonComplianceMessages")),
        .enforced = !str_equal_ci(arm_text(body, "enforcementMode"), STR("DoNotEnforce")),
    };
    if (!out->scope.len)
        out->scope = parent_scope(out->id);
    out->not_scopes = read_texts(arena, dyn_get_ci(body, STR("notScopes")), &out->not_scope_count);
    read_overrides(arena, dyn_get_ci(body, STR("overrides")), out);
    return out->scope.len ||
           error_set(error, AZ_INVALID, "the assignment '%.*s' has no scope", STR_ARG(out->id));
}

bool
policy_exemption_read(Arena *arena, Dyn json, PolicyExemption *out, AzError *error)
{
    Dyn body = arm_body(json);
    *out = (PolicyExemption){
        .id = arm_text(json, "id"),
        .scope = arm_text(body, "scope"),
        .assignment_id = arm_text(body, "policyAssignmentId"),
        .category = arm_text(body, "exemptionCategory"),
        .selectors = read_selectors(arena, dyn_get_ci(body, STR("resourceSelectors"))),
    };
    if (!out->scope.len)
        out->scope = parent_scope(out->id);
    out->references = read_texts(arena, dyn_get_ci(body, STR("policyDefinitionReferenceIds")),
                                 &out->reference_count);
    Str expires = arm_text(body, "expiresOn");
    if (expires.len && !datetime_parse(expires, &out->expires))
        return error_set(error, AZ_INVALID, "the exemption '%.*s' expires at no time: '%.*s'",
                         STR_ARG(out->id), STR_ARG(expires));
    return out->scope.len ||
           error_set(error, AZ_INVALID, "the exemption '%.*s' has no scope", STR_ARG(out->id));
}

static bool
scope_holds(Str scope, Str resource_id, const ScopeChain *above)
{
    if (scope_contains(scope, resource_id))
        return true;
    for (size_t i = 0; above && i < above->len; i++)
        if (scope_contains(scope, above->items[i]) && scope_contains(above->items[i], scope))
            return true;
    return false;
}

bool
policy_assignment_covers(const PolicyAssignment *assignment, Str resource_id,
                         const ScopeChain *above)
{
    if (!scope_holds(assignment->scope, resource_id, above))
        return false;
    for (uint32_t i = 0; i < assignment->not_scope_count; i++)
        if (assignment->not_scopes[i].len &&
            scope_holds(assignment->not_scopes[i], resource_id, above))
            return false;
    return true;
}

bool
policy_assignment_selects(const PolicyAssignment *assignment, const PolicyResource *resource)
{
    return selectors_select(assignment->selectors, (Str){0}, resource);
}

PolicyEffect
policy_assignment_override(const PolicyAssignment *assignment, Str reference,
                           const PolicyResource *resource)
{
    for (uint32_t i = 0; i < assignment->override_count; i++)
        if (assignment->overrides[i].effect != EFFECT_INVALID &&
            group_selects(&assignment->overrides[i].selectors, reference, resource))
            return assignment->overrides[i].effect;
    return EFFECT_INVALID;
}

Str
policy_assignment_message(const PolicyAssignment *assignment, Str reference)
{
    Str general = {0};
    for (uint32_t i = 0; i < dyn_count(assignment->messages); i++) {
        Dyn item = dyn_at(assignment->messages, i);
        Str of = arm_text(item, "policyDefinitionReferenceId");
        if (of.len && str_equal_ci(of, reference))
            return arm_text(item, "message");
        if (!of.len)
            general = arm_text(item, "message");
    }
    return general;
}

bool
policy_exemption_holds(const PolicyExemption *exemption, const PolicyAssignment *assignment,
                       Str reference, const PolicyResource *resource, int64_t at,
                       const ScopeChain *above)
{
    if (exemption->assignment_id.len && !str_equal_ci(exemption->assignment_id, assignment->id))
        return false;
    if (exemption->expires && exemption->expires <= at)
        return false;
    bool named = !exemption->reference_count;
    for (uint32_t i = 0; i < exemption->reference_count && !named; i++)
        named = str_equal_ci(exemption->references[i], reference);
    return named && scope_holds(exemption->scope, resource->id, above) &&
           selectors_select(exemption->selectors, reference, resource);
}
