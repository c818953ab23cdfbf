#!/usr/bin/env bash
# Tables of Log Analytics, the activity log and lists of the directory: every record of the times
# asked for, once.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/collect_lib.sh"
sub=11111111-1111-1111-1111-111111111111
work=33333333-3333-3333-3333-333333333333
# 3,000 rows of two days, most of them in one hour; lists with the same times.
python3 - "$scratch/events" <<'P'
import json, random, sys
chance = random.Random(3)
with open(sys.argv[1], "w", encoding="utf-8") as out:
    for n in range(3000):
        hour = chance.choice([10] * 5 + list(range(48)))
        time = f"2026-06-{1 + hour // 24:02}T{hour % 24:02}:{n % 60:02}:{n // 60 % 60:02}.1234567Z"
        for table in ("AzureDiagnostics", "activity", "signins"):
            row = {"table": table, "time": time, "n": n, "text": "ä \"x\"\n"}
            if table == "AzureDiagnostics":
                row["properties"] = {"a": [n, None], "key": "AccountKey=planted-key-in-a-log=="}
                row["empty"] = ""
            out.write(json.dumps(row) + "\n")
P
logs() {
  out=$(timeout 300 "$azimuth" collect logs --http-loopback --login-endpoint "$url" --arm-endpoint "$url" \
    --graph-endpoint "$url" --logs-endpoint "$url" "$@" 2>&1)
  local status=$?
  printf '%s\n' "$out" >>"$scratch/words"
  return $status
}
# numbers DIR: of all records below it.
numbers() { find "$1" -name '*.json' -print0 | xargs -0 cat | python3 -c 'import json,sys; print("\n".join(str(json.loads(x)["n"]) for x in sys.stdin))' | sort -n; }
all() { cmp -s <(numbers "$1") <(seq 0 2999); }

serve --events "$scratch/events" --most-rows 400 --page 250
range="--from 2026-06-01 --to 2026-06-03"
logs $range --workspaces $work --tables AzureDiagnostics "$scratch/table"
check 'a table is read' test $? -eq 0
check 'every row once, in windows that fit' all "$scratch/table/workspaces/$work/AzureDiagnostics"
check 'many windows' test "$(find "$scratch/table" -name '*.json' | wc -l)" -ge 8
one=$(find "$scratch/table" -name '*.json' -print0 | xargs -0 cat 2>/dev/null | head -1)
check 'dynamic columns are objects' says "$one" '"properties":\{"a":\[[0-9]+,null\]'
check 'empty cells are left out' test "$(grep -c '"empty"' <<<"$one")" = 0
before=$(stats calls)
logs $range --workspaces $work --tables AzureDiagnostics "$scratch/table"
check 'what is there is not read again' test "$(stats calls)" = "$before"
check 'it says so' says "$out" '^0 records'

# The first day, then both; kills between.
logs --from 2026-06-01 --to 2026-06-01T10:30:00Z --lists activity,signIns --subscriptions $sub "$scratch/lists"
check 'lists of a part of the time' test "$(numbers "$scratch/lists/lists/signIns" | wc -l)" -gt 100
for n in 1 2 3 4; do
  { timeout -s KILL 0.$((n * 2)) "$azimuth" collect logs --quiet --http-loopback --login-endpoint "$url" --arm-endpoint "$url" \
    --graph-endpoint "$url" $range --lists activity,signIns --subscriptions $sub "$scratch/lists"; } >/dev/null 2>&1
done
logs $range --lists activity,signIns --subscriptions $sub "$scratch/lists"
check 'then all of it' test $? -eq 0
check 'the activity log, once' all "$scratch/lists/lists/activity/$sub"
check 'sign-ins, once' all "$scratch/lists/lists/signIns"
"$azimuth" import --quiet --store "$scratch/store" --table Rows --once $(find "$scratch/table" -name '*.json' -size +0 | sort)
check 'the files import as they are' test "$(value "$scratch/store" 'Rows | summarize arg_max(TimeGenerated, *) by n | count')" = 3000

logs $range --workspaces $work --tables Nothing,AzureDiagnostics "$scratch/gap"
check 'a table that is not there is said' says "$out" 'not read: Nothing of .*400: BadArgumentError'
check 'and the others come' all "$scratch/gap/workspaces/$work/AzureDiagnostics"
check 'what diagnostics hold of keys is masked' test -z "$(grep -rl planted-key-in-a-log "$scratch/table" "$scratch/gap")"
logs "$scratch/none" --from 2026-06-01
check 'nothing to read is said' says "$out" 'nothing to read: --storage'
logs $range --workspaces $work --tables 'A;B' "$scratch/none"
check 'a table is a name' says "$out" "'A;B' is no name of a table"
logs $range --lists activity "$scratch/none"
check 'the activity log is one of subscriptions' says "$out" 'needs --subscriptions'
logs --from soon --lists signIns "$scratch/none"
check 'a time is one' says "$out" "'soon' after --from is no time"
logs --from 2026-06-03 --to 2026-06-01 --lists signIns "$scratch/none"
check 'in order' says "$out" 'not before the end'
logs $range --storage 'https://x.example/?sig=planted' "$scratch/none"
check 'an address without a signature' says "$out" 'a signature goes into AZURE_STORAGE_SAS_TOKEN'
logs $range --storage 'No Name' "$scratch/none"
check 'a name or an address' says "$out" 'neither the name of a storage account nor its address'
stop_servers

serve --events "$scratch/events" --fault 'signIns=403' --fault "/query=429*2" --fault 'management/values=elsewhere' \
  --fault "wire:.*AzureDiag=cut*1"
logs $range --workspaces $work --tables AzureDiagnostics --lists signIns,activity --subscriptions $sub "$scratch/faults"
check 'one list that is refused does not end the rest' all "$scratch/faults/workspaces/$work/AzureDiagnostics"
check 'its reason' says "$out" 'not read: signIns: not permitted: it needs AuditLog.Read.All .403'
check 'another host is not asked' says "$out" 'not read: activity of .*on another host'
stop_servers
check 'no secret in words' test -z "$(grep -E 'planted|cGxhbnRlZC' "$scratch/words")"
finish
