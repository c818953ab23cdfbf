#!/usr/bin/env bash
# Following: alerts of rows that arrive meanwhile, kill -9 and again, late rows, a clean stop.
. "$(dirname "$0")/lib.sh"
store=$scratch/store
rules=$scratch/rules
mkdir -p "$rules"
follower=
trap '[ -z "$follower" ] || kill -9 "$follower" 2>/dev/null; rm -rf "$scratch"' EXIT

# row MINUTES_AGO CALLER: a read that long ago.
row() {
  printf '{"TimeGenerated":"%s","OperationName":"GetBlob","RequesterUpn":"%s","CallerIpAddress":"10.0.0.4"}\n' \
    "$(date -u -d "-$1 minutes" +%Y-%m-%dT%H:%M:%SZ)" "$2"
}
# append NAME [TABLE]: the rows on the input are imported as those that arrive now; who writes is
# waited for.
append() {
  mkdir "$scratch/$1"
  cat >"$scratch/$1/${2:-StorageBlobLogs}.jsonl" # the table is told by the file's name
  for _ in $(seq 300); do
    "$azimuth" import --store "$store" --quiet --logs --arrived now "$scratch/$1" 2>"$scratch/import.err" && return
    grep -q 'written by another process' "$scratch/import.err" || break
    sleep 0.1
  done
  cat "$scratch/import.err"
  return 1
}
follow() {
  "$azimuth" detect --follow --store "$store" --rules "$rules" "$@" >>"$scratch/out" 2>>"$scratch/err" &
  follower=$!
}
# waits CONDITION...: until it holds; three minutes at most.
waits() {
  for _ in $(seq 900); do
    "$@" && return
    sleep 0.2
  done
  return 1
}
count() { value "$store" "SecurityAlert | where Entities has \"$1\" | count"; }
alerted() { [ "$(count "$1")" = 1 ]; }
written() { says "$(cat "$scratch/$1")" "$2"; }
end() {
  kill "-$1" "$follower"
  { wait "$follower"; } 2>/dev/null
  status=$?
  follower=
  return $status
}

rule() { # FILE ID KIND NAME SCHEDULE QUERY
  cat >"$rules/$1.yaml" <<YAML
id: $2
name: $4
version: 1.0.0
kind: $3
severity: High
$5
tactics: [Exfiltration]
relevantTechniques: [T1530]
query: |
$(sed 's/^/  /' <<<"$6")
entityMappings:
  - entityType: Account
    fieldMappings: [{identifier: FullName, columnName: RequesterUpn}]
YAML
}
scheduled='queryFrequency: 1m
queryPeriod: 10m
triggerOperator: gt
triggerThreshold: 0'
rule once 6a3f1c77-52ab-4b0e-8f7f-0d6a6f1b2c01 Scheduled 'Scheduled, by arrival' "$scheduled" \
  'StorageBlobLogs | where ingestion_time() > ago(1m) | where RequesterUpn startswith "sched"'
rule near 6a3f1c77-52ab-4b0e-8f7f-0d6a6f1b2c02 NRT 'Near real time' '' \
  'StorageBlobLogs | where RequesterUpn startswith "near"'
rule wrong 6a3f1c77-52ab-4b0e-8f7f-0d6a6f1b2c03 Scheduled 'Wrong column' "$scheduled" \
  'StorageBlobLogs | where Nothing == 1'
# Tables that hold nothing at first.
rule late 6a3f1c77-52ab-4b0e-8f7f-0d6a6f1b2c04 NRT 'Empty at first' '' \
  'SigninLogs | project TimeGenerated, RequesterUpn = UserPrincipalName | where RequesterUpn startswith "fill"'
rule mixed 6a3f1c77-52ab-4b0e-8f7f-0d6a6f1b2c05 Scheduled 'Filled and empty' "$scheduled" \
  'union StorageBlobLogs, (SigninLogs | project RequesterUpn = UserPrincipalName, TimeGenerated), AuditLogs
| where RequesterUpn startswith "union" | summarize count() by RequesterUpn'

(row 3 ann@contoso.com; row 2 ann@contoso.com) | append first
follow
check 'it says from when it follows' waits written err 'following from'
(row 0 sched1@contoso.com; row 0 near1@contoso.com) | append second
check 'a row that arrives is seen by a scheduled rule' waits alerted sched1
check 'and by a near-real-time rule' waits alerted near1
row 0 union1@contoso.com | append filled
check 'a union of filled and empty tables sees the filled one' waits alerted union1
printf '{"TimeGenerated":"%s","UserPrincipalName":"%s"}\n' "$(date -u +%FT%TZ)" fill1@contoso.com \
  "$(date -u +%FT%TZ)" union2@contoso.com | append signins SigninLogs
check 'a table that was not there when the rule first ran is seen' waits alerted fill1
check 'and in a union' waits alerted union2
check 'alerts are written as they come' waits written out 'High Scheduled, by arrival: .*sched1'
check 'a rule that fails is named' waits written err "wrong\.yaml:.*rule 'Wrong column'"
end 9
(row 6 sched2@contoso.com; row 7 near2@contoso.com) | append third
before=$(value "$store" 'AnalyticsRuleRuns | where RuleName == "Near real time" | summarize max(LastRun)')
follow --format json
check 'late rows that came while it was down are seen by a scheduled rule' waits alerted sched2
check 'and by a near-real-time rule' waits alerted near2
check 'alerts in JSON' waits written out '^\{"Time":.*near2'
check 'nothing is raised twice' test "$(value "$store" 'SecurityAlert | summarize count() by SystemAlertId | where count_ > 1 | count')" = 0
check 'a row is alerted once' test "$(count sched1)$(count near1)$(count sched2)$(count near2)" = 1111
check 'a rule that fails is named once a start' test "$(grep -c 'Wrong column' "$scratch/err")" = 2
end TERM
check 'a stop is clean' test $? -eq 0
check 'and said' written err 'stopped after [0-9]+ runs'
runs='AnalyticsRuleRuns | where RuleName == "Near real time"'
check 'no run was left out and none ran twice' test "$(value "$store" "$runs | summarize Runs = sum(Runs), Last = max(LastRun), First = min(FirstRun) | project Runs == (Last - First) / 1m + 1")" = true
check 'it went on where it was' test "$(value "$store" "$runs | where FirstRun == datetime($before) + 1m | count")" = 1

# Runs that were missed for longer than --catch-up are not caught up, and that is said.
: >"$scratch/err"
store=$scratch/missed
row 90 ann@contoso.com | append fourth
ago() { date -u -d "-$1 minutes" +%Y-%m-%dT%H:%M:%SZ; }
"$azimuth" detect --store "$store" --rules "$rules" --since "$(ago 70)" --until "$(ago 60)" >/dev/null 2>&1
follow --catch-up 0
check 'what is not caught up is said' waits written err 'more runs were missed than are caught up'
end INT
check 'SIGINT stops it too' test $? -eq 0

err=$("$azimuth" detect --follow --store "$scratch/none" 2>&1)
check 'a store that is not there is an error' test $? -eq 2
err=$("$azimuth" detect --follow --store "$store" --until 2026-01-01T00:00:00Z 2>&1)
check '--until does not go with it' says "$err" 'leave out --until'
err=$("$azimuth" detect --follow --store "$store" --format csv 2>&1)
check 'formats that cannot be streamed are named' says "$err" "not 'csv'"
finish
