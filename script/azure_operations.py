#!/usr/bin/env python3
"""Writes content/azure/operations.txt from a list of resource provider operations.

    script/azure_operations.py provider-operations.json.gz > content/azure/operations.txt

The input is {"operations": [{"name": ..., "isDataAction": true|false}]}.
"""
import gzip
import json
import sys

HEADER = """\
# Operations of resource providers, one a line; those of the data plane (granted by DataActions)
# bear the word `data` behind a tab. Not every operation there is: those of AI, data, identity,
# network and governance providers, and all that a built-in role names.
# Source of the facts: Microsoft Learn, "Azure permissions" reference and the provider operations
# that REST calls and built-in roles name. script/azure_operations.py writes it.
"""


def main():
    path = sys.argv[1]
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8") as file:
        operations = json.load(file)["operations"]
    rows = {o["name"]: o["isDataAction"] for o in operations}
    sys.stdout.write(HEADER)
    for name in sorted(rows, key=str.lower):
        sys.stdout.write(name + ("\tdata" if rows[name] else "") + "\n")


if __name__ == "__main__":
    main()
