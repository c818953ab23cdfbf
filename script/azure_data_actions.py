#!/usr/bin/env python3
"""Writes content/azure/data-actions.txt from a list of resource provider operations.

    script/azure_data_actions.py provider-operations.json.gz > content/azure/data-actions.txt

The input is {"operations": [{"name": ..., "isDataAction": true|false}]}.
"""
import gzip
import json
import sys

HEADER = """\
# Operations of the data plane: those that DataActions of a role grant. One a line.
# Source of the facts: provider operations and the explicit data actions of Azure's built-in roles
# (Microsoft Learn, "Azure permissions" reference). script/azure_data_actions.py writes it.
"""


def main():
    path = sys.argv[1]
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8") as file:
        operations = json.load(file)["operations"]
    names = {o["name"] for o in operations if o["isDataAction"]}
    sys.stdout.write(HEADER + "".join(name + "\n" for name in sorted(names, key=str.lower)))


if __name__ == "__main__":
    main()
