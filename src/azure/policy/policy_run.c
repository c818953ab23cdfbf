// Evaluation of a tenant: which units a type can be subject to is decided once a type, whether
// an assignment holds once a subscription where that is the same for all in it; then workers
// take blocks of resources. Rows are put together in the order of blocks.

#include "azure/policy/policy_world.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { BLOCK = 256 };

typedef enum ScopeAnswer { SCOPE_NO, SCOPE_YES, SCOPE_ASK } ScopeAnswer;

typedef struct UnitList {
    uint32_t *items;
    uint32_t len;
} UnitList;

typedef struct SubscriptionNote {
    ScopeChain above;
    uint8_t *answers; // by assignment
    const PolicyValue *value;
} SubscriptionNote;

typedef struct BlockRows {
    PolicyRow *rows;
    uint32_t len, cap;
} BlockRows;

typedef struct Run {
    PolicyWorld *world;
    int64_t at;
    bool explain;
    Map types;         // UnitList*
    Map subscriptions; // SubscriptionNote*
    BlockRows *blocks;
    size_t block_count;
    _Atomic size_t next;
    _Atomic uint64_t evaluations;
    Arena *kept; // one a worker: rows and reasons
} Run;

typedef struct Asking { // what callbacks of one evaluation need
    const Run *run;
    const PolicyUnit *unit;
} Asking;

static RelatedSet
find_related(void *data, Arena *arena, const PolicyResource *resource, const RelatedQuery *query)
{
    const Asking *asking = data;
    const PolicyWorld *world = asking->run->world;
    RelatedSet set = related_find(world->related, arena, resource, query);
    if (!set.count && world->gap_count && policy_world_has_gap(world, query->type, resource->id))
        set.known = false;
    return set;
}

static ComplianceState
find_attested(void *data, const PolicyResource *resource)
{
    const Asking *asking = data;
    const PolicyUnit *unit = asking->unit;
    char key[4096];
    int len = snprintf(key, sizeof key, "%.*s|%.*s|%.*s", STR_ARG(resource->id),
                       STR_ARG(unit->assignment->id), STR_ARG(unit->reference));
    const Dyn *found = len > 0 && len < (int)sizeof key
                           ? map_get(&asking->run->world->attestations, (Str){key, (size_t)len})
                           : NULL;
    Dyn state = found ? dyn_get_ci(*found, STR("complianceState")) : (Dyn){0};
    return dyn_kind(state) == DYN_STRING ? compliance_state_of(dyn_string(state)) : STATE_LIMIT;
}

PolicyContext
policy_world_context(const PolicyWorld *world, const PolicyUnit *unit,
                     const PolicyResource *resource, int64_t at)
{
    PolicyContext context = {.now = at,
                             .policy = unit->policy,
                             .override = EFFECT_INVALID,
                             .unknowns = world->unknowns,
                             .unknown_count = world->unknown_count};
    char id[1024];
    int len = snprintf(id, sizeof id, "/subscriptions/%.*s/resourceGroups/%.*s",
                       STR_ARG(resource->subscription), STR_ARG(resource->resource_group));
    const PolicyValue *found = NULL;
    if (resource->resource_group.len && len > 0 && len < (int)sizeof id)
        found = map_get(&world->containers, (Str){id, (size_t)len});
    if (found)
        context.resource_group = *found;
    len = snprintf(id, sizeof id, "/subscriptions/%.*s", STR_ARG(resource->subscription));
    found = len > 0 && len < (int)sizeof id ? map_get(&world->containers, (Str){id, (size_t)len})
                                            : NULL;
    if (found)
        context.subscription = *found;
    if (world->requests)
        context.api_version = dyn_string(dyn_get_ci(resource->body, STR("apiVersion")));
    return context;
}

// Preparation ---------------------------------------------------------------

static void
note_type(Run *run, Arena *scratch, const PolicyResource *resource)
{
    bool is_new;
    PolicyWorld *world = run->world;
    MapEntry *entry = map_add(&run->types, resource->type, &is_new);
    if (!is_new)
        return;
    UnitList *list = ARENA_NEW(world->arena, UnitList);
    list->items = ARENA_ARRAY(world->arena, uint32_t, world->unit_count);
    for (uint32_t i = 0; i < world->unit_count; i++) {
        const PolicyUnit *unit = &world->units[i];
        bool off = !unit->binding || (policy_bound_effect(unit->binding) == EFFECT_DISABLED &&
                                      !unit->assignment->override_count);
        if (!off && policy_may_apply(scratch, unit->binding, resource->type, resource->alias_type))
            list->items[list->len++] = i;
    }
    entry->pointer = list;
}

// Whether the whole subscription is in, or out, or each id has to be asked.
static ScopeAnswer
answer_for(const PolicyAssignment *assignment, Str id, const ScopeChain *above)
{
    bool narrower = !scope_contains(assignment->scope, id) && scope_contains(id, assignment->scope);
    for (uint32_t i = 0; i < assignment->not_scope_count; i++)
        narrower |= scope_contains(id, assignment->not_scopes[i]);
    return narrower                                          ? SCOPE_ASK
           : policy_assignment_covers(assignment, id, above) ? SCOPE_YES
                                                             : SCOPE_NO;
}

static void
note_subscription(Run *run, const PolicyResource *resource)
{
    bool is_new;
    PolicyWorld *world = run->world;
    MapEntry *entry = map_add(&run->subscriptions, resource->subscription, &is_new);
    if (!is_new)
        return;
    SubscriptionNote *note = ARENA_NEW(world->arena, SubscriptionNote);
    Str id = resource->subscription.len
                 ? str_format(world->arena, "/subscriptions/%.*s", STR_ARG(resource->subscription))
                 : STR("/");
    scope_chain(&world->scopes, world->arena, id, &note->above, NULL);
    note->value = map_get(&world->containers, id);
    note->answers = ARENA_ARRAY(world->arena, uint8_t, world->assignment_count);
    for (uint32_t i = 0; i < world->assignment_count; i++)
        note->answers[i] = resource->subscription.len
                               ? (uint8_t)answer_for(&world->assignments[i], id, &note->above)
                               : SCOPE_ASK;
    entry->pointer = note;
}

// One resource --------------------------------------------------------------

typedef struct Work {
    Run *run;
    Arena scratch, *kept;
    BlockRows *out;
    uint64_t evaluations;
} Work;

static void
add_row(Work *work, PolicyRow row)
{
    BlockRows *out = work->out;
    if (out->len == out->cap) {
        uint32_t cap = out->cap ? out->cap * 2 : 64;
        PolicyRow *rows = arena_alloc_array(work->kept, cap, sizeof(*rows));
        if (out->len)
            memcpy(rows, out->rows, out->len * sizeof(*rows));
        out->rows = rows;
        out->cap = cap;
    }
    out->rows[out->len++] = row;
}

static const PolicyExemption *
find_exemption(const Run *run, const PolicyUnit *unit, const PolicyResource *resource,
               const ScopeChain *above)
{
    const PolicyWorld *world = run->world;
    for (uint32_t i = 0; i < world->exemption_count; i++)
        if (policy_exemption_holds(&world->exemptions[i], unit->assignment, unit->reference,
                                   resource, run->at, above))
            return &world->exemptions[i];
    return NULL;
}

static void
evaluate_unit(Work *work, uint32_t resource_index, uint32_t unit_index,
              const SubscriptionNote *note, const PolicyValue *group)
{
    const Run *run = work->run;
    const PolicyResource *resource = &run->world->resources[resource_index];
    const PolicyUnit *unit = &run->world->units[unit_index];
    if (!policy_assignment_selects(unit->assignment, resource))
        return;
    Asking asking = {run, unit};
    PolicyContext context = {.now = run->at,
                             .policy = unit->policy,
                             .related = find_related,
                             .attested = find_attested,
                             .data = &asking,
                             .override = EFFECT_INVALID,
                             .unknowns = run->world->unknowns,
                             .unknown_count = run->world->unknown_count};
    if (run->world->requests)
        context.api_version = dyn_string(dyn_get_ci(resource->body, STR("apiVersion")));
    if (note->value)
        context.subscription = *note->value;
    if (group)
        context.resource_group = *group;
    if (unit->assignment->override_count)
        context.override = policy_assignment_override(unit->assignment, unit->reference, resource);
    PolicyOutcome out = policy_evaluate(&work->scratch, unit->binding, resource, &context, false);
    work->evaluations++;
    if (out.state >= STATE_NOT_APPLICABLE)
        return;
    const PolicyExemption *exemption = find_exemption(run, unit, resource, &note->above);
    if (exemption) {
        out.state = STATE_EXEMPT;
        out.fires = false;
        out.reason = exemption->id;
    } else if (run->explain && out.state == STATE_NON_COMPLIANT) {
        out.reason =
            policy_evaluate(&work->scratch, unit->binding, resource, &context, true).reason;
    }
    add_row(work, (PolicyRow){.resource = resource_index,
                              .unit = unit_index,
                              .state = (uint8_t)out.state,
                              .effect = (uint8_t)out.effect,
                              .fires = out.fires,
                              .reason = str_copy(work->kept, out.reason)});
}

// Conflicting -----------------------------------------------------------------

typedef struct Wish { // one property that a modify would set
    uint32_t row, assignment;
    Str field;
    PolicyValue value;
    bool denies;
} Wish;

static uint32_t
read_wishes(Work *work, const PolicyRow *row, uint32_t index, Wish *wishes, uint32_t room)
{
    const PolicyWorld *world = work->run->world;
    const PolicyUnit *unit = &world->units[row->unit];
    const PolicyContext context =
        policy_world_context(world, unit, &world->resources[row->resource], work->run->at);
    PolicyValue details, list, effect;
    Str why;
    uint32_t len = 0;
    if (!policy_details(&work->scratch, unit->binding, &world->resources[row->resource], &context,
                        &details, &why) ||
        !policy_get(&details, STR("operations"), &list))
        return 0;
    bool denies = !policy_get(&details, STR("conflictEffect"), &effect) ||
                  (effect.kind == POLICY_STRING && policy_effect_of(effect.text) == EFFECT_DENY);
    for (uint32_t i = 0; i < policy_count(&list) && len < room; i++) {
        PolicyValue one = policy_at(&list, i), field, value = {0};
        if (!policy_get(&one, STR("field"), &field) || field.kind != POLICY_STRING)
            continue;
        PolicyValue open;
        policy_get(&one, STR("value"), &value);
        if (policy_has_unknown(&value, &open)) // it may be the same
            continue;
        wishes[len++] = (Wish){index, unit->assignment_index, field.text, value, denies};
    }
    return len;
}

// Assignments that would set one property to different values, two of them denying what they
// cannot set. Source: Microsoft Learn, "modify effect", conflicts.
static void
find_conflicts(Work *work, uint32_t from)
{
    Wish wishes[64];
    uint32_t count = 0, modifying = 0;
    PolicyRow *rows = work->out->rows;
    for (uint32_t i = from; i < work->out->len; i++)
        modifying += rows[i].effect == EFFECT_MODIFY && rows[i].state == STATE_NON_COMPLIANT;
    if (modifying < 2)
        return;
    for (uint32_t i = from; i < work->out->len; i++)
        if (rows[i].effect == EFFECT_MODIFY && rows[i].state == STATE_NON_COMPLIANT)
            count += read_wishes(work, &rows[i], i, wishes + count, 64 - count);
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = i + 1; k < count; k++) {
            if (wishes[i].assignment == wishes[k].assignment || !wishes[i].denies ||
                !wishes[k].denies || !str_equal_ci(wishes[i].field, wishes[k].field) ||
                policy_same(&wishes[i].value, &wishes[k].value))
                continue;
            Str reason =
                str_format(work->kept, "%.*s is set to different values by %.*s and %.*s",
                           STR_ARG(wishes[i].field),
                           STR_ARG(work->run->world->assignments[wishes[i].assignment].name),
                           STR_ARG(work->run->world->assignments[wishes[k].assignment].name));
            rows[wishes[i].row].state = rows[wishes[k].row].state = STATE_CONFLICTING;
            rows[wishes[i].row].reason = rows[wishes[k].row].reason = reason;
        }
    }
}

static void
evaluate_resource(Work *work, uint32_t index)
{
    const Run *run = work->run;
    PolicyWorld *world = run->world;
    const PolicyResource *resource = &world->resources[index];
    const UnitList *list = map_get(&run->types, resource->type);
    const SubscriptionNote *note = map_get(&run->subscriptions, resource->subscription);
    const PolicyValue *group = NULL;
    uint32_t from = work->out->len;
    if (list && list->len && resource->resource_group.len)
        group =
            map_get(&world->containers,
                    str_format(&work->scratch, "/subscriptions/%.*s/resourceGroups/%.*s",
                               STR_ARG(resource->subscription), STR_ARG(resource->resource_group)));
    for (uint32_t i = 0; list && note && i < list->len; i++) {
        const PolicyUnit *unit = &world->units[list->items[i]];
        uint8_t answer = note->answers[unit->assignment_index];
        if (answer == SCOPE_YES ||
            (answer == SCOPE_ASK &&
             policy_assignment_covers(unit->assignment, resource->id, &note->above)))
            evaluate_unit(work, index, list->items[i], note, group);
    }
    find_conflicts(work, from);
    arena_reset(&work->scratch);
}

static void
run_blocks(void *context, size_t worker)
{
    Run *run = context;
    Work work = {.run = run, .kept = &run->kept[worker]};
    size_t block;
    while ((block = atomic_fetch_add(&run->next, 1)) < run->block_count) {
        work.out = &run->blocks[block];
        size_t from = block * BLOCK, to = from + BLOCK;
        for (size_t i = from; i < to && i < run->world->resource_count; i++)
            evaluate_resource(&work, (uint32_t)i);
    }
    atomic_fetch_add(&run->evaluations, work.evaluations);
    arena_free(&work.scratch);
}

// Units that could not be compiled or bound: one row each.
static size_t
put_broken(const PolicyWorld *world, PolicyRow *rows)
{
    size_t len = 0;
    for (uint32_t i = 0; i < world->unit_count; i++)
        if (!world->units[i].binding)
            rows[len++] = (PolicyRow){.resource = UINT32_MAX,
                                      .unit = i,
                                      .state = (uint8_t)world->units[i].broken,
                                      .effect = EFFECT_INVALID,
                                      .reason = world->units[i].reason};
    return len;
}

void
policy_world_evaluate(PolicyWorld *world, int64_t at, bool explain, PolicyResults *out)
{
    Run run = {.world = world, .at = at, .explain = explain};
    Arena scratch = {0};
    ThreadPool *pool = db_threads(world->db);
    size_t workers = thread_pool_size(pool);
    map_init(&run.types, world->arena, true);
    map_init(&run.subscriptions, world->arena, true);
    for (size_t i = 0; i < world->resource_count; i++) {
        note_type(&run, &scratch, &world->resources[i]);
        note_subscription(&run, &world->resources[i]);
    }
    arena_free(&scratch);
    run.block_count = (world->resource_count + BLOCK - 1) / BLOCK;
    run.blocks = ARENA_ARRAY(world->arena, BlockRows, run.block_count);
    run.kept = ARENA_ARRAY(world->arena, Arena, workers);
    thread_pool_run(pool, workers, run_blocks, &run);

    size_t count = world->unit_count;
    for (size_t i = 0; i < run.block_count; i++)
        count += run.blocks[i].len;
    out->rows = arena_alloc_array(world->arena, count, sizeof(*out->rows));
    out->count = put_broken(world, out->rows);
    for (size_t i = 0; i < run.block_count; i++) {
        if (run.blocks[i].len)
            memcpy(out->rows + out->count, run.blocks[i].rows,
                   run.blocks[i].len * sizeof(*out->rows));
        out->count += run.blocks[i].len;
    }
    out->evaluations = run.evaluations;
    for (size_t i = 0; i < workers; i++) {
        Arena kept = run.kept[i]; // reasons live on with the world
        arena_adopt(world->arena, &kept);
    }
}
