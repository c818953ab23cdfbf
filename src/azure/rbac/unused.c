#include "azure/rbac/unused.h"

#include "azure/rbac/custom_role.h"
#include "base/array.h"
#include "db/rows.h"
#include "value/scalar.h"

#include <stdlib.h>

typedef struct Observed {
    uint32_t principal;
    const Operation *operation; // of the facts, or made for one they do not know
    ScopeChain chain;           // of the scope it was seen at
    int64_t count, last;
} Observed;

// What a role gives, by the operations that are known.
typedef struct RoleReach {
    uint32_t operations; // how many it covers; 0 = not counted yet
    bool counted;
    bool changes;       // covers a control operation that the activity log records
    StrList data_types; // resource types whose data it reaches
} RoleReach;

typedef struct Unused {
    Database *db;
    const AccessWorld *world;
    const OperationFacts *facts;
    Arena *arena;
    struct {
        Observed *items;
        size_t len, cap;
    } observed;       // by principal
    uint32_t *first;  // of each principal: where its run begins; one more than principals
    RoleReach *reach; // by role
    Map resources;    // "scope|type", any case -> TypeCount*
    Map smaller;      // the operations seen and the role -> Str*: its name
    bool activity_logged;
} Unused;

typedef struct TypeCount {
    uint32_t total, logged;
} TypeCount;

// What was seen of one assignment.
typedef struct Use {
    const Operation **items; // distinct
    size_t len, cap;
    int64_t calls, last;
} Use;

// ---- loading ----

static ResultTable *
run(Unused *u, Str query, AzError *error)
{
    QueryOptions options = {0};
    QueryResult *result = db_query(u->db, u->arena, query, &options, error);
    return result ? result->tables[0] : NULL;
}

static Str
since_argument(Arena *arena, const char *function, int64_t since)
{
    Buffer time = {0};
    datetime_print(&time, since);
    Str call = str_format(arena, "%s(datetime(%.*s))", function, STR_ARG(buffer_slice(&time)));
    buffer_free(&time);
    return call;
}

static int
by_principal(const void *a, const void *b)
{
    const Observed *x = a, *y = b;
    return x->principal < y->principal ? -1 : x->principal > y->principal;
}

// Some names are an action and a data action both (Microsoft.KeyVault/vaults/keys/read): the
// facts hold one of them, and the log says which it was.
static const Operation *
observed_operation(Unused *u, Map made[2], Str name, bool is_data)
{
    const Operation *known = map_get(&u->facts->by_name, name);
    if (known && known->is_data == is_data)
        return known;
    Operation *fresh = map_get(&made[is_data], name);
    if (fresh)
        return fresh;
    fresh = ARENA_NEW(u->arena, Operation);
    *fresh = (Operation){known ? known->name : name, is_data};
    map_put(&made[is_data], name, fresh);
    return fresh;
}

static bool
load_observed(Unused *u, int64_t since, AzError *error)
{
    const AccessModel *model = u->world->model;
    ResultTable *table = run(u, since_argument(u->arena, "ObservedOperations", since), error);
    if (!table)
        return false;
    ptrdiff_t principal = rows_column(table, "PrincipalId"), name = rows_column(table, "Operation"),
              log = rows_column(table, "Log"), plane = rows_column(table, "Plane"),
              scope = rows_column(table, "Scope"), count = rows_column(table, "Count"),
              last = rows_column(table, "LastSeen");
    Map made[2]; // operations that the facts do not know, by plane
    map_init(&made[0], u->arena, true);
    map_init(&made[1], u->arena, true);
    RowReader reader = {.table = table};
    while (rows_next(&reader)) {
        Observed seen = {
            .principal = access_find_principal(model, rows_text(&reader, principal, u->arena)),
            .count = rows_long(&reader, count),
            .last = rows_long(&reader, last),
        };
        bool is_data = str_equal(rows_text(&reader, plane, u->arena), STR("data"));
        u->activity_logged |= str_equal(rows_text(&reader, log, u->arena), STR("AzureActivity"));
        if (seen.principal == UINT32_MAX)
            continue;
        Str operation = rows_text(&reader, name, u->arena);
        seen.operation = observed_operation(u, made, operation, is_data);
        scope_chain(&u->world->scopes, u->arena, rows_text(&reader, scope, u->arena), &seen.chain,
                    NULL);
        ARRAY_PUSH(u->arena, &u->observed, seen);
    }
    if (u->observed.len)
        qsort(u->observed.items, u->observed.len, sizeof *u->observed.items, by_principal);
    uint32_t principals = access_principal_count(model);
    u->first = ARENA_ARRAY(u->arena, uint32_t, (size_t)principals + 1);
    for (size_t i = 0; i < u->observed.len; i++)
        u->first[u->observed.items[i].principal + 1]++;
    for (uint32_t p = 0; p < principals; p++)
        u->first[p + 1] += u->first[p];
    return true;
}

// "Microsoft.Storage/storageAccounts" of an operation's name.
static Str
top_type(Str operation)
{
    size_t at = 0, slashes = 0;
    while (at < operation.len && (operation.ptr[at] != '/' || ++slashes < 2))
        at++;
    return str_slice(operation, 0, at);
}

// Counts the resources that have a data plane below every scope, and those that log it.
static bool
load_resources(Unused *u, int64_t since, AzError *error)
{
    Map types;
    map_init(&types, u->arena, true);
    Buffer query = {0};
    buffer_text(&query, "let logged = ");
    buffer_str(&query, since_argument(u->arena, "LoggedResources", since));
    buffer_text(&query, "; resources | where type in~ (''");
    for (size_t i = 0; i < u->facts->by_name.len; i++) {
        const Operation *operation = u->facts->by_name.entries[i].pointer;
        bool is_new = false;
        if (operation->is_data)
            map_add(&types, top_type(operation->name), &is_new);
        if (is_new)
            buffer_printf(&query, ",'%.*s'", STR_ARG(top_type(operation->name)));
    }
    buffer_text(&query, ") | project id, type, isLogged = tolower(id) in (logged)");
    ResultTable *table = run(u, buffer_slice(&query), error);
    buffer_free(&query);
    if (!table)
        return false;
    // Only scopes that something is assigned at are ever asked about.
    Map assigned;
    map_init(&assigned, u->arena, true);
    for (uint32_t i = 0; i < access_assignment_count(u->world->model); i++)
        map_add(&assigned, access_assignment(u->world->model, i)->scope, NULL);
    RowReader reader = {.table = table};
    while (rows_next(&reader)) {
        Str id = rows_text(&reader, 0, u->arena), type = rows_text(&reader, 1, u->arena);
        ScopeChain chain = {0};
        scope_chain(&u->world->scopes, u->arena, id, &chain, NULL);
        for (size_t i = 0; i < chain.len; i++) {
            bool is_new;
            MapEntry *entry = map_add(
                &u->resources,
                str_format(u->arena, "%.*s|%.*s", STR_ARG(chain.items[i]), STR_ARG(type)), &is_new);
            if (is_new)
                entry->pointer = ARENA_NEW(u->arena, TypeCount);
            TypeCount *count = entry->pointer;
            count->total++;
            count->logged += rows_long(&reader, 2) != 0;
        }
    }
    return true;
}

// ---- roles ----

static bool
is_read(Str operation)
{
    return operation.len >= 5 &&
           str_equal_ci(str_slice(operation, operation.len - 5, operation.len), STR("/read"));
}

static const RoleReach *
role_reach(Unused *u, const Role *role)
{
    RoleReach *reach = &u->reach[role->index];
    if (reach->counted)
        return reach;
    reach->counted = true;
    struct {
        Str *items;
        size_t len, cap;
    } types = {0};
    Map seen;
    map_init(&seen, u->arena, true);
    for (size_t i = 0; i < u->facts->by_name.len; i++) {
        const Operation *operation = u->facts->by_name.entries[i].pointer;
        if (!role_may_cover(role, operation->name, operation->is_data, STAR_SEGMENT_ZERO))
            continue;
        reach->operations++;
        if (!operation->is_data) {
            reach->changes |= !is_read(operation->name);
            continue;
        }
        bool is_new;
        map_add(&seen, top_type(operation->name), &is_new);
        if (is_new)
            ARRAY_PUSH(u->arena, &types, top_type(operation->name));
    }
    reach->data_types = (StrList){types.items, (uint32_t)types.len};
    return reach;
}

static bool
covers_all(const Role *role, const Use *use)
{
    for (size_t i = 0; i < use->len; i++)
        if (!role_may_cover(role, use->items[i]->name, use->items[i]->is_data, STAR_SEGMENT_ZERO))
            return false;
    return true;
}

static int
by_name(const void *a, const void *b)
{
    return str_compare_ci((*(const Operation *const *)a)->name,
                          (*(const Operation *const *)b)->name);
}

// The role with the fewest operations that covers what was seen; empty when none has fewer
// than the one that is held.
static Str
smaller_role(Unused *u, const Role *held, Use *use)
{
    qsort(use->items, use->len, sizeof *use->items, by_name);
    Buffer key = {0};
    buffer_str(&key, held->id);
    for (size_t i = 0; i < use->len; i++) {
        buffer_char(&key, '|');
        buffer_str(&key, use->items[i]->name);
    }
    bool is_new;
    MapEntry *entry = map_add(&u->smaller, str_copy(u->arena, buffer_slice(&key)), &is_new);
    buffer_free(&key);
    if (!is_new)
        return *(Str *)entry->pointer;
    const Role *best = held;
    const Map *roles = &u->world->roles.by_id;
    for (size_t i = 0; i < roles->len; i++) {
        const Role *role = roles->entries[i].pointer;
        if (role == held || !covers_all(role, use))
            continue;
        uint32_t count = role_reach(u, role)->operations, least = role_reach(u, best)->operations;
        if (count < least ||
            (count == least && best != held && str_compare_ci(role->name, best->name) < 0))
            best = role;
    }
    Str *name = ARENA_NEW(u->arena, Str);
    *name = best == held ? (Str){0} : best->name;
    entry->pointer = name;
    return *name;
}

// ---- comparison ----

static bool
chain_holds(const ScopeChain *chain, Str scope)
{
    for (size_t i = 0; i < chain->len; i++)
        if (str_equal_ci(chain->items[i], scope))
            return true;
    return false;
}

static void
add_use(Unused *u, Use *use, const Assignment *assignment, uint32_t principal)
{
    for (uint32_t i = u->first[principal]; i < u->first[principal + 1]; i++) {
        const Observed *seen = &u->observed.items[i];
        if (!chain_holds(&seen->chain, assignment->scope) ||
            !role_may_cover(assignment->role, seen->operation->name, seen->operation->is_data,
                            STAR_SEGMENT_ZERO))
            continue;
        use->calls += seen->count;
        use->last = seen->last > use->last ? seen->last : use->last;
        size_t known = 0;
        while (known < use->len && use->items[known] != seen->operation)
            known++;
        if (known == use->len)
            ARRAY_PUSH(u->arena, use, seen->operation);
    }
}

// Nothing was seen: is that because nothing was done?
static UseStatus
explain_silence(Unused *u, const Assignment *assignment, Str *why)
{
    const RoleReach *reach = role_reach(u, assignment->role);
    for (uint32_t i = 0; i < reach->data_types.count; i++) {
        Str key = str_format(u->arena, "%.*s|%.*s", STR_ARG(assignment->scope),
                             STR_ARG(reach->data_types.items[i]));
        const TypeCount *count = map_get(&u->resources, key);
        if (!count || count->logged == count->total)
            continue;
        *why = str_format(u->arena, "the data of %u of %u %.*s below it is not logged",
                          count->total - count->logged, count->total,
                          STR_ARG(reach->data_types.items[i]));
        return USE_UNKNOWN;
    }
    if (!reach->changes && !reach->data_types.count) {
        *why = STR("it grants reads, which the activity log does not hold");
        return USE_UNKNOWN;
    }
    if (reach->changes && !u->activity_logged) {
        *why = STR("there is no activity log");
        return USE_UNKNOWN;
    }
    *why = STR("none of its operations was seen");
    return USE_UNUSED;
}

typedef struct Verdict {
    const Assignment *assignment;
    UseStatus status;
    Str why, smaller, custom;
    uint32_t operations;
    int64_t calls, last;
} Verdict;

static int
verdict_order(const void *a, const void *b)
{
    const Verdict *x = a, *y = b;
    if (x->status != y->status)
        return x->status < y->status ? -1 : 1;
    bool p = x->assignment->role->is_privileged, q = y->assignment->role->is_privileged;
    if (p != q)
        return p ? -1 : 1;
    int order = str_compare_ci(x->assignment->scope, y->assignment->scope);
    return order ? order : str_compare_ci(x->assignment->id, y->assignment->id);
}

static Verdict
judge(Unused *u, const Assignment *assignment, const uint32_t *principals, uint32_t count)
{
    Verdict verdict = {.assignment = assignment, .status = USE_USED};
    Use use = {0};
    for (uint32_t i = 0; i < count; i++)
        add_use(u, &use, assignment, principals[i]);
    if (use.len) {
        verdict.smaller = smaller_role(u, assignment->role, &use);
        verdict.custom = custom_role(u->arena, assignment->scope, use.items, use.len);
        verdict.why = verdict.smaller.len ? STR("a smaller role covers what was seen")
                                          : STR("its operations were seen");
    } else {
        verdict.status = explain_silence(u, assignment, &verdict.why);
        if (verdict.status == USE_UNUSED)
            verdict.smaller = STR("(none)");
    }
    verdict.operations = (uint32_t)use.len;
    verdict.calls = use.calls;
    verdict.last = use.last;
    return verdict;
}

static ResultTable *
verdict_table(Unused *u, const Verdict *verdicts, size_t count)
{
    static const TableColumn COLUMNS[] = {
        {"Principal", TYPE_STRING},    {"Kind", TYPE_STRING},       {"Role", TYPE_STRING},
        {"Scope", TYPE_STRING},        {"Status", TYPE_STRING},     {"Why", TYPE_STRING},
        {"Operations", TYPE_LONG},     {"Calls", TYPE_LONG},        {"LastSeen", TYPE_DATETIME},
        {"SmallerRole", TYPE_STRING},  {"CustomRole", TYPE_STRING}, {"Privileged", TYPE_BOOL},
        {"AssignmentId", TYPE_STRING},
    };
    static const char *const STATUS[] = {
        [USE_UNUSED] = "unused", [USE_UNKNOWN] = "unknown", [USE_USED] = "used"};
    const AccessModel *model = u->world->model;
    TableBuilder *builder = table_builder_new(COLUMNS, COUNT_OF(COLUMNS));
    for (size_t i = 0; i < count; i++) {
        const Verdict *v = &verdicts[i];
        table_put_text(builder, access_principal_label(model, u->arena, v->assignment->principal));
        table_put_text(builder, access_principal_kind(model, v->assignment->principal));
        table_put_text(builder, access_role_label(v->assignment));
        table_put_text(builder, v->assignment->scope);
        table_put_text(builder, str_from(STATUS[v->status]));
        table_put_text(builder, v->why);
        table_put_long(builder, v->operations);
        table_put_long(builder, v->calls);
        if (v->last)
            table_put_long(builder, v->last);
        else
            table_put_null(builder);
        table_put_text(builder, v->smaller);
        table_put_text(builder, v->custom);
        table_put_bool(builder, v->assignment->role->is_privileged);
        table_put_text(builder, v->assignment->id);
    }
    ResultTable *table = table_builder_finish(builder, u->arena);
    table_builder_free(builder);
    return table;
}

static bool
is_active(const Assignment *assignment, int64_t at)
{
    return assignment->role && !assignment->eligible && at >= assignment->start &&
           (!assignment->end || at < assignment->end);
}

typedef struct VerdictList {
    Verdict *items;
    size_t len, cap;
} VerdictList;

// Of one principal: its own assignments and its groups', by what it did itself.
static void
judge_principal(Unused *u, Str id, int64_t at, VerdictList *out)
{
    const AccessModel *model = u->world->model;
    uint32_t principal = access_find_principal(model, id), count;
    AssignmentStep *steps = access_assignments_of(model, u->arena, id, &count);
    for (uint32_t i = 0; i < count; i++)
        if (is_active(steps[i].assignment, at))
            ARRAY_PUSH(u->arena, out, judge(u, steps[i].assignment, &principal, 1));
}

// Of everybody: a group's assignment by what all below it did.
static void
judge_all(Unused *u, int64_t at, VerdictList *out)
{
    const AccessModel *model = u->world->model;
    MemberReader *members = member_reader_new(model, u->arena);
    for (uint32_t i = 0; i < access_assignment_count(model); i++) {
        const Assignment *assignment = access_assignment(model, i);
        if (!is_active(assignment, at))
            continue;
        uint32_t count;
        const uint32_t *below = members_below(members, assignment->principal, &count);
        ARRAY_PUSH(u->arena, out, judge(u, assignment, below, count));
    }
}

ResultTable *
access_unused(Database *db, const AccessWorld *world, const OperationFacts *facts, Arena *arena,
              Str principal, int64_t since, int64_t at, AzError *error)
{
    Unused u = {.db = db, .world = world, .facts = facts, .arena = arena};
    map_init(&u.resources, arena, true);
    map_init(&u.smaller, arena, true);
    u.reach = ARENA_ARRAY(arena, RoleReach, world->roles.count);
    if (!load_observed(&u, since, error) || !load_resources(&u, since, error))
        return NULL;
    VerdictList verdicts = {0};
    if (principal.len)
        judge_principal(&u, principal, at, &verdicts);
    else
        judge_all(&u, at, &verdicts);
    if (verdicts.len)
        qsort(verdicts.items, verdicts.len, sizeof *verdicts.items, verdict_order);
    return verdict_table(&u, verdicts.items, verdicts.len);
}
