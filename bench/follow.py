#!/usr/bin/env python3
"""Follows records that are appended by the real importer, with kill -9 in between.

    bench/follow.py AZIMUTH WORK [--minutes 10] [--rate 20000] [--kills 6] > bench/results/follow.md

Appends generated records (`azimuth import --logs --arrived now`, a batch about every second) while
`azimuth detect --follow` runs two rules of a minute, one near-real-time and one scheduled that
takes late rows by ingestion_time(). Every ten seconds an incident is planted, some with an event
time of minutes ago. The follower is killed with -9 at random moments and started again. Checks:
no record lost, each incident alerted once by each rule, nothing repeated, and the alert kept
within one rule period + 5 s after its record was made. Exits 1 when one of these does not hold.
"""
import argparse
import csv
import io
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from datetime import datetime, timedelta, timezone

PERIOD = 60
RULE = """id: 7a3f1c77-52ab-4b0e-8f7f-0d6a6f1b2c0{number}
name: {name}
version: 1.0.0
kind: {kind}
severity: High
{schedule}eventGroupingSettings: {{aggregationKind: AlertPerResult}}
tactics: [Exfiltration]
relevantTechniques: [T1530]
query: |
  StorageBlobLogs
{where}  | where RequesterUpn startswith "intruder"
  | summarize StartTime = min(TimeGenerated), EndTime = max(TimeGenerated) by RequesterUpn
entityMappings:
  - entityType: Account
    fieldMappings: [{{identifier: FullName, columnName: RequesterUpn}}]
"""
SCHEDULE = "queryFrequency: 1m\nqueryPeriod: 10m\ntriggerOperator: gt\ntriggerThreshold: 0\n"


def iso(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def unix(text):
    return datetime.fromisoformat(text[:26].rstrip("Z") + "+00:00").timestamp()


class Follower:
    """The process under test, with what all of its lives used."""

    def __init__(self, args):
        self.args, self.peak, self.cpu, self.kills, self.process = args, 0, 0.0, 0, None
        self.log = open(os.path.join(args.work, "follow.log"), "w")
        self.done = threading.Event()

    def start(self):
        self.process = subprocess.Popen(
            [self.args.azimuth, "detect", "--follow", "--delay", "0", "--store", self.args.store,
             "--rules", self.args.rules, "--format", "json"], stdout=self.log, stderr=self.log)

    def measure(self):
        try:
            with open(f"/proc/{self.process.pid}/status") as status:
                for line in status:
                    if line.startswith("VmHWM"):
                        self.peak = max(self.peak, int(line.split()[1]) // 1024)
        except OSError:
            pass

    def end(self, number):
        self.measure()
        self.process.send_signal(number)
        _, status, used = os.wait4(self.process.pid, 0)
        self.process.returncode = status
        self.cpu += used.ru_utime + used.ru_stime
        return status

    def run(self):
        """Kills now and then, until told to end."""
        self.start()
        gap = self.args.minutes * 60 / (self.args.kills + 1)
        next_kill = time.time() + gap * random.uniform(0.5, 1)
        while not self.done.wait(0.2):
            self.measure()
            if time.time() >= next_kill and self.kills < self.args.kills:
                self.end(signal.SIGKILL)
                self.kills += 1
                self.start()
                next_kill = time.time() + gap * random.uniform(0.7, 1.2)


class Appender:
    def __init__(self, args):
        self.args, self.rows, self.batches, self.slowest = args, 0, 0, 0.0
        self.planted = {}  # name -> when its record was made
        line = ('{"TimeGenerated":"@","OperationName":"GetBlob","RequesterUpn":"user%d@contoso.com"'
                ',"CallerIpAddress":"10.0.%d.%d","AccountName":"sttraining","StatusCode":"200",'
                '"CorrelationId":"%016x"}\n')
        numbers = random.Random(7)
        self.lines = [line % (numbers.randrange(500), numbers.randrange(4), numbers.randrange(250),
                              numbers.getrandbits(64)) for _ in range(args.rate)]

    def write(self, count, now):
        folder = os.path.join(self.args.work, "in", str(self.batches))
        os.makedirs(folder)
        with open(os.path.join(folder, "StorageBlobLogs.jsonl"), "w") as out:
            left = count
            while left > 0:
                out.write("".join(self.lines[:left]).replace("@\",", iso(now) + "\",", -1))
                left -= len(self.lines)
            if now - getattr(self, "last_plant", 0) >= 10:
                self.last_plant = now
                name = f"intruder{len(self.planted)}"
                late = 300 if len(self.planted) % 3 == 2 else 0
                out.write(f'{{"TimeGenerated":"{iso(now - late)}","OperationName":"GetBlob",'
                          f'"RequesterUpn":"{name}@contoso.com"}}\n')
                self.planted[name] = now
                count += 1
        return folder, count

    def send(self, folder):
        start = time.time()
        while True:
            done = subprocess.run(
                [self.args.azimuth, "import", "--store", self.args.store, "--quiet", "--logs",
                 "--arrived", "now", folder], capture_output=True, text=True)
            if done.returncode == 0:
                break
            if "written by another process" not in done.stderr:
                sys.exit(done.stderr)
            time.sleep(0.02)
        self.slowest = max(self.slowest, time.time() - start)
        shutil.rmtree(folder)

    def run(self):
        start = time.time()
        end = start + self.args.minutes * 60
        while self.rows < self.args.rate * self.args.minutes * 60 and time.time() < end + 60:
            now = time.time()
            due = int((min(now, end) - start) * self.args.rate) - self.rows
            if due < self.args.rate and now < end:
                time.sleep((self.args.rate - due) / self.args.rate)
                continue
            folder, count = self.write(due, now)
            self.send(folder)
            self.rows += count
            self.batches += 1
        return time.time() - start


def query(args, text):
    done = subprocess.run([args.azimuth, "query", "--store", args.store, "--format", "csv", text],
                          capture_output=True, text=True, check=True)
    return list(csv.DictReader(io.StringIO(done.stdout)))


def judge(args, planted):
    """Delays of the alerts, and what is wrong."""
    wrong, delays, late = [], [], 0
    runs = query(args, "AnalyticsRuleRuns | project RuleName, FirstRun, LastRun, TimeGenerated")
    alerts = query(args, "SecurityAlert | project TimeGenerated, SystemAlertId, Component = "
                   "ProviderName, Name = tostring(parse_json(Entities)[0].Name)")
    if len({a["SystemAlertId"] for a in alerts}) != len(alerts):
        wrong.append("an alert is there twice")
    for name, made in planted.items():
        for component, rule in (("ASI NRT Alerts", "near"), ("ASI Scheduled Alerts", "late rows")):
            own = [a for a in alerts if a["Name"] == name and a["Component"] == component]
            if len(own) != 1:
                wrong.append(f"{name} was alerted {len(own)} times by '{rule}'")
                continue
            at = own[0]["TimeGenerated"]
            kept = [r for r in runs if r["RuleName"] == rule and r["FirstRun"] <= at <= r["LastRun"]]
            if len(kept) != 1:
                wrong.append(f"the run {at} of '{rule}' is there {len(kept)} times")
                continue
            delays.append(unix(kept[0]["TimeGenerated"]) - made)
            late += delays[-1] >= PERIOD + 5
    if late:
        wrong.append(f"{late} alerts came later than {PERIOD + 5} s")
    return delays, len(alerts), wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("azimuth")
    parser.add_argument("work")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--rate", type=int, default=20000)
    parser.add_argument("--kills", type=int, default=6)
    args = parser.parse_args()
    args.azimuth = os.path.abspath(args.azimuth)
    shutil.rmtree(args.work, ignore_errors=True)
    args.store, args.rules = os.path.join(args.work, "store"), os.path.join(args.work, "rules")
    os.makedirs(args.rules)
    for number, kind, name, schedule, where in (
            (1, "NRT", "near", "", ""),
            (2, "Scheduled", "late rows", SCHEDULE, "  | where ingestion_time() > ago(1m)\n")):
        with open(os.path.join(args.rules, f"{number}.yaml"), "w") as out:
            out.write(RULE.format(number=number, kind=kind, name=name, schedule=schedule,
                                  where=where))
    appender, follower = Appender(args), Follower(args)
    folder, first = appender.write(1, time.time() - 60)
    appender.planted.clear()
    appender.last_plant = time.time()
    appender.send(folder)
    appender.batches = 1
    thread = threading.Thread(target=follower.run)
    thread.start()
    time.sleep(2)
    seconds = appender.run()
    # The last rows are seen by the run of the next minute.
    time.sleep(PERIOD - time.time() % PERIOD + 8)
    follower.done.set()
    thread.join()
    clean = follower.end(signal.SIGTERM) == 0
    delays, alerts, wrong = judge(args, appender.planted)
    there = int(query(args, "StorageBlobLogs | count")[0]["Count"])
    if there != appender.rows + first:
        wrong.append(f"{appender.rows + first} records were appended, {there} are there")
    if not clean:
        wrong.append("the follower did not end cleanly")
    segments = len(os.listdir(os.path.join(args.store, "segments")))
    delays.sort()
    print("# Following records as they arrive\n")
    print("Made by `bench/follow.py`: records appended by `azimuth import --logs` about every second "
          "while `azimuth detect --follow` runs two rules of a minute and is killed with -9.\n")
    print("| what | figure |\n| --- | --- |")
    print(f"| asked for | {args.minutes:g} minutes at {args.rate} records a second |")
    print(f"| reached | {appender.rows} records in {seconds:.0f} s, "
          f"{appender.rows / seconds:.0f} a second, {appender.batches} imports, slowest "
          f"{appender.slowest:.1f} s |")
    print(f"| records lost | {appender.rows + first - there} |")
    print(f"| kill -9 and restart | {follower.kills} |")
    print(f"| incidents planted | {len(appender.planted)}, each for two rules |")
    print(f"| alerts | {alerts} |")
    if delays:
        print(f"| delay of an alert, s (period {PERIOD}) | median {delays[len(delays) // 2]:.1f}, "
              f"most {delays[-1]:.1f} |")
    print(f"| follower: peak memory | {follower.peak} MB |")
    print(f"| follower: CPU | {follower.cpu:.1f} s, "
          f"{100 * follower.cpu / seconds:.1f} % of a core |")
    print(f"| segments at the end | {segments} |")
    print(f"| wrong | {'; '.join(wrong) or 'nothing'} |")
    sys.exit(bool(wrong))


main()
