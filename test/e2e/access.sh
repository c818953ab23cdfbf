#!/usr/bin/env bash
# The access command on the example tenant and on hostile ones, and the identity cases
# of others where they are.
. "$(dirname "$0")/lib.sh"
store=$scratch/store
"$azimuth" import --store "$store" examples/contoso >/dev/null 2>&1 || { echo 'cannot import'; exit 1; }
a() { "$azimuth" access "$@" --store "$store" 2>&1; }
keys=Microsoft.CognitiveServices/accounts/listKeys/action

check 'who-can lists people with role and group' says "$(a who-can $keys aif-contoso-prod)" 'ines.albrecht@contoso.com +User +allowed +Owner .*grp-ai-production-owners'
check 'who-can shows eligible ones' says "$(a who-can $keys aif-contoso-prod --format csv)" ',eligible,'
check 'who-can as JSON' says "$(a who-can $keys aif-contoso-prod --format json)" '^\{"columns":\[\{"name":"Principal","type":"string"\}'
check 'who-can for every scope of a query' test "$(a who-can $keys --each 'AIAssets | where type =~ "microsoft.cognitiveservices/accounts"' --format csv | wc -l)" = 7
check 'an owner reads no blobs' says "$(a explain ines.albrecht@contoso.com Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read /subscriptions/54b0739f-e8ca-4ebc-a977-a6b490586cf2)" 'verdict +not allowed'
check 'explain shows the groups on the way' says "$(a explain ines.albrecht@contoso.com $keys aif-contoso-prod)" 'through +grp-ai-production-owners'
check 'explain as JSON' says "$(a explain ines.albrecht@contoso.com $keys aif-contoso-prod --format json)" '"verdict":"allowed".*"outcome":"grants","grants":true,"via":\["grp-ai-production-owners"\]'
check 'what-can names the classes' says "$(a what-can ines.albrecht@contoso.com)" 'Owner.*Assign roles'
check 'an unknown operation is said' says "$(a who-can Foo.Bar/x/read aif-contoso-prod)" 'is in no table of operations'
check 'an unknown principal suggests' says "$(a what-can ines.albrecht@contoso.co)" "did you mean 'ines.albrecht@contoso.com'"
check 'an unknown scope says what to give' says "$(a who-can $keys nothing-of-the-kind)" 'give a name it holds, or an id'
check 'a wrong query shows its place' says "$(a who-can $keys --each 'AIAsets')" "line 1, column 1: there is no table or function 'AIAsets'"
check 'a wrong format says which there are' says "$(a what-can ines.albrecht@contoso.com --format yaml)" 'table, json, jsonl, csv, markdown'
check 'without words: the usage' says "$(a)" 'usage: azimuth access who-can'
check 'a principal nobody collected' says "$(a explain 11111111-1111-1111-1111-111111111111 $keys aif-contoso-prod)" 'the principal is not in the data'

# Permissions against what was seen. Without logs nothing is called unused.
check 'without logs: unknown' test "$(a unused --format csv | grep -c ',unused,')" = 0
account=$(value "$store" 'resources | where name =~ "aif-contoso-prod" and type =~ "microsoft.cognitiveservices/accounts" | project id')
ines=$(value "$store" 'users | where userPrincipalName =~ "ines.albrecht@contoso.com" | project id')
for operation in MICROSOFT.COGNITIVESERVICES/ACCOUNTS/LISTKEYS/ACTION MICROSOFT.COGNITIVESERVICES/ACCOUNTS/DEPLOYMENTS/WRITE; do
  echo "{\"TimeGenerated\":\"2026-11-20T10:00:00Z\",\"OperationNameValue\":\"$operation\",\"ActivityStatusValue\":\"Success\",\"CategoryValue\":\"Administrative\",\"Authorization_d\":{\"scope\":\"$account\",\"evidence\":{\"principalId\":\"$ines\"}},\"_ResourceId\":\"$account\"}"
done >"$scratch/activity.jsonl"
"$azimuth" import --store "$store" --table AzureActivity "$scratch/activity.jsonl" >/dev/null 2>&1
u() { a unused "$@" --at 2026-11-25T00:00:00Z --format csv; }
check 'what was seen is used, through the group' says "$(u)" '^grp-ai-production-owners,Group,Owner,[^,]*,used,a smaller role covers what was seen,2,2,'
check 'an owner who did nothing is unused' says "$(u)" '^emergency-01@contoso.com,User,Owner,/,unused,'
check 'reads are never called unused' says "$(u)" '^grp-audit-readers,Group,Reader,[^,]*,unknown,"it grants reads'
check 'data that is not logged is unknown' says "$(u)" '^app-customer-portal,ManagedIdentity,Key Vault Secrets User,[^,]*,unknown,the data of 1 of 1'
check 'one principal' test "$(u ines.albrecht@contoso.com | wc -l)" = 4
check 'logs before the time asked for do not count' test "$(u --since 2026-11-21T00:00:00Z | grep -c ',used,')" = 0

# Data planes: the vault's log of either kind, the AI account's, the registry's.
vault=$(value "$store" 'resources | where type =~ "microsoft.keyvault/vaults" | top 1 by id asc | project id')
reader=11111111-aaaa-4bbb-8ccc-222222222222
oid=http://schemas.microsoft.com/identity/claims/objectidentifier
{
  echo "{\"TimeGenerated\":\"2026-11-20T10:00:00Z\",\"ResourceProvider\":\"MICROSOFT.KEYVAULT\",\"Category\":\"AuditEvent\",\"OperationName\":\"KeyGet\",\"httpStatusCode_d\":200,\"identity_claim_oid_g\":\"$reader\",\"_ResourceId\":\"$vault\"}"
  echo "{\"TimeGenerated\":\"2026-11-20T10:00:00Z\",\"ResourceProvider\":\"MICROSOFT.KEYVAULT\",\"Category\":\"AuditEvent\",\"OperationName\":\"SecretSet\",\"httpStatusCode_d\":403,\"identity_claim_oid_g\":\"$reader\",\"_ResourceId\":\"$vault\"}"
  echo "{\"TimeGenerated\":\"2026-11-20T10:00:00Z\",\"ResourceProvider\":\"MICROSOFT.COGNITIVESERVICES\",\"Category\":\"RequestResponse\",\"OperationName\":\"Embeddings_Create\",\"ResultSignature\":\"200\",\"properties_s\":\"{\\\"objectId\\\":\\\"$reader\\\"}\",\"_ResourceId\":\"$account\"}"
} >"$scratch/diagnostics.jsonl"
echo "{\"TimeGenerated\":\"2026-11-20T10:00:00Z\",\"HttpStatusCode\":200,\"OperationName\":\"SecretGet\",\"Identity\":{\"claim\":{\"$oid\":\"$reader\"}},\"_ResourceId\":\"$vault\"}" >"$scratch/vault.jsonl"
echo "{\"TimeGenerated\":\"2026-11-20T10:00:00Z\",\"OperationName\":\"Pull\",\"ResultType\":\"200\",\"Identity\":\"$reader\",\"_ResourceId\":\"/subscriptions/s/resourcegroups/g/providers/microsoft.containerregistry/registries/r\"}" >"$scratch/registry.jsonl"
for table in AzureDiagnostics:diagnostics AZKVAuditLogs:vault ContainerRegistryRepositoryEvents:registry; do
  "$azimuth" import --store "$store" --table "${table%%:*}" "$scratch/${table##*:}.jsonl" >/dev/null 2>&1
done
seen=$(value "$store" "ObservedOperations() | where PrincipalId == '$reader' | summarize strcat_array(array_sort_asc(make_set(strcat(Plane, ' ', tostring(split(Operation, '/', 1)[0]), ' ', extract('([^/]+/[^/]+)\$', 1, Operation)))), '; ')")
check 'data planes: each log by its own words, refusals left out' test "$seen" = 'control registries pull/read; data accounts embeddings/action; data vaults getsecret/action; data vaults keys/read'
secretReader=$(value "$store" 'servicePrincipals | where displayName == "app-customer-portal" | project id')
given=$(value "$store" "authorizationresources | where tostring(properties.principalId) == '$secretReader' and type =~ 'microsoft.authorization/roleassignments' | extend scope = tostring(properties.scope) | where scope contains 'vaults' | project scope")
check 'once the vault writes its log, silence means unused' says "$(u)" '^app-customer-portal,ManagedIdentity,Key Vault Secrets User,[^,]*,unused,none of'
echo "{\"TimeGenerated\":\"2026-11-20T10:00:00Z\",\"HttpStatusCode\":200,\"OperationName\":\"SecretGet\",\"Identity\":{\"claim\":{\"oid\":\"$secretReader\"}},\"_ResourceId\":\"$given\"}" >"$scratch/vault.jsonl"
"$azimuth" import --store "$store" --table AZKVAuditLogs "$scratch/vault.jsonl" >/dev/null 2>&1
check 'and used after it' says "$(u)" '^app-customer-portal,ManagedIdentity,Key Vault Secrets User,[^,]*,used,'
check 'the smallest custom role holds what was seen' says "$(u)" '""DataActions"":\[""Microsoft.KeyVault/vaults/secrets/getSecret/action""\],""AssignableScopes"":\[""/subscriptions/[^"/]*/resourceGroups/[^"/]*""\]'
check 'and the actions of the control plane' says "$(u)" '^grp-ai-production-owners,.*""Actions"":\[""Microsoft.CognitiveServices/accounts/deployments/write"",""Microsoft.CognitiveServices/accounts/listKeys/action""\],""DataActions"":\[\]'

# The same as tables of the language.
q() { "$azimuth" query --store "$store" --format csv "$@" 2>&1; }
check 'EffectiveAccess spreads groups' says "$(q 'EffectiveAccess | where Principal =~ "ines.albrecht@contoso.com" and OperationClass == "Assign roles" | project Via, Role, Eligible')" '^grp-ai-production-owners,Owner,false'
check 'EffectiveAccess shows eligible ones' says "$(q 'EffectiveAccess | where Eligible | distinct Role')" 'Azure AI Administrator'
check 'WhoCan() agrees with the command' test "$(q "WhoCan('$keys', 'aif-contoso-prod') | count" | tail -1 | tr -d '\r')" = "$(($(a who-can $keys aif-contoso-prod --format csv | wc -l) - 1))"
check 'WhatCan() joins' says "$(q 'WhatCan("ines.albrecht@contoso.com") | join kind=inner (print Role = "Owner") on Role | project Via')" 'grp-ai-production-owners'
check 'AccessPath() tells the hops' test "$(q 'AccessPath("ines.albrecht@contoso.com", "aif-contoso-prod") | where Role == "Owner" or Edge == "MemberOf" | summarize make_list(Edge) by Path | count' | tail -1 | tr -d '\r')" = 3
check 'wrong arguments are told' says "$(q 'WhoCan("x")')" 'WhoCan\(\) takes 2 to 3 arguments, not 1'
check 'arguments are constants' says "$(q 'users | extend x = toscalar(WhatCan(displayName) | count)')" 'constant|column|value'
check 'computed tables bind without data' test "$("$azimuth" query --check 'EffectiveAccess | where Eligible | join (WhoCan("a", "b")) on Scope')" = ok
check 'and are empty without data' test "$("$azimuth" query --format csv 'EffectiveAccess | count' | tail -1 | tr -d '\r')" = 0
check 'many threads give the same rows' test "$(AZIMUTH_THREADS=1 q 'EffectiveAccess' | md5sum)" = "$(AZIMUTH_THREADS=4 q 'EffectiveAccess' | md5sum)"

# An id given twice: the first name stays, in every spelling and number of threads; one that is a
# user and a group both hides nobody.
twice=$scratch/twice
mkdir "$twice"
sub=/subscriptions/54b0739f-e8ca-4ebc-a977-a6b490586cf2
cat >"$twice/users.jsonl" <<'END'
{"id":"aaaaaaaa-0000-0000-0000-000000000001","userPrincipalName":"first@contoso.com","userType":"Member"}
{"id":"AAAAAAAA-0000-0000-0000-000000000001","userPrincipalName":"later@contoso.com","userType":"Guest"}
{"id":"aaaaaaaa-0000-0000-0000-000000000002","userPrincipalName":"member@contoso.com","userType":"Member"}
END
echo '{"id":"AAAAaaaa-0000-0000-0000-000000000001","displayName":"as a group"}' >"$twice/groups.jsonl"
echo '{"groupId":"aaaaaaaa-0000-0000-0000-000000000001","id":"aaaaaaaa-0000-0000-0000-000000000002"}' >"$twice/groupMembers.jsonl"
echo "{\"id\":\"$sub/providers/Microsoft.Authorization/roleAssignments/x\",\"type\":\"microsoft.authorization/roleassignments\",\"properties\":{\"principalId\":\"aaaaAAAA-0000-0000-0000-000000000001\",\"roleDefinitionId\":\"/providers/Microsoft.Authorization/roleDefinitions/8e3af657-a8ff-443c-a75c-2fe8c4bcb635\",\"scope\":\"$sub\"}}" >"$twice/authorizationresources.jsonl"
"$azimuth" import --store "$scratch/twice-store" "$twice" >/dev/null 2>&1
t() { AZIMUTH_THREADS=$1 "$azimuth" access who-can $keys $sub --store "$scratch/twice-store" --format csv 2>/dev/null; }
check 'an id twice: the first name' says "$(t 1)" '^first@contoso.com,User,allowed,Owner,'
check 'an id that is a group too: its members as well' says "$(t 1)" '^member@contoso.com,User,allowed,Owner,[^,]*,first@contoso.com,'
check 'and so on any number of threads' test "$(t 1 | md5sum)" = "$(t 4 | md5sum)"
check 'the table says the same' test "$("$azimuth" query --store "$scratch/twice-store" --format csv 'EffectiveAccess | where OperationClass == "List AI keys" | summarize array_strcat = strcat_array(array_sort_asc(make_set(Principal)), " ")' | sed -n 2p | tr -d '\r')" = 'first@contoso.com member@contoso.com'
check 'and the graph' says "$("$azimuth" query --store "$scratch/twice-store" --format csv 'IdentityGraphNodes | where Name has "contoso.com" | project Name')" '^first@contoso.com'

# Conditional Access: what a sign-in meets, and which AI it covers.
ai='Azure AI services (Azure OpenAI)'
check 'a sign-in is told in words' says "$(a sign-in ines.albrecht@contoso.com "$ai" --facts '{"clientAppType":"browser"}')" '^the sign-in is let in with mfa$'
check 'what is not known may decide' says "$(a sign-in ines.albrecht@contoso.com "$ai")" '^the sign-in is let in with mfa; it is blocked if a policy applies that may'
check 'an old client is blocked' says "$(a sign-in ines.albrecht@contoso.com ChatGPT --facts '{"clientAppType":"other"}')" '^the sign-in is blocked$'
check 'each policy has its reason' says "$(a sign-in ines.albrecht@contoso.com "$ai" --format csv)" '^CA020 Require MFA for guests,on,no,,users: not included,'
check 'a managed identity is outside' says "$(a sign-in aif-contoso-prod "$ai" --format csv)" ',on,no,,'
check 'an unknown user is told' says "$(a sign-in nobody "$ai")" "no user or service principal 'nobody'"
check 'an unknown application is told' says "$(a sign-in ines.albrecht@contoso.com Nothing)" "no application 'Nothing'.*Azure AI services"
check 'facts are an object' says "$(a sign-in ines.albrecht@contoso.com "$ai" --facts '[1]')" "'--facts' takes a JSON object"
check 'facts that are no JSON' says "$(a sign-in ines.albrecht@contoso.com "$ai" --facts '{')" "'--facts' takes a JSON object.*ends too early"
check 'coverage of an application' says "$(a coverage --format csv)" '^application,ChatGPT,all,all,'
check 'coverage of a workload identity' says "$(a coverage --format csv)" '^workload identity,ChatGPT,none,,'
check 'managed identities are outside' says "$(a coverage --format csv)" '^managed identity,aif-contoso-prod,outside,'
check 'SignIn() as a table' says "$(q 'SignIn("ines.albrecht@contoso.com", "ChatGPT", dynamic({"clientAppType":"other"})) | where Effect == "blocks" | project Policy')" 'CA011'

mkdir "$scratch/places"
echo '{"id":"p","displayName":"outside","state":"enabled","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]},"locations":{"includeLocations":["All"],"excludeLocations":["AllTrusted"]}},"grantControls":{"operator":"OR","builtInControls":["block"]}}' >"$scratch/places/conditionalAccessPolicies.jsonl"
echo '{"id":"l","displayName":"office","@odata.type":"#microsoft.graph.ipNamedLocation","isTrusted":true,"ipRanges":[{"cidrAddress":"203.0.113.0/24"},{"cidrAddress":"2001:db8::/32"}]}' >"$scratch/places/namedLocations.jsonl"
echo '{"id":"u1","userPrincipalName":"u1@contoso.com","userType":"Member"}' >"$scratch/places/users.jsonl"
"$azimuth" import --store "$scratch/places.store" "$scratch/places" >/dev/null 2>&1
p() { "$azimuth" access sign-in u1@contoso.com "$ai" --facts "{\"ip\":\"$1\"}" --store "$scratch/places.store" 2>&1; }
check 'from the office' says "$(p 203.0.113.7)" 'let in without further proof'
check 'from the office, IPv6' says "$(p 2001:db8::7)" 'let in without further proof'
check 'from elsewhere' says "$(p 198.51.100.1)" '^the sign-in is blocked$'

# Hostile data: groups and management groups in circles, ids twice and in mixed case,
# assignments of nobody, of unknown roles, with conditions that cannot be read.
mkdir "$scratch/hostile"
cat >"$scratch/hostile/groupMembers.jsonl" <<'J'
{"groupId":"g1","id":"g2"}
{"groupId":"G2","id":"G1"}
{"groupId":"g2","id":"U1"}
{"groupId":"g1","id":"g1"}
J
cat >"$scratch/hostile/users.jsonl" <<'J'
{"id":"u1","userPrincipalName":"mallory\u001b[31m@example.com"}
{"id":"U1","userPrincipalName":"second"}
J
cat >"$scratch/hostile/resourcecontainers.jsonl" <<'J'
{"id":"/providers/Microsoft.Management/managementGroups/a","name":"a","type":"microsoft.management/managementgroups","properties":{"details":{"parent":{"name":"b"}}}}
{"id":"/providers/Microsoft.Management/managementGroups/b","name":"b","type":"microsoft.management/managementgroups","properties":{"details":{"parent":{"name":"A"}}}}
{"id":"/subscriptions/s","subscriptionId":"s","name":"s","type":"microsoft.resources/subscriptions","properties":{"managementGroupAncestorsChain":[{"name":"a"}]}}
J
cat >"$scratch/hostile/authorizationresources.jsonl" <<'J'
{"id":"r1","type":"microsoft.authorization/roleassignments","properties":{"principalId":"G1","scope":"/providers/microsoft.management/managementgroups/B/","roleDefinitionId":"/x/8E3AF657-A8FF-443C-A75C-2FE8C4BCB635"}}
{"id":"r2","type":"microsoft.authorization/roleassignments","properties":{"principalId":"gone","scope":"/subscriptions/s","roleDefinitionId":"/x/8e3af657-a8ff-443c-a75c-2fe8c4bcb635"}}
{"id":"r3","type":"microsoft.authorization/roleassignments","properties":{"principalId":"u1","scope":"/subscriptions/s","roleDefinitionId":"/x/no-such-role"}}
{"id":"r4","type":"microsoft.authorization/roleassignments","properties":{"principalId":"u2","scope":"/subscriptions/s","roleDefinitionId":"b24988ac-6180-42a0-ab88-20f7382dd24c","condition":"(((@Resource["}}
{"id":"r5","type":"microsoft.authorization/roledefinitions","name":"r5","properties":{"permissions":[{"actions":[1,null,{"a":[]}],"notActions":"all"},"x",7]}}
{"id":"r6","type":"microsoft.authorization/denyassignments","properties":{"permissions":[{"actions":["*"]}],"principals":"everybody"}}
{"id":"r7","type":"microsoft.authorization/roleassignments","properties":{"principalId":{"a":1},"scope":[1]}}
J
hostile=$scratch/hostile-store
"$azimuth" import --store "$hostile" "$scratch/hostile" >/dev/null 2>&1
h() { "$azimuth" access "$@" --store "$hostile" 2>&1; }
check 'circles of groups and management groups are walked' says "$(h explain u1 $keys /subscriptions/s)" 'verdict +allowed'
check 'an unknown role is said' says "$(h explain u1 $keys /subscriptions/s)" 'the role definition is not in the data'
check 'an id twice is one principal' test "$(h who-can $keys /subscriptions/s --format csv | grep -c ',User,')" = 1
check 'a principal that is gone is named as such' says "$(h who-can $keys /subscriptions/s)" 'gone \(not in the data\)'
check 'a condition that cannot be read leaves it open' says "$(h explain u2 $keys /subscriptions/s)" 'verdict +conditional'
check 'and says where' says "$(h explain u2 $keys /subscriptions/s)" 'cannot be read at character'
check 'no control characters reach the terminal' test -z "$(h who-can $keys /subscriptions/s | grep -F $'\033')"

# Rights that no role assignment gives: Azure Lighthouse and classic administrators.
mkdir "$scratch/others"
echo '{"id":"u1","userPrincipalName":"owner@contoso.com","mail":"Owner.Mail@contoso.com","userType":"Member"}' >"$scratch/others/users.jsonl"
echo '{"groupId":"g","id":"u1"}' >"$scratch/others/groupMembers.jsonl"
cat >"$scratch/others/resourcecontainers.jsonl" <<'J'
{"id":"/providers/Microsoft.Management/managementGroups/root","name":"root","type":"microsoft.management/managementgroups","properties":{}}
{"id":"/subscriptions/s","subscriptionId":"s","name":"s","type":"microsoft.resources/subscriptions","properties":{"managementGroupAncestorsChain":[{"name":"root"}]}}
J
cat >"$scratch/others/authorizationresources.jsonl" <<'J'
{"id":"/subscriptions/s/providers/Microsoft.Authorization/classicAdministrators/c1","type":"microsoft.authorization/classicadministrators","properties":{"emailAddress":"owner.mail@CONTOSO.com","role":"ServiceAdministrator;AccountAdministrator"}}
{"id":"/subscriptions/s/providers/Microsoft.Authorization/classicAdministrators/c2","type":"microsoft.authorization/classicadministrators","properties":{"emailAddress":"gone@live.com","role":"CoAdministrator"}}
{"id":"/subscriptions/s/providers/Microsoft.Authorization/classicAdministrators/c3","type":"microsoft.authorization/classicadministrators","properties":{"emailAddress":"payer@contoso.com","role":"AccountAdministrator"}}
J
definition=/subscriptions/s/providers/Microsoft.ManagedServices/registrationDefinitions
assignment=/subscriptions/s/resourceGroups/rg/providers/Microsoft.ManagedServices/registrationAssignments
cat >"$scratch/others/managedservicesresources.jsonl" <<J
{"id":"$definition/d1","type":"microsoft.managedservices/registrationdefinitions","properties":{"registrationDefinitionName":"run by Fabrikam","managedByTenantId":"99999999-9999-9999-9999-999999999999","authorizations":[{"principalId":"fabrikam-ops","principalIdDisplayName":"Fabrikam operations","roleDefinitionId":"/x/b24988ac-6180-42a0-ab88-20f7382dd24c"},{"principalId":"fabrikam-data","principalIdDisplayName":"Fabrikam data","roleDefinitionId":"ba92f5b4-2d11-453d-a403-e96b0029c9fe"},{"principalId":"fabrikam-policy","principalIdDisplayName":"Fabrikam policy","roleDefinitionId":"18d7d88d-d35e-4fb5-a5c3-7773c20a72d9","delegatedRoleDefinitionIds":["b24988ac-6180-42a0-ab88-20f7382dd24c","no guid'} OR Exists @Request[x"]},{"roleDefinitionId":"acdd72a7-3385-48ef-bd42-f606fba81ae7"}],"eligibleAuthorizations":[{"principalId":"fabrikam-night","principalIdDisplayName":"Fabrikam night shift","roleDefinitionId":"b24988ac-6180-42a0-ab88-20f7382dd24c"}]}}
{"id":"$assignment/a1","type":"Microsoft.ManagedServices/registrationAssignments","properties":{"registrationDefinitionId":"${definition^^}/D1","provisioningState":"Succeeded"}}
{"id":"$assignment/a2","type":"Microsoft.ManagedServices/registrationAssignments","properties":{"registrationDefinitionId":"$definition/not-there","provisioningState":"Succeeded"}}
{"id":"$assignment/a3","type":"Microsoft.ManagedServices/registrationAssignments","properties":{"registrationDefinitionId":"$definition/d1","provisioningState":"Failed"}}
{"id":"/subscriptions/s/providers/Microsoft.ManagedServices/registrationAssignments/a4","type":"Microsoft.ManagedServices/registrationAssignments","properties":{"registrationDefinition":{"properties":{"registrationDefinitionName":"inline","managedByTenantId":"t4","authorizations":[{"principalId":"inline-reader","roleDefinitionId":"acdd72a7-3385-48ef-bd42-f606fba81ae7"}]}}}}
J
others=$scratch/others-store
"$azimuth" import --store "$others" "$scratch/others" >/dev/null 2>&1
o() { "$azimuth" access "$@" --store "$others" 2>&1; }
rg=/subscriptions/s/resourceGroups/rg
blob=Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read
assign=Microsoft.Authorization/roleAssignments/write
check 'a delegated principal is listed as foreign' says "$(o who-can $keys $rg --format csv)" '^Fabrikam operations,Foreign,allowed,Contributor,/subscriptions/s/resourceGroups/rg,'
check 'a delegation ends at its scope' test "$(o who-can $keys /subscriptions/s --format csv | grep -c Fabrikam)" = 0
check 'and says where it comes from' says "$(o explain fabrikam-ops $keys $rg)" "from +Azure Lighthouse: 'run by Fabrikam' of tenant 99999999"
check 'no data is delegated' says "$(o explain fabrikam-data $blob $rg)" 'Azure Lighthouse delegates no data operations'
check 'nor listed' test "$(o who-can $blob $rg --format csv | grep -c Fabrikam)" = 0
check 'an eligible one is eligible' says "$(o who-can $keys $rg --format csv)" '^Fabrikam night shift,Foreign,eligible,'
check 'roles only to managed identities' says "$(o explain fabrikam-policy $assign $rg)" "verdict +conditional.*"
check 'and only those listed' says "$(o explain fabrikam-policy $assign $rg)" 'condition .*ForAnyOfAnyValues:GuidEquals .b24988ac-6180-42a0-ab88-20f7382dd24c.$'
check 'and nothing else of the role' says "$(o explain fabrikam-policy Microsoft.Resources/subscriptions/resourceGroups/read $rg)" 'its condition does not hold'
check 'a definition inside its assignment' says "$(o what-can inline-reader --format csv)" '^Reader,/subscriptions/s,active'
check 'one that failed gives nothing' test "$(o what-can fabrikam-ops --format csv | wc -l)" = 2
check 'EffectiveAccess has foreign ones, without data' test "$("$azimuth" query --store "$others" --format csv 'EffectiveAccess | where PrincipalKind == "Foreign" and Plane == "data" | count' | tail -1 | tr -d '\r')" = 0
check 'paths start at them' says "$("$azimuth" paths --store "$others" --from fabrikam-ops --to azureRole:Contributor 2>&1)" 'Fabrikam operations'
check 'a classic administrator has nothing today' says "$(o explain owner@contoso.com $keys /subscriptions/s)" 'verdict +not allowed'
check 'which is said' says "$(o explain owner@contoso.com $keys /subscriptions/s)" 'classic administrators were retired: it grants nothing'
check 'and had everything then' says "$(o explain owner@contoso.com $keys /subscriptions/s --at 2024-06-01)" 'verdict +allowed'
check 'one that is no user of the directory' says "$(o who-can $keys /subscriptions/s --at 2024-06-01 --format csv)" '^gone@live.com \(not in the data\),,allowed,Owner'
check 'who only pays has no right' test "$(o who-can $keys /subscriptions/s --at 2024-06-01 --format csv | grep -c payer)" = 0

# What was not collected makes an answer unknown.
mkdir "$scratch/gaps"
echo '{"id":"u1","userPrincipalName":"u1@contoso.com"}' >"$scratch/gaps/users.jsonl"
echo '{"Dataset":"authorizationresources","Scope":"tenant","Status":"not collected","Reason":"AuthorizationFailed","Rows":0}' >"$scratch/gaps/CollectionStatus.jsonl"
"$azimuth" import --store "$scratch/gaps-store" "$scratch/gaps" >/dev/null 2>&1
g() { "$azimuth" access "$@" --store "$scratch/gaps-store" 2>&1; }
check 'without role assignments: unknown' says "$(g explain u1 $keys /subscriptions/s)" 'verdict +unknown: what would decide it was not collected'
check 'with the reason' says "$(g explain u1 $keys /subscriptions/s)" 'role assignments .authorizationresources. are not in the snapshot: AuthorizationFailed'
check 'in JSON too' says "$(g explain u1 $keys /subscriptions/s --format json)" '"verdict":"unknown".*"notCollected":\["role assignments'
check 'who-can says it is not complete' says "$(g who-can $keys /subscriptions/s)" 'AuthorizationFailed: the answer is not complete'
check 'what no one asked to collect is named' says "$(g explain u1 $keys /subscriptions/s)" 'delegations to other tenants .managedservicesresources. are not in the snapshot'

cases=$shared/identity/cases-dev.jsonl
if [ -r "$cases" ]; then
  runner=$(dirname "$azimuth")/test/identity_cases
  for star in zero literal; do
    answer=$("$runner" --star-segment=$star "$cases" | tail -1)
    check "identity cases, $star: $answer" says "$answer" '^[1-9][0-9]* passed, 0 failed$'
  done
else
  echo 'identity cases are not here: not run'
fi
finish
