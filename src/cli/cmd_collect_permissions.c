// azimuth collect permissions: what must be granted, what of it is, and how to grant it.

#include "cli/cmd_collect_permissions.h"

#include "collect/permissions.h"

#include <stdio.h>

static void
print_sources(const SourceSet *set, const Need *need)
{
    for (size_t k = 0, n = 0; k < set->len; k++)
        if (str_equal(set->items[k].need, need->name) && set->items[k].service == need->service)
            printf("%s%.*s", n++ ? ", " : "", STR_ARG(set->items[k].name));
}

static const char *
heading(Service service)
{
    return service == SERVICE_ARM
               ? "Azure roles, at the root management group or on each subscription"
               : "Microsoft Graph application permissions, with the consent of an administrator";
}

// Each with the tables it is for.
static void
print_needs(const SourceSet *set, const NeedSet *needs)
{
    for (int service = SERVICE_ARM; service <= SERVICE_GRAPH; service++) {
        printf("%s:\n", heading((Service)service));
        for (size_t i = 0; i < needs->len; i++) {
            const Need *need = &needs->items[i];
            if ((int)need->service != service)
                continue;
            printf("  %-45.*s ", STR_ARG(need->name));
            print_sources(set, need);
            printf("%s\n", need->covered ? " (another of these contains it)" : "");
        }
    }
}

static void
print_lacking(const SourceSet *set, const NeedSet *needs, const Need *need)
{
    printf("  %-45.*s ", STR_ARG(need->name));
    if (!need->known)
        printf("not known\n");
    else if (need->granted)
        printf("granted\n");
    else if (need->service == SERVICE_ARM && need->lacking_count < needs->subscriptions) {
        printf("lacking in %zu of %zu subscriptions:", need->lacking_count, needs->subscriptions);
        for (size_t i = 0; i < need->lacking_count; i++)
            printf(" %.*s", STR_ARG(need->lacking[i]));
        printf("\n");
    } else {
        printf("lacking, for ");
        print_sources(set, need);
        printf("\n");
    }
}

static void
print_check(const SourceSet *set, const NeedSet *needs)
{
    const Str problems[] = {needs->arm_problem, needs->graph_problem};
    for (int service = SERVICE_ARM; service <= SERVICE_GRAPH; service++) {
        bool any = false;
        for (size_t i = 0; i < needs->len; i++)
            any = any || (int)needs->items[i].service == service;
        if (!any)
            continue;
        if (service == SERVICE_ARM)
            printf("Azure roles, in the %zu subscriptions that can be seen:\n",
                   needs->subscriptions);
        else
            printf("Microsoft Graph:\n");
        for (size_t i = 0; i < needs->len; i++)
            if ((int)needs->items[i].service == service && !needs->items[i].covered)
                print_lacking(set, needs, &needs->items[i]);
        if (problems[service].len)
            printf("  not all could be checked: %.*s\n", STR_ARG(problems[service]));
    }
}

// ---- granting ----

// The names, or ids, of what must be granted, one a line between `before` and `after`.
static void
print_list(const NeedSet *needs, Service service, const char *before, const char *after)
{
    for (size_t i = 0; i < needs->len; i++) {
        const Need *need = &needs->items[i];
        if (need->service == service && !need->covered)
            printf("%s%.*s%s", before, STR_ARG(service == SERVICE_ARM ? need->role_id : need->name),
                   after);
    }
}

static bool
has_needs(const NeedSet *needs, Service service)
{
    for (size_t i = 0; i < needs->len; i++)
        if (needs->items[i].service == service)
            return true;
    return false;
}

static void
print_bicep(const NeedSet *needs)
{
    printf(
        "// Grants a service principal or managed identity what 'azimuth collect' reads with, and\n"
        "// nothing else. The object id is that of the service principal, not of its application.\n"
        "//   az deployment mg create --management-group-id <ROOT> --location <REGION> \\\n"
        "//     --template-file grant.bicep --parameters principalId=<OBJECT ID>\n");
    if (has_needs(needs, SERVICE_GRAPH))
        printf("extension 'br:mcr.microsoft.com/bicep/extensions/microsoftgraph/v1.0:1.0.0'\n");
    printf("targetScope = 'managementGroup'\n\n@description('Object id of the service principal')\n"
           "param principalId string\n");
    if (has_needs(needs, SERVICE_ARM)) {
        printf("\nvar roles = [");
        for (size_t i = 0; i < needs->len; i++) {
            const Need *need = &needs->items[i];
            if (need->service == SERVICE_ARM && !need->covered)
                printf("\n  '%.*s' // %.*s", STR_ARG(need->role_id), STR_ARG(need->name));
        }
        printf(
            "\n]\n\nresource roleAssignments 'Microsoft.Authorization/roleAssignments@2022-04-01' "
            "= [for role in roles: {\n  name: guid(managementGroup().id, principalId, role)\n"
            "  properties: {\n    principalId: principalId\n"
            "    principalType: 'ServicePrincipal'\n    roleDefinitionId: "
            "tenantResourceId('Microsoft.Authorization/roleDefinitions', role)\n  }\n}]\n");
    }
    if (has_needs(needs, SERVICE_GRAPH)) {
        printf("\nvar permissions = [\n");
        print_list(needs, SERVICE_GRAPH, "  '", "'\n");
        printf("]\n\nresource graph 'Microsoft.Graph/servicePrincipals@v1.0' existing = {\n"
               "  appId: '00000003-0000-0000-c000-000000000000'\n}\n\n"
               "resource permissionGrants 'Microsoft.Graph/appRoleAssignedTo@v1.0' = "
               "[for permission in permissions: {\n  appRoleId: (filter(graph.appRoles, role => "
               "role.value == permission)[0]).id\n  principalId: principalId\n"
               "  resourceId: graph.id\n}]\n");
    }
}

static void
print_script(const NeedSet *needs, const Cloud *cloud)
{
    printf(
        "#!/usr/bin/env bash\n"
        "# Grants a service principal or managed identity what 'azimuth collect' reads with, and\n"
        "# nothing else: grant.sh OBJECT_ID ROOT_MANAGEMENT_GROUP\n"
        "set -euo pipefail\n"
        "principal=${1:?the object id of the service principal}\n"
        "group=${2:?the id of the root management group (the tenant id)}\n");
    if (has_needs(needs, SERVICE_ARM)) {
        printf("\nfor role in");
        print_list(needs, SERVICE_ARM, " ", "");
        printf("; do\n  az role assignment create --assignee-object-id \"$principal\" \\\n"
               "    --assignee-principal-type ServicePrincipal --role \"$role\" \\\n"
               "    --scope \"/providers/Microsoft.Management/managementGroups/$group\" "
               "--output none\ndone\n");
    }
    if (has_needs(needs, SERVICE_GRAPH)) {
        printf("\ngraph=$(az ad sp show --id 00000003-0000-0000-c000-000000000000 --query id "
               "--output tsv)\nfor permission in");
        print_list(needs, SERVICE_GRAPH, " ", "");
        printf("; do\n  role=$(az ad sp show --id \"$graph\" --query \"appRoles[?value=="
               "'$permission'].id\" --output tsv)\n"
               "  az rest --method POST --output none \\\n"
               "    --url \"%.*s/v1.0/servicePrincipals/$principal/appRoleAssignments\" \\\n"
               "    --body "
               "\"{\\\"principalId\\\":\\\"$principal\\\",\\\"resourceId\\\":\\\"$graph\\\","
               "\\\"appRoleId\\\":\\\"$role\\\"}\"\ndone\n",
               STR_ARG(cloud->endpoint[SERVICE_GRAPH]));
    }
}

int
collect_permissions(Collector *collector, SourceSet *sources, PermissionsAsked asked,
                    AzError *error)
{
    NeedSet needs;
    if (!permissions_needed(&collector->arena, sources, content_dir(collector->content), &needs,
                            error))
        return AZIMUTH_EXIT_ERROR;
    if (asked == PERMISSIONS_LIST)
        print_needs(sources, &needs);
    else if (asked == PERMISSIONS_BICEP)
        print_bicep(&needs);
    else if (asked == PERMISSIONS_SCRIPT)
        print_script(&needs, &collector->cloud);
    if (asked != PERMISSIONS_CHECK)
        return AZIMUTH_EXIT_OK;
    CollectOptions options = {.sources = sources,
                              .cloud = &collector->cloud,
                              .auth = collector->auth,
                              .http = collector->http};
    if (!permissions_check(&options, &collector->arena, &needs, error))
        return AZIMUTH_EXIT_ERROR;
    print_check(sources, &needs);
    return permissions_lack(&needs) ? AZIMUTH_EXIT_FINDINGS : AZIMUTH_EXIT_OK;
}
