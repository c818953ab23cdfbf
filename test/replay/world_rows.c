// The rows of a made-up tenant, each from its number.
//
// What kinds of resources there are, and how long their lists, follows usual tenants: of a
// thousand resources of a subscription some twenty are AI, many are disks and interfaces.

#include "replay/world_parts.h"

#include "base/array.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *type;
    uint32_t count; // of a thousand
} KINDS[] = {
    {"microsoft.cognitiveservices/accounts", 8},
    {"microsoft.machinelearningservices/workspaces", 4},
    {"microsoft.search/searchservices", 4},
    {"microsoft.apimanagement/service", 1},
    {"microsoft.storage/storageaccounts", 40},
    {"microsoft.keyvault/vaults", 20},
    {"microsoft.web/sites", 30},
    {"microsoft.containerregistry/registries", 5},
    {"microsoft.containerservice/managedclusters", 4},
    {"microsoft.documentdb/databaseaccounts", 6},
    {"microsoft.operationalinsights/workspaces", 5},
    {"microsoft.managedidentity/userassignedidentities", 40},
    {"microsoft.sql/servers/databases", 20},
    {"microsoft.network/networksecuritygroups", 60},
    {"microsoft.network/publicipaddresses", 50},
    {"microsoft.network/virtualnetworks", 15},
    {"microsoft.network/privateendpoints", 60},
    {"microsoft.network/networkinterfaces", 150},
    {"microsoft.compute/virtualmachines", 120},
    {"microsoft.compute/disks", 358},
};

// How many objects the lists of Resource Manager hold; those not named here are empty.
static const struct {
    const char *list;
    uint32_t count;
} LISTS[] = {
    {"deployments", 2},
    {"raiPolicies", 2},
    {"connections", 1},
    {"projects", 1},
    {"computes", 2},
    {"datastores", 2},
    {"onlineEndpoints", 1},
    {"outboundRules", 1},
    {"data", 1},
    {"models", 1},
    {"versions", 1},
    {"environments", 1},
    {"blobServices", 1},
    {"containers", 3},
    {"secrets", 2},
    {"keys", 1},
    {"apis", 3},
    {"policies", 1},
    {"diagnostics", 1},
    {"products", 1},
    {"backends", 2},
    {"namedValues", 2},
    {"loggers", 1},
    {"config", 1},
    {"tables", 20},
    {"onboardingStates", 1},
    {"alertRules", 5},
    {"diagnosticSettings", 1},
    {"pricings", 12},
    {"securityContacts", 1},
    {"locks", 1},
    {"roleManagementPolicyAssignments", 10},
    {"federatedIdentityCredentials", 1},
    {"roleAssignmentScheduleInstances", 4},
    {"roleEligibilityScheduleInstances", 4},
};

static const char PADDING[] =
    "\"provisioningState\":\"Succeeded\",\"publicNetworkAccess\":\"Disabled\","
    "\"minimumTlsVersion\":"
    "\"TLS1_2\",\"networkAcls\":{\"defaultAction\":\"Deny\",\"bypass\":\"AzureServices\","
    "\"ipRules\":[],"
    "\"virtualNetworkRules\":[]},\"encryption\":{\"keySource\":\"Microsoft.KeyVault\"},"
    "\"privateEndpointConnections\":[],\"creationTime\":\"2026-01-10T09:00:00.000Z\"";

static void
put_guid(Buffer *out, const char *kind, uint32_t number)
{
    buffer_printf(out, "%08x-%04x-4000-8000-%012x", number, (unsigned)kind[0] << 4 | 1,
                  number * 2654435761u);
}

// ---- pages ----

// The number behind `name` in the text, or `none`.
static uint64_t
number_of(Str text, Str name, uint64_t none)
{
    ptrdiff_t at = str_find(text, name);
    uint64_t value = 0;
    size_t from = (size_t)at + name.len, i = from;
    if (at < 0)
        return none;
    while (i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9')
        value = value * 10 + (uint64_t)(text.ptr[i++] - '0');
    return i > from ? value : none;
}

typedef void (*PutRow)(const World *world, Buffer *out, Str path, uint32_t number);

// Rows from `from` on. Returns where the next page begins, 0: nowhere.
static uint64_t
put_rows(World *world, Buffer *out, Str path, PutRow put, uint64_t from, uint64_t size,
         uint64_t count)
{
    uint64_t end = from + size < count ? from + size : count;
    for (uint64_t i = from; i < end; i++) {
        buffer_text(out, i > from ? "," : "");
        put(world, out, path, (uint32_t)i);
        world->rows++;
    }
    return end < count ? end : 0;
}

// ---- Resource Graph ----

static void
put_subscription(Buffer *out, const World *world, uint32_t number)
{
    put_guid(out, "subscription", number % world->options.subscriptions);
}

static void
put_container(const World *world, Buffer *out, Str path, uint32_t number)
{
    bool group = number >= world->options.subscriptions;
    (void)path;
    buffer_text(out, "{\"id\":\"/subscriptions/");
    put_subscription(out, world, number);
    if (group)
        buffer_printf(out, "/resourceGroups/rg-%u", number);
    buffer_printf(out, "\",\"name\":\"c%u\",\"type\":\"microsoft.resources/subscriptions%s\",%s}",
                  number, group ? "/resourcegroups" : "",
                  "\"properties\":{\"state\":\"Enabled\",\"managementGroupAncestorsChain\":[]}");
}

static void
put_resource(const World *world, Buffer *out, Str path, uint32_t number)
{
    uint32_t place = number / world->options.subscriptions % 1000, kind = 0;
    (void)path;
    while (kind + 1 < COUNT_OF(KINDS) && place >= KINDS[kind].count)
        place -= KINDS[kind++].count;
    buffer_text(out, "{\"id\":\"/subscriptions/");
    put_subscription(out, world, number);
    buffer_printf(out, "/resourceGroups/rg-%u/providers/%s/r%u\",\"name\":\"r%u\",\"type\":\"%s\",",
                  number % 17, KINDS[kind].type, number, number, KINDS[kind].type);
    buffer_text(out,
                "\"location\":\"swedencentral\",\"tags\":{\"env\":\"prod\"},\"subscriptionId\":\"");
    put_subscription(out, world, number);
    buffer_printf(out, "\",\"properties\":{%s}}", PADDING);
}

static void
put_assignment(const World *world, Buffer *out, Str path, uint32_t number)
{
    (void)path;
    buffer_text(out, "{\"id\":\"/subscriptions/");
    put_subscription(out, world, number);
    buffer_printf(out,
                  "/providers/Microsoft.Authorization/roleAssignments/a%u\",\"type\":"
                  "\"microsoft.authorization/roleassignments\",\"properties\":{\"principalId\":\"",
                  number);
    put_guid(out, "principal", number % world->options.principals);
    buffer_text(out, "\",\"principalType\":\"ServicePrincipal\"}}");
}

void
world_query_rows(World *world, Str request, Buffer *out)
{
    const WorldOptions *options = &world->options;
    const struct {
        const char *table;
        PutRow put;
        uint64_t count;
    } tables[] = {
        {"\"ResourceContainers ", put_container, options->subscriptions * (uint64_t)6},
        {"\"Resources ", put_resource, options->resources},
        {"\"AuthorizationResources ", put_assignment, options->resources / 10},
        {"\"PolicyResources ", put_assignment, options->resources / 25},
        {"\"SecurityResources ", put_assignment, options->resources / 16},
        {"\"InsightsResources ", put_assignment, options->resources / 100},
    };
    uint64_t from = number_of(request, STR("\"$skipToken\":\""), 0), next = 0;
    uint64_t size = number_of(request, STR("\"$top\":"), 100);
    size = size > 1000 ? 1000 : size;
    buffer_text(out, "{\"resultTruncated\":\"false\",\"data\":[");
    for (size_t i = 0; i < COUNT_OF(tables); i++)
        if (str_find(request, str_from(tables[i].table)) >= 0)
            next = put_rows(world, out, STR(""), tables[i].put, from, size, tables[i].count);
    buffer_text(out, "]");
    if (next)
        buffer_printf(out, ",\"$skipToken\":\"%" PRIu64 "\"", next);
    buffer_char(out, '}');
}

// ---- Resource Manager ----

// "microsoft.x/a/b" of ".../providers/microsoft.x/a/NAME/b".
static void
put_type(Buffer *out, Str path)
{
    Str mark = STR("/providers/");
    size_t at = 0;
    for (size_t i = 0; i + mark.len < path.len; i++)
        if (str_starts(str_slice(path, i, path.len), mark))
            at = i + mark.len;
    size_t part = 0;
    for (size_t i = at; i < path.len; i++) {
        if (path.ptr[i] == '/')
            part++;
        // The namespace, and of type and name in turn the type.
        if (part == 0 || part % 2 == 1)
            buffer_char(out, path.ptr[i]);
    }
}

static void
put_child(const World *world, Buffer *out, Str path, uint32_t number)
{
    (void)world;
    buffer_printf(out, "{\"id\":\"%.*s/c%u\",\"name\":\"c%u\",\"type\":\"", STR_ARG(path), number,
                  number);
    put_type(out, path);
    buffer_printf(out, "\",\"properties\":{%s}}", PADDING);
}

void
world_arm_rows(World *world, Str path, Buffer *out)
{
    ptrdiff_t query = str_find(path, STR("?"));
    path = str_slice(path, 0, query < 0 ? path.len : (size_t)query);
    size_t last = path.len;
    while (last && path.ptr[last - 1] != '/')
        last--;
    uint32_t count = 0;
    for (size_t i = 0; i < COUNT_OF(LISTS); i++)
        if (str_equal(str_slice(path, last, path.len), str_from(LISTS[i].list)))
            count = LISTS[i].count;
    buffer_text(out, "{\"value\":[");
    put_rows(world, out, path, put_child, 0, count, count);
    buffer_text(out, "]}");
}

// ---- Microsoft Graph ----

static void
put_object(const World *world, Buffer *out, Str path, uint32_t number)
{
    (void)world;
    buffer_text(out, "{\"id\":\"");
    put_guid(out, path.ptr + 1, number);
    buffer_printf(out,
                  "\",\"displayName\":\"object %u\",\"userPrincipalName\":\"user%u@contoso.com\","
                  "\"userType\":\"Member\",\"accountEnabled\":true,\"servicePrincipalType\":\"%s\","
                  "\"isAssignableToRole\":%s,\"createdDateTime\":\"2026-01-10T09:00:00Z\"}",
                  number, number, number % 3 ? "Application" : "ManagedIdentity",
                  number % 100 ? "null" : "true");
}

// The list of an object: a few of everything, and one group of everybody.
static uint64_t
inner_count(const World *world, Str path)
{
    if (str_starts(path, STR("/groups/00000000-")) && str_find(path, STR("/members")) > 0)
        return world->options.users;
    return str_find(path, STR("/members")) > 0 ? 9 : str_find(path, STR("/owners")) > 0 ? 1 : 2;
}

void
world_graph_rows(World *world, Str path, Buffer *out)
{
    const WorldOptions *options = &world->options;
    const struct {
        const char *list;
        uint64_t count;
    } lists[] = {
        {"/users", options->users},
        {"/groups", options->groups},
        {"/servicePrincipals", options->principals},
        {"/applications", options->applications},
        {"/oauth2PermissionGrants", options->principals},
        {"/reports/authenticationMethods/userRegistrationDetails", options->users},
        {"/identityProtection/riskyUsers", options->users / 300},
        {"/identity/conditionalAccess/policies", 150},
        {"/identity/conditionalAccess/namedLocations", 30},
        {"/roleManagement/directory/roleDefinitions", 120},
        {"/roleManagement/directory/roleAssignments", 500},
        {"/roleManagement/directory/roleEligibilitySchedules", 300},
        {"/policies/roleManagementPolicyAssignments", 120},
        {"/identityGovernance/accessReviews/definitions", 40},
    };
    ptrdiff_t query = str_find(path, STR("?"));
    Str plain = str_slice(path, 0, query < 0 ? path.len : (size_t)query);
    uint64_t count = inner_count(world, path), from = number_of(path, STR("$skiptoken="), 0);
    for (size_t i = 0; i < COUNT_OF(lists); i++)
        if (str_equal(plain, str_from(lists[i].list)))
            count = lists[i].count;
    uint64_t size = number_of(path, STR("$top="), 100);
    buffer_text(out, "{\"value\":[");
    uint64_t next = put_rows(world, out, plain, put_object, from, size, count);
    buffer_char(out, ']');
    if (next) {
        // The same address from there on.
        ptrdiff_t token = str_find(path, STR("$skiptoken="));
        Str kept = str_slice(path, 0, token < 0 ? path.len : (size_t)token - 1);
        buffer_printf(
            out,
            ",\"@odata.nextLink\":\"https://graph.microsoft.com/v1.0%.*s%s$skiptoken=%" PRIu64 "\"",
            STR_ARG(kept), str_find(kept, STR("?")) < 0 ? "?" : "&", next);
    }
    buffer_char(out, '}');
}
