#!/usr/bin/env bash
# Attack paths on the example tenant, on a hostile one, and on generated ones where their
# generator is.
. "$(dirname "$0")/lib.sh"
store=$scratch/store
"$azimuth" import --store "$store" examples/contoso >/dev/null 2>&1 || { echo 'cannot import'; exit 1; }
at=2026-11-20T12:00:00Z
p() { "$azimuth" paths "$@" --at $at --store "$store" 2>&1; }

out=$(p --from guest --to sub-ai-production)
check 'a guest three groups deep is owner' says "$out" 'kate\.oneill.* may assign any role at sub-ai-production'
check 'each group is a step' test "$(grep -c ' MemberOf ' <<<"$(sed '/Where cutting/,$d' <<<"$(p --from guest --to azureRole --limit 1)")")" = 3
check 'a step names its evidence' says "$out" 'because +Owner at sub-ai-production \(/subscriptions/54b0739f.*/roleAssignments/'
check 'a step names the command that breaks it' says "$out" 'break +az role assignment delete --ids /subscriptions/54b0739f'
check 'a step names its technique' says "$out" 'technique +T1098\.003'
check 'choke points come last' says "$(tail -3 <<<"$out")" '[0-9]+\. cuts [0-9]+ of [0-9]+|break'
check 'a pull request reaches production' says "$(p --from external --to kv-ai-prod)" 'repo:contoso/ai-platform:pull_request'
check 'the sandbox identity writes training data' says "$(p --from id-sandbox-experiments --to stclaimstrainprod)" 'CanPoisonTrainingData'
check 'a rule before the deny opens a machine' says "$(p --from internet --to vm-labelling-prod)" 'port 8080 open at pip-vm-labelling-prod by rule allow-labelling-partner'
check 'a rule behind the deny opens none' test "$(p --from internet --to aks-inference-prod)" = 'No path.'
check 'whoever asks the model is told what it reads' says "$(p --from user --to brokeredData:stfoundryprod)" 'BrokeredRead'
check 'an emergency account at the root' says "$(p --from emergency-01@contoso.com --to azureRole:Owner)" 'may assign any role at /'
check 'a kind of goal for one resource' says "$(p --from guest --to readSecret:kv-ai-prod)" 'reads secrets of kv-ai-prod'
check 'by default from outside to what is of value' says "$(p --limit 1)" 'more; --limit 0 shows all'
check 'a limit limits' test "$(p --limit 2 | grep -cE '^ +[0-9]+\. (critical|high|medium|info)')" = 2
json=$(p --from guest --to sub-ai-production --format json)
check 'JSON for machines' python3 -c '
import json, sys
answer = json.loads(sys.argv[1])
path = answer["paths"][0]
assert path["steps"] and all(s["edge"] and s["sources"] and s["target"]["id"] for s in path["steps"])
assert answer["found"] >= len(answer["paths"]) and answer["chokePoints"][0]["cuts"] >= 1
assert any(s["command"] and s["attack"] for s in path["steps"])
' "$json"
check 'CSV has one row a step' says "$(p --from guest --to sub-ai-production --format csv)" '^Path,Step,Severity,Edge,Source'
check 'a table of Markdown' says "$(p --from guest --to sub-ai-production --format markdown)" '^\| Path'
check 'an eligible role is a step of its own' says "$("$azimuth" paths --store "$store" --at $at --from user --to azureRole --limit 0)" 'ActivateEligible'
check 'before it begins it is none' test "$("$azimuth" paths --store "$store" --at 2026-01-01T00:00:00Z --from user --limit 0 | grep -c ActivateEligible)" = 0
check 'the same answer twice' test "$(p --limit 0)" = "$(p --limit 0)"

check 'an unknown start suggests' says "$(p --from id-sandbox-experimentz)" "did you mean 'id-sandbox-experiments'"
check 'an unknown goal lists the kinds' says "$(p --to qqqqqqqqqqqqqqqqqqqqqqqq)" 'kinds of goals are principal, memberOf'
check 'a wrong format says which there are' says "$(p --format yaml)" 'there are table, json, jsonl, csv, markdown'
check 'a wrong limit is said' says "$(p --limit many)" '--limit'
check 'a wrong time is said' says "$("$azimuth" paths --store "$store" --at noon 2>&1)" "takes a time"
check 'without a store: the usage' says "$("$azimuth" paths 2>&1)" 'usage: azimuth paths'
check 'a store that is not there' says "$("$azimuth" paths --store "$scratch/none" 2>&1)" 'azimuth: '

# Hostile data: circles, ids twice, in mixed case and empty, owners of themselves, owners
# and identities of nothing, properties of the wrong shape, names made for a terminal and
# for a shell.
mkdir "$scratch/hostile"
cat >"$scratch/hostile/users.jsonl" <<'J'
{"id":"u1","userPrincipalName":"mallory\u001b[31m\u202e@example.com","userType":"Guest"}
{"id":"U1","userPrincipalName":"second"}
{"id":"","userPrincipalName":"nobody"}
J
cat >"$scratch/hostile/groupMembers.jsonl" <<'J'
{"groupId":"g1","id":"g2"}
{"groupId":"G2","id":"G1"}
{"groupId":"g2","id":"U1"}
{"groupId":"g1","id":"g1"}
{"groupId":"","id":"u1"}
J
cat >"$scratch/hostile/groupOwners.jsonl" <<'J'
{"groupId":"g1","id":"g1"}
{"groupId":"nowhere","id":"u1"}
J
cat >"$scratch/hostile/applications.jsonl" <<'J'
{"id":"a1","appId":"x","displayName":"app"}
{"id":"A1","appId":"X","displayName":"twin"}
{"id":"a2","appId":null,"displayName":"a'; rm -rf $HOME #"}
J
cat >"$scratch/hostile/applicationOwners.jsonl" <<'J'
{"applicationId":"a1","id":"A1"}
{"applicationId":"a2","id":"u1"}
{"applicationId":"a1","id":"sp1"}
J
cat >"$scratch/hostile/servicePrincipals.jsonl" <<'J'
{"id":"sp1","appId":"x","servicePrincipalType":"Application","displayName":"app"}
{"id":"a1","appId":"x","servicePrincipalType":"Application"}
J
cat >"$scratch/hostile/authorizationresources.jsonl" <<'J'
{"id":"r'; reboot","type":"microsoft.authorization/roleassignments","properties":{"principalId":"G1","scope":"/subscriptions/s/","roleDefinitionId":"8E3AF657-A8FF-443C-A75C-2FE8C4BCB635"}}
{"id":"r2","type":"microsoft.authorization/roleassignments","properties":{"principalId":"u1","scope":"","roleDefinitionId":"x"}}
{"id":"r3","type":"microsoft.authorization/denyassignments","properties":{"scope":"/subscriptions/t","permissions":[{"actions":["*"]}],"principals":"everybody"}}
J
cat >"$scratch/hostile/resources.jsonl" <<'J'
{"id":"/subscriptions/s/resourceGroups/r/providers/Microsoft.KeyVault/vaults/k","type":"microsoft.keyvault/vaults","identity":{"principalId":"u1","userAssignedIdentities":[1]},"properties":{"accessPolicies":{"a":1}}}
{"id":"/SUBSCRIPTIONS/S/resourcegroups/R/providers/Microsoft.KeyVault/vaults/K","type":"microsoft.keyvault/vaults","identity":7,"properties":"text"}
{"id":"/subscriptions/s/resourceGroups/r/providers/Microsoft.Network/networkInterfaces/n","type":"microsoft.network/networkinterfaces","properties":{"virtualMachine":{"id":[]},"ipConfigurations":[null,{"properties":{"publicIPAddress":{"id":"p"},"subnet":{"id":"/subnets/"}}}]}}
{"id":"","type":"microsoft.compute/virtualmachines"}
J
hostile=$scratch/hostile-store
"$azimuth" import --store "$hostile" "$scratch/hostile" >/dev/null 2>&1
h() { "$azimuth" paths "$@" --store "$hostile" 2>&1; }
out=$(h --from u1 --limit 0)
# Azure's ids have no case: either spelling of the two names the subscription and the vault.
check 'circles of groups are walked' says "$out" 'may assign any role at [sS],'
check 'control characters do not reach the terminal' test "$(grep -c $'\x1b' <<<"$out")" = 0
check 'an id is quoted for the shell' says "$out" "delete --ids 'r'\\\\''; reboot'"
check 'an owner of itself is no path' test "$(h --from a1 --to a1)" = 'No path.'
check 'an id twice is one vault' test "$(h --from u1 --to readSecret --limit 0 | grep -ci ' reads secrets of k,')" = 1
check 'JSON of hostile names is JSON' python3 -c 'import json,sys; json.loads(sys.argv[1])' "$(h --limit 0 --format json)"
mkdir "$scratch/empty" && echo '{"id":"u"}' >"$scratch/empty/users.jsonl"
"$azimuth" import --store "$scratch/empty-store" "$scratch/empty" >/dev/null 2>&1
check 'a tenant without anything has no path' test "$("$azimuth" paths --store "$scratch/empty-store")" = 'No path.'

# Approvals as the settings of PIM say them, in the shapes of Azure and of Graph: an approver
# is waited for, and does not approve its own request.
mkdir "$scratch/pim"
cat >"$scratch/pim/users.jsonl" <<'J'
{"id":"e","userPrincipalName":"eva@example.com"}
{"id":"a","userPrincipalName":"abe@example.com"}
{"id":"b","userPrincipalName":"bob@example.com"}
J
cat >"$scratch/pim/groupMembers.jsonl" <<'J'
{"groupId":"g1","id":"e"}
{"groupId":"g1","id":"b"}
J
cat >"$scratch/pim/groups.jsonl" <<'J'
{"id":"g1","displayName":"both sides"}
{"id":"g2","displayName":"vault owners","isAssignableToRole":true}
J
cat >"$scratch/pim/roleEligibilityScheduleInstances.jsonl" <<'J'
{"id":"s1","principalId":"e","principalType":"User","roleDefinitionId":"/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/8e3af657-a8ff-443c-a75c-2fe8c4bcb635","scope":"/subscriptions/s","status":"Provisioned"}
J
approval='{"id":"Approval_EndUser_Assignment","ruleType":"RoleManagementPolicyApprovalRule","setting":{"isApprovalRequired":true,"approvalMode":"SingleStage","approvalStages":[{"primaryApprovers":[{"id":"a","userType":"User"},{"id":"g1","userType":"Group"}]}]}}'
factor='{"id":"Enablement_EndUser_Assignment","ruleType":"RoleManagementPolicyEnablementRule","enabledRules":["MultiFactorAuthentication","Justification"]}'
cat >"$scratch/pim/roleManagementPolicies.jsonl" <<J
{"id":"p1","name":"p1","scope":"/subscriptions/s","roleDefinitionId":"/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/8e3af657-a8ff-443c-a75c-2fe8c4bcb635","effectiveRules":[$approval,$factor,null,7]}
{"id":"p2","name":"p2","scope":7,"roleDefinitionId":null,"effectiveRules":"text"}
{"id":"p3","name":"p3","scope":"/subscriptions/s","roleDefinitionId":"x","effectiveRules":[{"id":"Approval_EndUser_Assignment","setting":[1]}]}
J
cat >"$scratch/pim/directoryRoleEligibilitySchedules.jsonl" <<'J'
{"id":"d1","principalId":"e","roleDefinitionId":"62e90394-69f5-4237-9190-012177145e10","directoryScopeId":"/","status":"Provisioned"}
J
cat >"$scratch/pim/directoryRoleManagementPolicies.jsonl" <<'J'
{"id":"DirectoryRole_1","policyId":"1","scopeId":"/","scopeType":"DirectoryRole","roleDefinitionId":"62e90394-69f5-4237-9190-012177145e10","policy":{"id":"1","rules":[{"@odata.type":"#microsoft.graph.unifiedRoleManagementPolicyApprovalRule","id":"Approval_EndUser_Assignment","setting":{"isApprovalRequired":true,"approvalStages":[{"primaryApprovers":[{"@odata.type":"#microsoft.graph.singleUser","userId":"a"}],"isEscalationEnabled":false,"escalationApprovers":[{"userId":"e"}]}]}}]}}
J
cat >"$scratch/pim/privilegedGroupEligibility.jsonl" <<'J'
{"id":"x","groupId":"g2","principalId":"e","accessId":"member"}
J
cat >"$scratch/pim/groupRoleManagementPolicies.jsonl" <<'J'
{"id":"Group_1","policyId":"1","scopeId":"g2","scopeType":"Group","roleDefinitionId":"member","policy":{"rules":[{"id":"Approval_EndUser_Assignment","setting":{"isApprovalRequired":true,"approvalStages":[{"primaryApprovers":[{"groupId":"g1"}]}]}}]}}
J
cat >"$scratch/pim/applications.jsonl" <<'J'
{"id":"app","appId":"app","displayName":"helper"}
J
"$azimuth" import --store "$scratch/pim-store" "$scratch/pim" >/dev/null 2>&1
pim() { "$azimuth" paths "$@" --limit 0 --store "$scratch/pim-store" 2>&1; }
check 'who is eligible alone activates nothing' test "$(pim --from eva@example.com --to azureRole)" = 'No path.'
check 'who approves alone activates nothing' test "$(pim --from abe@example.com --to azureRole)" = 'No path.'
check 'nor in the directory' test "$(pim --from eva@example.com --to entraRole)" = 'No path.'
check 'nor to become a member' test "$(pim --from eva@example.com --to memberOf:g2)" = 'No path.'
mkdir "$scratch/owned"
cp "$scratch"/pim/* "$scratch/owned"
cat >"$scratch/owned/servicePrincipals.jsonl" <<'J'
{"id":"sp","appId":"app","servicePrincipalType":"Application","displayName":"helper"}
J
# An application that resets passwords of users: with it one account becomes all three.
echo '{"applicationId":"app","id":"e"}' >"$scratch/owned/applicationOwners.jsonl"
echo '{"id":"r","principalId":"sp","roleDefinitionId":"966707d0-3269-4727-9be2-8c3a10f19b9d","directoryScopeId":"/"}' >"$scratch/owned/directoryRoleAssignments.jsonl"
"$azimuth" import --store "$scratch/owned-store" "$scratch/owned" >/dev/null 2>&1
own() { "$azimuth" paths "$@" --limit 0 --store "$scratch/owned-store" 2>&1; }
out=$(own --from eva@example.com --to azureRole)
check 'with an approver in hand it does' says "$out" 'ApproveActivation'
check 'both sides are steps' says "$out" 'ActivateEligible'
check 'the evidence says what activation asks for' says "$out" 'to activate it: an approver, a second factor, a reason'
check 'in the directory too' says "$(own --from eva@example.com --to entraRole)" 'ApproveActivation'
check 'for a group too' says "$(own --from eva@example.com --to memberOf:g2)" 'ApproveActivation'

# Every path planted in a generated tenant, and nothing that does not hold together.
if [ -f "$shared/bench/gen_tenant.py" ]; then
  python3 "$shared/bench/gen_tenant.py" --out "$scratch/tenant" --resources 2000 >/dev/null 2>&1
  "$azimuth" import --store "$scratch/tenant-store" "$scratch/tenant" >/dev/null 2>&1
  check 'all planted paths are found' python3 "$(dirname "$0")/planted_paths.py" "$azimuth" "$scratch/tenant-store" "$scratch/tenant/answer_key.jsonl"
fi
# The same as tables of the language.
q() { "$azimuth" query --store "$store" --format csv "$@" 2>&1; }
check 'AttackPaths has the steps' says "$(q 'AttackPaths | where Edge == "GrantSelfRole" | distinct Target')" 'sub-ai-production'
check 'AttackPaths takes from and to' says "$(q 'AttackPaths("guest", "readSecret") | count')" '^[0-9]+'
check 'a wrong goal is told' says "$(q 'AttackPaths("guest", "no-such-goal")')" 'no-such-goal'
check 'the graph is a graph of KQL' says "$(q 'IdentityGraphEdges | make-graph SourceNodeId --> TargetNodeId with IdentityGraphNodes on NodeId | graph-match (a)-[e]->(b) where e.Edge == "ListKeys" project b.Name')" 'aif-contoso-prod'

finish
