#!/usr/bin/env python3
"""A tenant with many policies: a generated tenant's folder with definitions assigned above it.

    bench/policy_tenant.py --definitions FILE.jsonl.gz --count N --management-group NAME --out DIR TENANT_DIR

Takes the first N definitions of automatic effects (modes All and Indexed) and assigns each with
its default parameters at the management group. DIR gets links to the tenant's files.
"""

import argparse
import gzip
import json
import os

PREFIX = "/providers/Microsoft.Authorization/policyDefinitions/"


def has_defaults(definition):
    return all("defaultValue" in p for p in definition.get("parameters", {}).values())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--definitions", required=True)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--management-group", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("tenant")
    options = parser.parse_args()
    os.makedirs(options.out, exist_ok=True)
    for name in os.listdir(options.tenant):
        target = os.path.join(options.out, name)
        if name != "policyresources.jsonl" and not os.path.exists(target):
            os.symlink(os.path.abspath(os.path.join(options.tenant, name)), target)
    group = "/providers/Microsoft.Management/managementGroups/" + options.management_group
    taken = 0
    with gzip.open(options.definitions, "rt") as lines, open(
        os.path.join(options.out, "policyresources.jsonl"), "w"
    ) as out:
        for line in lines:
            definition = json.loads(line)
            if taken == options.count:
                break
            if definition.get("mode") not in ("All", "Indexed") or not has_defaults(definition):
                continue
            taken += 1
            name = definition["name"]
            rows = [
                {"id": PREFIX + name, "name": name, "properties": definition,
                 "type": "microsoft.authorization/policydefinitions"},
                {"id": f"{group}/providers/Microsoft.Authorization/policyAssignments/a{taken}",
                 "name": f"a{taken}", "type": "microsoft.authorization/policyassignments",
                 "properties": {"policyDefinitionId": PREFIX + name, "scope": group,
                                "displayName": definition.get("displayName", name)}},
            ]
            for row in rows:
                out.write(json.dumps(row, separators=(",", ":")) + "\n")
    print(f"{taken} definitions assigned at {group}")


main()
