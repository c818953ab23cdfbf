// Where the objects of recorded answers go.
//
// Azure Resource Manager: an object with an id that has a type goes to the Resource
// Graph table that holds this type. Microsoft Graph: the collection's path names the
// table. Both are tables of data here; what matches no row of them has no route, and
// is kept as an answer in RestAnswers.
// Sources: Azure Resource Graph, "Supported tables and resource types"; Microsoft
// Graph REST reference, the paths of each resource's list and get operations.

#include "store/ingest_parts.h"

#include "base/array.h"

// The first prefix of the type that fits decides.
static const struct {
    Str prefix, table;
} arm_routes[] = {
    {STR_INIT("microsoft.insights/diagnosticsettings"), STR_INIT("diagnosticSettings")},
    {STR_INIT("microsoft.authorization/policy"), STR_INIT("PolicyResources")},
    {STR_INIT("microsoft.policyinsights/"), STR_INIT("PolicyResources")},
    {STR_INIT("microsoft.authorization/"), STR_INIT("AuthorizationResources")},
    {STR_INIT("microsoft.security/"), STR_INIT("SecurityResources")},
    {STR_INIT("microsoft.resources/subscriptions"), STR_INIT("ResourceContainers")},
    {STR_INIT("microsoft.resources/resourcegroups"), STR_INIT("ResourceContainers")},
    {STR_INIT("microsoft.management/managementgroups"), STR_INIT("ResourceContainers")},
    {STR_INIT("microsoft.advisor/"), STR_INIT("AdvisorResources")},
    {STR_INIT("microsoft.resourcehealth/"), STR_INIT("HealthResources")},
    {STR_INIT("microsoft.maintenance/"), STR_INIT("MaintenanceResources")},
    {STR_INIT(""), STR_INIT("Resources")},
};

// Paths of Microsoft Graph behind the version; "*" is any one segment, and the first
// of them is the value of `key`. One more segment (an object's id) may follow.
static const struct {
    Str path, table, key;
} graph_routes[] = {
    {STR_INIT("groups/*/members"), STR_INIT("groupMembers"), STR_INIT("groupId")},
    {STR_INIT("groups/*/owners"), STR_INIT("groupOwners"), STR_INIT("groupId")},
    {STR_INIT("applications/*/owners"), STR_INIT("applicationOwners"), STR_INIT("applicationId")},
    {STR_INIT("servicePrincipals/*/owners"), STR_INIT("servicePrincipalOwners"),
     STR_INIT("servicePrincipalId")},
    {STR_INIT("applications/*/federatedIdentityCredentials"),
     STR_INIT("federatedIdentityCredentials"), STR_INIT("applicationId")},
    {STR_INIT("servicePrincipals/*/appRoleAssignedTo"), STR_INIT("appRoleAssignments"),
     STR_INIT("")},
    {STR_INIT("servicePrincipals/*/appRoleAssignments"), STR_INIT("appRoleAssignments"),
     STR_INIT("")},
    {STR_INIT("groups/*/appRoleAssignments"), STR_INIT("appRoleAssignments"), STR_INIT("")},
    {STR_INIT("users/*/appRoleAssignments"), STR_INIT("appRoleAssignments"), STR_INIT("")},
    {STR_INIT("identity/conditionalAccess/policies"), STR_INIT("conditionalAccessPolicies"),
     STR_INIT("")},
    {STR_INIT("identity/conditionalAccess/namedLocations"), STR_INIT("namedLocations"),
     STR_INIT("")},
    {STR_INIT("roleManagement/directory/roleAssignments"), STR_INIT("directoryRoleAssignments"),
     STR_INIT("")},
    {STR_INIT("roleManagement/directory/roleDefinitions"), STR_INIT("directoryRoleDefinitions"),
     STR_INIT("")},
    {STR_INIT("identityGovernance/accessReviews/definitions"), STR_INIT("accessReviews"),
     STR_INIT("")},
};

// First path segments of Graph that are no collections of objects.
static const Str no_collections[] = {
    STR_INIT("me"),       STR_INIT("$batch"),   STR_INIT("reports"), STR_INIT("security"),
    STR_INIT("identity"), STR_INIT("policies"), STR_INIT("search"),  STR_INIT("print"),
};

enum { SEGMENTS_MAX = 16, TABLE_NAME_MAX = 64 };

typedef struct Path {
    Str items[SEGMENTS_MAX];
    size_t len;
} Path;

// The segments of the URL's path; `host` is empty when the URL has none.
static bool
url_split(Str url, Str *host, Path *path)
{
    ptrdiff_t scheme = str_find(url, STR("://"));
    size_t at = scheme < 0 ? 0 : (size_t)scheme + 3;
    *host = (Str){0};
    if (scheme >= 0) {
        size_t from = at;
        while (at < url.len && url.ptr[at] != '/' && url.ptr[at] != '?')
            at++;
        *host = str_slice(url, from, at);
    }
    path->len = 0;
    while (at < url.len && url.ptr[at] != '?' && url.ptr[at] != '#') {
        size_t from = at;
        while (at < url.len && url.ptr[at] != '/' && url.ptr[at] != '?' && url.ptr[at] != '#')
            at++;
        if (at > from) {
            if (path->len == SEGMENTS_MAX)
                return false;
            path->items[path->len++] = str_slice(url, from, at);
        }
        at += at < url.len && url.ptr[at] == '/';
    }
    return true;
}

static bool
starts_ci(Str text, Str prefix)
{
    return text.len >= prefix.len && str_equal_ci(str_slice(text, 0, prefix.len), prefix);
}

// Whether the path is the pattern, or an object below it; *wild gets the first "*".
static bool
path_fits(const Path *path, size_t from, Str pattern, bool is_page, Str *wild)
{
    size_t at = 0, i = from;
    *wild = (Str){0};
    while (at < pattern.len) {
        size_t start = at;
        while (at < pattern.len && pattern.ptr[at] != '/')
            at++;
        Str word = str_slice(pattern, start, at++);
        if (i >= path->len)
            return false;
        if (str_equal(word, STR("*"))) {
            if (!wild->ptr)
                *wild = path->items[i];
        } else if (!str_equal_ci(word, path->items[i])) {
            return false;
        }
        i++;
    }
    return i == path->len || (i + 1 == path->len && !is_page);
}

static bool
is_collection_name(Str name)
{
    if (!name.len || name.len > TABLE_NAME_MAX)
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (!((name.ptr[i] | 32) >= 'a' && (name.ptr[i] | 32) <= 'z') &&
            !(i && name.ptr[i] >= '0' && name.ptr[i] <= '9'))
            return false;
    for (size_t i = 0; i < COUNT_OF(no_collections); i++)
        if (str_equal_ci(no_collections[i], name))
            return false;
    return true;
}

static AnswerRoute
graph_route(const Path *path, bool is_page)
{
    AnswerRoute route = {0};
    size_t from = path->len && (starts_ci(path->items[0], STR("v1.0")) ||
                                starts_ci(path->items[0], STR("beta")));
    for (size_t i = 0; i < COUNT_OF(graph_routes); i++) {
        Str wild;
        if (!path_fits(path, from, graph_routes[i].path, is_page, &wild))
            continue;
        route.table = graph_routes[i].table;
        if (graph_routes[i].key.len) {
            route.key = graph_routes[i].key;
            route.key_value = wild;
        }
        return route;
    }
    size_t left = path->len - from;
    bool delta = left == 2 && starts_ci(path->items[from + 1], STR("delta"));
    if ((left == 1 || (left == 2 && (!is_page || delta))) && is_collection_name(path->items[from]))
        route.table = path->items[from];
    return route;
}

static AnswerRoute
arm_route(Arena *arena, Str id, Str type)
{
    AnswerRoute route = {0};
    ArmId parsed;
    if (!starts_ci(id, STR("/subscriptions/")) && !starts_ci(id, STR("/providers/")) &&
        !starts_ci(id, STR("subscriptions/")))
        return route;
    arm_id_parse(arena, id, &parsed);
    if (str_find(type, STR("/")) < 0)
        type = parsed.type;
    if (!type.len)
        return route;
    for (size_t i = 0; i < COUNT_OF(arm_routes) && !route.table.len; i++)
        if (starts_ci(type, arm_routes[i].prefix))
            route.table = arm_routes[i].table;
    return route;
}

AnswerRoute
answer_route(Arena *arena, Str url, Str id, Str type, bool is_page)
{
    Str host;
    Path path;
    if (!url_split(url, &host, &path))
        return (AnswerRoute){0};
    bool is_graph = starts_ci(host, STR("graph.microsoft")) ||
                    starts_ci(host, STR("dod-graph.microsoft")) ||
                    starts_ci(host, STR("microsoftgraph."));
    bool is_arm = starts_ci(host, STR("management.")) ||
                  (path.len && !host.len &&
                   (str_equal_ci(path.items[0], STR("subscriptions")) ||
                    str_equal_ci(path.items[0], STR("providers"))));
    if (is_graph)
        return graph_route(&path, is_page);
    return is_arm ? arm_route(arena, id, type) : (AnswerRoute){0};
}
