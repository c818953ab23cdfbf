#!/usr/bin/env python3
"""Signs in each way against the replay server, and compares the requests for tokens with
those of real clients (client_requests.jsonl, where it is) by address, form and claims."""

import base64
import hashlib
import json
import os
import subprocess
import sys
import time
import urllib.parse
from pathlib import Path

azimuth, replay, recorded_file, scratch = sys.argv[1:5]
scratch = Path(scratch)
TENANT, CLIENT = "22222222-2222-2222-2222-222222222222", "44444444-4444-4444-4444-444444444444"
failures = []


def check(name, good, seen=""):
    if not good:
        failures.append(name)
        print(f"FAILED: {name} {seen}")


def serve(*options):
    port = scratch / "port"
    port.unlink(missing_ok=True)
    (scratch / "requests").unlink(missing_ok=True)
    server = subprocess.Popen([sys.executable, replay, "--tenant", "examples/contoso",
                               "--port-file", str(port), "--log", str(scratch / "requests"),
                               *options])
    for _ in range(100):
        if port.exists():
            break
        time.sleep(0.1)
    return server, f"http://127.0.0.1:{port.read_text()}"


# Collects two small tables, one of each service. Returns (status, words, token requests, all).
def collect(url, env, *options, tables="users,resourcecontainers"):
    log = scratch / "requests"
    before = len(log.read_text().splitlines()) if log.exists() else 0
    folder = scratch / f"raw{time.monotonic_ns()}"
    clean = {k: v for k, v in os.environ.items()
             if not k.startswith(("AZURE_", "IDENTITY_", "MSI_", "AZIMUTH_ARM", "AZIMUTH_GRAPH"))}
    done = subprocess.run(
        [azimuth, "collect", "--http-loopback", "--login-endpoint", url, "--arm-endpoint", url,
         "--graph-endpoint", url, "--only", tables, *options, str(folder)],
        env={**clean, **{k: v.replace("URL", url) for k, v in env.items()}}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    calls = [json.loads(x) for x in log.read_text().splitlines()[before:]]
    tokens = [c for c in calls if "oauth2" in c["url"] or "/msi/" in c["url"]]
    leaks = [x for x in ("planted-", "cGxhbnRlZC", "given-by-hand") if x in done.stdout]
    check(f"no secret in the words of {options or env.keys()}", not leaks, leaks)
    return done.returncode, done.stdout, tokens, calls


def form_of(call):
    return {k: v[0] for k, v in urllib.parse.parse_qs(call["body"]).items()}


def part(text):
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


# What the SDKs send for their own telemetry is not part of the protocol.
def needed(form):
    return {k for k in form if not k.startswith("x-") and k not in ("client-request-id",
                                                                    "client_info")}


recorded = []
if os.path.exists(recorded_file):
    recorded = [json.loads(x) for x in open(recorded_file, encoding="utf-8")]


def same_as_recorded(name, call, wanted):
    twins = [r for r in recorded if wanted(r)]
    check(f"{name}: a recorded twin", not recorded or twins)
    for twin in twins[:1]:
        ours, theirs = urllib.parse.urlsplit(call["url"]), urllib.parse.urlsplit(twin["url"])
        check(f"{name}: address", ours.path == theirs.path, (ours.path, theirs.path))
        if twin["method"] == "GET":
            check(f"{name}: query", urllib.parse.parse_qs(ours.query)
                  == urllib.parse.parse_qs(theirs.query), (ours.query, theirs.query))
            return
        form = {k: v[0] for k, v in urllib.parse.parse_qs(twin["body"]).items()}
        missing = {"client_assertion_type"} if "<JWT>" in twin["body"] else set()
        check(f"{name}: form", needed(form_of(call)) == needed(form) | missing,
              (needed(form_of(call)), needed(form)))
        for key in ("client_id", "scope", "grant_type", "client_assertion_type"):
            if key in form:
                check(f"{name}: {key}", form[key] == form_of(call)[key], form[key])


service = {"AZURE_TENANT_ID": TENANT, "AZURE_CLIENT_ID": CLIENT}
server, url = serve()
try:
    # A client secret.
    status, words, tokens, _ = collect(url, {**service, "AZURE_CLIENT_SECRET": "planted-s3cret"})
    check("secret signs in", status == 0 and "signed in by secret" in words, words)
    check("secret: a token for each service", [form_of(t)["scope"] for t in tokens] == [
        "https://management.azure.com/.default", "https://graph.microsoft.com/.default"])
    same_as_recorded("secret", tokens[0], lambda r: "client_secret=s3cret" in r["body"]
                     and r["client"] != "azcli" and "/token" in r["url"])

    # A certificate.
    pem = scratch / "client.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj",
                    "/CN=azimuth-test", "-keyout", str(scratch / "key.pem"), "-out",
                    str(scratch / "cert.pem"), "-days", "2"], check=True, capture_output=True)
    pem.write_text((scratch / "key.pem").read_text() + (scratch / "cert.pem").read_text())
    box = scratch / "client.pfx"
    subprocess.run(["openssl", "pkcs12", "-export", "-inkey", str(scratch / "key.pem"), "-in",
                    str(scratch / "cert.pem"), "-out", str(box), "-passout", "pass:planted-pass"],
                   check=True, capture_output=True)
    der = base64.b64decode("".join((scratch / "cert.pem").read_text().split("-----")[2].split()))
    for path, password in ((pem, ""), (box, "planted-pass")):
        status, words, tokens, _ = collect(url, {
            **service, "AZURE_CLIENT_CERTIFICATE_PATH": str(path),
            "AZURE_CLIENT_CERTIFICATE_PASSWORD": password,
            "AZURE_CLIENT_SEND_CERTIFICATE_CHAIN": "true"})
        check("certificate signs in", status == 0 and "signed in by certificate" in words, words)
        header, claims, signature = form_of(tokens[0])["client_assertion"].split(".")
        twin = next((r for r in recorded if "assertion_header" in r), None)
        check("assertion: header", part(header)["alg"] == "PS256" and part(header)["typ"] == "JWT")
        check("assertion: thumbprint", part(header)["x5t#S256"] == base64.urlsafe_b64encode(
            hashlib.sha256(der).digest()).decode().rstrip("="))
        check("assertion: chain", part(header)["x5c"] == [base64.b64encode(der).decode()])
        body = part(claims)
        check("assertion: audience", body["aud"] == f"{url}/{TENANT}/oauth2/v2.0/token", body)
        check("assertion: who", body["iss"] == body["sub"] == CLIENT)
        check("assertion: life", body["exp"] - body["nbf"] == 600 and body["nbf"] == body["iat"])
        if twin:
            check("assertion: as recorded", set(part(header)) == set(twin["assertion_header"])
                  and set(body) == set(twin["assertion_payload"]))
        (scratch / "signed").write_text(header + "." + claims)
        (scratch / "signature").write_bytes(
            base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4)))
        subprocess.run(["openssl", "x509", "-in", str(scratch / "cert.pem"), "-pubkey", "-noout",
                        "-out", str(scratch / "public.pem")], check=True)
        verified = subprocess.run(
            ["openssl", "dgst", "-sha256", "-verify", str(scratch / "public.pem"), "-sigopt",
             "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32", "-signature",
             str(scratch / "signature"), str(scratch / "signed")], capture_output=True)
        check("assertion: the signature verifies", verified.returncode == 0, verified.stdout)
        same_as_recorded("certificate", tokens[0], lambda r: "assertion_header" in r)
    status, words, _, _ = collect(url, {**service, "AZURE_CLIENT_CERTIFICATE_PATH": str(
        scratch / "cert.pem")})
    check("a certificate without its key is an error", status == 2 and "no private key" in words)

    # Workload identity.
    (scratch / "federated").write_text("header.payload.sig\n")
    status, words, tokens, _ = collect(url, {**service, "AZURE_AUTHORITY_HOST": "URL/",
                                             "AZURE_FEDERATED_TOKEN_FILE":
                                                 str(scratch / "federated")})
    check("workload signs in", status == 0 and "signed in by workload" in words, words)
    check("workload: the file is the assertion",
          form_of(tokens[0])["client_assertion"] == "header.payload.sig")
    same_as_recorded("workload", tokens[0], lambda r: "header.payload.sig" in r["body"])

    # Managed identity.
    status, words, tokens, calls = collect(url, {
        "IDENTITY_ENDPOINT": "URL/msi/token", "IDENTITY_HEADER": "planted-header"})
    check("App Service signs in", status == 0 and "signed in by managed" in words, words)
    same_as_recorded("App Service", tokens[0], lambda r: r["url"].startswith("/msi/"))
    status, words, _, calls = collect(url, {"AZURE_POD_IDENTITY_AUTHORITY_HOST": "URL",
                                            "AZURE_CLIENT_ID": CLIENT})
    check("a machine's identity signs in", status == 0 and "signed in by managed" in words, words)
    asked = [c for c in calls if c["url"].startswith("/metadata/")]
    check("its header", asked and asked[0]["headers"].get("metadata") == "true")
    same_as_recorded("IMDS", asked[0], lambda r: r["url"].startswith("/metadata/"))

    # The Azure CLI: a stand-in that answers as version 2.45 does.
    programs = scratch / "bin"
    programs.mkdir()
    az = programs / "az"
    az.write_text('#!/bin/sh\necho "$*" >>"$(dirname "$0")/asked"\n'
                  'echo "{\\"accessToken\\": \\"given-by-hand-token\\", '
                  '\\"expiresOn\\": \\"2099-01-01 00:00:00.000000\\"}"\n')
    az.chmod(0o755)
    path = f"{programs}:{os.environ['PATH']}"
    status, words, tokens, _ = collect(url, {"PATH": path}, "--auth", "cli")
    check("the CLI signs in", status == 0 and not tokens and "signed in by cli" in words, words)
    check("the CLI is asked for the resource", "account get-access-token --resource "
          "https://management.azure.com -o json" in (programs / "asked").read_text())
    az.write_text('#!/bin/sh\necho "ERROR: Please run az login to setup account." >&2\nexit 1\n')
    status, words, _, _ = collect(url, {"PATH": path}, "--auth", "cli")
    check("what the CLI says is shown", status == 2 and "Please run az login" in words, words)

    # A device code; the second service is signed in by the refresh token.
    status, words, tokens, _ = collect(url, {"AZURE_TENANT_ID": TENANT}, "--auth", "device-code")
    check("a device code signs in", status == 0 and "enter ABCD" in words, words)
    check("a device code: pending, token, refresh", [form_of(t).get("grant_type", "").split(":")[-1]
          for t in tokens] == ["", "device_code", "device_code", "refresh_token"])

    # A token from the environment; its end cannot be helped.
    given = {"AZIMUTH_ARM_TOKEN": "given-by-hand-token", "AZIMUTH_GRAPH_TOKEN":
             "given-by-hand-token"}
    status, words, tokens, _ = collect(url, given)
    check("a given token is used", status == 0 and not tokens and "signed in by token" in words)
    status, words, _, calls = collect(url, {"AZIMUTH_ARM_TOKEN": "planted-but-old"},
                                      tables="resourcecontainers")
    check("a given token that is old says so", "only you can renew it" in words, words)

    # The order; what is set and refused is not passed over.
    status, words, _, _ = collect(url, {**service, **given, "AZURE_CLIENT_SECRET":
                                        "planted-s3cret"})
    check("a given token comes first", "signed in by token" in words)
    status, words, _, _ = collect(url, {**service, "AZURE_CLIENT_SECRET": "planted-s3cret",
                                        "AZURE_FEDERATED_TOKEN_FILE": str(scratch / "federated")})
    check("a secret comes before a workload", "signed in by secret" in words)
    status, words, tokens, _ = collect(url, {
        **service, "AZURE_CLIENT_SECRET": "planted-wrong-one", "IDENTITY_ENDPOINT":
        "URL/msi/token", "IDENTITY_HEADER": "planted-header"})
    check("a refused secret ends the search", status == 2 and "AADSTS7000215" in words
          and not any("/msi/" in t["url"] for t in tokens), words)
    # A sovereign cloud asks for its own audiences.
    status, words, tokens, _ = collect(url, {**service, "AZURE_CLIENT_SECRET": "planted-s3cret"},
                                       "--cloud", "china")
    check("China's audiences", status == 0 and [form_of(t)["scope"] for t in tokens] == [
        "https://management.chinacloudapi.cn/.default",
        "https://microsoftgraph.chinacloudapi.cn/.default"], words)
finally:
    server.terminate()
sys.exit(1 if failures else 0)
