#!/usr/bin/env bash
# What a collection needs to be granted, what of it is, and what grants it.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/collect_lib.sh"
export AZURE_TENANT_ID
permissions() {
  out=$("$azimuth" collect permissions --check --http-loopback --login-endpoint "$url" --arm-endpoint "$url" \
    --graph-endpoint "$url" "$@" 2>&1)
}

needed=$("$azimuth" collect permissions)
check 'each is named with what it is for' says "$needed" '  User.Read.All +users'
check 'what another contains is said to be' says "$needed" '  Monitoring Reader .*another of these contains it'
all=()
for name in $(grep -oE '^  [A-Z][A-Za-z.]+\.Read\.[A-Za-z.]+' <<<"$needed"); do all+=(--graph-role "$name"); done
check 'there are many of Microsoft Graph' test ${#all[@]} -ge 20

serve --tenant examples/contoso --page 4 "${all[@]}"
permissions
check 'all is granted' test $? -eq 0
check 'in each subscription' says "$out" 'in the 6 subscriptions'
check 'Reader is' says "$out" '  Reader +granted'
check 'a permission is' says "$out" '  Policy.Read.All +granted'
check 'nothing is said to lack' test -z "$(grep -E 'lacking|not known|not all' <<<"$out")"
check 'nothing was written' test "$(stats writes)" = 0
stop_servers

subscription=$(python3 -c 'import json
for line in open("examples/contoso/resourcecontainers.jsonl"):
    row = json.loads(line)
    if row["id"].count("/") == 2: print(row["subscriptionId"]); break')
serve --tenant examples/contoso --graph-role Directory.Read.All --graph-role Policy.ReadWrite.All \
  --fault "$subscription/providers/Microsoft.Authorization/permissions=403"
permissions
check 'what lacks ends with status 1' test $? -eq 1
check 'the subscription is named' says "$out" "  Reader +lacking in 1 of 6 subscriptions: $subscription"
check 'a broader permission counts' says "$out" '  Application.Read.All +granted|  Directory.Read.All +granted'
check 'one that writes reads, too' says "$out" '  Policy.Read.All +granted'
check 'another is lacking, with what it is for' says "$out" '  AccessReview.Read.All +lacking, for .*accessReviews'
permissions --only sentinel-rules
check 'an unknown table is refused' test $? -eq 2
stop_servers

serve --tenant examples/contoso --action 'Microsoft.Compute/*/read' --action 'Microsoft.Security/*'
permissions --only users
check 'a token that does not say what it may' says "$out" '  User.Read.All +not known'
check 'is no lack' test "$(grep -c lacking <<<"$out")" = 0
permissions --only diagnosticsettings
check 'a part of a role is not the role' says "$out" '  Reader +lacking, for '
stop_servers

serve --tenant examples/contoso --fault '/subscriptions\?=500'
permissions --only resources
check 'trouble is no lack' test $? -eq 0
check 'it is said' says "$out" 'not all could be checked: the service answered 500'
check 'and nothing is known' says "$out" '  Reader +not known'
stop_servers
unset AZURE_CLIENT_SECRET
permissions --auth secret
check 'nobody is signed in' test $? -eq 2

# --- what grants it ---
script=$("$azimuth" collect permissions --script)
check 'the script is one' bash -n <(printf '%s\n' "$script")
mkdir "$scratch/bin"
cat >"$scratch/bin/az" <<'AZ'
#!/usr/bin/env bash
printf '%s\n' "$*" | tr '\n' ' ' >>"$AZ_LOG"
echo >>"$AZ_LOG"
case "$*" in *appRoles*) echo role-id ;; *"--query id"*) echo graph-id ;; esac
AZ
chmod +x "$scratch/bin/az"
printf '%s\n' "$script" >"$scratch/grant.sh"
AZ_LOG=$scratch/az PATH=$scratch/bin:$PATH bash "$scratch/grant.sh" the-principal the-group
check 'it ends well' test $? -eq 0
check 'it grants Reader at the root, and no other role' test "$(grep -c 'role assignment create' "$scratch/az")" = 1
check 'to the principal' grep -q 'assignee-object-id the-principal .*--role acdd72a7-3385-48ef-bd42-f606fba81ae7 .*managementGroups/the-group' "$scratch/az"
wanted=$("$azimuth" collect permissions | grep -E '^  [A-Z][A-Za-z.]+\.Read\.' | grep -vc 'contains it')
check 'and each permission once' test "$(grep -c 'appRoleAssignments' "$scratch/az")" = "$wanted"
check 'and does nothing else' test -z "$(grep -vE 'role assignment create|ad sp show|appRoleAssignments' "$scratch/az")"
check 'only what is chosen is granted' test "$("$azimuth" collect permissions --script --only users | grep -c 'role assignment')" = 0
bicep=$("$azimuth" collect permissions --bicep)
check 'the template has the role' says "$bicep" "^  'acdd72a7-3385-48ef-bd42-f606fba81ae7' // Reader"
check 'and each permission' test "$(grep -cE "^  '[A-Za-z]+\.Read\.[A-Za-z.]+'" <<<"$bicep")" = "$wanted"
check 'nothing that writes' test -z "$(grep -E "ReadWrite|Owner|Contributor" <<<"$bicep$script")"
if command -v bicep >/dev/null; then
  printf '%s\n' "$bicep" >"$scratch/grant.bicep"
  check 'it compiles' bicep build --stdout "$scratch/grant.bicep"
fi
check 'the options are of permissions' says "$("$azimuth" collect --bicep "$scratch/x" 2>&1)" "goes with 'azimuth collect permissions'"
finish
