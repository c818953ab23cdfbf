// Activation of eligible assignments: what PIM's settings of a role ask for, and the gate of
// those that wait for an approver.
//
// "Role settings configured on a higher level, such as Subscription, for example, aren't
// inherited on a lower level": the settings of the very scope count, and where they were not
// collected an activation waits for nobody. An approver needs no role of its own and cannot
// approve its own request, so a gate opens to an eligible principal and another one that
// approves. Without approvers the holders of two directory roles stand in for Entra roles;
// Azure roles have no such default.
// https://learn.microsoft.com/entra/id-governance/privileged-identity-management/pim-resource-roles-configure-role-settings
// https://learn.microsoft.com/entra/id-governance/privileged-identity-management/pim-how-to-change-default-settings

#include "azure/path/path_internal.h"

#include "azure/arm.h"
#include "azure/rbac/access_internal.h"

#include <stdlib.h>

static const Str DEFAULT_APPROVERS[] = {
    STR_INIT("role:62e90394-69f5-4237-9190-012177145e10:/"), // Global Administrator
    STR_INIT("role:e8611ab8-c189-46e8-94e1-60213ab1f814:/"), // Privileged Role Administrator
};

// ---- settings ----

static Str
rule_key(Arena *arena, Str role, Str scope)
{
    Str name = arm_last_segment(role), at = scope_normalise(arena, scope);
    return str_format(arena, "%.*s@%.*s", STR_ARG(name), STR_ARG(at));
}

// Of Azure {"id","userType"}, of Graph {"userId"} or {"groupId"}.
static void
read_approvers(PathModel *model, ApprovalStage *stage, Dyn approvers)
{
    static const struct {
        Str member;
        ObjectKind kind;
    } IDS[] = {{STR_INIT("id"), OBJECT_UNKNOWN},
               {STR_INIT("userId"), OBJECT_UNKNOWN},
               {STR_INIT("groupId"), OBJECT_GROUP}};
    uint32_t count = dyn_kind(approvers) == DYN_ARRAY ? dyn_count(approvers) : 0;
    for (uint32_t i = 0; i < count; i++) {
        for (size_t j = 0; j < COUNT_OF(IDS); j++) {
            Dyn id = dyn_get_ci(dyn_at(approvers, i), IDS[j].member);
            if (dyn_kind(id) == DYN_STRING && dyn_string(id).len)
                ARRAY_PUSH(model->arena, stage,
                           path_object_of(model, dyn_string(id), IDS[j].kind, (Str){0}));
        }
    }
}

void
path_add_activation_rule(PathModel *model, Str id, Str role, Str scope, bool needs_approval,
                         Dyn stages, Str asks)
{
    bool is_new;
    MapEntry *entry =
        map_add(&model->activation_rules, rule_key(model->arena, role, scope), &is_new);
    if (!is_new || !role.len)
        return;
    ActivationRule *rule = ARENA_NEW(model->arena, ActivationRule);
    rule->id = str_copy(model->arena, id);
    rule->asks = str_copy(model->arena, asks);
    rule->needs_approval = needs_approval;
    uint32_t count = dyn_kind(stages) == DYN_ARRAY ? dyn_count(stages) : 0;
    rule->stages = ARENA_ARRAY(model->arena, ApprovalStage, count ? count : 1);
    rule->stage_count = count ? count : 1; // none said is one without approvers
    for (uint32_t i = 0; i < count; i++) {
        Dyn stage = dyn_at(stages, i);
        read_approvers(model, &rule->stages[i], dyn_get_ci(stage, STR("primaryApprovers")));
        Dyn escalates = dyn_get_ci(stage, STR("isEscalationEnabled"));
        if (dyn_kind(escalates) == DYN_BOOL && dyn_bool(escalates))
            read_approvers(model, &rule->stages[i], dyn_get_ci(stage, STR("escalationApprovers")));
    }
    entry->pointer = rule;
}

// ---- activations ----

void
path_activate(PathModel *model, uint32_t principal, uint32_t to, Str role, Str scope, Str id,
              Str text)
{
    const ActivationRule *rule =
        map_get(&model->activation_rules, rule_key(model->arena, role, scope));
    if (rule && rule->asks.len)
        text = str_format(model->arena, "%.*s; to activate it: %.*s", STR_ARG(text),
                          STR_ARG(rule->asks));
    uint32_t evidence = id.len || text.len ? path_add_evidence(model, id, text) : 0;
    if (!rule || !rule->needs_approval) {
        path_link(model, path_object_node(model, principal), to, "ActivateEligible", evidence);
        return;
    }
    Activation activation = {principal, to, evidence, rule};
    ARRAY_PUSH(model->arena, &model->activations, activation);
}

// ---- gates ----

enum { ELIGIBLE = 1, APPROVER = 2 }; // of a person; APPROVER << stage

typedef struct Person {
    uint32_t object, roles;
    uint32_t activation; // by which it is eligible
} Person;

typedef struct Gate {
    PathModel *model;
    Arena *arena;
    const Activation *activations;
    size_t count;
    const ActivationRule *rule;
    Map people; // id -> Person*
    struct {
        Person **items;
        size_t len, cap;
    } torn; // who is eligible and approves
} Gate;

typedef void (*PersonFound)(Gate *gate, uint32_t object, void *context);

typedef struct People {
    Gate *gate;
    PersonFound found;
    void *context;
} People;

static void
take_member(void *context, Str id, bool has_members)
{
    const People *people = context;
    if (!has_members)
        people->found(people->gate,
                      path_object_of(people->gate->model, id, OBJECT_UNKNOWN, (Str){0}),
                      people->context);
}

// The principal, or the members of a group at any depth.
static void
each_person(Gate *gate, uint32_t object, PersonFound found, void *context)
{
    People people = {gate, found, context};
    path_each_member(gate->model, object, take_member, &people);
}

static Person *
person_of(Gate *gate, uint32_t object)
{
    bool is_new;
    MapEntry *entry = map_add(&gate->people, gate->model->objects.items[object].id, &is_new);
    if (is_new) {
        Person *person = ARENA_NEW(gate->arena, Person);
        person->object = object;
        entry->pointer = person;
    }
    return entry->pointer;
}

static void
note_eligible(Gate *gate, uint32_t object, void *context)
{
    Person *person = person_of(gate, object);
    if (!(person->roles & ELIGIBLE))
        person->activation = *(const uint32_t *)context;
    person->roles |= ELIGIBLE;
}

static void
note_approver(Gate *gate, uint32_t object, void *context)
{
    Person *person = map_get(&gate->people, gate->model->objects.items[object].id);
    if (person && !(person->roles & ~(uint32_t)ELIGIBLE))
        ARRAY_PUSH(gate->arena, &gate->torn, person);
    if (person)
        person->roles |= *(const uint32_t *)context;
}

static bool
is_torn(Gate *gate, uint32_t object)
{
    const Person *person = map_get(&gate->people, gate->model->objects.items[object].id);
    return person && person->roles & ~(uint32_t)ELIGIBLE;
}

// A node in between that shows as what is activated.
static uint32_t
gate_node(Gate *gate, NodeKind kind)
{
    PathNode shown = gate->model->nodes.items[gate->activations->to];
    return path_add_node(gate->model, kind, shown.object, shown.capability);
}

static void
note_torn(Gate *gate, uint32_t object, void *context)
{
    *(bool *)context |= is_torn(gate, object);
}

typedef struct Side {
    uint32_t node, evidence;
    const char *kind;
} Side;

static void
link_person(Gate *gate, uint32_t object, void *context)
{
    const Side *side = context;
    if (!is_torn(gate, object))
        path_link(gate->model, path_object_node(gate->model, object), side->node, side->kind,
                  side->evidence);
}

// Leads a principal to its side of the gate; of a group with somebody in it who stands on
// both sides the others one by one.
static void
link_side(Gate *gate, uint32_t object, Side side)
{
    bool torn = false;
    each_person(gate, object, note_torn, &torn);
    if (torn)
        each_person(gate, object, link_person, &side);
    else
        path_link(gate->model, path_object_node(gate->model, object), side.node, side.kind,
                  side.evidence);
}

static uint32_t
stage_role(uint32_t stage)
{
    // Stages from the 30th on share a bit: a person counted twice is only asked for another.
    return (uint32_t)APPROVER << (stage < 30 ? stage : 30);
}

typedef struct StageNodes {
    uint32_t plain;   // who approves and is not eligible
    uint32_t anybody; // who approves
    uint32_t *others; // for each of `torn`: who approves but that one
} StageNodes;

// Chains from both ends: for each person those before and those after it.
static void
link_others(Gate *gate, const uint32_t *approves, StageNodes *nodes)
{
    size_t count = gate->torn.len;
    uint32_t before = nodes->plain;
    for (size_t i = 0; i < count; i++) {
        nodes->others[i] = gate_node(gate, NODE_STEP);
        path_link(gate->model, before, nodes->others[i], NULL, 0);
        uint32_t next = gate_node(gate, NODE_STEP);
        path_link(gate->model, before, next, NULL, 0);
        if (approves[i])
            path_link(gate->model, approves[i], next, NULL, 0);
        before = next;
    }
    nodes->anybody = before;
    uint32_t after = 0;
    for (size_t i = count; i-- > 0;) {
        if (after)
            path_link(gate->model, after, nodes->others[i], NULL, 0);
        uint32_t next = gate_node(gate, NODE_STEP);
        if (after)
            path_link(gate->model, after, next, NULL, 0);
        if (approves[i])
            path_link(gate->model, approves[i], next, NULL, 0);
        after = next;
    }
}

static StageNodes
build_stage(Gate *gate, uint32_t stage, uint32_t evidence)
{
    PathModel *model = gate->model;
    const ApprovalStage *approvers = &gate->rule->stages[stage];
    StageNodes nodes = {.plain = gate_node(gate, NODE_STEP),
                        .others = ARENA_ARRAY(gate->arena, uint32_t, gate->torn.len)};
    Side side = {nodes.plain, evidence, "ApproveActivation"};
    for (size_t i = 0; i < approvers->len; i++)
        link_side(gate, approvers->items[i], side);
    for (size_t i = 0; !approvers->len && i < COUNT_OF(DEFAULT_APPROVERS); i++) {
        uint32_t role = path_find(model, DEFAULT_APPROVERS[i]);
        if (role != UINT32_MAX)
            path_link(model, path_object_node(model, role), nodes.plain, side.kind, evidence);
    }
    uint32_t *approves = ARENA_ARRAY(gate->arena, uint32_t, gate->torn.len);
    for (size_t i = 0; i < gate->torn.len; i++) {
        if (!(gate->torn.items[i]->roles & stage_role(stage)))
            continue;
        approves[i] = gate_node(gate, NODE_STEP);
        path_link(model, path_object_node(model, gate->torn.items[i]->object), approves[i],
                  side.kind, evidence);
    }
    link_others(gate, approves, &nodes);
    return nodes;
}

// Both sides together; the branch of the eligible one is the last, for it is who acts.
static void
open_gate(Gate *gate, const uint32_t *approvals, uint32_t eligible, uint32_t evidence)
{
    uint32_t all = gate_node(gate, NODE_ALL);
    for (uint32_t i = 0; i < gate->rule->stage_count; i++)
        path_link(gate->model, approvals[i], all, NULL, 0);
    path_link(gate->model, eligible, all, NULL, 0);
    path_link(gate->model, all, gate->activations->to, NULL, evidence);
}

static void
find_people(Gate *gate)
{
    map_init(&gate->people, gate->arena, true);
    for (uint32_t i = 0; i < gate->count; i++)
        each_person(gate, gate->activations[i].principal, note_eligible, &i);
    for (uint32_t i = 0; i < gate->rule->stage_count; i++) {
        uint32_t role = stage_role(i);
        for (size_t j = 0; j < gate->rule->stages[i].len; j++)
            each_person(gate, gate->rule->stages[i].items[j], note_approver, &role);
    }
}

static void
build_gate(Gate *gate)
{
    PathModel *model = gate->model;
    uint32_t count = gate->rule->stage_count;
    find_people(gate);
    Str label = path_label(model, model->nodes.items[gate->activations->to].object);
    uint32_t evidence = path_add_evidence(
        model, gate->rule->id, str_format(model->arena, "approver of %.*s", STR_ARG(label)));
    StageNodes *stages = ARENA_ARRAY(gate->arena, StageNodes, count);
    uint32_t *approvals = ARENA_ARRAY(gate->arena, uint32_t, count);
    for (uint32_t i = 0; i < count; i++) {
        stages[i] = build_stage(gate, i, evidence);
        approvals[i] = stages[i].anybody;
    }
    Side side = {gate_node(gate, NODE_STEP), 0, "ActivateEligible"};
    for (size_t i = 0; i < gate->count; i++) {
        side.evidence = gate->activations[i].evidence;
        link_side(gate, gate->activations[i].principal, side);
    }
    open_gate(gate, approvals, side.node, gate->activations->evidence);
    for (size_t i = 0; i < gate->torn.len; i++) {
        const Activation *by = &gate->activations[gate->torn.items[i]->activation];
        uint32_t self = gate_node(gate, NODE_STEP);
        path_link(model, path_object_node(model, gate->torn.items[i]->object), self, side.kind,
                  by->evidence);
        for (uint32_t j = 0; j < count; j++)
            approvals[j] = stages[j].others[i];
        open_gate(gate, approvals, self, by->evidence);
    }
}

// Whether somebody is known who could approve.
static bool
has_approvers(const PathModel *model, const Activation *activation)
{
    uint32_t object = model->nodes.items[activation->to].object;
    bool has_default = model->objects.items[object].kind == OBJECT_DIRECTORY_ROLE;
    for (uint32_t i = 0; i < activation->rule->stage_count; i++)
        if (!activation->rule->stages[i].len && !has_default)
            return false;
    return true;
}

static int
compare_activations(const void *a, const void *b)
{
    const Activation *x = a, *y = b;
    if (x->to != y->to)
        return x->to < y->to ? -1 : 1;
    if (x->principal != y->principal)
        return x->principal < y->principal ? -1 : 1;
    return x->evidence < y->evidence ? -1 : x->evidence > y->evidence;
}

void
path_build_activations(PathModel *model)
{
    Activation *all = model->activations.items;
    size_t count = model->activations.len;
    if (count)
        qsort(all, count, sizeof *all, compare_activations);
    for (size_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && all[end].to == all[i].to;)
            end++;
        Arena arena = {0};
        Gate gate = {.model = model,
                     .arena = &arena,
                     .activations = &all[i],
                     .count = end - i,
                     .rule = all[i].rule};
        bool known = has_approvers(model, &all[i]);
        if (known)
            build_gate(&gate);
        for (size_t j = i; j < end && !known; j++)
            path_link_kind(model, path_object_node(model, all[j].principal), all[j].to,
                           path_kind(model->tables, "ActivateEligible"), all[j].evidence, true);
        arena_free(&arena);
    }
}
