#include "azure/rbac/access_tree.h"

#include "base/array.h"
#include "value/json.h"
#include "value/scalar.h"
#include "value/unicode.h"

// Text from the tenant that goes to a terminal: without control characters.
static void
put_clean(Buffer *out, Str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c < 0x20 || c == 0x7F)
            buffer_char(out, ' ');
        else
            buffer_char(out, (char)c);
    }
}

static void
put_verdict(Buffer *out, const char *text, bool good, bool color)
{
    buffer_printf(out, "%s%s%s", color ? (good ? "\033[1;32m" : "\033[1;31m") : "", text,
                  color ? "\033[0m" : "");
}

static const char *
sentence(AccessVerdict verdict)
{
    static const char *const SENTENCES[] = {
        [ACCESS_NONE] = "no assignment grants it",
        [ACCESS_DENIED] = "a deny assignment forbids it, whatever the roles say",
        [ACCESS_ELIGIBLE] = "only after an activation in Privileged Identity Management",
        [ACCESS_CONDITIONAL] = "it hangs on conditions whose attributes are not known",
        [ACCESS_UNCERTAIN] = "NotActions take it away if /*/ may be a single slash",
        [ACCESS_ALLOWED] = "at least one assignment grants it",
    };
    return SENTENCES[verdict];
}

// "Not allowed" by data that is not there is no answer.
static bool
is_unknown(const AccessWorld *world, const AccessAnswer *answer)
{
    return answer->verdict <= ACCESS_ELIGIBLE && answer->verdict != ACCESS_DENIED &&
           access_gaps_decide(&world->gaps);
}

static const char *
verdict_name(const AccessWorld *world, const AccessAnswer *answer)
{
    return is_unknown(world, answer) ? "unknown" : access_verdict_name(answer->verdict);
}

static void
put_leaf(Buffer *out, const char *stem, const char *label, Str value)
{
    buffer_printf(out, "%s  %-10s ", stem, label);
    put_clean(out, value);
    buffer_char(out, '\n');
}

static void
put_step(Buffer *out, Arena *arena, const AccessModel *model, const AssignmentStep *step, bool last,
         bool color)
{
    const Assignment *assignment = step->assignment;
    const char *stem = last ? "   " : "│  ";
    buffer_text(out, last ? "└─ " : "├─ ");
    put_clean(out, access_role_label(assignment));
    buffer_text(out, ": ");
    put_verdict(out, assignment_outcome_name(step->outcome), step->outcome <= OUTCOME_ELIGIBLE,
                color);
    buffer_char(out, '\n');
    put_leaf(out, stem, "scope", assignment->scope);
    if (assignment->origin.len)
        put_leaf(out, stem, "from", assignment->origin);
    if (step->via_count > 1)
        put_leaf(out, stem, "through", access_via_label(model, arena, step));
    if (assignment->condition_text.len)
        put_leaf(out, stem, "condition", assignment->condition_text);
    if (assignment->condition_error.len)
        put_leaf(out, stem, "", assignment->condition_error);
    for (uint32_t i = 0; assignment->role && i < assignment->role->block_count; i++)
        if (assignment->role->blocks[i].condition_text.len)
            put_leaf(out, stem, "role if", assignment->role->blocks[i].condition_text);
    if (assignment->start || assignment->end) {
        Buffer time = {0};
        if (assignment->start)
            datetime_print(&time, assignment->start);
        buffer_text(&time, " .. ");
        if (assignment->end)
            datetime_print(&time, assignment->end);
        put_leaf(out, stem, "time", buffer_slice(&time));
        buffer_free(&time);
    }
    put_leaf(out, stem, "assignment", assignment->id);
}

void
access_explain_text(Buffer *out, const AccessWorld *world, const AccessQuestion *question,
                    const AccessAnswer *answer, bool color)
{
    Arena arena = {0};
    const AccessModel *model = world->model;
    uint32_t principal = access_find_principal(model, question->principal);
    put_clean(out, principal == UINT32_MAX ? question->principal
                                           : access_principal_label(model, &arena, principal));
    buffer_printf(out, "\n  operation  ");
    put_clean(out, question->action);
    buffer_printf(out, " (%s plane)\n  scope      ", question->is_data ? "data" : "control");
    put_clean(out, question->scope);
    buffer_text(out, "\n  verdict    ");
    put_verdict(out, verdict_name(world, answer), answer->verdict >= ACCESS_UNCERTAIN, color);
    buffer_printf(out, ": %s\n",
                  is_unknown(world, answer) ? "what would decide it was not collected"
                  : answer->principal_known ? sentence(answer->verdict)
                                            : "the principal is not in the data");
    if (answer->denied_by.len)
        put_leaf(out, "", "denied by", answer->denied_by);
    for (size_t i = 0; i < answer->unknown.len; i++)
        put_leaf(out, "", i ? "" : "not known", answer->unknown.items[i]);
    if (!answer->scope_known)
        buffer_text(out, "  note       the management groups above this scope are not in the data: "
                         "assignments there may be missing\n");
    for (uint32_t i = 0; i < world->gaps.count; i++)
        put_leaf(out, "", i ? "" : "note", access_gap_text(&arena, &world->gaps.items[i]));
    buffer_char(out, '\n');
    for (uint32_t i = 0; i < answer->step_count; i++)
        put_step(out, &arena, model, &answer->steps[i], i + 1 == answer->step_count, color);
    if (answer->principal_known && !answer->step_count)
        buffer_text(out, "no assignment of the principal or its groups reaches this scope\n");
    arena_free(&arena);
}

static void
put_member(Buffer *out, const char *name, Str value)
{
    buffer_printf(out, ",\"%s\":", name);
    json_write_string(out, value, false);
}

static void
put_step_json(Buffer *out, Arena *arena, const AccessModel *model, const AssignmentStep *step)
{
    const Assignment *assignment = step->assignment;
    buffer_text(out, "{\"id\":");
    json_write_string(out, assignment->id, false);
    put_member(out, "role", access_role_label(assignment));
    put_member(out, "scope", assignment->scope);
    put_member(out, "outcome", str_from(assignment_outcome_name(step->outcome)));
    buffer_printf(out, ",\"grants\":%s,\"via\":[",
                  outcome_grants(step->outcome) ? "true" : "false");
    for (uint32_t i = 1; i < step->via_count; i++) {
        buffer_text(out, i > 1 ? "," : "");
        json_write_string(out, access_principal_label(model, arena, step->via[i]), false);
    }
    buffer_char(out, ']');
    if (assignment->origin.len)
        put_member(out, "from", assignment->origin);
    if (assignment->condition_text.len)
        put_member(out, "condition", assignment->condition_text);
    if (assignment->condition_error.len)
        put_member(out, "conditionError", assignment->condition_error);
    buffer_char(out, '}');
}

void
access_explain_json(Buffer *out, const AccessWorld *world, const AccessQuestion *question,
                    const AccessAnswer *answer)
{
    Arena arena = {0};
    buffer_text(out, "{\"principal\":");
    json_write_string(out, question->principal, false);
    put_member(out, "operation", question->action);
    put_member(out, "plane", question->is_data ? STR("data") : STR("control"));
    put_member(out, "scope", question->scope);
    put_member(out, "verdict", str_from(verdict_name(world, answer)));
    if (answer->denied_by.len)
        put_member(out, "deniedBy", answer->denied_by);
    buffer_printf(out, ",\"principalKnown\":%s,\"scopeKnown\":%s,\"unknownAttributes\":[",
                  answer->principal_known ? "true" : "false",
                  answer->scope_known ? "true" : "false");
    for (size_t i = 0; i < answer->unknown.len; i++) {
        buffer_text(out, i ? "," : "");
        json_write_string(out, answer->unknown.items[i], false);
    }
    buffer_text(out, "],\"notCollected\":[");
    for (uint32_t i = 0; i < world->gaps.count; i++) {
        buffer_text(out, i ? "," : "");
        json_write_string(out, access_gap_text(&arena, &world->gaps.items[i]), false);
    }
    buffer_text(out, "],\"assignments\":[");
    for (uint32_t i = 0; i < answer->step_count; i++) {
        buffer_text(out, i ? "," : "");
        put_step_json(out, &arena, world->model, &answer->steps[i]);
    }
    buffer_text(out, "]}\n");
    arena_free(&arena);
}
