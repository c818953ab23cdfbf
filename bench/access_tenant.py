#!/usr/bin/env python3
"""Writes a tenant that is large in identities, for measuring effective access.

    bench/access_tenant.py OUT [--resources N] [--principals N] [--groups N] [--assignments N]

Ten subscriptions a management group, three levels of management groups, groups nested six
deep, one resource in twenty an AI account. Always the same for the same numbers.
"""
import argparse
import json
import os
import random
import uuid

ROLES = [
    "acdd72a7-3385-48ef-bd42-f606fba81ae7",  # Reader
    "b24988ac-6180-42a0-ab88-20f7382dd24c",  # Contributor
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",  # Owner
    "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd",  # Cognitive Services OpenAI User
    "a97b65f3-24c7-4388-baec-2e87135dc908",  # Cognitive Services User
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe",  # Storage Blob Data Contributor
    "4633458b-17de-408a-b874-0445c86b69e6",  # Key Vault Secrets User
]
WEIGHTS = [40, 15, 1, 15, 10, 15, 4]
GROUP = "/providers/Microsoft.Management/managementGroups/"


def guid(rng):
    return str(uuid.UUID(int=rng.getrandbits(128)))


class Writer:
    def __init__(self, folder, name):
        self.file = open(os.path.join(folder, name + ".jsonl"), "w", encoding="utf-8")

    def put(self, row):
        self.file.write(json.dumps(row, separators=(",", ":")) + "\n")


def containers(out, rng, subscriptions):
    rows = Writer(out, "resourcecontainers")

    def group(name, parent):
        rows.put({"id": GROUP + name, "name": name, "type": "microsoft.management/managementgroups",
                  "properties": {"displayName": name, "details": {"parent": parent and {
                      "id": GROUP + parent, "name": parent} or {}}}})

    group("root", None)
    for a in range(5):
        group(f"division-{a}", "root")
        for b in range(10):
            group(f"unit-{a}-{b}", f"division-{a}")
    ids = []
    for s in range(subscriptions):
        parent, division = f"unit-{s % 5}-{s // 5 % 10}", f"division-{s % 5}"
        ids.append(guid(rng))
        rows.put({"id": "/subscriptions/" + ids[-1], "name": f"sub-{s}", "subscriptionId": ids[-1],
                  "type": "microsoft.resources/subscriptions", "properties": {
                      "state": "Enabled", "managementGroupAncestorsChain": [
                          {"name": parent}, {"name": division}, {"name": "root"}]}})
    return ids


def resources(out, subscriptions, count):
    rows, ids = Writer(out, "resources"), []
    for i in range(count):
        sub = subscriptions[i % len(subscriptions)]
        group = f"rg-{i // len(subscriptions) % 40}"
        ai = i % 20 == 0
        kind = "Microsoft.CognitiveServices/accounts" if ai else "Microsoft.Storage/storageAccounts"
        id_ = f"/subscriptions/{sub}/resourceGroups/{group}/providers/{kind}/r{i}"
        if i % 97 == 0 or ai and i % 7 == 0:
            ids.append(id_)
        rows.put({"id": id_, "name": f"r{i}", "type": kind.lower(), "kind": "OpenAI" if ai else "StorageV2",
                  "location": "westeurope", "resourceGroup": group, "subscriptionId": sub,
                  "properties": {"publicNetworkAccess": "Enabled" if i % 3 else "Disabled"}})
    return ids


def identities(out, rng, principals, groups):
    users, service = Writer(out, "users"), Writer(out, "servicePrincipals")
    group_rows, members = Writer(out, "groups"), Writer(out, "groupMembers")
    people, group_ids = [], []
    for i in range(principals):
        people.append(guid(rng))
        if i % 4:
            users.put({"id": people[-1], "userPrincipalName": f"user{i}@example.com",
                       "displayName": f"User {i}", "userType": "Guest" if i % 50 == 1 else "Member"})
        else:
            service.put({"id": people[-1], "appId": guid(rng), "displayName": f"app-{i}",
                         "servicePrincipalType": "ManagedIdentity" if i % 8 else "Application"})
    for g in range(groups):
        group_ids.append(guid(rng))
        group_rows.put({"id": group_ids[-1], "displayName": f"group-{g}", "securityEnabled": True})
        if g % 6:  # six deep: each group but the sixth is in the one before
            members.put({"groupId": group_ids[g - 1], "id": group_ids[g]})
        for _ in range(10):
            members.put({"groupId": group_ids[g], "id": people[rng.randrange(principals)]})
    return people, group_ids


def assignments(out, rng, subscriptions, resource_ids, people, groups, count):
    rows = Writer(out, "authorizationresources")
    for _ in range(count):
        pick = rng.random()
        sub = subscriptions[rng.randrange(len(subscriptions))]
        if pick < 0.02:
            scope = GROUP + f"unit-{rng.randrange(5)}-{rng.randrange(10)}"
        elif pick < 0.25:
            scope = "/subscriptions/" + sub
        elif pick < 0.75:
            scope = f"/subscriptions/{sub}/resourceGroups/rg-{rng.randrange(40)}"
        else:
            scope = resource_ids[rng.randrange(len(resource_ids))]
        of = groups if rng.random() < 0.7 else people
        role = rng.choices(ROLES, WEIGHTS)[0]
        name = guid(rng)
        rows.put({"id": f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}",
                  "name": name, "type": "microsoft.authorization/roleassignments", "properties": {
                      "principalId": of[rng.randrange(len(of))], "scope": scope,
                      "roleDefinitionId": f"/providers/Microsoft.Authorization/roleDefinitions/{role}"}})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    parser.add_argument("--resources", type=int, default=1_000_000)
    parser.add_argument("--principals", type=int, default=200_000)
    parser.add_argument("--groups", type=int, default=50_000)
    parser.add_argument("--assignments", type=int, default=100_000)
    args = parser.parse_args()
    rng = random.Random(20261125)
    os.makedirs(args.out, exist_ok=True)
    subscriptions = containers(args.out, rng, 500)
    resource_ids = resources(args.out, subscriptions, args.resources)
    people, groups = identities(args.out, rng, args.principals, args.groups)
    assignments(args.out, rng, subscriptions, resource_ids, people, groups, args.assignments)


if __name__ == "__main__":
    main()
