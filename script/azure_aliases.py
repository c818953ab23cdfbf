#!/usr/bin/env python3
"""Writes content/azure/aliases.txt.gz, the table of property aliases of Azure Policy.

    script/azure_aliases.py aliases.json.gz > content/azure/aliases.txt.gz

The input is a dump of aliases by resource type: {types: {type: {a: [{n, p, m, v}], tags, api}},
tagSupportOther: {type: bool}}. The output is text, gzipped, one line a fact; its first lines say
how to read it. What can be said by rule is left out, so that the table stays small.
"""

import gzip
import json
import sys

HEADER = """\
# Property aliases of Azure Policy: which path of a resource an alias names, by resource type.
# Source of the facts: Get-AzPolicyAlias (Azure provider catalogue, dump of 2026-08-22), PSRule.Rules.Azure,
# the modify operations of published definitions, and the tag support table of Azure Resource Manager.
# Made by script/azure_aliases.py. Fields are separated by tabs.
#   =TYPE  FLAGS  API        a type; flags: t takes tags and a location, n does not, empty when
#                            that is not known; newest stable API version
#   ALIAS  [PATH  [VERSIONS]]
# ALIAS: a leading ~ is TYPE and '/'; a trailing ! says that the property may be modified.
# PATH: empty or left out is 'properties.' and what follows ~. VERSIONS: path@api,api;path@api when
# other paths hold for some API versions.
"""

FLAGS = {True: "t", False: "n", None: ""}


def versions(entry):
    return ";".join(f"{path}@{','.join(apis)}" for path, apis in entry.get("v", []))


def alias_line(type_name, entry):
    name, prefix = entry["n"], type_name + "/"
    short = name
    usual = None
    if name.lower().startswith(prefix.lower()):
        short = "~" + name[len(prefix):]
        usual = "properties." + name[len(prefix):]
    path = "" if entry["p"] == usual else entry["p"]
    line = short + ("!" if entry.get("m") else "")
    other = versions(entry)
    if path or other:
        line += "\t" + path
    if other:
        line += "\t" + other
    return line


def main():
    data = json.load(gzip.open(sys.argv[1]))
    out = [HEADER]
    types = data["types"]
    known = {name.lower() for name in types}
    for name in sorted(types, key=str.lower):
        entry = types[name]
        out.append(f"={name}\t{FLAGS[entry.get('tags')]}\t{entry.get('api') or ''}\n")
        for alias in entry["a"]:
            out.append(alias_line(name, alias) + "\n")
    for name, tags in sorted(data.get("tagSupportOther", {}).items(), key=lambda item: item[0].lower()):
        if name.lower() not in known:
            out.append(f"={name}\t{FLAGS[tags]}\t\n")
    text = "".join(out).encode()
    sys.stdout.buffer.write(gzip.compress(text, 9, mtime=0))


main()
