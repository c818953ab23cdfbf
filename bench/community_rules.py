#!/usr/bin/env python3
"""Runs a collection of analytics rules over telemetry and names each that does not run, by reason.

    bench/community_rules.py AZIMUTH STORE RULES.jsonl[.gz] WORK [--since TIME] [--until TIME]
        [--peer test/peer/analyse.js]

RULES has one object a line; those with a member `yaml`
(a rule's members in Sentinel's form, `query` beside it) are taken. STORE
stays as it is: its copy in WORK gets what the rules leave. Prints Markdown. With --peer the official
analyser says, over the same columns, what it thinks of each query that failed for a name.
"""
import argparse
import collections
import gzip
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import time


# How the reason of a rule begins that read only tables without rows; their names follow.
NOTHING = "nothing was looked at: no rows in "


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


def peer_verdicts(args, failed):
    """What the official analyser says of the queries of these rules, by the rule's id."""
    queries, words = {}, set()
    for row in failed:
        path = re.match(r"\S+\.json(?=:)", row["Reason"]).group()
        with open(path, encoding="utf-8") as file:
            queries[row["RuleId"]] = json.load(file)["query"]
        words.update(re.findall(r"[A-Za-z_]\w*", queries[row["RuleId"]]))
    schemas = {}
    for word in sorted(words):
        found = subprocess.run(
            [args.azimuth, "query", "--format", "jsonl", f"['{word}'] | getschema"],
            capture_output=True, text=True)
        if found.returncode == 0 and found.stdout:
            rows = [json.loads(line) for line in found.stdout.splitlines()]
            schemas[word] = {"columns": [[r["ColumnName"], r["ColumnType"]] for r in rows]}
    paths = [os.path.join(args.work, name) for name in ("schemas.json", "queries.jsonl")]
    with open(paths[0], "w", encoding="utf-8") as out:
        json.dump(schemas, out)
    with open(paths[1], "w", encoding="utf-8") as out:
        for number, query in queries.items():
            out.write(json.dumps({"id": number, "query": query}) + "\n")
    said = subprocess.run(["node", args.peer, "--schemas", *paths], capture_output=True, text=True,
                          check=True).stdout
    verdicts = {}
    for line in map(json.loads, said.splitlines()):
        errors = [d for d in line["diagnostics"] if d["severity"] == "Error"]
        verdicts[line["id"]] = (f"{errors[0]['code']}, {errors[0]['message'].strip()}" if errors
                                else "no error")
    return verdicts


def main():
    parser = argparse.ArgumentParser()
    for name in ("azimuth", "store", "rules", "work"):
        parser.add_argument(name)
    parser.add_argument("--since")
    parser.add_argument("--until")
    parser.add_argument("--peer", metavar="ANALYSE_JS")
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
    started = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True)
    seconds, used = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 1):
        sys.exit(done.stderr)
    rows = subprocess.run(
        [args.azimuth, "query", "--store", store, "--format", "jsonl",
         "AnalyticsRuleRuns | project RuleId, RuleName, Status, Reason, Runs | order by RuleName asc"],
        capture_output=True, text=True, check=True).stdout
    runs = [json.loads(line) for line in rows.splitlines() if line]
    said = {row["Reason"].splitlines()[0] for row in runs if row["Reason"]}
    unread = [line for line in done.stderr.splitlines()
              if line.startswith("azimuth: ") and line[len("azimuth: "):] not in said]
    status = collections.Counter(row["Status"] for row in runs)
    print("# Community rules over generated telemetry\n")
    blind = [row["Reason"][len(NOTHING):] for row in runs if row["Reason"].startswith(NOTHING)]
    print(f"{count} rules: {len(runs)} loaded; "
          + ", ".join(f"{name} {number}" for name, number in sorted(status.items()))
          + f", of which {len(blind)} read only tables that hold no rows here.\n")
    print(f"All in one process, each on its own schedule"
          + "".join(f", {name} {getattr(args, name)}" for name in ("since", "until")
                    if getattr(args, name))
          + f": {sum(row['Runs'] for row in runs):,} runs, {seconds:.0f} s on {os.cpu_count()} "
          f"shared cores, {used.ru_utime + used.ru_stime:.0f} s of CPU, "
          f"{used.ru_maxrss / 1024:.0f} MB at most.\n")
    reasons = collections.defaultdict(list)
    for row in runs:
        if row["Status"] != "Success":
            reasons[row["Status"] + ": " + kind(short(row))].append(row)
    for reason, found in sorted(reasons.items(), key=lambda item: -len(item[1])):
        print(f"## {reason} ({len(found)})\n")
        peer = peer_verdicts(args, found) if args.peer and "that is not there" in reason else {}
        for row in found:
            said = peer.get(row["RuleId"])
            print(f"- {row['RuleName']}: {short(row)}"
                  + (f" (the official analyser: {said})" if said else ""))
        print()
    if blind:
        print(f"## Success over tables without rows ({len(blind)})\n")
        for tables, number in sorted(collections.Counter(blind).items(),
                                     key=lambda item: (-item[1], item[0])):
            print(f"- {tables}: {number}")
        print()
    if unread:
        print(f"## Said of rules that were not loaded ({len(unread)})\n")
        for line in unread:
            print("- " + re.sub(r"\S*/rules/", "", line[len("azimuth: "):]))


main()
