// Building an access model: principals and groups become small numbers, memberships
// compressed rows, assignments runs of one scope.

#include "azure/rbac/access_internal.h"

#include "azure/arm.h"
#include "base/array.h"

#include <stdlib.h>

AccessModel *
access_new(Arena *arena, const RoleSet *roles, const ScopeTree *scopes, StarSegment star)
{
    AccessModel *model = ARENA_NEW(arena, AccessModel);
    model->arena = arena;
    model->roles = roles;
    model->scopes = scopes;
    model->star = star;
    map_init(&model->principal_index, arena, true);
    map_init(&model->runs, arena, true);
    map_init(&model->denial_runs, arena, true);
    return model;
}

static uint32_t
intern_principal(AccessModel *model, Str id)
{
    const MapEntry *found = map_find(&model->principal_index, id);
    if (found)
        return (uint32_t)found->number;
    uint32_t index = (uint32_t)model->principals.len;
    Principal principal = {.id = str_copy(model->arena, id)};
    ARRAY_PUSH(model->arena, &model->principals, principal);
    ARRAY_PUSH(model->arena, &model->kinds, PRINCIPAL_UNKNOWN);
    map_add(&model->principal_index, principal.id, NULL)->number = index;
    return index;
}

// The kind by its name, which becomes the text of the table: principals are many.
static PrincipalKind
take_kind(Arena *arena, Str *name)
{
    static const struct {
        Str name;
        PrincipalKind kind;
    } KINDS[] = {
        {STR_INIT("User"), PRINCIPAL_USER},
        {STR_INIT("Guest"), PRINCIPAL_GUEST},
        {STR_INIT("ServicePrincipal"), PRINCIPAL_SERVICE},
        {STR_INIT("ManagedIdentity"), PRINCIPAL_MANAGED},
        {STR_INIT("Foreign"), PRINCIPAL_FOREIGN},
        {STR_INIT("Group"), PRINCIPAL_GROUP},
    };
    for (size_t i = 0; i < COUNT_OF(KINDS); i++)
        if (str_equal_ci(*name, KINDS[i].name)) {
            *name = KINDS[i].name;
            return KINDS[i].kind;
        }
    *name = str_copy(arena, *name);
    return PRINCIPAL_UNKNOWN;
}

void
access_add_principal(AccessModel *model, Str id, Str kind, Str name)
{
    if (!id.len)
        return;
    uint32_t index = intern_principal(model, id);
    Principal *principal = &model->principals.items[index];
    uint8_t *known = &model->kinds.items[index];
    PrincipalKind is = take_kind(model->arena, &kind);
    if (!principal->kind.len) {
        principal->kind = kind;
        principal->acts = is != PRINCIPAL_GROUP;
    }
    if (!principal->name.len)
        principal->name = str_copy(model->arena, name);
    if (*known == PRINCIPAL_UNKNOWN || is == PRINCIPAL_GROUP)
        *known = (uint8_t)is;
}

static void
add_member(AccessModel *model, uint32_t group, uint32_t member)
{
    MemberEdge edge = {group, member};
    model->kinds.items[group] = PRINCIPAL_GROUP;
    ARRAY_PUSH(model->arena, &model->members, edge);
}

void
access_add_member(AccessModel *model, Str group, Str member)
{
    if (group.len && member.len) {
        uint32_t index = intern_principal(model, group);
        add_member(model, index, intern_principal(model, member));
    }
}

void
access_add_members(AccessModel *model, const Str *groups, const Str *members, size_t count)
{
    enum { BLOCK = 256 };
    MapEntry *group[BLOCK], *member[BLOCK];
    for (size_t from = 0; from < count; from += BLOCK) {
        size_t here = count - from < BLOCK ? count - from : BLOCK;
        map_find_each(&model->principal_index, groups + from, here, group);
        map_find_each(&model->principal_index, members + from, here, member);
        // Those that are not known are added one by one, which moves entries: numbers first.
        uint32_t indexes[2][BLOCK];
        for (size_t i = 0; i < here; i++) {
            indexes[0][i] = group[i] ? (uint32_t)group[i]->number : UINT32_MAX;
            indexes[1][i] = member[i] ? (uint32_t)member[i]->number : UINT32_MAX;
        }
        for (size_t i = 0; i < here; i++) {
            if (indexes[0][i] != UINT32_MAX && indexes[1][i] != UINT32_MAX)
                add_member(model, indexes[0][i], indexes[1][i]);
            else
                access_add_member(model, groups[from + i], members[from + i]);
        }
    }
}

// The run of the assignments at a scope, counted in `to` until all are there.
static MapEntry *
run_of(AccessModel *model, Str scope)
{
    bool is_new;
    MapEntry *entry = map_add(&model->runs, scope_normalise(model->arena, scope), &is_new);
    if (is_new)
        entry->pointer = ARENA_NEW(model->arena, ScopeRun);
    return entry;
}

void
access_add_assignment(AccessModel *model, const AssignmentRecord *record)
{
    MapEntry *at = run_of(model, record->scope);
    ((ScopeRun *)at->pointer)->to++;
    Assignment assignment = {
        .id = str_copy(model->arena, record->id),
        .principal = intern_principal(model, record->principal),
        .role = role_set_find(model->roles, record->role_definition_id),
        .role_definition_id = str_copy(model->arena, record->role_definition_id),
        .scope = at->key,
        .condition_text = str_copy(model->arena, str_trim(record->condition)),
        .start = record->start,
        .end = record->end,
        .eligible = record->eligible,
        .source = record->source,
        .origin = str_copy(model->arena, record->origin),
    };
    if (assignment.condition_text.len) {
        AzError error = {0};
        assignment.condition =
            condition_parse(model->arena, assignment.condition_text, NULL, &error);
        if (!assignment.condition)
            assignment.condition_error = str_copy(model->arena, str_from(error.message));
    }
    ARRAY_PUSH(model->arena, &model->assignments, assignment);
}

// The ids of a list of {id, type}; `everyone` becomes true when it holds the SystemDefined
// principal.
static StrList
principal_ids(Arena *arena, Dyn list, bool *everyone)
{
    static const Str EVERYONE = STR_INIT("00000000-0000-0000-0000-000000000000");
    uint32_t count = dyn_kind(list) == DYN_ARRAY ? dyn_count(list) : 0, kept = 0;
    Str *items = ARENA_ARRAY(arena, Str, count);
    for (uint32_t i = 0; i < count; i++) {
        Dyn id = dyn_get_ci(dyn_at(list, i), STR("id"));
        if (dyn_kind(id) != DYN_STRING)
            continue;
        if (everyone && str_equal_ci(dyn_string(id), EVERYONE))
            *everyone = true;
        else
            items[kept++] = str_copy(arena, dyn_string(id));
    }
    return (StrList){items, kept};
}

bool
access_add_deny(AccessModel *model, Str id, Dyn definition)
{
    Dyn body = arm_body(definition);
    Dyn scope = dyn_get_ci(body, STR("scope"));
    Dyn permissions = dyn_get_ci(body, STR("permissions"));
    if (dyn_kind(scope) != DYN_STRING || dyn_kind(permissions) != DYN_ARRAY)
        return false;
    DenyAssignment denial = {.id = str_copy(model->arena, id)};
    denial.scope = scope_normalise(model->arena, dyn_string(scope));
    Dyn own = dyn_get_ci(body, STR("doNotApplyToChildScopes"));
    denial.this_scope_only = dyn_kind(own) == DYN_BOOL && dyn_bool(own);
    denial.principals =
        principal_ids(model->arena, dyn_get_ci(body, STR("principals")), &denial.everyone);
    denial.excluded = principal_ids(model->arena, dyn_get_ci(body, STR("excludePrincipals")), NULL);
    denial.block_count = role_read_blocks(model->arena, permissions, &denial.blocks);
    ARRAY_PUSH(model->arena, &model->denials, denial);
    return true;
}

// ---- indexes ----

// Rows of `count` nodes from `edge_count` pairs (from(i) -> to(i)).
typedef struct EdgeReader {
    const void *items;
    void (*read)(const void *items, size_t index, uint32_t *from, uint32_t *to);
} EdgeReader;

static Links
links_build(Arena *arena, size_t count, size_t edge_count, EdgeReader edges)
{
    Links links = {ARENA_ARRAY(arena, uint32_t, count + 1),
                   ARENA_ARRAY(arena, uint32_t, edge_count)};
    uint32_t from, to;
    for (size_t i = 0; i < edge_count; i++) {
        edges.read(edges.items, i, &from, &to);
        links.offsets[from + 1]++;
    }
    for (size_t i = 0; i < count; i++)
        links.offsets[i + 1] += links.offsets[i];
    uint32_t *next = arena_copy(arena, links.offsets, (count + 1) * sizeof *next);
    for (size_t i = 0; i < edge_count; i++) {
        edges.read(edges.items, i, &from, &to);
        links.targets[next[from]++] = to;
    }
    return links;
}

static void
read_membership(const void *items, size_t index, uint32_t *from, uint32_t *to)
{
    const MemberEdge *edge = (const MemberEdge *)items + index;
    *from = edge->group;
    *to = edge->member;
}

static void
read_group_of(const void *items, size_t index, uint32_t *from, uint32_t *to)
{
    read_membership(items, index, to, from);
}

static void
read_holder(const void *items, size_t index, uint32_t *from, uint32_t *to)
{
    *from = ((const Assignment *)items)[index].principal;
    *to = (uint32_t)index;
}

static int
by_id(const void *a, const void *b)
{
    return str_compare_ci(((const Assignment *)a)->id, ((const Assignment *)b)->id);
}

// Scope by scope, in the order in which the scopes came.
static void
sort_assignments(AccessModel *model)
{
    size_t count = model->assignments.len;
    Assignment *sorted = ARENA_ARRAY(model->arena, Assignment, count);
    uint32_t at = 0;
    for (size_t i = 0; i < model->runs.len; i++) {
        ScopeRun *run = model->runs.entries[i].pointer;
        run->from = at;
        at += run->to;
        run->to = run->from;
    }
    for (size_t i = 0; i < count; i++) {
        const Assignment *assignment = &model->assignments.items[i];
        ScopeRun *run = map_get(&model->runs, assignment->scope);
        sorted[run->to++] = *assignment;
    }
    for (size_t i = 0; i < model->runs.len; i++) {
        const ScopeRun *run = model->runs.entries[i].pointer;
        if (run->to - run->from > 1)
            qsort(sorted + run->from, run->to - run->from, sizeof *sorted, by_id);
    }
    model->assignments.items = sorted;
}

static int
denial_by_scope(const void *a, const void *b)
{
    const DenyAssignment *x = a, *y = b;
    int order = str_compare_ci(x->scope, y->scope);
    return order ? order : str_compare_ci(x->id, y->id);
}

static void
sort_denials(AccessModel *model)
{
    if (model->denials.len)
        qsort(model->denials.items, model->denials.len, sizeof(DenyAssignment), denial_by_scope);
    for (size_t i = 0; i < model->denials.len; i++) {
        bool is_new;
        MapEntry *entry = map_add(&model->denial_runs, model->denials.items[i].scope, &is_new);
        if (is_new) {
            ScopeRun *run = ARENA_NEW(model->arena, ScopeRun);
            run->from = (uint32_t)i;
            entry->pointer = run;
        }
        ((ScopeRun *)entry->pointer)->to = (uint32_t)i + 1;
    }
}

static void
hash_names(AccessModel *model)
{
    model->name_hashes = ARENA_ARRAY(model->arena, uint32_t, model->principals.len);
    for (size_t i = 0; i < model->principals.len; i++)
        model->name_hashes[i] = (uint32_t)str_hash_ci(model->principals.items[i].name);
}

void
access_finish(AccessModel *model)
{
    size_t count = model->principals.len;
    model->groups_of = links_build(model->arena, count, model->members.len,
                                   (EdgeReader){model->members.items, read_group_of});
    model->members_of = links_build(model->arena, count, model->members.len,
                                    (EdgeReader){model->members.items, read_membership});
    sort_assignments(model);
    sort_denials(model);
    model->assignments_of = links_build(model->arena, count, model->assignments.len,
                                        (EdgeReader){model->assignments.items, read_holder});
    hash_names(model);
}

Str
access_principal_id(const AccessModel *model, uint32_t principal)
{
    return model->principals.items[principal].id;
}

Str
access_principal_name(const AccessModel *model, uint32_t principal)
{
    return model->principals.items[principal].name;
}

Str
access_principal_kind(const AccessModel *model, uint32_t principal)
{
    const Principal *p = &model->principals.items[principal];
    if (p->kind.len)
        return p->kind;
    return model->kinds.items[principal] == PRINCIPAL_GROUP ? STR("Group") : (Str){0};
}

PrincipalKind
access_kind_of(const AccessModel *model, uint32_t principal)
{
    return (PrincipalKind)model->kinds.items[principal];
}

uint32_t
access_principal_count(const AccessModel *model)
{
    return (uint32_t)model->principals.len;
}

uint32_t
access_find_principal(const AccessModel *model, Str id)
{
    const MapEntry *found = map_find(&model->principal_index, id);
    return found ? (uint32_t)found->number : UINT32_MAX;
}

uint32_t
access_find_named(const AccessModel *model, Str name, uint32_t *found, uint32_t most)
{
    uint32_t count = 0, hash = (uint32_t)str_hash_ci(name);
    for (uint32_t i = 0; i < model->principals.len; i++)
        if (model->name_hashes[i] == hash && str_equal_ci(model->principals.items[i].name, name)) {
            if (count < most)
                found[count] = i;
            count++;
        }
    return count;
}

uint32_t
access_assignment_count(const AccessModel *model)
{
    return (uint32_t)model->assignments.len;
}

const Assignment *
access_assignment(const AccessModel *model, uint32_t index)
{
    return &model->assignments.items[index];
}
