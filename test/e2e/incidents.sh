#!/usr/bin/env bash
# Incidents in the report of an assessment: the part of the page, its timeline, the JSON.
. "$(dirname "$0")/lib.sh"
store=$scratch/store
rules=$scratch/rules
mkdir -p "$rules"
"$azimuth" import --store "$store" --quiet examples/contoso
report() { "$azimuth" assess --store "$store" --controls 'ID-001' --quiet --no-history --report "$scratch/$1.html" --json "$scratch/$1.json"; }

report none
check 'without incidents the page does not speak of them' test "$(grep -c 'id="incidents"\|href="#incidents"\|{{incident' "$scratch/none.html")" = 0
check 'and the JSON has none' python3 -c 'import json,sys; sys.exit(json.load(open(sys.argv[1]))["incidents"] is not None)' "$scratch/none.json"

# 130 callers read at once, one of them three times more, under a name that is markup.
python3 - >"$scratch/logs.jsonl" <<'PYTHON'
import datetime, json
start = datetime.datetime(2026, 6, 1)
def rows(hour, caller):
    for i in range(25):
        when = start + datetime.timedelta(hours=hour, minutes=i + 1)
        print(json.dumps({"TimeGenerated": when.strftime("%Y-%m-%dT%H:%M:%SZ"), "OperationName": "GetBlob",
                          "RequesterUpn": caller, "CallerIpAddress": "203.0.113.9", "AccountName": "st"}))
for n in range(130):
    rows(5, f"user{n:03}@contoso.com")
for hour in (30, 34, 50):
    rows(hour, "eve</script><i>\x1b[31m@contoso.com")
PYTHON
"$azimuth" import --store "$store" --quiet --table StorageBlobLogs "$scratch/logs.jsonl"

rule() { # FILE ID NAME SEVERITY GROUPING
  cat >"$rules/$1.yaml" <<YAML
id: $2
name: $3
version: 1.0.0
kind: Scheduled
severity: $4
queryFrequency: 1h
queryPeriod: 1h
triggerOperator: gt
triggerThreshold: 0
tactics: [Exfiltration, Collection]
relevantTechniques: [T1530]
query: |
  StorageBlobLogs
  | summarize Reads = count(), StartTime = min(TimeGenerated), EndTime = max(TimeGenerated) by RequesterUpn, CallerIpAddress
  | where Reads > 20 $5
eventGroupingSettings: {aggregationKind: AlertPerResult}
alertDetailsOverride: {alertDisplayNameFormat: "$3 by {{RequesterUpn}}"}
entityMappings:
  - entityType: Account
    fieldMappings: [{identifier: FullName, columnName: RequesterUpn}]
  - entityType: IP
    fieldMappings: [{identifier: Address, columnName: CallerIpAddress}]
incidentConfiguration: {createIncident: true, groupingConfiguration: {enabled: true, lookbackDuration: 5d, matchingMethod: AllEntities}}
YAML
}
rule many 5a3f1c77-52ab-4b0e-8f7f-0d6a6f1b2c01 'Many reads' High "and RequesterUpn startswith 'eve'"
rule some 5a3f1c77-52ab-4b0e-8f7f-0d6a6f1b2c02 'Some reads' Low "and RequesterUpn startswith 'user'"
"$azimuth" detect --store "$store" --rules "$rules" >/dev/null 2>"$scratch/err"
check 'detection makes incidents' test "$(value "$store" 'SecurityIncident | summarize dcount(IncidentName)')" = 131

report some
page=$(sed -n '/<section id="incidents"/,/<\/section>/p' "$scratch/some.html")
check 'the head links to the part' grep -q 'href="#incidents"' "$scratch/some.html"
check 'all are counted, also those that are not shown' says "$page" '<b>131 incidents</b>, 131 not closed'
check 'by severity' says "$page" 'High</span> 1</span>.*Low</span> 130</span>'
check 'a hundred rows are shown' test "$(grep -c '<tr id="incident-' <<<"$page")" = 100
check 'and the others are said' says "$page" '31 more are in the table SecurityIncident'
check 'a lane each' test "$(grep -c '<g class="lane">' <<<"$page")" = 100
first=$(grep -m1 '<g class="lane">' <<<"$page")
check 'the latest activity comes first' says "$first" 'Many reads'
check 'with a mark an alert, in its severity' test "$(grep -o 'class="m s-high" d=' <<<"$first" | wc -l)" = 3
check 'the timeline has a title and a description' says "$page" '<title id="timeline-title">Timeline of incidents</title><desc id="timeline-desc">100 incidents from 2026-06-01T05:01:00Z to 2026-06-03T02:25:00Z, a lane each'
row=$(grep -m1 -A3 '<tr id="incident-1"' <<<"$page")
check 'a row has status, entities, tactics, times and alerts' says "$row" 'New</span>.*203\.0\.113\.9.*Exfiltration, Collection.*2026-06-02 06:01.*2026-06-03 02:25.*>3</td>'
check 'names are text' says "$row" 'eve&lt;/script&gt;&lt;i&gt;'
check 'no control character reaches the page' test "$(LC_ALL=C grep -c $'\x1b' "$scratch/some.html")" = 0
check 'no script ends early' test "$(grep -o '</script>' "$scratch/some.html" | wc -l)" = "$(grep -o '</script>' "$scratch/none.html" | wc -l)"
check 'the picture is well-formed' python3 - "$scratch/some.html" <<'PYTHON'
import re, sys, xml.etree.ElementTree as tree
page = open(sys.argv[1], encoding="utf-8").read()
part = re.search(r'<section id="incidents".*?</section>', page, re.S).group(0)
root = tree.fromstring(part)
svg = root.find(".//{http://www.w3.org/2000/svg}svg")
width = float(svg.get("viewBox").split()[2])
for bar in svg.iter("{http://www.w3.org/2000/svg}rect"):
    assert 300 < float(bar.get("x")) and float(bar.get("x")) + float(bar.get("width")) <= width
PYTHON
check 'the JSON says the same' python3 - "$scratch/some.json" <<'PYTHON'
import json, sys
part = json.load(open(sys.argv[1], encoding="utf-8"))["incidents"]
assert part["error"] is None and part["total"] == 131 and part["open"] == 131, part
assert part["bySeverity"] == {"high": 1, "medium": 0, "low": 130, "informational": 0}
assert len(part["newest"]) == 100 and all(len(i["alerts"]) == 1 for i in part["newest"][1:])
eve = part["newest"][0]
assert eve["severity"] == "High" and eve["status"] == "New" and eve["alertCount"] == 3
assert eve["tactics"] == ["Exfiltration", "Collection"]
assert eve["firstActivity"] == "2026-06-02T06:01:00Z" and eve["lastActivity"] == "2026-06-03T02:25:00Z"
assert [e["type"] for e in eve["entities"]] == ["account", "ip"] and eve["entitiesLeft"] == 0
assert eve["entities"][0]["name"] == "eve</script><i>\x1b[31m@contoso.com", eve["entities"]
assert [a["start"] for a in eve["alerts"]] == ["2026-06-02T06:01:00Z", "2026-06-02T10:01:00Z", "2026-06-03T02:01:00Z"]
assert eve["alerts"][0]["name"].startswith("Many reads by eve</script>")
PYTHON

# Another's incidents, as a workspace exports them: two states of one, closed; no times, no alerts.
python3 - >"$scratch/other.jsonl" <<'PYTHON'
import json
for state, hour in (("New", 1), ("Closed", 2)):
    print(json.dumps({"TimeGenerated": f"2026-06-09T0{hour}:00:00Z", "IncidentName": "other", "IncidentNumber": 7,
                      "Title": "</script><script>alert(1)</script>\u202e\u0007\r\nx", "Severity": "Medium", "Status": state,
                      "LastModifiedTime": f"2026-06-09T0{hour}:00:00Z"}))
PYTHON
"$azimuth" import --store "$store" --quiet --table SecurityIncident "$scratch/other.jsonl"
report other
page=$(sed -n '/<section id="incidents"/,/<\/section>/p' "$scratch/other.html")
check 'the newest state of an incident counts' says "$page" '<b>132 incidents</b>, 131 not closed'
check 'a title that is a script is text' says "$page" '<tr id="incident-1".*Medium</span>.*&lt;/script&gt;&lt;script&gt;alert\(1\).*7, Closed'
check 'and none of it is a script' test "$(grep -o '<script' "$scratch/other.html" | wc -l)" = "$(grep -o '<script' "$scratch/none.html" | wc -l)"
check 'characters that turn the direction are gone' test "$(grep -c $'\u202e' <<<"$page")" = 0

# Times at both ends of what there is, backwards, and none.
python3 - >"$scratch/times.jsonl" <<'PYTHON'
import json
for name, first, last in (("none", "0001-01-01T00:00:00Z", "2026-06-09T01:00:00Z"),
                          ("all", "0001-01-02T00:00:00Z", "9999-12-31T23:59:59.9999999Z"),
                          ("back", "9999-12-31T23:59:59Z", "0001-01-02T00:00:00Z")):
    print(json.dumps({"TimeGenerated": "2026-06-09T01:00:00Z", "IncidentName": name, "Severity": "Unheard of",
                      "FirstActivityTime": first, "LastActivityTime": last, "AlertIds": ["x", None, {}, 7]}))
PYTHON
"$azimuth" import --store "$scratch/times" --quiet --table SecurityIncident "$scratch/times.jsonl"
"$azimuth" import --store "$scratch/times" --quiet examples/contoso
store=$scratch/times report times
page=$(sed -n '/<section id="incidents"/,/<\/section>/p' "$scratch/times.html")
check 'an incident without title or severity is shown' says "$page" 'Informational</span></td><td class="name" data-label="Incident">\(no title\)'
check 'a time that is none is said' says "$page" 'data-label="First activity">not known'
check 'the axis stays within the years there are' test "$(grep -o 'class="c mid">[0-9]\{4\}-[0-9][0-9]-[0-9][0-9]<' <<<"$page" | wc -l)" -ge 4
check 'all else is drawn within the picture' test "$(grep -o 'class="span' <<<"$page" | wc -l)" = 2
check 'the JSON has null for it' test "$(python3 -c 'import json,sys; print(sum(i["firstActivity"] is None for i in json.load(open(sys.argv[1]))["incidents"]["newest"]))' "$scratch/times.json")" = 1
finish
