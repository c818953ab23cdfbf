#!/usr/bin/env python3
"""Seeds for the fuzzers of queries: each query of test/kql/*.test and the accepted ones, a
file each; for fuzz_query also once over its table T. usage: seeds.py OUT_DIR"""
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


def main():
    out = pathlib.Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    for query in queries(pathlib.Path(__file__).parent.parent / "kql"):
        over_t = re.sub(r"datatable\s*\([^)]*\)\s*\[[^\]]*\]", "T", query)
        for text in {query, over_t}:
            (out / hashlib.sha1(text.encode()).hexdigest()[:16]).write_text(text, encoding="utf-8")


main()
