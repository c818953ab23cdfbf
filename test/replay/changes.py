"""A tenant that changes, and how Azure tells it: Resource Graph's history of changes, the activity log
of each subscription, delta queries of Microsoft Graph. Part of replay.py.
"""

import datetime
import json
import re

# Tables of the directory that have a delta query.
DELTA = {"users", "groups", "serviceprincipals", "applications", "oauth2permissiongrants"}
ARM = {"resources", "resourcecontainers", "diagnosticsettings", "authorizationresources"}


def stamp(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f0Z")


def now():
    return datetime.datetime.now(datetime.timezone.utc)


class Changes:
    def __init__(self, world, only_arm):
        self.world, self.only_arm = world, only_arm
        # Something happened before: the history reaches back thirteen days.
        self.history = [{"at": stamp(now() - datetime.timedelta(days=13)), "target": "/old"}]
        self.directory = []  # (table, id, what, more), in the order in which it happened
        self.oldest = 0  # delta links from before are no longer known

    # ---- what happens ----

    def find(self, table, ident):
        return next((r for r in self.world.tables[table]
                     if r["id"].lower() == ident.lower()), None)

    # `told` False: by a service's own interface, which no log of Azure tells.
    def put(self, table, row, told=True):
        before = self.find(table, row["id"])
        if before is None:
            self.world.tables.setdefault(table, []).append(row)
        else:
            rows = self.world.tables[table]
            rows[rows.index(before)] = row
        if table in DELTA:
            # What is not set and never was is not named; what is no longer set is, as null.
            unset = [k for k in before or {} if before[k] is not None and row.get(k) is None]
            self.directory.append((table, row["id"], "put", unset))
        elif told:
            self.tell(row["id"], str(row.get("type", "")), "write")
        self.world.index()

    def remove(self, table, ident, told=True):
        row = self.find(table, ident)
        self.world.tables[table].remove(row)
        if table in DELTA:
            self.directory.append((table, ident, "removed", None))
            if table in ("users", "groups", "serviceprincipals"):
                for relation in ("members", "owners"):
                    table = self.world.tables.setdefault("group" + relation, [])
                    for edge in [m for m in table if m["id"] == ident]:
                        self.member(edge["groupId"], ident, False, relation=relation)
        else:
            for name in ARM:
                kept = self.world.tables.get(name, [])
                gone = [r for r in kept if r["id"].lower().startswith(ident.lower() + "/")]
                self.world.tables[name] = [r for r in kept if r not in gone]
                for child in gone if told else []:
                    self.tell(child["id"], child["type"], "delete")
            if told:
                self.tell(ident, row["type"], "delete")
        self.world.index()

    def member(self, group, ident, is_in, kind="user", relation="members"):
        edges = self.world.tables.setdefault("group" + relation, [])
        if is_in:
            edges.append({"groupId": group, "@odata.type": f"#microsoft.graph.{kind}", "id": ident})
        else:
            self.world.tables["group" + relation] = [
                e for e in edges if (e["groupId"], e["id"]) != (group, ident)]
        self.directory.append(("groups", group, "edge", (ident, is_in, kind, relation)))
        self.world.index()

    def tell(self, ident, kind, what):
        at = stamp(now())
        if not self.only_arm.match(kind.lower()) and "/providers/microsoft.insights/" not in ident.lower():
            self.history.append({"at": at, "target": ident})
        subscription = "/".join(ident.split("/")[:3])
        self.world.events.setdefault("activity", []).append(
            {"time": at, "eventTimestamp": at, "subscription": subscription.lower(),
             "resourceId": ident, "operationName": {"value": f"{kind}/{what}"}})

    # ---- how it is told ----

    # Rows of a query of Resource Graph's history; None when it is another one.
    def of_query(self, query):
        if not query.lower().startswith("resourcechanges"):
            return None
        if "summarize oldest = min(" in query:
            return [{"oldest": min((h["at"] for h in self.history), default=None)}]
        since = re.search(r"where at >= datetime\((.*?)\)", query).group(1)
        return [{"id": f"{h['target']}/providers/Microsoft.Resources/changes/{i:06}", **h}
                for i, h in enumerate(self.history) if h["at"] >= since]

    @staticmethod
    def wanted(query):
        """The filter by which a refresh asks for some resources."""
        match = re.search(r"\| where (type|id|subscriptionId|strcat\(.*?\)) in~ \((.*?)\) \| project",
                          query)
        if not match:
            return lambda row: True
        field, texts = match.group(1), {t.lower() for t in re.findall(r"'((?:[^'\\]|\\.)*)'",
                                                                      match.group(2))}

        def of(row):
            if field.startswith("strcat"):
                return f"{row.get('subscriptionId')}/{row.get('resourceGroup')}"
            return str(row.get(field))
        return lambda row: of(row).lower() in texts

    @staticmethod
    def token(**state):
        return json.dumps(state).encode().hex()

    @staticmethod
    def state(token):
        return json.loads(bytes.fromhex(token))

    # An object with what is said of it in a delta.
    def told_of(self, entry, select):
        table, ident, what, more = entry
        if what == "removed":
            return {"id": ident, "@removed": {"reason": "deleted"}}
        row = self.find(table, ident)
        if row is None:
            return None  # its removal comes later
        told = {k: row[k] for k in select if row.get(k) is not None}
        if what == "edge":
            member, is_in, kind, relation = more
            if relation not in select:
                return None
            said = {"@odata.type": f"#microsoft.graph.{kind}", "id": member}
            if not is_in:
                said["@removed"] = {"reason": "deleted"}
            return {**told, f"{relation}@delta": [said]}
        return {**told, **{k: None for k in more if k in select}}

    # (status, body without its link, state of the next link) of /TABLE/delta.
    def delta(self, table, query, size):
        if query.get("$deltatoken") == ["latest"]:
            select = query["$select"][0].split(",")
            if table == "groups" and "members" not in select:
                raise ValueError("members are not asked for")
            return 200, [], ("$deltatoken", {"at": len(self.directory), "select": select})
        token = query.get("$deltatoken") or query.get("$skiptoken")
        state = self.state(token[0])
        if state["at"] < self.oldest:
            return 410, None, None
        end = state.get("end", len(self.directory))
        part = range(state["at"], min(end, state["at"] + size))
        entries = [self.directory[i] for i in part if self.directory[i][0] == table]
        rows = [r for r in (self.told_of(e, state["select"]) for e in entries) if r]
        if part.stop < end and len(part):
            return 200, rows, ("$skiptoken", {**state, "at": part.stop, "end": end})
        return 200, rows, ("$deltatoken", {"at": end, "select": state["select"]})
