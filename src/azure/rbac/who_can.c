// Everybody who may do an operation at a scope.
//
// The assignments on the chain are evaluated once each and spread over the members of
// their groups. Marks per principal carry a round number, so that nothing is cleared
// between questions; what each role gives is kept as long as the operation stays the
// same, so that asking for every AI resource of a tenant costs little more than the
// holders themselves.

#include "azure/rbac/access_internal.h"

#include "base/array.h"

#include <string.h>

typedef struct Mark {
    uint32_t round; // of the question it was made in
    uint32_t assignment, via_group;
    AccessVerdict verdict;
} Mark;

typedef struct IndexList {
    uint32_t *items;
    size_t len, cap;
} IndexList;

// ---- members ----

struct MemberReader {
    const AccessModel *model;
    Arena *arena;
    uint32_t *marks; // by principal: the round it was met in
    uint32_t round;
    IndexList found;
};

MemberReader *
member_reader_new(const AccessModel *model, Arena *arena)
{
    MemberReader *reader = ARENA_NEW(arena, MemberReader);
    reader->model = model;
    reader->arena = arena;
    reader->marks = ARENA_ARRAY(arena, uint32_t, model->principals.len);
    return reader;
}

static void
meet(MemberReader *reader, uint32_t principal)
{
    if (reader->marks[principal] == reader->round)
        return;
    reader->marks[principal] = reader->round;
    ARRAY_PUSH(reader->arena, &reader->found, principal);
}

// Everything below what has been met so far.
static void
meet_below(MemberReader *reader)
{
    const Links *links = &reader->model->members_of;
    for (size_t at = 0; at < reader->found.len; at++) {
        uint32_t node = reader->found.items[at];
        for (uint32_t i = links->offsets[node]; i < links->offsets[node + 1]; i++)
            meet(reader, links->targets[i]);
    }
}

static void
start_round(MemberReader *reader)
{
    reader->round++;
    reader->found.len = 0;
}

const uint32_t *
members_below(MemberReader *reader, uint32_t principal, uint32_t *count)
{
    start_round(reader);
    meet(reader, principal);
    meet_below(reader);
    *count = (uint32_t)reader->found.len;
    return reader->found.items;
}

// ---- holders ----

// What is kept of a role's answer to the operation at hand.
typedef enum RoleAnswer {
    ROLE_NOT_ASKED,
    ROLE_NOTHING,
    ROLE_CONDITIONAL, // hangs on conditions of its own: they are evaluated each time
    ROLE_UNCERTAIN,
    ROLE_GRANTS,
} RoleAnswer;

struct WhoCan {
    const AccessModel *model;
    Arena *arena; // of the scratch that lasts
    Arena question_arena;
    Mark *marks;           // by principal
    MemberReader *members; // of the lists of deny assignments
    Str action;            // the operation that `roles` is about
    bool is_data;
    uint8_t *roles; // by role: RoleAnswer
    uint32_t round;
    IndexList touched, queue;
};

WhoCan *
who_can_new(const AccessModel *model, Arena *arena)
{
    WhoCan *who = ARENA_NEW(arena, WhoCan);
    who->model = model;
    who->arena = arena;
    who->marks = ARENA_ARRAY(arena, Mark, model->principals.len);
    who->members = member_reader_new(model, arena);
    who->roles = ARENA_ARRAY(arena, uint8_t, model->roles->count);
    return who;
}

void
who_can_free(WhoCan *who)
{
    if (who)
        arena_free(&who->question_arena);
}

static RoleAnswer
ask_role(const AccessModel *model, const AccessQuestion *question, const Role *role)
{
    RoleAnswer answer = ROLE_NOTHING;
    for (uint32_t i = 0; i < role->block_count; i++) {
        BlockVerdict covers =
            permission_covers(&role->blocks[i], question->action, question->is_data, model->star);
        if (covers == BLOCK_NO)
            continue;
        if (role->blocks[i].condition_text.len)
            return ROLE_CONDITIONAL;
        RoleAnswer of_block = covers == BLOCK_YES ? ROLE_GRANTS : ROLE_UNCERTAIN;
        answer = of_block > answer ? of_block : answer;
    }
    return answer;
}

// Most roles of a tenant do not cover the operation; each is asked once.
static RoleAnswer
role_answer(WhoCan *who, const AccessQuestion *question, const Role *role)
{
    if (!role)
        return ROLE_NOTHING;
    uint8_t *known = &who->roles[role->index];
    if (*known == ROLE_NOT_ASKED)
        *known = (uint8_t)ask_role(who->model, question, role);
    return (RoleAnswer)*known;
}

static AccessVerdict
assignment_verdict(WhoCan *who, const AccessQuestion *question, const ConditionContext *context,
                   const Assignment *assignment)
{
    Arena *arena = &who->question_arena;
    switch (role_answer(who, question, assignment->role)) {
    case ROLE_GRANTS:
        return outcome_verdict(
            assigned_outcome(arena, assignment, question, context, OUTCOME_GRANTS, NULL));
    case ROLE_UNCERTAIN:
        return outcome_verdict(
            assigned_outcome(arena, assignment, question, context, OUTCOME_UNCERTAIN, NULL));
    case ROLE_CONDITIONAL:
        return outcome_verdict(
            assignment_outcome(who->model, arena, assignment, question, context, NULL));
    default: return ACCESS_NONE;
    }
}

// What was kept is about one operation.
static void
take_operation(WhoCan *who, const AccessQuestion *question)
{
    if (who->is_data == question->is_data && str_equal_ci(who->action, question->action))
        return;
    memset(who->roles, ROLE_NOT_ASKED, who->model->roles->count);
    who->action = str_copy(who->arena, question->action);
    who->is_data = question->is_data;
}

// Gives `principal` and, when it is a group, all below it what the assignment gives. A
// group that had as good a verdict before was spread then.
static void
spread(WhoCan *who, uint32_t principal, AccessVerdict verdict, uint32_t assignment)
{
    const AccessModel *model = who->model;
    who->queue.len = 0;
    ARRAY_PUSH(who->arena, &who->queue, principal);
    while (who->queue.len) {
        uint32_t node = who->queue.items[--who->queue.len];
        Mark *mark = &who->marks[node];
        if (mark->round == who->round && mark->verdict >= verdict)
            continue;
        if (mark->round != who->round)
            ARRAY_PUSH(who->arena, &who->touched, node);
        *mark = (Mark){who->round, assignment, node == principal ? UINT32_MAX : principal, verdict};
        const Links *links = &model->members_of;
        for (uint32_t i = links->offsets[node]; i < links->offsets[node + 1]; i++)
            ARRAY_PUSH(who->arena, &who->queue, links->targets[i]);
    }
}

// Meets the principals of a list and everybody below its groups.
static void
meet_all(WhoCan *who, StrList ids)
{
    start_round(who->members);
    for (uint32_t i = 0; i < ids.count; i++) {
        uint32_t index = access_find_principal(who->model, ids.items[i]);
        if (index != UINT32_MAX)
            meet(who->members, index);
    }
    meet_below(who->members);
}

static bool
is_met(const WhoCan *who, uint32_t principal)
{
    return who->members->marks[principal] == who->members->round;
}

// Takes from those found whom a deny assignment concerns: its principals and everybody
// below them, but for those excluded.
static void
apply_denial(WhoCan *who, const DenyAssignment *denial)
{
    meet_all(who, denial->excluded);
    IndexList spared = {0}; // in the order of `touched`
    for (size_t i = 0; i < who->touched.len; i++)
        if (is_met(who, who->touched.items[i]))
            ARRAY_PUSH(&who->question_arena, &spared, who->touched.items[i]);
    if (!denial->everyone)
        meet_all(who, denial->principals);
    size_t next = 0;
    for (size_t i = 0; i < who->touched.len; i++) {
        uint32_t node = who->touched.items[i];
        if (next < spared.len && spared.items[next] == node)
            next++;
        else if (denial->everyone || is_met(who, node))
            who->marks[node].verdict = ACCESS_DENIED;
    }
}

static void
apply_denials(WhoCan *who, const AccessQuestion *question, const ScopeChain *chain)
{
    const AccessModel *model = who->model;
    for (size_t i = 0; model->denials.len && i < chain->len; i++) {
        const ScopeRun *run = map_get(&model->denial_runs, chain->items[i]);
        for (uint32_t j = run ? run->from : 0; run && j < run->to; j++)
            if (denial_covers(model, &model->denials.items[j], question, i == 0))
                apply_denial(who, &model->denials.items[j]);
    }
}

void
who_can(WhoCan *who, const AccessQuestion *question,
        void (*each)(void *context, const AccessHolder *holder), void *context)
{
    const AccessModel *model = who->model;
    Arena *arena = &who->question_arena;
    arena_reset(arena);
    who->round++;
    who->touched.len = 0;
    take_operation(who, question);
    ScopeChain chain = {0};
    scope_chain(model->scopes, arena, question->scope, &chain, NULL);
    ConditionContext conditions = access_context(model, question);
    for (size_t i = 0; i < chain.len; i++) {
        const ScopeRun *run = map_get(&model->runs, chain.items[i]);
        for (uint32_t j = run ? run->from : 0; run && j < run->to; j++) {
            const Assignment *assignment = &model->assignments.items[j];
            AccessVerdict verdict = assignment_verdict(who, question, &conditions, assignment);
            if (verdict != ACCESS_NONE)
                spread(who, assignment->principal, verdict, j);
        }
    }
    apply_denials(who, question, &chain);
    for (size_t i = 0; i < who->touched.len; i++) {
        uint32_t node = who->touched.items[i];
        const Mark *mark = &who->marks[node];
        if (is_only_group(model, node) || mark->verdict == ACCESS_DENIED)
            continue;
        AccessHolder holder = {node, mark->verdict, &model->assignments.items[mark->assignment],
                               mark->via_group};
        each(context, &holder);
    }
}

Str
who_can_place(WhoCan *who, Str scope, bool *is_own)
{
    const AccessModel *model = who->model;
    Arena *arena = &who->question_arena;
    arena_reset(arena);
    ScopeChain chain = {0};
    scope_chain(model->scopes, arena, scope, &chain, NULL);
    for (size_t i = 0; i < chain.len; i++) {
        const MapEntry *entry = map_find(&model->runs, chain.items[i]);
        if (!entry)
            entry = map_find(&model->denial_runs, chain.items[i]);
        *is_own = i == 0;
        if (entry)
            return entry->key;
    }
    *is_own = false;
    return (Str){0};
}
