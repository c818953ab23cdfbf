// The table of sources has what an assessment of AI on Azure needs to know, and each data set fills a
// table that has a schema, so that an empty one can be asked for, too.

#include "base/array.h"
#include "collect/source.h"
#include "db/content.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

typedef struct Wanted {
    const char *what;
    const char *type;  // the parents' type, or NULL
    const char *holds; // that its query or path has; behind {id}, when there is a type
    const char *table;
} Wanted;

static const Wanted WANTED[] = {
    // Resource Graph.
    {"resources", NULL, "Resources |", "resources"},
    {"subscriptions and resource groups", NULL, "ResourceContainers |", "resourcecontainers"},
    {"role definitions and assignments", NULL, "AuthorizationResources |",
     "authorizationresources"},
    {"policy states", NULL, "policystates", "policyresources"},
    {"policy definitions", NULL, "policydefinitions", "policyresources"},
    {"policy assignments and exemptions", NULL, "PolicyResources |", "policyresources"},
    {"security assessments", NULL, "microsoft.security/assessments", "securityresources"},
    {"delegations", NULL, "ManagedServicesResources |", "managedservicesresources"},
    // AI.
    {"deployments", "microsoft.cognitiveservices/accounts", "/deployments", "resources"},
    {"content filters", "microsoft.cognitiveservices/accounts", "/raiPolicies", "resources"},
    {"block lists", "microsoft.cognitiveservices/accounts", "/raiBlocklists", "resources"},
    {"connections", "microsoft.cognitiveservices/accounts", "/connections", "resources"},
    {"projects", "microsoft.cognitiveservices/accounts", "/projects", "resources"},
    {"connections of projects", "microsoft.cognitiveservices/accounts/projects", "/connections",
     "resources"},
    {"agents", "microsoft.cognitiveservices/accounts/projects", "/applications", "resources"},
    {"deployed agents", "microsoft.cognitiveservices/accounts/projects/applications",
     "/agentDeployments", "resources"},
    // Machine Learning.
    {"computes", "microsoft.machinelearningservices/workspaces", "/computes", "resources"},
    {"datastores", "microsoft.machinelearningservices/workspaces", "/datastores", "resources"},
    {"online endpoints", "microsoft.machinelearningservices/workspaces", "/onlineEndpoints",
     "resources"},
    {"their deployments", "microsoft.machinelearningservices/workspaces/onlineendpoints",
     "/deployments", "resources"},
    {"batch endpoints", "microsoft.machinelearningservices/workspaces", "/batchEndpoints",
     "resources"},
    {"serverless endpoints", "microsoft.machinelearningservices/workspaces", "/serverlessEndpoints",
     "resources"},
    {"data assets", "microsoft.machinelearningservices/workspaces", "/data", "resources"},
    {"models", "microsoft.machinelearningservices/workspaces", "/models", "resources"},
    {"versions of models", "microsoft.machinelearningservices/workspaces/models", "/versions",
     "resources"},
    {"models of registries", "microsoft.machinelearningservices/registries", "/models",
     "resources"},
    {"data assets of registries", "microsoft.machinelearningservices/registries", "/data",
     "resources"},
    // Around them.
    {"diagnostic settings of AI", "microsoft.cognitiveservices/accounts", "/diagnosticSettings",
     "diagnosticsettings"},
    {"diagnostic settings of subscriptions", "microsoft.resources/subscriptions",
     "/diagnosticSettings", "diagnosticsettings"},
    {"names of secrets", "microsoft.keyvault/vaults", "/secrets", "resources"},
    {"keys", "microsoft.keyvault/vaults", "/keys", "resources"},
    {"configuration of sites", "microsoft.web/sites", "/config", "resources"},
    {"private DNS zone groups", "microsoft.network/privateendpoints", "/privateDnsZoneGroups",
     "resources"},
    {"Defender plans", "microsoft.resources/subscriptions", "/pricings", "securityresources"},
    {"aliases of policies", NULL, "?$expand=resourceTypes/aliases", "providerAliases"},
    {"deny assignments", "microsoft.resources/subscriptions", "/denyAssignments",
     "authorizationresources"},
    {"eligible roles", "microsoft.resources/subscriptions", "/roleEligibilityScheduleInstances",
     "roleEligibilityScheduleInstances"},
    {"active roles", "microsoft.resources/subscriptions", "/roleAssignmentScheduleInstances",
     "roleAssignmentScheduleInstances"},
    {"locks", "microsoft.resources/subscriptions", "/locks", "resources"},
    // Microsoft Graph.
    {"users", NULL, "/users?", "users"},
    {"groups", NULL, "/groups?", "groups"},
    {"members", NULL, "/groups/{id}/members", "groupMembers"},
    {"owners of groups", NULL, "/groups/{id}/owners", "groupOwners"},
    {"service principals", NULL, "/servicePrincipals?", "servicePrincipals"},
    {"owners of service principals", NULL, "/servicePrincipals/{id}/owners",
     "servicePrincipalOwners"},
    {"applications", NULL, "/applications?", "applications"},
    {"owners of applications", NULL, "/applications/{id}/owners", "applicationOwners"},
    {"grants of app roles", NULL, "/servicePrincipals/{id}/appRoleAssignments",
     "appRoleAssignments"},
    {"delegated grants", NULL, "/oauth2PermissionGrants?", "oauth2PermissionGrants"},
    {"federated credentials", NULL, "/applications/{id}/federatedIdentityCredentials",
     "federatedIdentityCredentials"},
    {"federated credentials of managed identities",
     "microsoft.managedidentity/userassignedidentities", "/federatedIdentityCredentials",
     "resources"},
    {"conditional access", NULL, "/identity/conditionalAccess/policies",
     "conditionalAccessPolicies"},
    {"named locations", NULL, "/identity/conditionalAccess/namedLocations", "namedLocations"},
    {"roles of the directory", NULL, "/roleManagement/directory/roleDefinitions",
     "directoryRoleDefinitions"},
    {"their assignments", NULL, "/roleManagement/directory/roleAssignments",
     "directoryRoleAssignments"},
    {"eligible for them", NULL, "/roleManagement/directory/roleEligibilitySchedules",
     "directoryRoleEligibilitySchedules"},
    {"active in them", NULL, "/roleManagement/directory/roleAssignmentScheduleInstances",
     "directoryRoleAssignmentScheduleInstances"},
    {"access reviews", NULL, "/identityGovernance/accessReviews/definitions?", "accessReviews"},
    {"their instances", NULL, "/accessReviews/definitions/{id}/instances", "accessReviewInstances"},
    {"sign-in activity", NULL, "signInActivity", "userSignInActivity"},
};

static bool
has_type(const Source *source, const char *type)
{
    for (size_t i = 0; type && i < source->type_count; i++)
        if (str_equal_ci(source->types[i], str_from(type)))
            return true;
    return !type;
}

static bool
is_it(const Source *source, const Wanted *wanted)
{
    Str text = source->query.len ? source->query : source->path;
    Str holds = str_from(wanted->holds);
    if (!str_equal_ci(source->table, str_from(wanted->table)) || !has_type(source, wanted->type))
        return false;
    return wanted->type ? str_starts(text, STR("{id}/")) && str_ends(text, holds)
                        : str_find(text, holds) >= 0;
}

static void
load(Arena *arena, SourceSet *set)
{
    AzError error = {0};
    if (!sources_load(arena, getenv("AZIMUTH_CONTENT"), set, &error))
        fail_msg("%s", error.message);
}

static void
test_all_are_there(void **state)
{
    Arena arena = {0};
    SourceSet set;
    (void)state;
    load(&arena, &set);
    for (size_t i = 0; i < COUNT_OF(WANTED); i++) {
        size_t found = 0;
        for (size_t k = 0; k < set.len; k++)
            found += is_it(&set.items[k], &WANTED[i]);
        if (!found)
            fail_msg("no source reads %s", WANTED[i].what);
    }
    arena_free(&arena);
}

static void
test_schemas(void **state)
{
    Arena arena = {0};
    SourceSet set;
    AzError error = {0};
    (void)state;
    load(&arena, &set);
    Content *content = content_open(getenv("AZIMUTH_CONTENT"), &error);
    assert_non_null(content);
    for (size_t i = 0; i < set.len; i++) {
        const Source *source = &set.items[i];
        Str canonical;
        const Schema *schema;
        TableKind kind;
        if (!content_schema(content, source->table, &canonical, &schema, &kind))
            fail_msg("the table %.*s of %.*s has no schema", STR_ARG(source->table),
                     STR_ARG(source->name));
        for (size_t k = 0; k < source->set_count; k++) {
            bool found = false;
            for (size_t c = 0; c < schema->count; c++)
                found = found || str_equal(schema->columns[c].name, source->set[k].name);
            if (!found)
                fail_msg("%.*s sets %.*s, which is no column of %.*s", STR_ARG(source->name),
                         STR_ARG(source->set[k].name), STR_ARG(source->table));
        }
    }
    content_close(content);
    arena_free(&arena);
}

// A refresh takes over only what something tells the changes of.
static void
test_refresh(void **state)
{
    static const Str without[] = {
        STR_INIT("vault-secret-names"),
        STR_INIT("vault-keys"),
        STR_INIT("blob-containers"),
        STR_INIT("ai-deployments"),
        STR_INIT("ml-computes"),
        STR_INIT("ml-models"),
        STR_INIT("ml-data"),
        STR_INIT("sentinel-rules"),
        STR_INIT("appRoleAssignments"),
        STR_INIT("servicePrincipalOwners"),
        STR_INIT("riskyUsers"),
        STR_INIT("resourcecontainers"),
    };
    Arena arena = {0};
    SourceSet set;
    (void)state;
    load(&arena, &set);
    assert_non_null(set.changed);
    assert_non_null(set.history);
    assert_non_null(set.activity);
    size_t seen = 0;
    for (size_t i = 0; i < set.len; i++) {
        const Source *source = &set.items[i];
        for (size_t k = 0; k < COUNT_OF(without); k++)
            if (str_equal(source->name, without[k])) {
                assert_int_equal(source->refresh, REFRESH_ALWAYS);
                seen++;
            }
        // The history of changes is that of resources; a directory's list needs its parents' delta.
        if (source->refresh == REFRESH_CHANGES && source->service == SERVICE_ARM)
            assert_true(
                str_equal(source->each.len ? source->each : source->table, STR("resources")));
        for (size_t k = 0; source->refresh == REFRESH_CHANGES && k < set.len; k++)
            if (source->service == SERVICE_GRAPH && str_equal(set.items[k].name, source->each))
                assert_int_equal(set.items[k].refresh, REFRESH_DELTA);
    }
    assert_int_equal(seen, COUNT_OF(without));
    arena_free(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_are_there),
        cmocka_unit_test(test_schemas),
        cmocka_unit_test(test_refresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
