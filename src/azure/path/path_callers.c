// Who can make a call that needs several operations.
//
// Azure checks all of them for one caller, so that holding them through different
// identities is not enough, while holding them through different groups is. For a scope
// the operations that each assignment on its chain gives are marks on its principal; marks
// go down to the members of groups, and whoever ends up with all of them can call. A group
// that has them all by itself stands for its members.
//
// Eligible assignments are left out: an activation is a step of its own, which the graph
// makes for a role that gives all operations at once.

#include "azure/path/path_internal.h"

#include "azure/rbac/access_internal.h"

typedef struct Marks {
    uint32_t round;
    uint32_t mask;  // operations of the option, by position
    uint32_t doubt; // those that hang on a condition
    const Assignment *assignment;
} Marks;

typedef struct IndexList {
    uint32_t *items;
    size_t len, cap;
} IndexList;

struct Callers {
    PathModel *model;
    Coverage *coverage;
    Arena *arena;
    Arena scratch;
    Marks *marks;             // by principal of the access model
    uint32_t **held_anywhere; // by operation: by principal, whether some scope gives it
    uint32_t **held_above;    // the same at a resource group or above
    uint32_t round;
    IndexList touched, queue;
};

Callers *
callers_new(PathModel *model, Coverage *coverage, Arena *arena)
{
    Callers *callers = ARENA_NEW(arena, Callers);
    callers->model = model;
    callers->coverage = coverage;
    callers->arena = arena;
    callers->marks = ARENA_ARRAY(arena, Marks, access_principal_count(model->access));
    callers->held_anywhere = ARENA_ARRAY(arena, uint32_t *, model->tables->operation_count);
    callers->held_above = ARENA_ARRAY(arena, uint32_t *, model->tables->operation_count);
    return callers;
}

void
callers_free(Callers *callers)
{
    arena_free(&callers->scratch);
}

// A resource group or above: deployments and new resources can be made there.
static bool
is_container(Str scope)
{
    ptrdiff_t provider = str_find(scope, STR("/providers/"));
    return provider <= 0;
}

// The principals that hold the operation somewhere, members of groups with them.
static const uint32_t *
held(Callers *callers, RuleOperation operation)
{
    bool above = operation.place == PLACE_CONTAINER;
    uint32_t **known = &(above ? callers->held_above : callers->held_anywhere)[operation.operation];
    if (*known)
        return *known;
    const AccessModel *access = callers->model->access;
    *known = ARENA_ARRAY(callers->arena, uint32_t, access->principals.len);
    callers->queue.len = 0;
    for (size_t i = 0; i < access->assignments.len; i++) {
        const Assignment *assignment = &access->assignments.items[i];
        if (!assignment->eligible && assignment_in_time(callers->model, assignment) &&
            (!above || is_container(assignment->scope)) &&
            coverage_of(callers->coverage, assignment, operation.operation) >= ACCESS_CONDITIONAL)
            ARRAY_PUSH(callers->arena, &callers->queue, assignment->principal);
    }
    while (callers->queue.len) {
        uint32_t node = callers->queue.items[--callers->queue.len];
        if ((*known)[node])
            continue;
        (*known)[node] = 1;
        for (uint32_t i = access->members_of.offsets[node];
             i < access->members_of.offsets[node + 1]; i++)
            ARRAY_PUSH(callers->arena, &callers->queue, access->members_of.targets[i]);
    }
    return *known;
}

static bool
is_elsewhere(OperationPlace place)
{
    return place == PLACE_CONTAINER || place == PLACE_ANYWHERE;
}

// Adds marks to a principal; true when that brought new ones.
static bool
mark(Callers *callers, uint32_t principal, uint32_t mask, uint32_t doubt,
     const Assignment *assignment)
{
    Marks *marks = &callers->marks[principal];
    if (marks->round != callers->round) {
        *marks = (Marks){callers->round, 0, 0, assignment};
        ARRAY_PUSH(callers->arena, &callers->touched, principal);
    }
    bool is_new = (mask & ~marks->mask) || (marks->doubt & mask & ~doubt);
    marks->doubt = (marks->doubt | (doubt & ~marks->mask)) & ~(mask & ~doubt);
    marks->mask |= mask;
    return is_new;
}

static void
spread(Callers *callers, uint32_t principal)
{
    const Links *links = &callers->model->access->members_of;
    callers->queue.len = 0;
    ARRAY_PUSH(callers->arena, &callers->queue, principal);
    while (callers->queue.len) {
        uint32_t node = callers->queue.items[--callers->queue.len];
        Marks given = callers->marks[node];
        for (uint32_t i = links->offsets[node]; i < links->offsets[node + 1]; i++)
            if (mark(callers, links->targets[i], given.mask, given.doubt, given.assignment))
                ARRAY_PUSH(callers->arena, &callers->queue, links->targets[i]);
    }
}

// The operations of the option that an assignment gives at the scope.
static void
mark_assignment(Callers *callers, const RuleOption *option, const Assignment *assignment)
{
    uint32_t mask = 0, doubt = 0;
    if (assignment->eligible || !assignment_in_time(callers->model, assignment))
        return;
    for (uint32_t i = 0; i < option->count; i++) {
        RuleOperation asked = option->operations[i];
        if (is_elsewhere(asked.place))
            continue;
        AccessVerdict verdict = coverage_of(callers->coverage, assignment, asked.operation);
        if (verdict < (asked.place == PLACE_UNCONDITIONAL ? ACCESS_UNCERTAIN : ACCESS_CONDITIONAL))
            continue;
        mask |= 1u << i;
        if (verdict != ACCESS_ALLOWED)
            doubt |= 1u << i;
    }
    if (mask)
        mark(callers, assignment->principal, mask, doubt, assignment);
}

static uint32_t
full_mask(Callers *callers, const RuleOption *option, uint32_t principal)
{
    uint32_t mask = callers->marks[principal].mask;
    for (uint32_t i = 0; i < option->count; i++)
        if (is_elsewhere(option->operations[i].place) &&
            held(callers, option->operations[i])[principal])
            mask |= 1u << i;
    return mask;
}

// Whether a group of the principal can make the call already.
static bool
group_can(Callers *callers, const RuleOption *option, uint32_t principal, uint32_t wanted)
{
    const Links *links = &callers->model->access->groups_of;
    for (uint32_t i = links->offsets[principal]; i < links->offsets[principal + 1]; i++) {
        uint32_t group = links->targets[i];
        if (group != principal && callers->marks[group].round == callers->round &&
            full_mask(callers, option, group) == wanted)
            return true;
    }
    return false;
}

void
callers_of(Callers *callers, const RuleOption *option, uint32_t scope, CallerFound each,
           void *context)
{
    PathModel *model = callers->model;
    const AccessModel *access = model->access;
    callers->round++;
    callers->touched.len = 0;
    for (uint32_t at = scope; at != UINT32_MAX; at = model->objects.items[at].parent) {
        const ScopeRun *run = map_get(&access->runs, model->objects.items[at].id);
        for (uint32_t i = run ? run->from : 0; run && i < run->to; i++)
            mark_assignment(callers, option, &access->assignments.items[i]);
    }
    size_t holders = callers->touched.len;
    for (size_t i = 0; i < holders; i++)
        spread(callers, callers->touched.items[i]);
    uint32_t wanted = (1u << option->count) - 1;
    for (size_t i = 0; i < callers->touched.len; i++) {
        uint32_t principal = callers->touched.items[i];
        if (full_mask(callers, option, principal) != wanted ||
            (i >= holders && group_can(callers, option, principal, wanted)))
            continue;
        const Marks *marks = &callers->marks[principal];
        each(context, principal, marks->assignment, marks->doubt != 0);
    }
}
