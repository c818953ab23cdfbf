#!/usr/bin/env python3
"""A collection that crashes while it is signed in leaves no core file, nor anything else that holds a
secret.

    collect_crash.py AZIMUTH SCRATCH

A program without secrets is crashed first, which tells whether this machine writes core files at all:
where it writes none, only the rest is checked.
"""

import os
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path

sys.dont_write_bytecode = True
azimuth, scratch = os.path.abspath(sys.argv[1]), Path(sys.argv[2])
sys.path.insert(0, str(Path(__file__).parent.parent / "replay"))
import replay  # noqa: E402

PLANTED = [b"planted-s3cret", b"cGxhbnRlZC10b2tlbi0", b"planted-token"]
server = replay.listen(replay.arguments(["--tenant", "examples/contoso", "--page", "25"]))
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"


# A shell that runs tests in the background has their processes ignore the signal.
def cores():
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


# Crashes the program; whether it dumped its core.
def crash(command, when, **more):
    folder = scratch / command[0].rsplit("/", 1)[-1]
    folder.mkdir(exist_ok=True)
    process = subprocess.Popen(command, cwd=folder, preexec_fn=cores, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, **more)
    when.wait(60)
    process.send_signal(signal.SIGQUIT)
    _, status = os.waitpid(process.pid, 0)
    process.returncode = 0
    if not os.WIFSIGNALED(status):
        sys.exit(f"FAILED: {command[0]} ended by itself ({status})")
    return os.WCOREDUMP(status)


now = threading.Event()
now.set()
usual = crash(["sleep", "60"], now, env={"PATH": os.environ["PATH"]})
middle = threading.Event()
calls = 0


def count(_):
    global calls
    calls += 1
    if calls == 60:
        middle.set()


replay.Handler.world.on_call = count
content = os.environ.get("AZIMUTH_CONTENT", os.path.abspath("content"))
dumped = crash(
    [azimuth, "collect", "--http-loopback", "--login-endpoint", url, "--arm-endpoint", url,
     "--graph-endpoint", url, "--content", content, str(scratch / "raw")], middle,
    env={**os.environ, "AZURE_TENANT_ID": "22222222-2222-2222-2222-222222222222",
         "AZURE_CLIENT_ID": "44444444-4444-4444-4444-444444444444",
         "AZURE_CLIENT_SECRET": "planted-s3cret"})
if not middle.is_set():
    sys.exit("FAILED: it did not come to the middle of a collection")
if dumped:
    sys.exit("FAILED: a core file was written")
for path in scratch.rglob("*"):
    if path.is_file() and any(word in path.read_bytes() for word in PLANTED):
        sys.exit(f"FAILED: {path} holds a secret")
print("ok: no core file" if usual else "ok; this machine writes core files of nobody")
