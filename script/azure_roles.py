#!/usr/bin/env python3
"""Writes content/azure/builtin-roles.jsonl from a list of Azure's built-in role definitions.

    script/azure_roles.py builtin-roles.json.gz > content/azure/builtin-roles.jsonl

The input is {"roles": [{id, roleName, permissions: [{actions, notActions, dataActions,
notDataActions, condition}], isPrivileged, formerNames}]}, as collected from Microsoft's
published role definitions. One role a line, sorted by name; empty lists are left out.
"""
import gzip
import json
import sys


def main():
    path = sys.argv[1]
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8") as file:
        roles = json.load(file)["roles"]
    for role in sorted(roles, key=lambda r: (r["roleName"].lower(), r["id"])):
        blocks = [
            {key: value for key, value in block.items() if value}
            for block in role["permissions"]
        ]
        row = {"id": role["id"].lower(), "roleName": role["roleName"], "permissions": blocks}
        if role.get("isPrivileged"):
            row["isPrivileged"] = True
        if role.get("formerNames"):
            row["formerNames"] = role["formerNames"]
        print(json.dumps(row, separators=(",", ":"), ensure_ascii=False))


if __name__ == "__main__":
    main()
