#!/usr/bin/env python3
"""A tenant is collected, changes, and is refreshed: that is the same as collecting it anew, in fewer
calls, whatever the services cannot tell or get wrong.

    collect_refresh.py AZIMUTH
"""

import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

sys.dont_write_bytecode = True
azimuth = sys.argv[1]
here = Path(__file__).parent
spec = importlib.util.spec_from_file_location("replay", here.parent / "replay" / "replay.py")
replay = importlib.util.module_from_spec(spec)
spec.loader.exec_module(replay)
sys.path.insert(0, str(here.parent / "replay"))
from hurry import hurry, service_options  # noqa: E402

FACTOR = 40
passed, failed = 0, 0


def check(name, good, words=""):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    if not good:
        print(f"FAILED: {name} {str(words)[:1500]}")


# ---- a tenant that is large enough for a refresh to pay ----

def rows_of(path):
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]


def resource(group, kind, name, **properties):
    subscription, group_name = group["id"].split("/")[2], group["id"].split("/")[4]
    return {"id": f"{group['id']}/providers/{kind}/{name}", "name": name, "type": kind.lower(),
            "tenantId": group.get("tenantId", ""), "kind": "", "location": "swedencentral",
            "resourceGroup": group_name, "subscriptionId": subscription, "managedBy": "", "sku": None,
            "plan": None, "properties": {"provisioningState": "Succeeded", **properties}, "tags": None,
            "identity": None, "zones": None, "extendedLocation": None}


def diagnostics(of, name):
    return {"id": f"{of['id']}/providers/microsoft.insights/diagnosticSettings/{name}", "name": name,
            "type": "Microsoft.Insights/diagnosticSettings", "properties": {"logs": []}}


def user(number):
    return {"id": f"00000000-0000-4000-8000-{number:012}", "userPrincipalName": f"u{number}@contoso.com",
            "displayName": f"User {number}", "mail": None, "userType": "Member",
            "accountEnabled": True, "jobTitle": "Engineer"}


def group_row(number):
    return {"id": f"00000000-0000-4000-9000-{number:012}", "displayName": f"grp-{number}",
            "description": None, "mailEnabled": False, "securityEnabled": True, "groupTypes": [],
            "isAssignableToRole": None, "membershipRule": None}


def make_tenant(folder):
    shutil.copytree("examples/contoso", folder, ignore=shutil.ignore_patterns("*.py", "*.md"))
    groups = [r for r in rows_of(folder / "resourcecontainers.jsonl")
              if r["type"].lower() == "microsoft.resources/subscriptions/resourcegroups"]
    added = {name: [] for name in ("resources", "diagnosticsettings", "users", "groups",
                                   "groupMembers")}
    for i in range(300):
        nsg = resource(groups[i % len(groups)], "Microsoft.Network/networkSecurityGroups", f"nsg-{i}")
        end = resource(groups[i % len(groups)], "Microsoft.Network/privateEndpoints", f"pe-{i}")
        zone = {**end, "id": f"{end['id']}/privateDnsZoneGroups/default", "name": "default",
                "type": "Microsoft.Network/privateEndpoints/privateDnsZoneGroups"}
        added["resources"] += [nsg, end, zone]
        added["diagnosticsettings"].append(diagnostics(nsg, "to-logs"))
    for i in range(1500):
        added["resources"].append(resource(groups[i % len(groups)], "Microsoft.Compute/disks", f"d-{i}"))
    added["users"] = [user(i) for i in range(400)]
    added["groups"] = [group_row(i) for i in range(150)]
    added["groupMembers"] = [{"groupId": group_row(i)["id"], "@odata.type": "#microsoft.graph.user",
                              "id": user(j)["id"]} for i in range(150) for j in (i, i + 100)]
    for name, rows in added.items():
        with open(folder / f"{name}.jsonl", "a") as out:
            out.writelines(json.dumps(r) + "\n" for r in rows)
    return groups


# Zone groups are their endpoint's alone, as in Azure.
replay.ONLY_ARM = re.compile(replay.ONLY_ARM.pattern + r"|microsoft\.network/privateendpoints/")

# ---- running ----


class Bench:
    def __init__(self, scratch):
        self.scratch, self.number, self.words = scratch, 0, ""
        tenant = scratch / "tenant"
        self.groups = make_tenant(tenant)
        self.log = scratch / "requests"
        self.server = replay.listen(replay.arguments(
            ["--tenant", str(tenant), "--page", "1000", "--log", str(self.log),
             *service_options(FACTOR, 8000)]))
        self.world = replay.Handler.world
        self.changes = self.world.changes
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        hurry(os.environ.get("AZIMUTH_CONTENT", "content"), scratch / "content", FACTOR)
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("AZURE_", "IDENTITY_"))}
        self.env.update(AZURE_TENANT_ID="22222222-2222-2222-2222-222222222222",
                        AZURE_CLIENT_ID="44444444-4444-4444-4444-444444444444",
                        AZURE_CLIENT_SECRET="planted-s3cret",
                        AZIMUTH_CONTENT=str(scratch / "content"))

    def faults(self, *texts):
        self.world.faults = [replay.Fault(t) for t in texts]

    def command(self, *options):
        return [azimuth, "collect", "--http-loopback", "--login-endpoint", self.url, "--arm-endpoint",
                self.url, "--graph-endpoint", self.url, *map(str, options)]

    # The folder of a run; its calls and words in self.
    def collect(self, *options, folder=None):
        self.number += 1
        folder = folder or self.scratch / f"raw{self.number}"
        self.world.buckets.clear()
        before = self.world.stats["calls"]
        done = subprocess.run(self.command(*options, folder), env=self.env, text=True,
                              capture_output=True, timeout=300)
        self.status, self.out = done.returncode, done.stdout + done.stderr
        self.words += self.out
        self.calls = self.world.stats["calls"] - before
        if done.returncode not in (0, 2):
            sys.exit(f"FAILED: the program ended with {done.returncode}: {self.out}")
        return folder


def content(folder):
    tables = {}
    for path in sorted(folder.glob("*.jsonl")):
        rows = rows_of(path)
        if path.name == "CollectionStatus.jsonl":
            rows = [{k: r[k] for k in ("Dataset", "Scope", "Status", "Rows")} for r in rows]
        # A delta names no property that was never set; a list says that it is null.
        rows = [{k: v for k, v in r.items() if v is not None} for r in rows]
        if rows:
            tables[path.name] = sorted(json.dumps(r, sort_keys=True) for r in rows)
    return tables


def same(name, one, other):
    a, b = content(one), content(other)
    for table in sorted(set(a) | set(b)):
        x, y = a.get(table, []), b.get(table, [])
        check(f"{name}: {table}", x == y,
              f"only refreshed {[r for r in x if r not in y][:2]} only full {[r for r in y if r not in x][:2]}")


def status_of(folder, table):
    return next(r for r in rows_of(folder / "CollectionStatus.jsonl")
                if r["Dataset"] == table and r["Scope"] == "tenant")


# A refresh of `last` and a full run are the same. Returns the refreshed folder.
def refresh(bench, name, last, notes=(), faults=(), full_faults=(), share=0.65):
    bench.faults(*faults)
    fresh = bench.collect("--refresh", last)
    calls, out = bench.calls, bench.out
    check(f"{name}: it ends well", bench.status == 0, out)
    bench.faults(*full_faults)
    whole = bench.collect()
    bench.faults()
    same(name, fresh, whole)
    if share:
        check(f"{name}: in fewer calls", calls < share * bench.calls, f"{calls} of {bench.calls}")
    said = re.findall(r"read in full: .*", out)
    for note in notes:
        check(f"{name}: says '{note}'", any(re.search(note, s) for s in said), said)
    if not notes:
        check(f"{name}: nothing is read in full", not said, said)
    print(f"- {name}: {calls} calls; all anew {bench.calls}")
    return fresh


def change_all(bench):
    changes, groups = bench.changes, bench.groups
    made = resource(groups[0], "Microsoft.Network/networkSecurityGroups", "nsg-new")
    changes.put("resources", made)
    changes.put("diagnosticsettings", diagnostics(made, "to-logs"))
    nsg = next(r for r in bench.world.tables["resources"] if r["name"] == "nsg-7")
    changes.put("resources", {**nsg, "tags": {"owner": "new"}})
    # Only a child changes, of a type that Resource Graph does not hold.
    other = next(r for r in bench.world.tables["resources"] if r["name"] == "nsg-8")
    changes.put("diagnosticsettings", diagnostics(other, "second"))
    changes.remove("diagnosticsettings", diagnostics(
        next(r for r in bench.world.tables["resources"] if r["name"] == "nsg-9"), "to-logs")["id"])
    changes.remove("resources", next(r for r in bench.world.tables["resources"]
                                     if r["name"] == "nsg-10")["id"])
    changes.remove("resources", next(r for r in bench.world.tables["resources"]
                                     if r["name"] == "d-4")["id"])
    # What no log tells: the name of a secret. These lists are always read.
    vault = next(r for r in bench.world.tables["resources"]
                 if r["type"].lower() == "microsoft.keyvault/vaults")
    changes.put("resources", {**resource(groups[0], "x", "y"), "id": vault["id"] + "/secrets/new",
                              "name": "new", "type": "Microsoft.KeyVault/vaults/secrets"}, told=False)
    # A group of resources comes, and one goes.
    gone = groups[3]
    for row in [r for r in bench.world.tables["resources"]
                if r["id"].lower().startswith(gone["id"].lower() + "/")
                and not replay.ONLY_ARM.match(r["type"].lower())]:
        if row in bench.world.tables["resources"]:
            changes.remove("resources", row["id"])
    changes.remove("resourcecontainers", gone["id"])
    new = {**groups[1], "id": groups[1]["id"] + "-more", "name": groups[1]["name"] + "-more"}
    changes.put("resourcecontainers", new)
    # As if it had been there and only now may be seen: no history of it.
    changes.put("resources", {**resource(new, "Microsoft.Network/networkSecurityGroups", "nsg-seen")},
                told=False)
    # The directory.
    changes.put("users", user(1000))
    changes.put("users", {**user(3), "jobTitle": "Chief's \"friend\"", "accountEnabled": False})
    changes.put("users", {**user(3), "jobTitle": None, "accountEnabled": False})
    changes.remove("users", user(5)["id"])
    changes.put("users", user(2000))
    changes.remove("users", user(2000)["id"])
    changes.put("groups", group_row(500))
    changes.member(group_row(500)["id"], user(1000)["id"], True)
    changes.member(group_row(8)["id"], user(200)["id"], True)
    changes.member(group_row(9)["id"], user(9)["id"], False)
    changes.remove("groups", group_row(20)["id"])
    changes.member(group_row(30)["id"], user(30)["id"], True, relation="owners")
    principal = bench.world.tables["serviceprincipals"][-1]["id"]
    changes.remove("serviceprincipals", principal)
    application = bench.world.tables["applications"][0]
    changes.put("applications", {**application, "displayName": "Renamed"})


def small_change(bench, number):
    bench.changes.put("users", user(3000 + number))
    bench.changes.put("resources", resource(bench.groups[0], "Microsoft.Network/networkSecurityGroups",
                                            f"nsg-small-{number}"))


# Collections that somebody damaged: an error that says so, and nothing else.
def broken_folders(bench, last):
    lines = (last / "manifest.collect").read_text().splitlines()
    page = [p for p in map(json.loads, lines) if p["kind"] == "page" and p["end"] > 1][-1]
    cases = {
        "is damaged": lines[:5] + ["{not json"] + lines[5:],
        "contradicts itself": lines[:-1] + [json.dumps({**page, "end": 1})] + lines[-1:],
        "no manifest of a collection": lines[:-1] + [json.dumps({**page, "file": "../x"})] + lines[-1:],
        "no manifest": lines[1:],
        "no complete collection": lines[:-1],
    }
    for number, (words, text) in enumerate(cases.items()):
        folder = bench.scratch / f"broken{number}"
        shutil.copytree(last, folder)
        (folder / "manifest.collect").write_text("\n".join(text) + "\n")
        bench.collect("--refresh", folder)
        check(f"a broken manifest: {words}", bench.status == 2 and words in bench.out, bench.out)
    for name in ("diagnosticsettings.jsonl", "users.jsonl", "resources.jsonl"):
        folder = bench.scratch / f"cut-{name}"
        shutil.copytree(last, folder)
        os.truncate(folder / name, 100)
        bench.collect("--refresh", folder)
        check(f"a cut {name}", bench.status == 2 and "shorter than its manifest says" in bench.out,
              bench.out)
        folder = bench.scratch / f"garbage-{name}"
        shutil.copytree(last, folder)
        size = (folder / name).stat().st_size
        (folder / name).write_bytes(b"x" * (size - 1) + b"\n")
        bench.collect("--refresh", folder)
        # Lists of parents are copied as they are: an import rejects what is none.
        wanted = 0 if name.startswith("diag") else 2
        check(f"garbage in {name}", bench.status == wanted, bench.out)
    bench.collect("--refresh", last, folder=last)
    check("a collection is not refreshed into itself", bench.status == 2
          and "complete collection" in bench.out, bench.out)


def main(scratch):
    bench = Bench(scratch)
    first = bench.collect()
    check("the tenant is collected", bench.status == 0, bench.out)
    same_again = refresh(bench, "nothing changed", first)
    check("what is taken over is said", re.search(r"[1-9]\d* lists taken over", bench.words))
    told = status_of(same_again, "diagnosticsettings")
    check("lists that were taken over are said to be", told["Reading"] == "refreshed", told)
    begun = json.loads((first / "manifest.collect").read_text().splitlines()[0])["time"]
    check("with the time when they were read", told["ReadSince"] == begun, (told, begun))
    check("others are read in full", status_of(same_again, "accessReviews")["Reading"] == "in full")

    change_all(bench)
    second = refresh(bench, "all kinds of changes", same_again)
    owners = rows_of(second / "groupOwners.jsonl")
    check("an owner who came is there", [o["id"] for o in owners] == [user(30)["id"]], owners)
    edges = {(m["groupId"], m["id"]) for m in rows_of(second / "groupMembers.jsonl")}
    check("members who came are there", (group_row(8)["id"], user(200)["id"]) in edges
          and (group_row(500)["id"], user(1000)["id"]) in edges)
    check("and who left is not", (group_row(9)["id"], user(9)["id"]) not in edges
          and user(5)["id"] not in {e[1] for e in edges})
    users = {u["id"]: u for u in rows_of(second / "users.jsonl")}
    check("the last change counts", users[user(3)["id"]]["accountEnabled"] is False
          and users[user(3)["id"]]["jobTitle"] is None and user(5)["id"] not in users
          and user(2000)["id"] not in users)
    check("rows that were taken over twice keep their time",
          status_of(second, "diagnosticsettings")["ReadSince"] == begun)

    # Pages of changes, and refusals for pace in all of it.
    bench.world.args.page = 7
    for i in range(20):
        small_change(bench, 100 + i)
    bench.faults("arg:ResourceChanges=429*2", "users/delta=429*2", "eventtypes/management=429*2")
    paged = bench.collect("--refresh", second)
    check("refusals are waited for", "read in full" not in bench.out, bench.out)
    bench.world.args.page = 1000
    bench.faults()
    same("pages and refusals", paged, bench.collect())

    # What the services cannot tell.
    last = paged
    link = r"users/delta\?%24deltatoken=(?!latest)"
    cases = [
        ("a delta link that expired", ["users: its delta query failed: .*410"], [f"{link}=410"]),
        ("a delta on another host", ["users: its delta query failed: .*another host .evil.example"],
         [f"{link}=elsewhere"]),
        ("a delta that is refused", ["users: its delta query failed: .*403"], [f"{link}=403"]),
        ("a history that is not permitted",
         ["resources and their lists: resource-changes could not be read: .*403"],
         ["arg:ResourceChanges . extend=403"]),
        ("an activity log that is not permitted", ["lists of resources in .*activity log.*403"],
         ["eventtypes/management=403*1"]),
        ("an activity log without an end", ["activity log could not be read: "],
         ["eventtypes/management=loop"]),
    ]
    for number, (name, notes, faults) in enumerate(cases):
        small_change(bench, number)
        last = refresh(bench, name, last, notes, faults, share=0)
    small_change(bench, 50)
    bench.changes.oldest = len(bench.changes.directory)
    last = refresh(bench, "all delta links expired", last,
                   ["users: .*410: syncStateNotFound", "groups: .*410", "servicePrincipals: .*410"], share=0)
    small_change(bench, 51)
    row = next(r for r in bench.world.tables["resources"] if r["name"] == "d-77")
    bench.changes.remove("resources", row["id"], told=False)
    last = refresh(bench, "a change that was not told", last,
                   ["resources: Resource Graph counts .*microsoft.compute/disks"], share=0)
    small_change(bench, 52)
    kept = bench.changes.history
    bench.changes.history = kept[-1:]
    last = refresh(bench, "a history that is too short", last,
                   ["history of changes begins at"], share=0)
    bench.changes.history = kept

    # A parent that is gone when its list is read: a gap, as in a full run.
    small_change(bench, 60)
    gone = ["nsg-small-60/providers/Microsoft.Insights/diagnosticSettings=404"]
    last = refresh(bench, "a parent that vanished", last, (), gone, gone, share=0)
    check("its list is a gap", any(r["Status"] == "not collected" and r["Scope"].endswith("nsg-small-60")
                                   for r in rows_of(last / "CollectionStatus.jsonl")))
    last = refresh(bench, "what was missing is read again", last, share=0)

    # Another version's collection, one of too long ago, and what cannot be refreshed.
    old = bench.scratch / "old"
    shutil.copytree(last, old)
    manifest = old / "manifest.collect"
    lines = manifest.read_text().splitlines()
    begin = json.loads(lines[0])
    manifest.write_text("\n".join([json.dumps({**begin, "time": "2025-01-02T03:04:05Z"})] + lines[1:]) + "\n")
    refresh(bench, "too long ago", old, ["keeps changes for 14 days"], share=0)
    manifest.write_text("\n".join([json.dumps(
        {**begin, "identity": begin["identity"][:-4] + "0000"})] + lines[1:]) + "\n")
    refresh(bench, "another table of sources", old, ["another table of sources"], share=0)
    manifest.write_text("\n".join([json.dumps(
        {**begin, "identity": "tenant other" + begin["identity"]})] + lines[1:]) + "\n")
    bench.collect("--refresh", old)
    check("another tenant is refused", bench.status == 2 and "another kind" in bench.out, bench.out)
    manifest.write_text("\n".join(lines[:-1]) + "\n")
    bench.collect("--refresh", old)
    check("half a collection is refused", bench.status == 2 and "no complete" in bench.out, bench.out)
    bench.collect("--refresh", bench.scratch / "nowhere")
    check("and none at all", bench.status == 2 and "no collection" in bench.out, bench.out)

    broken_folders(bench, last)

    # Killed and gone on.
    small_change(bench, 70)
    bench.collect("--refresh", last)
    calls = bench.calls
    whole = bench.collect()
    for number, at in enumerate((calls // 6, calls // 2, calls * 4 // 5, calls - 3)):
        folder = bench.scratch / f"killed{number}"
        bench.world.buckets.clear()
        process = subprocess.Popen(bench.command("--quiet", "--refresh", last, folder), env=bench.env,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        counted = [at]

        def kill(_, process=process, counted=counted):
            counted[0] -= 1
            if counted[0] == 0:
                process.send_signal(signal.SIGKILL)
        bench.world.on_call = kill
        process.wait(timeout=300)
        bench.world.on_call = None
        check("it was killed", process.returncode == -signal.SIGKILL, process.returncode)
        bench.collect(folder=folder)
        check("it does not go on as another kind of run", bench.status == 2 and "--refresh" in bench.out,
              bench.out)
        bench.collect("--refresh", last, folder=folder)
        check("it goes on", bench.status == 0 and "taken up" in bench.out, bench.out)
        same(f"killed at call {at} of {calls}", folder, whole)

    # The same snapshot comes of it.
    for name, folder in (("fresh", folder), ("whole", whole)):
        subprocess.run([azimuth, "import", "--quiet", "--store", scratch / name, folder], check=True,
                       env=bench.env)
    asked = [subprocess.run([azimuth, "query", "--store", scratch / name, "--format", "csv",
                             "union withsource=Table resources, users, groups, groupMembers, diagnosticSettings"
                             " | extend Row = tostring(pack_all()) | summarize Rows = count(),"
                             " Content = sum(hash(Row) % 1000000007) by Table | order by Table asc"],
                            check=True, env=bench.env, capture_output=True, text=True).stdout
             for name in ("fresh", "whole")]
    check("the snapshot is the same", asked[0] == asked[1] and len(asked[0].splitlines()) > 4, asked)

    # A link is nobody's business but the folder's.
    check("links are kept in the manifest", "deltatoken=" in (last / "manifest.collect").read_text().lower())
    check("and are not said", "token=***" in bench.words and
          not re.search("token=[^*]", bench.words, re.I))
    others = [p.name for p in last.iterdir() if p.name != "manifest.collect"
              and "deltatoken" in p.read_text().lower()]
    check("nor written elsewhere", not others, others)
    check("nothing was written to the tenant", not bench.world.stats.get("writes"))


with tempfile.TemporaryDirectory() as name:
    main(Path(name))
print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed or not passed else 0)
