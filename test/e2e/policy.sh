#!/usr/bin/env bash
# The policy command on a small tenant of our own; and where the corpora of others are, their
# cases, the published definitions, and those definitions over a generated tenant.
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")/../.." && pwd)
mkdir "$scratch/tenant"
sub=/subscriptions/11111111-1111-1111-1111-111111111111
group=$sub/resourceGroups/rg
auth=providers/Microsoft.Authorization
cat >"$scratch/tenant/resources.jsonl" <<J
{"id":"$group/providers/Microsoft.Storage/storageAccounts/open","name":"open","type":"microsoft.storage/storageaccounts","location":"eastus","resourceGroup":"rg","subscriptionId":"11111111-1111-1111-1111-111111111111","properties":{"supportsHttpsTrafficOnly":false}}
{"id":"$group/providers/Microsoft.Storage/storageAccounts/closed","name":"closed","type":"microsoft.storage/storageaccounts","location":"westus","resourceGroup":"rg","subscriptionId":"11111111-1111-1111-1111-111111111111","properties":{"supportsHttpsTrafficOnly":true}}
{"id":"$group/providers/Microsoft.Storage/storageAccounts/waived","name":"waived","type":"microsoft.storage/storageaccounts","location":"westus","resourceGroup":"rg","subscriptionId":"11111111-1111-1111-1111-111111111111","properties":{"supportsHttpsTrafficOnly":false}}
J
cat >"$scratch/tenant/resourcecontainers.jsonl" <<J
{"id":"/providers/Microsoft.Management/managementGroups/top","name":"top","type":"microsoft.management/managementgroups","properties":{"details":{"parent":{}}}}
{"id":"$sub","name":"Sub","type":"microsoft.resources/subscriptions","subscriptionId":"11111111-1111-1111-1111-111111111111","properties":{"managementGroupAncestorsChain":[{"name":"top"}]}}
{"id":"$group","name":"rg","type":"microsoft.resources/subscriptions/resourcegroups","location":"eastus","resourceGroup":"rg","subscriptionId":"11111111-1111-1111-1111-111111111111","properties":{}}
J
cat >"$scratch/https.json" <<'J'
{"displayName":"HTTPS only","mode":"Indexed","parameters":{"effect":{"type":"String","defaultValue":"Audit","allowedValues":["Audit","Deny","Disabled"]}},"policyRule":{"if":{"allOf":[{"field":"type","equals":"Microsoft.Storage/storageAccounts"},{"field":"Microsoft.Storage/storageAccounts/supportsHttpsTrafficOnly","notEquals":true}]},"then":{"effect":"[parameters('effect')]"}}}
J
modify='{"mode":"Indexed","policyRule":{"if":{"allOf":[{"field":"type","equals":"Microsoft.Storage/storageAccounts"},{"field":"tags.team","exists":false}]},"then":{"effect":"modify","details":{"roleDefinitionIds":[],"operations":[{"operation":"add","field":"tags.team","value":"[resourceGroup().name]"}]}}}}'
links='{"mode":"Indexed","policyRule":{"if":{"field":"type","equals":"Microsoft.Storage/storageAccounts"},"then":{"effect":"AuditIfNotExists","details":{"type":"Microsoft.Storage/storageAccounts/privateEndpointConnections"}}}}'
{
  echo "{\"id\":\"/$auth/policyDefinitions/https\",\"name\":\"https\",\"type\":\"microsoft.authorization/policydefinitions\",\"properties\":$(cat "$scratch/https.json")}"
  echo "{\"id\":\"/$auth/policyDefinitions/links\",\"name\":\"links\",\"type\":\"microsoft.authorization/policydefinitions\",\"properties\":$links}"
  echo "{\"id\":\"/$auth/policySetDefinitions/set\",\"name\":\"set\",\"type\":\"microsoft.authorization/policysetdefinitions\",\"properties\":{\"displayName\":\"The set\",\"parameters\":{\"e\":{\"type\":\"String\"}},\"policyDefinitions\":[{\"policyDefinitionId\":\"/$auth/policyDefinitions/https\",\"policyDefinitionReferenceId\":\"h\",\"groupNames\":[\"c1\"],\"parameters\":{\"effect\":{\"value\":\"[parameters('e')]\"}}},{\"policyDefinitionId\":\"/$auth/policyDefinitions/links\",\"policyDefinitionReferenceId\":\"l\"},{\"policyDefinitionId\":\"/$auth/policySetDefinitions/set\",\"policyDefinitionReferenceId\":\"itself\"},{\"policyDefinitionId\":\"/$auth/policyDefinitions/none\",\"policyDefinitionReferenceId\":\"n\"}]}}"
  echo "{\"id\":\"/providers/Microsoft.Management/managementGroups/top/$auth/policyAssignments/a\",\"name\":\"a\",\"type\":\"microsoft.authorization/policyassignments\",\"properties\":{\"policyDefinitionId\":\"/$auth/policySetDefinitions/set\",\"scope\":\"/providers/Microsoft.Management/managementGroups/top\",\"parameters\":{\"e\":{\"value\":\"Deny\"}},\"nonComplianceMessages\":[{\"message\":\"use HTTPS\",\"policyDefinitionReferenceId\":\"h\"}]}}"
  echo "{\"id\":\"$group/providers/Microsoft.Storage/storageAccounts/waived/$auth/policyExemptions/e\",\"name\":\"e\",\"type\":\"microsoft.authorization/policyexemptions\",\"properties\":{\"policyAssignmentId\":\"/providers/Microsoft.Management/managementGroups/top/$auth/policyAssignments/a\",\"policyDefinitionReferenceIds\":[\"h\"],\"exemptionCategory\":\"Waiver\",\"expiresOn\":\"2027-01-01T00:00:00Z\"}}"
} >"$scratch/tenant/policyresources.jsonl"
store=$scratch/store
"$azimuth" import --store "$store" "$scratch/tenant" >/dev/null 2>&1 || { echo 'cannot import'; exit 1; }
p() { "$azimuth" policy "$@" 2>&1; }
rows=$(p eval --store "$store" --at 2026-06-01 --format csv)
check 'a state with the value found and wanted' says "$rows" 'storageAccounts/open,.*,NonCompliant,false,deny,"[^"]*supportsHttpsTrafficOnly is false, notEquals true",use HTTPS,HTTPS only,'
check 'a compliant one' says "$rows" 'storageAccounts/closed,.*,Compliant,true,deny,'
check 'an exemption' says "$rows" 'storageAccounts/waived,.*,Exempt,false,deny,'
check 'an exemption ends' says "$(p eval --store "$store" --at 2027-02-01 --format csv)" 'storageAccounts/waived,.*,NonCompliant,false,deny,'
check 'no data is unknown' says "$rows" 'storageAccounts/open,.*,Unknown,false,auditIfNotExists,no data: resources of type Microsoft.Storage/storageAccounts/privateEndpointConnections were not collected'
check 'a recursive initiative is an error' says "$rows" ',Error,false,,an initiative cannot hold initiatives,'
check 'a definition that is not there is unknown' says "$rows" ',Unknown,false,,no data: the definition was not collected,'
check 'groups of the member' says "$rows" ',h,c1,'
check 'the summary rolls up' says "$(p eval --store "$store" --at 2026-06-01 --summary --format csv)" '^a,,,NonCompliant,66\.6'
check 'one thread, the same rows' test "$rows" = "$(AZIMUTH_THREADS=1 p eval --store "$store" --at 2026-06-01 --format csv)"
check 'one state only' test "$(p eval --store "$store" --at 2026-06-01 --state Exempt --format csv | wc -l)" = 2
check 'a wrong state' says "$(p eval --store "$store" --state Bad)" 'NonCompliant, Compliant, Error'
check 'without words: the usage' says "$(p)" 'usage: azimuth policy eval'

# A related type that was collected here, but not there.
cp -r "$scratch/tenant" "$scratch/gap"
echo "{\"id\":\"$group/providers/Microsoft.Storage/storageAccounts/closed/privateEndpointConnections/c\",\"name\":\"c\",\"type\":\"microsoft.storage/storageaccounts/privateendpointconnections\",\"properties\":{}}" >>"$scratch/gap/resources.jsonl"
"$azimuth" import --store "$scratch/full" "$scratch/gap" >/dev/null 2>&1
full=$(p eval --store "$scratch/full" --at 2026-06-01 --format csv)
check 'a related resource' says "$full" 'storageAccounts/closed,.*,Compliant,true,auditIfNotExists,'
check 'none beside it' says "$full" 'storageAccounts/open,.*,NonCompliant,false,auditIfNotExists,no Microsoft.Storage/storageAccounts/privateEndpointConnections exists'
{
  echo '{"Dataset":"resources","Scope":"tenant","Status":"collected","Reason":"","Rows":4}'
  echo '{"Dataset":"resources","Scope":"11111111-1111-1111-1111-111111111111","Status":"not collected","Reason":"forbidden","Rows":0}'
} >"$scratch/gap/CollectionStatus.jsonl"
"$azimuth" import --store "$scratch/part" "$scratch/gap" >/dev/null 2>&1
part=$(p eval --store "$scratch/part" --at 2026-06-01 --format csv)
check 'what is there stays compliant' says "$part" 'storageAccounts/closed,.*,Compliant,true,auditIfNotExists,'
check 'what may be missing is unknown' says "$part" 'storageAccounts/open,.*,Unknown,false,auditIfNotExists,no data'

head -1 "$scratch/tenant/resources.jsonl" >"$scratch/open.json"
sed -n 2p "$scratch/tenant/resources.jsonl" >"$scratch/closed.json"
p test "$scratch/https.json" "$scratch/closed.json" >/dev/null
check 'test: a good resource gives 0' test $? = 0
p test "$scratch/https.json" "$scratch/closed.json" "$scratch/open.json" >/dev/null
check 'test: a bad one gives 1' test $? = 1
echo '{"policyRule":{"if":{"field":"type"},"then":{"effect":"deny"}}}' >"$scratch/bad.json"
out=$(p test "$scratch/bad.json" "$scratch/open.json")
check 'test: a wrong definition gives 2' test $? = 2
check 'and says what is wrong' says "$out" 'the operator is missing'

echo "$modify" >"$scratch/modify.json"
check 'whatif: changed, with the difference' says "$(p whatif "$scratch/modify.json" --scope "$sub" --store "$store" --format csv)" '^changed,.*storageAccounts/open,.*tags.team: null -> ""rg""'
echo '{"effect":{"value":"Deny"}}' >"$scratch/deny.json"
check 'whatif: denied' says "$(p whatif "$scratch/https.json" --parameters "$scratch/deny.json" --scope "$group" --store "$store" --format csv)" '^denied,.*storageAccounts/open,'
check 'whatif: elsewhere nothing' test "$(p whatif "$scratch/https.json" --scope /subscriptions/2 --store "$store" --format csv | wc -l)" = 1
check 'whatif needs a scope' says "$(p whatif "$scratch/https.json" --store "$store")" 'needs --scope'

# Guardrails of AI resources.
cp -r "$scratch/tenant" "$scratch/ai"
account="$group/providers/Microsoft.CognitiveServices/accounts/openai"
echo "{\"id\":\"$account\",\"name\":\"openai\",\"type\":\"microsoft.cognitiveservices/accounts\",\"location\":\"eastus\",\"resourceGroup\":\"rg\",\"subscriptionId\":\"11111111-1111-1111-1111-111111111111\",\"properties\":{}}" >>"$scratch/ai/resources.jsonl"
# guardrail NAME CONDITION EFFECT [MORE]: a definition and its assignment at the subscription.
guardrail() {
  echo "{\"id\":\"/$auth/policyDefinitions/$1\",\"name\":\"$1\",\"type\":\"microsoft.authorization/policydefinitions\",\"properties\":{\"displayName\":\"about $1\",\"policyRule\":{\"if\":{\"allOf\":[{\"field\":\"type\",\"equals\":\"Microsoft.CognitiveServices/accounts\"},$2]},\"then\":{\"effect\":\"$3\"}}}}"
  echo "{\"id\":\"$sub/$auth/policyAssignments/$1\",\"name\":\"$1\",\"type\":\"microsoft.authorization/policyassignments\",\"properties\":{\"policyDefinitionId\":\"/$auth/policyDefinitions/$1\",\"scope\":\"$sub\"${4:-}}}"
}
{
  guardrail keys '{"field":"Microsoft.CognitiveServices/accounts/disableLocalAuth","notEquals":true}' deny
  guardrail public '{"field":"Microsoft.CognitiveServices/accounts/publicNetworkAccess","notEquals":"Disabled"}' deny ',"enforcementMode":"DoNotEnforce"'
  guardrail cmk '{"field":"Microsoft.CognitiveServices/accounts/encryption.keySource","notEquals":"Microsoft.KeyVault"}' disabled
} >"$scratch/ai/guardrails.jsonl"
grep -v '"itself"' "$scratch/tenant/policyresources.jsonl" | grep -v policyAssignments/a >"$scratch/ai/policyresources.jsonl"
cat "$scratch/ai/guardrails.jsonl" >>"$scratch/ai/policyresources.jsonl"
rm "$scratch/ai/guardrails.jsonl"
"$azimuth" import --store "$scratch/guarded" "$scratch/ai" >/dev/null 2>&1
gaps=$(p gaps --store "$scratch/guarded" --all --format csv)
check 'gaps: denied is guarded' says "$gaps" '^key access,enforced,.*accounts/openai,.*about keys \(deny\)'
check 'gaps: what is not enforced only watches' says "$gaps" '^public access,watched,.*deny, not enforced'
check 'gaps: disabled guards nothing; what would' says "$gaps" '^encryption,none,.*customer-managed key.*,Deny,/providers/Microsoft.Authorization/policyDefinitions/'
check 'gaps: diagnostics' says "$gaps" '^diagnostics,none,.*DeployIfNotExists'
check 'gaps: the sum' says "$gaps" '1 AI resources: 2 guardrails guarded, 3 missing, 0 unknown'
check 'gaps: only gaps unless asked' test "$(p gaps --store "$scratch/guarded" --format csv | grep -c enforced,)" = 0

data=$shared/policy
cases=$(dirname "$azimuth")/test/policy_cases
if [ ! -d "$data" ]; then
  echo "without $data: cases and definitions of others are left out"
  finish
fi
# Three cases put the name of an alias in the place of its path; see docs/policy.md.
out=$("$cases" "$data/cases-dev.jsonl")
check 'cases of others' says "$out" '^1118 passed, 3 failed'
check 'published definitions compile' says "$("$cases" --compile "$data/builtin-dev.jsonl.gz")" ' passed, 0 failed'
if [ -f "$shared/bench/gen_tenant.py" ]; then
  python3 "$shared/bench/gen_tenant.py" --out "$scratch/generated" --resources 10000 >/dev/null
  python3 "$here/bench/policy_tenant.py" --definitions "$data/builtin-dev.jsonl.gz" --count 5000 \
    --management-group contoso --out "$scratch/assigned" "$scratch/generated" >/dev/null
  "$azimuth" import --store "$scratch/large" "$scratch/assigned" >/dev/null 2>&1
  check 'published definitions evaluate without error' test "$(p eval --store "$scratch/large" --state Error --format csv | wc -l)" = 1
  check 'and find something' test "$(p eval --store "$scratch/large" --state NonCompliant --format csv | wc -l)" -gt 1000
fi
finish
