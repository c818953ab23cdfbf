#!/usr/bin/env python3
"""Writes content/azure/guardrails.jsonl: for each type of AI resource and each guardrail the aliases
that a policy about it reads, and the built-in definitions that set or watch it.

usage: azure_guardrails.py AI_BUILTINS.json > content/azure/guardrails.jsonl

AI_BUILTINS.json lists published definitions: id, displayName, mode, effect, allowedEffects, aliases,
existenceType, deprecated (from github.com/Azure/azure-policy). Only ids, names and effects are
kept."""
import json
import sys

COGNITIVE = "Microsoft.CognitiveServices/accounts"
WORKSPACE = "Microsoft.MachineLearningServices/workspaces"
COMPUTE = "Microsoft.MachineLearningServices/workspaces/computes"
SEARCH = "Microsoft.Search/searchServices"
BOT = "Microsoft.BotService/botServices"
DATABRICKS = "Microsoft.Databricks/workspaces"
DIAGNOSTICS = "Microsoft.Insights/diagnosticSettings"
# type, guardrail, properties; a related type starts with '>'
GUARDRAILS = [
    (COGNITIVE, "public access", ["publicNetworkAccess", "networkAcls.defaultAction"]),
    (COGNITIVE, "key access", ["disableLocalAuth"]),
    (COGNITIVE, "encryption", ["encryption.keySource"]),
    (COGNITIVE, "private link", ["privateEndpointConnections[*]", ">privateEndpointConnections"]),
    (COGNITIVE, "diagnostics", [">"]),
    (WORKSPACE, "public access", ["publicNetworkAccess"]),
    (WORKSPACE, "encryption", ["encryption.status"]),
    (WORKSPACE, "private link", ["privateEndpointConnections[*]", ">privateEndpointConnections"]),
    (WORKSPACE, "diagnostics", [">"]),
    (COMPUTE, "key access", ["disableLocalAuth"]),
    (SEARCH, "public access", ["publicNetworkAccess"]),
    (SEARCH, "key access", ["disableLocalAuth"]),
    (SEARCH, "encryption", ["encryptionWithCmk.enforcement", "encryptionWithCmk.encryptionComplianceStatus"]),
    (SEARCH, "private link", ["privateEndpointConnections[*]", ">privateEndpointConnections"]),
    (SEARCH, "diagnostics", [">"]),
    (BOT, "public access", ["publicNetworkAccess"]),
    (BOT, "key access", ["disableLocalAuth"]),
    (BOT, "encryption", ["isCmekEnabled"]),
    (BOT, "private link", ["privateEndpointConnections[*]", ">privateEndpointConnections"]),
    (BOT, "diagnostics", [">"]),
    (DATABRICKS, "public access", ["publicNetworkAccess"]),
    (DATABRICKS, "private link", ["privateEndpointConnections[*]", ">privateEndpointConnections"]),
    (DATABRICKS, "diagnostics", [">"]),
]
# Diagnostic settings look the same for every type: the names of the definitions tell them apart.
SERVICE = {
    COGNITIVE: ["cognitive services", "azure ai services"],
    WORKSPACE: ["machine learning workspaces", "machine learning workspace", "machinelearningservices/workspaces"],
    SEARCH: ["search services", "search service"],
    BOT: ["bot service"],
    DATABRICKS: ["databricks"],
}
# The firmest first.
ORDER = ["Deny", "Modify", "Audit", "DeployIfNotExists", "AuditIfNotExists"]


def effects(definition):
    allowed = definition.get("allowedEffects") or [definition.get("effect")]
    return [effect for effect in ORDER if effect in allowed]


def about(definition, type_, wanted):
    aliases = {alias.lower() for alias in definition["aliases"]}
    existence = (definition.get("existenceType") or "").lower()
    for one in wanted:
        if one == ">":
            name = definition["displayName"].lower()
            if existence == DIAGNOSTICS.lower() and any(word in name for word in SERVICE[type_]):
                return True
        elif one.startswith(">"):
            if existence == f"{type_}/{one[1:]}".lower():
                return True
        elif any(alias.startswith(f"{type_}/{one}".lower()) for alias in aliases):
            return True
    return False


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        definitions = json.load(file)["definitions"]
    for type_, name, wanted in GUARDRAILS:
        found = [
            d for d in definitions
            if not d.get("deprecated") and not d.get("gov") and d["mode"].lower() in ("indexed", "all")
            and effects(d) and about(d, type_, wanted)
        ]
        found.sort(key=lambda d: (d.get("preview", False), ORDER.index(effects(d)[0]), d["displayName"], d["name"]))
        row = {
            "type": type_,
            "guardrail": name,
            "aliases": [f"{type_}/{one}" for one in wanted if not one.startswith(">")],
            "related": next((DIAGNOSTICS if one == ">" else f"{type_}/{one[1:]}" for one in wanted if one[0] == ">"), ""),
            "builtins": [{"name": d["name"], "displayName": d["displayName"], "effects": effects(d)} for d in found],
        }
        print(json.dumps(row, ensure_ascii=False, separators=(",", ":")))


main()
