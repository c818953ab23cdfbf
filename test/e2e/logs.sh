#!/bin/bash
# azimuth import --logs: every shape in which Azure's logs travel becomes rows of the right table.
source "$(dirname "$0")/lib.sh"
fixtures=$PWD/test/logs
store=$scratch/store

# row QUERY: the answer as one line of CSV without its head.
row() { "$azimuth" query --store "$store" --format csv "$1" | sed 1d | tr -d '\r' | paste -sd'|'; }
is() {
  local got
  got=$(row "$2")
  check "$1: got '$got'" [ "$got" = "$3" ]
}

report=$("$azimuth" import --store "$store" --logs "$fixtures")
check 'all records are rows' says "$report" '^30 rows from 11 files'
check 'none is rejected' [ -z "$(ls "$store/rejects")" ]

# Diagnostic settings: object or text, one column of text for Azure OpenAI.
is 'properties as object and as text' \
  'AzureDiagnostics | where Category == "RequestResponse" | order by TimeGenerated asc | extend p = parse_json(properties_s) | project p.modelDeploymentName, p.requestLength, DurationMs, event_s, location_s' \
  'chat,40,310,ShoeboxCallResult,swedencentral|chat,40,311,,swedencentral'
is 'names of AzureDiagnostics' \
  'AzureDiagnostics | where Category == "RequestResponse" | take 1 | project ResourceProvider, ResourceType, Resource, ResourceGroup, SubscriptionId, _ResourceId has "aoai-one", Type, CallerIPAddress' \
  'MICROSOFT.COGNITIVESERVICES,ACCOUNTS,AOAI-ONE,RG-AI,10000000-0000-0000-0000-000000000001,true,AzureDiagnostics,203.0.113.***'
is 'suffixes' \
  'AzureDiagnostics | where Category == "OperationLogs" | project Description_s, Documents_d, IndexName_s, Nested_Flag_b, Nested_When_t, Nested_Id_g, Odd_name__s' \
  "POST /indexes('docs'),7.0,docs,true,2026-03-04T09:00:00.0000000Z,60000000-0000-0000-0000-000000000001,x"
is 'types of suffixes' \
  'AzureDiagnostics | getschema | where ColumnName in ("Documents_d", "Nested_Flag_b", "Nested_When_t", "Nested_Id_g") | order by ColumnName asc | project ColumnType' \
  'real|bool|guid|datetime'
is 'a category nobody knows' 'AzureDiagnostics | where Category == "Brand New" | project answer_d, ResourceProvider' \
  '42.0,CONTOSO.NEW'
is 'a gateway that logs prompts' \
  'ApiManagementGatewayLlmLog | project DeploymentName, PromptTokens, TotalTokens, Region, tostring(RequestMessages[0].content), CorrelationId' \
  'chat,12,42,Sweden Central,What is in the vault?,c-1'
is 'storage' \
  'StorageBlobLogs | project StatusCode, RequesterUpn, AuthenticationType, AccountName, ResponseBodySize, DurationMs, CallerIpAddress' \
  '200,jo@contoso.example,OAuth,trainone,99,5.0,203.0.113.9:5000'
is 'a tree of PT1H.json, with a record that came late' \
  'AZKVAuditLogs | order by TimeGenerated asc | project OperationName, HttpStatusCode, DurationMs, tostring(Identity.claim.appid)' \
  'SecretList,403,5,|SecretGet,200,78,50000000-0000-0000-0000-000000000001'

# The activity log in its two spellings, and as a query's answer.
is 'activity log' \
  'AzureActivity | order by TimeGenerated asc | project OperationNameValue, ActivityStatusValue, ActivitySubstatusValue, Caller, CategoryValue, Category, CallerIpAddress' \
  'MICROSOFT.COGNITIVESERVICES/ACCOUNTS/LISTKEYS/ACTION,Success,OK,jo@contoso.example,Administrative,,203.0.113.9|MICROSOFT.COGNITIVESERVICES/ACCOUNTS/DEPLOYMENTS/WRITE,Success,Created,jo@contoso.example,Administrative,Administrative,203.0.113.9|MICROSOFT.SEARCH/SEARCHSERVICES/DELETE,Success,,jo@contoso.example,,,|MICROSOFT.SEARCH/SEARCHSERVICES/WRITE,Failure,,bo@contoso.example,,,'
is 'claims as text and as an object' \
  'AzureActivity | where isnotempty(Claims_d.appid) | order by TimeGenerated asc | project tostring(Claims_d.appid), isnotempty(Claims)' \
  '50000000-0000-0000-0000-000000000001,true|x,false'
is 'parts of the resource' \
  'AzureActivity | where OperationNameValue has "listkeys" | project Resource, ResourceGroup, ResourceProviderValue, SubscriptionId, Hierarchy, Level, _ResourceId' \
  'AOAI-ONE,RG-AI,MICROSOFT.COGNITIVESERVICES,10000000-0000-0000-0000-000000000001,20000000-0000-0000-0000-000000000001/10000000-0000-0000-0000-000000000001,Informational,/subscriptions/10000000-0000-0000-0000-000000000001/resourcegroups/rg-ai/providers/microsoft.cognitiveservices/accounts/aoai-one'

# Entra and Graph, several tenants.
is 'sign-ins of four ways in' \
  'SigninLogs | order by TimeGenerated asc | project UserPrincipalName, ResultType, Location, tostring(LocationDetails.city), tostring(DeviceDetail.browser), TenantId' \
  'jo@contoso.example,50126,SE,Lund,,|jo@contoso.example,0,SE,Lund,,|jo@contoso.example,0,,,Edge,t-1|al@contoso.example,,,,,t-3|bo@contoso.example,50126,,,Safari,t-2'
is 'columns that hold JSON as text' \
  'AADNonInteractiveUserSignInLogs | project ResultType, DeviceDetail, AADTenantId, Type' \
  '0,"{""browser"":""Edge""}",20000000-0000-0000-0000-000000000001,AADNonInteractiveUserSignInLogs'
is 'a service principal' 'AADServicePrincipalSignInLogs | project ServicePrincipalName, ResultType, IPAddress' \
  'robot,7000215,203.0.113.10'
is 'audit logs of both kinds' \
  'AuditLogs | order by TimeGenerated asc | project Category, AADOperationType, tostring(InitiatedBy.user.userPrincipalName), OperationName' \
  'RoleManagement,Assign,jo@contoso.example,Add member to role|ApplicationManagement,Update,jo@contoso.example,Add service principal credentials'
is 'Microsoft 365' 'union CopilotActivity, OfficeActivity | order by TimeGenerated asc | project Type, SrcIpAddr, tostring(LLMEventData.AppHost), OfficeObjectId' \
  'CopilotActivity,203.0.113.9,Word,|OfficeActivity,,,https://contoso.example/a.docx'
is 'advanced hunting' 'DeviceEvents | project TimeGenerated, DeviceName, ActionType' \
  '2026-03-04T09:59:59.0000000Z,pc1,Antivirus'

# Workspace exports, custom tables, and what nobody declared.
is 'Kusto frames and lines' 'Heartbeat | order by TimeGenerated asc | project Computer' 'pc1|pc2'
is 'when a record arrived' 'Heartbeat | order by TimeGenerated asc | project ingestion_time()' \
  '2026-03-04T10:07:00.0000000Z|2026-03-04T10:30:00.0000000Z'
is 'a custom table keeps its columns' 'Shop_CL | project Amount_d, Buyer_g, When_t, Note_s' \
  '2.0,70000000-0000-0000-0000-000000000002,2026-03-04T10:00:00.0000000Z,12'
is 'a table newer than ours' 'NewTableOfAzure | project Word, Number' 'x,5'
is 'what is not recognised' \
  'shop_events_CL | order by TimeGenerated asc | project TimeGenerated, principal_s, user_id_g, ok_b, amount_d, at_t, items_s, flag_b, amount_s' \
  '2026-03-04T10:08:00.0000000Z,jo,70000000-0000-0000-0000-000000000001,true,3.5,2026-03-04T10:08:00.0000000Z,"[1,2]",false,|2026-03-04T10:08:01.0000000Z,bo,,,,,,,none'

# Once: again nothing, more of a file only what is new, its unfinished line later.
again=$("$azimuth" import --store "$store" --logs "$fixtures")
check 'the same files bring nothing' says "$again" '^0 rows from 0 files.* 11 files are in the store already'
blob=$scratch/PT1H.json
line() { printf '{"TimeGenerated":"2026-03-04T10:20:%02dZ","Type":"Usage","DataType":"%s"}' "$1" "$1"; }
{ line 1; echo; line 2; echo; line 3 | head -c 20; } >"$blob"
first=$("$azimuth" import --store "$store" --logs "$blob")
check 'an unfinished line waits' says "$first" 'its last line has no end yet'
check 'the whole ones are in' says "$first" '^2 rows'
{ line 1; echo; line 2; echo; line 3; echo; line 4; echo; } >"$blob"
check 'the rest comes' says "$("$azimuth" import --store "$store" --logs "$blob")" '^2 rows'
is 'each once' 'Usage | order by TimeGenerated asc | project DataType' '1|2|3|4'
check 'and again when asked' says "$("$azimuth" import --store "$store" --again --logs "$blob")" '^4 rows'

# Options.
echo '{"TimeGenerated":"2026-03-04T10:30:00Z","Type":"Syslog","Computer":"pc3"}' >"$scratch/tenant.json"
"$azimuth" import --store "$store" --quiet --tenant t-9 --arrived 2026-03-04T10:45:00Z --logs "$scratch/tenant.json"
is 'the tenant and the arrival of records that say none' 'Syslog | project TenantId, ingestion_time()' \
  't-9,2026-03-04T10:45:00.0000000Z'
check 'a time that is none' says "$("$azimuth" import --store "$store" --arrived soon --logs "$scratch/tenant.json" 2>&1)" "takes 'now' or a time"

finish
