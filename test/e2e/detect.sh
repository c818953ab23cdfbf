#!/usr/bin/env bash
# Detection: rules replayed on their schedules, what they leave in the store, rules that fail.
. "$(dirname "$0")/lib.sh"
store=$scratch/store
rules=$scratch/rules
mkdir -p "$rules"

# Three days of reads: one caller reads a blob every hour, another fifty within an hour.
python3 - >"$scratch/logs.jsonl" <<'PYTHON'
import datetime, json
start = datetime.datetime(2026, 6, 1)
def row(minutes, caller, address):
    when = start + datetime.timedelta(minutes=minutes)
    print(json.dumps({"TimeGenerated": when.strftime("%Y-%m-%dT%H:%M:%SZ"),
                      "OperationName": "GetBlob", "RequesterUpn": caller,
                      "CallerIpAddress": address, "AccountName": "sttraining"}))
for hour in range(72):
    row(60 * hour + 5, "ann@contoso.com", "10.0.0.4")
for i in range(50):
    row(60 * 30 + i, "bo@contoso.com", "203.0.113.9")
for i in range(50):
    row(60 * 32 + i, "bo@contoso.com", "203.0.113.9")
PYTHON
"$azimuth" import --store "$store" --quiet --table StorageBlobLogs "$scratch/logs.jsonl"

rule() { # FILE ID NAME QUERY MORE
  cat >"$rules/$1.yaml" <<YAML
id: $2
name: $3
version: 1.0.0
kind: Scheduled
severity: High
queryFrequency: 1h
queryPeriod: 1h
triggerOperator: gt
triggerThreshold: 0
tactics: [Exfiltration]
relevantTechniques: [T1530]
query: |
$(sed 's/^/  /' <<<"$4")
entityMappings:
  - entityType: Account
    fieldMappings: [{identifier: FullName, columnName: RequesterUpn}]
$5
YAML
}
many='StorageBlobLogs
| summarize Reads = count(), StartTime = min(TimeGenerated), EndTime = max(TimeGenerated) by RequesterUpn
| where Reads > 20'
rule many 5a3f1c77-52ab-4b0e-8f7f-0d6a6f1b2c01 'Many reads' "$many" \
  'incidentConfiguration: {createIncident: true, groupingConfiguration: {enabled: true, lookbackDuration: 1d, matchingMethod: AllEntities}}'
rule quiet 5a3f1c77-52ab-4b0e-8f7f-0d6a6f1b2c02 'Many reads, said once' "$many" \
  'suppressionEnabled: true
suppressionDuration: 5h'
rule after 5a3f1c77-52ab-4b0e-8f7f-0d6a6f1b2c03 'Alert upon an alert' \
  'SecurityAlert
| where AlertName == "Many reads"
| mv-expand Entity = parse_json(Entities)
| project RequesterUpn = strcat(Entity.Name, "@", Entity.UPNSuffix)' ''
rule lost 5a3f1c77-52ab-4b0e-8f7f-0d6a6f1b2c04 'Wants a parser' 'NoSuchParser | take 1' ''
rule wrong 5a3f1c77-52ab-4b0e-8f7f-0d6a6f1b2c05 'Wrong column' 'StorageBlobLogs
| where Nothing == 1' ''
rule custom 5a3f1c77-52ab-4b0e-8f7f-0d6a6f1b2c06 'Custom table that is not there' \
  'Absent_CL | where Message_s has "x" | project RequesterUpn = User_s' ''
rule slow 5a3f1c77-52ab-4b0e-8f7f-0d6a6f1b2c07 'Quadratic join' \
  'range a from 1 to 3000000 step 1 | extend k = 1 | join kind=inner (range b from 1 to 3000000 step 1 | extend k = 1) on k | summarize RequesterUpn = max(tostring(a * b))' ''
rule product 5a3f1c77-52ab-4b0e-8f7f-0d6a6f1b2c08 'Table of a product' \
  'CiscoDuo | where EventResult == "denied" | project RequesterUpn = DstUserName' ''
printf 'id: [\n' >"$rules/broken.yaml"

out=$("$azimuth" detect --store "$store" --rules "$rules" --timeout 1 2>"$scratch/err")
check 'detection succeeds though rules fail' test $? -eq 0
err=$(cat "$scratch/err")
check 'the summary counts alerts and incidents' says "$out" '5 new alerts, 4 incidents'
check 'rules that lack something are counted' says "$out" '1 rules not run for want of tables'
check 'rules that looked at nothing are counted' says "$out" '2 rules that read only tables without rows'
check 'a broken file is named' says "$err" 'broken\.yaml'
check 'a wrong column is named with its line' says "$err" "wrong\.yaml:14: rule 'Wrong column': there is no column"
check 'a missing parser is named' says "$err" "lost\.yaml:13: rule 'Wants a parser': there is no table or function 'NoSuchParser'"
check 'a rule that takes too long is given up' says "$err" "slow\.yaml:.*rule 'Quadratic join'"
check 'a custom table that is not there is empty' test -z "$(grep Custom "$scratch/err")"

check 'an alert a run' test "$(value "$store" 'SecurityAlert | where AlertName == "Many reads" | count')" = 2
check 'alerts have the time of their run' test "$(value "$store" 'SecurityAlert | where AlertName == "Many reads" | summarize min(TimeGenerated)')" = 2026-06-02T07:00:00.0000000Z
check 'alerts have the times of the events' test "$(value "$store" 'SecurityAlert | where AlertName == "Many reads" | summarize min(StartTime)')" = 2026-06-02T06:01:00.0000000Z
check 'suppression keeps the second from being raised' test "$(value "$store" 'SecurityAlert | where AlertName == "Many reads, said once" | count')" = 1
check 'alerts with one entity are one incident' test "$(value "$store" 'SecurityIncident | where Title == "Many reads" | summarize max(array_length(AlertIds))')" = 2
check 'rules on alerts see those of the same replay' test "$(value "$store" 'SecurityAlert | where AlertName == "Alert upon an alert" | count')" = 2
check 'entities are those of the rows' test "$(value "$store" 'SecurityAlert | where AlertName == "Many reads" | take 1 | project tostring(parse_json(Entities)[0].Name)')" = bo
check 'what became of each rule is kept' test "$(value "$store" 'AnalyticsRuleRuns | where Status == "NotRun" | project RuleName')" = 'Wants a parser'

nothing='AnalyticsRuleRuns | where Status == "Success" and Reason startswith "nothing was looked at" | sort by RuleName asc | summarize make_list(strcat(RuleName, ": ", extract("no rows in (.*)", 1, Reason)))'
check 'and which tables held nothing' test "$(value "$store" "$nothing")" = '"[""Custom table that is not there: Absent_CL"",""Table of a product: CiscoDuo""]"'
check 'others say nothing of it' test "$(value "$store" 'AnalyticsRuleRuns | where RuleName has "Many reads" or RuleName has "Alert upon" | summarize max(Reason)')" = ''

out=$("$azimuth" detect --store "$store" --rules "$rules" --timeout 1 2>/dev/null)
check 'a range gone through again raises nothing twice' says "$out" '0 new alerts, 0 incidents, 5 alerts known before'
check 'and keeps nothing twice' test "$(value "$store" 'SecurityAlert | summarize count(), dcount(SystemAlertId) | project count_ == dcount_SystemAlertId')" = true
rm -f "$rules/slow.yaml"
out=$("$azimuth" detect --store "$store" --rules "$rules" --dry-run --since 2026-06-02T07:00:00Z --until 2026-06-02T09:00:00Z --format jsonl 2>/dev/null)
check 'a range that is given is kept to' test -z "$out"
before=$(value "$store" 'AnalyticsRuleRuns | count')
"$azimuth" detect --store "$store" --rules "$rules/many.yaml" --dry-run >/dev/null 2>&1
check 'a dry run keeps nothing' test "$(value "$store" 'AnalyticsRuleRuns | count')" = "$before"
one=$("$azimuth" detect --store "$store" --rules "$rules/many.yaml" --dry-run --threads 1 --format csv 2>/dev/null)
check 'the number of threads does not show' test "$one" = "$("$azimuth" detect --store "$store" --rules "$rules/many.yaml" --dry-run --threads 4 --format csv 2>/dev/null)"

# A product's parser that the user has reads the product's own table, and stands before the declared one.
printf '{"TimeGenerated":"2026-06-02T10:20:00Z","user_s":"cy@contoso.com","result_s":"denied"}\n' >"$scratch/duo.jsonl"
"$azimuth" import --store "$scratch/duo" --quiet --table CiscoDuo_CL "$scratch/duo.jsonl"
mkdir "$scratch/parsers"
cat >"$scratch/parsers/duo.yaml" <<'YAML'
FunctionName: CiscoDuo
FunctionAlias: CiscoDuo
FunctionQuery: |
  CiscoDuo_CL
  | project TimeGenerated, DstUserName = user_s, EventResult = result_s
YAML
duo() { "$azimuth" detect --store "$scratch/duo" --rules "$rules/product.yaml" --since 2026-06-02T00:00:00Z "$@" 2>&1; }
check 'without the parser its rows are not seen' says "$(duo --dry-run)" ' 0 new alerts,.* 1 rules that read only tables without rows'
out=$(duo --functions "$scratch/parsers")
check 'with it they are' says "$out" ' 1 new alerts'
check 'and nothing was left unseen' test -z "$(grep 'without rows' <<<"$out")"
check 'the record says so' test "$(value "$scratch/duo" 'AnalyticsRuleRuns | project strcat(Status, ":", Reason)')" = 'Success:'
check 'the alert has the row' test "$(value "$scratch/duo" 'SecurityAlert | project tostring(parse_json(Entities)[0].Name)')" = cy

# A list on the internet that was downloaded.
rule listed 5a3f1c77-52ab-4b0e-8f7f-0d6a6f1b2c09 'Reads a list' \
  'let bad = externaldata(address:string)["https://lists.example/bad.csv"] with (format="csv");
StorageBlobLogs | where CallerIpAddress in ((bad)) | summarize by RequesterUpn' ''
echo 203.0.113.9 >"$scratch/bad.csv"
listed() { "$azimuth" detect --store "$store" --rules "$rules/listed.yaml" --dry-run "$@" 2>&1; }
check 'a list that was not fetched is named' says "$(listed)" "listed\.yaml.*https://lists.example/bad.csv is not fetched"
check 'one that is mapped is read' says "$(listed --map "https://lists.example/bad.csv=$scratch/bad.csv")" ' 4 new alerts'
echo "https://lists.example/bad.csv=$scratch/bad.csv" >"$scratch/maps"
check 'by a file of maps too' says "$(listed --map-file "$scratch/maps")" ' 4 new alerts'
check 'a map that is none is refused' says "$(listed --map nonsense)" 'a map is NAME=TARGET'
check 'and said once' [ "$(listed --map nonsense | grep -c '^azimuth: ')" = 1 ]
rm "$rules/listed.yaml"

# Alerts for other systems, with names that were made for their readers.
python3 - >"$scratch/odd.jsonl" <<'PYTHON'
import json
for i in range(30):
    print(json.dumps({"TimeGenerated": f"2026-06-01T00:{i:02}:00Z", "OperationName": "GetBlob",
                      "RequesterUpn": "eve=|\\x\nCEF:0@contoso.com", "CallerIpAddress": "10.0.0.4"}))
PYTHON
"$azimuth" import --store "$scratch/odd" --quiet --table StorageBlobLogs "$scratch/odd.jsonl"
mkdir "$scratch/odd-rules"
sed -e "s/^name: .*/name: 'Many | of \\\\ them'/" "$rules/many.yaml" >"$scratch/odd-rules/odd.yaml"
odd() { "$azimuth" detect --store "$scratch/odd" --rules "$scratch/odd-rules" --dry-run --format "$1" 2>/dev/null; }
check 'an alert of CEF is a line' test "$(odd cef | grep -c '')" = 1
check 'its head is escaped' says "$(odd cef)" '^CEF:0\|Azimuth\|azimuth\|[0-9.]+\|5a3f1c77-[^|]*\|Many \\\| of \\\\ them\|9\|rt='
check 'its fields are escaped' says "$(odd cef)" 'suser=eve\\=\|\\\\x\\nCEF:0'
check 'OCSF is a detection finding' python3 -c '
import json, sys
alert = json.loads(sys.argv[1])
assert alert["class_uid"] == 2004 and alert["type_uid"] == 200401 and alert["severity_id"] == 4
assert alert["finding_info"]["title"] == "Many | of \\ them", alert["finding_info"]
assert alert["finding_info"]["attacks"][0]["technique"]["uid"] == "T1530"
assert alert["observables"][0]["type_id"] == 4 and alert["observables"][0]["value"].startswith("eve=|")
' "$(odd ocsf)"

"$azimuth" detect --store "$scratch/none" >/dev/null 2>&1
check 'no store gives status 2' test $? -eq 2
err=$("$azimuth" detect --store "$store" --rules "$scratch/nowhere" 2>&1)
check 'rules that are not there are named' says "$err" "cannot open the rules '.*nowhere'"
err=$("$azimuth" detect --store "$store" --since 2026-06-03T00:00:00Z --until 2026-06-02T00:00:00Z 2>&1)
check 'an empty range is said' says "$err" 'range of time is empty'
"$azimuth" import --store "$scratch/bare" --quiet examples/contoso
err=$("$azimuth" detect --store "$scratch/bare" 2>&1)
check 'a store without logs says what to do' says "$err" 'import telemetry first'

out=$("$azimuth" content test "$rules" 2>&1)
check 'content test finds what is wrong' test $? -eq 1
check 'content test names the line' says "$out" "wrong\.yaml: rule 'Wrong column': line 14: there is no column"
# Alerts are kept with the columns that detection fills; all that Sentinel's table has can be named.
check 'columns that nobody wrote are there, and null' test "$(value "$store" 'SecurityAlert | where isnotempty(ResourceId) or isnotnull(ConfidenceScore) | count')" = 0
check 'of incidents too' test "$(value "$store" 'SecurityIncident | where isnotempty(IncidentUrl) | count')" = 0

finish
