#!/usr/bin/env python3
"""Looks in a redacted archive for what it must not hold, and whether what belonged together still does.

    redacted.py ARCHIVE TENANT_DIR
"""

import io
import json
import re
import subprocess
import sys
import tarfile
from pathlib import Path

archive, tenant = sys.argv[1], Path(sys.argv[2])
plain = subprocess.run(["zstd", "-dc", archive], capture_output=True).stdout
if not plain:
    sys.exit("zstd could not unpack the archive")
files = {}
with tarfile.open(fileobj=io.BytesIO(plain)) as opened:
    for entry in opened:
        files[entry.name] = opened.extractfile(entry).read().decode()
text = "\n".join(files.values()).lower()
problems = []


def rows(name):
    return [json.loads(x) for x in (tenant / f"{name}.jsonl").read_text().splitlines()]


words = {"@contoso", "contoso.com", "contoso.onmicrosoft.com"}
for user in rows("users"):
    words |= {user["displayName"], user["userPrincipalName"], user.get("mail") or "ines.albrecht@contoso.com"}
for group in rows("groups"):
    words.add(group["displayName"])
for row in rows("resourcecontainers"):
    if "/resourcegroups/" in row["id"].lower():
        words.add("/resourcegroups/" + row["name"] + "/")
    if row["id"].count("/") == 2:
        words |= {row["subscriptionId"], row["tenantId"]}
for row in rows("resources"):
    parts = row["id"].split("/")
    if len(parts) == 9 and len(row["name"]) > 6 and "-" in row["name"]:
        words.add(row["name"])
found = sorted(w for w in words if w.lower() in text)
if found:
    problems.append(f"{len(found)} of {len(words)} words are still there: {found[:8]}")

# What one row names, another has: as many subscriptions, groups and parents as before.
before = "\n".join(p.read_text() for p in sorted(tenant.glob("*.jsonl")))
after = {name.split(".")[0]: [] for name in files}
for name, body in files.items():
    after[name.split(".")[0]] += [json.loads(x) for x in body.splitlines()]
for table in ("resources", "users", "groupMembers", "authorizationresources"):
    if len(after[table]) != len(rows(table)):
        problems.append(f"{table}: {len(rows(table))} rows became {len(after[table])}")
ids = {r["id"].lower() for r in after["resources"]}
if len(ids) != len({r["id"].lower() for r in rows("resources")}):
    problems.append("two resources became one")
shape = re.compile(r"/subscriptions/[^/\"]+/resourcegroups/[^/\"]+/providers/[^/\"]+/[^/\"]+/[^/\"?]+", re.I)


def references(all_ids, texts):
    return sum(m.lower() in all_ids for m in shape.findall(texts))


was = references({r["id"].lower() for r in rows("resources")}, before)
now = references(ids, "\n".join(files.values()))
if now < was:
    problems.append(f"{was} references to resources became {now}")
print("\n".join(problems))
sys.exit(1 if problems else 0)
