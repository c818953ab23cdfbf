#!/usr/bin/env bash
# Collect: the example tenant over the wire is the one from files; faults, refusals, secrets,
# a run that is killed. The services are test/replay/replay.py, on this machine.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/collect_lib.sh"

contents() {
  local table
  for table in resources resourcecontainers authorizationresources policyresources securityresources \
    diagnosticsettings users groups groupMembers servicePrincipals applications applicationOwners \
    federatedIdentityCredentials oauth2PermissionGrants conditionalAccessPolicies namedLocations \
    directoryRoleDefinitions directoryRoleAssignments accessReviews; do
    echo "$table"
    "$azimuth" query --store "$1" --format csv "$table | order by id asc, tostring(pack_all()) asc"
  done
  # The service gives more columns than the file has.
  "$azimuth" query --store "$1" --format csv 'roleEligibilityScheduleInstances
    | project id, principalId, principalType, roleDefinitionId, scope, status, memberType, startDateTime, endDateTime'
}

# --- the whole tenant ---
"$azimuth" import --quiet --store "$scratch/files" examples/contoso
findings "$scratch/files" >"$scratch/findings-files"
contents "$scratch/files" >"$scratch/contents-files"
serve --tenant examples/contoso --page 40
collect --store "$scratch/live" "$scratch/raw"
check 'a tenant is collected' test $? -eq 0
check 'the plan is shown before' says "$out" '^plan: [0-9]+ calls or more in 6 subscriptions, about'
check 'nothing was refused for its pace' test "$(stats refused)" = 0
check 'nothing was written' test "$(stats writes)" = 0
check 'nothing but GET and lists was asked for' test -z "$(python3 - "$scratch/requests" <<'P'
import json, sys
for line in open(sys.argv[1]):
    call = json.loads(line)
    path = call["url"].split("?")[0].lower()
    if call["method"] != "GET" and not path.endswith(("/token", "/$batch", "/resources")):
        print(call["method"], path)
P
)"
findings "$scratch/live" >"$scratch/findings-live"
contents "$scratch/live" >"$scratch/contents-live"
check 'its findings are those of the files' cmp "$scratch/findings-files" "$scratch/findings-live"
check 'its tables are those of the files' cmp "$scratch/contents-files" "$scratch/contents-live"
"$azimuth" import --quiet --store "$scratch/again" "$scratch/raw"
contents "$scratch/again" >"$scratch/contents-again"
check 'importing the folder gives the same' cmp "$scratch/contents-live" "$scratch/contents-again"

# --- archives ---
"$azimuth" collect archive "$scratch/raw" "$scratch/kept.tar.zst"
check 'a collection becomes one file' test $? -eq 0
check 'that only its owner may read' test "$(stat -c %a "$scratch/kept.tar.zst")" = 600
"$azimuth" import --quiet --store "$scratch/kept" "$scratch/kept.tar.zst"
contents "$scratch/kept" >"$scratch/contents-kept"
check 'importing the archive gives the same' cmp "$scratch/contents-live" "$scratch/contents-kept"
findings "$scratch/kept" >"$scratch/findings-kept"
check 'with the same findings' cmp "$scratch/findings-live" "$scratch/findings-kept"
cp "$scratch/kept.tar.zst" "$scratch/cut.tar.zst" && truncate -s -40 "$scratch/cut.tar.zst"
check 'a cut archive is refused' says "$("$azimuth" import --store "$scratch/cut" "$scratch/cut.tar.zst" 2>&1)" 'cut|damaged'
check 'and no snapshot comes of it' test "$(value "$scratch/cut" 'resources | count')" != "$(value "$scratch/live" 'resources | count')"
python3 - "$scratch/evil.tar.zst" <<'P'
import io, sys, tarfile
with tarfile.open(sys.argv[1], "w") as archive:
    entry = tarfile.TarInfo("../../outside.jsonl")
    entry.size = 3
    archive.addfile(entry, io.BytesIO(b"{}\n"))
P
check 'an archive stays in its folder' says "$("$azimuth" import --store "$scratch/evil" "$scratch/evil.tar.zst" 2>&1)" 'no file of a collection'
check 'half a collection is no archive' says "$(mkdir "$scratch/half" && "$azimuth" collect archive "$scratch/half" "$scratch/half.tar.zst" 2>&1)" 'no complete collection'
"$azimuth" collect archive --redact "$scratch/raw" "$scratch/redacted.tar.zst"
"$azimuth" import --quiet --store "$scratch/redacted" "$scratch/redacted.tar.zst"
check 'redacted, it says nothing of whose it is' python3 "$(dirname "$0")/redacted.py" "$scratch/redacted.tar.zst" examples/contoso
findings "$scratch/redacted" >/dev/null
verdicts='Findings | summarize n = count() by ControlId, Status | order by ControlId asc, Status asc'
"$azimuth" query --store "$scratch/live" --format csv "$verdicts" >"$scratch/verdicts-live"
"$azimuth" query --store "$scratch/redacted" --format csv "$verdicts" >"$scratch/verdicts-redacted"
# By names: what a management group is for, and that an application is one of AI.
by_name='GO-001|GO-004|GO-017|GO-029|GO-032|ID-083|MN-037|SH-0..'
check 'redacted, it is judged as it was, but where a name is judged' test -z "$(diff "$scratch/verdicts-live" "$scratch/verdicts-redacted" | grep '^[<>]' | grep -vE "$by_name")"

check 'what was read is told' test "$(value "$scratch/live" 'CollectionStatus | where Status == "collected" | count')" -ge 19
check 'nothing is said to be missing' test "$(value "$scratch/live" 'CollectionStatus | where Status == "not collected" | count')" = 0
check 'an empty list is said to be empty' test "$(value "$scratch/live" 'CollectionStatus | where Dataset == "groupOwners" | project Status')" = empty
collect "$scratch/raw"
check 'a complete folder is not written again' test $? -eq 2
check 'it says so' says "$out" 'complete collection'
collect --only groups,nope "$scratch/other"
check 'an unknown table is refused' says "$out" "no source fills a table 'nope'"
mkdir "$scratch/mine" && touch "$scratch/mine/notes.txt"
collect "$scratch/mine"
check 'a folder with other files is refused' says "$out" 'no collection'
collect --only groupMembers "$scratch/members"
check 'one table brings its parents' test "$(cat "$scratch/members/groupMembers.jsonl" | wc -l)" = "$(wc -l <examples/contoso/groupMembers.jsonl)"
check 'and nothing else' test ! -e "$scratch/members/users.jsonl"
collect --plan
check 'the plan alone' says "$out" 'ai-deployments .* 6 or more'
check 'permissions are listed' says "$("$azimuth" collect permissions --only users)" 'User.Read.All'
stop_servers

# --- a run that is killed goes on where it was ---
serve --tenant examples/contoso --page 20 --slow 30
for delay in 0.9 1.2 0.7; do
  "$azimuth" collect --quiet --http-loopback --login-endpoint "$url" --arm-endpoint "$url" \
    --graph-endpoint "$url" "$scratch/killed" >/dev/null 2>&1 &
  pid=$!
  sleep $delay
  kill -9 $pid
  wait $pid 2>/dev/null
done
check 'it was killed in the middle' test -s "$scratch/killed/manifest.collect" -a ! -e "$scratch/killed/CollectionStatus.jsonl"
printf '{"id":"/half/a/line' >>"$scratch/killed/resources.jsonl"
printf '{"kind":"pa' >>"$scratch/killed/manifest.collect"
before=$(stats calls)
collect --store "$scratch/killed-store" "$scratch/killed"
check 'it goes on' test $? -eq 0
check 'it says that it does' says "$out" 'an earlier run taken up'
check 'many calls were in flight' test "$(stats most_at_once)" -ge 3
after=$(stats calls)
contents "$scratch/killed-store" >"$scratch/contents-killed"
check 'the end is the same' cmp "$scratch/contents-files" "$scratch/contents-killed"
stop_servers
serve --tenant examples/contoso --page 20
collect "$scratch/whole" # for the number of calls of a run that nobody killed
check 'what was read is not read again' test $((after - before)) -lt "$(stats calls)"
AZURE_TENANT_ID=33333333-3333-3333-3333-333333333333 collect "$scratch/whole"
check 'another tenant does not go into the folder' test $? -eq 2
stop_servers

# --- quotas: the second time it is slower, and all is there ---
serve --tenant examples/contoso --quota arm=20:40 --quota graph=60:60 --quota arg=3:1
collect --store "$scratch/paced" "$scratch/paced-raw"
check 'refusals for pace are waited for' test $? -eq 0
check 'and all is there' test "$(value "$scratch/paced" 'CollectionStatus | where Status == "not collected" | count')" = 0
contents "$scratch/paced" >"$scratch/contents-paced"
check 'with the same tables' cmp "$scratch/contents-files" "$scratch/contents-paced"
refused=$(stats refused)
check "after few refusals ($refused)" test "$refused" -lt 120
stop_servers

# --- tokens end in the middle ---
serve --tenant examples/contoso --page 20 --slow 20 --token-life 2
collect --store "$scratch/renewed" "$scratch/renewed-raw"
check 'tokens are renewed in the middle' test "$(stats tokens)" -gt 3
check 'and nothing is missing' test "$(value "$scratch/renewed" 'CollectionStatus | where Status == "not collected" | count')" = 0
stop_servers

# --- what goes wrong for a while is tried again; from here on nothing is about quotas ---
hurry 10
prod=aif-contoso-prod
serve "${quotas[@]}" --tenant examples/contoso --page 40 --fault "$prod/deployments=500*1" --fault "$prod/projects\$=503*1" \
  --fault "wire:.*$prod/connections=cut*1" --fault "wire:.*$prod/raiPolicies=truncate*1" \
  --fault 'mlw-fraud-prod/computes=429*2' --fault 'wire:.*mlw-fraud-prod/models?=html*1' \
  --fault 'groups/[^/]+/members=429*3' --fault 'wire:.*/users=401*1' --fault 'arg:Resources.*project=502*1' \
  --fault 'wire:.*batch=cut*1' --fault 'oauth2/v2.0/token=503*1'
collect --store "$scratch/shaky" "$scratch/shaky-raw"
check 'passing faults do not end a run' test $? -eq 0
contents "$scratch/shaky" >"$scratch/contents-shaky"
check 'passing faults lose nothing' cmp "$scratch/contents-files" "$scratch/contents-shaky"
stop_servers

# --- what stays wrong is a gap with a reason ---
serve "${quotas[@]}" --tenant examples/contoso --page 40 --fault "$prod/deployments=403" --fault 'aif-contoso-dr/deployments=404' \
  --fault 'aif-contoso-sandbox/deployments=500' --fault "wire:.*$prod/raiPolicies=truncate" \
  --fault "wire:.*$prod/connections=html" --fault 'mlw-fraud-prod/computes=loop' \
  --fault 'mlw-fraud-prod/datastores=endless' --fault 'mlw-fraud-prod/models\?=elsewhere' \
  --fault 'wire:.*mlw-fraud-prod/schedules=redirect' --fault 'wire:.*mlw-fraud-prod/data\?=garbage' \
  --fault 'wire:.*mlw-sandbox/computes=huge' --fault 'wire:.*mlw-sandbox/datastores=deep' --fault 'kv-ai-prod/secrets=echo' \
  --fault 'conditionalAccess/policies=licence' --fault 'groups/[^/]+/members=403*1' \
  --fault 'kv-portal-prod/secrets=none' --fault 'apim-ai-gateway-prod/backends=version' \
  --fault 'srch-support-prod/shared=mirror' --fault 'srch-claims-prod/shared=mirror' \
  --fault 'wire:.*oai-campaign-copy/deployments=cut' --fault 'kv-campaign-lab/secrets=409'
collect --most-pages 30 --store "$scratch/gaps" "$scratch/gaps-raw"
check 'gaps do not end a run' test $? -eq 0
reason() { value "$scratch/gaps" "CollectionStatus | where Dataset =~ '$1' and Scope endswith '$2' and Status == 'not collected' | project Reason"; }
check '403 names the permission' says "$(reason resources $prod)" 'not permitted: it needs Reader .403'
check '404 of a resource that is gone' says "$(reason resources aif-contoso-dr)" 'deleted meanwhile'
check '5xx says so' says "$(reason resources aif-contoso-sandbox)" 'service is in trouble .500'
check 'truncated JSON' says "$(reason resources $prod)" 'not whole JSON'
check 'another content type' says "$(reason resources $prod)" 'no JSON'
check 'pages in a circle' says "$(reason resources mlw-fraud-prod)" 'ml-computes: the pages go round'
check 'pages without an end' says "$(reason resources mlw-fraud-prod)" 'ml-datastores: there is no end of pages: stopped after 30'
check 'pages on another host' says "$(reason resources mlw-fraud-prod)" 'ml-models: the next page is said to be on another host .evil.example.'
check 'a redirect' says "$(reason resources mlw-fraud-prod)" 'ml-schedules: .*elsewhere .302'
check 'a list that is none' says "$(reason resources mlw-fraud-prod)" 'ml-data: the answer is no list'
check 'an answer nested ten thousand deep' says "$(reason resources mlw-sandbox)" 'ml-datastores: .*(deep|nest|JSON)'
check 'an answer without an end' says "$(reason resources mlw-sandbox)" 'larger than the limit'
check 'a connection that always ends' says "$(reason resources oai-campaign-copy)" 'ai-deployments: 127.0.0.1: '
check 'a conflict' says "$(reason resources kv-campaign-lab)" 'refused the call .409'
check 'a missing licence' says "$(reason conditionalAccessPolicies tenant)" 'no licence for it: it needs Microsoft Entra ID P1'
check 'one group is a gap of the table' says "$(reason groupMembers tenant)" 'not permitted: it needs GroupMember.Read.All'
check 'a provider that is not registered is no gap' test -z "$(reason resources kv-portal-prod)"
check 'a version that is gone is corrected' test "$(value "$scratch/gaps" 'resources | where type =~ "microsoft.apimanagement/service/backends" | count')" = 4
check 'gaps are shown' says "$out" 'not collected: '
check 'controls that become unknown are named' says "$out" 'controls with unknown verdicts.*: .*[A-Z]+-[0-9]+'
"$azimuth" assess --quiet --store "$scratch/gaps"
check 'verdicts about them are unknown' test "$(value "$scratch/gaps" "Findings | where ResourceId has '$prod' and Status != 'unknown' and ControlId in ('ID-001') | count")" = 0
check 'with the reason' says "$(value "$scratch/gaps" "Findings | where ResourceId endswith '$prod' and Status == 'unknown' | take 1 | project Reason")" 'not permitted|not whole|no JSON'
check 'others keep their verdict' test "$(value "$scratch/gaps" 'Findings | where Status == "fail" | count')" -gt 5
check 'nobody was asked elsewhere' test -z "$(grep -o 'evil.example/steal' "$scratch/requests")"
stop_servers

# --- recorded answers ---
a=/subscriptions/45ac5d59-ca07-438d-8da4-6066b2c1f9e0/resourceGroups/rg-ai-sandbox/providers/Microsoft.CognitiveServices/accounts/aif-contoso-sandbox
printf '{"method":"GET","url":"https://management.azure.com%s/deployments?api-version=2023-05-01","status":200,"body":{"value":[{"id":"%s/deployments/recorded","name":"recorded","type":"Microsoft.CognitiveServices/accounts/deployments"}]}}\n' "$a" "$a" >"$scratch/pairs.jsonl"
serve "${quotas[@]}" --tenant examples/contoso --recorded "$scratch/pairs.jsonl"
collect --only resources "$scratch/recorded"
check 'a recorded answer stands before the tenant' test "$(grep -c "$a/deployments/" "$scratch/recorded/resources.ai-deployments.jsonl")" = 1
stop_servers
cat >"$scratch/providers.jsonl" <<'P'
{"method":"GET","url":"https://management.azure.com/providers?api-version=2021-04-01","status":200,"body":{"value":[{"namespace":"Microsoft.KeyVault","registrationState":"Registered","resourceTypes":[]},{"namespace":"Microsoft.Quantum","registrationState":"Registered","resourceTypes":[]}]}}
{"method":"GET","url":"https://management.azure.com/providers/Microsoft.KeyVault?api-version=2021-04-01","status":200,"body":{"namespace":"Microsoft.KeyVault","resourceTypes":[{"resourceType":"vaults","aliases":[{"name":"Microsoft.KeyVault/vaults/sku.name"}]}]}}
P
serve "${quotas[@]}" --tenant examples/contoso --recorded "$scratch/providers.jsonl"
collect --store "$scratch/aliases" --only providerAliases "$scratch/aliases-raw"
check 'aliases of the providers around AI' test "$(value "$scratch/aliases" 'providerAliases | project strcat(id, " ", resourceTypes[0].aliases[0].name)')" = '/providers/Microsoft.KeyVault Microsoft.KeyVault/vaults/sku.name'
check 'and of no other' test "$(value "$scratch/aliases" 'providerAliases | count')$(value "$scratch/aliases" 'providers | count')" = 12
stop_servers

# --- nobody is signed in; a refused secret ---
serve "${quotas[@]}" --tenant examples/contoso
AZURE_CLIENT_SECRET=wrong-but-secret-text collect "$scratch/refused"
check 'a wrong secret ends the run' test $? -eq 2
check 'the number of the error is shown' says "$out" 'AADSTS7000215'
check 'the secret is not' test -z "$(grep -o wrong-but-secret-text <<<"$out")"
out=$("$azimuth" collect --login-endpoint "$url" --arm-endpoint "$url" --graph-endpoint "$url" "$scratch/plain" 2>&1)
check 'plain http is refused' says "$out" 'only https is used'
out=$("$azimuth" collect --http-loopback --login-endpoint http://203.0.113.9 "$scratch/plain2" 2>&1)
check 'plain http to others is refused with the test option, too' says "$out" 'only https is used'
collect --cloud moon "$scratch/moon"
check 'an unknown cloud' says "$out" "no cloud 'moon'; there are public, usgov, usgov-dod, china"
stop_servers

# --- no secret and no token in any file, log or word ---
# The text of a token is in its middle part: base64url of "planted-token".
"$azimuth" collect archive "$scratch/gaps-raw" "$scratch/gaps.tar.zst"
zstd -qdc "$scratch/gaps.tar.zst" >"$scratch/gaps.tar" # the scan looks into archives, too
check 'an archive is there to be scanned' grep -q '"mirror":"Bearer' "$scratch/gaps.tar"
check 'tokens were planted' grep -q cGxhbnRlZC10b2tlbi0 "$scratch/requests"
mv "$scratch/requests" "$scratch/../collect-requests.$$"
leaks=$(grep -rlE 'cGxhbnRlZC10b2tlbi0|planted-(s3cret|token|refresh|device)' "$scratch")
rm -f "$scratch/../collect-requests.$$"
check 'no secret is left anywhere' test -z "$leaks"
check 'a token in an answer is masked' grep -q '"mirror":"Bearer \*\*\*"' "$scratch/gaps-raw/resources.search-private-links.jsonl"
check 'a token in an error is masked' says "$(reason resources kv-ai-prod)" 'the call with Bearer \*\*\*'
check 'a crash leaves no core file' python3 "$(dirname "$0")/collect_crash.py" "$azimuth" "$(mktemp -d -p "$scratch")"
finish
