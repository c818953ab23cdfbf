// Loading the path model: one query a kind of fact, each with the reader of its rows.
//
// Tables that were not collected are empty; CollectionStatus says so. Columns of a query
// are read by position. Rows stay in memory until the graph is made, as the model keeps
// views of properties until then.

#include "azure/path/path_load.h"

#include "base/array.h"
#include "db/rows.h"
#include "value/json.h"

typedef struct Loader {
    PathWorld *world;
    Arena *arena; // of the rows
    const RowReader *reader;
} Loader;

static Str
cell(const Loader *loader, int column)
{
    return rows_text(loader->reader, column, loader->arena);
}

static bool
flag(const Loader *loader, int column)
{
    return rows_long(loader->reader, column) != 0;
}

static void
read_scope(Loader *loader)
{
    path_add_scope(loader->world->model, cell(loader, 0), cell(loader, 1));
}

static void
read_user(Loader *loader)
{
    path_add_user(loader->world->model, cell(loader, 0), cell(loader, 1), flag(loader, 2), false);
}

static void
read_group(Loader *loader)
{
    path_add_group(loader->world->model, cell(loader, 0), cell(loader, 1), flag(loader, 2),
                   cell(loader, 3));
}

static void
read_application(Loader *loader)
{
    path_add_application(loader->world->model, cell(loader, 0), cell(loader, 1), cell(loader, 2));
}

static void
read_service_principal(Loader *loader)
{
    path_add_service_principal(loader->world->model, cell(loader, 0), cell(loader, 1),
                               cell(loader, 2), flag(loader, 3), flag(loader, 4));
}

static void
read_owner(Loader *loader)
{
    path_add_owner(loader->world->model, cell(loader, 0), cell(loader, 1));
}

static void
read_directory_role(Loader *loader)
{
    path_add_directory_role_actions(loader->world->model, cell(loader, 0), cell(loader, 1),
                                    rows_dynamic(loader->reader, 2));
}

static void
read_directory_assignment(Loader *loader)
{
    path_add_directory_assignment(loader->world->model, cell(loader, 0), cell(loader, 1),
                                  cell(loader, 2), cell(loader, 3), flag(loader, 4));
}

static void
read_group_eligibility(Loader *loader)
{
    path_add_eligible(loader->world->model, cell(loader, 0), cell(loader, 1), flag(loader, 2));
}

static void
read_activation_rule(Loader *loader)
{
    path_add_activation_rule(loader->world->model, cell(loader, 0), cell(loader, 1),
                             cell(loader, 2), flag(loader, 3), rows_dynamic(loader->reader, 4),
                             cell(loader, 5));
}

static void
read_permission(Loader *loader)
{
    path_add_permission(loader->world->model, cell(loader, 0), cell(loader, 1),
                        path_permission_name(&loader->world->tables, cell(loader, 2)));
}

static void
read_federated(Loader *loader)
{
    path_add_federated(loader->world->model, cell(loader, 0), cell(loader, 1), cell(loader, 2),
                       cell(loader, 3));
}

static void
read_resource(Loader *loader)
{
    path_add_resource(loader->world->model, cell(loader, 0), cell(loader, 1), cell(loader, 2),
                      rows_dynamic(loader->reader, 3), rows_dynamic(loader->reader, 4));
}

static void
read_sql_role(Loader *loader)
{
    path_add_sql_role(loader->world->model, cell(loader, 0), cell(loader, 1), cell(loader, 2));
}

static void
read_custom_role(Loader *loader)
{
    path_add_custom_role(loader->world->model, cell(loader, 0), cell(loader, 1),
                         rows_dynamic(loader->reader, 2));
}

static void
read_prompt_log(Loader *loader)
{
    path_add_prompt_log(loader->world->model, cell(loader, 0), cell(loader, 1));
}

// What the rules of a PIM policy ask of whoever activates: rows of read_activation_rule.
#define ACTIVATION_RULES                                                                           \
    " | mv-apply rule = all on (summarize"                                                         \
    " approval = take_anyif(rule.setting, rule.id =~ 'Approval_EndUser_Assignment'),"              \
    " enabled = tostring(take_anyif(rule.enabledRules,"                                            \
    " rule.id =~ 'Enablement_EndUser_Assignment')),"                                               \
    " context = countif(rule.id =~ 'AuthenticationContext_EndUser_Assignment' and"                 \
    " tobool(rule.isEnabled)))"                                                                    \
    " | extend asked = tolong(coalesce(tobool(approval.isApprovalRequired), false))"               \
    " | project id, roleDefinitionId, at, asked, approval.approvalStages,"                         \
    " strcat_array(set_difference(pack_array(iff(asked == 1, 'an approver', ''),"                  \
    " iff(enabled has 'MultiFactorAuthentication', 'a second factor', ''),"                        \
    " iff(context > 0, 'an authentication context', ''),"                                          \
    " iff(enabled has 'Justification', 'a reason', ''),"                                           \
    " iff(enabled has 'Ticketing', 'a ticket', '')), dynamic([''])), ', ')"

#define MANAGED_IDENTITY "microsoft.managedidentity/userassignedidentities"

static const struct {
    const char *query;
    void (*read)(Loader *loader);
} FACTS[] = {
    {"resourcecontainers | project id, iff(type =~ 'microsoft.management/managementgroups',"
     " coalesce(tostring(properties.displayName), name), name)",
     read_scope},
    {"users | project id, iff(isempty(userPrincipalName), displayName, userPrincipalName),"
     " tolong(userType =~ 'Guest')",
     read_user},
    {"groups | project id, displayName, tolong(isAssignableToRole),"
     " iff(tostring(groupTypes) has 'DynamicMembership', membershipRule, '')",
     read_group},
    {"applications | project id, appId, displayName", read_application},
    {"servicePrincipals | project id, appId, displayName,"
     " tolong(servicePrincipalType =~ 'ManagedIdentity'), 0",
     read_service_principal},
    {"applicationOwners | project applicationId, id", read_owner},
    {"servicePrincipalOwners | project servicePrincipalId, id", read_owner},
    {"groupOwners | project groupId, id", read_owner},
    {"directoryRoleDefinitions | where isBuiltIn == false | mv-expand part = rolePermissions"
     " | mv-expand action = part.allowedResourceActions to typeof(string)"
     " | summarize make_list(action) by id, displayName | project id, displayName, list_action",
     read_directory_role},
    {"directoryRoleAssignments | project id, principalId, roleDefinitionId, directoryScopeId, 0",
     read_directory_assignment},
    {"directoryRoleEligibilitySchedules | where status =~ 'Provisioned' or isempty(status)"
     " | project id, principalId, roleDefinitionId, directoryScopeId, 1",
     read_directory_assignment},
    {"privilegedGroupEligibility | project groupId, principalId, tolong(accessId =~ 'owner')",
     read_group_eligibility},
    {"roleManagementPolicies | extend at = scope,"
     " all = iff(array_length(effectiveRules) > 0, effectiveRules, rules)" ACTIVATION_RULES,
     read_activation_rule},
    {"directoryRoleManagementPolicies | where scopeType =~ 'DirectoryRole' or isempty(scopeType)"
     " | extend at = '/', all = policy.rules" ACTIVATION_RULES,
     read_activation_rule},
    {"groupRoleManagementPolicies | extend at = scopeId, all = policy.rules" ACTIVATION_RULES,
     read_activation_rule},
    {"let graph = servicePrincipals | where appId =~ '00000003-0000-0000-c000-000000000000'"
     " | project id; appRoleAssignments | where resourceId in (graph)"
     " or resourceDisplayName =~ 'Microsoft Graph' | project id, principalId, appRoleId",
     read_permission},
    {"federatedIdentityCredentials | project id, applicationId, issuer, subject", read_federated},
    {"resources | where type =~ '" MANAGED_IDENTITY "/federatedidentitycredentials'"
     " | project id, tostring(split(id, '/federatedIdentityCredentials/')[0]),"
     " tostring(properties.issuer), tostring(properties.subject)",
     read_federated},
    {"resourcecontainers | where type =~ 'microsoft.resources/subscriptions'"
     " | project id, type, '', dynamic(null), dynamic(null)",
     read_resource},
    {"policyresources | where type =~ 'microsoft.authorization/policyassignments' and"
     " isnotempty(identity) | project id, type, '', identity, dynamic(null)",
     read_resource},
    {"resources | where type =~ 'microsoft.documentdb/databaseaccounts/sqlroleassignments'"
     " | project tostring(properties.principalId), tostring(properties.roleDefinitionId),"
     " tostring(properties.scope)",
     read_sql_role},
    {"authorizationresources | where type =~ 'microsoft.authorization/roledefinitions' and"
     " properties.type =~ 'CustomRole' | project id, tostring(properties.roleName),"
     " properties.assignableScopes",
     read_custom_role},
    {"diagnosticSettings | mv-expand entry = properties.logs"
     " | where tobool(entry.enabled) and (tostring(entry.category) in~ ('RequestResponse',"
     " 'GatewayLlmLogs', 'GatewayLogs') or tostring(entry.categoryGroup) =~ 'allLogs')"
     " | extend source = extract('^(.*)/providers/microsoft.insights/diagnosticsettings/', 1,"
     " tolower(id)) | where source has_any ('microsoft.cognitiveservices/accounts',"
     " 'microsoft.apimanagement/service')"
     " | mv-expand target = pack_array(properties.workspaceId, properties.storageAccountId)"
     " to typeof(string) | where isnotempty(target) | distinct source, target",
     read_prompt_log},
};

// The types that rules are about, and those that lead to or expose others.
static void
write_types(Buffer *query, const PathTables *tables)
{
    static const char *const MORE[] = {
        MANAGED_IDENTITY,
        "microsoft.network/networkinterfaces",
        "microsoft.network/networksecuritygroups",
        "microsoft.network/virtualnetworks",
        "microsoft.app/managedenvironments",
        "microsoft.cognitiveservices/accounts/projects",
    };
    for (size_t i = 0; i < COUNT_OF(MORE); i++) {
        buffer_text(query, i ? ", " : "");
        json_write_string(query, str_from(MORE[i]), false);
    }
    for (size_t i = 0; i < tables->rules_of.len; i++) {
        buffer_text(query, ", ");
        json_write_string(query, tables->rules_of.entries[i].key, false);
    }
}

static bool
read_facts(Database *db, Loader *loader, Str query, void (*read)(Loader *loader), AzError *error)
{
    QueryOptions options = {0};
    QueryResult *result = db_query(db, loader->arena, query, &options, error);
    if (!result)
        return false;
    RowReader reader = {.table = result->tables[0]};
    loader->reader = &reader;
    while (rows_next(&reader))
        read(loader);
    return true;
}

static bool
read_all(Database *db, Loader *loader, AzError *error)
{
    for (size_t i = 0; i < COUNT_OF(FACTS); i++)
        if (!read_facts(db, loader, str_from(FACTS[i].query), FACTS[i].read, error))
            return false;
    Buffer query = {0};
    buffer_text(&query, "resources | where isnotempty(identity) or type in~ (");
    write_types(&query, &loader->world->tables);
    // In one order, whatever the import's: of ways that are equally good the first is shown, and
    // a tenant that did not change shows the same.
    buffer_text(&query, ") | project id, type, kind, identity, properties | order by id asc");
    bool done = read_facts(db, loader, buffer_slice(&query), read_resource, error);
    buffer_free(&query);
    return done;
}

bool
path_load(Database *db, Arena *arena, int64_t at, PathWorld *out, AzError *error)
{
    *out = (PathWorld){0};
    if (!path_tables_load(arena, content_dir(db_content(db)), &out->tables, error) ||
        !access_load(db, arena, STAR_SEGMENT_ZERO, &out->access, error))
        return false;
    out->model = path_new(arena, &out->tables, out->access.model, at);
    Arena rows = {0};
    Loader loader = {.world = out, .arena = &rows};
    bool done = read_all(db, &loader, error);
    if (done)
        path_finish(out->model);
    arena_free(&rows);
    return done;
}
