#!/usr/bin/env bash
# azimuth exposure: who reaches a resource of the example tenant, hop by hop; what is asked wrongly;
# names that were made for a terminal.
. "$(dirname "$0")/lib.sh"
store=$scratch/store
"$azimuth" import --store "$store" examples/contoso >/dev/null 2>&1
x() { "$azimuth" exposure "$@" --store "$store" 2>&1; }

out=$(x aif-contoso-prod)
check 'the internet is named though it is closed' says "$out" '^closed  Internet: any address'
check 'the setting that closes it' says "$out" '✗ setting +publicNetworkAccess is Disabled'
check 'the sandbox reaches production' says "$out" '^reachable  PeeredNetwork: vnet-ai-sandbox/snet-ml, tcp 443'
check 'by the peering' says "$out" '✓ peering +peering tmp-dataset-copy of vnet-ai-prod'
check 'and past the rule' says "$out" '✓ group in +nsg-snet-pe-ai-prod: allowed by allow-https-from-contoso \(100\)'
check 'the case of a name does not matter' test "$(x AIF-Contoso-Prod)" = "$out"

id=$("$azimuth" query --store "$store" --format csv 'resources | where name == "aif-contoso-prod" and type =~ "microsoft.cognitiveservices/accounts" | project id' | sed -n 2p | tr -d '\r')
check 'an id names it too' test "$(x "$id")" = "$out"
check 'only from one class' test "$(x aif-contoso-prod --from internet | grep -c '^[a-z]*  [A-Z]')" = 1
check 'only what is open' test "$(x aif-contoso-prod --open | grep -c '^closed')" = 0
check 'JSON has the hops' python3 -c '
import json, sys
answer = json.loads(sys.argv[1])
assert answer["target"]["name"] == "aif-contoso-prod"
first = answer["exposures"][0]
assert first["source"] == "Internet" and first["verdict"] == "closed"
assert [hop["kind"] for hop in first["hops"]] == ["from", "setting"], first
' "$(x aif-contoso-prod --format json)"
check 'CSV has a row a hop' says "$(x aif-contoso-prod --format csv | head -1)" '^Exposure,SourceClass,Source,Verdict,Step,Kind,State,ObjectId,Text'

all=$(x)
check 'what is open comes first' test "$(sed -n 3p <<<"$all" | cut -d' ' -f1)" = reachable
check 'an open vault' says "$all" 'reachable +Internet +kv-campaign-lab'
check 'the summary and the table of KQL agree' test \
  "$(x --from Internet --format csv | grep -c '^reachable')" = \
  "$("$azimuth" query --store "$store" --format csv 'NetworkExposure | where SourceClass == "Internet" and Verdict == "reachable" | distinct TargetId | count' | sed -n 2p | tr -d '\r')"

check 'a name that is not there' says "$(x aif-contoso-prd)" "did you mean 'aif-contoso-prod'"
check 'a class that there is not' says "$(x aif-contoso-prod --from moon)" 'one of Internet, '
check 'what has no endpoint' says "$(x vnet-hub)" 'nothing listens at'
check 'a store is wanted' says "$("$azimuth" exposure x 2>&1)" '^azimuth: usage: azimuth exposure'
check 'and that is an error' test "$(x nothing-there >/dev/null; echo $?)" != 0

check 'a machine gets out by default' says "$(x vm-render-01)" '^reachable  Internet: any address, any'
check 'by the exit that Azure gives' says "$(x vm-render-01)" '✓ exit +default outbound access of Azure'
check 'an approved network is closed' says "$(x mlw-fraud-prod --to internet)" '^closed  Internet: any address'
check 'agents go out by the firewall, whose rules are missing' says "$(x aif-contoso-prod --to internet)" '[?] firewall +the rules of firewall policy afwp-hub'
check 'JSON has the outbound hops' python3 -c '
import json, sys
answer = json.loads(sys.argv[1])
first = answer["outbound"][0]
assert first["destination"] == "Internet" and first["verdict"] == "reachable", first
assert [hop["kind"] for hop in first["hops"]] == ["from", "group out", "route", "exit"], first
assert answer["exposures"]
' "$(x vm-render-01 --format json)"
check 'CSV of one side' says "$(x vm-render-01 --to Internet --format csv | head -1)" '^Outbound,DestinationClass,Destination,Verdict,Step'
check 'all computes, open first' test "$(x --to Internet | sed -n 3p | cut -d' ' -f1)" = reachable
check 'that list and the table of KQL agree' test \
  "$(x --to Internet --format csv | grep -c '^reachable')" = \
  "$("$azimuth" query --store "$store" --format csv 'OutboundExposure | where DestinationClass == "Internet" and Verdict == "reachable" | count' | sed -n 2p | tr -d '\r')"
check 'a destination that there is not' says "$(x vm-render-01 --to moon)" '--to is one of Internet, '

mkdir "$scratch/hostile"
cat >"$scratch/hostile/resources.jsonl" <<'J'
{"id":"/subscriptions/s/resourceGroups/r/providers/Microsoft.KeyVault/vaults/k","name":"k\u001b[31m\u202e","type":"microsoft.keyvault/vaults","properties":{"publicNetworkAccess":["x"],"networkAcls":"\u001b]0;x"}}
{"id":"/subscriptions/s/resourceGroups/r2/providers/Microsoft.KeyVault/vaults/t","name":"twin","type":"microsoft.keyvault/vaults","properties":{}}
{"id":"/subscriptions/s/resourceGroups/r3/providers/Microsoft.KeyVault/vaults/t","name":"twin","type":"microsoft.keyvault/vaults","properties":null}
J
"$azimuth" import --store "$scratch/hostile-store" "$scratch/hostile" >/dev/null 2>&1
store=$scratch/hostile-store
check 'control characters do not reach the terminal' test "$(x /subscriptions/s/resourceGroups/r/providers/Microsoft.KeyVault/vaults/k | grep -c $'\x1b')" = 0
check 'two of a name are told apart' says "$(x twin)" '2 resources are called'
finish
