#!/usr/bin/env python3
"""Writes content/telemetry/categories.yaml: which table a category of resource logs goes to.

    script/azure_categories.py category-to-table.json > content/telemetry/categories.yaml

The input is {"types": {resource type: {category: {"name", "table"}}}}, as the pages "Supported
resource logs" of the Azure Monitor reference say it. To it come the categories of Microsoft
Entra, which belong to no resource type, and some that are newer than the pages. A category for
which no page names a table is left out: its records go to AzureDiagnostics, as Azure does it.
"""
import json
import sys

# Sources: Microsoft Entra, "Integrate activity logs with Azure Monitor logs"; Azure Monitor
# reference, tables of the solution LogManagement and their categories.
ADDED = {
    "microsoft.aadiam": {
        "AuditLogs": "AuditLogs",
        "SignInLogs": "SigninLogs",
        "NonInteractiveUserSignInLogs": "AADNonInteractiveUserSignInLogs",
        "ServicePrincipalSignInLogs": "AADServicePrincipalSignInLogs",
        "ManagedIdentitySignInLogs": "AADManagedIdentitySignInLogs",
        "MicrosoftServicePrincipalSignInLogs": "MicrosoftServicePrincipalSignInLogs",
        "ProvisioningLogs": "AADProvisioningLogs",
        "ADFSSignInLogs": "ADFSSignInLogs",
        "RiskyUsers": "AADRiskyUsers",
        "UserRiskEvents": "AADUserRiskEvents",
        "RiskyServicePrincipals": "AADRiskyServicePrincipals",
        "ServicePrincipalRiskEvents": "AADServicePrincipalRiskEvents",
        "RiskyAgents": "AADRiskyAgents",
        "AgentRiskEvents": "AADAgentRiskEvents",
        "MicrosoftGraphActivityLogs": "MicrosoftGraphActivityLogs",
        "AzureADGraphActivityLogs": "AADGraphActivityLogs",
        "NetworkAccessTrafficLogs": "NetworkAccessTraffic",
        "EnrichedOffice365AuditLogs": "EnrichedMicrosoft365AuditLogs",
        "B2CRequestLogs": "AADB2CRequestLogs",
        "CustomSecurityAttributeAuditLogs": "AADCustomSecurityAttributeAuditLogs",
    },
    "microsoft.apimanagement/service": {
        "GatewayLlmLogs": "ApiManagementGatewayLlmLog",
        "GatewayMCPLogs": "ApiManagementGatewayMCPLog",
    },
    "microsoft.apimanagement/service/workspaces": {"GatewayLogs": "ApiManagementGatewayLogs"},
}


def main():
    types = {}
    for name, categories in json.load(open(sys.argv[1]))["types"].items():
        rows = {c: row["table"] for c, row in categories.items() if row["table"]}
        if rows:
            types.setdefault(name.lower(), {}).update(rows)
    for name, rows in ADDED.items():
        types.setdefault(name, {}).update(rows)
    print("# Resource type, category of its resource logs, table.")
    print("# Source of the facts: Azure Monitor reference, supported resource logs; written by")
    print("# script/azure_categories.py. What is not here goes to AzureDiagnostics.")
    for name in sorted(types):
        print(f"{name}:")
        for category in sorted(types[name]):
            print(f"  {category}: {types[name][category]}")


main()
