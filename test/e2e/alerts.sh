# Shared by the tests of sending alerts: a rule, telemetry in which it finds three, and stores.
rules=$scratch/rules
mkdir -p "$rules" "$scratch/logs"
cat >"$rules/read.yaml" <<'YAML'
id: 8a3f1c77-52ab-4b0e-8f7f-0d6a6f1b2c01
name: Reads
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
  StorageBlobLogs | where RequesterUpn startswith "bo"
entityMappings:
  - entityType: Account
    fieldMappings: [{identifier: FullName, columnName: RequesterUpn}]
YAML
for hour in 01 02 03; do
  printf '{"TimeGenerated":"2026-06-01T%s:05:00Z","OperationName":"GetBlob","RequesterUpn":"bo\\nb\xc3\xb6@contoso.com"}\n' $hour
done >"$scratch/logs/StorageBlobLogs.jsonl"
new_store() { "$azimuth" import --store "$1" --quiet --logs "$scratch/logs"; }
# How many messages wait to be sent.
kept() { find "$1/outbox" -type f | wc -l; }
