#!/bin/bash
# Hostile logs: each is told, none stops the others, memory stays bounded.
source "$(dirname "$0")/lib.sh"
store=$scratch/store
logs=$scratch/logs
mkdir -p "$logs"
good='{"TimeGenerated":"2026-03-04T10:00:00Z","Type":"Usage","DataType":"fine"}'
echo "$good" >"$logs/a-good.json"
python3 - "$logs" <<'PY'
import gzip, json, sys
logs = sys.argv[1]
def put(name, data):
    open(f"{logs}/{name}", "wb").write(data if isinstance(data, bytes) else data.encode())
row = lambda **more: json.dumps({"TimeGenerated": "2026-03-04T10:00:00Z", "Type": "Usage", **more})
wire = lambda **more: json.dumps({"time": "2026-03-04T10:00:00Z", "resourceId": "/SUBSCRIPTIONS/S/RESOURCEGROUPS/G/PROVIDERS/MICROSOFT.SEARCH/SEARCHSERVICES/X", "category": "OperationLogs", "operationName": "o", **more})
put("b-broken.json", row(DataType="b1") + "\n{\"TimeGenerated\": \n" + row(DataType="b2") + "\nnot json\n" + row(DataType="b3") + "\n")
put("c-types.json", "\n".join([row(DataType={"a": 1}, Quantity="many"), row(DataType=7), json.dumps({"TimeGenerated": 12, "Type": "Usage"}), json.dumps({"TimeGenerated": "2026-03-04T10:00:00Z", "Type": ["Usage"]})]) + "\n")
put("d-huge.json", row(DataType="x" * (8 << 20)) + "\n" + wire(properties={"text": "y" * (8 << 20)}) + "\n")
put("e-control.json", row(DataType="a\u0001\u001b[2Jb") + "\n" + "\x00\x01\x02\n" + row(DataType="e2") + "\n")
put("f-skew.json", "\n".join(json.dumps({"TimeGenerated": t, "Type": "Usage"}) for t in ("1601-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2090-01-01T00:00:00Z", "yesterday")) + "\n")
packed = gzip.compress(("\n".join(row(DataType=f"g{i}", Note="%x" % (i * 2654435761 % 2**32)) for i in range(3000)) + "\n").encode())
put("g-cut.json.gz", packed[: len(packed) // 2])
put("h-many-tables.json", "\n".join(json.dumps({"TimeGenerated": "2026-03-04T10:00:00Z", "Type": f"Made{i}_CL"}) for i in range(3000)) + "\n")
put("i-many-columns.json", "\n".join(wire(properties={f"p{i}_{k}": k for k in range(40)}) for i in range(200)) + "\n")
put("j-deep.json", '{"time":' * 3000 + "1" + "}" * 3000 + "\n" + row(DataType="j2") + "\n")
put("k-names.json", json.dumps({"TimeGenerated": "2026-03-04T10:00:00Z", "Type": "../../etc/passwd", "": 1, "a b": 2, "x" * 2000: 3}) + "\n" + json.dumps([1, "text", None, {"TimeGenerated": "2026-03-04T10:00:00Z", "Type": "Usage", "DataType": "k2"}]) + "\n")
put("l-records.json", '{"records":[' + wire() + ',{"records":[' + wire() + "]}," + wire()[:-1])
put("m-picture.png", b"\x89PNG\r\n\x1a\n\x00\x00")
put("n-empty.json", "")
put("o-text.json", '"just a text"\n')
PY
ln -s "$logs" "$logs/loop"
mkfifo "$logs/p-pipe.json"
printf 'TimeGenerated,Type,DataType\n2026-03-04T10:00:00Z,Usage,q1\n2026-03-04T10:00:00Z,Usage\n1,2,3,4,5\n' >"$logs/q.csv"
echo "$good" | sed 's/fine/last/' >"$logs/z-good.json"

# A sanitizer's shadow memory does not fit under a limit.
limit=2000000
{ (ulimit -v $limit; exec "$azimuth" --version) || limit=unlimited; } >/dev/null 2>&1
report=$( (ulimit -v $limit; /usr/bin/env timeout 300 "$azimuth" import --store "$store" --logs "$logs") 2>&1)
status=$?
check 'the import ends well' [ "$status" -eq 0 ]
names=$("$azimuth" query --store "$store" --format csv 'Usage | where strlen(DataType) < 5 | distinct DataType | order by DataType asc' | sed 1d | tr -d '\r' | grep -v '^g' | paste -sd' ')
check "all that can be read is in: $names" [ "$names" = ' 7 b1 b2 b3 e2 fine j2 k2 last q1' ]
check 'broken records are told' says "$report" 'b-broken.json: 2 records could not be read'
check 'the cut archive is told' says "$report" 'g-cut.json.gz: .*the gzip data ends early'
check 'what came before the cut is in' [ "$(value "$store" 'Usage | where DataType startswith "g" and strlen(DataType) > 1 | count')" -gt 100 ]
check 'skewed clocks are told' says "$report" 'Usage: 2 rows are of a time more than a day ahead'
check 'rows without a time are told' says "$report" 'Usage: .* rows have no time that can be read'
check 'times are kept as they are' [ "$(value "$store" 'Usage | summarize min(TimeGenerated)')" = 1601-01-01T00:00:00.0000000Z ]
check 'wrong types are kept beside' [ "$(value "$store" 'Usage | where _Unmapped.Quantity == "many" | count')" = 1 ]
check 'a huge value is whole' [ "$(value "$store" 'Usage | summarize max(strlen(DataType))')" = 8388608 ]
check 'a picture is no log' says "$report" 'm-picture.png: it is neither JSON'
check 'a pipe is no log' says "$report" 'p-pipe.json: no regular file'
check 'no more columns than Azure has' [ "$(value "$store" 'AzureDiagnostics | getschema | count')" -le 502 ]
check 'the others are in AdditionalFields' \
  [ "$(value "$store" 'AzureDiagnostics | where isnotempty(AdditionalFields) | count')" -gt 100 ]
check 'and no value is lost' [ "$(value "$store" 'AzureDiagnostics | extend all = pack_all(true) | mv-expand k = bag_keys(all) to typeof(string) | where k matches regex "^p[0-9]+_[0-9]+_d$" | count')" -gt 0 ]
check 'no control character reaches the terminal' \
  bash -c '! "$0" query --store "$1" "Usage | where DataType has \"2Jb\" | project DataType" | grep -q "$(printf "\033\\[2J")"' "$azimuth" "$store"
check 'no table has a path for a name' [ "$(value "$store" 'union withsource=T * | where T contains "/" or T contains "." | count')" = 0 ]
check 'the store is sound' bash -c '"$0" store check --store "$1" >/dev/null' "$azimuth" "$store"

finish
