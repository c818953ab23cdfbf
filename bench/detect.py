#!/usr/bin/env python3
"""Replays all shipped detections over a month of generated telemetry with planted incidents.

    bench/detect.py AZIMUTH WORK [--generator gen_telemetry.c] [--scale 0.05,0.2] [--seeds N,N]
                    [--rules DIR] > bench/results/detect.md

For each scale and seed the generator's telemetry is made and imported (WORK keeps the store),
then `azimuth detect` replays the month. Prints, in Markdown: time, CPU, memory, and against the
generator's answer key which incidents a rule raised within its own period, and how many alerts
no incident explains. Exits 1 when an incident is missed or a rule raises more than one false
alert a week.
"""
import argparse
import collections
import datetime
import json
import os
import resource
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TABLES = ["AzureActivity", "SigninLogs", "AzureDiagnostics", "StorageBlobLogs",
          "ApiManagementGatewayLlmLog", "AmlComputeJobEvent"]
# Injection prompts spread over all days and callers: every alert about an injection is one.
BACKGROUND = "prompt-injection-background"


def telemetry(args, scale, seed):
    """The store and the answer key."""
    folder = os.path.join(args.work, f"telemetry-{scale}-{seed}")
    store = os.path.join(args.work, f"store-{scale}-{seed}")
    key = os.path.join(store, "incidents.jsonl")
    if not os.path.exists(key):
        program = os.path.join(args.work, "gen_telemetry")
        subprocess.run(["cc", "-O2", "-o", program, args.generator, "-lm"], check=True)
        shutil.rmtree(store, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([program, "--out", folder, "--scale", scale, "--seed", seed], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for table in TABLES:
            subprocess.run([args.azimuth, "import", "--store", store, "--table", table,
                            os.path.join(folder, table + ".jsonl")], check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        shutil.copy(os.path.join(folder, "incidents.jsonl"), key)
        shutil.rmtree(folder)
    return store, [json.loads(line) for line in open(key)]


def replay(args, store):
    """Alerts of the month, with wall and CPU seconds and peak MB of the process."""
    command = [args.azimuth, "detect", "--store", store, "--dry-run", "--format", "jsonl"]
    if args.rules:
        command += ["--rules", args.rules]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True)
    wall = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(done.stderr)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    alerts = [json.loads(line) for line in done.stdout.splitlines() if line]
    return alerts, wall, cpu, after.ru_maxrss // 1024, done.stderr


def moment(text):
    return datetime.datetime.fromisoformat(text[:19])


def about(alert, incident):
    """Whether the alert's entities name who did it or from where, and its time fits."""
    entities = json.dumps(alert["Entities"]).lower()
    start, end = moment(incident["start"]), moment(incident["end"])
    late = datetime.timedelta(days=1)  # the longest frequency of a rule
    if not start <= moment(alert["Time"]) <= end + late:
        return False
    if incident["kind"] == BACKGROUND:
        return "njection" in alert["Rule"]
    who = [incident["objectId"], incident["address"], incident["target"],
           incident["caller"].split("@")[0]]
    # Logs mask the end of addresses.
    who.append(".".join(incident["address"].split(".")[:3]) + ".***")
    return any(w and w.lower() in entities for w in who if w != ".***")


def judge(alerts, incidents):
    found, false = collections.defaultdict(set), collections.Counter()
    examples = {}
    for alert in alerts:
        explained = [i["id"] for i in incidents if about(alert, i)]
        for name in explained:
            found[name].add(alert["Rule"])
        if not explained:
            false[alert["Rule"]] += 1
            examples.setdefault(alert["Rule"], alert)
    return found, false, examples


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("azimuth")
    parser.add_argument("work")
    parser.add_argument("--generator",
                        default=os.path.join(HERE, "../../shared/bench/gen_telemetry.c"))
    parser.add_argument("--scale", default="0.05")
    parser.add_argument("--seeds", default="20260701,1,2,3")
    parser.add_argument("--rules")
    parser.add_argument("--verbose", action="store_true")
    args = parser.parse_args()
    args.azimuth = os.path.abspath(args.azimuth)
    os.makedirs(args.work, exist_ok=True)
    bad = False
    print("# Detections over a month of telemetry\n")
    print("Made by `bench/detect.py`: all rules of `content/detections` on their own schedules over "
          "31 days.\nA false alert is one that no planted incident explains.\n")
    print("| scale | seed | rows | wall s | CPU s | peak MB | alerts | incidents found | missed | "
          "false alerts | most of one rule |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for scale in args.scale.split(","):
        for seed in args.seeds.split(","):
            store, incidents = telemetry(args, scale, seed)
            rows = subprocess.run(
                [args.azimuth, "query", "--store", store, "--format", "csv",
                 "union " + ", ".join(TABLES) + " | count"],
                capture_output=True, text=True, check=True).stdout.split()[1]
            alerts, wall, cpu, memory, errors = replay(args, store)
            if errors:
                print(errors, file=sys.stderr)
            found, false, examples = judge(alerts, incidents)
            missed = [i["id"] for i in incidents if not found[i["id"]]]
            worst = false.most_common(1)
            print(f"| {scale} | {seed} | {rows} | {wall:.1f} | {cpu:.1f} | {memory} | "
                  f"{len(alerts)} | {len(incidents) - len(missed)} of {len(incidents)} | "
                  f"{' '.join(missed) or 'none'} | {sum(false.values())} | "
                  f"{worst[0][1] if worst else 0} |", flush=True)
            bad |= bool(missed) or bool(worst and worst[0][1] > 4)
            if args.verbose:
                for name in sorted(found):
                    print(f"{name}: {', '.join(sorted(found[name]))}", file=sys.stderr)
                for rule, count in false.most_common():
                    print(f"false {count}: {rule}: {json.dumps(examples[rule])[:600]}",
                          file=sys.stderr)
    sys.exit(bad)


main()
