// Units: assignments and initiatives taken apart to one compiled and bound definition each.

#include "azure/policy/policy_world.h"

#include "base/error.h"

typedef struct PolicyCompiled {
    PolicyDefinition *definition;
    Str reason; // when it does not compile
} PolicyCompiled;

static PolicyUnit *
add_unit(PolicyWorld *world, uint32_t assignment)
{
    world->units = policy_grow(world->arena, world->units, world->unit_count, sizeof(PolicyUnit));
    PolicyUnit *unit = &world->units[world->unit_count++];
    unit->assignment = &world->assignments[assignment];
    unit->assignment_index = assignment;
    return unit;
}

static void
break_unit(PolicyWorld *world, PolicyUnit *unit, ComplianceState state, const char *reason)
{
    unit->broken = state;
    unit->reason = str_copy(world->arena, str_from(reason));
}

static const PolicyCompiled *
compile(PolicyWorld *world, const PolicySource *source)
{
    PolicyCompiled *compiled = map_get(&world->compiled, source->id);
    if (compiled)
        return compiled;
    const PolicyCompileOptions options = {.aliases = &world->aliases};
    AzError error = {0};
    compiled = ARENA_NEW(world->arena, PolicyCompiled);
    compiled->definition = policy_compile(world->arena, &options, source->json, &error);
    if (!compiled->definition)
        compiled->reason = str_copy(world->arena, str_from(error.message));
    map_put(&world->compiled, source->id, compiled);
    return compiled;
}

// What policy() says in a rule.
static PolicyValue
policy_object_of(PolicyWorld *world, const PolicyUnit *unit)
{
    static const Str KEYS[] = {STR_INIT("assignmentId"), STR_INIT("definitionId"),
                               STR_INIT("setDefinitionId"), STR_INIT("definitionReferenceId")};
    PolicyValue *values = ARENA_ARRAY(world->arena, PolicyValue, 4);
    values[0] = policy_text(unit->assignment->id);
    values[1] = policy_text(unit->definition_id);
    values[2] = policy_text(unit->set_id);
    values[3] = policy_text(unit->reference);
    return policy_object(KEYS, values, 4);
}

static void
bind_unit(PolicyWorld *world, PolicyUnit *unit, const PolicyValue *given,
          const PolicyValue *initiative)
{
    unit->policy = policy_object_of(world, unit);
    const PolicySource *source = map_get(&world->definitions, unit->definition_id);
    if (!source) {
        break_unit(world, unit, STATE_UNKNOWN, "no data: the definition was not collected");
        return;
    }
    if (policy_is_initiative(source->json)) {
        break_unit(world, unit, STATE_ERROR, "an initiative cannot hold initiatives");
        return;
    }
    const PolicyCompiled *compiled = compile(world, source);
    AzError error = {0};
    if (!compiled->definition) {
        unit->broken = STATE_ERROR;
        unit->reason = compiled->reason;
        return;
    }
    unit->binding = policy_bind(world->arena, compiled->definition, given, initiative, &error);
    if (!unit->binding)
        break_unit(world, unit, STATE_ERROR, error.message);
}

static void
expand_initiative(PolicyWorld *world, uint32_t assignment, const PolicySource *source)
{
    const PolicyAssignment *held = &world->assignments[assignment];
    PolicyInitiative initiative;
    PolicyValue values;
    AzError error = {0};
    if (!policy_initiative_read(world->arena, source->json, &initiative, &error) ||
        !policy_parameter_values(world->arena, initiative.parameters, &held->parameters, &values,
                                 &error)) {
        PolicyUnit *unit = add_unit(world, assignment);
        unit->definition_id = held->definition_id;
        break_unit(world, unit, STATE_ERROR, error.message);
        return;
    }
    for (uint32_t i = 0; i < initiative.member_count; i++) {
        const InitiativeMember *member = &initiative.members[i];
        PolicyUnit *unit = add_unit(world, assignment);
        unit->definition_id = member->definition_id;
        unit->reference = member->reference;
        unit->set_id = held->definition_id;
        unit->groups = member->groups;
        unit->group_count = member->group_count;
        bind_unit(world, unit, &member->parameters, &values);
    }
}

void
policy_expand_assignment(PolicyWorld *world, uint32_t assignment)
{
    const PolicyAssignment *held = &world->assignments[assignment];
    const PolicySource *source = map_get(&world->definitions, held->definition_id);
    if (source && policy_is_initiative(source->json)) {
        expand_initiative(world, assignment, source);
        return;
    }
    PolicyUnit *unit = add_unit(world, assignment);
    unit->definition_id = held->definition_id;
    bind_unit(world, unit, &held->parameters, NULL);
}
