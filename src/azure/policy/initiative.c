// Initiatives: sets of definitions with their parameters bound from those of the set.

#include "azure/policy/assignment.h"

static Str
member_text(Dyn object, const char *name)
{
    Dyn found = dyn_get_ci(object, str_from(name));
    return dyn_kind(found) == DYN_STRING ? dyn_string(found) : (Str){0};
}

static Dyn
body_of(Dyn json)
{
    Dyn properties = dyn_get_ci(json, STR("properties"));
    return dyn_kind(properties) == DYN_BAG ? properties : json;
}

bool
policy_is_initiative(Dyn json)
{
    return dyn_kind(dyn_get_ci(body_of(json), STR("policyDefinitions"))) == DYN_ARRAY;
}

static void
read_member(Arena *arena, Dyn json, InitiativeMember *member)
{
    member->definition_id = member_text(json, "policyDefinitionId");
    member->reference = member_text(json, "policyDefinitionReferenceId");
    member->parameters = policy_value_of(dyn_get_ci(json, STR("parameters")));
    Dyn groups = dyn_get_ci(json, STR("groupNames"));
    member->group_count = dyn_kind(groups) == DYN_ARRAY ? dyn_count(groups) : 0;
    member->groups = ARENA_ARRAY(arena, Str, member->group_count);
    for (uint32_t i = 0; i < member->group_count; i++) {
        Dyn name = dyn_at(groups, i);
        member->groups[i] = dyn_kind(name) == DYN_STRING ? dyn_string(name) : (Str){0};
    }
}

bool
policy_initiative_read(Arena *arena, Dyn json, PolicyInitiative *out, AzError *error)
{
    Dyn body = body_of(json), list = dyn_get_ci(body, STR("policyDefinitions"));
    *out = (PolicyInitiative){
        .id = member_text(json, "id"),
        .name = member_text(json, "name"),
        .display_name = member_text(body, "displayName"),
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
