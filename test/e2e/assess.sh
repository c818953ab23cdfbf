#!/usr/bin/env bash
# Assess: exit status, files, missing data, history.
. "$(dirname "$0")/lib.sh"
store=$scratch/store
"$azimuth" import --store "$store" --quiet examples/contoso

out=$("$azimuth" assess --store "$store" --report "$scratch/r.html" --json "$scratch/f.json" --csv "$scratch/f.csv" 2>&1)
check 'an assessment succeeds' test $? -eq 0
check 'the summary fits 80 columns' test "$(awk '{ gsub(/[^ -~]/, "x"); if (length($0) > 200) n++ } END { print n + 0 }' <<<"$out")" = 0
check 'the report is one page' grep -q '<html' "$scratch/r.html"
check 'the report loads nothing' test -z "$(grep -oE '(src|href)="https?://[^"]*"' "$scratch/r.html")"
check 'attack paths are drawn' grep -q '<svg class="ap" xmlns' "$scratch/r.html"
check 'management groups are drawn with their AI' test "$(sed -n '/id="zones"/,/<\/section>/p' "$scratch/r.html" | grep -o 'outside the groups for AI, 1 signal to look at' | wc -l)" = 1
check 'each path is told' test "$(grep -c 'class="chain"' "$scratch/r.html")" = 20
check 'the summary counts attack paths' grep -qE '^[0-9]+ attack paths from outside, cut [0-9]+ of them' <<<"$out"
check 'the JSON has the paths that azimuth paths finds' python3 - "$scratch/f.json" <("$azimuth" paths --store "$store" --format json) <<'PYTHON'
import json, sys
report, paths = (json.load(open(name)) for name in sys.argv[1:3])
sys.exit(report["attackPaths"]["paths"] != paths["paths"] or report["attackPaths"]["found"] != paths["found"])
PYTHON
check 'the JSON is JSON' python3 -c 'import json,sys; json.load(open(sys.argv[1]))' "$scratch/f.json"
check 'the CSV has a line a finding' test "$(wc -l <"$scratch/f.csv")" -gt 20

"$azimuth" assess --store "$store" --quiet --fail-on critical >/dev/null 2>&1
check 'findings at the threshold give status 1' test $? -eq 1
"$azimuth" assess --store "$store" --quiet --controls 'ID-001' --fail-on critical >/dev/null 2>&1
check 'none at the threshold gives status 0' test $? -eq 0
"$azimuth" assess --store "$scratch/none" >/dev/null 2>&1
check 'no store gives status 2' test $? -eq 2
"$azimuth" assess --store "$store" --controls 'NOPE-*' >/dev/null 2>&1
check 'no control gives status 2' test $? -eq 2

"$azimuth" assess --store "$store" --quiet
check 'findings are a table' test "$(value "$store" 'Findings | where Status == "fail" | count')" -gt 10
verdict() { value "$store" "Findings | where ControlId == '$1' and ResourceName startswith '$2' | project Status"; }
check 'a guest three groups deep is found' test "$(verdict ID-079 kate.oneill)" = fail
check 'a way from a guest to keys is found' test "$(verdict ID-082 aif-contoso-prod)" = fail
check 'the trial policy is found' test "$(verdict ID-070 CA030)" = fail
check 'a guest that reads public data in the sandbox is none' test "$(value "$store" 'Findings | where ControlId == "ID-080" and Status == "fail" | count')" = 0
check 'an emergency account is none' test "$(value "$store" 'Findings | where ControlId in ("ID-073", "ID-074") and ResourceName has "emergency" and Status == "fail" | count')" = 0
check 'use that no log shows is unknown' test "$(value "$store" 'Findings | where ControlId == "ID-081" and Status != "unknown" | count')" = 0
runs=$(value "$store" 'FindingsHistory | summarize dcount(RunId)')
check 'each run is kept' test "$runs" -ge 3
check 'finding ids are stable' test "$(value "$store" 'FindingsHistory | where ControlId == "ID-001" | summarize dcount(FindingId) by ResourceId | where dcount_FindingId > 1 | count')" = 0

# Without the data a verdict needs, it is unknown: never pass.
mkdir "$scratch/part"
cp examples/contoso/resources.jsonl "$scratch/part/"
"$azimuth" import --store "$scratch/part-store" --quiet "$scratch/part"
"$azimuth" assess --store "$scratch/part-store" --quiet
"$azimuth" assess --store "$scratch/part-store" --quiet --report "$scratch/part.html"
check 'data that paths stand on is missed by name' grep -q 'does not hold resourcecontainers, authorizationresources, users' "$scratch/part.html"
check 'missing data is unknown' test "$(value "$scratch/part-store" 'Findings | where ControlId == "MN-001" and Status != "unknown" | count')" = 0
check 'unknown says why' test "$(value "$scratch/part-store" 'Findings | where ControlId == "MN-001" | take 1 | project Reason')" != ''

# A read-only store is judged too; only the history is not kept.
chmod -R a-w "$scratch/part-store"
out=$("$azimuth" assess --store "$scratch/part-store" --report "$scratch/ro.html" 2>&1)
check 'a read-only store can be assessed' test $? -eq 0
# Groups in a circle, with a name that is markup.
mkdir "$scratch/circle"
group=/providers/Microsoft.Management/managementGroups
{
  echo "{\"id\":\"$group/a\",\"name\":\"a\",\"type\":\"microsoft.management/managementgroups\",\"properties\":{\"displayName\":\"<i>A\",\"details\":{\"parent\":{\"name\":\"b\"},\"managementGroupAncestors\":[\"b\",\"a\"]}}}"
  echo "{\"id\":\"$group/b\",\"name\":\"b\",\"type\":\"microsoft.management/managementgroups\",\"properties\":{\"displayName\":\"B\",\"details\":{\"parent\":{\"name\":\"a\"},\"managementGroupAncestors\":[\"a\",\"b\"]}}}"
} >"$scratch/circle/resourcecontainers.jsonl"
"$azimuth" import --store "$scratch/round" --quiet "$scratch/circle"
"$azimuth" assess --store "$scratch/round" --report "$scratch/round.html" --quiet --no-history >/dev/null 2>&1
check 'groups in a circle are drawn once' test "$(grep -o '&lt;i&gt;A' "$scratch/round.html" | wc -l)" = 1

finish
