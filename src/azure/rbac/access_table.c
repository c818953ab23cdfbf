#include "azure/rbac/access_table.h"

#include "azure/arm.h"
#include "base/array.h"

#include <stdlib.h>

const TableColumn WHO_CAN_COLUMNS[] = {
    {"Principal", TYPE_STRING}, {"Kind", TYPE_STRING},  {"Verdict", TYPE_STRING},
    {"Role", TYPE_STRING},      {"Scope", TYPE_STRING}, {"Via", TYPE_STRING},
    {"Condition", TYPE_STRING}, {"Id", TYPE_STRING},
};
const TableColumn WHAT_CAN_COLUMNS[] = {
    {"Role", TYPE_STRING},      {"Scope", TYPE_STRING},        {"State", TYPE_STRING},
    {"Can", TYPE_STRING},       {"Via", TYPE_STRING},          {"Privileged", TYPE_BOOL},
    {"Condition", TYPE_STRING}, {"AssignmentId", TYPE_STRING},
};
const TableColumn ACCESS_PATH_COLUMNS[] = {
    {"Path", TYPE_LONG}, {"Step", TYPE_LONG},   {"Edge", TYPE_STRING},  {"From", TYPE_STRING},
    {"To", TYPE_STRING}, {"Role", TYPE_STRING}, {"State", TYPE_STRING}, {"Condition", TYPE_STRING},
};
_Static_assert(COUNT_OF(WHO_CAN_COLUMNS) == WHO_CAN_COLUMN_COUNT &&
                   COUNT_OF(WHAT_CAN_COLUMNS) == WHAT_CAN_COLUMN_COUNT &&
                   COUNT_OF(ACCESS_PATH_COLUMNS) == ACCESS_PATH_COLUMN_COUNT,
               "the columns as declared");

Str
access_principal_label(const AccessModel *model, Arena *arena, uint32_t principal)
{
    Str name = access_principal_name(model, principal), id = access_principal_id(model, principal);
    if (name.len)
        return name;
    return access_principal_kind(model, principal).len
               ? id
               : str_format(arena, "%.*s (not in the data)", STR_ARG(id));
}

Str
access_role_label(const Assignment *assignment)
{
    const Role *role = assignment->role;
    return role && role->name.len ? role->name : arm_last_segment(assignment->role_definition_id);
}

Str
access_via_label(const AccessModel *model, Arena *arena, const AssignmentStep *step)
{
    Buffer text = {0};
    for (uint32_t i = 1; i < step->via_count; i++) {
        buffer_text(&text, i > 1 ? " > " : "");
        buffer_str(&text, access_principal_label(model, arena, step->via[i]));
    }
    Str label = str_copy(arena, buffer_slice(&text));
    buffer_free(&text);
    return label;
}

typedef struct HolderList {
    Arena *arena;
    const AccessModel *model;
    AccessHolder *items;
    size_t len, cap;
} HolderList;

static void
keep_holder(void *context, const AccessHolder *holder)
{
    HolderList *list = context;
    ARRAY_PUSH(list->arena, list, *holder);
}

static int
holder_order(const void *a, const void *b, void *context)
{
    const AccessHolder *x = a, *y = b;
    const AccessModel *model = context;
    if (x->verdict != y->verdict)
        return x->verdict > y->verdict ? -1 : 1;
    int order = str_compare_ci(access_principal_name(model, x->principal),
                               access_principal_name(model, y->principal));
    return order ? order
                 : str_compare_ci(access_principal_id(model, x->principal),
                                  access_principal_id(model, y->principal));
}

ResultTable *
access_who_can(const AccessWorld *world, Arena *arena, const AccessQuestion *question)
{
    const AccessModel *model = world->model;
    HolderList list = {.arena = arena, .model = model};
    WhoCan *who = who_can_new(model, arena);
    who_can(who, question, keep_holder, &list);
    who_can_free(who);
    if (list.len)
        qsort_r(list.items, list.len, sizeof *list.items, holder_order, (void *)(uintptr_t)model);

    TableBuilder *builder = table_builder_new(WHO_CAN_COLUMNS, COUNT_OF(WHO_CAN_COLUMNS));
    for (size_t i = 0; i < list.len; i++) {
        const AccessHolder *holder = &list.items[i];
        table_put_text(builder, access_principal_label(model, arena, holder->principal));
        table_put_text(builder, access_principal_kind(model, holder->principal));
        table_put_text(builder, str_from(access_verdict_name(holder->verdict)));
        table_put_text(builder, access_role_label(holder->assignment));
        table_put_text(builder, holder->assignment->scope);
        table_put_text(builder, holder->via_group == UINT32_MAX
                                    ? STR("")
                                    : access_principal_label(model, arena, holder->via_group));
        table_put_text(builder, holder->assignment->condition_text);
        table_put_text(builder, access_principal_id(model, holder->principal));
    }
    ResultTable *table = table_builder_finish(builder, arena);
    table_builder_free(builder);
    return table;
}

// ---- many scopes ----

typedef struct HolderCount {
    const AccessModel *model;
    int64_t allowed, conditional, eligible;
    int64_t of_kind[PRINCIPAL_GROUP + 1]; // of those allowed
} HolderCount;

static void
count_holder(void *context, const AccessHolder *holder)
{
    HolderCount *count = context;
    if (holder->verdict == ACCESS_ELIGIBLE) {
        count->eligible++;
    } else if (holder->verdict != ACCESS_ALLOWED) {
        count->conditional++;
    } else {
        count->allowed++;
        count->of_kind[access_kind_of(count->model, holder->principal)]++;
    }
}

static void
put_counts(TableBuilder *builder, Str scope, const HolderCount *holders)
{
    table_put_text(builder, scope);
    table_put_long(builder, holders->allowed);
    table_put_long(builder, holders->of_kind[PRINCIPAL_USER]);
    table_put_long(builder, holders->of_kind[PRINCIPAL_GUEST]);
    table_put_long(builder, holders->of_kind[PRINCIPAL_SERVICE]);
    table_put_long(builder, holders->of_kind[PRINCIPAL_MANAGED]);
    table_put_long(builder, holders->conditional);
    table_put_long(builder, holders->eligible);
}

ResultTable *
access_who_can_each(const AccessWorld *world, Arena *arena, const AccessQuestion *question,
                    const Str *scopes, size_t count)
{
    static const TableColumn COLUMNS[] = {
        {"Scope", TYPE_STRING},
        {"Allowed", TYPE_LONG},
        {"Users", TYPE_LONG},
        {"Guests", TYPE_LONG},
        {"ServicePrincipals", TYPE_LONG},
        {"ManagedIdentities", TYPE_LONG},
        {"Conditional", TYPE_LONG},
        {"Eligible", TYPE_LONG},
    };
    TableBuilder *builder = table_builder_new(COLUMNS, COUNT_OF(COLUMNS));
    WhoCan *who = who_can_new(world->model, arena);
    Map known[2]; // place -> HolderCount*, by whether it is the scope itself
    map_init(&known[false], arena, true);
    map_init(&known[true], arena, true);
    for (size_t i = 0; i < count; i++) {
        bool is_own, is_new;
        Str place = who_can_place(who, scopes[i], &is_own);
        MapEntry *entry = map_add(&known[is_own], place, &is_new);
        if (is_new) {
            HolderCount *holders = ARENA_NEW(arena, HolderCount);
            holders->model = world->model;
            entry->pointer = holders;
            AccessQuestion one = *question;
            one.scope = scopes[i];
            who_can(who, &one, count_holder, holders);
        }
        put_counts(builder, scopes[i], entry->pointer);
    }
    who_can_free(who);
    ResultTable *table = table_builder_finish(builder, arena);
    table_builder_free(builder);
    return table;
}

// Names of the classes whose operations some block of the role covers, each once.
static Str
role_classes(const OperationFacts *facts, Arena *arena, const Role *role)
{
    Buffer text = {0};
    Str last = {0};
    for (uint32_t i = 0; role && i < facts->class_count; i++) {
        const OperationClass *class = &facts->classes[i];
        if (str_equal(last, class->name) ||
            !role_may_cover(role, class->operation, class->is_data, STAR_SEGMENT_ZERO))
            continue;
        buffer_text(&text, text.len ? ", " : "");
        buffer_str(&text, class->name);
        last = class->name;
    }
    Str label = str_copy(arena, buffer_slice(&text));
    buffer_free(&text);
    return label;
}

static Str
assignment_state(const Assignment *assignment, int64_t at)
{
    if (assignment->end && at >= assignment->end)
        return STR("expired");
    if (at < assignment->start)
        return STR("not yet");
    return assignment->eligible ? STR("eligible") : STR("active");
}

ResultTable *
access_what_can(const AccessWorld *world, const OperationFacts *facts, Arena *arena, Str principal,
                int64_t at)
{
    uint32_t count;
    AssignmentStep *steps = access_assignments_of(world->model, arena, principal, &count);
    TableBuilder *builder = table_builder_new(WHAT_CAN_COLUMNS, COUNT_OF(WHAT_CAN_COLUMNS));
    for (uint32_t i = 0; i < count; i++) {
        const Assignment *assignment = steps[i].assignment;
        table_put_text(builder, access_role_label(assignment));
        table_put_text(builder, assignment->scope);
        table_put_text(builder, assignment_state(assignment, at));
        table_put_text(builder, role_classes(facts, arena, assignment->role));
        table_put_text(builder, access_via_label(world->model, arena, &steps[i]));
        table_put_bool(builder, assignment->role && assignment->role->is_privileged);
        table_put_text(builder, assignment->condition_text);
        table_put_text(builder, assignment->id);
    }
    ResultTable *table = table_builder_finish(builder, arena);
    table_builder_free(builder);
    return table;
}

// ---- paths ----

static void
put_hop(TableBuilder *builder, int64_t path, int64_t step, const char *edge, Str from, Str to)
{
    table_put_long(builder, path);
    table_put_long(builder, step);
    table_put_text(builder, str_from(edge));
    table_put_text(builder, from);
    table_put_text(builder, to);
}

static void
put_path(TableBuilder *builder, const AccessModel *model, Arena *arena, int64_t path,
         const AssignmentStep *way, Str resource, int64_t at)
{
    const Assignment *assignment = way->assignment;
    Str state = assignment_state(assignment, at), none = {0};
    int64_t step = 1;
    for (uint32_t i = 0; i + 1 < way->via_count; i++) {
        put_hop(builder, path, step++, "MemberOf",
                access_principal_label(model, arena, way->via[i]),
                access_principal_label(model, arena, way->via[i + 1]));
        for (int blank = 0; blank < 3; blank++)
            table_put_text(builder, none);
    }
    put_hop(builder, path, step++, "HasRole",
            access_principal_label(model, arena, way->via[way->via_count - 1]), assignment->scope);
    table_put_text(builder, access_role_label(assignment));
    table_put_text(builder, state);
    table_put_text(builder, assignment->condition_text);
    if (str_equal_ci(assignment->scope, resource))
        return;
    put_hop(builder, path, step, "Contains", assignment->scope, resource);
    for (int blank = 0; blank < 3; blank++)
        table_put_text(builder, none);
}

ResultTable *
access_path(const AccessWorld *world, Arena *arena, Str principal, Str resource, int64_t at)
{
    uint32_t count;
    AssignmentStep *steps = access_assignments_of(world->model, arena, principal, &count);
    ScopeChain chain = {0};
    scope_chain(&world->scopes, arena, resource, &chain, NULL);
    TableBuilder *builder = table_builder_new(ACCESS_PATH_COLUMNS, COUNT_OF(ACCESS_PATH_COLUMNS));
    int64_t path = 0;
    for (uint32_t i = 0; i < count; i++)
        for (size_t s = 0; s < chain.len; s++)
            if (str_equal_ci(chain.items[s], steps[i].assignment->scope)) {
                put_path(builder, world->model, arena, ++path, &steps[i], chain.items[0], at);
                break;
            }
    ResultTable *table = table_builder_finish(builder, arena);
    table_builder_free(builder);
    return table;
}
