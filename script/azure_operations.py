#!/usr/bin/env python3
"""Writes content/azure/operations.txt from a list of resource provider operations and a map of calls.

    script/azure_operations.py provider-operations.json.gz rest-to-action.json.gz > content/azure/operations.txt

The first input is {"operations": [{"name": ..., "isDataAction": true|false}]}. The second is
{"map": [[method, path of Azure Resource Manager, action, ...]]}: actions that authorise calls of
Azure Resource Manager, and so belong to the control plane unless the first says otherwise.
"""
import gzip
import json
import sys

HEADER = """\
# Operations of resource providers, one a line; those of the data plane (granted by DataActions)
# bear the word `data` behind a tab: the actions that authorise calls of Azure Resource Manager, of
# all providers; and of the data plane those of AI, data, identity, network and governance providers,
# and all that a built-in role names.
# Source of the facts: Microsoft Learn, "Azure permissions" reference, and iann0036/iam-dataset,
# azure/map.json of 2026-06-16 (MIT licence). script/azure_operations.py writes it.
"""


def read(path):
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8") as file:
        return json.load(file)


def main():
    rows = {o["name"]: o["isDataAction"] for o in read(sys.argv[1])["operations"]}
    known = {name.lower() for name in rows}
    for call in read(sys.argv[2])["map"]:
        if call[2].lower() not in known:
            known.add(call[2].lower())
            rows[call[2]] = False
    sys.stdout.write(HEADER)
    for name in sorted(rows, key=str.lower):
        sys.stdout.write(name + ("\tdata" if rows[name] else "") + "\n")


if __name__ == "__main__":
    main()
