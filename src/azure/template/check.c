// A deployment against the policies that hold where it goes.
//
// Effects come in the order of Azure Resource Manager (Microsoft Learn, "Order of evaluation"):
// append and modify change the request, then deny, audit and the IfNotExists effects see what was
// made of it.

#include "azure/template/check.h"

#include "azure/arm.h"

#include <stdlib.h>
#include <string.h>

const char *
check_outcome_name(CheckOutcome outcome)
{
    static const char *const NAMES[] = {"denied", "unknown", "changed", "flagged", "deployed to"};
    return NAMES[outcome];
}

static void
add_finding(CheckResult *result, CheckFinding finding)
{
    if (result->count == result->cap) {
        uint32_t cap = result->cap ? result->cap * 2 : 64;
        CheckFinding *room = ARENA_ARRAY(result->world->arena, CheckFinding, cap);
        if (result->count)
            memcpy(room, result->findings, result->count * sizeof(*room));
        result->findings = room;
        result->cap = cap;
    }
    result->findings[result->count++] = finding;
}

static bool
is_change(const PolicyRow *row)
{
    return row->effect == EFFECT_APPEND || row->effect == EFFECT_MODIFY;
}

// What a row means for the deployment; CHECK_LIMIT when nothing.
static CheckOutcome
outcome_of(const PolicyRow *row, bool enforced)
{
    if (row->state == STATE_ERROR || row->state == STATE_UNKNOWN)
        return CHECK_UNKNOWN;
    if (row->state == STATE_CONFLICTING)
        return enforced ? CHECK_DENIED : CHECK_FLAGGED;
    if (!row->fires)
        return CHECK_LIMIT;
    switch ((PolicyEffect)row->effect) {
    case EFFECT_DENY: return enforced ? CHECK_DENIED : CHECK_FLAGGED;
    case EFFECT_DEPLOY_IF_NOT_EXISTS: return enforced ? CHECK_DEPLOYED_TO : CHECK_FLAGGED;
    case EFFECT_DENY_ACTION: return CHECK_LIMIT; // of deleting, not of deploying
    default: return CHECK_FLAGGED;
    }
}

static Str
unsure_of(const CheckResult *result, const PolicyRow *row)
{
    return row->resource == UINT32_MAX ? (Str){0} : result->set->items[row->resource].unsure;
}

static void
take_row(CheckResult *result, const PolicyRow *row)
{
    bool enforced = result->world->units[row->unit].assignment->enforced;
    CheckOutcome outcome = outcome_of(row, enforced);
    Str unsure = unsure_of(result, row), detail = row->reason;
    if (outcome == CHECK_LIMIT)
        return;
    if (outcome == CHECK_DENIED && unsure.len) {
        outcome = CHECK_UNKNOWN;
        detail = str_format(result->world->arena, "would be denied, but %.*s: %.*s",
                            STR_ARG(unsure), STR_ARG(row->reason));
    }
    add_finding(result, (CheckFinding){.outcome = outcome,
                                       .resource = row->resource,
                                       .unit = row->unit,
                                       .effect = (PolicyEffect)row->effect,
                                       .enforced = enforced,
                                       .detail = detail});
}

// append and modify on the request. Returns whether something changed.
static bool
take_change(CheckResult *result, const PolicyRow *row, int64_t at, bool *changed)
{
    PolicyWorld *world = result->world;
    const PolicyUnit *unit = &world->units[row->unit];
    PolicyResource *resource = &world->resources[row->resource];
    const PolicyContext context = policy_world_context(world, unit, resource, at);
    CheckFinding finding = {.outcome = CHECK_CHANGED,
                            .resource = row->resource,
                            .unit = row->unit,
                            .effect = (PolicyEffect)row->effect,
                            .enforced = unit->assignment->enforced};
    PolicyChange change;
    if (!policy_change(world->arena, unit->binding, resource, &context, &change))
        return false;
    bool open = change.open && !change.denied;
    finding.detail = change.denied || open ? change.why : change.diff;
    if (open)
        finding.outcome = CHECK_UNKNOWN;
    else if (!finding.enforced)
        finding.outcome = CHECK_FLAGGED;
    else if (change.denied)
        finding.outcome = CHECK_DENIED;
    if (unsure_of(result, row).len && finding.outcome == CHECK_DENIED)
        finding.outcome = CHECK_UNKNOWN;
    if (change.denied || open || change.diff.len)
        add_finding(result, finding);
    if (!change.denied && finding.enforced && change.resource.ptr && change.diff.len) {
        policy_resource_init(resource, world->arena, &world->aliases, change.resource);
        *changed = true;
    }
    return true;
}

static int
compare_findings(const void *a, const void *b)
{
    const CheckFinding *left = a, *right = b;
    if (left->resource != right->resource)
        return left->resource < right->resource ? -1 : 1;
    if (left->outcome != right->outcome)
        return left->outcome < right->outcome ? -1 : 1;
    return left->unit < right->unit ? -1 : left->unit > right->unit;
}

static void
count_totals(CheckResult *result)
{
    for (uint32_t i = 0; i < result->count; i++)
        if (result->findings[i].resource != UINT32_MAX &&
            (!i || result->findings[i].resource != result->findings[i - 1].resource))
            result->totals[result->findings[i].outcome]++;
}

void
policy_check(PolicyWorld *world, const PlannedSet *set, int64_t at, CheckResult *out)
{
    static const Str NONE = {0};
    PolicyResults results;
    PolicyResource *planned = ARENA_ARRAY(world->arena, PolicyResource, set->count);
    bool changed = false;
    *out = (CheckResult){.world = world, .set = set};
    for (uint32_t i = 0; i < set->count; i++)
        policy_resource_init(&planned[i], world->arena, &world->aliases, set->items[i].body);
    world->requests = true;
    world->unknowns = set->unknowns ? set->unknowns : &NONE;
    world->unknown_count = set->unknown_count;
    policy_world_plan(world, planned, set->count);
    policy_world_evaluate(world, at, true, &results);
    for (size_t i = 0; i < results.count; i++) {
        const PolicyRow *row = &results.rows[i];
        bool fires = is_change(row) && row->fires && row->state == STATE_NON_COMPLIANT;
        if (is_change(row) && (!fires || !take_change(out, row, at, &changed)))
            take_row(out, row);
    }
    if (changed)
        policy_world_evaluate(world, at, true, &results);
    for (size_t i = 0; i < results.count; i++)
        if (!is_change(&results.rows[i]))
            take_row(out, &results.rows[i]);
    if (out->count)
        qsort(out->findings, out->count, sizeof(*out->findings), compare_findings);
    count_totals(out);
}

// Output --------------------------------------------------------------------

static Str
policy_name(const PolicyUnit *unit)
{
    Str name =
        unit->binding ? policy_display_name(policy_bound_definition(unit->binding)) : (Str){0};
    return name.len ? name : arm_last_segment(unit->definition_id);
}

static Str
assignment_name(const PolicyAssignment *assignment)
{
    return assignment->display_name.len ? assignment->display_name : assignment->name;
}

static Str
effect_text(const CheckResult *result, const CheckFinding *finding)
{
    if (finding->effect == EFFECT_INVALID)
        return (Str){0};
    return str_format(result->world->arena, "%s%s", policy_effect_name(finding->effect),
                      finding->enforced ? "" : " (not enforced)");
}

ResultTable *
policy_check_table(const CheckResult *result)
{
    static const TableColumn COLUMNS[] = {
        {"Outcome", TYPE_STRING},      {"ResourceId", TYPE_STRING},
        {"ResourceType", TYPE_STRING}, {"Where", TYPE_STRING},
        {"Detail", TYPE_STRING},       {"Effect", TYPE_STRING},
        {"Policy", TYPE_STRING},       {"PolicyDefinitionId", TYPE_STRING},
        {"ReferenceId", TYPE_STRING},  {"Assignment", TYPE_STRING},
        {"AssignmentId", TYPE_STRING}, {"NonComplianceMessage", TYPE_STRING},
    };
    const PolicyWorld *world = result->world;
    TableBuilder *builder = table_builder_new(COLUMNS, sizeof COLUMNS / sizeof COLUMNS[0]);
    for (uint32_t i = 0; i < result->count; i++) {
        const CheckFinding *finding = &result->findings[i];
        const PolicyUnit *unit = &world->units[finding->unit];
        bool whole = finding->resource == UINT32_MAX;
        table_put_text(builder, str_from(check_outcome_name(finding->outcome)));
        table_put_text(builder, whole ? (Str){0} : world->resources[finding->resource].id);
        table_put_text(builder, whole ? (Str){0} : world->resources[finding->resource].type);
        table_put_text(builder, whole ? (Str){0} : result->set->items[finding->resource].where);
        table_put_text(builder, finding->detail);
        table_put_text(builder, effect_text(result, finding));
        table_put_text(builder, policy_name(unit));
        table_put_text(builder, unit->definition_id);
        table_put_text(builder, unit->reference);
        table_put_text(builder, assignment_name(unit->assignment));
        table_put_text(builder, unit->assignment->id);
        table_put_text(builder, policy_assignment_message(unit->assignment, unit->reference));
    }
    ResultTable *table = table_builder_finish(builder, world->arena);
    table_builder_free(builder);
    return table;
}

// Text of others without what a terminal would obey.
static void
put_plain(Buffer *out, Str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        buffer_char(out, c < 0x20 || c == 0x7F ? ' ' : text.ptr[i]);
    }
}

static void
put_line(Buffer *out, const char *label, Str text, Str more)
{
    if (!text.len)
        return;
    buffer_printf(out, "    %-11s ", label);
    put_plain(out, text);
    if (more.len) {
        buffer_text(out, "  ");
        put_plain(out, more);
    }
    buffer_char(out, '\n');
}

static void
put_finding(Buffer *out, const CheckResult *result, const CheckFinding *finding)
{
    const PolicyUnit *unit = &result->world->units[finding->unit];
    Str message = policy_assignment_message(unit->assignment, unit->reference);
    buffer_printf(out, "  %s\n", check_outcome_name(finding->outcome));
    put_line(out, "because", finding->detail, (Str){0});
    put_line(out, "policy", policy_name(unit), effect_text(result, finding));
    put_line(out, "assignment", assignment_name(unit->assignment), unit->assignment->scope);
    put_line(out, "message", message, (Str){0});
}

void
policy_check_text(const CheckResult *result, Buffer *out)
{
    const PolicyWorld *world = result->world;
    for (uint32_t i = 0; i < result->count; i++) {
        const CheckFinding *finding = &result->findings[i];
        if (!i || finding->resource != result->findings[i - 1].resource) {
            if (i)
                buffer_char(out, '\n');
            if (finding->resource == UINT32_MAX) {
                buffer_text(out, "the policy itself\n");
            } else {
                put_plain(out, world->resources[finding->resource].id);
                buffer_text(out, "  (");
                put_plain(out, result->set->items[finding->resource].where);
                buffer_text(out, ")\n");
            }
        }
        put_finding(out, result, finding);
    }
    for (uint32_t i = 0; i < result->set->note_count; i++) {
        buffer_text(out, "note: ");
        put_plain(out, result->set->notes[i]);
        buffer_char(out, '\n');
    }
    buffer_printf(out, "%s%u resources:", result->count || result->set->note_count ? "\n" : "",
                  result->set->count);
    uint32_t touched = 0;
    for (int i = 0; i < CHECK_LIMIT; i++) {
        buffer_printf(out, " %u %s,", result->totals[i], check_outcome_name((CheckOutcome)i));
        touched += result->totals[i];
    }
    buffer_printf(out, " %u without finding\n", result->set->count - touched);
}
