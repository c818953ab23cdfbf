#include "azure/entra/sign_in.h"

#include "base/array.h"
#include "db/rows.h"
#include "value/json.h"
#include "value/scalar.h"

// Source: Microsoft Learn, "Application IDs of commonly used Microsoft applications", and the
// audiences that the services' authentication pages name.
const AIResourceApplication AI_RESOURCE_APPLICATIONS[] = {
    {"7d312290-28c8-473c-a0ed-8e53749b6d6d", "Azure AI services (Azure OpenAI)"},
    {"18a66f5f-dbdf-4c17-9dd7-1634712a9cbe", "Azure AI Foundry and Azure Machine Learning"},
    {"880da380-985e-4198-81b9-e05b1cc53158", "Azure AI Search"},
    {"797f4846-ba00-4fd7-ba43-dac1f8f63013", "Azure Resource Manager"},
};
const size_t AI_RESOURCE_APPLICATION_COUNT = COUNT_OF(AI_RESOURCE_APPLICATIONS);

typedef struct DirectoryPair {
    Str from, to;
} DirectoryPair;

struct DirectoryPairs {
    DirectoryPair *items;
    size_t len, cap;
};

static QueryResult *
run(Database *db, Arena *arena, Str query, AzError *error)
{
    QueryOptions options = {0};
    return db_query(db, arena, query, &options, error);
}

static struct DirectoryPairs *
read_pairs(Database *db, Arena *arena, const char *query, AzError *error)
{
    QueryResult *result = run(db, arena, str_from(query), error);
    if (!result)
        return NULL;
    struct DirectoryPairs *pairs = ARENA_NEW(arena, struct DirectoryPairs);
    RowReader reader = {.table = result->tables[0]};
    while (rows_next(&reader)) {
        DirectoryPair pair = {rows_text(&reader, 0, arena), rows_text(&reader, 1, arena)};
        ARRAY_PUSH(arena, pairs, pair);
    }
    return pairs;
}

// The node of a query's only cell; the null node when there is no row.
static bool
read_node(Database *db, Arena *arena, Str query, Dyn *out, AzError *error)
{
    QueryResult *result = run(db, arena, query, error);
    if (!result)
        return false;
    RowReader reader = {.table = result->tables[0]};
    *out = rows_next(&reader) ? rows_dynamic(&reader, 0) : (Dyn){0};
    return true;
}

bool
directory_load(Database *db, Arena *arena, Directory *out, AzError *error)
{
    static const char POLICIES[] =
        "conditionalAccessPolicies | order by displayName asc, id asc | project policy = "
        "bag_pack('id', id, 'displayName', displayName, 'state', state, 'conditions', conditions, "
        "'grantControls', grantControls) | summarize make_list(policy)";
    static const char MEMBERS[] = "groupMembers | project tolower(groupId), tolower(id)";
    static const char ROLES[] =
        "directoryRoleAssignments | lookup (directoryRoleDefinitions | project roleDefinitionId = "
        "id, templateId) on roleDefinitionId | project tolower(principalId), "
        "iff(isempty(templateId), roleDefinitionId, templateId)";
    *out = (Directory){0};
    return (out->members = read_pairs(db, arena, MEMBERS, error)) &&
           (out->roles = read_pairs(db, arena, ROLES, error)) &&
           read_node(db, arena, str_from(POLICIES), &out->policies, error);
}

// ---- who ----

typedef struct NameList {
    Str *items;
    size_t len, cap;
} NameList;

static bool
add_name(Arena *arena, NameList *list, Str name)
{
    for (size_t i = 0; i < list->len; i++)
        if (str_equal_ci(list->items[i], name))
            return false;
    ARRAY_PUSH(arena, list, name);
    return true;
}

// The groups above `id`, over any number of groups: passes over all pairs until none adds one.
static NameList
groups_of(const Directory *directory, Arena *arena, Str id)
{
    NameList groups = {0};
    bool more = true;
    while (more) {
        more = false;
        for (size_t i = 0; i < directory->members->len; i++) {
            Str group = directory->members->items[i].from, member = directory->members->items[i].to;
            bool is_in = str_equal(member, id);
            for (size_t g = 0; g < groups.len && !is_in; g++)
                is_in = str_equal(groups.items[g], member);
            more = (is_in && add_name(arena, &groups, group)) || more;
        }
    }
    return groups;
}

static NameList
roles_of(const Directory *directory, Arena *arena, Str id, const NameList *groups)
{
    NameList roles = {0};
    for (size_t i = 0; i < directory->roles->len; i++) {
        Str holder = directory->roles->items[i].from;
        bool holds = str_equal(holder, id);
        for (size_t g = 0; g < groups->len && !holds; g++)
            holds = str_equal(holder, groups->items[g]);
        if (holds)
            add_name(arena, &roles, directory->roles->items[i].to);
    }
    return roles;
}

static void
put_fact(DynBuilder *dyn, const char *name, Str value)
{
    dyn_key(dyn, str_from(name));
    dyn_push_string(dyn, value);
}

static void
put_names(DynBuilder *dyn, const char *name, const NameList *list)
{
    dyn_key(dyn, str_from(name));
    dyn_begin_array(dyn);
    for (size_t i = 0; i < list->len; i++)
        dyn_push_string(dyn, list->items[i]);
    dyn_end_array(dyn);
}

static Str
query_of(Arena *arena, const char *before, Str text, const char *after)
{
    Buffer query = {0};
    buffer_text(&query, before);
    json_write_string(&query, text, false);
    buffer_text(&query, after);
    Str copy = str_copy(arena, buffer_slice(&query));
    buffer_free(&query);
    return copy;
}

// The principal's own facts: subjectType and what goes with it.
static bool
put_subject(Database *db, const Directory *directory, Arena *arena, Str principal, DynBuilder *dyn,
            AzError *error)
{
    static const char WHO[] =
        "; union (users | where name in~ (id, userPrincipalName, displayName) | project subject = "
        "'user', id = tolower(id), detail = iff(userType =~ 'Guest', 'Guest', 'Member'), single = "
        "true), (servicePrincipals | where name in~ (id, appId, displayName) | lookup "
        "(applications | project appId, audience = signInAudience) on appId | project subject = "
        "iff(servicePrincipalType =~ 'ManagedIdentity', 'managedIdentity', 'servicePrincipal'), id "
        "= tolower(id), detail = '', single = audience =~ 'AzureADMyOrg') | order by id asc | "
        "project subject, id, detail, tolong(single)";
    QueryResult *result = run(db, arena, query_of(arena, "let name = ", principal, WHO), error);
    if (!result)
        return false;
    RowReader reader = {.table = result->tables[0]};
    if (!rows_next(&reader))
        return error_set(error, AZ_NOT_FOUND,
                         "there is no user or service principal '%.*s' in the snapshot: give an "
                         "object id, a user principal name, an application id or a display name",
                         STR_ARG(principal));
    Str subject = rows_text(&reader, 0, arena), id = rows_text(&reader, 1, arena),
        detail = rows_text(&reader, 2, arena);
    bool single = rows_long(&reader, 3) != 0;
    if (rows_next(&reader))
        return error_set(error, AZ_INVALID,
                         "'%.*s' names several principals; give the object id, such as %.*s",
                         STR_ARG(principal), STR_ARG(id));
    put_fact(dyn, "subjectType", subject);
    if (!str_equal(subject, STR("user"))) {
        put_fact(dyn, "servicePrincipalId", id);
        dyn_key(dyn, STR("singleTenant"));
        dyn_push_bool(dyn, single);
        return true;
    }
    NameList groups = groups_of(directory, arena, id);
    NameList roles = roles_of(directory, arena, id, &groups);
    put_fact(dyn, "userId", id);
    put_fact(dyn, "userType", detail);
    put_names(dyn, "groupIds", &groups);
    put_names(dyn, "roleTemplateIds", &roles);
    return true;
}

// ---- to what, from where ----

static bool
find_application(Database *db, Arena *arena, Str app, Str *app_id, AzError *error)
{
    for (size_t i = 0; i < AI_RESOURCE_APPLICATION_COUNT; i++)
        if (str_equal_ci(app, str_from(AI_RESOURCE_APPLICATIONS[i].name)))
            return *app_id = str_from(AI_RESOURCE_APPLICATIONS[i].app_id), true;
    Guid guid;
    if (guid_parse(app, &guid))
        return *app_id = app, true;
    static const char FIND[] =
        "; union (servicePrincipals | project id, appId, displayName), (applications | project id, "
        "appId, displayName) | where name in~ (id, appId, displayName) | distinct tolower(appId)";
    QueryResult *result = run(db, arena, query_of(arena, "let name = ", app, FIND), error);
    if (!result)
        return false;
    RowReader reader = {.table = result->tables[0]};
    if (!rows_next(&reader))
        return error_set(error, AZ_NOT_FOUND,
                         "there is no application '%.*s' in the snapshot: give an application id, "
                         "or a name such as \"%s\"",
                         STR_ARG(app), AI_RESOURCE_APPLICATIONS[0].name);
    *app_id = rows_text(&reader, 0, arena);
    return !rows_next(&reader) ||
           error_set(error, AZ_INVALID,
                     "'%.*s' names several applications; give the application id", STR_ARG(app));
}

// The named locations that hold the address, and whether one of them is trusted. Places
// given as countries are not worked out from an address: with any of these in the snapshot
// namedLocationIds stays unknown unless the caller says it.
static bool
put_place(Database *db, Arena *arena, Str address, DynBuilder *dyn, AzError *error)
{
    static const char PLACES[] =
        "; namedLocations | where ['@odata.type'] !has 'country' | mv-expand range = ipRanges | "
        "extend cidr = tostring(range.cidrAddress) | where iff(address has ':', "
        "ipv6_is_in_range(address, cidr), ipv4_is_in_range(address, cidr)) | distinct id, "
        "trusted = tolong(isTrusted)";
    QueryResult *result = run(db, arena, query_of(arena, "let address = ", address, PLACES), error);
    if (!result)
        return false;
    NameList places = {0};
    bool trusted = false;
    RowReader reader = {.table = result->tables[0]};
    while (rows_next(&reader)) {
        add_name(arena, &places, rows_text(&reader, 0, arena));
        trusted = trusted || rows_long(&reader, 1) != 0;
    }
    put_names(dyn, "namedLocationIds", &places);
    dyn_key(dyn, STR("ipTrusted"));
    dyn_push_bool(dyn, trusted);
    return true;
}

bool
sign_in_facts(Database *db, const Directory *directory, Arena *arena, Str principal, Str app,
              Dyn more, Dyn *out, AzError *error)
{
    DynBuilder *dyn = dyn_builder_new();
    dyn_begin_bag(dyn);
    Str app_id, address = dyn_string(dyn_get_ci(more, STR("ip")));
    bool done = put_subject(db, directory, arena, principal, dyn, error) &&
                find_application(db, arena, app, &app_id, error) &&
                (!address.len || put_place(db, arena, address, dyn, error));
    if (done) {
        put_fact(dyn, "appId", app_id);
        for (uint32_t i = 0; i < dyn_count(more); i++) {
            dyn_key(dyn, dyn_key_at(more, i)); // of a repeated key the last value stays
            dyn_push_tree(dyn, dyn_at(more, i));
        }
        dyn_end_bag(dyn);
        Text *text = ARENA_NEW(arena, Text);
        bool is_null;
        done = dyn_finish_text(dyn, arena, text, &is_null) ||
               error_set(error, AZ_INVALID, "the facts of the sign-in are too large");
        if (done)
            *out = dyn_of_text(text);
    }
    dyn_builder_free(dyn);
    return done;
}

// ---- answers ----

const TableColumn SIGN_IN_COLUMNS[] = {
    {"Policy", TYPE_STRING}, {"State", TYPE_STRING},   {"Applies", TYPE_STRING},
    {"Effect", TYPE_STRING}, {"Because", TYPE_STRING}, {"Id", TYPE_STRING},
};
_Static_assert(COUNT_OF(SIGN_IN_COLUMNS) == SIGN_IN_COLUMN_COUNT, "the columns as declared");

static Str
joined_controls(const PolicyOutcome *outcome, Arena *arena)
{
    Buffer text = {0};
    for (uint32_t i = 0; i < outcome->control_count; i++) {
        buffer_text(&text, i ? (outcome->needs_all ? " and " : " or ") : "needs ");
        buffer_str(&text, outcome->controls[i]);
    }
    Str words = str_copy(arena, buffer_slice(&text));
    buffer_free(&text);
    return words;
}

ResultTable *
sign_in_table(const SignInAnswer *answer, Arena *arena)
{
    static const char *const APPLIES[] = {
        [TRI_TRUE] = "yes", [TRI_FALSE] = "no", [TRI_UNKNOWN] = "perhaps"};
    TableBuilder *builder = table_builder_new(SIGN_IN_COLUMNS, SIGN_IN_COLUMN_COUNT);
    for (uint32_t i = 0; i < answer->policy_count; i++) {
        const PolicyOutcome *outcome = &answer->policies[i];
        Str effect = STR("");
        if (outcome->applies != TRI_FALSE)
            effect = outcome->blocks      ? STR("blocks")
                     : outcome->satisfied ? STR("is met")
                                          : joined_controls(outcome, arena);
        table_put_text(builder, outcome->name);
        table_put_text(builder, outcome->enforced ? STR("on") : STR("report-only"));
        table_put_text(builder, str_from(APPLIES[outcome->applies]));
        table_put_text(builder, effect);
        table_put_text(builder, outcome->because);
        table_put_text(builder, outcome->id);
    }
    ResultTable *table = table_builder_finish(builder, arena);
    table_builder_free(builder);
    return table;
}

Str
sign_in_words(const SignInAnswer *answer, Arena *arena)
{
    Buffer text = {0};
    if (answer->result == SIGN_IN_BLOCK)
        buffer_text(&text, "the sign-in is blocked");
    else if (answer->result == SIGN_IN_GRANT)
        buffer_text(&text, "the sign-in is let in without further proof");
    else
        buffer_text(&text, "the sign-in is let in with ");
    for (uint32_t i = 0; i < answer->control_count; i++) {
        buffer_text(&text, i ? ", " : "");
        buffer_str(&text, answer->controls[i]);
    }
    if (answer->worst > answer->result)
        buffer_text(&text, answer->worst == SIGN_IN_BLOCK
                               ? "; it is blocked if a policy applies that may (Applies: perhaps)"
                               : "; more is asked if a policy applies that may (Applies: perhaps)");
    Str words = str_copy(arena, buffer_slice(&text));
    buffer_free(&text);
    return words;
}
