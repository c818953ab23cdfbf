"""Compares findings with the answer key of a generated tenant, kind by kind."""
import json
import sys

# The control that covers each planted kind.
CONTROL_OF_KIND = {
    "ai-content-filter-off": "MO-001",
    "ai-local-auth": "ID-001",
    "ai-no-diagnostics": "MN-001",
    "ai-prod-no-cmk": "DA-024",
    "ai-public-network": "NE-001",
    "aks-public-api": "NE-041",
    "aml-public-network": "NE-016",
    "app-longlived-secret": "ID-035",
    "custom-role-wildcard": "ID-039",
    "guest-privileged": "ID-037",
    "keyvault-no-purge-protection": "DA-037",
    "keyvault-public-network": "DA-038",
    "nsg-open-management-port": "NE-059",
    "search-public-apikey": "ID-003",
    "shadow-ai": "SH-007",
    "storage-anonymous-blob": "DA-001",
    "storage-old-tls": "DA-007",
    "storage-public-network": "DA-004",
    "storage-shared-key": "DA-003",
    "vm-public-ip": "NE-045",
    "webapp-http": "NE-057",
    "webapp-public-network": "NE-058"
}

planted = {}
for line in open(sys.argv[1], encoding="utf-8"):
    row = json.loads(line)
    if row["type"] == "finding":
        planted.setdefault(row["kind"], set()).add(row["resourceId"].lower())
found = {}
for line in open(sys.argv[2], encoding="utf-8"):
    row = json.loads(line)
    found.setdefault(row["ControlId"], set()).add(row["ResourceId"].lower())

passed = failed = 0
for kind, wanted in sorted(planted.items()):
    control = CONTROL_OF_KIND.get(kind)
    if not control:
        print(f"not covered: {kind}")
        continue
    got = found.get(control, set())
    if got == wanted:
        passed += 1
        continue
    failed += 1
    print(f"{kind} ({control}): {len(wanted - got)} not found, {len(got - wanted)} too many")
    for name in sorted(wanted - got)[:3]:
        print("  missing", name)
    for name in sorted(got - wanted)[:3]:
        print("  too many", name)
print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed or not passed else 0)
