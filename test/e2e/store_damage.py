#!/usr/bin/env python3
"""Flips bits in every kind of file that a store has: the error names the file, and what does not
need the file is answered as before.

    store_damage.py AZIMUTH [FLIPS_A_FILE] [SEED]

The store has a tenant, logs with every encoding (dictionaries, split JSON texts, term lists, postings),
functions, a watchlist, a retention, fingerprints, alerts, an outbox and rejects. In each file the
first and last bytes are flipped, and some between; a few files are cut short.
"""

import collections
import datetime
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
azimuth = os.path.abspath(sys.argv[1])
flips_a_file = int(sys.argv[2]) if len(sys.argv) > 2 else 40
seed = int(sys.argv[3]) if len(sys.argv) > 3 else 20261126
chance = random.Random(seed)
problems = []

RULE = """id: 8a3f1c77-52ab-4b0e-8f7f-0d6a6f1b2c01
name: Reads
version: 1.0.0
kind: Scheduled
severity: High
queryFrequency: 1h
queryPeriod: 1h
triggerOperator: gt
triggerThreshold: 0
tactics: [Exfiltration]
relevantTechniques: [T1530]
query: |
  StorageBlobLogs | where RequesterUpn startswith "bo"
entityMappings:
  - entityType: Account
    fieldMappings: [{identifier: FullName, columnName: RequesterUpn}]
"""
WORDS = ["model", "prompt", "weights", "tenant", "secret", "gradient", "embedding", "token"]


def run(*words, status=0, **options):
    done = subprocess.run([azimuth, *map(str, words)], capture_output=True, text=True, timeout=300,
                          errors="replace", **options)
    if status is not None and done.returncode != status:
        sys.exit(f"azimuth {' '.join(map(str, words))}: {done.returncode}: {done.stderr}")
    return done


def prompts(path):
    with open(path, "w") as out:
        for n in range(600):
            text = " ".join(chance.choice(WORDS) + str(chance.randint(0, 40)) for _ in range(40))
            out.write(json.dumps({
                "TimeGenerated": f"2026-06-01T{n // 60 % 24:02d}:{n % 60:02d}:00Z", "Number": n,
                "Text": text + (" needleword" if n == 77 else ""), "Kind": ("a", "b", "c")[n % 3],
                "Properties": json.dumps({"a": {"b": n, "c": f"value {n % 7}"}, "list": [n, n + 1]}),
                "Tree": {"deep": [n, None, {"x": str(n)}]},
                "Key": f"00000000-0000-4000-8000-{chance.getrandbits(48):012x}",
                "Ratio": n / 7, "Long": chance.getrandbits(60)}) + "\n")
        out.write("this is no record\n")


def store_make(folder):
    store = folder / "store"
    run("import", "--quiet", "--store", store, "examples/contoso")
    prompts(folder / "prompts.jsonl")
    run("import", "--store", store, "--table", "Prompts_CL", "--once", folder / "prompts.jsonl")
    run("store", "retention", "Prompts_CL", 36500, "--store", store)
    run("functions", "save", "Twice", "(a:long) { print x = a * 2 }", "--store", store)
    (folder / "list.csv").write_text("Address,Name\n10.0.0.1,one\n10.0.0.2,two\n")
    run("import", "--quiet", "--store", store, "--watchlist", "addresses", "--search-key", "Address",
        folder / "list.csv")
    (folder / "logs").mkdir()
    (folder / "rules").mkdir()
    (folder / "rules" / "reads.yaml").write_text(RULE)
    with open(folder / "logs" / "StorageBlobLogs.jsonl", "w") as out:
        day = (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=2)).date()
        for hour in (1, 2, 3):
            out.write(f'{{"TimeGenerated":"{day}T0{hour}:05:00Z","OperationName":"GetBlob",'
                      '"RequesterUpn":"bo@contoso.com"}\n')
    run("import", "--quiet", "--store", store, "--logs", folder / "logs")
    deliver(folder, store, status=2)
    return store


def deliver(folder, store, status):
    """Port 9 is closed: what waits is tried and stays."""
    return run("detect", "--rules", folder / "rules", "--store", store, "--syslog",
               "tcp://127.0.0.1:9", status=status)


def questions(store):
    info = run("store", "info", "--store", store).stdout.split("\n\n")[1].splitlines()[1:]
    tables = [line.split()[0] for line in info if line.strip()]
    asked = [(t, f"['{t}'] | extend Row = tostring(pack_all()) | summarize Rows = count(),"
              " Content = sum(hash(Row) % 1000000007)") for t in tables]
    asked += [("Prompts_CL", 'Prompts_CL | where Text has "needleword" | project Number'),
              ("Prompts_CL", "Prompts_CL | summarize sum(tolong(parse_json(Properties).a.b))"),
              ("Prompts_CL", 'Prompts_CL | where Kind == "b" | summarize count(), sum(Long)'),
              ("Watchlist", "_GetWatchlist('addresses') | count"), (None, "Twice(21)"),
              (None, "print 1")]
    return asked


def answers(store, asked):
    lines = "".join(json.dumps({"id": i, "query": q}) + "\n" for i, (_, q) in enumerate(asked))
    done = run("query", "--store", store, "--batch", input=lines, status=None)
    if done.returncode < 0 or "Sanitizer" in done.stderr:
        problems.append(f"a query ended with {done.returncode}: {done.stderr[:1000]}")
    found = {a["id"]: a for a in map(json.loads, done.stdout.splitlines())}
    said = re.sub(r"\s+", " ", done.stderr)
    return [found.get(i, {"error": {"message": said}}) for i in range(len(asked))]


def judge(file, store, asked, before, what):
    """What a store with this damaged file says. True when it was noticed."""
    name, kind = file.name, file.parent.name
    noticed = False
    for (table, query), wanted, found in zip(asked, before, answers(store, asked)):
        if "error" not in found:
            if found["rows"] != wanted["rows"]:
                problems.append(f"{what}: another answer to {query}: {found['rows']}")
            continue
        noticed = True
        if name not in json.dumps(found["error"]):
            problems.append(f"{what}: {query}: the error does not name the file: {found['error']}")
        if kind == "segments" and not (table and name.startswith(re.sub(r"\W", "_", table))) \
                and "Watchlist" not in (table or ""):
            problems.append(f"{what}: {query} needs another file and was not answered: {found}")
    check = run("store", "check", "--store", store, status=None)
    if check.returncode:
        noticed = True
        if name not in check.stdout + check.stderr:
            problems.append(f"{what}: the check does not name it: {check.stdout}{check.stderr}")
    elif noticed:
        problems.append(f"{what}: the check found nothing")
    return noticed


def places(size):
    ends = [n for n in (*range(12), *range(size - 12, size)) if 0 <= n < size]
    chosen = chance.sample(ends, min(len(ends), max(4, flips_a_file // 3)))
    return sorted(set(chosen + [chance.randrange(size) for _ in range(flips_a_file - len(chosen))
                                if size]))


def damage(file, store, asked, before, counts):
    """Flips and cuts of one file."""
    sound = file.read_bytes()
    kind = file.parent.name if file.parent != store else re.sub(r"\..*", "", file.name)
    kind = "outbox" if "outbox" in file.parts else kind
    cuts = [len(sound) // 2, max(0, len(sound) - 1)] if sound else []
    spoiled = [(f"{file.name}: bit {at % 8} of byte {at}",
                sound[:at] + bytes([sound[at] ^ 1 << at % 8]) + sound[at + 1:])
               for at in places(len(sound))]
    spoiled += [(f"{file.name}: cut to {size} bytes", sound[:size]) for size in cuts]
    for what, data in spoiled:
        file.write_bytes(data)
        noticed = judge(file, store, asked, before, what)
        counts[kind] += 1
        if kind in ("segments", "catalog") and not noticed:
            problems.append(f"{what}: nobody noticed")
        if kind in ("rejects", "LOCK", "READERS", "outbox") and noticed:
            problems.append(f"{what}: what needs it?")
    file.write_bytes(sound)


def outbox_check(folder, store):
    """A message that is not what was put there is set aside, the others are sent on."""
    waiting = sorted(p for p in (store / "outbox").rglob("*") if p.is_file())
    data = bytearray(waiting[0].read_bytes())
    data[len(data) // 2] ^= 4
    waiting[0].write_bytes(data)
    said = deliver(folder, store, status=2).stderr
    aside = [p.name for p in (store / "outbox").rglob("*.damaged")]
    if aside != [waiting[0].name + ".damaged"] or f"{len(waiting) - 1} alerts could not" not in said:
        problems.append(f"a damaged message: {aside}, {said}")


with tempfile.TemporaryDirectory() as scratch:
    folder = Path(scratch)
    store = store_make(folder)
    asked = questions(store)
    before = answers(store, asked)
    if any("error" in a for a in before) or len(asked) < 20:
        sys.exit(f"the store is not what it should be: {before}")
    files = sorted(p for p in store.rglob("*") if p.is_file())
    if any(p.name.endswith(("-wal", "-shm")) for p in files):
        sys.exit(f"SQLite left a log in a store that nobody has open: {files}")
    # Of the tenant's many small segments some will do.
    of_tenant = [p for p in files if p.parent.name == "segments"
                 and not p.name.startswith(("Prompts", "Security", "Analytics", "Watch", "Storage"))]
    skipped = set(chance.sample(of_tenant, max(0, len(of_tenant) - 3)))
    counts = collections.Counter()
    for file in files:
        if file not in skipped:
            damage(file, store, asked, before, counts)
    missing = {"segments", "catalog", "rejects", "outbox"} - set(counts)
    if missing:
        sys.exit(f"the store has no {missing}")
    if answers(store, asked) != before:
        problems.append("the store did not come back")
    outbox_check(folder, store)
    for line in problems[:20]:
        print(line)
    if problems:
        sys.exit(f"FAILED (seed {seed}): {len(problems)} problems")
    print(f"ok: {counts.total()} flips and cuts in {len(files) - len(skipped)} files: "
          + ", ".join(f"{n} in {kind}" for kind, n in sorted(counts.items())))
