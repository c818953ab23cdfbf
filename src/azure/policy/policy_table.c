// Results of an evaluation as tables.

#include "azure/policy/policy_world.h"

#include "azure/arm.h"
static Str
definition_name(const PolicyUnit *unit)
{
    Str name =
        unit->binding ? policy_display_name(policy_bound_definition(unit->binding)) : (Str){0};
    return name.len ? name : arm_last_segment(unit->definition_id);
}

static Str
assignment_name(const PolicyUnit *unit)
{
    return unit->assignment->display_name.len ? unit->assignment->display_name
                                              : unit->assignment->name;
}

static Str
effect_of(const PolicyRow *row)
{
    return row->effect == EFFECT_INVALID ? (Str){0}
                                         : str_from(policy_effect_name((PolicyEffect)row->effect));
}

static void
put_groups(TableBuilder *builder, const PolicyUnit *unit)
{
    Buffer text = {0};
    for (uint32_t i = 0; i < unit->group_count; i++) {
        if (i)
            buffer_text(&text, ", ");
        buffer_str(&text, unit->groups[i]);
    }
    table_put_text(builder, buffer_slice(&text));
    buffer_free(&text);
}

ResultTable *
policy_states_table(const PolicyWorld *world, const PolicyResults *results, ComplianceState state,
                    int64_t at, Arena *arena, size_t *from, size_t most)
{
    static const TableColumn COLUMNS[] = {
        {"Timestamp", TYPE_DATETIME},
        {"ResourceId", TYPE_STRING},
        {"ResourceType", TYPE_STRING},
        {"ResourceLocation", TYPE_STRING},
        {"SubscriptionId", TYPE_STRING},
        {"ResourceGroup", TYPE_STRING},
        {"ComplianceState", TYPE_STRING},
        {"IsCompliant", TYPE_BOOL},
        {"PolicyDefinitionAction", TYPE_STRING},
        {"Reason", TYPE_STRING},
        {"NonComplianceMessage", TYPE_STRING},
        {"PolicyDefinitionName", TYPE_STRING},
        {"PolicyDefinitionId", TYPE_STRING},
        {"PolicyDefinitionReferenceId", TYPE_STRING},
        {"PolicyDefinitionGroupNames", TYPE_STRING},
        {"PolicySetDefinitionId", TYPE_STRING},
        {"PolicyAssignmentName", TYPE_STRING},
        {"PolicyAssignmentId", TYPE_STRING},
        {"PolicyAssignmentScope", TYPE_STRING},
        {"EnforcementMode", TYPE_STRING},
    };
    static const PolicyResource NONE = {0};
    TableBuilder *builder = table_builder_new(COLUMNS, sizeof COLUMNS / sizeof COLUMNS[0]);
    for (; *from < results->count && most; (*from)++) {
        const PolicyRow *row = &results->rows[*from];
        if (state != STATE_LIMIT && row->state != state)
            continue;
        most--;
        const PolicyUnit *unit = &world->units[row->unit];
        const PolicyResource *resource =
            row->resource == UINT32_MAX ? &NONE : &world->resources[row->resource];
        table_put_long(builder, at);
        table_put_text(builder, resource->id.len ? resource->id : unit->assignment->scope);
        table_put_text(builder, resource->type);
        table_put_text(builder, resource->location);
        table_put_text(builder, resource->subscription);
        table_put_text(builder, resource->resource_group);
        table_put_text(builder, str_from(compliance_state_name((ComplianceState)row->state)));
        table_put_bool(builder, row->state == STATE_COMPLIANT);
        table_put_text(builder, effect_of(row));
        table_put_text(builder, row->reason);
        table_put_text(builder, row->state == STATE_NON_COMPLIANT
                                    ? policy_assignment_message(unit->assignment, unit->reference)
                                    : (Str){0});
        table_put_text(builder, definition_name(unit));
        table_put_text(builder, unit->definition_id);
        table_put_text(builder, unit->reference);
        put_groups(builder, unit);
        table_put_text(builder, unit->set_id);
        table_put_text(builder, assignment_name(unit));
        table_put_text(builder, unit->assignment->id);
        table_put_text(builder, unit->assignment->scope);
        table_put_text(builder, unit->assignment->enforced ? STR("Default") : STR("DoNotEnforce"));
    }
    ResultTable *table = table_builder_finish(builder, arena);
    table_builder_free(builder);
    return table;
}

// States of one resource over all units of an assignment: its worst counts, once.
static void
count_resources(const PolicyWorld *world, const PolicyResults *results,
                uint64_t (*counts)[STATE_LIMIT])
{
    uint8_t *worst = ARENA_ARRAY(world->arena, uint8_t, world->assignment_count);
    uint32_t *seen = ARENA_ARRAY(world->arena, uint32_t, world->assignment_count);
    for (size_t i = 0; i < results->count;) {
        uint32_t resource = results->rows[i].resource, touched = 0;
        size_t from = i;
        for (; i < results->count && results->rows[i].resource == resource; i++) {
            const PolicyRow *row = &results->rows[i];
            uint32_t of = world->units[row->unit].assignment_index;
            bool is_new = true;
            for (uint32_t k = 0; k < touched && is_new; k++)
                is_new = seen[k] != of;
            if (is_new) {
                seen[touched++] = of;
                worst[of] = row->state;
            } else if (row->state < worst[of]) {
                worst[of] = row->state;
            }
        }
        // Units that could not be evaluated are no resources.
        for (uint32_t k = 0; k < touched && results->rows[from].resource != UINT32_MAX; k++)
            counts[seen[k]][worst[seen[k]]]++;
    }
}

// A unit that could not be evaluated has a state but no resources.
static void
put_counts(TableBuilder *builder, const uint64_t counts[STATE_LIMIT], bool evaluated)
{
    static const ComplianceState SHOWN[] = {STATE_NON_COMPLIANT, STATE_COMPLIANT, STATE_ERROR,
                                            STATE_CONFLICTING,   STATE_PROTECTED, STATE_EXEMPT,
                                            STATE_UNKNOWN};
    uint64_t all = 0;
    for (size_t i = 0; i < sizeof SHOWN / sizeof SHOWN[0]; i++)
        all += counts[SHOWN[i]];
    table_put_text(builder, str_from(compliance_state_name(compliance_roll_up(counts))));
    all &&evaluated ? table_put_real(builder, compliance_percentage(counts))
                    : table_put_null(builder);
    for (size_t i = 0; i < sizeof SHOWN / sizeof SHOWN[0]; i++)
        table_put_long(builder, evaluated ? (int64_t)counts[SHOWN[i]] : 0);
}

ResultTable *
policy_summary_table(const PolicyWorld *world, const PolicyResults *results)
{
    static const TableColumn COLUMNS[] = {
        {"PolicyAssignmentName", TYPE_STRING},
        {"PolicyDefinitionName", TYPE_STRING},
        {"PolicyDefinitionReferenceId", TYPE_STRING},
        {"ComplianceState", TYPE_STRING},
        {"CompliancePercentage", TYPE_REAL},
        {"NonCompliant", TYPE_LONG},
        {"Compliant", TYPE_LONG},
        {"Error", TYPE_LONG},
        {"Conflicting", TYPE_LONG},
        {"Protected", TYPE_LONG},
        {"Exempt", TYPE_LONG},
        {"Unknown", TYPE_LONG},
        {"Reason", TYPE_STRING},
        {"PolicyAssignmentId", TYPE_STRING},
    };
    uint64_t(*by_unit)[STATE_LIMIT] =
        arena_zalloc_array(world->arena, world->unit_count, sizeof(*by_unit));
    uint64_t(*by_assignment)[STATE_LIMIT] =
        arena_zalloc_array(world->arena, world->assignment_count, sizeof(*by_assignment));
    for (size_t i = 0; i < results->count; i++)
        by_unit[results->rows[i].unit][results->rows[i].state]++;
    count_resources(world, results, by_assignment);
    TableBuilder *builder = table_builder_new(COLUMNS, sizeof COLUMNS / sizeof COLUMNS[0]);
    for (uint32_t i = 0; i < world->unit_count; i++) {
        const PolicyUnit *unit = &world->units[i];
        // The row of the assignment as a whole comes before those of its members.
        if (unit->set_id.len && (!i || world->units[i - 1].assignment != unit->assignment)) {
            table_put_text(builder, assignment_name(unit));
            table_put_text(builder, (Str){0});
            table_put_text(builder, (Str){0});
            put_counts(builder, by_assignment[unit->assignment_index], true);
            table_put_text(builder, (Str){0});
            table_put_text(builder, unit->assignment->id);
        }
        table_put_text(builder, assignment_name(unit));
        table_put_text(builder, definition_name(unit));
        table_put_text(builder, unit->reference);
        put_counts(builder, by_unit[i], unit->binding != NULL);
        table_put_text(builder, unit->reason);
        table_put_text(builder, unit->assignment->id);
    }
    ResultTable *table = table_builder_finish(builder, world->arena);
    table_builder_free(builder);
    return table;
}

// What the effect would do, and with which difference.
static Str
would_be(PolicyWorld *world, const PolicyRow *row, int64_t at, Str *detail)
{
    *detail = row->reason;
    if (row->state == STATE_ERROR || row->state == STATE_UNKNOWN)
        return str_from(compliance_state_name((ComplianceState)row->state));
    if (!row->fires)
        return (Str){0};
    switch ((PolicyEffect)row->effect) {
    case EFFECT_DENY: return STR("denied");
    case EFFECT_DENY_ACTION: return STR("deletion denied");
    case EFFECT_DEPLOY_IF_NOT_EXISTS: return STR("deployed to");
    case EFFECT_APPEND:
    case EFFECT_MODIFY: break;
    default: return STR("flagged");
    }
    PolicyChange change;
    const PolicyUnit *unit = &world->units[row->unit];
    const PolicyContext context =
        policy_world_context(world, unit, &world->resources[row->resource], at);
    policy_change(world->arena, unit->binding, &world->resources[row->resource], &context, &change);
    *detail = change.denied ? change.why : change.diff;
    return change.denied ? STR("denied") : STR("changed");
}

ResultTable *
policy_whatif_table(PolicyWorld *world, const PolicyResults *results, int64_t at)
{
    static const TableColumn COLUMNS[] = {
        {"WouldBe", TYPE_STRING},     {"ResourceId", TYPE_STRING}, {"ResourceType", TYPE_STRING},
        {"Effect", TYPE_STRING},      {"Detail", TYPE_STRING},     {"Policy", TYPE_STRING},
        {"ReferenceId", TYPE_STRING},
    };
    TableBuilder *builder = table_builder_new(COLUMNS, sizeof COLUMNS / sizeof COLUMNS[0]);
    static const PolicyResource NONE = {0};
    for (size_t i = 0; i < results->count; i++) {
        const PolicyRow *row = &results->rows[i];
        const PolicyUnit *unit = &world->units[row->unit];
        const PolicyResource *resource =
            row->resource == UINT32_MAX ? &NONE : &world->resources[row->resource];
        Str detail, outcome = would_be(world, row, at, &detail);
        if (!outcome.len)
            continue;
        table_put_text(builder, outcome);
        table_put_text(builder, resource->id);
        table_put_text(builder, resource->type);
        table_put_text(builder, effect_of(row));
        table_put_text(builder, detail);
        table_put_text(builder, definition_name(unit));
        table_put_text(builder, unit->reference);
    }
    ResultTable *table = table_builder_finish(builder, world->arena);
    table_builder_free(builder);
    return table;
}
