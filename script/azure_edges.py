#!/usr/bin/env python3
"""Writes content/azure/edges.jsonl: the kinds of edges of attack paths.

    script/azure_edges.py edges.csv > content/azure/edges.jsonl

The input has one kind a row: edge, condition, network, severity, attack (MITRE ATT&CK),
atlas (MITRE ATLAS), break_it. To it come the commands that break an edge, and the kinds
that Azimuth adds for what lies outside the tenant. In a command {source}, {target} and
{evidence} stand for ids of the step that is shown.
"""
import csv
import json
import sys

ASSIGNMENT = "az role assignment delete --ids {evidence}"
COMMANDS = {
    "MemberOf": "az ad group member remove --group {target} --member-id {source}",
    "IdentityOf": "az resource update --ids {source} --set identity.type=None",
    "HasEntraRole": "az rest --method delete --url https://graph.microsoft.com/v1.0/roleManagement/directory/roleAssignments/{evidence}",
    "HasGraphPermission": "az rest --method delete --url https://graph.microsoft.com/v1.0/servicePrincipals/{source}/appRoleAssignments/{evidence}",
    "ActivateEligible": "set approval and an authentication context in the role management policy of {target}",
    "AddSecretAsOwner": "az ad app owner remove --id {target} --owner-object-id {source}",
    "AddSelfToOwnedGroup": "az ad group owner remove --group {target} --owner-object-id {source}",
    "AuthenticatesTo": "az ad app federated-credential delete --id {target} --federated-credential-id {evidence}",
    "ElevateAccess": "az role assignment delete --assignee {source} --role 'User Access Administrator' --scope /",
    "CredentialFor": "az ad app credential reset --id {target}",
    "SwitchVaultMode": "az policy assignment create --policy 12d4fa5e-1f9f-4c21-97a9-b99b3c6611b5 --scope {target}",
    "BrokeredRead": ASSIGNMENT,
    "LighthouseDelegation": "az managedservices assignment delete --assignment {evidence}",
}
# Where the command hangs on the type of the target.
COMMANDS_BY_TYPE = {
    "InternetExposure": {
        "microsoft.compute/virtualmachines": "az network public-ip delete --ids {evidence}",
        "microsoft.web/sites": "az resource update --ids {target} --set properties.publicNetworkAccess=Disabled",
        "microsoft.app/containerapps": "az resource update --ids {target} --set properties.configuration.ingress.external=false",
        "microsoft.containerservice/managedclusters": "az resource update --ids {target} --set properties.apiServerAccessProfile.authorizedIPRanges=\"['0.0.0.0/32']\"",
    },
}
# Kinds whose command edits the directory: the assignment that allows them is one of Entra.
DIRECTORY = {
    "AddSecret", "AddOwner", "GraphAddSecret", "GrantGraphPermission", "GrantEntraRole",
    "AddMember", "EditAttribute", "ResetPassword", "ResetAuthMethods", "TrustRogueCA",
    "ImpersonateUser", "WeakenConditionalAccess", "GrantConsent", "DynamicMembership",
}
# Kinds that start at a resource: the step is shown from it, not from whoever got that far.
FROM_RESOURCE = {
    "Contains", "RunsAs", "IdentityOf", "NodeResourceGroup", "NodeIdentity", "CredentialFor",
    "ImpersonateUser", "PodAsIdentity", "BrokeredRead",
}
OURS = [
    {
        "edge": "InternetExposure",
        "condition": "a public address with an open port, a public endpoint: whoever breaks the service runs code there",
        "network": "internet",
        "severity": "high",
        "attack": "T1190",
        "break_it": "close the endpoint; put it behind a gateway",
    },
    {
        "edge": "BrokeredRead",
        "condition": "the identity of the model's account may read the data: answers can carry it",
        "network": "data-plane reach to target",
        "severity": "medium",
        "attack": "T1213",
        "atlas": "AML.T0057",
        "break_it": "narrow the identity; filter documents by user",
    },
]


def main():
    with open(sys.argv[1], newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file)) + OURS
    print("# Kinds of edges of attack paths, written by script/azure_edges.py. Techniques: MITRE")
    print("# ATT&CK and MITRE ATLAS; conditions: Microsoft Learn, docs/paths.md.")
    for row in rows:
        edge = row["edge"]
        out = {"edge": edge, "severity": row["severity"]}
        for key in ("attack", "atlas", "network", "condition"):
            if row.get(key, "-") not in ("", "-", None):
                out[key] = row[key]
        if row["break_it"] not in ("", "-", "n/a"):
            out["break"] = row["break_it"]
        if edge in COMMANDS:
            out["command"] = COMMANDS[edge]
        elif edge in DIRECTORY:
            out["command"] = COMMANDS["HasEntraRole"]
        elif row["severity"] != "info" and edge not in COMMANDS_BY_TYPE:
            out["command"] = ASSIGNMENT
        if edge in COMMANDS_BY_TYPE:
            out["commands"] = COMMANDS_BY_TYPE[edge]
        if edge in FROM_RESOURCE:
            out["fromResource"] = True
        print(json.dumps(out, separators=(",", ":"), ensure_ascii=False))


if __name__ == "__main__":
    main()
