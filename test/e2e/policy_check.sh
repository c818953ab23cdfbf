#!/usr/bin/env bash
# azimuth policy check: a template and a plan against the policies of a small tenant of our own.
. "$(dirname "$0")/lib.sh"
mkdir "$scratch/tenant"
id=11111111-1111-1111-1111-111111111111
sub=/subscriptions/$id
group=$sub/resourceGroups/rg
auth=providers/Microsoft.Authorization
top=/providers/Microsoft.Management/managementGroups/top
cat >"$scratch/tenant/resourcecontainers.jsonl" <<J
{"id":"$top","name":"top","type":"microsoft.management/managementgroups","properties":{"details":{"parent":{}}}}
{"id":"$sub","name":"Sub","type":"microsoft.resources/subscriptions","subscriptionId":"$id","properties":{"managementGroupAncestorsChain":[{"name":"top"}]}}
{"id":"$group","name":"rg","type":"microsoft.resources/subscriptions/resourcegroups","location":"eastus","resourceGroup":"rg","subscriptionId":"$id","tags":{"team":"ai"},"properties":{}}
J
# policy NAME RULE [MODE [ENFORCEMENT]]: a definition and its assignment at the top.
policy() {
  echo "{\"id\":\"$top/$auth/policyDefinitions/$1\",\"name\":\"$1\",\"type\":\"microsoft.authorization/policydefinitions\",\"properties\":{\"displayName\":\"about $1\",\"mode\":\"${3:-Indexed}\",\"policyRule\":$2}}"
  echo "{\"id\":\"$top/$auth/policyAssignments/$1\",\"name\":\"$1\",\"type\":\"microsoft.authorization/policyassignments\",\"properties\":{\"displayName\":\"assigned $1\",\"policyDefinitionId\":\"$top/$auth/policyDefinitions/$1\",\"scope\":\"$top\",\"enforcementMode\":\"${4:-Default}\",\"nonComplianceMessages\":[{\"message\":\"see the wiki on $1\"}]}}"
}
storage='{"field":"type","equals":"Microsoft.Storage/storageAccounts"}'
ai='{"field":"type","equals":"Microsoft.CognitiveServices/accounts"}'
{
  policy tls "{\"if\":{\"allOf\":[$storage,{\"field\":\"Microsoft.Storage/storageAccounts/minimumTlsVersion\",\"notEquals\":\"TLS1_2\"}]},\"then\":{\"effect\":\"deny\"}}"
  policy tags '{"if":{"field":"tags.team","exists":false},"then":{"effect":"modify","details":{"roleDefinitionIds":[],"operations":[{"operation":"add","field":"tags.team","value":"[resourceGroup().tags.team]"}]}}}'
  policy team '{"if":{"field":"tags.team","exists":false},"then":{"effect":"deny"}}'
  policy keys "{\"if\":{\"allOf\":[$ai,{\"field\":\"Microsoft.CognitiveServices/accounts/disableLocalAuth\",\"notEquals\":true}]},\"then\":{\"effect\":\"deny\"}}"
  policy public "{\"if\":{\"allOf\":[$ai,{\"field\":\"Microsoft.CognitiveServices/accounts/publicNetworkAccess\",\"notEquals\":\"Disabled\"}]},\"then\":{\"effect\":\"deny\"}}" Indexed DoNotEnforce
  policy diag "{\"if\":$ai,\"then\":{\"effect\":\"auditIfNotExists\",\"details\":{\"type\":\"Microsoft.Insights/diagnosticSettings\",\"existenceCondition\":{\"field\":\"Microsoft.Insights/diagnosticSettings/workspaceId\",\"exists\":true}}}}"
  policy model '{"if":{"allOf":[{"field":"type","equals":"Microsoft.CognitiveServices/accounts/deployments"},{"field":"Microsoft.CognitiveServices/accounts/deployments/model.name","notIn":["gpt-4o"]}]},"then":{"effect":"deny"}}' All
  policy container '{"if":{"allOf":[{"field":"type","equals":"Microsoft.Storage/storageAccounts/blobServices/containers"},{"field":"fullName","equals":"tfst/default/c"}]},"then":{"effect":"deny"}}' All
  policy https "{\"if\":{\"allOf\":[$storage,{\"field\":\"Microsoft.Storage/storageAccounts/supportsHttpsTrafficOnly\",\"equals\":false}]},\"then\":{\"effect\":\"deny\"}}"
  policy acls "{\"if\":{\"allOf\":[$storage,{\"count\":{\"field\":\"Microsoft.Storage/storageAccounts/networkAcls.ipRules[*]\",\"where\":{\"field\":\"Microsoft.Storage/storageAccounts/networkAcls.ipRules[*].value\",\"like\":\"8.*\"}},\"greater\":0}]},\"then\":{\"effect\":\"deny\"}}"
} >"$scratch/tenant/policyresources.jsonl"
store=$scratch/store
"$azimuth" import --store "$store" "$scratch/tenant" >/dev/null 2>&1 || { echo 'cannot import'; exit 1; }
p() { "$azimuth" policy check "$@" --store "$store" 2>&1; }

cat >"$scratch/main.json" <<'J'
{ // comments are allowed
  "parameters": {
    "prefix": {"type": "string", "minLength": 2},
    "tls": {"type": "string", "defaultValue": "TLS1_2", "allowedValues": ["TLS1_0", "TLS1_2"]},
    "parts": {"type": "array", "defaultValue": ["a", "b"]},
    "ai": {"type": "bool", "defaultValue": true},
    "secret": {"type": "secureString", "defaultValue": "hunter2"}
  },
  "functions": [{"namespace": "acme", "members": {"name": {"parameters": [{"name": "p", "type": "string"}],
    "output": {"type": "string", "value": "[concat(parameters('p'), '-ai')]"}}}}],
  "variables": {
    "account": "[acme.name(parameters('prefix'))]",
    "copy": [{"name": "names", "count": "[length(parameters('parts'))]", "input": "[concat(parameters('prefix'), parameters('parts')[copyIndex('names')])]"}]
  },
  "resources": [
    {"type": "Microsoft.Storage/storageAccounts", "apiVersion": "2023-01-01", "name": "[variables('names')[copyIndex()]]",
     "location": "[resourceGroup().location]", "copy": {"name": "st", "count": "[length(variables('names'))]", "mode": "serial", "batchSize": 1},
     "properties": {"minimumTlsVersion": "[if(equals(copyIndex(), 0), parameters('tls'), 'TLS1_0')]"}},
    /* the account, with what only the deployment knows */
    {"condition": "[parameters('ai')]", "type": "Microsoft.CognitiveServices/accounts", "apiVersion": "2023-05-01",
     "name": "[variables('account')]", "location": "eastus", "tags": {"team": "x", "note": "[parameters('secret')]"},
     "properties": {"publicNetworkAccess": "Enabled", "disableLocalAuth": "[reference(resourceId('Microsoft.KeyVault/vaults', 'v')).x]"},
     "resources": [{"type": "deployments", "apiVersion": "2023-05-01", "name": "chat", "properties": {"model": {"name": "gpt-35-turbo"}}}]},
    {"type": "Microsoft.Insights/diagnosticSettings", "apiVersion": "2021-05-01-preview", "name": "d",
     "scope": "[format('Microsoft.CognitiveServices/accounts/{0}', variables('account'))]",
     "properties": {"workspaceId": "[resourceId('Microsoft.OperationalInsights/workspaces', 'w')]"}},
    {"type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "inner", "properties": {"mode": "Incremental",
     "expressionEvaluationOptions": {"scope": "inner"}, "parameters": {"n": {"value": "[concat(parameters('prefix'), 'in')]"}},
     "template": {"parameters": {"n": {"type": "string"}}, "resources": [
       {"type": "Microsoft.Storage/storageAccounts", "apiVersion": "2023-01-01", "name": "[parameters('n')]", "properties": {"minimumTlsVersion": "TLS1_1"}}]}}},
    {"type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "far", "properties": {"mode": "Incremental",
     "templateLink": {"uri": "https://example.invalid/t.json"}}},
    {"type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "near", "properties": {"mode": "Incremental",
     "templateLink": {"relativePath": "linked.json"}, "parameters": {"n": {"value": "linked"}}}}
  ],
  "outputs": {"x": {"type": "string", "value": "[nosuch()]"}}
}
J
echo '{"parameters":{"n":{"type":"string"}},"resources":[{"type":"Microsoft.Storage/storageAccounts","apiVersion":"2023-01-01","name":"[parameters(\u0027n\u0027)]","properties":{"minimumTlsVersion":"TLS1_0"}}]}' >"$scratch/linked.json"
echo '{"parameters":{"prefix":{"value":"acme"}}}' >"$scratch/values.json"
rows=$(p "$scratch/main.json" --parameters "$scratch/values.json" --scope "$group" --format csv)
check 'denied gives 1' test "$(p "$scratch/main.json" --parameters "$scratch/values.json" --scope "$group" >/dev/null; echo $?)" = 1
check 'a loop, its index and a variable of a loop' says "$rows" '^denied,.*storageAccounts/acmeb,Microsoft.Storage/storageAccounts,resources\[0\]#1,"[^"]*minimumTlsVersion is ""TLS1_0"", notEquals ""TLS1_2""",deny,about tls,.*,see the wiki on tls'
check 'the first of the loop is well' test -z "$(grep '^denied' <<<"$rows" | grep 'storageAccounts/acmea,')"
check 'modify, with the tag of the group' says "$rows" '^changed,.*storageAccounts/acmea,.*"tags.team: null -> ""ai""",modify'
check 'and deny sees what modify made' test -z "$(grep ',about team,' <<<"$rows")"
check 'what only the deployment knows is unknown' says "$rows" "^unknown,.*accounts/acme-ai,.*depends on reference\('$group/providers/Microsoft.KeyVault/vaults/v'\)"
check 'not enforced is flagged' says "$rows" '^flagged,.*accounts/acme-ai,.*deny \(not enforced\),about public,'
check 'a child by its whole name' says "$rows" '^denied,.*accounts/acme-ai/deployments/chat,Microsoft.CognitiveServices/accounts/deployments,resources\[1\].resources\[0\],.*""gpt-35-turbo"", notIn'
check 'an extension is related to what it hangs on' test -z "$(grep ',about diag,' <<<"$rows")"
check 'a nested template with its own parameters' says "$rows" '^denied,.*storageAccounts/acmein,.*resources\[3\].resources\[0\],.*TLS1_1'
check 'a template beside it' says "$rows" '^denied,.*storageAccounts/linked,.*resources\[5\].resources\[0\],'
text=$(p "$scratch/main.json" --parameters "$scratch/values.json" --scope "$group")
check 'as text' says "$text" '^    because     Microsoft.CognitiveServices/accounts/deployments/model.name is "gpt-35-turbo", notIn \["gpt-4o"\]'
check 'with the assignment' says "$text" "assignment  assigned model  $top"
check 'a template that is not here is said' says "$text" '^note: resources\[4\]: the linked template is not here'
check 'and the sum' says "$text" '^7 resources: 4 denied, 1 unknown, 1 changed'
check 'no secret is shown' test -z "$(grep hunter2 <<<"$rows$text")"
check 'one thread, the same' test "$rows" = "$(AZIMUTH_THREADS=1 p "$scratch/main.json" --parameters "$scratch/values.json" --scope "$group" --format csv)"
check 'elsewhere nothing is assigned' says "$(p "$scratch/main.json" --parameters "$scratch/values.json" --scope /subscriptions/2/resourceGroups/x)" 'does not say which management groups lie above'

# Symbolic names, a group and what is deployed into it, from a subscription.
cat >"$scratch/sub.json" <<'J'
{"languageVersion": "2.0", "parameters": {"none": {"type": "string", "nullable": true}}, "resources": {
  "old": {"existing": true, "type": "Microsoft.Storage/storageAccounts", "apiVersion": "2023-01-01", "name": "old"},
  "home": {"type": "Microsoft.Resources/resourceGroups", "apiVersion": "2022-09-01", "name": "new", "location": "eastus"},
  "inside": {"type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "d", "resourceGroup": "new", "dependsOn": ["home"],
   "properties": {"mode": "Incremental", "template": {"resources": [
     {"type": "Microsoft.Storage/storageAccounts", "apiVersion": "2023-01-01", "name": "[uniqueString(subscription().id)]", "tags": {"team": "x"}, "properties": {"minimumTlsVersion": "TLS1_0"}},
     {"type": "Microsoft.Storage/storageAccounts", "apiVersion": "2023-01-01", "name": "[take(newGuid(), 8)]", "tags": {"team": "x"}, "properties": {"minimumTlsVersion": "TLS1_0"}},
     {"condition": "[empty(list('x', '2020-01-01'))]", "type": "Microsoft.Storage/storageAccounts", "apiVersion": "2023-01-01", "name": "maybe", "tags": {"team": "x"}, "properties": {"minimumTlsVersion": "TLS1_0"}}]}}}}}
J
rows=$(p "$scratch/sub.json" --scope "$sub" --format csv)
check 'by symbolic name, in the new group' says "$rows" "^denied,$sub/resourceGroups/new/providers/Microsoft.Storage/storageAccounts/[a-z0-9]{13},.*,resources.inside.resources\[0\],"
check 'a name that is not known is no hindrance' says "$rows" '^denied,.*storageAccounts/\(unknown\),.*resources.inside.resources\[1\],'
check 'a condition that is not known makes the verdict unknown' says "$rows" '^unknown,.*storageAccounts/maybe,.*would be denied, but its condition depends on list'
check 'existing is not deployed' test -z "$(grep storageAccounts/old <<<"$rows")"

# From a management group down to a subscription, as Bicep writes modules and user functions.
cat >"$scratch/group.json" <<'J'
{"languageVersion": "2.0", "definitions": {"settings": {"type": "object"}},
 "functions": [{"namespace": "__bicep", "members": {"tls": {"parameters": [{"type": "object", "name": "s"}],
   "output": {"type": "string", "value": "[coalesce(tryGet(parameters('s'), 'tls'), 'TLS1_0')]"}}}}],
 "parameters": {"settings": {"$ref": "#/definitions/settings", "defaultValue": {}}, "sub": {"type": "string", "defaultValue": "11111111-1111-1111-1111-111111111111"}},
 "variables": {"$fxv#0": "[format('{0}{1}', 'mg', toLower('STORE'))]", "escaped": "[[no expression]"},
 "resources": {
  "assignment": {"type": "Microsoft.Authorization/policyAssignments", "apiVersion": "2024-04-01", "name": "x", "properties": {}},
  "module": {"type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "m", "location": "eastus", "subscriptionId": "[parameters('sub')]", "resourceGroup": "rg",
   "properties": {"expressionEvaluationOptions": {"scope": "inner"}, "mode": "Incremental", "parameters": {"name": {"value": "[variables('$fxv#0')]"}, "tls": {"value": "[__bicep.tls(parameters('settings'))]"}},
    "template": {"parameters": {"name": {"type": "string"}, "tls": {"type": "string"}}, "resources": [
      {"type": "Microsoft.Storage/storageAccounts", "apiVersion": "2023-01-01", "name": "[parameters('name')]", "location": "[resourceGroup().location]", "tags": {"team": "[variables('none')]"}, "properties": {"minimumTlsVersion": "[parameters('tls')]"}}],
     "variables": {"none": "x"}, "outputs": {}}}}}}
J
check 'from a management group, by a module' says "$(p "$scratch/group.json" --scope "$top" --format csv)" "^denied,$group/providers/Microsoft.Storage/storageAccounts/mgstore,.*resources.module.resources\\[0\\],.*TLS1_0"

# What modify makes of tags that only the deployment knows is unknown, and so is what deny sees of them.
echo '{"resources":[{"type":"Microsoft.Storage/storageAccounts","apiVersion":"2023-01-01","name":"t","tags":"[reference(\u0027x\u0027).tags]","properties":{"minimumTlsVersion":"TLS1_2","networkAcls":{"ipRules":[{"value":"[reference(\u0027y\u0027).ip]"},{"value":"9.9.9.9"}]}}},
 {"type":"Microsoft.Storage/storageAccounts","apiVersion":"2023-01-01","name":"u","tags":{"team":"[reference(\u0027x\u0027).team]"},"properties":{"minimumTlsVersion":"TLS1_2","networkAcls":{"ipRules":[{"value":"[reference(\u0027y\u0027).ip]"},{"value":"8.8.8.8"}]}}}]}' >"$scratch/open.json"
rows=$(p "$scratch/open.json" --scope "$group" --format csv)
check 'unknown tags: modify is unknown' says "$rows" '^unknown,.*storageAccounts/t,.*,modify,'
check 'unknown tags: deny too' says "$rows" '^unknown,.*storageAccounts/t,.*,deny,about team,'
check 'a count of unknown members is unknown' says "$rows" '^unknown,.*storageAccounts/t,.*,deny,about acls,'
check 'unless enough are known' says "$rows" '^denied,.*storageAccounts/u,.*,deny,about acls,'

# What is wrong is said: 2.
bad() {
  echo "$2" >"$scratch/bad.json"
  local out
  out=$(p "$scratch/bad.json" --scope "$group")
  check "$1: 2" test $? = 2
  check "$1: why" says "$out" "$3"
}
bad 'no template' '{"a":1}' 'no ARM template'
bad 'a parameter without value' '{"parameters":{"x":{"type":"string"}},"resources":[]}' "'x' has no value and no default"
bad 'a wrong function' '{"resources":[{"type":"A.B/c","name":"[nosuch(1)]"}]}' 'nosuch\(\) is no function of templates'
bad 'names that do not fit' '{"resources":[{"type":"A.B/c/d","name":"x"}]}' "the name 'x' does not fit the segments"
bad 'a variable by itself' '{"variables":{"v":"[variables(\u0027v\u0027)]"},"resources":[{"type":"A.B/c","name":"[variables(\u0027v\u0027)]"}]}' "'v' is defined by itself"
bad 'too many turns' '{"resources":[{"type":"A.B/c","name":"x","copy":{"name":"l","count":1000000}}]}' 'count of a copy loop'
echo '{"parameters":{"prefix":{"value":"acme"},"tls":{"value":"TLS9"}}}' >"$scratch/wrong.json"
check 'a value that is not allowed' says "$(p "$scratch/main.json" --parameters "$scratch/wrong.json" --scope "$group")" "'tls' is none of its allowedValues"
echo '{"parameters":{"prefix":{"value":"acme"},"more":{"value":1}}}' >"$scratch/wrong.json"
check 'a parameter that is not declared' says "$(p "$scratch/main.json" --parameters "$scratch/wrong.json" --scope "$group")" "'more', which the template does not declare"
check 'without a scope' says "$(p "$scratch/main.json")" 'check needs --scope'
echo '{"resources":[]}' >"$scratch/none.json"
p "$scratch/none.json" --scope "$group" >/dev/null
check 'nothing denied gives 0' test $? = 0

# Terraform.
change() { echo "{\"address\":\"$1.x\",\"mode\":\"managed\",\"type\":\"$1\",\"name\":\"x\",\"change\":{\"actions\":[\"${4:-create}\"],\"after\":$2,\"after_unknown\":$3}}"; }
{
  echo '{"format_version":"1.2","terraform_version":"1.9.0","resource_changes":['
  change azurerm_storage_account '{"name":"tfst","resource_group_name":"rg","location":"eastus","account_tier":"Standard","account_replication_type":"LRS","min_tls_version":"TLS1_0","tags":{"team":"q"},"network_rules":[{"default_action":"Deny","bypass":["AzureServices"],"ip_rules":["8.8.8.8"]}]}' '{"id":true,"network_rules":[{"ip_rules":[false]}]}'
  echo ,
  change azurerm_storage_container '{"name":"c","container_access_type":"blob"}' '{"id":true,"storage_account_id":true}'
  echo ,
  change azurerm_cognitive_account '{"name":"tfai","resource_group_name":"rg","location":"eastus","kind":"OpenAI","sku_name":"S0","public_network_access_enabled":false,"tags":{"team":"q"}}' '{"id":true,"local_auth_enabled":true}'
  echo ,
  change azurerm_cognitive_deployment '{"name":"chat","model":[{"name":"gpt-4o","format":"OpenAI","version":null}]}' '{"cognitive_account_id":true,"model":[{}]}'
  echo ,
  change azapi_resource '{"type":"Microsoft.CognitiveServices/accounts@2023-05-01","name":"papi","location":"eastus","tags":{"team":"q"},"body":"{\"properties\":{\"publicNetworkAccess\":\"Enabled\",\"disableLocalAuth\":false}}","parent_id":"'"$group"'"}' '{"id":true}'
  echo ,
  change azurerm_storage_account '{"name":"gone","resource_group_name":"rg","min_tls_version":"TLS1_0"}' '{}' delete
  echo ,
  echo '{"address":"azurerm_storage_account.older","mode":"managed","type":"azurerm_storage_account","name":"older","change":{"actions":["create"],"after":{"name":"older","resource_group_name":"rg","tags":{"team":"q"},"min_tls_version":"TLS1_2","enable_https_traffic_only":false,"network_rules":[]},"after_unknown":{}}},'
  change azurerm_something_new '{}' '{}'
  echo '],"configuration":{"root_module":{"resources":['
  echo '{"type":"azurerm_storage_container","name":"x","expressions":{"storage_account_id":{"references":["azurerm_storage_account.x.id","azurerm_storage_account.x"]}}},'
  echo '{"type":"azurerm_cognitive_deployment","name":"x","expressions":{"cognitive_account_id":{"references":["azurerm_cognitive_account.x.id","azurerm_cognitive_account.x"]}}}]}}}'
} >"$scratch/plan.json"
rows=$(p "$scratch/plan.json" --scope "$sub" --format csv)
check 'plan: a property' says "$rows" "^denied,$group/providers/Microsoft.Storage/storageAccounts/tfst,Microsoft.Storage/storageAccounts,azurerm_storage_account.x,.*minimumTlsVersion is \"\"TLS1_0\"\""
check 'plan: a list of a block' says "$rows" '^denied,.*/tfst,.*,deny,about acls,'
check 'plan: the parent by reference' says "$rows" "^denied,$group/providers/Microsoft.Storage/storageAccounts/tfst/blobServices/default/containers/c,.*fullName is \"\"tfst/default/c\"\""
check 'plan: known after apply is unknown' says "$rows" '^unknown,.*accounts/tfai,.*depends on azurerm_cognitive_account.x.local_auth_enabled, known after apply",deny,about keys'
check 'plan: a model that is allowed' test -z "$(grep ',about model,' <<<"$rows")"
check 'plan: a name of an older provider' says "$rows" '^denied,.*storageAccounts/older,.*supportsHttpsTrafficOnly is false'
check 'plan: an attribute under no known name is unknown' says "$rows" "^unknown,.*storageAccounts/tfst,.*https_traffic_only_enabled.*which this version of the provider lacks\",deny,about https"
check 'plan: azapi' says "$rows" "^denied,$group/providers/Microsoft.CognitiveServices/accounts/papi,.*disableLocalAuth is false"
check 'plan: what is deleted is not looked at' test -z "$(grep '/gone,' <<<"$rows")"
check 'plan: a type without mapping is said' says "$rows" 'mapping table has no azurerm_something_new'
finish
