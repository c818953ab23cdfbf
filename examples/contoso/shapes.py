#!/usr/bin/env python3
"""The shapes of a tenant's rows: what Azure Resource Graph, ARM and Microsoft
Graph return, as functions with healthy defaults.

generate.py tells the story with these words. Identifiers are hashes of names
and the clock stands still: the same story gives the same bytes. Every emitted
row lands in TABLES under the name of its file.
"""
import hashlib

COLLECTED = "2026-11-20T06:00:00Z"
REGION = "swedencentral"
TABLES = {}


def emit(table, row):
    TABLES.setdefault(table, []).append(row)
    return row


def guid(*parts):
    """A stable version-4-shaped identifier for a name."""
    h = hashlib.sha256(("contoso/" + "/".join(parts)).encode()).hexdigest()
    return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-{'89ab'[int(h[16], 16) & 3]}{h[17:20]}-{h[20:32]}"


TENANT = guid("tenant")


def graph_row(id, name, type, **columns):
    """A row with every Resource Graph column, in Resource Graph's order."""
    row = {"id": id, "name": name, "type": type.lower(), "tenantId": TENANT, "kind": "",
           "location": "", "resourceGroup": "", "subscriptionId": "", "managedBy": "",
           "sku": None, "plan": None, "properties": {}, "tags": None, "identity": None,
           "zones": None, "extendedLocation": None}
    row.update(columns)
    return row


# ---------------------------------------------------------------- organisation

MG = "/providers/Microsoft.Management/managementGroups/"
MG_PARENT = {TENANT: None, "contoso": TENANT,
             "contoso-platform": "contoso", "contoso-management": "contoso-platform",
             "contoso-connectivity": "contoso-platform", "contoso-identity": "contoso-platform",
             "contoso-landingzones": "contoso", "contoso-corp": "contoso-landingzones",
             "contoso-online": "contoso-landingzones",
             "contoso-ai-production": "contoso-landingzones",
             "contoso-ai-sandbox": "contoso-landingzones",
             "contoso-decommissioned": "contoso"}
MG_TITLE = {TENANT: "Tenant Root Group", "contoso": "Contoso", "contoso-platform": "Platform",
            "contoso-management": "Management", "contoso-connectivity": "Connectivity",
            "contoso-identity": "Identity", "contoso-landingzones": "Landing Zones",
            "contoso-corp": "Corp", "contoso-online": "Online",
            "contoso-ai-production": "AI Production", "contoso-ai-sandbox": "AI Sandbox",
            "contoso-decommissioned": "Decommissioned"}


def ancestors(name):
    chain = []
    while name:
        chain.append({"displayName": MG_TITLE[name], "name": name})
        name = MG_PARENT[name]
    return chain


def management_groups():
    for name, parent in MG_PARENT.items():
        chain = ancestors(parent)
        emit("resourcecontainers", graph_row(
            MG + name, name, "microsoft.management/managementgroups",
            properties={"displayName": MG_TITLE[name], "tenantId": TENANT, "details": {
                "version": 3, "updatedTime": "2025-02-03T09:12:44.000Z",
                "updatedBy": guid("user", "ines.albrecht"),
                "parent": {"displayName": MG_TITLE[parent], "id": MG + parent,
                           "name": parent} if parent else {},
                "managementGroupAncestors": [c["name"] for c in chain],
                "managementGroupAncestorsChain": chain}}))


def subscription(name, group, environment, owner, cost_center):
    id = guid("subscription", name)
    emit("resourcecontainers", graph_row(
        f"/subscriptions/{id}", name, "microsoft.resources/subscriptions", subscriptionId=id,
        tags={"environment": environment, "owner": owner, "costCenter": cost_center},
        properties={"state": "Enabled", "subscriptionPolicies": {
            "locationPlacementId": "Internal_2014-09-01", "quotaId": "EnterpriseAgreement_2014-09-01",
            "spendingLimit": "Off"}, "managementGroupAncestorsChain": ancestors(group)}))
    return {"id": id, "name": name, "environment": environment, "owner": owner,
            "scope": f"/subscriptions/{id}"}


def resource_group(sub, name, location=REGION, **tags):
    id = f"{sub['scope']}/resourceGroups/{name}"
    tags = {"environment": sub["environment"], "owner": sub["owner"], **tags}
    emit("resourcecontainers", graph_row(
        id, name, "microsoft.resources/subscriptions/resourcegroups", location=location,
        resourceGroup=name, subscriptionId=sub["id"], tags=tags,
        properties={"provisioningState": "Succeeded"}))
    return {"id": id, "name": name, "sub": sub, "location": location, "tags": tags}


# ------------------------------------------------------------------ identities

USERS = {}
GROUPS = {}
PRINCIPALS = {}     # service principal object id by name
GRAPH_APP = "00000003-0000-0000-c000-000000000000"


def user(alias, name, title, department, guest_of=None, enabled=True, last="2026-11-19"):
    id = USERS[alias] = guid("user", alias)
    upn = f"{alias}@contoso.com"
    if guest_of:
        upn = f"{alias}_{guest_of}#EXT#@contoso.onmicrosoft.com"
    emit("users", {
        "id": id, "userPrincipalName": upn, "displayName": name,
        "mail": f"{alias}@{guest_of or 'contoso.com'}",
        "userType": "Guest" if guest_of else "Member", "accountEnabled": enabled,
        "jobTitle": title, "department": department,
        "createdDateTime": "2026-03-02T08:30:00Z" if guest_of else "2022-05-16T07:00:00Z",
        "onPremisesSyncEnabled": None if guest_of or alias.startswith("emergency") else True,
        "externalUserState": "Accepted" if guest_of else None,
        "signInActivity": {"lastSignInDateTime": f"{last}T09:14:05Z",
                           "lastNonInteractiveSignInDateTime": f"{last}T15:40:31Z"},
        "assignedLicenses": []})


def group(name, description, users=(), groups=(), role_assignable=None):
    id = GROUPS[name] = guid("group", name)
    emit("groups", {"id": id, "displayName": name, "description": description,
                    "mailEnabled": False, "securityEnabled": True, "groupTypes": [],
                    "isAssignableToRole": role_assignable, "membershipRule": None,
                    "createdDateTime": "2024-09-10T10:00:00Z", "visibility": None})
    for alias in users:
        emit("groupMembers", {"groupId": id, "@odata.type": "#microsoft.graph.user",
                              "id": USERS[alias]})
    for inner in groups:
        emit("groupMembers", {"groupId": id, "@odata.type": "#microsoft.graph.group",
                              "id": GROUPS[inner]})


def service_principal(name, kind, app_id=None, tenant=TENANT, resource=None, **more):
    id = PRINCIPALS[name] = guid("principal", name)
    row = {"id": id, "appId": app_id or guid("appid", name), "displayName": name,
           "servicePrincipalType": kind, "accountEnabled": True,
           "appOwnerOrganizationId": tenant if kind == "Application" else None,
           "appRoleAssignmentRequired": False, "homepage": None, "replyUrls": [],
           "verifiedPublisher": None,
           "alternativeNames": [f"isExplicit={resource[1]}", resource[0]] if resource else [],
           "servicePrincipalNames": [app_id or guid("appid", name)],
           "tags": ["WindowsAzureActiveDirectoryIntegratedApp"] if kind == "Application" else [],
           "createdDateTime": "2025-06-11T08:00:00Z", "keyCredentials": [],
           "passwordCredentials": []}
    row.update(more)
    emit("servicePrincipals", row)
    return id


def application(name, owners=(), secrets=(), federated=()):
    """An app registration of our own, with its service principal."""
    object_id, app_id = guid("application", name), guid("appid", name)
    emit("applications", {
        "id": object_id, "appId": app_id, "displayName": name,
        "signInAudience": "AzureADMyOrg", "createdDateTime": "2025-01-15T09:00:00Z",
        "passwordCredentials": [
            {"keyId": guid("key", name, label), "displayName": label, "hint": hint,
             "startDateTime": start, "endDateTime": end} for label, hint, start, end in secrets],
        "keyCredentials": [], "web": {"redirectUris": []}, "spa": {"redirectUris": []},
        "publicClient": {"redirectUris": []}, "appRoles": [],
        "requiredResourceAccess": [{"resourceAppId": GRAPH_APP, "resourceAccess": [
            {"id": "e1fe6dd8-ba31-4d61-89e7-88639da4683d", "type": "Scope"}]}]})
    for alias in owners:
        emit("applicationOwners", {"applicationId": object_id,
                                   "@odata.type": "#microsoft.graph.user", "id": USERS[alias]})
    for label, issuer, subject in federated:
        emit("federatedIdentityCredentials", {
            "id": guid("federated", name, label), "applicationId": object_id, "name": label,
            "issuer": issuer, "subject": subject, "audiences": ["api://AzureADTokenExchange"],
            "description": None})
    service_principal(name, "Application", app_id)


# --------------------------------------------------------------- role settings

COG, ML, BLOB = ("Microsoft.CognitiveServices", "Microsoft.MachineLearningServices",
                 "Microsoft.Storage/storageAccounts/blobServices/containers")
# Built-in roles this tenant uses: id, actions, notActions, dataActions.
ROLES = {
    "Owner": ("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", ["*"], [], []),
    "Contributor": ("b24988ac-6180-42a0-ab88-20f7382dd24c", ["*"], [
        "Microsoft.Authorization/*/Delete", "Microsoft.Authorization/*/Write",
        "Microsoft.Authorization/elevateAccess/Action", "Microsoft.Blueprint/blueprintAssignments/write",
        "Microsoft.Blueprint/blueprintAssignments/delete", "Microsoft.Compute/galleries/share/action"], []),
    "Reader": ("acdd72a7-3385-48ef-bd42-f606fba81ae7", ["*/read"], [], []),
    "User Access Administrator": ("18d7d88d-d35e-4fb5-a5c3-7773c20a72d9", [
        "*/read", "Microsoft.Authorization/*", "Microsoft.Support/*"], [], []),
    "Network Contributor": ("4d97b98b-1d4f-4787-a291-c67834d212e7", [
        "Microsoft.Authorization/*/read", "Microsoft.Network/*", "Microsoft.Resources/deployments/*"], [], []),
    "Security Reader": ("39bc4728-0917-49c7-9d2c-d95423bc2eb4", [
        "Microsoft.Authorization/*/read", "Microsoft.Security/*/read"], [], []),
    "Log Analytics Reader": ("73c42c96-874c-492b-b04d-ab87d138a893", [
        "*/read", "Microsoft.OperationalInsights/workspaces/analytics/query/action",
        "Microsoft.OperationalInsights/workspaces/search/action"], [
        "Microsoft.OperationalInsights/workspaces/sharedKeys/read"], []),
    "AcrPull": ("7f951dda-4ed3-4680-a7ca-43fe172d538d", [
        "Microsoft.ContainerRegistry/registries/pull/read"], [], []),
    "AcrPush": ("8311e382-0749-4cb8-b61a-304f252e45ec", [
        "Microsoft.ContainerRegistry/registries/pull/read",
        "Microsoft.ContainerRegistry/registries/push/write"], [], []),
    "Azure AI Administrator": ("b78c5d69-af96-48a3-bf8d-a8b4d589de94", [
        "Microsoft.Authorization/*/read", f"{COG}/*", f"{ML}/workspaces/*",
        "Microsoft.Insights/diagnosticSettings/*", "Microsoft.KeyVault/*",
        "Microsoft.Resources/deployments/*", "Microsoft.Search/searchServices/*",
        "Microsoft.Storage/storageAccounts/*"], [], []),
    "Cognitive Services OpenAI User": ("5e0bd9bd-7b93-4f28-af87-19fc36ad61bd", [
        f"{COG}/*/read", "Microsoft.Authorization/roleAssignments/read"], [], [
        f"{COG}/accounts/OpenAI/*/read",
        f"{COG}/accounts/OpenAI/deployments/chat/completions/action",
        f"{COG}/accounts/OpenAI/deployments/embeddings/action"]),
    "Cognitive Services OpenAI Contributor": ("a001fd3d-188f-4b5d-821b-7da978bf7442", [
        f"{COG}/*/read", f"{COG}/accounts/deployments/write", f"{COG}/accounts/deployments/delete",
        f"{COG}/accounts/raiPolicies/read", f"{COG}/accounts/raiPolicies/write",
        f"{COG}/accounts/raiPolicies/delete"], [], [f"{COG}/accounts/OpenAI/*"]),
    "Foundry User": ("53ca6127-db72-4b80-b1b0-d745d6d5456d", [
        f"{COG}/*/read", f"{COG}/accounts/listkeys/action"], [], [f"{COG}/*"]),
    "AzureML Data Scientist": ("f6c7c914-8db3-469d-8ca1-694a8f32e121", [
        f"{ML}/workspaces/*/read", f"{ML}/workspaces/*/action", f"{ML}/workspaces/*/delete",
        f"{ML}/workspaces/*/write"], [
        f"{ML}/workspaces/delete", f"{ML}/workspaces/write", f"{ML}/workspaces/computes/*/write",
        f"{ML}/workspaces/computes/*/delete", f"{ML}/workspaces/computes/listKeys/action",
        f"{ML}/workspaces/listKeys/action"], []),
    "Search Index Data Reader": ("1407120a-92aa-4202-b7e9-c0e197c71c8f", [], [], [
        "Microsoft.Search/searchServices/indexes/documents/read"]),
    "Storage Blob Data Reader": ("2a2b9908-6ea1-4ae2-8e65-a410df84e7d1", [f"{BLOB}/read"], [], [
        f"{BLOB}/blobs/read"]),
    "Storage Blob Data Contributor": ("ba92f5b4-2d11-453d-a403-e96b0029c9fe", [
        f"{BLOB}/delete", f"{BLOB}/read", f"{BLOB}/write"], [], [
        f"{BLOB}/blobs/delete", f"{BLOB}/blobs/read", f"{BLOB}/blobs/write",
        f"{BLOB}/blobs/move/action", f"{BLOB}/blobs/add/action"]),
    "Key Vault Secrets User": ("4633458b-17de-408a-b874-0445c86b69e6", [], [], [
        "Microsoft.KeyVault/vaults/secrets/getSecret/action",
        "Microsoft.KeyVault/vaults/secrets/readMetadata/action"]),
    "Key Vault Administrator": ("00482a5a-887f-4fb3-b363-3b7fe8e74483", [
        "Microsoft.Authorization/*/read", "Microsoft.KeyVault/vaults/*/read"], [], [
        "Microsoft.KeyVault/vaults/*"]),
}
ROLE_DEFINITION = "/providers/Microsoft.Authorization/roleDefinitions/"


def role_definition(id, name, kind, actions, not_actions, data_actions, scopes):
    emit("authorizationresources", graph_row(
        ROLE_DEFINITION + id, id, "microsoft.authorization/roledefinitions",
        properties={"roleName": name, "type": kind, "description": "",
                    "assignableScopes": scopes, "isServiceRole": False,
                    "permissions": [{"actions": actions, "notActions": not_actions,
                                     "dataActions": data_actions, "notDataActions": []}],
                    "createdOn": "2024-02-01T00:00:00Z", "updatedOn": "2025-08-01T00:00:00Z"}))


def assign(scope, principal, kind, role):
    """`scope` is a resource id, a resource row, a resource group or a subscription."""
    if isinstance(scope, dict):
        scope = scope.get("scope") or scope["id"]
    name = guid("assignment", scope, principal, role)
    emit("authorizationresources", graph_row(
        f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}", name,
        "microsoft.authorization/roleassignments",
        subscriptionId=scope.split("/")[2] if scope.startswith("/subscriptions/") else "",
        properties={"roleDefinitionId": ROLE_DEFINITION + ROLES[role][0], "principalId": principal,
                    "principalType": kind, "scope": scope, "condition": None,
                    "conditionVersion": None, "delegatedManagedIdentityResourceId": None,
                    "description": None, "createdOn": "2025-07-01T08:00:00Z",
                    "updatedOn": "2025-07-01T08:00:00Z", "createdBy": USERS["tomas.lindqvist"]}))


def assign_group(scope, name, role):
    assign(scope, GROUPS[name], "Group", role)


def assign_app(scope, name, role):
    assign(scope, PRINCIPALS[name], "ServicePrincipal", role)


# ------------------------------------------------------------------- resources

def resource(rg, type, name, properties=None, **columns):
    tags = dict(rg["tags"])
    tags.update(columns.pop("tags", None) or {})
    if columns.pop("untagged", False):
        tags = None
    columns.setdefault("location", rg["location"])
    return emit("resources", graph_row(
        f"{rg['id']}/providers/{type}/{name}", name, type, resourceGroup=rg["name"],
        subscriptionId=rg["sub"]["id"], tags=tags,
        properties={"provisioningState": "Succeeded", **(properties or {})}, **columns))


def child(parent, collection, name, properties=None, **columns):
    """An ARM sub-resource, e.g. child(account, "deployments", "gpt-4.1", {...})."""
    columns.setdefault("location", parent["location"])
    return emit("resources", graph_row(
        f"{parent['id']}/{collection}/{name}", name, f"{parent['type']}/{collection}",
        resourceGroup=parent["resourceGroup"], subscriptionId=parent["subscriptionId"],
        properties=properties or {}, **columns))


def system_identity(row):
    name = "/".join(row["id"].split("/providers/")[1].split("/")[2::2])
    id = service_principal(name, "ManagedIdentity", resource=(row["id"], False))
    row["identity"] = {"type": "SystemAssigned", "principalId": id, "tenantId": TENANT}
    return name


def user_identity(rg, name, **columns):
    row = resource(rg, "Microsoft.ManagedIdentity/userAssignedIdentities", name, **columns)
    id = service_principal(name, "ManagedIdentity", resource=(row["id"], True))
    row["properties"] = {"tenantId": TENANT, "principalId": id, "clientId": guid("appid", name)}
    return row


def runs_as(row, *identities):
    row["identity"] = {"type": "UserAssigned", "userAssignedIdentities": {
        i["id"]: {"principalId": i["properties"]["principalId"],
                  "clientId": i["properties"]["clientId"]} for i in identities}}


def security_rule(name, priority, access, source, ports, protocol="Tcp", direction="Inbound"):
    """`ports` is one range or a list; Azure keeps the two forms in two fields."""
    many = isinstance(ports, list)
    return {"name": name, "type": "Microsoft.Network/networkSecurityGroups/securityRules",
            "properties": {"provisioningState": "Succeeded", "protocol": protocol,
                           "sourcePortRange": "*", "sourceAddressPrefix": source,
                           "destinationAddressPrefix": "*", "access": access,
                           "priority": priority, "direction": direction,
                           "sourcePortRanges": [], "sourceAddressPrefixes": [],
                           "destinationAddressPrefixes": [],
                           "destinationPortRanges": ports if many else [],
                           **({} if many else {"destinationPortRange": ports})}}


DEFAULT_RULES = [security_rule("AllowVnetInBound", 65000, "Allow", "VirtualNetwork", "*", "*"),
                 security_rule("AllowAzureLoadBalancerInBound", 65001, "Allow",
                               "AzureLoadBalancer", "*", "*"),
                 security_rule("DenyAllInBound", 65500, "Deny", "*", "*", "*")]


def network_security_group(rg, name, rules, subnet=None):
    return resource(rg, "Microsoft.Network/networkSecurityGroups", name, {
        "resourceGuid": guid(name), "securityRules": rules, "defaultSecurityRules": DEFAULT_RULES,
        "subnets": [{"id": subnet}] if subnet else []})


CLOSED = [security_rule("allow-https-from-contoso", 100, "Allow", "10.0.0.0/8", "443"),
          security_rule("deny-internet", 4000, "Deny", "Internet", "*", "*")]


def virtual_network(rg, name, prefix, subnets, peerings=(), rules=None, dns=("10.10.0.4",),
                    routes=None):
    """`subnets` maps a name to (third octet, delegation or None)."""
    id = f"{rg['id']}/providers/Microsoft.Network/virtualNetworks/{name}"
    made = []
    for subnet, (octet, delegation) in subnets.items():
        subnet_id = f"{id}/subnets/{subnet}"
        properties = {"provisioningState": "Succeeded", "addressPrefix": f"{prefix}.{octet}.0/24",
                      "privateEndpointNetworkPolicies": "Enabled", "serviceEndpoints": [],
                      "delegations": [{"name": "delegation", "properties": {
                          "serviceName": delegation}}] if delegation else []}
        if subnet not in ("AzureFirewallSubnet", "AzureBastionSubnet"):
            nsg = network_security_group(rg, f"nsg-{subnet}-{name[5:]}",
                                         (rules or {}).get(subnet, CLOSED), subnet_id)
            properties["networkSecurityGroup"] = {"id": nsg["id"]}
        if routes:
            properties["routeTable"] = {"id": routes}
        made.append({"name": subnet, "id": subnet_id, "properties": properties,
                     "type": "Microsoft.Network/virtualNetworks/subnets"})
    resource(rg, "Microsoft.Network/virtualNetworks", name, {
        "resourceGuid": guid(name), "addressSpace": {"addressPrefixes": [f"{prefix}.0.0/16"]},
        "dhcpOptions": {"dnsServers": list(dns)}, "subnets": made, "enableDdosProtection": False,
        "virtualNetworkPeerings": [{"name": n, "id": f"{id}/virtualNetworkPeerings/{n}", "properties": {
            "provisioningState": "Succeeded", "peeringState": "Connected",
            "remoteVirtualNetwork": {"id": remote}, "allowVirtualNetworkAccess": True,
            "allowForwardedTraffic": forwarded, "allowGatewayTransit": False,
            "useRemoteGateways": False}} for n, remote, forwarded in peerings]})
    return id


def private_endpoint(rg, subnet, target, group, status="Approved", description="Auto-approved"):
    """The endpoint, and the connection as its target sees it."""
    name = f"pe-{target['name']}-{group}"
    row = resource(rg, "Microsoft.Network/privateEndpoints", name)
    state = {"status": status, "description": description, "actionsRequired": "None"}
    row["properties"].update({
        "resourceGuid": guid(name), "subnet": {"id": subnet},
        "privateLinkServiceConnections": [{
            "name": name, "id": f"{row['id']}/privateLinkServiceConnections/{name}",
            "type": "Microsoft.Network/privateEndpoints/privateLinkServiceConnections",
            "properties": {"provisioningState": "Succeeded", "privateLinkServiceId": target["id"],
                           "groupIds": [group], "privateLinkServiceConnectionState": state}}],
        "manualPrivateLinkServiceConnections": [], "customDnsConfigs": []})
    target["properties"].setdefault("privateEndpointConnections", []).append({
        "id": f"{target['id']}/privateEndpointConnections/{name}", "name": name,
        "properties": {"provisioningState": "Succeeded", "groupIds": [group],
                       "privateEndpoint": {"id": row["id"]},
                       "privateLinkServiceConnectionState": state}})


def diagnostics(target, workspace, groups=("audit", "allLogs"), categories=(), metrics=True):
    target_id = target if isinstance(target, str) else target["id"]
    emit("diagnosticsettings", {
        "id": f"{target_id}/providers/microsoft.insights/diagnosticSettings/to-log-analytics",
        "type": "Microsoft.Insights/diagnosticSettings", "name": "to-log-analytics",
        "properties": {"workspaceId": workspace, "storageAccountId": None,
                       "eventHubAuthorizationRuleId": None, "logAnalyticsDestinationType": "Dedicated",
                       "logs": [{"category": None, "categoryGroup": g, "enabled": True,
                                 "retentionPolicy": {"enabled": False, "days": 0}} for g in groups] +
                               [{"category": c, "categoryGroup": None, "enabled": True,
                                 "retentionPolicy": {"enabled": False, "days": 0}} for c in categories],
                       "metrics": [{"category": "AllMetrics", "enabled": metrics}]}})


def storage(rg, name, purpose, hierarchical=False, recoverable=True, containers=(), **overrides):
    row = resource(rg, "Microsoft.Storage/storageAccounts", name, {
        "creationTime": "2025-03-04T10:12:13.1234567Z", "primaryLocation": rg["location"],
        "statusOfPrimary": "available", "supportsHttpsTrafficOnly": True,
        "minimumTlsVersion": "TLS1_2", "allowBlobPublicAccess": False,
        "allowSharedKeyAccess": False, "allowCrossTenantReplication": False,
        "defaultToOAuthAuthentication": True, "isHnsEnabled": hierarchical,
        "isSftpEnabled": False, "isLocalUserEnabled": False, "publicNetworkAccess": "Disabled",
        "networkAcls": {"bypass": "AzureServices", "defaultAction": "Deny", "ipRules": [],
                        "virtualNetworkRules": [], "resourceAccessRules": []},
        "sasPolicy": {"sasExpirationPeriod": "1.00:00:00", "expirationAction": "Block"},
        "encryption": {"keySource": "Microsoft.Storage", "requireInfrastructureEncryption": True,
                       "services": {"blob": {"enabled": True, "keyType": "Account"},
                                    "file": {"enabled": True, "keyType": "Account"}}},
        "primaryEndpoints": {"blob": f"https://{name}.blob.core.windows.net/",
                             "dfs": f"https://{name}.dfs.core.windows.net/"},
        **overrides}, kind="StorageV2", sku={"name": "Standard_ZRS", "tier": "Standard"},
        tags={"purpose": purpose})
    blobs = child(row, "blobServices", "default", {
        "isVersioningEnabled": recoverable and not hierarchical, "changeFeed": {"enabled": recoverable},
        "deleteRetentionPolicy": {"enabled": True, "days": 30} if recoverable else {"enabled": False},
        "containerDeleteRetentionPolicy": {"enabled": True, "days": 30} if recoverable
        else {"enabled": False}})
    for container, access in containers:
        child(blobs, "containers", container, {
            "publicAccess": access, "leaseState": "Available", "hasImmutabilityPolicy": False,
            "hasLegalHold": False, "lastModifiedTime": "2026-11-02T05:00:00Z"})
    return row


def vault(rg, name, secrets=(), public=False):
    row = resource(rg, "Microsoft.KeyVault/vaults", name, {
        "tenantId": TENANT, "sku": {"family": "A", "name": "standard"}, "accessPolicies": [],
        "enabledForDeployment": False, "enabledForDiskEncryption": False,
        "enabledForTemplateDeployment": False, "enableSoftDelete": True,
        "softDeleteRetentionInDays": 90, "enableRbacAuthorization": True,
        "enablePurgeProtection": True, "vaultUri": f"https://{name}.vault.azure.net/",
        "publicNetworkAccess": "Enabled" if public else "Disabled",
        "networkAcls": {"bypass": "AzureServices", "defaultAction": "Allow" if public else "Deny",
                        "ipRules": [], "virtualNetworkRules": []}})
    for secret, expires in secrets:
        child(row, "secrets", secret, {"contentType": None, "attributes": {
            "enabled": True, "created": 1772600000, "updated": 1772600000,
            **({"exp": expires} if expires else {})}})
    return row


def ai_account(rg, name, kind="AIServices", **overrides):
    row = resource(rg, "Microsoft.CognitiveServices/accounts", name, {
        "endpoint": f"https://{name}.cognitiveservices.azure.com/",
        "endpoints": {"OpenAI Language Model Instance API": f"https://{name}.openai.azure.com/",
                      "AI Foundry API": f"https://{name}.services.ai.azure.com/"},
        "internalId": guid(name).replace("-", ""), "dateCreated": "2025-05-11T07:20:11.4812345Z",
        "customSubDomainName": name, "publicNetworkAccess": "Disabled",
        "networkAcls": {"defaultAction": "Deny", "bypass": "AzureServices",
                        "virtualNetworkRules": [], "ipRules": []},
        "disableLocalAuth": True, "restrictOutboundNetworkAccess": True,
        "allowedFqdnList": ["contoso.com"], "isMigrated": False,
        "capabilities": [{"name": "VirtualNetworks"}, {"name": "CustomerManagedKey"}],
        **({"allowProjectManagement": True} if kind == "AIServices" else {}),
        **overrides}, kind=kind, sku={"name": "S0"})
    system_identity(row)
    return row


def content_filters(off=(), tools=True):
    """Every filter of a policy; names in `off` stand but do not block."""
    filters = []
    for source in ("Prompt", "Completion"):
        for name in ("Hate", "Sexual", "Violence", "Selfharm"):
            filters.append({"name": name, "enabled": name not in off, "blocking": name not in off,
                            "severityThreshold": "Medium", "source": source})
    single = [("Jailbreak", "Prompt"), ("Indirect Attack", "Prompt"),
              ("Protected Material Text", "Completion"), ("Protected Material Code", "Completion")]
    if tools:
        single += [("Indirect Attack", "PostToolCall"), ("Jailbreak", "PreToolCall")]
    for name, source in single:
        filters.append({"name": name, "enabled": name not in off, "blocking": name not in off,
                        "source": source})
    return filters


def filter_policy(account, name, **options):
    child(account, "raiPolicies", name, {
        "mode": "Blocking", "basePolicyName": "Microsoft.DefaultV2", "type": "UserManaged",
        "contentFilters": content_filters(**options), "customBlocklists": []})


def deployment(account, name, model, version, policy, capacity=50, sku="DataZoneStandard",
               upgrade="OnceCurrentVersionExpired", **overrides):
    child(account, "deployments", name, {
        "provisioningState": "Succeeded",
        "model": {"format": "OpenAI", "name": model, "version": version},
        "versionUpgradeOption": upgrade, "currentCapacity": capacity, "raiPolicyName": policy,
        "dynamicThrottlingEnabled": False,
        "rateLimits": [{"key": "request", "renewalPeriod": 10, "count": capacity},
                       {"key": "token", "renewalPeriod": 60, "count": capacity * 1000}],
        "capabilities": {"chatCompletion": "true"} if "embedding" not in model
        else {"embeddings": "true"}, **overrides}, sku={"name": sku, "capacity": capacity})


def connection(parent, name, category, target, auth="AAD", shared=False):
    child(parent, "connections", name, {
        "category": category, "target": target, "authType": auth, "isSharedToAll": shared,
        "isDefault": False, "metadata": {"ApiType": "Azure"}})


def search_service(rg, name, **overrides):
    row = resource(rg, "Microsoft.Search/searchServices", name, {
        "status": "running", "replicaCount": 3, "partitionCount": 1, "hostingMode": "default",
        "publicNetworkAccess": "disabled", "networkRuleSet": {"ipRules": [], "bypass": "None"},
        "disableLocalAuth": True, "authOptions": None,
        "encryptionWithCmk": {"enforcement": "Unspecified"}, "semanticSearch": "standard",
        **overrides}, sku={"name": "standard"})
    row["properties"]["provisioningState"] = "succeeded"
    system_identity(row)
    return row


def sealed(**more):
    """The properties most PaaS services share when they are closed to the internet."""
    return {"publicNetworkAccess": "Disabled", **more}


PLANS = ["AI", "Api", "AppServices", "Arm", "CloudPosture", "Containers", "CosmosDbs",
         "KeyVaults", "SqlServers", "StorageAccounts", "VirtualMachines"]


def defender(sub, free=()):
    for plan in PLANS:
        extensions = []
        if plan == "AI":
            extensions = [{"name": "AIPromptEvidence", "isEnabled": "True"},
                          {"name": "AIPromptSharingWithPurview", "isEnabled": "True"}]
        if plan == "StorageAccounts":
            extensions = [{"name": "OnUploadMalwareScanning", "isEnabled": "True"},
                          {"name": "SensitiveDataDiscovery", "isEnabled": "True"}]
        off = plan in free
        emit("securityresources", graph_row(
            f"{sub['scope']}/providers/Microsoft.Security/pricings/{plan}", plan,
            "microsoft.security/pricings", subscriptionId=sub["id"], properties={
                "pricingTier": "Free" if off else "Standard", "freeTrialRemainingTime": "PT0S",
                "enablementTime": None if off else "2025-05-20T00:00:00Z",
                "extensions": [] if off else extensions}))
    emit("securityresources", graph_row(
        f"{sub['scope']}/providers/Microsoft.Security/securityContacts/default", "default",
        "microsoft.security/securitycontacts", subscriptionId=sub["id"], properties={
            "emails": "security@contoso.com", "isEnabled": True,
            "notificationsByRole": {"state": "On", "roles": ["Owner"]},
            "notificationsSources": [{"sourceType": "Alert", "minimalSeverity": "Medium"},
                                     {"sourceType": "AttackPath", "minimalRiskLevel": "High"}]}))


def budget(sub, amount):
    emit("resources", graph_row(
        f"{sub['scope']}/providers/Microsoft.Consumption/budgets/monthly", "monthly",
        "microsoft.consumption/budgets", subscriptionId=sub["id"], properties={
            "category": "Cost", "amount": amount, "timeGrain": "Monthly",
            "notifications": {"actual80": {"enabled": True, "operator": "GreaterThan",
                                           "threshold": 80, "contactEmails": [sub["owner"]]}}}))


def virtual_machine(rg, name, size, subnet, address, public_address=None, **columns):
    nic = resource(rg, "Microsoft.Network/networkInterfaces", f"nic-{name}", {
        "ipConfigurations": [{"name": "ipconfig1", "properties": {
            "privateIPAddress": address, "subnet": {"id": subnet}, "primary": True,
            **({"publicIPAddress": {"id": public_address}} if public_address else {})}}],
        "enableIPForwarding": False})
    row = resource(rg, "Microsoft.Compute/virtualMachines", name, {
        "vmId": guid("vm", name), "hardwareProfile": {"vmSize": size},
        "storageProfile": {
            "imageReference": {"publisher": "canonical", "offer": "ubuntu-24_04-lts", "sku": "server"},
            "osDisk": {"osType": "Linux", "name": f"osdisk-{name}", "managedDisk": {
                "storageAccountType": "Premium_LRS"}}},
        "osProfile": {"computerName": name, "linuxConfiguration": {"disablePasswordAuthentication": True}},
        "securityProfile": {"encryptionAtHost": True, "securityType": "TrustedLaunch"},
        "networkProfile": {"networkInterfaces": [{"id": nic["id"]}]}}, **columns)
    system_identity(row)
    return row


def web_app(rg, name, kind, plan, subnet, settings, public="Disabled", **overrides):
    row = resource(rg, "Microsoft.Web/sites", name, {
        "state": "Running", "enabled": True, "hostNames": [f"{name}.azurewebsites.net"],
        "httpsOnly": True, "publicNetworkAccess": public, "serverFarmId": plan["id"],
        "clientCertEnabled": False, "virtualNetworkSubnetId": subnet,
        "keyVaultReferenceIdentity": "SystemAssigned", "siteConfig": {
            "linuxFxVersion": "PYTHON|3.12", "minTlsVersion": "1.2", "ftpsState": "Disabled",
            "http20Enabled": True}, **overrides}, kind=kind)
    system_identity(row)
    # Names only: settings' values are never collected.
    child(row, "config", "appsettings", {setting: None for setting in settings})
    return row
