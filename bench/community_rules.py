#!/usr/bin/env python3
"""Runs a collection of analytics rules over telemetry and names each that does not run, by reason.

    bench/community_rules.py AZIMUTH STORE RULES.jsonl[.gz] WORK [--since TIME] [--until TIME]

RULES has one object a line; those with a member `yaml`
(a rule's members in Sentinel's form, `query` beside it) are taken. STORE
stays as it is: its copy in WORK gets what the rules leave. Prints Markdown.
"""
import argparse
import collections
import gzip
import json
import os
import re
import shutil
import subprocess
import sys


def write_rules(path, folder):
    count = 0
    opened = gzip.open if path.endswith(".gz") else open
    with opened(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            rule = json.loads(line)
            if rule.get("yaml"):
                count += 1
                members = {"query": rule.get("query"), **rule["yaml"]}
                file = os.path.join(folder, rule["id"] + ".json")
                with open(file, "w", encoding="utf-8") as out:
                    json.dump(members, out)
    return count


def short(row):
    """What is wrong, without the rule's file and name."""
    line = row["Reason"].splitlines()[0] if row["Reason"] else "no reason"
    return re.sub(r"^\S+\.json:\d+: rule '.*?': (?=there|the|https?://|[a-z])", "", line)


def kind(reason):
    """The reason without what is the rule's own."""
    if re.match(r"https?://", reason):
        return "external data that was not reached"
    if re.match(r"there is no (table|function)", reason):
        return "a table or function that is not there (parsers of products, custom tables)"
    if re.match(r"there is no column", reason):
        return "a column that is not there"
    return re.sub(r"'[^']*'", "'...'", reason)[:100]


def main():
    parser = argparse.ArgumentParser()
    for name in ("azimuth", "store", "rules", "work"):
        parser.add_argument(name)
    parser.add_argument("--since")
    parser.add_argument("--until")
    args = parser.parse_args()
    folder, store = os.path.join(args.work, "rules"), os.path.join(args.work, "store")
    for made in (folder, store):
        shutil.rmtree(made, ignore_errors=True)
    os.makedirs(folder)
    shutil.copytree(args.store, store)
    count = write_rules(args.rules, folder)
    command = [args.azimuth, "detect", "--store", store, "--rules", folder]
    for option in ("since", "until"):
        if getattr(args, option):
            command += ["--" + option, getattr(args, option)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode not in (0, 1):
        sys.exit(done.stderr)
    rows = subprocess.run(
        [args.azimuth, "query", "--store", store, "--format", "jsonl",
         "AnalyticsRuleRuns | project RuleId, RuleName, Status, Reason | order by RuleName asc"],
        capture_output=True, text=True, check=True).stdout
    runs = [json.loads(line) for line in rows.splitlines() if line]
    unread = [line for line in done.stderr.splitlines()
              if line.startswith("azimuth: ") and not any(row["RuleName"] in line for row in runs)]
    status = collections.Counter(row["Status"] for row in runs)
    print("# Community rules over generated telemetry\n")
    print(f"{count} rules: {len(runs)} loaded; "
          + ", ".join(f"{name} {number}" for name, number in sorted(status.items())) + "\n")
    reasons = collections.defaultdict(list)
    for row in runs:
        if row["Status"] != "Success":
            reasons[row["Status"] + ": " + kind(short(row))].append(row)
    for reason, found in sorted(reasons.items(), key=lambda item: -len(item[1])):
        print(f"## {reason} ({len(found)})\n")
        for row in found:
            print(f"- {row['RuleName']}: {short(row)}")
        print()
    if unread:
        print(f"## Said of rules that were not loaded ({len(unread)})\n")
        for line in unread:
            print("- " + re.sub(r"\S*/rules/", "", line[len("azimuth: "):]))


main()
