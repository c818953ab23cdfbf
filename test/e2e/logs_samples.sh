#!/bin/bash
# Real samples and the wire shapes of others: all imported, none lost.
source "$(dirname "$0")/lib.sh"
samples=$shared/telemetry
[ -d "$samples" ] || skip "no samples of telemetry at $samples"
store=$scratch/store

# What the files hold, counted by other means, and the wire records out of their envelopes.
expected=$(python3 - "$samples" "$scratch/wire.json" <<'PY'
import csv, gzip, io, json, os, sys
folder, wire = sys.argv[1:]
csv.field_size_limit(1 << 30)
total, records = 0, []
for name in sorted(os.listdir(folder)):
    path = os.path.join(folder, name)
    if name.endswith(".csv.gz"):
        total += sum(1 for _ in csv.reader(io.StringIO(gzip.open(path).read().decode("utf-8-sig")))) - 1
    elif name.endswith(".json.gz"):
        data = json.load(gzip.open(path))
        if isinstance(data, list) and data and "FrameType" in data[0]:
            total += sum(len(f["Rows"]) for f in data if f.get("TableKind") == "PrimaryResult")
        elif isinstance(data, dict) and "tables" in data:
            total += sum(len(t["rows"]) for t in data["tables"])
        else:
            total += len(data["value"] if isinstance(data, dict) else data)
    elif name.endswith(".jsonl"):
        records += [json.loads(line)["record"] for line in open(path)]
json.dump({"records": records}, open(wire, "w"))
print(total, len(records))
PY
)
read -r rows records <<<"$expected"
report=$("$azimuth" import --store "$store" --logs "$samples"/*.gz)
check "all $rows rows of the samples" says "$report" "^$rows rows from"
check 'none rejected' [ -z "$(ls "$store/rejects")" ]
report=$("$azimuth" import --store "$store" --logs "$scratch/wire.json")
check "all $records wire records" says "$report" "^$records rows from"
check 'all of them recognised' bash -c '! grep -q "not recognised" <<<"$0"' "$report"
count() {
  check "$1 has $2 rows" [ "$(value "$store" "$1 | count")" = "$2" ]
}
count AzureActivity 349
count SigninLogs 61
count AuditLogs 6
count OfficeActivity 268
count AzureDiagnostics 4
count AzureNetworkAnalytics_CL 460
count AIShield_CL 10
count SecurityAlert 3
check 'times of a portal export' [ "$(value "$store" 'AIShield_CL | summarize max(TimeGenerated)')" = 2021-12-03T09:02:43.4750000Z ]
check 'objects of a portal export' [ "$(value "$store" 'SigninLogs | where isnotempty(LocationDetails.countryOrRegion) | count')" -ge 56 ]
check 'community query over Azure OpenAI' [ "$(value "$store" 'AzureDiagnostics | where ResourceProvider == "MICROSOFT.COGNITIVESERVICES" and Category == "RequestResponse" | extend m = tostring(parse_json(properties_s).modelDeploymentName) | where m == "chat-prod" | count')" = 1 ]

finish
