#!/usr/bin/env python3
"""Azure as far as a collector sees it, on this machine only: for tests.

Answers from a tenant folder (one JSON-lines file a table, as examples/contoso) and from
recorded request/answer pairs, in the shapes of the real services: Resource Graph, Azure
Resource Manager, Microsoft Graph with $batch, the token endpoint, managed identity. It
keeps the services' quotas and injects what goes wrong in the world.

  --tenant DIR          the tenant to serve
  --recorded FILE       pairs {"method","url","status","body"}; they come before the tenant
  --fault PATTERN=KIND  for calls whose address matches; KIND is a status, or cut, truncate,
                        garbage, html, loop, endless, elsewhere, redirect, echo, mirror, huge,
                        deep, gone, licence, version; KIND*N only the first N times
  --quota NAME=BURST:RATE   arm (by subscription), graph (resource units); arg=CALLS:SECONDS is a window
  --events FILE         rows of Log Analytics and of lists of events: {"table", "time", ...} a line
  --most-rows N         rows in one answer of Log Analytics
  --page N              rows a page
  --action PATTERN      what whoever signs in may do in each subscription (*/read)
  --graph-role NAME     a permission of Microsoft Graph that tokens say they hold
  --token-life S        seconds a token is good
  --slow MS             each answer takes so long
  --log FILE            every request as a line
  --port-file FILE      where the port is written once it listens

Tests that run it in their own process change the tenant by world.changes (changes.py).
GET /__stats tells what happened.
"""

import argparse
import base64
import gzip
import json
import math
import re
import socket
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parent))
from changes import DELTA, Changes  # noqa: E402

# Types that Resource Graph does not hold: only their parent's lists do.
ONLY_ARM = re.compile(
    r"microsoft\.(cognitiveservices/accounts/|machinelearningservices/workspaces/(?!onlineendpoints)"
    r"|storage/storageaccounts/|keyvault/vaults/|search/searchservices/|apimanagement/service/"
    r"|web/sites/config|managedidentity/userassignedidentities/|consumption/|securityinsights/"
    r"|operationalinsights/workspaces/|security/securitycontacts)"
)
# Collections of Microsoft Graph whose table has another name.
GRAPH = {
    "identity/conditionalaccess/policies": "conditionalaccesspolicies",
    "identity/conditionalaccess/namedlocations": "namedlocations",
    "rolemanagement/directory/roleassignments": "directoryroleassignments",
    "rolemanagement/directory/roledefinitions": "directoryroledefinitions",
    "rolemanagement/directory/roleeligibilityschedules": "directoryroleeligibilityschedules",
    "identitygovernance/accessreviews/definitions": "accessreviews",
}
# Collections of an object: the table and its column that names the object.
GRAPH_OF = {
    ("groups", "members"): ("groupmembers", "groupId", True),
    ("groups", "owners"): ("groupowners", "groupId", True),
    ("applications", "owners"): ("applicationowners", "applicationId", True),
    ("serviceprincipals", "owners"): ("serviceprincipalowners", "servicePrincipalId", True),
    ("applications", "federatedidentitycredentials"): (
        "federatedidentitycredentials", "applicationId", True),
    ("serviceprincipals", "approleassignments"): ("approleassignments", "principalId", False),
}


class Bucket:
    def __init__(self, burst, rate):
        self.burst, self.rate, self.tokens, self.at = burst, rate, burst, time.monotonic()

    def take(self, cost=1):
        now = time.monotonic()
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.rate)
        self.at = now
        if self.tokens < cost:
            return False
        self.tokens -= cost
        return True


class Window:
    """So many calls in each stretch of so many seconds, as Resource Graph counts."""

    def __init__(self, calls, seconds):
        self.calls, self.seconds, self.tokens, self.ends = calls, seconds, calls, 0

    def take(self):
        now = time.monotonic()
        if now >= self.ends:
            self.tokens, self.ends = self.calls, now + self.seconds
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True

    def resets_after(self):
        return max(0, math.ceil(self.ends - time.monotonic()))


def resource_units(path, query):
    """What a call of Microsoft Graph costs, by its documentation."""
    words = path.strip("/").lower().split("/")
    cost = 1
    if words[0] in ("users", "applications", "oauth2permissiongrants"):
        cost = 2 if len(words) == 1 else 1
    elif len(words) == 3 and words[2] == "members":
        cost = 3
    elif len(words) == 3 and words[2] == "approleassignments":
        cost = 2
    return max(1, cost - ("$select" in query) + ("$expand" in query))


class Fault:
    def __init__(self, text):
        pattern, _, kind = text.rpartition("=")
        self.wire = pattern.startswith("wire:")  # before anybody looks at the request
        kind, _, times = kind.partition("*")
        self.pattern, self.kind = re.compile(pattern, re.I), kind
        self.left = int(times) if times else -1

    def hits(self, address):
        if self.left == 0 or self.wire != address.startswith("wire:"):
            return False
        if not self.pattern.search(address):
            return False
        self.left -= self.left > 0
        return True


class World:
    def __init__(self, args):
        self.args = args
        self.lock = threading.Lock()
        self.tables, self.children, self.recorded = {}, {}, {}
        self.rows_of, self.by_id = {}, {}
        self.tokens, self.buckets = {}, {}
        self.stats = {"calls": 0, "refused": 0, "tokens": 0, "unauthorized": 0, "most_at_once": 0}
        self.now_open = 0
        self.device_polls = 0
        self.on_call = None  # of a test that runs the server in its own process
        self.faults = [Fault(text) for text in args.fault]
        self.quotas = {"arg": (15, 5), "arm": (250, 25)}
        for text in args.quota:
            name, _, numbers = text.partition("=")
            burst, _, rate = numbers.partition(":")
            self.quotas[name] = (float(burst), float(rate))
        if args.tenant:
            self.load_tenant(Path(args.tenant))
        self.events = {}
        self.changes = Changes(self, ONLY_ARM)
        if args.events:
            for line in open(args.events, encoding="utf-8"):
                row = json.loads(line)
                self.events.setdefault(row.pop("table").lower(), []).append(row)
        for name in args.recorded:
            self.load_recorded(name)
        if "graph" not in self.quotas:
            users = len(self.tables.get("users", []))
            units = 3500 if users < 50 else 5000 if users <= 500 else 8000
            self.quotas["graph"] = (units, units / 10)
        self.log = open(args.log, "a", encoding="utf-8") if args.log else None

    def load_tenant(self, folder):
        for path in sorted(folder.iterdir()):
            name = path.name.split(".")[0].lower()
            if not re.search(r"\.jsonl(\.gz)?$", path.name) or name == "answer_key":
                continue
            opened = gzip.open if path.suffix == ".gz" else open
            with opened(path, "rt", encoding="utf-8") as lines:
                self.tables.setdefault(name, []).extend(json.loads(x) for x in lines if x.strip())
        for name in ("roleeligibilityscheduleinstances", "roleassignmentscheduleinstances"):
            self.tables[name + ":arm"] = [self.schedule(name, r) for r in self.tables.get(name, [])]
        self.index()

    # What is found by its place; again when the tenant has changed.
    def index(self):
        self.by_id, self.children, self.rows_of = {}, {}, {}
        for name, rows in self.tables.items():
            flat = name in ("roleeligibilityscheduleinstances", "roleassignmentscheduleinstances")
            for row in rows if not flat else []:
                ident = str(row.get("id", ""))
                if ident.startswith("/"):
                    self.by_id[ident.lower()] = row
                    self.children.setdefault(ident.rsplit("/", 1)[0].lower(), []).append(row)

        for table, column, hidden in GRAPH_OF.values():
            for row in self.tables.get(table, []):
                self.rows_of.setdefault((table, row.get(column)), []).append(
                    {k: v for k, v in row.items() if not (hidden and k == column)})

    # A row of the flat table as Resource Manager gives it.
    @staticmethod
    def schedule(name, row):
        kind = {"roleeligibilityscheduleinstances": "roleEligibilityScheduleInstances",
                "roleassignmentscheduleinstances": "roleAssignmentScheduleInstances"}[name]
        subscription = "/".join(row["scope"].split("/")[:3])
        properties = {k: v for k, v in row.items() if k != "id"}
        return {"id": f"{subscription}/providers/Microsoft.Authorization/{kind}/{row['id']}",
                "name": row["id"], "type": f"Microsoft.Authorization/{kind}",
                "properties": properties}

    def load_recorded(self, name):
        opened = gzip.open if name.endswith(".gz") else open
        with opened(name, "rt", encoding="utf-8") as lines:
            for line in lines:
                pair = json.loads(line)
                path = urllib.parse.urlsplit(pair["url"]).path.rstrip("/").lower()
                self.recorded.setdefault((pair.get("method", "GET"), path), pair)

    def refuse(self, name):
        for key in ("refused", "refused " + name):
            self.stats[key] = self.stats.get(key, 0) + 1

    def bucket(self, name, scope=""):
        key = (name, scope)
        if key not in self.buckets:
            self.buckets[key] = (Window if name == "arg" else Bucket)(*self.quotas[name])
        return self.buckets[key]


def fault_of(world, address):
    with world.lock:
        for fault in world.faults:
            if fault.hits(address):
                return fault.kind
    return None


def error(status, code, message):
    return status, {"error": {"code": code, "message": message}}, {}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body of an answer in one packet: apart, the second waits for the other side's word.
    wbufsize = 1 << 16
    disable_nagle_algorithm = True
    world = None

    def log_message(self, *_):
        pass

    # ---- answers ----

    def send(self, status, body, headers=None, kind="application/json; charset=utf-8"):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        if len(data) > 1000 and "gzip" in self.headers.get("Accept-Encoding", ""):
            data = gzip.compress(data, 1)
            self.send_header("Content-Encoding", "gzip")
        if status != 204:
            self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def base(self):
        return f"{self.headers.get('X-Forwarded-Proto', 'http')}://{self.headers['Host']}"

    def page(self, rows, at, next_of, value="value", link="nextLink"):
        size = self.world.args.page
        answer = {value: rows[at:at + size]}
        if at + size < len(rows):
            answer[link] = next_of(at + size)
        return answer

    def skip(self, query):
        return int(query.get("$skiptoken", ["0"])[0])

    def again(self, path, query, at):
        kept = {k: v[0] for k, v in query.items() if k != "$skiptoken"}
        kept["$skiptoken"] = at
        return f"{self.base()}{urllib.parse.quote(path)}?{urllib.parse.urlencode(kept)}"

    # ---- services: (status, body, headers) ----

    def resource_graph(self, body):
        world, args = self.world, self.world.args
        query, options = body["query"], body.get("options", {})
        table = re.match(r"\w+", query).group(0).lower()
        bucket = world.bucket("arg")
        with world.lock:
            if not bucket.take():
                world.refuse("arg")
                resets = bucket.resets_after()
                return 429, {"error": {"code": "RateLimiting", "message": "slow down"}}, {
                    "Retry-After": str(resets), "x-ms-user-quota-remaining": "0",
                    "x-ms-user-quota-resets-after": f"00:00:{resets:02}"}
            headers = {"x-ms-user-quota-remaining": str(int(bucket.tokens)),
                       "x-ms-user-quota-resets-after": f"00:00:{bucket.resets_after():02}"}
        if table == "insightsresources" and table not in world.tables:
            return error(400, "DisallowedLogicalTableName", "Table is not allowed")
        wanted = world.changes.wanted(query)
        rows = world.changes.of_query(query)
        if rows is None:
            rows = [r for r in world.tables.get(table, [])
                    if not ONLY_ARM.match(str(r.get("type", "")).lower()) and wanted(r)]
        if "summarize n = count() by type" in query:
            counts = {}
            for row in rows:
                counts[row["type"]] = counts.get(row["type"], 0) + 1
            rows = [{"type": k, "n": v} for k, v in counts.items()]
        at = int(options.get("$skipToken", "0"))
        size = min(options.get("$top", 100), args.page)
        part = rows[at:at + size]
        answer = {"totalRecords": len(rows), "count": len(part), "resultTruncated": "false",
                  "data": part, "facets": []}
        if at + size < len(rows):
            answer["$skipToken"] = str(at + size)
        return 200, answer, headers

    def arm(self, path, query):
        world = self.world
        match = re.match(r"/subscriptions/([^/]+)", path, re.I)
        bucket = world.bucket("arm", match.group(1).lower() if match else "")
        with world.lock:
            if not bucket.take():
                world.refuse("arm")
                return 429, {"error": {"code": "TooManyRequests", "message": "slow down"}}, {
                    "Retry-After": "1"}
            headers = {"x-ms-ratelimit-remaining-subscription-reads": str(int(bucket.tokens))}
        if path.rstrip("/").lower() in world.by_id:
            return 200, world.by_id[path.rstrip("/").lower()], headers
        rows = world.children.get(path.rstrip("/").lower(), [])
        if path.lower().endswith("/providers/microsoft.authorization/permissions"):
            rows = [{"actions": world.args.action or ["*/read"], "notActions": []}]
        answer = self.page(rows, self.skip(query), lambda at: self.again(path, query, at))
        return 200, answer, headers

    def graph(self, path, query):
        world = self.world
        with world.lock:
            if not world.bucket("graph").take(resource_units(path, query)):
                world.refuse("graph")
                return 429, {"error": {"code": "TooManyRequests", "message": "slow down"}}, {
                    "Retry-After": "1"}
        words = path.strip("/").split("/")
        if len(words) == 2 and words[0].lower() in DELTA and words[1] == "delta":
            return self.delta(path, words[0].lower(), query)
        if words[-1] == "$count":
            return 200, str(len(world.tables.get(words[0].lower(), []))).encode(), {}
        name = "/".join(words).lower()
        rows = world.tables.get(GRAPH.get(name, name if len(words) == 1 else ""), [])
        if len(words) == 3 and (words[0].lower(), words[2].lower()) in GRAPH_OF:
            table = GRAPH_OF[words[0].lower(), words[2].lower()][0]
            rows = world.rows_of.get((table, words[1]), [])
        answer = self.page(rows, self.skip(query),
                           lambda at: self.again("/v1.0/" + path.strip("/"), query, at),
                           link="@odata.nextLink")
        return 200, answer, {}

    def delta(self, path, table, query):
        changes = self.world.changes
        status, rows, link = changes.delta(table, query, self.world.args.page)
        here = f"{self.base()}/v1.0/{table}/delta"
        if status == 410:
            return 410, {"error": {"code": "syncStateNotFound", "message": "Please retry with a clean "
                                   f"delta query, not {path}?$deltatoken={query['$deltatoken'][0]}"}
                         }, {"Location": f"{here}?$deltatoken="}
        name, state = link
        last = "@odata.deltaLink" if name == "$deltatoken" else "@odata.nextLink"
        token = changes.token(**state)
        return 200, {"value": rows, last: f"{here}?{urllib.parse.quote(name)}={token}"}, {}

    # Rows of a table of Log Analytics between two times, as its query interface gives them.
    def log_analytics(self, body):
        world = self.world
        match = re.fullmatch(r"(\w+) \| where TimeGenerated >= datetime\((.*?)\) and TimeGenerated < "
                             r"datetime\((.*?)\)", body["query"])
        if not match:
            return error(400, "BadArgumentError", "The request had some invalid properties")
        table, begin, end = match.groups()
        if table.lower() not in world.events:
            return 400, {"error": {"code": "BadArgumentError", "message": "invalid properties",
                                   "details": [{"code": "SEM0100", "message": f"no table {table}"}]
                                   }}, {}
        rows = [r for r in world.events[table.lower()] if begin <= r["time"] < end]
        names = ["TimeGenerated"] + sorted({k for r in rows for k in r} - {"time"})
        kinds = {n: "dynamic" if any(isinstance(r.get(n), (dict, list)) for r in rows) else
                 "long" if any(isinstance(r.get(n), int) for r in rows) else "string" for n in names}
        kinds["TimeGenerated"] = "datetime"
        part = [[r["time"]] + [json.dumps(r[n]) if isinstance(r.get(n), (dict, list)) else r.get(n)
                               for n in names[1:]] for r in rows[:world.args.most_rows]]
        answer = {"tables": [{"name": "PrimaryResult", "rows": part,
                              "columns": [{"name": n, "type": kinds[n]} for n in names]}]}
        if len(rows) > len(part):
            answer["error"] = {"code": "PartialError", "message": "There were some errors when "
                               "processing your query.", "details": [{
                                   "code": "EngineError", "message": "Result size exceeded"}]}
        return 200, answer, {}

    # A list of events between the two times of its filter.
    def event_list(self, path, query, name):
        times = re.findall(r"\d{4}-\d\d-\d\dT[\d:.]+Z", query.get("$filter", [""])[0])
        if len(times) != 2:
            return error(400, "BadRequest", "a filter of times is needed")
        last = "le" in query["$filter"][0].split()
        of = "/".join(path.split("/")[:3]).lower()
        rows = [r for r in self.world.events.get(name, [])
                if r.get("subscription", of) == of and times[0] <= r["time"]
                and (r["time"] <= times[1] if last else r["time"] < times[1])]
        link = "@odata.nextLink" if path.startswith("/v1.0") else "nextLink"
        return 200, self.page(rows, self.skip(query), lambda at: self.again(path, query, at),
                              link=link), {}

    def batch(self, body):
        answers = []
        for call in reversed(body["requests"]):  # in any order
            parts = urllib.parse.urlsplit(call["url"])
            status, answer, headers = self.one("/v1.0" + parts.path,
                                               urllib.parse.parse_qs(parts.query))
            answers.append({"id": call["id"], "status": status, "headers": headers,
                            "body": answer})
        return 200, {"responses": answers}, {}

    # One list, with the faults that change an answer.
    def one(self, path, query, body=None):
        world = self.world
        address = path + ("?" + urllib.parse.urlencode({k: v[0] for k, v in query.items()})
                          if query else "")
        if body is not None and "query" in body:
            address = "arg:" + body["query"]
        kind = fault_of(world, address)
        token = self.headers.get("Authorization", "")
        if kind and kind.isdigit():
            status = int(kind)
            headers = {"Retry-After": "1"} if status in (429, 503) else {}
            code = {403: "AuthorizationFailed", 404: "ResourceNotFound", 409: "Conflict",
                    410: "resyncRequired", 429: "TooManyRequests"}.get(status, "InternalServerError")
            if status == 429:
                with world.lock:
                    world.refuse("injected")
            return status, {"error": {"code": code, "message": f"injected {status}"}}, headers
        if kind == "echo":
            return error(403, "AuthorizationFailed", f"the call with {token} is not allowed")
        if kind == "none":
            return error(409, "MissingSubscriptionRegistration", "not registered")
        if kind == "licence":
            return error(403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant", "premium")
        if kind == "version" and query.get("api-version", [""])[0] != "2099-01-01":
            return error(400, "NoRegisteredProviderFound",
                         "No registered resource provider found for API version. The supported "
                         "api-versions are '2098-01-01, 2099-01-01, 2099-02-02-preview'.")
        with world.lock:
            pair = world.recorded.get((self.command, path.rstrip("/").lower()))
        if pair:
            return pair["status"], pair.get("body"), {}
        lower = path.lower()
        if lower.startswith("/v1/") and lower.endswith("/query"):
            status, answer, headers = self.log_analytics(body)
        elif lower.endswith("/eventtypes/management/values"):
            status, answer, headers = self.event_list(path, query, "activity")
        elif lower.startswith("/v1.0/auditlogs/"):
            status, answer, headers = self.event_list(path, query, lower.rsplit("/", 1)[1])
        elif body is not None and "query" in body:
            status, answer, headers = self.resource_graph(body)
        elif path.lower().startswith("/v1.0/"):
            status, answer, headers = self.graph(path[5:], query)
        else:
            status, answer, headers = self.arm(path, query)
        if status == 200 and isinstance(answer, dict):
            here = f"{self.base()}{urllib.parse.quote(path)}"
            link = "@odata.nextLink" if path.startswith("/v1.0") else "nextLink"
            if kind == "loop":
                answer[link] = f"{here}?api-version=loop"
            elif kind == "endless":
                answer[link] = f"{here}?page={time.monotonic_ns()}"
            elif kind == "elsewhere":
                answer[link] = "https://evil.example/steal"
            elif kind == "mirror":
                for row in answer.get("value", answer.get("data", [])):
                    row["mirror"] = token
        return status, answer, headers

    # ---- sign-in ----

    def token(self, scope):
        world = self.world
        with world.lock:
            world.stats["tokens"] += 1
            number = world.stats["tokens"]
            says = f"planted-token-{number}-{scope}"
            if world.args.graph_role:
                says = json.dumps({"aud": says, "roles": world.args.graph_role})
            text = "eyJhbGciOiJub25lIn0." + base64.urlsafe_b64encode(
                says.encode()).decode().rstrip("=") + ".sig"
            world.tokens[text] = time.time() + world.args.token_life
        return text

    def sign_in(self, path, form):
        life = self.world.args.token_life
        kind = fault_of(self.world, path)
        if kind and kind.isdigit():
            return int(kind), {"error": "temporarily_unavailable"}, {"Retry-After": "0"}
        if path.endswith("/devicecode"):
            return 200, {"device_code": "planted-device-code", "user_code": "ABCD", "interval": 1,
                         "verification_uri": "https://localhost/device", "expires_in": 60,
                         "message": "open https://localhost/device and enter ABCD"}, {}
        grant = form.get("grant_type", "")
        if grant.endswith(":device_code"):
            self.world.device_polls += 1
            if self.world.device_polls < 2:
                return 400, {"error": "authorization_pending"}, {}
        good = (form.get("client_secret") == "planted-s3cret" or "client_assertion" in form
                or form.get("device_code") == "planted-device-code"
                or form.get("refresh_token") == "planted-refresh-token")
        if not good:
            return 401, {"error": "invalid_client", "error_codes": [7000215],
                         "error_description": "AADSTS7000215: Invalid client secret provided: "
                                              + form.get("client_secret", "")
                                              + ". Trace ID: 0"}, {}
        answer = {"token_type": "Bearer", "expires_in": life, "ext_expires_in": life,
                  "access_token": self.token(form.get("scope", ""))}
        if "device_code" in form or "offline_access" in form.get("scope", ""):
            answer["refresh_token"] = "planted-refresh-token"
        return 200, answer, {}

    def managed(self, path, query):
        if path.startswith("/msi/") and self.headers.get("X-IDENTITY-HEADER") != "planted-header":
            return 401, {}, {}
        if path.startswith("/metadata/") and self.headers.get("Metadata") != "true":
            return 400, {"error": "invalid_request"}, {}
        until = str(int(time.time()) + self.world.args.token_life)
        return 200, {"access_token": self.token(query["resource"][0]), "expires_on": until,
                     "resource": query["resource"][0], "token_type": "Bearer"}, {}

    # ---- the wire ----

    def read_body(self):
        length = int(self.headers.get("Content-Length") or 0)
        return self.rfile.read(length)

    def write_log(self, body):
        if self.world.log:
            with self.world.lock:
                self.world.log.write(json.dumps({
                    "method": self.command, "url": self.path, "body": body.decode(),
                    "headers": {k.lower(): v for k, v in self.headers.items()}}) + "\n")
                self.world.log.flush()

    def authorized(self):
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        with self.world.lock:
            good = self.world.tokens.get(token, 0) > time.time() or token == "given-by-hand-token"
            if not good:
                self.world.stats["unauthorized"] += 1
        return good

    def route(self):
        parts = urllib.parse.urlsplit(self.path)
        path = re.sub("//+", "/", urllib.parse.unquote(parts.path))
        query = urllib.parse.parse_qs(parts.query, keep_blank_values=True)
        body = self.read_body()
        self.write_log(body)
        if "/oauth2/v2.0/" in path:
            form = {k: v[0] for k, v in urllib.parse.parse_qs(body.decode()).items()}
            return self.sign_in(path, form)
        if path.startswith(("/metadata/identity/", "/msi/token")):
            return self.managed(path, query)
        if not self.authorized():
            return 401, {"error": {"code": "ExpiredAuthenticationToken", "message": "expired"}}, {
                "WWW-Authenticate": 'Bearer error="invalid_token"'}
        if path.endswith("/$batch"):
            return self.batch(json.loads(body))
        if path.lower().endswith(("/providers/microsoft.resourcegraph/resources", "/query")):
            return self.one(path, query, json.loads(body))
        return self.one(path, query)

    def wire_fault(self):
        kind = fault_of(self.world, "wire:" + urllib.parse.unquote(self.path))
        if kind is None:
            return False
        self.read_body()
        if kind == "cut":
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
        elif kind == "truncate":
            self.send(200, b'{"value":[{"id":"/subscriptions/x","name"')
        elif kind == "garbage":
            self.send(200, b'{"value": 12, "nextLink": {}}')
        elif kind == "deep":
            self.send(200, b'{"value":' + b"[" * 10000 + b"]" * 10000 + b"}")
        elif kind == "html":
            self.send(200, b"<html>sign in to the network</html>", kind="text/html")
        elif kind == "redirect":
            self.send(302, b"", {"Location": "https://evil.example/steal"})
        elif kind == "huge":
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
            try:
                for _ in range(2000):
                    self.wfile.write(chunk)
            except OSError:
                pass
            self.close_connection = True
        elif kind.isdigit():
            self.send(int(kind), {"error": {"code": "Injected", "message": "injected"}},
                      {"Retry-After": "0"})
        else:
            raise ValueError(f"there is no fault '{kind}' before the request is read")
        return True

    def handle_one(self):
        world = self.world
        if self.path == "/__stats":
            with world.lock:
                self.send(200, world.stats)
            return
        if world.on_call:
            world.on_call(world)
        with world.lock:
            world.stats["calls"] += 1
            world.now_open += 1
            world.stats["most_at_once"] = max(world.stats["most_at_once"], world.now_open)
        try:
            if world.args.slow:
                time.sleep(world.args.slow / 1000)
            if not self.wire_fault():
                status, body, headers = self.route()
                self.send(status, body, headers)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            with world.lock:
                world.now_open -= 1

    do_GET = do_POST = handle_one

    # What would change a tenant is never asked for.
    def do_PUT(self):
        self.world.stats["writes"] = self.world.stats.get("writes", 0) + 1
        self.send(405, {})

    do_PATCH = do_DELETE = do_PUT


def arguments(words=None):
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tenant")
    parser.add_argument("--recorded", action="append", default=[])
    parser.add_argument("--events")
    parser.add_argument("--most-rows", type=int, default=500000)
    parser.add_argument("--fault", action="append", default=[])
    parser.add_argument("--quota", action="append", default=[])
    parser.add_argument("--action", action="append", default=[])
    parser.add_argument("--graph-role", action="append", default=[])
    parser.add_argument("--page", type=int, default=1000)
    parser.add_argument("--token-life", type=int, default=3599)
    parser.add_argument("--slow", type=int, default=0)
    parser.add_argument("--log")
    parser.add_argument("--port-file")
    return parser.parse_args(words)


# The server, listening on a port that the system chose.
def listen(args):
    Handler.world = World(args)
    ThreadingHTTPServer.daemon_threads = True
    ThreadingHTTPServer.request_queue_size = 512
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # clients that are killed leave without a word
    return server


def main():
    args = arguments()
    server = listen(args)
    partial = Path(args.port_file + ".part")
    partial.write_text(str(server.server_port))
    partial.rename(args.port_file)
    server.serve_forever()


if __name__ == "__main__":
    main()
