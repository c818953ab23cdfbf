#!/usr/bin/env python3
"""Kills imports, compactions and vacuums with SIGKILL at random moments: what was acknowledged is
there once, what was not is there whole or not at all, and the store is sound.

    store_kill.py AZIMUTH KILLS [SEED]

Acknowledged is what an import that ended with 0 was given. Rows are numbered; a kill comes when the
store's directory sees its n-th change (a file made, written to, renamed, removed), or some time after
the start. Half of the time a reader asks on, and sees whole batches only. What the dead left on the
disk tells in which phase they were; with 200 kills and more each phase must have been met.
"""

import collections
import contextlib
import ctypes
import csv
import datetime
import io
import json
import os
import random
import select
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.dont_write_bytecode = True
azimuth, kills_wanted = os.path.abspath(sys.argv[1]), int(sys.argv[2])
seed = int(sys.argv[3]) if len(sys.argv) > 3 else int.from_bytes(os.urandom(4), "little")
chance = random.Random(seed)

KILLS_A_STORE = 40
TABLE, LOG_TABLE = "Audit_CL", "StorageBlobLogs"
KEPT_DAYS, OLD_DAYS = 10, 30
BATCH = """ | summarize Rows = count(), First = min(Number), Last = max(Number), Sum = sum(Number),
    Distinct = count_distinct(Number), Wrong = countif({wrong}) by Batch"""
AUDIT = TABLE + BATCH.format(wrong="Caller != strcat('user', Number % 97, '@contoso.example')"
                             " or tolong(Tags.n) != Number % 3 or Tags.deep[1] != Number"
                             " or tolong(parse_json(Properties).number) != Number")
LOGS = (LOG_TABLE + " | extend Batch = tolong(OperationCount), Number = tolong(RequestBodySize)"
        + BATCH.format(wrong="Uri != strcat('https://contoso.example/', Number)"))
# Batches that are not whole, as a reader sees them: their size is in each row.
TORN = (TABLE + " | summarize Rows = count(), First = min(Number), Last = max(Number),"
        " Sum = sum(Number) by Batch, Size"
        " | where Rows != Size or Last - First + 1 != Size or Sum * 2 != (First + Last) * Size")
PHASES = NOTHING, UNFINISHED, UNNAMED, UNSAID, RETIRED, REMOVING = (
    "nothing left, nothing done", "files in tmp", "finished files that no catalog names",
    "rows that are there and were not acknowledged", "files that left the catalog",
    "files being removed")


class Changes:
    """What changes in some directories, by Linux's inotify: a count that grows."""

    CREATE, MODIFY, MOVED_TO, DELETE = 0x100, 0x2, 0x80, 0x200

    def __init__(self, folders):
        libc = ctypes.CDLL(None, use_errno=True)
        self.fd = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        mask = self.CREATE | self.MODIFY | self.MOVED_TO | self.DELETE
        for folder in folders:
            libc.inotify_add_watch(self.fd, os.fsencode(folder), mask)

    def wait(self, seconds):
        """Changes since the last call; waits for some."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return 0
        data, at, count = os.read(self.fd, 65536), 0, 0
        while at < len(data):
            at += 16 + struct.unpack_from("iIII", data, at)[3]
            count += 1
        return count

    def close(self):
        os.close(self.fd)


class Fed:
    """The rows given to one table: batches of consecutive numbers."""

    def __init__(self):
        self.batches = {}  # number -> (first, rows, old)
        self.there = set()  # acknowledged, or seen there
        self.next = 0

    def new(self, rows, old=False):
        number = len(self.batches)
        self.batches[number] = (self.next, rows, old)
        self.next += rows
        return number


class Place:
    """One store, and what must be in it."""

    def __init__(self, scratch):
        self.folder = Path(tempfile.mkdtemp(dir=scratch))
        self.store = self.folder / "store"
        self.audit, self.logs = Fed(), Fed()
        self.snapshots = 0
        self.retention = False
        self.swept = set()  # batches of old rows that a finished retention must have taken


def fail(words, place):
    kept = Path(tempfile.mkdtemp()) / "killed"
    shutil.copytree(place.folder, kept)
    sys.exit(f"FAILED (seed {seed}): {words}; the store is kept: {kept}")


def call(place, *words, may_fail=False):
    done = subprocess.run([azimuth, *map(str, words), "--store", str(place.store)],
                          capture_output=True, text=True, timeout=600)
    if done.returncode and not may_fail:
        fail(f"azimuth {' '.join(map(str, words))}: {done.returncode}: {done.stderr}", place)
    return done


def ask(place, query):
    done = call(place, "query", "--format", "csv", query, may_fail=True)
    if done.returncode:
        if "no store in" in done.stderr or "still empty" in done.stderr or "table" in done.stderr:
            return []
        fail(f"{query}: {done.stderr}", place)
    return list(csv.DictReader(io.StringIO(done.stdout)))


# ---- What is given

def audit_file(place, number):
    path = place.folder / f"audit-{number}.jsonl"
    first, rows, old = place.audit.batches[number]
    time_text = (datetime.datetime.now(datetime.timezone.utc)
                 - datetime.timedelta(days=OLD_DAYS if old else 1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    with open(path, "w") as out:
        for n in range(first, first + rows):
            row = {"TimeGenerated": time_text, "Batch": number, "Size": rows, "Number": n,
                   "Caller": f"user{n % 97}@contoso.example",
                   "Tags": {"n": n % 3, "deep": ["x", n]},
                   "Properties": json.dumps({"number": n, "kind": "numbered"})}
            if number % 4 == 1:
                row["Late"] = n
            out.write(json.dumps(row) + "\n")
    return path


def logs_folder(place, number):
    folder = place.folder / f"logs-{number}"
    folder.mkdir(exist_ok=True)
    first, rows, _ = place.logs.batches[number]
    with open(folder / f"{LOG_TABLE}.jsonl", "w") as out:
        for n in range(first, first + rows):
            out.write(json.dumps({"TimeGenerated": "2026-01-01T00:00:00Z", "OperationName": "GetBlob",
                                  "OperationCount": number, "RequestBodySize": n,
                                  "Uri": f"https://contoso.example/{n}"}) + "\n")
    return folder


class Task:
    """A command and what it would bring."""

    def __init__(self, kind, words, audit=(), logs=(), snapshot=0):
        self.kind, self.words = kind, words
        self.audit, self.logs, self.snapshot = list(audit), list(logs), snapshot

    def acknowledge(self, place):
        place.audit.there.update(self.audit)
        place.logs.there.update(self.logs)
        place.snapshots += self.snapshot
        if self.kind in ("compact", "vacuum") and place.retention:
            place.swept = {b for b in place.audit.there if place.audit.batches[b][2]}


def import_task(place):
    numbers = [place.audit.new(chance.choice((20, 300, 300, 3000, 20000)),
                               old=chance.random() < 0.2) for _ in range(chance.choice((1, 1, 1, 3)))]
    files = [audit_file(place, n) for n in numbers]
    return Task("import", ["import", "--quiet", "--table", TABLE, "--once", *files], audit=numbers)


def logs_task(place):
    number = place.logs.new(chance.choice((50, 5000)))
    return Task("import", ["import", "--quiet", "--logs", logs_folder(place, number)], logs=[number])


def tenant_task(_):
    return Task("tenant", ["import", "--quiet", "examples/contoso"], snapshot=1)


def compact_task(place):
    for _ in range(chance.randint(1, 3)):
        run_to_end(place, import_task(place))
    return Task("compact", ["store", "compact"])


def vacuum_task(place):
    run_to_end(place, import_task(place))
    if chance.random() < 0.6:
        call(place, "store", "retention", TABLE, KEPT_DAYS)
        place.retention = True
    return Task("vacuum", ["store", "vacuum"])


def run_to_end(place, task):
    call(place, *task.words)
    task.acknowledge(place)


# ---- A reader beside

class Reader:
    def __init__(self, place):
        self.place, self.asked, self.wrong = place, 0, None
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        before = len(self.place.audit.there - old_batches(self.place))
        while not self.ended.is_set() and not self.wrong:
            batch = "\n".join(json.dumps({"id": i, "query": q}) for i, q in enumerate(
                (TORN, f"{TABLE} | where TimeGenerated > ago({KEPT_DAYS}d) | summarize dcount(Batch)")))
            done = subprocess.run([azimuth, "query", "--store", str(self.place.store), "--batch"],
                                  input=batch, capture_output=True, text=True)
            answers = [json.loads(line) for line in done.stdout.splitlines()]
            if len(answers) != 2 or any("error" in a for a in answers):
                self.wrong = f"a reader was answered {done.stdout[:500]} {done.stderr[:500]}"
            elif answers[0]["rows"]:
                self.wrong = f"a reader saw a part of a batch: {answers[0]['rows'][:3]}"
            elif before < 100 and answers[1]["rows"][0][0] < before:
                self.wrong = f"a reader saw {answers[1]['rows'][0][0]} batches of {before}"
            self.asked += 1

    def end(self):
        self.ended.set()
        self.thread.join()
        if self.wrong:
            fail(self.wrong, self.place)
        return self.asked


def old_batches(place):
    return {b for b, (_, _, old) in place.audit.batches.items() if old}


# ---- The kill

typical = collections.defaultdict(lambda: [12, 0.05])  # kind -> changes, seconds of a whole run


def run_and_kill(place, task):
    """True when it was killed; it is acknowledged when it ended."""
    store = place.store
    changes = Changes([f for f in (store, store / "tmp", store / "segments") if f.exists()]
                      or [place.folder])
    many, seconds = typical[task.kind]
    # A rewriting ends with what is shortest: its commit, and the removal of the old files.
    mode = 0.97 if task.kind in ("compact", "vacuum") else 0.8
    at, pause = round(many * chance.triangular(0, 1.05, mode)) or 1, chance.choice((0, 0, 0, chance.uniform(0, 0.004)))
    deadline = chance.uniform(0, seconds * 1.1) if chance.random() < 0.3 else None
    begun, seen = time.monotonic(), 0
    process = subprocess.Popen([azimuth, *map(str, task.words), "--store", str(store)],
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while process.poll() is None:
        left = 0.002 if deadline is None else min(0.002, deadline - (time.monotonic() - begun))
        seen += changes.wait(max(0, left))
        due = seen >= at if deadline is None else time.monotonic() - begun >= deadline
        if due:
            time.sleep(pause)
            process.send_signal(signal.SIGKILL)
            break
    error = process.stderr.read()
    process.stderr.close()
    process.wait()
    while more := changes.wait(0):
        seen += more
    changes.close()
    if process.returncode == -signal.SIGKILL:
        return True
    if process.returncode:
        fail(f"azimuth {' '.join(map(str, task.words))}: {process.returncode}: {error}", place)
    typical[task.kind] = [max(3, seen), time.monotonic() - begun]
    task.acknowledge(place)
    return False


def files_of(folder):
    return {p.name for p in folder.iterdir()} if folder.exists() else set()


def catalog_files(place):
    """Segments and retired files by the catalog; read from a copy, so that nothing is mended."""
    with tempfile.TemporaryDirectory(dir=place.folder) as copy:
        for suffix in ("", "-wal"):
            with contextlib.suppress(FileNotFoundError):
                shutil.copy(f"{place.store}/catalog.sqlite{suffix}", copy)
        with contextlib.closing(sqlite3.connect(f"{copy}/catalog.sqlite")) as db:  # may be empty
            tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master")}
            return [{row[0] for row in db.execute(f"SELECT file FROM {name}")}
                    if name in tables else set() for name in ("segments", "retired")]


def phase_of(place, retired_before):
    """Where a dead task was, by what lies on the disk."""
    named, retired = catalog_files(place)
    lying = files_of(place.store / "segments")
    if lying - named - retired:
        return UNNAMED
    if retired - lying:
        return REMOVING
    if retired - retired_before:
        return RETIRED
    return UNFINISHED if files_of(place.store / "tmp") else NOTHING


# ---- What must hold

def rows_check(place, fed, query, name, task, killed_batches):
    found = {int(row["Batch"]): row for row in ask(place, query)}
    expired = old_batches(place) if fed is place.audit and place.retention else set()
    for number, row in found.items():
        first, rows, _ = fed.batches[number]
        wanted = {"Rows": rows, "First": first, "Last": first + rows - 1, "Distinct": rows,
                  "Sum": rows * (2 * first + rows - 1) // 2, "Wrong": 0}
        if any(int(row[k]) != v for k, v in wanted.items()):
            fail(f"{name}, batch {number}: {row}, and not {wanted}, after a killed {task}", place)
    lost = fed.there - set(found) - expired
    if lost:
        fail(f"{name}: the batches {sorted(lost)} are lost after a killed {task}", place)
    strange = set(found) - fed.there - set(killed_batches)
    if strange:
        fail(f"{name}: the batches {sorted(strange)} came later, after a killed {task}", place)
    back = set(found) & place.swept if fed is place.audit else set()
    if back:
        fail(f"{name}: the batches {sorted(back)} came back after their retention", place)
    part = set(found) & set(killed_batches)
    if part and part != set(killed_batches):
        fail(f"{name}: of the import of {killed_batches} only {sorted(part)} are there", place)
    fed.there |= part
    return bool(part)


def check(place, task):
    """What the dead task left is right; whether its work was done."""
    done = rows_check(place, place.audit, AUDIT, TABLE, task.kind, task.audit)
    done |= rows_check(place, place.logs, LOGS, LOG_TABLE, task.kind, task.logs)
    if (place.store / "catalog.sqlite").exists():
        info = call(place, "store", "info", may_fail=True)
        rows = {line.split()[-3] for line in info.stdout.splitlines()
                if line.endswith("examples/contoso")}
        count = sum(line.endswith("examples/contoso") for line in info.stdout.splitlines())
        if len(rows) > 1 or not place.snapshots <= count <= place.snapshots + task.snapshot:
            fail(f"{count} snapshots of {place.snapshots}, with {rows} rows", place)
        done |= count > place.snapshots
        place.snapshots = count
        if not info.returncode:
            sound = call(place, "store", "check", may_fail=True)
            if sound.returncode:
                fail(f"store check after a killed {task.kind}: {sound.stdout[:2000]}", place)
    return done


def nothing_left(place):
    """A vacuum leaves what the catalog names and nothing else."""
    call(place, "store", "vacuum")
    Task("vacuum", []).acknowledge(place)
    named, retired = catalog_files(place)
    if files_of(place.store / "segments") != named or files_of(place.store / "tmp") or retired:
        fail(f"left after a vacuum: {files_of(place.store / 'segments') ^ named}"
             f" {files_of(place.store / 'tmp')} {retired}", place)


def again(place, task):
    """The same command completes what was cut short, and repeats nothing."""
    if task.snapshot:
        return
    run_to_end(place, task)
    check(place, Task(f"{task.kind}, run again", []))


TASKS = ((import_task, 40), (logs_task, 10), (tenant_task, 5), (compact_task, 30), (vacuum_task, 15))

with tempfile.TemporaryDirectory() as scratch:
    kills, stores, asked = collections.Counter(), 0, 0
    phases = collections.Counter()
    place = None
    while kills.total() < kills_wanted:
        if kills.total() >= stores * KILLS_A_STORE:
            if place:
                nothing_left(place)
                shutil.rmtree(place.folder)
            place = Place(scratch)
            stores += 1
            for folder in ("tmp", "segments"):  # so that the first changes are seen
                os.makedirs(place.store / folder)
        made = place.audit.there
        make = chance.choices(*zip(*TASKS))[0] if made else import_task
        task = make(place)
        _, retired = catalog_files(place)
        reader = Reader(place) if made and chance.random() < 0.5 else None
        killed = run_and_kill(place, task)
        asked += reader.end() if reader else 0
        if killed:
            kills[task.kind] += 1
            phase = phase_of(place, retired)
            phases[UNSAID if check(place, task) else phase] += 1
            if chance.random() < 0.6:
                again(place, task)
            if chance.random() < 0.2 and place.audit.there:
                nothing_left(place)
    nothing_left(place)
    check(place, Task("run", []))
    missed = [p for p in PHASES if not phases[p]]
    if kills_wanted >= 200 and missed:
        sys.exit(f"FAILED (seed {seed}): no kill met: {missed}")
    print(f"ok: {kills.total()} kills over {stores} stores ("
          + ", ".join(f"{count} in {kind}" for kind, count in sorted(kills.items()))
          + f"), {asked} answers to readers; left by the dead: "
          + ", ".join(f"{p} {phases[p]}" for p in PHASES))
