#!/usr/bin/env python3
"""Chooses the cases of test/kql/refusals.jsonl and accepted.jsonl from queries on which the
official analyser and Azimuth agree.

usage: collect.py PEER.jsonl OURS.jsonl QUERIES.jsonl OUT_DIR

PEER is the output of analyse.js, OURS of `azimuth query --batch --check`. Refusals are taken
evenly over the ways of mutation and the analyser's codes, so that no kind crowds out others.
"""
import collections
import json
import pathlib
import sys

REFUSALS, ACCEPTED = 420, 420


def read(path):
    with open(path, encoding="utf-8") as lines:
        return {row["id"]: row for row in map(json.loads, lines)}


def evenly(groups, most):
    """Up to `most` items, one of each group in turn."""
    chosen = []
    queues = [list(items) for _, items in sorted(groups.items())]
    while len(chosen) < most and any(queues):
        for queue in queues:
            if queue and len(chosen) < most:
                chosen.append(queue.pop(0))
    return chosen


def write(path, rows):
    with open(path, "w", encoding="utf-8") as out:
        for row in sorted(rows, key=lambda row: row["query"]):
            out.write(json.dumps(row, ensure_ascii=False) + "\n")


def main():
    peer, ours, queries = map(read, sys.argv[1:4])
    out = pathlib.Path(sys.argv[4])
    wrong, right = collections.defaultdict(list), collections.defaultdict(list)
    for key, verdict in peer.items():
        query, way = queries[key]["query"], key.split("-")[0]
        error = ours[key].get("error")
        if verdict["ok"] and not error:
            right[way].append({"query": query})
        if not verdict["ok"] and error and error["code"] != "unsupported":
            first = next(d for d in verdict["diagnostics"] if d["severity"] == "Error")
            wrong[way, first["code"]].append({
                "query": query, "code": error["code"],
                "analyser": {k: first[k] for k in ("code", "line", "column")}})
    write(out / "refusals.jsonl", evenly(wrong, REFUSALS))
    write(out / "accepted.jsonl", evenly(right, ACCEPTED))


main()
