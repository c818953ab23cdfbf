#!/usr/bin/env python3
"""Compares the official analyser's verdicts with Azimuth's, by kind of disagreement.

usage: compare.py PEER.jsonl OURS.jsonl QUERIES.jsonl[.gz] [--list N] [--only KIND]

PEER is the output of analyse.js, OURS that of `azimuth query --batch [--check]`. What the
analyser accepts must be accepted; what it refuses should be refused. Exit status 1 when
something it accepts is refused.
"""
import argparse
import collections
import gzip
import json
import re
import sys


def read(path):
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8") as lines:
        return {row["id"]: row for row in map(json.loads, filter(str.strip, lines))}


def kind_of(message):
    """The message without what is the query's own."""
    named = re.match(r"not supported yet: .*|there is no (table|function|operator)[^']*'[^']*'", message)
    return named.group(0) if named else re.sub(r"'[^']*'", "'...'", message)


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("peer")
    options.add_argument("ours")
    options.add_argument("queries")
    options.add_argument("--list", type=int, default=1, help="queries shown of each kind")
    options.add_argument("--only", default="", help="show only kinds with this text")
    args = options.parse_args()
    peer, ours, queries = read(args.peer), read(args.ours), read(args.queries)

    refused, lenient = collections.defaultdict(list), collections.defaultdict(list)
    both = collections.Counter()
    for key, verdict in peer.items():
        answer = ours.get(key, {"error": {"code": "none", "message": "no answer", "line": 0, "column": 0}})
        error = answer.get("error")
        both[verdict["ok"], error is None] += 1
        if verdict["ok"] and error:
            refused[error["code"] + ": " + kind_of(error["message"])].append((key, error))
        if not verdict["ok"] and not error:
            first = next(d for d in verdict["diagnostics"] if d["severity"] == "Error")
            lenient[first["code"] + ": " + kind_of(first["message"])].append((key, first))

    for title, kinds in (("accepted by the analyser, refused here", refused),
                         ("refused by the analyser, accepted here", lenient)):
        print(f"== {title}: {sum(map(len, kinds.values()))}")
        for kind, cases in sorted(kinds.items(), key=lambda item: -len(item[1])):
            if args.only not in kind:
                continue
            print(f"{len(cases):5} {kind}")
            for key, error in cases[: args.list]:
                line = (queries[key]["query"].split("\n") + [""])[max(error["line"] - 1, 0)]
                print(f"        {key} {error['line']}:{error['column']} {error['message'][:150]}\n"
                      f"          {line.strip()[:160]}")
    agree = both[True, True] + both[False, False]
    print(f"{both[True, True]} of {both[True, True] + both[True, False]} accepted queries accepted, "
          f"{both[False, False]} of {both[False, False] + both[False, True]} refused ones refused")
    return 1 if refused or not agree else 0


sys.exit(main())
