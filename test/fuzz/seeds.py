#!/usr/bin/env python3
"""Seeds for fuzzers, a file each. usage: seeds.py OUT_DIR [queries|conditions]

queries: each query of test/kql/*.test and the accepted ones; for fuzz_query also once over
its table T. conditions: those of the built-in roles, and of them each part once.
"""
import hashlib
import json
import pathlib
import re
import sys


def queries(folder):
    for path in sorted(folder.glob("*.test")):
        for case in re.split(r"^== .*\n", path.read_text(encoding="utf-8"), flags=re.M)[1:]:
            yield case.split("\n--\n")[0]
    with open(folder / "accepted.jsonl", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)["query"]


def query_seeds(here):
    for query in queries(here.parent / "kql"):
        yield query
        yield re.sub(r"datatable\s*\([^)]*\)\s*\[[^\]]*\]", "T", query)


def condition_seeds(here):
    roles = here.parent.parent / "content" / "azure" / "builtin-roles.jsonl"
    with open(roles, encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("#"):
                continue
            for block in json.loads(line).get("permissions", []):
                condition = block.get("condition")
                if condition:
                    yield condition
                    yield from re.split(r"\s+(?:AND|OR|&&|\|\|)\s+", condition)


def main():
    out = pathlib.Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    kinds = {"queries": query_seeds, "conditions": condition_seeds}
    for text in set(kinds[(sys.argv[2:] or ["queries"])[0]](pathlib.Path(__file__).parent)):
        (out / hashlib.sha1(text.encode()).hexdigest()[:16]).write_text(text, encoding="utf-8")


main()
