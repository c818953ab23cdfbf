// Initiatives: sets of definitions with their parameters bound from those of the set.

#include "azure/policy/assignment.h"

#include "azure/arm.h"
bool
policy_is_initiative(Dyn json)
{
    return dyn_kind(dyn_get_ci(arm_body(json), STR("policyDefinitions"))) == DYN_ARRAY;
}

static void
read_member(Arena *arena, Dyn json, InitiativeMember *member)
{
    member->definition_id = arm_text(json, "policyDefinitionId");
    member->reference = arm_text(json, "policyDefinitionReferenceId");
    member->parameters = policy_value_of(dyn_get_ci(json, STR("parameters")));
    Dyn groups = dyn_get_ci(json, STR("groupNames"));
    member->group_count = dyn_kind(groups) == DYN_ARRAY ? dyn_count(groups) : 0;
    member->groups = ARENA_ARRAY(arena, Str, member->group_count);
    for (uint32_t i = 0; i < member->group_count; i++) {
        Dyn name = dyn_at(groups, i);
        member->groups[i] = dyn_string(name);
    }
}

bool
policy_initiative_read(Arena *arena, Dyn json, PolicyInitiative *out, AzError *error)
{
    Dyn body = arm_body(json), list = dyn_get_ci(body, STR("policyDefinitions"));
    *out = (PolicyInitiative){
        .id = arm_text(json, "id"),
        .name = arm_text(json, "name"),
        .display_name = arm_text(body, "displayName"),
        .parameters = dyn_get_ci(body, STR("parameters")),
    };
    if (dyn_kind(list) != DYN_ARRAY)
        return error_set(error, AZ_INVALID, "the initiative has no 'policyDefinitions'");
    out->member_count = dyn_count(list);
    out->members = ARENA_ARRAY(arena, InitiativeMember, out->member_count);
    for (uint32_t i = 0; i < out->member_count; i++)
        read_member(arena, dyn_at(list, i), &out->members[i]);
    return true;
}
