#!/usr/bin/env python3
"""Fetches logs of storage accounts from Azurite: listings of many pages, blobs that grow while they
are read, kills, every way to be let in, and what is said when one is not."""

import base64
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parent))
from storage_client import Emulator  # noqa: E402

azimuth, program, scratch = sys.argv[1], sys.argv[2], Path(sys.argv[3])
chance = random.Random(7)
failures = []


def check(name, good, seen=""):
    if not good:
        failures.append(name)
        print(f"FAILED: {name}: {seen}")


KEY = base64.b64encode(b"planted-account-key-of-this-test" * 2).decode()
ACCOUNT = "stlogs"
FROM, TO = "2026-06-01T00:00:00Z", "2026-06-03T00:00:00Z"
said = []


def environment(more):
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AZURE_", "AZIMUTH_STORAGE"))}
    return {**kept, **more}


def command(url, folder, *options):
    return [azimuth, "collect", "logs", "--http-loopback", "--storage", url, "--from", FROM, "--to",
            TO, *options, str(folder)]


def fetch(url, folder, let_in, *options):
    done = subprocess.run(command(url, folder, *options), env=environment(let_in), text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
    said.append(done.stdout)
    return done.returncode, done.stdout


# Every record that lies in the folder.
def records(folder):
    found = []
    for path in sorted(p for p in Path(folder).rglob("*.json") if p.is_file()):
        for line in path.read_text().splitlines():
            found.append(json.loads(line)["n"])
    return found


def blob_name(resource, day, hour):
    return (f"resourceId=/SUBSCRIPTIONS/0000/RESOURCEGROUPS/RG/PROVIDERS/MICROSOFT.COGNITIVESERVICES/"
            f"ACCOUNTS/{resource}/y=2026/m=06/d={day:02}/h={hour:02}/m=00/PT1H.json")


def record(number):
    return json.dumps({"n": number, "time": "2026-06-01T00:00:00Z", "category": "Audit",
                       "properties": {"text": "ä \" { } \\ \n" * chance.randint(0, 4)}})


store = Emulator(program, ACCOUNT, KEY)
by_key = {"AZURE_STORAGE_KEY": KEY}
try:
    # --- many containers and blobs; pages of seven names ---
    written, number = set(), 0
    for container in ("insights-logs-audit", "insights-logs-requestresponse",
                      "insights-activity-logs", "insights-metrics-pt1m", "backups"):
        store.container(container)
        for blob in range(11):
            name = blob_name(f"A {blob}&b'", 1 + blob % 4, blob)
            lines = []
            for _ in range(5):
                number += 1
                lines.append(record(number))
                wanted = container.startswith(("insights-logs-", "insights-activity"))
                if wanted and blob % 4 < 2:
                    written.add(number)
            store.append_blob(container, name)
            store.append(container, name, ("\r\n".join(lines) + "\r\n").encode())
    store.put("insights-logs-audit", "notes.txt", b"no log")
    status, words = fetch(store.url, scratch / "all", by_key, "--page", "7")
    check("it ends well", status == 0, words)
    check("every record of the wanted hours, once", sorted(records(scratch / "all")) ==
          sorted(written), (len(records(scratch / "all")), len(written), words))
    status, words = fetch(store.url, scratch / "all", by_key, "--page", "7")
    check("nothing new the second time", "0 records" in words, words)

    # --- one container: a list of records, and one line that has no end yet ---
    grown = "insights-logs-flow"
    store.container(grown)
    flow = blob_name("NSG", 1, 3)
    store.put(grown, flow, b'{"records":[\n {"n": 1, "a": [{"x": "]}"}]},\n{"n":2}]}')
    open_line = blob_name("OPEN", 1, 4)
    store.append_blob(grown, open_line)
    store.append(grown, open_line, b'{"n": 11}\n{"n": 12')
    fetch(store.url, scratch / "grown", by_key, "--containers", grown)
    check("what has no end yet waits", sorted(records(scratch / "grown")) == [1, 2, 11],
          records(scratch / "grown"))
    store.put(grown, flow, b'{"records":[\n {"n": 1, "a": [{"x": "]}"}]},\n{"n":2},{"n":3}\n]}')
    store.append(grown, open_line, b'}\n{"n": 13}')
    fetch(store.url, scratch / "grown", by_key, "--containers", grown)
    check("and comes when it has", sorted(records(scratch / "grown")) == [1, 2, 3, 11, 12, 13],
          records(scratch / "grown"))

    # --- blobs that grow while they are read, by runs that are killed ---
    live = "insights-logs-live"
    store.container(live)
    names = [blob_name(f"L{i}", 1, i) for i in range(6)]
    for name in names:
        store.append_blob(live, name)
    appended, stop = [], threading.Event()

    def write():
        # Parts of records, as they come: a block ends anywhere.
        left = {name: b"" for name in names}
        turn = 0
        while not stop.is_set() or any(left.values()):
            name = names[turn % len(names)]
            turn += 1
            if not stop.is_set():
                for _ in range(chance.randint(1, 20)):
                    appended.append(len(appended))
                    left[name] += record(appended[-1]).encode() + b"\n"
            cut = len(left[name]) if stop.is_set() else chance.randint(0, len(left[name]))
            if cut:
                store.append(live, name, left[name][:cut])
                left[name] = left[name][cut:]

    writer = threading.Thread(target=write)
    writer.start()
    kills = 0
    folder = scratch / "live"
    for turn in range(14):
        process = subprocess.Popen(command(store.url, folder, "--containers", "insights-logs-l*"),
                                   env=environment(by_key), stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT)
        if turn % 2:
            try:
                process.wait(chance.uniform(0, 0.3))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
        said.append(process.communicate()[0].decode())
        kills += process.returncode == -signal.SIGKILL
        seen = records(folder)
        check("no record twice while it grows", len(seen) == len(set(seen)), turn)
    stop.set()
    writer.join()
    status, words = fetch(store.url, folder, by_key, "--containers", live)
    check("every record once, after kills", status == 0 and sorted(records(folder)) == appended,
          (len(records(folder)), len(appended), words))
    check("there was something to read", len(appended) > 100, len(appended))

    # --- every way to be let in ---
    few = ["--containers", grown]
    for name, let_in in (
            ("a signature of the account", {"AZURE_STORAGE_SAS_TOKEN": store.account_signature()}),
            ("with a question mark", {"AZURE_STORAGE_SAS_TOKEN": "?" + store.account_signature()}),
            ("one of the container", {"AZURE_STORAGE_SAS_TOKEN":
                                      store.container_signature(grown)})):
        folder = scratch / f"way{len(list(scratch.iterdir()))}"
        status, words = fetch(store.url, folder, let_in, *few)
        check(name, status == 0 and len(records(folder)) == 6, words)
    status, words = fetch(store.url, scratch / "listed", {"AZURE_STORAGE_SAS_TOKEN":
                                                          store.account_signature()})
    check("a signature that may list", sorted(records(scratch / "listed")) ==
          sorted([*written, 1, 2, 3, 11, 12, 13, *appended]), words)

    # --- and when one is not ---
    status, words = fetch(store.url, scratch / "no1", {
        "AZURE_STORAGE_KEY": base64.b64encode(b"planted-wrong-key-of-this-test").decode()}, *few)
    check("a wrong key", "403" in words and "not permitted: it needs Storage Blob Data Reader" in words,
          words)
    status, words = fetch(store.url, scratch / "no2", by_key, "--containers", "insights-logs-none")
    check("no such container", "404" in words and "ContainerNotFound" in words, words)
    status, words = fetch(store.url, scratch / "no3", {
        "AZURE_STORAGE_SAS_TOKEN": store.container_signature(grown)})
    check("a signature that may not list", "403" in words, words)
    status, words = fetch(store.url, scratch / "no4", {
        "AZURE_STORAGE_SAS_TOKEN": store.container_signature(grown, "l")}, *few)
    check("a signature that may not read", "403" in words and "PT1H.json" in words, words)
    status, words = fetch("http://127.0.0.1:1/stlogs", scratch / "no5", by_key, *few)
    check("nobody there", "127.0.0.1" in words and "not read" in words, words)
finally:
    store.stop()

# --- a token of the login, which goes over TLS only ---
subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1",
                "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(scratch / "tls.key"), "-out",
                str(scratch / "tls.pem"), "-days", "2"], check=True, capture_output=True)


def token(audience):
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
    now = int(time.time())
    tenant = "22222222-2222-2222-2222-222222222222"
    return ".".join([part({"alg": "none", "typ": "JWT"}), part({
        "aud": audience, "iss": f"https://sts.windows.net/{tenant}/", "nbf": now - 60, "iat": now - 60,
        "exp": now + 3600, "tid": tenant, "oid": "planted-object-id"}), "c2ln"])


secure = Emulator(program, ACCOUNT, KEY, "--oauth", "basic", "--cert", str(scratch / "tls.pem"),
                  "--key", str(scratch / "tls.key"))
try:
    secure.container("insights-logs-audit")
    secure.append_blob("insights-logs-audit", blob_name("T", 1, 1))
    secure.append("insights-logs-audit", blob_name("T", 1, 1), b'{"n":1}\n')
    good = {"AZIMUTH_STORAGE_TOKEN": token("https://storage.azure.com")}
    status, words = fetch(secure.url, scratch / "token", good, "--ca-file", str(scratch / "tls.pem"))
    check("a token", status == 0 and records(scratch / "token") == [1], words)
    status, words = fetch(secure.url, scratch / "token2", good)
    check("a certificate nobody trusts", not records(scratch / "token2") and
          "certificate" in words, words)
    status, words = fetch(secure.url, scratch / "token3", {"AZIMUTH_STORAGE_TOKEN": token(
        "https://elsewhere.example")}, "--ca-file", str(scratch / "tls.pem"))
    check("a token for somebody else", not records(scratch / "token3") and "40" in words, words)
finally:
    secure.stop()

# --- secrets ---
secrets = [KEY, "planted-", good["AZIMUTH_STORAGE_TOKEN"].split(".")[1], "sig="]
check("no secret in words", not any(s in words for words in said for s in secrets))
for path in scratch.rglob("*"):
    if path.is_file() and path.suffix in (".json", "") and any(
            s.encode() in path.read_bytes() for s in secrets):
        check("no secret in files", False, path)
print(f"{len(appended)} records appended while they were read, {kills} runs killed")
sys.exit(1 if failures else 0)
