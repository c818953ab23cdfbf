// Everybody who may do an operation at a scope.
//
// The assignments on the chain are evaluated once each and spread over the members of
// their groups. Marks per principal carry a round number, so that nothing is cleared
// between questions; the coverage of each role is kept as long as the operation stays the
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

struct WhoCan {
    const AccessModel *model;
    Arena *arena; // of the scratch that lasts
    Arena question_arena;
    Mark *marks;           // by principal
    MemberReader *members; // of the lists of deny assignments
    Str action;            // the operation that `coverage` is about
    bool is_data;
    uint8_t *coverage; // by role: 0 not asked yet, 1 does not cover it, 2 may
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
    who->coverage = ARENA_ARRAY(arena, uint8_t, model->roles->count);
    return who;
}

void
who_can_free(WhoCan *who)
{
    if (who)
        arena_free(&who->question_arena);
}

// Roles that do not cover the operation are most of a tenant's; each is asked once.
static bool
may_cover(WhoCan *who, const AccessQuestion *question, const Role *role)
{
    if (!role)
        return false;
    if (who->is_data != question->is_data || !str_equal_ci(who->action, question->action)) {
        memset(who->coverage, 0, who->model->roles->count);
        who->action = str_copy(who->arena, question->action);
        who->is_data = question->is_data;
    }
    uint8_t *known = &who->coverage[role->index];
    if (!*known)
        *known =
            role_may_cover(role, question->action, question->is_data, who->model->star) ? 2 : 1;
    return *known == 2;
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
    ScopeChain chain = {0};
    scope_chain(model->scopes, arena, question->scope, &chain, NULL);
    ConditionContext conditions = access_context(model, question);
    for (size_t i = 0; i < chain.len; i++) {
        const ScopeRun *run = map_get(&model->runs, chain.items[i]);
        for (uint32_t j = run ? run->from : 0; run && j < run->to; j++) {
            const Assignment *assignment = &model->assignments.items[j];
            if (!may_cover(who, question, assignment->role))
                continue;
            AccessVerdict verdict = outcome_verdict(
                assignment_outcome(model, arena, assignment, question, &conditions, NULL));
            if (verdict != ACCESS_NONE)
                spread(who, assignment->principal, verdict, j);
        }
    }
    apply_denials(who, question, &chain);
    for (size_t i = 0; i < who->touched.len; i++) {
        uint32_t node = who->touched.items[i];
        const Mark *mark = &who->marks[node];
        if (model->principals.items[node].is_group || mark->verdict == ACCESS_DENIED)
            continue;
        AccessHolder holder = {node, mark->verdict, &model->assignments.items[mark->assignment],
                               mark->via_group};
        each(context, &holder);
    }
}
