#!/usr/bin/env python3
"""Writes content/azure/directory-names.jsonl: ids of Entra roles and of Graph permissions.

    script/azure_directory.py entra-roles.json graph-permissions.json \\
        > content/azure/directory-names.jsonl

The inputs are {"roles": [{id, displayName}]} and {"application": [{id, value}]}.
"""
import json
import sys


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        roles = json.load(file)["roles"]
    with open(sys.argv[2], encoding="utf-8") as file:
        permissions = json.load(file)["application"]
    print("# Template ids of Entra's built-in roles, and the application permissions of Microsoft Graph")
    print("# by id; written by script/azure_directory.py. Source: Microsoft Learn.")
    rows = [("role", r["id"], r["displayName"]) for r in roles]
    rows += [("permission", p["id"], p["value"]) for p in permissions]
    for kind, ident, name in sorted(rows, key=lambda row: (row[0], row[2], row[1])):
        print(json.dumps({kind: name, "id": ident}, separators=(",", ":"), ensure_ascii=False))


if __name__ == "__main__":
    main()
