// One question about one principal: deny assignments first, then every assignment of the
// principal and its groups on the chain of the scope, each with what became of it.

#include "azure/rbac/access_internal.h"

#include <stdlib.h>

const char *
access_verdict_name(AccessVerdict verdict)
{
    static const char *const NAMES[] = {
        [ACCESS_NONE] = "not allowed",    [ACCESS_DENIED] = "denied",
        [ACCESS_ELIGIBLE] = "eligible",   [ACCESS_CONDITIONAL] = "conditional",
        [ACCESS_UNCERTAIN] = "uncertain", [ACCESS_ALLOWED] = "allowed",
    };
    return NAMES[verdict];
}

const char *
assignment_outcome_name(AssignmentOutcome outcome)
{
    static const char *const NAMES[] = {
        [OUTCOME_GRANTS] = "grants",
        [OUTCOME_UNCERTAIN] = "grants, unless NotActions with /*/ take it away",
        [OUTCOME_CONDITION_UNKNOWN] = "grants if its condition holds",
        [OUTCOME_CONDITION_BAD] = "its condition cannot be read",
        [OUTCOME_ELIGIBLE] = "eligible: grants after activation",
        [OUTCOME_CONDITION_FALSE] = "its condition does not hold",
        [OUTCOME_NOT_IN_ROLE] = "the role does not cover the operation",
        [OUTCOME_NOT_DELEGATED] = "Azure Lighthouse delegates no data operations",
        [OUTCOME_NOT_YET] = "its time has not begun",
        [OUTCOME_EXPIRED] = "its time is over",
        [OUTCOME_RETIRED] = "classic administrators were retired: it grants nothing",
        [OUTCOME_ROLE_UNKNOWN] = "the role definition is not in the data",
    };
    return NAMES[outcome];
}

AccessVerdict
outcome_verdict(AssignmentOutcome outcome)
{
    switch (outcome) {
    case OUTCOME_GRANTS: return ACCESS_ALLOWED;
    case OUTCOME_UNCERTAIN: return ACCESS_UNCERTAIN;
    case OUTCOME_CONDITION_UNKNOWN:
    case OUTCOME_CONDITION_BAD: return ACCESS_CONDITIONAL;
    case OUTCOME_ELIGIBLE: return ACCESS_ELIGIBLE;
    default: return ACCESS_NONE;
    }
}

PrincipalClosure
access_closure(const AccessModel *model, Arena *arena, uint32_t principal)
{
    // Breadth first, so that `from` gives a shortest way. The visited set is a map of what
    // was met: a principal is in few of the tenant's groups.
    PrincipalClosure closure = {0};
    uint32_t room = 16;
    closure.items = ARENA_ARRAY(arena, uint32_t, room);
    closure.from = ARENA_ARRAY(arena, uint32_t, room);
    Map seen;
    map_init(&seen, arena, true);
    closure.items[0] = principal;
    closure.count = 1;
    map_add(&seen, model->principals.items[principal].id, NULL);
    for (uint32_t at = 0; at < closure.count; at++) {
        uint32_t node = closure.items[at];
        for (uint32_t i = model->groups_of.offsets[node]; i < model->groups_of.offsets[node + 1];
             i++) {
            uint32_t group = model->groups_of.targets[i];
            bool is_new;
            map_add(&seen, model->principals.items[group].id, &is_new);
            if (!is_new)
                continue;
            if (closure.count == room) {
                uint32_t *items = ARENA_ARRAY(arena, uint32_t, room * 2);
                uint32_t *from = ARENA_ARRAY(arena, uint32_t, room * 2);
                memcpy(items, closure.items, room * sizeof *items);
                memcpy(from, closure.from, room * sizeof *from);
                closure.items = items;
                closure.from = from;
                room *= 2;
            }
            closure.items[closure.count] = group;
            closure.from[closure.count++] = at;
        }
    }
    return closure;
}

ConditionContext
access_context(const AccessModel *model, const AccessQuestion *question)
{
    ConditionContext context = question->context;
    context.action = question->action;
    context.star = model->star;
    return context;
}

// The outcome of a grant whose conditions came out as `holds`.
static AssignmentOutcome
conditioned(AssignmentOutcome granted, Tristate holds)
{
    if (holds == TRI_FALSE)
        return OUTCOME_CONDITION_FALSE;
    return holds == TRI_UNKNOWN ? OUTCOME_CONDITION_UNKNOWN : granted;
}

// A condition that could not be read is as good as unknown: it may hold.
static AssignmentOutcome
apply_condition(Arena *arena, AssignmentOutcome granted, Str text, const Condition *condition,
                const ConditionContext *context, AttributeList *unknown)
{
    if (!text.len || granted >= OUTCOME_CONDITION_FALSE)
        return granted;
    if (!condition)
        return OUTCOME_CONDITION_BAD;
    AssignmentOutcome outcome =
        conditioned(granted, condition_evaluate(arena, condition, context, unknown));
    return outcome == OUTCOME_CONDITION_FALSE || outcome > granted ? outcome : granted;
}

AssignmentOutcome
role_outcome(const AccessModel *model, Arena *arena, const Role *role,
             const AccessQuestion *question, const ConditionContext *context,
             AttributeList *unknown)
{
    if (!role)
        return OUTCOME_ROLE_UNKNOWN;
    AssignmentOutcome best = OUTCOME_NOT_IN_ROLE;
    for (uint32_t i = 0; i < role->block_count; i++) {
        const PermissionBlock *block = &role->blocks[i];
        BlockVerdict covers =
            permission_covers(block, question->action, question->is_data, model->star);
        if (covers == BLOCK_NO)
            continue;
        AssignmentOutcome outcome =
            apply_condition(arena, covers == BLOCK_YES ? OUTCOME_GRANTS : OUTCOME_UNCERTAIN,
                            block->condition_text, block->condition, context, unknown);
        if (outcome < best)
            best = outcome;
    }
    return best;
}

AssignmentOutcome
assigned_outcome(Arena *arena, const Assignment *assignment, const AccessQuestion *question,
                 const ConditionContext *context, AssignmentOutcome of_role, AttributeList *unknown)
{
    if (of_role == OUTCOME_ROLE_UNKNOWN)
        return of_role;
    if (assignment->end && question->at >= assignment->end)
        return assignment->source == SOURCE_CLASSIC ? OUTCOME_RETIRED : OUTCOME_EXPIRED;
    if (of_role >= OUTCOME_CONDITION_FALSE)
        return of_role;
    if (assignment->source == SOURCE_DELEGATION && question->is_data)
        return OUTCOME_NOT_DELEGATED;
    if (question->at < assignment->start)
        return OUTCOME_NOT_YET;
    AssignmentOutcome outcome = apply_condition(arena, of_role, assignment->condition_text,
                                                assignment->condition, context, unknown);
    return assignment->eligible && outcome < OUTCOME_ELIGIBLE ? OUTCOME_ELIGIBLE : outcome;
}

AssignmentOutcome
assignment_outcome(const AccessModel *model, Arena *arena, const Assignment *assignment,
                   const AccessQuestion *question, const ConditionContext *context,
                   AttributeList *unknown)
{
    AssignmentOutcome of_role =
        role_outcome(model, arena, assignment->role, question, context, unknown);
    return assigned_outcome(arena, assignment, question, context, of_role, unknown);
}

bool
assignment_may_cover(const Assignment *assignment, Str action, bool is_data, StarSegment star)
{
    return assignment->role && !(assignment->source == SOURCE_DELEGATION && is_data) &&
           role_may_cover(assignment->role, action, is_data, star);
}

bool
denial_covers(const AccessModel *model, const DenyAssignment *denial,
              const AccessQuestion *question, bool is_own_scope)
{
    if (denial->this_scope_only && !is_own_scope)
        return false;
    for (uint32_t i = 0; i < denial->block_count; i++)
        if (permission_covers(&denial->blocks[i], question->action, question->is_data,
                              model->star) != BLOCK_NO)
            return true;
    return false;
}

static bool
list_meets(const AccessModel *model, StrList ids, const PrincipalClosure *closure)
{
    for (uint32_t i = 0; i < ids.count; i++) {
        uint32_t index = access_find_principal(model, ids.items[i]);
        for (uint32_t j = 0; index != UINT32_MAX && j < closure->count; j++)
            if (closure->items[j] == index)
                return true;
    }
    return false;
}

bool
denial_concerns(const AccessModel *model, const DenyAssignment *denial,
                const PrincipalClosure *closure)
{
    return (denial->everyone || list_meets(model, denial->principals, closure)) &&
           !list_meets(model, denial->excluded, closure);
}

static const DenyAssignment *
find_denial(const AccessModel *model, const AccessQuestion *question, const ScopeChain *chain,
            const PrincipalClosure *closure)
{
    for (size_t i = 0; model->denials.len && i < chain->len; i++) {
        const ScopeRun *run = map_get(&model->denial_runs, chain->items[i]);
        for (uint32_t j = run ? run->from : 0; run && j < run->to; j++) {
            const DenyAssignment *denial = &model->denials.items[j];
            if (denial_covers(model, denial, question, i == 0) &&
                denial_concerns(model, denial, closure))
                return denial;
        }
    }
    return NULL;
}

static bool
on_chain(const ScopeChain *chain, Str scope)
{
    for (size_t i = 0; i < chain->len; i++)
        if (str_equal_ci(chain->items[i], scope))
            return true;
    return false;
}

// The way from the asking principal to item `at` of its closure.
static const uint32_t *
way_to(Arena *arena, const PrincipalClosure *closure, uint32_t at, uint32_t *count)
{
    uint32_t len = 1;
    for (uint32_t i = at; i; i = closure->from[i])
        len++;
    uint32_t *way = ARENA_ARRAY(arena, uint32_t, len);
    *count = len;
    for (uint32_t i = at; len; i = closure->from[i])
        way[--len] = closure->items[i];
    return way;
}

// Those that grant first; then the nearest scope (the longer id), then by id.
static int
step_order(const void *a, const void *b)
{
    const AssignmentStep *x = a, *y = b;
    if (x->outcome != y->outcome)
        return x->outcome < y->outcome ? -1 : 1;
    size_t p = x->assignment->scope.len, q = y->assignment->scope.len;
    return p != q ? (p > q ? -1 : 1) : str_compare_ci(x->assignment->id, y->assignment->id);
}

static uint32_t
count_assignments(const AccessModel *model, const PrincipalClosure *closure)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < closure->count; i++)
        count += model->assignments_of.offsets[closure->items[i] + 1] -
                 model->assignments_of.offsets[closure->items[i]];
    return count;
}

AssignmentStep *
access_assignments_of(const AccessModel *model, Arena *arena, Str principal, uint32_t *count)
{
    *count = 0;
    uint32_t index = access_find_principal(model, principal);
    if (index == UINT32_MAX)
        return NULL;
    PrincipalClosure closure = access_closure(model, arena, index);
    AssignmentStep *steps = ARENA_ARRAY(arena, AssignmentStep, count_assignments(model, &closure));
    const Links *links = &model->assignments_of;
    for (uint32_t i = 0; i < closure.count; i++) {
        uint32_t node = closure.items[i];
        for (uint32_t j = links->offsets[node]; j < links->offsets[node + 1]; j++) {
            AssignmentStep *step = &steps[(*count)++];
            step->assignment = &model->assignments.items[links->targets[j]];
            step->via = way_to(arena, &closure, i, &step->via_count);
        }
    }
    return steps;
}

AccessAnswer
access_check(const AccessModel *model, Arena *arena, const AccessQuestion *question)
{
    AccessAnswer answer = {0};
    ScopeChain chain = {0};
    scope_chain(model->scopes, arena, question->scope, &chain, &answer.scope_known);
    uint32_t principal = access_find_principal(model, question->principal);
    answer.principal_known = principal != UINT32_MAX;
    if (!answer.principal_known)
        return answer;

    PrincipalClosure closure = access_closure(model, arena, principal);
    ConditionContext context = access_context(model, question);
    answer.steps = ARENA_ARRAY(arena, AssignmentStep, count_assignments(model, &closure));
    const Links *links = &model->assignments_of;
    for (uint32_t i = 0; i < closure.count; i++) {
        uint32_t node = closure.items[i];
        for (uint32_t j = links->offsets[node]; j < links->offsets[node + 1]; j++) {
            const Assignment *assignment = &model->assignments.items[links->targets[j]];
            if (!on_chain(&chain, assignment->scope))
                continue;
            AssignmentStep *step = &answer.steps[answer.step_count++];
            step->assignment = assignment;
            step->outcome =
                assignment_outcome(model, arena, assignment, question, &context, &answer.unknown);
            step->via = way_to(arena, &closure, i, &step->via_count);
            AccessVerdict verdict = outcome_verdict(step->outcome);
            if (verdict > answer.verdict)
                answer.verdict = verdict;
        }
    }
    if (answer.step_count)
        qsort(answer.steps, answer.step_count, sizeof *answer.steps, step_order);
    const DenyAssignment *denial = find_denial(model, question, &chain, &closure);
    if (denial) {
        answer.verdict = ACCESS_DENIED;
        answer.denied_by = denial->id;
    }
    return answer;
}
