#!/usr/bin/env python3
"""Writes the example tenant: one JSON-lines file a table, beside this script.

    python3 generate.py [--out DIR]

This file is the story: who works here, the platform, production AI, the web
estate, the sandbox, and the marketing department that did not ask. The shapes
of the rows are in shapes.py. Planted mistakes are marked `MISTAKE`, uses of AI
nobody declared `SHADOW`, and harmless look-alikes `DECOY`; README.md tells
what each one means. Nothing is random, so a second run writes the same bytes.
"""
import argparse
import json
import os
import sys
from types import SimpleNamespace

sys.dont_write_bytecode = True

from shapes import *  # the words of this story

# ---------------------------------------------------------------------- people

def people():
    for row in [
            ("ines.albrecht", "Ines Albrecht", "Head of AI Platform", "AI Platform"),
            ("tomas.lindqvist", "Tomas Lindqvist", "Platform Engineer", "AI Platform"),
            ("marek.nowak", "Marek Nowak", "Site Reliability Engineer", "AI Platform"),
            ("priya.raman", "Priya Raman", "Machine Learning Engineer", "Fraud"),
            ("jonas.weber", "Jonas Weber", "Machine Learning Engineer", "Fraud"),
            ("amara.diallo", "Amara Diallo", "Data Scientist", "Claims"),
            ("lucia.ferri", "Lucia Ferri", "Data Scientist", "Customer Support"),
            ("chloe.martin", "Chloe Martin", "Claims Operations Lead", "Claims"),
            ("hanna.virtanen", "Hanna Virtanen", "Security Lead", "Security"),
            ("oliver.grant", "Oliver Grant", "Security Analyst", "Security"),
            ("yusuf.demir", "Yusuf Demir", "Application Developer", "Digital"),
            ("elif.kaya", "Elif Kaya", "Network Engineer", "Infrastructure"),
            ("sofia.marques", "Sofia Marques", "Head of Marketing", "Marketing"),
            ("ben.holloway", "Ben Holloway", "Web Developer", "Marketing"),
            ("nora.eide", "Nora Eide", "Internal Auditor", "Audit")]:
        user(*row)
    user("peter.koch", "Peter Koch", "Data Engineer", "Claims", enabled=False, last="2026-05-29")
    user("emergency-01", "Emergency Access 01", None, None, last="2026-08-14")
    user("emergency-02", "Emergency Access 02", None, None, last="2026-08-14")
    user("kate.oneill", "Kate O'Neill", "Consultant", None, guest_of="northwindconsulting.com")
    user("d.larsen", "Dmitri Larsen", "Annotation Lead", None, guest_of="fabrikam.com")
    user("s.iyer", "Sunita Iyer", "Agency Designer", None, guest_of="adatum.com", last="2026-10-02")

    group("grp-emergency-access", "Break-glass accounts, excluded from Conditional Access",
          ["emergency-01", "emergency-02"], role_assignable=True)
    group("grp-ai-platform-admins", "Operate the AI platform",
          ["ines.albrecht", "tomas.lindqvist", "marek.nowak"])
    group("grp-ai-engineers", "Build and ship AI systems", ["priya.raman", "jonas.weber"])
    group("grp-data-scientists", "Experiments in the AI sandbox",
          ["amara.diallo", "lucia.ferri", "priya.raman", "jonas.weber"])
    group("grp-ai-users", "May call approved models", ["chloe.martin", "amara.diallo", "lucia.ferri"])
    group("grp-security-operations", "Security operations", ["hanna.virtanen", "oliver.grant"])
    group("grp-network-operations", "Hub network", ["elif.kaya"])
    group("grp-web-developers", "Customer portal", ["yusuf.demir"])
    group("grp-marketing-digital", "Marketing web sites", ["sofia.marques", "ben.holloway", "s.iyer"])
    group("grp-audit-readers", "Internal audit", ["nora.eide"])
    group("grp-annotation-partners", "Labelling partner, sandbox only", ["d.larsen"])
    # MISTAKE nested-guest-owner: two harmless-looking groups deep, a consultant
    # of a finished project is Owner of the production AI subscription.
    group("grp-claims-migration-2025", "Claims migration project", ["amara.diallo", "kate.oneill"])
    group("grp-ai-project-leads", "Leads of AI projects", ["priya.raman"],
          ["grp-claims-migration-2025"])
    group("grp-ai-production-owners", "Owners of sub-ai-production", ["ines.albrecht"],
          ["grp-ai-project-leads"])


GITHUB = "https://token.actions.githubusercontent.com"


def applications():
    service_principal("Microsoft Graph", "Application", GRAPH_APP,
                      "f8cdef31-a31e-4b4a-93e4-5f571e91255a",
                      verifiedPublisher={"displayName": "Microsoft Corporation"})
    application("app-portal-deploy", ["yusuf.demir"], federated=[
        ("github-portal-prod", GITHUB, "repo:contoso/customer-portal:environment:production")])
    # MISTAKE pull-request-federation: whoever can open a pull request on the
    # repository receives this pipeline's rights on production.
    application("app-ai-platform-deploy", ["tomas.lindqvist"], federated=[
        ("github-main", GITHUB, "repo:contoso/ai-platform:environment:production"),
        ("github-preview", GITHUB, "repo:contoso/ai-platform:pull_request")])
    # MISTAKE century-secret: written in a hurry, valid for 99 years.
    application("app-claims-etl", ["amara.diallo"], secrets=[
        ("initial load", "k3R", "2025-03-01T10:22:00Z", "2124-03-01T10:22:00Z")])
    application("app-fraud-batch", ["priya.raman"], secrets=[
        ("rotated by pipeline", "w9B", "2026-09-28T02:00:00Z", "2026-12-27T02:00:00Z")])
    application("app-campaign-writer", ["ben.holloway"])
    # SHADOW: an AI product consented for the whole company with mail and files.
    service_principal("ChatGPT", "Application", "e0476654-c1d5-430b-ab80-70cbd947616a",
                      guid("tenant of the vendor"), homepage="https://chatgpt.com",
                      replyUrls=["https://chatgpt.com/connector_platform_oauth_redirect"],
                      tags=["WindowsAzureActiveDirectoryIntegratedApp"])
    service_principal("Meeting Notes by Otter.ai", "Application", None, guid("tenant of otter"),
                      homepage="https://otter.ai", replyUrls=["https://otter.ai/auth/microsoft"])
    grants = [("ChatGPT", "AllPrincipals", None,
               "openid profile offline_access User.Read Mail.Read Files.Read.All Sites.Read.All"),
              ("Meeting Notes by Otter.ai", "Principal", "sofia.marques",
               "openid profile offline_access Calendars.Read"),
              ("app-portal-deploy", "AllPrincipals", None, "User.Read")]
    for client, consent, principal, scope in grants:
        emit("oauth2PermissionGrants", {
            "id": guid("grant", client), "clientId": PRINCIPALS[client], "consentType": consent,
            "principalId": USERS[principal] if principal else None,
            "resourceId": PRINCIPALS["Microsoft Graph"], "scope": scope})


def directory():
    roles = [("62e90394-69f5-4237-9190-012177145e10", "Global Administrator", True,
              [USERS["emergency-01"], USERS["emergency-02"]]),
             ("5d6b6bb7-de71-4623-b4af-96380a352509", "Security Reader", True,
              [USERS["hanna.virtanen"], USERS["oliver.grant"]]),
             ("d2562ede-74db-457e-a7b6-544e236ebb61", "AI Administrator", False,
              [USERS["ines.albrecht"]]),
             ("f2ef992c-3afb-46b9-b7cf-a126ee74c451", "Global Reader", True, [USERS["nora.eide"]]),
             ("b1be1c3e-b65d-4f19-8427-f6fa0d97feb9", "Conditional Access Administrator", True,
              [USERS["hanna.virtanen"]])]
    for id, name, privileged, holders in roles:
        emit("directoryRoleDefinitions", {
            "id": id, "templateId": id, "displayName": name, "isBuiltIn": True, "isEnabled": True,
            "isPrivileged": privileged, "resourceScopes": ["/"]})
        for holder in holders:
            emit("directoryRoleAssignments", {
                "id": guid("directory role", name, holder), "principalId": holder,
                "roleDefinitionId": id, "directoryScopeId": "/"})

    portals = ["797f4846-ba00-4fd7-ba43-dac1f8f63013", "cb2ff863-7f30-4ced-ab89-a00194bcf6d9"]
    emergency = [GROUPS["grp-emergency-access"]]

    def policy(name, state, users, apps, grant, **conditions):
        emit("conditionalAccessPolicies", {
            "id": guid("conditional access", name), "displayName": name, "state": state,
            "createdDateTime": "2025-04-07T12:00:00Z",
            "conditions": {"users": users, "applications": apps, "clientAppTypes": ["all"],
                           "locations": None, "clientApplications": None, "signInRiskLevels": [],
                           "userRiskLevels": [], **conditions},
            "grantControls": {"operator": "OR", "builtInControls": grant}})

    everyone = {"includeUsers": ["All"], "excludeUsers": [], "includeGroups": [],
                "excludeGroups": emergency}
    every_app = {"includeApplications": ["All"], "excludeApplications": []}
    # DECOY: looks like MFA for everybody, but leaves out the two portals, because
    # CA030 was to cover them with a stricter rule...
    policy("CA010 Require MFA for all users", "enabled", everyone,
           {"includeApplications": ["All"], "excludeApplications": portals}, ["mfa"])
    policy("CA011 Block legacy authentication", "enabled", everyone, every_app, ["block"],
           clientAppTypes=["exchangeActiveSync", "other"])
    policy("CA020 Require MFA for guests", "enabled",
           {"includeUsers": ["GuestsOrExternalUsers"], "excludeUsers": [], "includeGroups": [],
            "excludeGroups": []},
           {"includeApplications": ["All"], "excludeApplications": portals}, ["mfa"])
    # MISTAKE report-only-ca: ...and CA030 was never switched from report-only to on.
    policy("CA030 Phishing-resistant MFA and compliant device for Azure and AI portals",
           "enabledForReportingButNotEnforced", everyone,
           {"includeApplications": portals, "excludeApplications": []}, ["compliantDevice", "mfa"])
    emit("namedLocations", {"@odata.type": "#microsoft.graph.ipNamedLocation",
                            "id": guid("location", "offices"), "displayName": "Contoso offices",
                            "isTrusted": True, "ipRanges": [{"cidrAddress": "198.51.100.0/24"}]})
    emit("accessReviews", {
        "id": guid("review", "production owners"), "displayName": "Privileged access to production AI",
        "status": "InProgress", "scope": {"query": f"/groups/{GROUPS['grp-ai-platform-admins']}"
                                          "/transitiveMembers", "queryType": "MicrosoftGraph"},
        "settings": {"recurrence": {"pattern": {"type": "absoluteMonthly", "interval": 3}},
                     "autoApplyDecisionsEnabled": True, "defaultDecision": "Deny"}})


# ------------------------------------------------------------- platform estate

ZONES = ["privatelink.openai.azure.com", "privatelink.cognitiveservices.azure.com",
         "privatelink.services.ai.azure.com", "privatelink.api.azureml.ms",
         "privatelink.notebooks.azure.net", "privatelink.search.windows.net",
         "privatelink.blob.core.windows.net", "privatelink.dfs.core.windows.net",
         "privatelink.vaultcore.azure.net", "privatelink.azurecr.io",
         "privatelink.documents.azure.com", "privatelink.database.windows.net"]
SANDBOX_ZONES = ["privatelink.api.azureml.ms", "privatelink.notebooks.azure.net",
                 "privatelink.vaultcore.azure.net"]


def management(sub):
    rg = resource_group(sub, "rg-management-prod", costCenter="1010")
    logs = []
    for name, days in (("law-contoso-platform", 365), ("law-contoso-security", 730)):
        logs.append(resource(rg, "Microsoft.OperationalInsights/workspaces", name, {
            "sku": {"name": "PerGB2018"}, "retentionInDays": days, "customerId": guid(name),
            "publicNetworkAccessForIngestion": "Disabled", "publicNetworkAccessForQuery": "Disabled",
            "features": {"enableLogAccessUsingOnlyResourcePermissions": True,
                         "disableLocalAuth": True}}))
    platform, security = logs
    emit("resources", graph_row(
        f"{security['id']}/providers/Microsoft.SecurityInsights/onboardingStates/default", "default",
        "microsoft.securityinsights/onboardingstates", resourceGroup=rg["name"],
        subscriptionId=sub["id"], location=REGION, properties={"customerManagedKey": False}))
    resource(rg, "Microsoft.OperationsManagement/solutions",
             "SecurityInsights(law-contoso-security)", {"workspaceResourceId": security["id"]})
    group_row = resource(rg, "Microsoft.Insights/actionGroups", "ag-security-operations", {
        "enabled": True, "groupShortName": "secops", "emailReceivers": [
            {"name": "soc", "emailAddress": "soc@contoso.com", "status": "Enabled"}]},
        location="global")
    operations = ["accounts/deployments/write", "accounts/raiPolicies/write",
                  "accounts/listKeys/action"]
    for operation in operations + ["diagnosticSettings/delete"]:
        provider = "Microsoft.Insights" if operation.startswith("diag") else COG
        resource(rg, "Microsoft.Insights/activityLogAlerts",
                 "alert-" + operation.replace("/", "-").lower(), {
                     "enabled": True, "scopes": [MG + "contoso-ai-production"],
                     "condition": {"allOf": [
                         {"field": "category", "equals": "Administrative"},
                         {"field": "operationName", "equals": f"{provider}/{operation}"}]},
                     "actions": {"actionGroups": [{"actionGroupId": group_row["id"]}]}},
                 location="global")
    archive = storage(rg, "stcontosologarchive", "log archive", containers=[("insights-logs", "None")])
    TABLES["resources"][-1]["properties"].update({"hasImmutabilityPolicy": True, "immutabilityPolicy": {
        "immutabilityPeriodSinceCreationInDays": 365, "state": "Locked"}})
    diagnostics(archive["id"] + "/blobServices/default", platform["id"])
    return platform["id"], security["id"]


def connectivity(sub, spokes, sandbox):
    rg = resource_group(sub, "rg-network-hub", costCenter="1020")
    hub = virtual_network(rg, "vnet-hub", "10.10", {
        "snet-dns": (0, "Microsoft.Network/dnsResolvers"), "AzureFirewallSubnet": (1, None),
        "AzureBastionSubnet": (2, None)}, [(f"to-{s.split('/')[-1][5:]}", s, True) for s in spokes])
    addresses = {}
    for name, address in (("pip-firewall-hub", "203.0.113.10"), ("pip-bastion-hub", "203.0.113.11")):
        addresses[name] = resource(rg, "Microsoft.Network/publicIPAddresses", name, {
            "ipAddress": address, "publicIPAllocationMethod": "Static", "idleTimeoutInMinutes": 4,
            "ddosSettings": {"protectionMode": "VirtualNetworkInherited"}},
            sku={"name": "Standard", "tier": "Regional"})["id"]
    policy = resource(rg, "Microsoft.Network/firewallPolicies", "afwp-hub", {
        "threatIntelMode": "Deny", "sku": {"tier": "Premium"},
        "intrusionDetection": {"mode": "Deny"}, "dnsSettings": {"enableProxy": True}})
    resource(rg, "Microsoft.Network/azureFirewalls", "afw-hub", {
        "sku": {"name": "AZFW_VNet", "tier": "Premium"}, "threatIntelMode": "Deny",
        "firewallPolicy": {"id": policy["id"]}, "ipConfigurations": [{"name": "config", "properties": {
            "privateIPAddress": "10.10.1.4", "publicIPAddress": {"id": addresses["pip-firewall-hub"]},
            "subnet": {"id": hub + "/subnets/AzureFirewallSubnet"}}}]}, zones=["1", "2", "3"])
    resource(rg, "Microsoft.Network/bastionHosts", "bas-hub", {
        "disableCopyPaste": True, "enableTunneling": False, "ipConfigurations": [{
            "name": "config", "properties": {
                "publicIPAddress": {"id": addresses["pip-bastion-hub"]},
                "subnet": {"id": hub + "/subnets/AzureBastionSubnet"}}}]},
        sku={"name": "Standard"})
    resource(rg, "Microsoft.Network/dnsResolvers", "dnspr-hub", {"virtualNetwork": {"id": hub}})
    resource(rg, "Microsoft.Network/routeTables", "rt-spoke-egress", {
        "disableBgpRoutePropagation": True, "routes": [{"name": "default", "properties": {
            "addressPrefix": "0.0.0.0/0", "nextHopType": "VirtualAppliance",
            "nextHopIpAddress": "10.10.1.4"}}]})
    for name in ZONES:
        zone = resource(rg, "Microsoft.Network/privateDnsZones", name, {
            "numberOfRecordSets": 6, "maxNumberOfRecordSets": 25000}, location="global")
        linked = [hub, spokes[0]] + ([sandbox] if name in SANDBOX_ZONES else [])
        zone["properties"]["numberOfVirtualNetworkLinks"] = len(linked)
        for network in linked:
            child(zone, "virtualNetworkLinks", "link-" + network.split("/")[-1], {
                "provisioningState": "Succeeded", "registrationEnabled": False,
                "virtualNetworkLinkState": "Completed", "virtualNetwork": {"id": network}},
                location="global")


# --------------------------------------------------------------- production AI

def ai_production(sub, hub, logs, sandbox_network):
    """Each part adds what it made to `p`, for the parts after it."""
    p = SimpleNamespace(sub=sub, hub=hub, logs=logs, sandbox_network=sandbox_network)
    for part in (production_groups, production_network, production_stores, claims_and_support,
                 second_region, fraud_scoring, legal_model, assistants, production_access):
        part(p)
    return p.training


def production_groups(p):
    p.net_rg = resource_group(p.sub, "rg-ai-network-prod", costCenter="4100")
    claims = dict(aiSystemId="AIS-001", dataClassification="confidential", costCenter="4110")
    p.rg = resource_group(p.sub, "rg-ai-foundry-prod", **claims)
    p.dr = resource_group(p.sub, "rg-ai-foundry-dr", "francecentral", **claims)
    p.data = resource_group(p.sub, "rg-ai-data-prod", **claims)
    p.fraud = resource_group(p.sub, "rg-ai-fraud-prod", aiSystemId="AIS-002",
                             dataClassification="confidential", costCenter="4120")
    p.legal = resource_group(p.sub, "rg-ai-legal-llm-prod", aiSystemId="AIS-003",
                             dataClassification="confidential", costCenter="4130")
    p.gateway_rg = resource_group(p.sub, "rg-ai-gateway-prod", aiSystemId="AIS-000",
                                  dataClassification="internal", costCenter="4100")


def production_network(p):
    bastion = security_rule("allow-bastion", 110, "Allow", "10.10.2.0/24", ["22", "3389"])
    p.vnet = virtual_network(p.net_rg, "vnet-ai-prod", "10.20", {
        "snet-pe": (0, None), "snet-agents": (1, "Microsoft.App/environments"),
        "snet-aks": (2, None), "snet-apim": (3, "Microsoft.Web/hostingEnvironments"),
        "snet-apps": (4, "Microsoft.App/environments"), "snet-ml": (5, None)},
        # MISTAKE prod-sandbox-peering: beside the hub, one peering reaches the sandbox directly.
        [("to-hub", p.hub, True), ("tmp-dataset-copy", p.sandbox_network, False)],
        routes=p.hub.replace("virtualNetworks/vnet-hub", "routeTables/rt-spoke-egress"),
        rules={
            # DECOY: the open rule stands behind the deny and never applies.
            "snet-aks": [security_rule("allow-https-from-contoso", 100, "Allow", "10.0.0.0/8", "443"),
                         security_rule("deny-internet", 200, "Deny", "Internet", "*", "*"),
                         security_rule("old-vllm-test", 3000, "Allow", "*", "8000")],
            # MISTAKE nsg-priority: the deny at 300 looks like protection; the rule at 290 wins.
            "snet-ml": [security_rule("allow-https-from-contoso", 100, "Allow", "10.0.0.0/8", "443"),
                        bastion,
                        security_rule("allow-labelling-partner", 290, "Allow", "0.0.0.0/0",
                                      ["8080", "8888"]),
                        security_rule("deny-internet", 300, "Deny", "Internet", "*", "*")]})
    p.pe_subnet = p.vnet + "/subnets/snet-pe"
    watcher = resource(p.net_rg, "Microsoft.Network/networkWatchers", f"NetworkWatcher_{REGION}")
    child(watcher, "flowLogs", "fl-vnet-ai-prod", {
        "enabled": True, "targetResourceId": p.vnet, "retentionPolicy": {"days": 90, "enabled": True}})

    p.ids = {n: user_identity(r, n) for n, r in [
        ("id-claims-agent", p.rg), ("id-support-copilot", p.rg), ("id-apim-gateway", p.gateway_rg),
        ("id-legal-llm", p.legal), ("id-fraud-training", p.fraud), ("id-fraud-scoring", p.fraud)]}
    child(p.ids["id-legal-llm"], "federatedIdentityCredentials", "legal-llm", {
        "issuer": f"https://{REGION}.oic.prod-aks.azure.com/{TENANT}/{guid('aks issuer')}/",
        "subject": "system:serviceaccount:legal-llm:server", "audiences": ["api://AzureADTokenExchange"]})


def production_stores(p):
    """What the claims assistant and the support copilot read and remember."""
    p.training = storage(p.data, "stclaimstrainprod", "training", hierarchical=True,
                         containers=[("claims-2025", "None"), ("claims-2026", "None")])
    # MISTAKE unrecoverable-grounding: no versions, no soft delete; a poisoned document stays.
    p.grounding = storage(p.data, "stgroundingprod", "grounding", recoverable=False,
                          containers=[("support-articles", "None"), ("policy-wordings", "None")])
    p.foundry_store = storage(p.data, "stfoundryprod", "agent files", containers=[("agents", "None")])
    p.cosmos = resource(p.data, "Microsoft.DocumentDB/databaseAccounts", "cosmos-agents-prod", sealed(
        disableLocalAuth=True, minimalTlsVersion="Tls12", isVirtualNetworkFilterEnabled=False,
        ipRules=[], networkAclBypass="None", databaseAccountOfferType="Standard",
        locations=[{"locationName": "Sweden Central", "failoverPriority": 0, "isZoneRedundant": True}],
        backupPolicy={"type": "Continuous", "continuousModeProperties": {"tier": "Continuous30Days"}},
        capabilities=[{"name": "EnableNoSQLVectorSearch"}]), kind="GlobalDocumentDB")
    p.srch_claims = search_service(p.data, "srch-claims-prod")
    # MISTAKE search-api-keys: closed network, but every key holder reads every document.
    p.srch_support = search_service(p.data, "srch-support-prod", disableLocalAuth=False,
                                    authOptions={"apiKeyOnly": {}})
    child(p.srch_claims, "sharedPrivateLinkResources", "spl-grounding", {
        "privateLinkResourceId": p.grounding["id"], "groupId": "blob", "status": "Approved"})
    p.vault_ai = vault(p.data, "kv-ai-prod", [("crm-webhook-signing", 1798761600)])
    p.insights = resource(p.data, "Microsoft.Insights/components", "appi-ai-prod", {
        "Application_Type": "web", "InstrumentationKey": guid("appi-ai-prod"),
        "WorkspaceResourceId": p.logs, "IngestionMode": "LogAnalytics", "RetentionInDays": 180,
        "DisableLocalAuth": True, "publicNetworkAccessForIngestion": "Disabled",
        "publicNetworkAccessForQuery": "Disabled"}, kind="web")


def claims_and_support(p):
    """The Foundry account, its projects and what they may touch."""
    p.main = ai_account(p.rg, "aif-contoso-prod", networkInjections=[{
        "scenario": "agent", "subnetArmId": p.vnet + "/subnets/snet-agents",
        "useMicrosoftManagedNetwork": False}])
    filter_policy(p.main, "contoso-strict")
    # MISTAKE filter-off: a copy of the strict policy "for injury descriptions" with the
    # violence filter and the jailbreak shield off, used by one deployment.
    filter_policy(p.main, "contoso-strict-claims", off=("Violence", "Jailbreak"))
    deployment(p.main, "gpt-4.1", "gpt-4.1", "2025-04-14", "contoso-strict", 120)
    deployment(p.main, "gpt-4.1-mini", "gpt-4.1-mini", "2025-04-14", "contoso-strict", 200)
    deployment(p.main, "gpt-4.1-claims-batch", "gpt-4.1", "2025-04-14", "contoso-strict-claims", 80)
    deployment(p.main, "o4-mini", "o4-mini", "2025-04-16", "contoso-strict", 40)
    deployment(p.main, "text-embedding-3-large", "text-embedding-3-large", "1", "contoso-strict", 150)
    connection(p.main, "search-claims", "CognitiveSearch", "https://srch-claims-prod.search.windows.net")
    connection(p.main, "agent-store", "CosmosDB", "https://cosmos-agents-prod.documents.azure.com:443/")
    connection(p.main, "agent-files", "AzureStorageAccount", "https://stfoundryprod.blob.core.windows.net/")
    connection(p.main, "telemetry", "AppInsights", p.insights["id"])
    # MISTAKE shared-secret-connection: a key to the CRM, handed to every project of the account.
    connection(p.main, "crm-tools", "RemoteTool", "https://crm.contoso.com/mcp", "CustomKeys", shared=True)
    child(p.main, "capabilityHosts", "default", {
        "capabilityHostKind": "Agents", "customerSubnet": p.vnet + "/subnets/snet-agents"})
    child(p.main, "defenderForAISettings", "Default", {"state": "Enabled"})
    for project, stores in (("claims-assistant", "search-claims"), ("support-copilot", "search-support")):
        row = child(p.main, "projects", project, {
            "displayName": project.replace("-", " ").title(), "isDefault": False,
            "endpoints": {"AI Foundry API":
                          f"https://aif-contoso-prod.services.ai.azure.com/api/projects/{project}"}})
        name = system_identity(row)
        child(row, "capabilityHosts", "default", {
            "capabilityHostKind": "Agents", "threadStorageConnections": ["agent-store"],
            "storageConnections": ["agent-files"], "vectorStoreConnections": [stores]})
        assign_app(p.cosmos, name, "Reader")
        assign_app(p.foundry_store, name, "Storage Blob Data Contributor")
    connection(row, "search-support", "CognitiveSearch", "https://srch-support-prod.search.windows.net")


def second_region(p):
    """The spare account. It was built a week before an audit."""
    p.spare = ai_account(p.dr, "aif-contoso-dr", allowProjectManagement=False)
    filter_policy(p.spare, "contoso-strict")
    deployment(p.spare, "gpt-4.1", "gpt-4.1", "2025-04-14", "contoso-strict", 60)
    deployment(p.spare, "text-embedding-3-large", "text-embedding-3-large", "1", "contoso-strict", 60)
    child(p.spare, "defenderForAISettings", "Default", {"state": "Enabled"})
    p.documents = ai_account(p.rg, "di-claims-prod", "FormRecognizer")
    p.safety = ai_account(p.rg, "cs-contoso-prod", "ContentSafety")

    private_endpoint(p.net_rg, p.pe_subnet, p.main, "account")
    # MISTAKE disconnected-endpoint: fail-over to the second region would find no way in.
    private_endpoint(p.net_rg, p.pe_subnet, p.spare, "account", "Disconnected",
                     "Connection removed by the resource owner")
    for target, part in ((p.documents, "account"), (p.safety, "account"), (p.srch_claims, "searchService"),
                         (p.srch_support, "searchService"), (p.training, "blob"), (p.training, "dfs"),
                         (p.grounding, "blob"), (p.foundry_store, "blob"), (p.cosmos, "Sql"),
                         (p.vault_ai, "vault")):
        private_endpoint(p.net_rg, p.pe_subnet, target, part)
    for target in (p.main, p.documents, p.safety, p.srch_claims, p.srch_support, p.vault_ai, p.cosmos):
        diagnostics(target, p.logs)
    # MISTAKE no-prompt-log: only the audit group; requests and traces of the spare go nowhere.
    diagnostics(p.spare, p.logs, groups=("audit",))
    for target in (p.training, p.grounding, p.foundry_store):
        diagnostics(target["id"] + "/blobServices/default", p.logs,
                    groups=(), categories=("StorageRead", "StorageWrite", "StorageDelete"))


def fraud_scoring(p):
    """Classic machine learning: a workspace, its data and one endpoint."""
    p.fraud_store = storage(p.fraud, "stfraudmlprod", "workspace", containers=[("azureml-blobstore", "None")])
    p.fraud_vault = vault(p.fraud, "kv-fraud-prod")
    p.registry = resource(p.fraud, "Microsoft.ContainerRegistry/registries", "crcontosoai", sealed(
        loginServer="crcontosoai.azurecr.io", adminUserEnabled=False, anonymousPullEnabled=False,
        networkRuleSet={"defaultAction": "Deny", "ipRules": []}, zoneRedundancy="Enabled",
        policies={"quarantinePolicy": {"status": "enabled"},
                  "trustPolicy": {"type": "Notary", "status": "enabled"},
                  "retentionPolicy": {"days": 30, "status": "enabled"}}),
        sku={"name": "Premium", "tier": "Premium"})
    p.workspace = resource(p.fraud, "Microsoft.MachineLearningServices/workspaces", "mlw-fraud-prod", sealed(
        friendlyName="Fraud scoring", storageAccount=p.fraud_store["id"], keyVault=p.fraud_vault["id"],
        applicationInsights=p.insights["id"], containerRegistry=p.registry["id"], hbiWorkspace=True,
        workspaceId=guid("mlw-fraud-prod"), systemDatastoresAuthMode="identity", v1LegacyMode=False,
        allowPublicAccessWhenBehindVnet=False, imageBuildCompute="cpu-cluster",
        managedNetwork={"isolationMode": "AllowOnlyApprovedOutbound", "status": {"status": "Active"},
                        "outboundRules": {"claims-data": {"type": "PrivateEndpoint", "destination": {
                            "serviceResourceId": p.training["id"], "subresourceTarget": "dfs"}}}}),
        kind="Default", sku={"name": "Basic", "tier": "Basic"})
    runs_as(p.workspace, p.ids["id-fraud-training"])
    for name, size, most in (("cpu-cluster", "STANDARD_D8S_V5", 6),
                             ("gpu-cluster", "STANDARD_NC24ADS_A100_V4", 4)):
        row = child(p.workspace, "computes", name, {
            "computeType": "AmlCompute", "provisioningState": "Succeeded", "disableLocalAuth": True,
            "properties": {"vmSize": size, "vmPriority": "Dedicated", "enableNodePublicIp": False,
                           "remoteLoginPortPublicAccess": "Disabled",
                           "subnet": {"id": p.vnet + "/subnets/snet-ml"},
                           "scaleSettings": {"minNodeCount": 0, "maxNodeCount": most,
                                             "nodeIdleTimeBeforeScaleDown": "PT15M"}}})
        runs_as(row, p.ids["id-fraud-training"])
    for name, account, container in (("workspaceblobstore", "stfraudmlprod", "azureml-blobstore"),
                                     ("claims_history", "stclaimstrainprod", "claims-2026")):
        child(p.workspace, "datastores", name, {
            "datastoreType": "AzureBlob", "accountName": account, "containerName": container,
            "endpoint": "core.windows.net", "protocol": "https", "isDefault": name.startswith("work"),
            "subscriptionId": p.sub["id"], "credentials": {"credentialsType": "None"}})
    fraud_endpoint(p)
    private_endpoint(p.net_rg, p.pe_subnet, p.workspace, "amlworkspace")
    for target, part in ((p.fraud_store, "blob"), (p.fraud_vault, "vault"), (p.registry, "registry")):
        private_endpoint(p.net_rg, p.pe_subnet, target, part)
    for target in (p.workspace, p.endpoint, p.fraud_vault, p.registry):
        diagnostics(target, p.logs)
    diagnostics(p.fraud_store["id"] + "/blobServices/default", p.logs)

    # The labelling host that the partner reaches; see the NSG of snet-ml.
    address = resource(p.fraud, "Microsoft.Network/publicIPAddresses", "pip-vm-labelling-prod", {
        "ipAddress": "203.0.113.57", "publicIPAllocationMethod": "Static"},
        sku={"name": "Standard", "tier": "Regional"})
    virtual_machine(p.fraud, "vm-labelling-prod", "Standard_D4s_v5", p.vnet + "/subnets/snet-ml",
                    "10.20.5.20", address["id"])


def fraud_endpoint(p):
    # MISTAKE mirrored-traffic: a copy of every tenth request goes to a deployment with open egress.
    p.endpoint = child(p.workspace, "onlineEndpoints", "fraud-scoring", sealed(
        provisioningState="Succeeded", authMode="AADToken", traffic={"blue": 100},
        mirrorTraffic={"benchmark": 10},
        scoringUri=f"https://fraud-scoring.{REGION}.inference.ml.azure.com/score"), kind="Managed")
    runs_as(p.endpoint, p.ids["id-fraud-scoring"])
    for name, model, egress, collect in (("blue", "fraud-gbm/versions/14", "Disabled", "Enabled"),
                                         ("benchmark", "fraud-gbm/versions/9", "Enabled", "Disabled")):
        child(p.endpoint, "deployments", name, {
            "provisioningState": "Succeeded", "endpointComputeType": "Managed",
            "instanceType": "Standard_DS4_v2", "model": f"{p.workspace['id']}/models/{model}",
            "egressPublicNetworkAccess": egress, "dataCollector": {"collections": {
                "model_inputs": {"dataCollectionMode": collect},
                "model_outputs": {"dataCollectionMode": collect}}}},
            sku={"name": "Default", "capacity": 3})
    model = child(p.workspace, "models", "fraud-gbm", {"latestVersion": "14"})
    for version in ("9", "14"):
        child(model, "versions", version, {
            "modelType": "mlflow_model", "isArchived": False, "stage": "Production",
            "modelUri": f"azureml://jobs/{guid('job', version)}/outputs/artifacts/model"})


def legal_model(p):
    """The legal department's own model on a GPU pool."""
    cluster = resource(p.legal, "Microsoft.ContainerService/managedClusters", "aks-inference-prod", {
        "powerState": {"code": "Running"}, "kubernetesVersion": "1.33", "dnsPrefix": "aks-inference",
        "currentKubernetesVersion": "1.33.5",
        "agentPoolProfiles": [
            {"name": "system", "count": 3, "vmSize": "Standard_D4s_v5", "osType": "Linux",
             "mode": "System", "vnetSubnetID": p.vnet + "/subnets/snet-aks", "enableNodePublicIP": False,
             "enableEncryptionAtHost": True},
            {"name": "gpu", "count": 2, "vmSize": "Standard_NC24ads_A100_v4", "osType": "Linux",
             "mode": "User", "vnetSubnetID": p.vnet + "/subnets/snet-aks", "enableNodePublicIP": False,
             "enableEncryptionAtHost": True, "nodeTaints": ["sku=gpu:NoSchedule"],
             "nodeLabels": {"contoso.com/workload": "legal-llm", "contoso.com/server": "vllm"}}],
        "apiServerAccessProfile": {"enablePrivateCluster": True, "privateDNSZone": "system"},
        "aadProfile": {"managed": True, "enableAzureRBAC": True, "tenantID": TENANT},
        "disableLocalAccounts": True, "enableRBAC": True,
        "oidcIssuerProfile": {"enabled": True},
        "securityProfile": {"workloadIdentity": {"enabled": True}, "imageCleaner": {"enabled": True},
                            "defender": {"securityMonitoring": {"enabled": True}}},
        "autoUpgradeProfile": {"upgradeChannel": "patch", "nodeOSUpgradeChannel": "NodeImage"},
        "addonProfiles": {"azurepolicy": {"enabled": True}, "omsagent": {"enabled": True}},
        "networkProfile": {"networkPlugin": "azure", "networkPolicy": "cilium",
                           "outboundType": "userDefinedRouting"}},
        sku={"name": "Base", "tier": "Standard"}, tags={"model": "contoso-legal-13b"})
    p.cluster_name = system_identity(cluster)
    p.legal_store = storage(p.legal, "stlegalmodels", "model weights", containers=[("models", "None")])
    private_endpoint(p.net_rg, p.pe_subnet, p.legal_store, "blob")
    diagnostics(cluster, p.logs, groups=(), categories=("kube-audit-admin", "guard", "kube-apiserver"))
    diagnostics(p.legal_store["id"] + "/blobServices/default", p.logs)


def assistants(p):
    """The gateway and the two applications that call models through it."""
    ai_gateway(p.gateway_rg, p.vnet, p.ids, p.insights, p.logs)
    apps = resource(p.rg, "Microsoft.App/managedEnvironments", "cae-ai-prod", {
        "publicNetworkAccess": "Disabled",
        "vnetConfiguration": {"internal": True, "infrastructureSubnetId": p.vnet + "/subnets/snet-apps"},
        "appLogsConfiguration": {"destination": "azure-monitor"},
        "workloadProfiles": [{"name": "Consumption", "workloadProfileType": "Consumption"}]})
    for name, identity, digest in (("ca-claims-agent", "id-claims-agent", "1f"),
                                   ("ca-support-copilot", "id-support-copilot", "7c")):
        row = resource(p.rg, "Microsoft.App/containerApps", name, {
            "managedEnvironmentId": apps["id"], "workloadProfileName": "Consumption",
            "configuration": {"activeRevisionsMode": "Single", "secrets": [],
                              "ingress": {"external": False, "targetPort": 8080,
                                          "allowInsecure": False, "transport": "http2"},
                              "registries": [{"server": "crcontosoai.azurecr.io",
                                              "identity": p.ids[identity]["id"]}]},
            "template": {"containers": [{
                "name": name[3:], "image": f"crcontosoai.azurecr.io/{name[3:]}@sha256:{digest * 32}",
                "env": [{"name": "AZURE_OPENAI_ENDPOINT", "value": "https://ai.contoso.com/openai"},
                        {"name": "AZURE_CLIENT_ID", "value": p.ids[identity]["properties"]["clientId"]}],
                "resources": {"cpu": 1.0, "memory": "2Gi"}}], "scale": {"minReplicas": 2, "maxReplicas": 10}}})
        runs_as(row, p.ids[identity])
    diagnostics(apps, p.logs)


def production_access(p):
    """Who may do what."""
    assign_group(p.sub, "grp-ai-production-owners", "Owner")
    assign_group(p.sub, "grp-ai-platform-admins", "Reader")
    assign_group(p.sub, "grp-security-operations", "Security Reader")
    assign_group(p.rg, "grp-ai-engineers", "Cognitive Services OpenAI User")
    assign_group(p.workspace, "grp-ai-engineers", "AzureML Data Scientist")
    assign_group(p.main, "grp-ai-users", "Cognitive Services OpenAI User")
    assign_group(p.net_rg, "grp-network-operations", "Network Contributor")
    assign_app(p.sub, "app-ai-platform-deploy", "Contributor")
    assign_app(p.training, "app-claims-etl", "Storage Blob Data Contributor")
    assign_app(p.fraud_store, "app-fraud-batch", "Storage Blob Data Reader")
    for target, identity, role in [
            (p.main, "id-apim-gateway", "Cognitive Services OpenAI User"),
            (p.spare, "id-apim-gateway", "Cognitive Services OpenAI User"),
            (p.safety, "id-apim-gateway", "Cognitive Services OpenAI User"),
            (p.srch_claims, "id-claims-agent", "Search Index Data Reader"),
            (p.srch_support, "id-support-copilot", "Search Index Data Reader"),
            (p.registry, "id-claims-agent", "AcrPull"), (p.registry, "id-support-copilot", "AcrPull"),
            (p.training, "id-fraud-training", "Storage Blob Data Reader"),
            (p.fraud_store, "id-fraud-training", "Storage Blob Data Contributor"),
            (p.fraud_vault, "id-fraud-training", "Key Vault Secrets User"),
            (p.fraud_store, "id-fraud-scoring", "Storage Blob Data Reader"),
            (p.legal_store, "id-legal-llm", "Storage Blob Data Reader"),
            (p.registry, p.cluster_name, "AcrPull"), (p.registry, "app-ai-platform-deploy", "AcrPush"),
            (p.vault_ai, "aif-contoso-prod", "Key Vault Secrets User"),
            (p.grounding, "srch-claims-prod", "Storage Blob Data Reader"),
            (p.grounding, "srch-support-prod", "Storage Blob Data Reader")]:
        assign_app(target, identity, role)
    # MISTAKE copilot-mailboxes: the support copilot may read and write every mailbox.
    emit("appRoleAssignments", {
        "id": guid("app role", "support"), "principalId": PRINCIPALS["id-support-copilot"],
        "principalType": "ServicePrincipal", "principalDisplayName": "id-support-copilot",
        "resourceId": PRINCIPALS["Microsoft Graph"], "resourceDisplayName": "Microsoft Graph",
        "appRoleId": "e2a3a72e-5f79-4c64-b1b1-878b674786c9", "createdDateTime": "2026-02-19T13:03:00Z"})
    emit("appRoleAssignments", {
        "id": guid("app role", "deploy"), "principalId": PRINCIPALS["app-portal-deploy"],
        "principalType": "ServicePrincipal", "principalDisplayName": "app-portal-deploy",
        "resourceId": PRINCIPALS["Microsoft Graph"], "resourceDisplayName": "Microsoft Graph",
        "appRoleId": "df021288-bdef-4463-88db-98f22de89214", "createdDateTime": "2025-06-12T09:30:00Z"})
    # Just-in-time elevation as it should be: time-bound, for the platform team only.
    emit("roleEligibilityScheduleInstances", {
        "id": guid("eligible", "platform"), "principalId": GROUPS["grp-ai-platform-admins"],
        "principalType": "Group", "roleDefinitionId": ROLE_DEFINITION + ROLES["Azure AI Administrator"][0],
        "scope": p.sub["scope"], "status": "Provisioned", "memberType": "Direct",
        "startDateTime": "2026-09-01T00:00:00Z", "endDateTime": "2027-03-01T00:00:00Z"})


GATEWAY_POLICY = """<policies>
  <inbound>
    <base />
    <validate-azure-ad-token tenant-id="{tenant}"><audiences><audience>api://ai-gateway</audience></audiences></validate-azure-ad-token>
    <authentication-managed-identity resource="https://cognitiveservices.azure.com" client-id="{client}" />
    <azure-openai-token-limit counter-key="@(context.Subscription.Id)" tokens-per-minute="60000" estimate-prompt-tokens="true" />
    <llm-content-safety backend-id="content-safety" shield-prompt="true"><categories output-type="FourSeverityLevels"><category name="Hate" threshold="4" /><category name="Violence" threshold="4" /></categories></llm-content-safety>
    <azure-openai-emit-token-metric namespace="ai-gateway"><dimension name="Subscription ID" /></azure-openai-emit-token-metric>
    <set-backend-service backend-id="foundry-pool" />
  </inbound>
  <backend><base /></backend>
  <outbound><base /></outbound>
</policies>"""

# MISTAKE legacy-gateway-api: no caller token, no limit, a stored key to the model.
LEGACY_POLICY = """<policies>
  <inbound>
    <base />
    <set-header name="api-key" exists-action="override"><value>{{aoai-legacy}}</value></set-header>
    <set-backend-service backend-id="foundry-primary" />
  </inbound>
  <backend><base /></backend>
  <outbound><base /></outbound>
</policies>"""


def ai_gateway(rg, vnet, ids, insights, logs):
    service = resource(rg, "Microsoft.ApiManagement/service", "apim-ai-gateway-prod", {
        "gatewayUrl": "https://ai.contoso.com", "virtualNetworkType": "Internal",
        "virtualNetworkConfiguration": {"subnetResourceId": vnet + "/subnets/snet-apim"},
        "publicNetworkAccess": "Enabled", "disableGateway": False, "platformVersion": "stv2.1",
        "publisherEmail": "ai-platform@contoso.com", "customProperties": {
            f"Microsoft.WindowsAzure.ApiManagement.Gateway.Security.{side}Protocols.{version}": "False"
            for side in ("", "Backend.") for version in ("Tls10", "Tls11", "Ssl30")}},
        sku={"name": "Premium", "capacity": 2}, zones=["1", "2"])
    runs_as(service, ids["id-apim-gateway"])
    child(service, "loggers", "appinsights", {"loggerType": "applicationInsights",
                                              "resourceId": insights["id"]})
    for name, url in (("foundry-primary", "https://aif-contoso-prod.openai.azure.com/openai"),
                      ("foundry-secondary", "https://aif-contoso-dr.openai.azure.com/openai"),
                      ("content-safety", "https://cs-contoso-prod.cognitiveservices.azure.com")):
        child(service, "backends", name, {"url": url, "protocol": "http", "type": "Single"})
    child(service, "backends", "foundry-pool", {"type": "Pool", "pool": {"services": [
        {"id": "/backends/foundry-primary", "priority": 1},
        {"id": "/backends/foundry-secondary", "priority": 2}]}})
    child(service, "namedValues", "aoai-legacy", {"displayName": "aoai-legacy", "secret": True})
    client = ids["id-apim-gateway"]["properties"]["clientId"]
    for name, path, text in (("azure-openai", "openai", GATEWAY_POLICY.format(tenant=TENANT, client=client)),
                             ("legacy-completions", "v0/complete", LEGACY_POLICY)):
        api = child(service, "apis", name, {
            "displayName": name, "path": path, "protocols": ["https"], "apiRevision": "1",
            "subscriptionRequired": True, "isCurrent": True, "type": "http"})
        child(api, "policies", "policy", {"format": "rawxml", "value": text})
        if name == "azure-openai":
            child(api, "diagnostics", "azuremonitor", {
                "loggerId": "/loggers/azuremonitor", "largeLanguageModel": {
                    "logs": "enabled", "requests": {"messages": "all", "maxSizeInBytes": 262144},
                    "responses": {"messages": "all", "maxSizeInBytes": 262144}}})
    diagnostics(service, logs, groups=("allLogs",))


# ------------------------------------------------------------- customer portal

def web_estate(sub, hub, logs):
    rg = resource_group(sub, "rg-portal-prod", costCenter="3200", dataClassification="confidential")
    vnet = virtual_network(rg, "vnet-portal-prod", "10.30", {
        "snet-pe": (0, None), "snet-app": (1, "Microsoft.Web/serverFarms")}, [("to-hub", hub, True)],
        routes=hub.replace("virtualNetworks/vnet-hub", "routeTables/rt-spoke-egress"))
    insights = resource(rg, "Microsoft.Insights/components", "appi-portal-prod", {
        "Application_Type": "web", "InstrumentationKey": guid("appi-portal"),
        "WorkspaceResourceId": logs, "IngestionMode": "LogAnalytics", "RetentionInDays": 90,
        "DisableLocalAuth": True, "publicNetworkAccessForIngestion": "Enabled",
        "publicNetworkAccessForQuery": "Disabled"}, kind="web")
    plan = resource(rg, "Microsoft.Web/serverfarms", "plan-portal-prod", {
        "reserved": True, "zoneRedundant": True}, kind="linux", sku={"name": "P1v3", "tier": "PremiumV3"})
    waf = resource(rg, "Microsoft.Network/FrontDoorWebApplicationFirewallPolicies", "wafportalprod", {
        "policySettings": {"enabledState": "Enabled", "mode": "Prevention"},
        "managedRules": {"managedRuleSets": [{"ruleSetType": "Microsoft_DefaultRuleSet",
                                              "ruleSetVersion": "2.1"}]}}, location="global")
    door = resource(rg, "Microsoft.Cdn/profiles", "afd-portal-prod", {"frontDoorId": guid("afd")},
                    location="global", sku={"name": "Premium_AzureFrontDoor"})
    child(door, "securityPolicies", "waf", {"parameters": {
        "type": "WebApplicationFirewall", "wafPolicy": {"id": waf["id"]}}}, location="global")
    portal = web_app(rg, "app-customer-portal", "app,linux", plan, vnet + "/subnets/snet-app", [
        "AZURE_OPENAI_ENDPOINT", "AZURE_CLIENT_ID", "APPLICATIONINSIGHTS_CONNECTION_STRING"])
    intake = web_app(rg, "func-claims-intake", "functionapp,linux", plan, vnet + "/subnets/snet-app", [
        "AzureWebJobsStorage__accountName", "AZURE_OPENAI_ENDPOINT", "FUNCTIONS_WORKER_RUNTIME"])
    secrets = vault(rg, "kv-portal-prod", [("payment-webhook", 1790812800)])
    store = storage(rg, "stportalprod", "uploads", containers=[("uploads", "None")])
    server = resource(rg, "Microsoft.Sql/servers", "sql-portal-prod", sealed(
        minimalTlsVersion="1.2", version="12.0", administrators={
            "administratorType": "ActiveDirectory", "azureADOnlyAuthentication": True,
            "principalType": "Group", "login": "grp-web-developers",
            "sid": GROUPS["grp-web-developers"], "tenantId": TENANT}))
    child(server, "databases", "portal", {"status": "Online", "zoneRedundant": True,
                                          "currentServiceObjectiveName": "GP_Gen5_4"},
          sku={"name": "GP_Gen5", "tier": "GeneralPurpose", "capacity": 4})
    for target, part in ((secrets, "vault"), (store, "blob"), (server, "sqlServer"), (portal, "sites")):
        private_endpoint(rg, vnet + "/subnets/snet-pe", target, part)
    for target in (portal, intake, secrets, door):
        diagnostics(target, logs)
    diagnostics(store["id"] + "/blobServices/default", logs)
    assign_group(sub, "grp-web-developers", "Reader")
    assign_app(rg, "app-portal-deploy", "Contributor")
    assign_app(secrets, "app-customer-portal", "Key Vault Secrets User")
    assign_app(store, "func-claims-intake", "Storage Blob Data Contributor")
    return insights


# --------------------------------------------------------------------- sandbox

def sandbox(sub, production_network, logs, production_training):
    rg = resource_group(sub, "rg-ai-sandbox", aiSystemId="AIS-900", dataClassification="public",
                        costCenter="4900")
    office = {"defaultAction": "Deny", "bypass": "None", "virtualNetworkRules": [],
              "ipRules": [{"value": "198.51.100.0/24"}]}
    vnet = virtual_network(rg, "vnet-ai-sandbox", "10.40", {"snet-ml": (0, None), "snet-pe": (1, None)},
                           [("tmp-dataset-copy", production_network, False)], dns=())
    account = ai_account(rg, "aif-contoso-sandbox", publicNetworkAccess="Enabled", networkAcls=office)
    filter_policy(account, "sandbox-default")
    for name, model, version in (("gpt-4.1-mini", "gpt-4.1-mini", "2025-04-14"),
                                 ("gpt-5-mini", "gpt-5-mini", "2025-08-07"),
                                 ("text-embedding-3-small", "text-embedding-3-small", "1")):
        deployment(account, name, model, version, "sandbox-default", 20, "GlobalStandard",
                   "OnceNewDefaultVersionAvailable")
    row = child(account, "projects", "playground", {"displayName": "Playground", "isDefault": True})
    system_identity(row)
    child(account, "defenderForAISettings", "Default", {"state": "Enabled"})
    store = storage(rg, "staisandbox", "experiments", containers=[("public-datasets", "None")],
                    publicNetworkAccess="Enabled", networkAcls={
                        "bypass": "AzureServices", "defaultAction": "Deny", "virtualNetworkRules": [],
                        "ipRules": [{"value": "198.51.100.0/24", "action": "Allow"}],
                        "resourceAccessRules": []})
    keys = vault(rg, "kv-ai-sandbox")
    identity = user_identity(rg, "id-sandbox-experiments")
    workspace = resource(rg, "Microsoft.MachineLearningServices/workspaces", "mlw-sandbox", sealed(
        friendlyName="Sandbox", storageAccount=store["id"], keyVault=keys["id"],
        applicationInsights=None, containerRegistry=None, hbiWorkspace=False,
        workspaceId=guid("mlw-sandbox"), systemDatastoresAuthMode="identity", v1LegacyMode=False,
        allowPublicAccessWhenBehindVnet=False,
        managedNetwork={"isolationMode": "AllowInternetOutbound", "status": {"status": "Active"}}),
        kind="Default", sku={"name": "Basic", "tier": "Basic"})
    runs_as(workspace, identity)
    for alias in ("amara", "lucia"):
        row = child(workspace, "computes", f"ci-{alias}", {
            "computeType": "ComputeInstance", "provisioningState": "Succeeded", "disableLocalAuth": True,
            "properties": {"vmSize": "STANDARD_DS3_V2", "state": "Stopped",
                           "applicationSharingPolicy": "Personal", "enableNodePublicIp": False,
                           "enableRootAccess": False, "enableSSO": True,
                           "computeInstanceAuthorizationType": "personal",
                           "idleTimeBeforeShutdown": "PT60M",
                           "sshSettings": {"sshPublicAccess": "Disabled"},
                           "osImageMetadata": {"isLatestOsImageVersion": True}}})
        runs_as(row, identity)
    row = child(workspace, "computes", "gpu-spot", {
        "computeType": "AmlCompute", "provisioningState": "Succeeded", "disableLocalAuth": True,
        "properties": {"vmSize": "STANDARD_NC4AS_T4_V3", "vmPriority": "LowPriority",
                       "enableNodePublicIp": False, "remoteLoginPortPublicAccess": "Disabled",
                       "subnet": {"id": vnet + "/subnets/snet-ml"},
                       "scaleSettings": {"minNodeCount": 0, "maxNodeCount": 2,
                                         "nodeIdleTimeBeforeScaleDown": "PT10M"}}})
    runs_as(row, identity)
    index = search_service(rg, "srch-sandbox", replicaCount=1, publicNetworkAccess="enabled",
                           networkRuleSet={"ipRules": [{"value": "198.51.100.0/24"}], "bypass": "None"})
    for target, part in ((workspace, "amlworkspace"), (keys, "vault")):
        private_endpoint(rg, vnet + "/subnets/snet-pe", target, part)
    for target in (account, workspace, keys, index):
        diagnostics(target, logs)
    diagnostics(store["id"] + "/blobServices/default", logs)
    assign_group(sub, "grp-data-scientists", "Reader")
    assign_group(rg, "grp-data-scientists", "AzureML Data Scientist")
    assign_group(account, "grp-data-scientists", "Cognitive Services OpenAI User")
    assign_group(store, "grp-annotation-partners", "Storage Blob Data Reader")
    assign_app(store, "id-sandbox-experiments", "Storage Blob Data Contributor")
    # MISTAKE sandbox-to-training: any notebook of the sandbox may rewrite production training data.
    assign_app(production_training, "id-sandbox-experiments", "Contributor")


# ------------------------------------------------------------------- marketing

def marketing(sub, logs):
    rg = resource_group(sub, "rg-marketing-web", costCenter="7300")
    lab = resource_group(sub, "rg-campaign-lab", "westeurope")
    storage(rg, "stmarketingassets", "images", containers=[("assets", "None")])
    plan = resource(rg, "Microsoft.Web/serverfarms", "plan-marketing", {"reserved": True},
                    kind="linux", sku={"name": "P0v3", "tier": "PremiumV3"})
    site = web_app(rg, "app-contoso-campaigns", "app,linux", plan, None, ["WEBSITE_TIME_ZONE"], "Enabled")
    diagnostics(site, logs)
    # SHADOW: an OpenAI account where no AI is expected; open, with keys, unfiltered logs, no owner.
    account = ai_account(lab, "oai-campaign-copy", "OpenAI", publicNetworkAccess="Enabled",
                         networkAcls={"defaultAction": "Allow", "virtualNetworkRules": [], "ipRules": []},
                         disableLocalAuth=False, restrictOutboundNetworkAccess=False, allowedFqdnList=[])
    account["tags"] = {"project": "spring-campaign"}
    deployment(account, "gpt-4o", "gpt-4o", "2024-08-06", "Microsoft.Default", 30, "GlobalStandard",
               "NoAutoUpgrade")
    deployment(account, "dall-e-3", "dall-e-3", "3.0", "Microsoft.Default", 2, "Standard", "NoAutoUpgrade")
    # SHADOW: a web application that calls a vendor's API directly.
    writer = web_app(lab, "app-campaign-writer-web", "app,linux", plan, None, [
        "OPENAI_API_KEY", "OPENAI_MODEL", "WEBSITE_TIME_ZONE"], "Enabled")
    writer["tags"] = {"project": "spring-campaign"}
    # SHADOW: keys of AI vendors in a vault that belongs to nobody's AI system.
    vault(lab, "kv-campaign-lab", [("anthropic-api-key", None), ("openai-api-key", None)], public=True)
    # SHADOW: a GPU machine that renders, or says it does.
    vnet = virtual_network(lab, "vnet-campaign-lab", "10.70", {"snet-default": (0, None)}, dns=())
    machine = virtual_machine(lab, "vm-render-01", "Standard_NC8as_T4_v3", vnet + "/subnets/snet-default",
                              "10.70.0.5", untagged=True)
    machine["properties"]["storageProfile"]["imageReference"] = {
        "publisher": "microsoft-dsvm", "offer": "ubuntu-2204", "sku": "2204-gen2"}
    # SHADOW: a newsletter workflow with a connector to a model.
    link = resource(lab, "Microsoft.Web/connections", "openai-newsletter", {
        "displayName": "OpenAI newsletter", "overallStatus": "Connected", "api": {
            "name": "openaiip", "displayName": "OpenAI (Independent Publisher)",
            "id": f"{sub['scope']}/providers/Microsoft.Web/locations/westeurope/managedApis/openaiip"}})
    resource(lab, "Microsoft.Logic/workflows", "logic-newsletter", {
        "state": "Enabled", "definition": {"actions": {"Write_text": {
            "type": "ApiConnection", "inputs": {"path": "/chat/completions", "method": "post"}}}},
        "parameters": {"$connections": {"value": {"openaiip": {"connectionId": link["id"]}}}}})
    assign_group(sub, "grp-marketing-digital", "Contributor")


# ------------------------------------------------------------------ governance

DEFINITION = "/providers/Microsoft.Authorization/policyDefinitions/"
INITIATIVE = "/providers/Microsoft.Authorization/policySetDefinitions/"


def governance(subs):
    for name, (id, actions, not_actions, data_actions) in ROLES.items():
        role_definition(id, name, "BuiltInRole", actions, not_actions, data_actions, ["/"])
    role_definition(guid("role", "model publisher"), "Contoso Model Publisher", "CustomRole", [
        f"{ML}/workspaces/models/versions/write", f"{ML}/registries/assets/read"], [], [],
        [MG + "contoso-ai-production"])

    def assignment(group, name, title, definition, effect=None, mode="Default"):
        scope = MG + group
        row = graph_row(
            f"{scope}/providers/Microsoft.Authorization/policyAssignments/{name}", name,
            "microsoft.authorization/policyassignments", properties={
                "displayName": title, "policyDefinitionId": definition, "scope": scope,
                "notScopes": [], "parameters": {"effect": {"value": effect}} if effect else {},
                "enforcementMode": mode, "metadata": {
                    "createdOn": "2025-05-02T08:00:00Z", "createdBy": USERS["tomas.lindqvist"]}})
        emit("policyresources", row)
        return row["id"]

    assignment("contoso", "mcsb-v2", "Microsoft cloud security benchmark v2",
               INITIATIVE + "e3ec7e09-768c-4b64-882c-fcada3772047")
    network = assignment("contoso-landingzones", "deny-ai-public", "AI services restrict network access",
                         DEFINITION + "037eea7a-bd0a-46c5-9a66-03aea78705d3", "Deny")
    keys = assignment("contoso-ai-production", "deny-ai-keys", "AI services do not accept keys",
                      DEFINITION + "71ef260a-8f18-47b7-abcb-62d0673d94dc", "Deny")
    assignment("contoso-ai-production", "deny-search-public", "Search services stay private",
               DEFINITION + "ee980b6d-0eca-4501-8d54-f6290fd512c3", "Deny")
    assignment("contoso-ai-production", "audit-private-link", "AI services use Private Link",
               DEFINITION + "d6759c02-b87f-42b7-892e-71b3f471d782", "Audit")
    assignment("contoso-ai-production", "ml-diagnostics", "Diagnostics of ML workspaces",
               DEFINITION + "f59276f0-5740-4aaf-821d-45d185aa210e", "DeployIfNotExists")
    assignment("contoso-ai-production", "search-diagnostics", "Diagnostics of search services",
               DEFINITION + "08ba64b8-738f-4918-9686-730d2ed79c7d", "DeployIfNotExists")
    assignment("contoso-ai-production", "approved-models", "Only approved registry models",
               DEFINITION + "aafe3651-cb78-4f68-9f81-e7e41509110f", "Deny")
    assignment("contoso-ai-production", "nist-ai-rmf", "NIST AI RMF",
               INITIATIVE + "f58a876c-ec25-417e-9634-58d2a93e3fe2")
    assignment("contoso-ai-production", "eu-ai-act", "EU AI Act",
               INITIATIVE + "1308bccf-446a-4283-a4e0-0c983fe7a572")
    assignment("contoso-ai-sandbox", "audit-ai-keys", "AI services do not accept keys",
               DEFINITION + "71ef260a-8f18-47b7-abcb-62d0673d94dc", "Audit")
    lab = f"{subs['sub-corp-marketing']['scope']}/resourceGroups/rg-campaign-lab"
    # MISTAKE endless-exemption: a waiver "for the launch" without an end or a reason lets the
    # marketing account stay open under a deny policy.
    emit("policyresources", graph_row(
        f"{lab}/providers/Microsoft.Authorization/policyExemptions/launch-waiver", "launch-waiver",
        "microsoft.authorization/policyexemptions",
        subscriptionId=subs["sub-corp-marketing"]["id"], resourceGroup="rg-campaign-lab", properties={
            "policyAssignmentId": network, "policyDefinitionReferenceIds": [],
            "exemptionCategory": "Waiver", "displayName": "launch", "description": "",
            "expiresOn": None}))
    emit("policyresources", graph_row(
        f"{subs['sub-ai-sandbox']['scope']}/providers/Microsoft.Authorization/policyExemptions/sandbox-offices",
        "sandbox-offices", "microsoft.authorization/policyexemptions",
        subscriptionId=subs["sub-ai-sandbox"]["id"], properties={
            "policyAssignmentId": network, "policyDefinitionReferenceIds": [],
            "exemptionCategory": "Mitigated", "displayName": "Sandbox reachable from offices",
            "description": "Firewall admits office addresses only; public data only. Ticket SEC-1184.",
            "expiresOn": "2027-03-31T00:00:00Z"}))
    for row in TABLES["resources"]:
        if row["type"] != "microsoft.cognitiveservices/accounts" or "campaign" in row["name"]:
            continue
        policy, at = (keys, "contoso-ai-production") if "sandbox" not in row["name"] else \
                     (network, "contoso-landingzones")
        emit("policyresources", graph_row(
            f"{row['id']}/providers/Microsoft.PolicyInsights/policyStates/{guid('state', row['id'])}",
            guid("state", row["id"]), "microsoft.policyinsights/policystates",
            subscriptionId=row["subscriptionId"], resourceGroup=row["resourceGroup"], properties={
                "resourceId": row["id"].lower(), "policyAssignmentId": policy.lower(),
                "policyAssignmentScope": MG + at, "timestamp": COLLECTED,
                "complianceState": "Exempt" if policy == network else "Compliant"}))
    assign_group(MG + "contoso", "grp-audit-readers", "Reader")
    assign_group(MG + "contoso-platform", "grp-network-operations", "Reader")
    assign_group(subs["sub-management"], "grp-security-operations", "Log Analytics Reader")
    assign_group(subs["sub-management"], "grp-ai-platform-admins", "Reader")
    assign_group(subs["sub-connectivity"], "grp-network-operations", "Network Contributor")
    assign("/", USERS["emergency-01"], "User", "Owner")


def build():
    people()
    applications()
    directory()
    management_groups()
    platform, ai = "ai-platform@contoso.com", "ines.albrecht@contoso.com"
    subs = {s["name"]: s for s in [
        subscription("sub-management", "contoso-management", "prod", platform, "1010"),
        subscription("sub-connectivity", "contoso-connectivity", "prod", "elif.kaya@contoso.com", "1020"),
        subscription("sub-corp-marketing", "contoso-corp", "prod", "sofia.marques@contoso.com", "7300"),
        subscription("sub-online-portal", "contoso-online", "prod", "yusuf.demir@contoso.com", "3200"),
        subscription("sub-ai-production", "contoso-ai-production", "prod", ai, "4100"),
        subscription("sub-ai-sandbox", "contoso-ai-sandbox", "sandbox", ai, "4900")]}
    network = "/providers/Microsoft.Network/virtualNetworks/"

    def net(sub, rg, name):
        return f"{subs[sub]['scope']}/resourceGroups/{rg}{network}{name}"

    hub = net("sub-connectivity", "rg-network-hub", "vnet-hub")
    prod = net("sub-ai-production", "rg-ai-network-prod", "vnet-ai-prod")
    portal = net("sub-online-portal", "rg-portal-prod", "vnet-portal-prod")
    lab = net("sub-ai-sandbox", "rg-ai-sandbox", "vnet-ai-sandbox")

    platform_logs, security_logs = management(subs["sub-management"])
    connectivity(subs["sub-connectivity"], [prod, portal], lab)
    training = ai_production(subs["sub-ai-production"], hub, platform_logs, lab)
    web_estate(subs["sub-online-portal"], hub, platform_logs)
    sandbox(subs["sub-ai-sandbox"], prod, platform_logs, training)
    marketing(subs["sub-corp-marketing"], platform_logs)
    governance(subs)
    for name, sub in subs.items():
        # Nobody expected AI in marketing, so nobody pays for its protection there.
        defender(sub, free=("AI", "Api", "CosmosDbs") if name == "sub-corp-marketing" else ())
        diagnostics(sub["scope"], security_logs, groups=(),
                    categories=("Administrative", "Security", "Policy", "Alert"), metrics=False)
        if name.startswith("sub-ai"):
            budget(sub, 45000 if name == "sub-ai-production" else 6000)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", default=os.path.dirname(os.path.abspath(__file__)))
    out = parser.parse_args().out
    os.makedirs(out, exist_ok=True)
    build()
    for table, rows in sorted(TABLES.items()):
        with open(os.path.join(out, table + ".jsonl"), "w", encoding="utf-8", newline="\n") as file:
            for row in rows:
                file.write(json.dumps(row, separators=(",", ":"), ensure_ascii=False) + "\n")
        print(f"{table:34} {len(rows):5}")


if __name__ == "__main__":
    main()
