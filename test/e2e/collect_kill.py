#!/usr/bin/env python3
"""Kills a collection with SIGKILL again and again, at random moments: what it ends with is what an
uninterrupted one ends with.

    collect_kill.py AZIMUTH KILLS [SEED]

A kill comes when the service gets its n-th call, or some milliseconds after that; some come when all
is read and the folder is finished or imported. Prints how many kills there were, and over how many
collections.
"""

import importlib.util
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.dont_write_bytecode = True
azimuth, kills_wanted = sys.argv[1], int(sys.argv[2])
seed = int(sys.argv[3]) if len(sys.argv) > 3 else 20260701
chance = random.Random(seed)
spec = importlib.util.spec_from_file_location(
    "replay", Path(__file__).parent.parent / "replay" / "replay.py")
replay = importlib.util.module_from_spec(spec)
spec.loader.exec_module(replay)

sys.path.insert(0, str(Path(__file__).parent.parent / "replay"))
from hurry import hurry, service_options  # noqa: E402

FACTOR = 20
server = replay.listen(replay.arguments(["--tenant", "examples/contoso", "--page", "25",
                                         *service_options(FACTOR)]))
world = replay.Handler.world
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"
environment = {k: v for k, v in os.environ.items() if not k.startswith(("AZURE_", "IDENTITY_"))}
environment.update(AZURE_TENANT_ID="22222222-2222-2222-2222-222222222222",
                   AZURE_CLIENT_ID="44444444-4444-4444-4444-444444444444",
                   AZURE_CLIENT_SECRET="planted-s3cret")
CONTENT = """union withsource=Table resources, resourcecontainers, authorizationresources, policyresources,
    securityresources, diagnosticsettings, users, groups, groupMembers, servicePrincipals, applications,
    applicationOwners, conditionalAccessPolicies, directoryRoleAssignments, CollectionStatus
| project-away ReadSince
| extend Row = tostring(pack_all())
| summarize Rows = count(), Content = sum(hash(Row) % 1000000007) by Table | order by Table asc"""


TIME = re.compile(rb'"ReadSince":"[^"]*"')  # when a run began


class Killer:
    """Kills the process when the count-th call comes, after a pause."""

    def __init__(self, process, count, pause):
        self.process, self.left, self.pause = process, count, pause
        self.lock, self.done = threading.Lock(), threading.Event()

    def __call__(self, _):
        with self.lock:
            self.left -= 1
            due = self.left == 0
        if due:
            threading.Thread(target=self.kill, daemon=True).start()

    def kill(self):
        time.sleep(self.pause)
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.done.set()


def fail(words, folder):
    kept = Path(tempfile.mkdtemp()) / "killed"
    shutil.copytree(folder, kept)
    sys.exit(f"FAILED (seed {seed}): {words}; the folder is kept: {kept}")


def is_complete(raw):
    manifest = raw / "manifest.collect"
    return manifest.exists() and b'{"kind":"end"' in manifest.read_bytes()


# Runs it once; kills it at that call when one is given. True when it was killed.
def run(raw, store, at=None, pause=0.0):
    if is_complete(raw):
        command = [azimuth, "import", "--quiet", "--store", str(store), str(raw)]
    else:
        command = [azimuth, "collect", "--quiet", "--http-loopback", "--login-endpoint", url,
                   "--arm-endpoint", url, "--graph-endpoint", url, "--store", str(store), str(raw)]
    # The buckets are the tenant's: many runs in a short time would only wait.
    world.buckets.clear()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
    killer = Killer(process, at, pause) if at else None
    world.on_call = killer
    out, _ = process.communicate(timeout=600)
    world.on_call = None
    if process.returncode == -signal.SIGKILL:
        return True
    if process.returncode:
        fail(f"{' '.join(command)}: {process.returncode}: {out}", raw)
    return False


def content(raw, store):
    lines = {p.name: sorted(TIME.sub(b"", p.read_bytes()).splitlines()) for p in raw.iterdir()
             if p.suffix == ".jsonl" and p.stat().st_size}
    asked = subprocess.run([azimuth, "query", "--store", str(store), "--format", "csv", CONTENT],
                           capture_output=True, text=True, check=True, timeout=600,
                           env=environment)
    return lines, asked.stdout


with tempfile.TemporaryDirectory() as scratch:
    scratch = Path(scratch)
    hurry(environment.get("AZIMUTH_CONTENT", "content"), scratch / "content", FACTOR)
    environment["AZIMUTH_CONTENT"] = str(scratch / "content")
    before = world.stats["calls"]
    begun = time.monotonic()
    run(scratch / "whole", scratch / "whole.store")
    seconds = time.monotonic() - begun
    calls = world.stats["calls"] - before
    wanted = content(scratch / "whole", scratch / "whole.store")
    assert len(wanted[0]) > 20 and calls > 100, "the collection is too small to say anything"
    kills = collections = late = 0
    while kills < kills_wanted:
        collections += 1
        raw, store = scratch / f"raw{collections}", scratch / f"store{collections}"
        turns = min(chance.randint(1, 6), kills_wanted - kills)
        for _ in range(turns):
            # Some when nearly all is read: the end and the import take some time, too.
            if chance.random() < 0.25:
                at, pause = calls * 9 // 10, chance.uniform(0, seconds)
            else:
                at, pause = chance.randint(1, calls), chance.choice([0, 0, chance.uniform(0, 0.05)])
            killed = run(raw, store, at, pause)
            kills += killed
            late += killed and is_complete(raw)
            if not killed:
                break
        else:
            while run(raw, store):
                pass
        found = content(raw, store)
        for name in sorted(set(wanted[0]) | set(found[0])):
            if wanted[0].get(name) != found[0].get(name):
                fail(f"{name} differs after {turns} kills", raw)
        if wanted[1] != found[1]:
            fail(f"the snapshot differs:\n{wanted[1]}\n{found[1]}", raw)
        shutil.rmtree(raw)
        shutil.rmtree(store)
print(f"ok: {kills} kills over {collections} collections, {late} of them in the import;"
      f" each ended as the uninterrupted one of {calls} calls")
