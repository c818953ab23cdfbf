// What an assignment gives of an operation. Most assignments have no condition, so that the
// answer is the role's and is kept per role and operation.

#include "azure/path/path_internal.h"

#include "azure/rbac/access_internal.h"

struct Coverage {
    PathModel *model;
    Arena *arena;    // of what is kept
    uint8_t **known; // by role index, then operation: verdict + 1, 0 = not asked
    Arena scratch;
};

Coverage *
coverage_new(PathModel *model, Arena *arena)
{
    Coverage *coverage = ARENA_NEW(arena, Coverage);
    coverage->model = model;
    coverage->arena = arena;
    coverage->known = ARENA_ARRAY(arena, uint8_t *, model->access->roles->count);
    return coverage;
}

static AccessVerdict
ask(Coverage *coverage, const Assignment *assignment, uint32_t operation)
{
    const PathOperation *asked = &coverage->model->tables->operations[operation];
    AccessQuestion question = {
        .action = asked->name, .is_data = asked->is_data, .at = coverage->model->at};
    ConditionContext context = access_context(coverage->model->access, &question);
    AccessVerdict verdict = outcome_verdict(assignment_outcome(
        coverage->model->access, &coverage->scratch, assignment, &question, &context, NULL));
    arena_reset(&coverage->scratch);
    return verdict;
}

AccessVerdict
coverage_of(Coverage *coverage, const Assignment *assignment, uint32_t operation)
{
    const Role *role = assignment->role;
    if (!role)
        return ACCESS_NONE;
    if (assignment->source == SOURCE_DELEGATION &&
        coverage->model->tables->operations[operation].is_data)
        return ACCESS_NONE;
    // Whether it is eligible is the edge's business, and so is its time.
    Assignment plain = {.role = role};
    if (assignment->condition_text.len) {
        plain.condition = assignment->condition;
        plain.condition_text = assignment->condition_text;
        return ask(coverage, &plain, operation);
    }
    uint8_t **of_role = &coverage->known[role->index];
    if (!*of_role)
        *of_role = ARENA_ARRAY(coverage->arena, uint8_t, coverage->model->tables->operation_count);
    uint8_t *known = &(*of_role)[operation];
    if (!*known)
        *known = (uint8_t)(ask(coverage, &plain, operation) + 1);
    return (AccessVerdict)(*known - 1);
}

void
coverage_free(Coverage *coverage)
{
    arena_free(&coverage->scratch);
}

bool
assignment_in_time(const PathModel *model, const Assignment *assignment)
{
    return model->at >= assignment->start && (!assignment->end || model->at < assignment->end);
}
