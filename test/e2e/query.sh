#!/usr/bin/env bash
# The query command: formats, batch, errors, exit status.
. "$(dirname "$0")/lib.sh"
q() { "$azimuth" query "$@"; }

check 'table' says "$(q 'print x = 1')" '\(1 row\)'
check 'json' test "$(q --format json 'print x = 1, s = "a\"b", d = dynamic({"k":[1,null]})')" = '{"columns":[{"name":"x","type":"long"},{"name":"s","type":"string"},{"name":"d","type":"dynamic"}],"rows":[[1,"a\"b",{"k":[1,null]}]]}'
check 'jsonl' test "$(q --format jsonl 'range x from 1 to 2 step 1')" = $'{"x":1}\n{"x":2}'
check 'csv quotes and defuses formulas' test "$(q --format csv 'print a = "x,y", b = "=cmd()"' | tr -d '\r' | tail -1)" = "\"x,y\",\"'=cmd()\""
check 'markdown' says "$(q --format markdown 'print a = 1')" '^\| a \|'
check 'hostile text does not reach the terminal' test -z "$(q 'print a = "\x1b[31mred"' | grep -F $'\033')"
check 'a file of KQL' test "$(printf 'print 7' >"$scratch/q.kql"; q -f "$scratch/q.kql" --format csv | tail -1 | tr -d '\r')" = 7
check 'standard input' test "$(echo 'print 8' | q --format csv | tail -1 | tr -d '\r')" = 8
check 'timing goes to standard error' says "$(q --timing 'print 1' 2>&1 >/dev/null)" '^timing_ms=[0-9.]+'

several='range x from 1 to 2 step 1 | fork one=(count) (take 1)'
check 'several tables have their names' says "$(q "$several")" '^one:$'
check 'several tables as csv are apart' test "$(q --format csv "$several" | tr -d '\r')" = $'Count\n2\n\nx\n1'
check 'several tables as json are documents' test "$(q --format json "$several" | wc -l)" = 2
check 'a batch line answers with the first table' says "$(printf '%s\n' "{\"id\":1,\"query\":\"print 7; $several\"}" | q --batch)" '"rows":\[\[2\]\]'

answers=$(printf '%s\n' '{"id":1,"query":"print x=1"}' '{"id":"b","query":"print y"}' 'nonsense' | q --batch)
check 'a batch answers each line' test "$(wc -l <<<"$answers")" = 3
check 'an answer bears its id' says "$answers" '^\{"id":1,"columns"'
check 'an error bears its id and place' says "$answers" '"id":"b","error":\{"code":"semantic","line":1,"column":7'
check 'check does not run' test "$(printf '{"id":1,"query":"SigninLogs | take 1"}\n' | q --batch --check)" = '{"id":1,"ok":true}'
check 'check accepts columns that only rows would tell' \
  test "$(q --check 'SigninLogs | evaluate bag_unpack(DeviceDetail) | where operatingSystem has "x"')" = ok
check 'check refuses other columns' \
  says "$(q --check 'SigninLogs | evaluate narrow() | where osName has "x"' 2>&1)" "named 'osName'"
check 'plugins are in the help' says "$("$azimuth" functions 'bag_*')" '^evaluate bag_unpack\('

out=$(q 'print strlenn("a")' 2>&1)
check 'an error gives status 2' test $? -eq 2
check 'an error suggests the nearest name' says "$out" "did you mean 'strlen'"
check 'an error shows the line and a caret' says "$out" '\^'
check 'an unknown table suggests' says "$(q 'SigninLog | take 1' 2>&1)" "did you mean 'SigninLogs'"
check 'an unknown operator suggests' says "$(q 'print 1 | wher x' 2>&1)" "did you mean 'where'"
check 'what cannot run here is said' says "$(q 'print 1 | evaluate python(typeof(*), "x")' 2>&1)" 'it needs a Python sandbox'
check 'an unknown option suggests' says "$(q --formt json 'print 1' 2>&1)" "did you mean '--format'"
check 'a time limit stops a query' says "$(q --timeout 1 'range x from 1 to 90000000 step 1 | extend y = tostring(x) | summarize dcount(y), count() by y' 2>&1)" 'time limit|memory limit'
check 'a memory limit stops a query' says "$(q --memory 20 'range x from 1 to 5000000 step 1 | extend y = strcat("a long text of its own ", x) | sort by y asc' 2>&1)" 'memory limit'
check 'the memory limit holds within a batch' says "$(q --memory 64 'range x from 1 to 1000 step 1 | extend a = range(x % 7, 900000, 1) | summarize max(array_length(a))' 2>&1)" 'memory limit'
check 'the memory limit holds over partitions' says "$(q --memory 20 'range x from 1 to 3000000 step 1 | partition by x (count) | count' 2>&1)" 'memory limit'
check 'a time limit stops a scan' says "$(q --timeout 1 'range x from 1 to 20000000 step 1 | scan declare (s:string) with (step a: true => s = strcat(a.s, x);) | count' 2>&1)" 'time limit|memory limit'
check 'geometry opens its module' says "$(q --format csv 'print geo_point_to_s2cell(-80.195829, 25.802215, 8)')" 88d9b
mkdir -p "$scratch/alone" && cp "$azimuth" "$scratch/alone/"
check 'a missing module is an error that names it' says "$("$scratch/alone/azimuth" query 'print geo_point_to_s2cell(1, 1)' 2>&1)" 'geo_point_to_s2cell.. cannot run: .*libazimuth_geo.so'
check 'geometry without S2 needs no module' says "$("$scratch/alone/azimuth" query --format csv 'print round(geo_distance_2points(0, 0, 0, 90))')" 10007559
deep=$(printf '(%.0s' $(seq 1 600))
check 'deep nesting is an error, not a crash' says "$(q "print $deep" 2>&1)" 'nested'

# Plans: --explain shows one and does not run, =analyze runs and tells what was done.
check 'explain draws the plan' test "$(q --explain 'range x from 1 to 3 step 1 | where x > 1')" = $'filter   >(x, 1)\n\u2514 range'
check 'explain does not run' test "$(q --explain 'print x = toscalar(range x from 1 to 1000000000000 step 1 | count)' | wc -l)" -gt 1
for day in 1 2; do
  printf '{"TimeGenerated":"2024-01-0%sT10:00:00Z","UserPrincipalName":"u%s"}\n' "$day" "$day" >"$scratch/day$day.jsonl"
  "$azimuth" import --store "$scratch/plans" --table SigninLogs "$scratch/day$day.jsonl" >/dev/null 2>&1
done
out=$(q --store "$scratch/plans" --explain=analyze --format json 'SigninLogs | where TimeGenerated > datetime(2024-01-02)')
check 'analyze counts row groups that zone maps skip' says "$out" '"operator":"scan".*"rowsOut":1,.*"groupsRead":1,"groupsSkipped":1,"rowsRead":1,"rowsSkipped":1'
check 'analyze gives times and memory' says "$out" '"runMs":[0-9.]+,.*"threads":[0-9]+,"memoryPeakBytes":[0-9]+'
check 'analyze is JSON' python3 -c 'import json, sys; json.loads(sys.argv[1])' "$out"
check 'analyze on a terminal is aligned' says "$(q --explain=analyze 'print 1')" '^operator +rows in +rows out'
check 'explain knows no other form' says "$(q --explain=all 'print 1' 2>&1)" "not 'all'"
check 'a flag takes no argument' says "$(q --check=yes 'print 1' 2>&1)" "option '--check' takes no argument"

finish
