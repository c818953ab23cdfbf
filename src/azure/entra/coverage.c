// Each policy is asked twice about each application: for any member (or guest), of whom no
// more is known, and for one whom the policy names, to tell "some users" from "none".

#include "azure/entra/coverage.h"

#include "base/array.h"
#include "db/rows.h"
#include "value/json.h"

const TableColumn COVERAGE_COLUMNS[] = {
    {"Kind", TYPE_STRING},   {"Name", TYPE_STRING},      {"Coverage", TYPE_STRING},
    {"Guests", TYPE_STRING}, {"Policies", TYPE_DYNAMIC}, {"AppId", TYPE_STRING},
    {"Id", TYPE_STRING},
};
_Static_assert(COUNT_OF(COVERAGE_COLUMNS) == COVERAGE_COLUMN_COUNT, "the columns as declared");

// Ordered: a better cover is greater.
typedef enum Coverage { COVERS_NONE, COVERS_SOME, COVERS_CONDITIONS, COVERS_ALL } Coverage;

static const char *const NAMES[] = {
    [COVERS_NONE] = "none",
    [COVERS_SOME] = "some",
    [COVERS_CONDITIONS] = "conditions",
    [COVERS_ALL] = "all",
};

typedef struct CoverageRun {
    const Directory *directory;
    Arena *arena;
    DynBuilder *dyn;
    TableBuilder *rows;
} CoverageRun;

typedef struct Cover {
    Coverage level;
    Buffer policies; // JSON array, open
} Cover;

static void
put_fact(DynBuilder *dyn, const char *name, Str value)
{
    dyn_key(dyn, str_from(name));
    dyn_push_string(dyn, value);
}

static Dyn
finish_facts(CoverageRun *run)
{
    dyn_end_bag(run->dyn);
    Text *text = ARENA_NEW(run->arena, Text);
    bool is_null;
    return dyn_finish_text(run->dyn, run->arena, text, &is_null) ? dyn_of_text(text) : (Dyn){0};
}

static void
begin_facts(CoverageRun *run, const char *subject)
{
    dyn_builder_reset(run->dyn);
    dyn_begin_bag(run->dyn);
    put_fact(run->dyn, "subjectType", str_from(subject));
}

static Dyn
anybody(CoverageRun *run, Str app_id, const char *user_type)
{
    begin_facts(run, "user");
    put_fact(run->dyn, "userType", str_from(user_type));
    put_fact(run->dyn, "appId", app_id);
    return finish_facts(run);
}

// The first of a list as a fact of its own, or as a list of one.
static void
put_first(DynBuilder *dyn, Dyn list, const char *name, bool as_list)
{
    Str first = dyn_string(dyn_at(list, 0));
    if (!first.len)
        return;
    dyn_key(dyn, str_from(name));
    if (as_list)
        dyn_begin_array(dyn);
    dyn_push_string(dyn, first);
    if (as_list)
        dyn_end_array(dyn);
}

// Somebody whom the policy names.
static Dyn
somebody(CoverageRun *run, Str app_id, const char *user_type, Dyn policy)
{
    Dyn users = dyn_get_ci(dyn_get_ci(policy, STR("conditions")), STR("users"));
    begin_facts(run, "user");
    put_fact(run->dyn, "userType", str_from(user_type));
    put_fact(run->dyn, "appId", app_id);
    put_first(run->dyn, dyn_get_ci(users, STR("includeUsers")), "userId", false);
    put_first(run->dyn, dyn_get_ci(users, STR("includeGroups")), "groupIds", true);
    put_first(run->dyn, dyn_get_ci(users, STR("includeRoles")), "roleTemplateIds", true);
    return finish_facts(run);
}

static bool
asks_for_something(const PolicyOutcome *outcome)
{
    return outcome->enforced && (outcome->blocks || !outcome->satisfied);
}

// One policy's answer for the facts, as a list of one policy.
static Tristate
policy_applies(CoverageRun *run, Dyn policy, Dyn facts)
{
    DynBuilder *dyn = run->dyn;
    dyn_builder_reset(dyn);
    dyn_begin_array(dyn);
    dyn_push_tree(dyn, policy);
    dyn_end_array(dyn);
    Text *text = ARENA_NEW(run->arena, Text);
    bool is_null;
    if (!dyn_finish_text(dyn, run->arena, text, &is_null))
        return TRI_FALSE;
    SignInAnswer answer = conditional_access_evaluate(run->arena, dyn_of_text(text), facts);
    return answer.policy_count && asks_for_something(&answer.policies[0])
               ? answer.policies[0].applies
               : TRI_FALSE;
}

static void
note(Cover *cover, Coverage level, Dyn policy)
{
    if (level == COVERS_NONE)
        return;
    if (level > cover->level)
        cover->level = level;
    buffer_char(&cover->policies, cover->policies.len ? ',' : '[');
    json_write_string(&cover->policies, dyn_string(dyn_get_ci(policy, STR("displayName"))), false);
}

static Cover
cover_of(CoverageRun *run, Dyn facts, Str app_id, const char *user_type)
{
    Cover cover = {0};
    Dyn policies = run->directory->policies;
    for (uint32_t i = 0; i < dyn_count(policies); i++) {
        Dyn policy = dyn_at(policies, i);
        Tristate applies = policy_applies(run, policy, facts);
        Coverage level = applies == TRI_TRUE      ? COVERS_ALL
                         : applies == TRI_UNKNOWN ? COVERS_CONDITIONS
                                                  : COVERS_NONE;
        if (level == COVERS_NONE && user_type &&
            policy_applies(run, policy, somebody(run, app_id, user_type, policy)) != TRI_FALSE)
            level = COVERS_SOME;
        note(&cover, level, policy);
    }
    buffer_text(&cover.policies, cover.policies.len ? "]" : "[]");
    return cover;
}

static void
put_row(CoverageRun *run, Str kind, Str name, const char *coverage, const char *guests,
        Str policies, Str app_id, Str id)
{
    table_put_text(run->rows, kind);
    table_put_text(run->rows, name);
    table_put_text(run->rows, str_from(coverage));
    table_put_text(run->rows, str_from(guests));
    table_put_text(run->rows, policies);
    table_put_text(run->rows, app_id);
    table_put_text(run->rows, id);
}

static void
put_application(CoverageRun *run, Str kind, Str name, Str app_id, Str id)
{
    Cover members = cover_of(run, anybody(run, app_id, "Member"), app_id, "Member");
    Cover guests = cover_of(run, anybody(run, app_id, "Guest"), app_id, "Guest");
    put_row(run, kind, name, NAMES[members.level], NAMES[guests.level],
            buffer_slice(&members.policies), app_id, id);
    buffer_free(&members.policies);
    buffer_free(&guests.policies);
}

static void
put_identity(CoverageRun *run, Str name, Str app_id, Str id, bool single)
{
    begin_facts(run, "servicePrincipal");
    put_fact(run->dyn, "servicePrincipalId", id);
    dyn_key(run->dyn, STR("singleTenant"));
    dyn_push_bool(run->dyn, single);
    Cover cover = cover_of(run, finish_facts(run), app_id, NULL);
    put_row(run, STR("workload identity"), name, NAMES[cover.level], "",
            buffer_slice(&cover.policies), app_id, id);
    buffer_free(&cover.policies);
}

// class 1: an application to sign in to, and an identity of its own; 2: a managed identity.
static const char ROWS[] =
    "union (AIApplications | where servicePrincipalType !~ 'ServiceIdentity' | lookup "
    "(applications | project appId, audience = signInAudience) on appId | project class = 1, "
    "name = displayName, appId = tolower(appId), id = tolower(id), single = tolong(audience =~ "
    "'AzureADMyOrg')), (AIIdentities | distinct PrincipalId | lookup (servicePrincipals | project "
    "PrincipalId = tolower(id), appId, displayName) on PrincipalId | project class = 2, name = "
    "iff(isempty(displayName), PrincipalId, displayName), appId = tolower(appId), id = "
    "PrincipalId, single = 0) | order by class asc, name asc, id asc | project class, name, appId, "
    "id, single";

ResultTable *
coverage_table(Database *db, const Directory *directory, Arena *arena, AzError *error)
{
    QueryOptions options = {0};
    QueryResult *result = db_query(db, arena, str_from(ROWS), &options, error);
    if (!result)
        return NULL;
    CoverageRun run = {directory, arena, dyn_builder_new(),
                       table_builder_new(COVERAGE_COLUMNS, COVERAGE_COLUMN_COUNT)};
    for (size_t i = 0; i < AI_RESOURCE_APPLICATION_COUNT; i++)
        put_application(&run, STR("resource application"),
                        str_from(AI_RESOURCE_APPLICATIONS[i].name),
                        str_from(AI_RESOURCE_APPLICATIONS[i].app_id), STR(""));
    RowReader reader = {.table = result->tables[0]};
    while (rows_next(&reader)) {
        Str name = rows_text(&reader, 1, arena), app_id = rows_text(&reader, 2, arena),
            id = rows_text(&reader, 3, arena);
        if (rows_long(&reader, 0) == 2) {
            put_row(&run, STR("managed identity"), name, "outside", "", STR("[]"), app_id, id);
            continue;
        }
        put_application(&run, STR("application"), name, app_id, id);
        put_identity(&run, name, app_id, id, rows_long(&reader, 4) != 0);
    }
    ResultTable *table = table_builder_finish(run.rows, arena);
    table_builder_free(run.rows);
    dyn_builder_free(run.dyn);
    return table;
}
