#!/usr/bin/env python3
"""Loads and replays analytics rules that others wrote over generated telemetry.

    bench/rules.py AZIMUTH WORK RULES.jsonl.gz [--generator gen_telemetry.c] > bench/results/rules.md

RULES is a file of JSON lines, each rule in its field `yaml` (Sentinel's form) with an `id`. The
month of telemetry is bench/detect.py's (WORK keeps its store). Prints, in Markdown: how many
loaded and ran, and those that did not by reason. Exits 1 when one fails for another reason than
data that lies outside.
"""
import argparse
import collections
import csv
import gzip
import io
import json
import os
import re
import shutil
import subprocess
import sys
import time

import detect


def write_rules(source, folder):
    """One file a rule, the first of an id; JSON is YAML. Returns how many."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    seen = set()
    with gzip.open(source, "rt", encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            rule = record.get("yaml")
            if rule and rule.get("id", record["id"]) not in seen:
                seen.add(rule.get("id", record["id"]))
                path = os.path.join(folder, record["id"] + ".yaml")
                with open(path, "w", encoding="utf-8") as out:
                    json.dump(rule, out)
    return len(seen)


def runs(args, store):
    """What became of each rule, as rows."""
    done = subprocess.run(
        [args.azimuth, "query", "--store", store, "--format", "csv",
         "AnalyticsRuleRuns | summarize arg_max(TimeGenerated, *) by RuleId"
         " | project RuleId, RuleName, Status, Reason, Alerts | order by RuleName asc"],
        capture_output=True, text=True, check=True)
    return list(csv.DictReader(io.StringIO(done.stdout)))


def reason_of(reason):
    """The reason without what is particular to a rule: what stands in quotes, and places."""
    reason = re.sub(r"^.*?line \d+, column \d+: ", "", reason)
    return re.sub(r"'[^']*'", "'...'", reason)[:160]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("azimuth")
    parser.add_argument("work")
    parser.add_argument("rules")
    parser.add_argument("--generator", default="gen_telemetry.c")
    parser.add_argument("--scale", default="0.05")
    parser.add_argument("--seed", default="20260701")
    args = parser.parse_args()
    os.makedirs(args.work, exist_ok=True)
    store = detect.telemetry(args, args.scale, args.seed)[0]
    folder = os.path.join(args.work, "rules")
    count = write_rules(args.rules, folder)
    start = time.monotonic()
    done = subprocess.run([args.azimuth, "detect", "--store", store, "--rules", folder],
                          capture_output=True, text=True)
    wall = time.monotonic() - start
    sys.stderr.write(done.stderr)
    rows = runs(args, store)
    by_status = collections.Counter(row["Status"] for row in rows)
    print("# Analytics rules that others wrote\n\nWritten by `bench/rules.py`: each rule loaded and"
          f" replayed over a month of telemetry at scale {args.scale}.\n")
    print(f"{count} rules, {len(rows)} loaded: " +
          ", ".join(f"{n} {status}" for status, n in by_status.most_common()) +
          f"; {wall:.0f} s.\n")
    groups = collections.defaultdict(list)
    for row in rows:
        if row["Status"] != "Success":
            groups[reason_of(row["Reason"])].append(row)
    outside = re.compile("network|https|externaldata", re.I)
    bad = 0
    for reason, members in sorted(groups.items(), key=lambda item: -len(item[1])):
        bad += 0 if outside.search(reason) else len(members)
        print(f"## {len(members)}: {reason}\n")
        for row in members:
            print(f"- {row['RuleName']}: {row['Reason']}")
        print()
    return 1 if bad or len(rows) != count else 0


if __name__ == "__main__":
    sys.exit(main())
