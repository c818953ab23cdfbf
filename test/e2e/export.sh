#!/usr/bin/env bash
# Rules as templates for Microsoft Sentinel: both forms say the same, and what cannot be is refused.
. "$(dirname "$0")/lib.sh"
here=$(dirname "$0")
arm=$scratch/rules.json
bicep=$scratch/rules.bicep

said=$("$azimuth" export sentinel "$arm" 2>&1)
check 'the pack is exported' says "$said" '^[0-9]+ rules and [0-9]+ functions exported, 2 rules left out$'
check 'what is left out is named' says "$said" "AZ-D-302.yaml: rule .* is left out"
"$azimuth" export sentinel --format bicep "$bicep" 2>/dev/null
check 'Bicep says the same as ARM' python3 "$here/bicep_subset.py" "$bicep" "$arm"
check 'the same each time' cmp -s "$arm" <("$azimuth" export sentinel - 2>/dev/null)
said=$("$azimuth" content test "$arm" 2>&1)
check 'the template is read as rules without a problem' says "$said" '^[0-9]{3} detections, .*: 0 problems'

cat >"$scratch/odd.yaml" <<'YAML'
id: 5a3f1c77-52ab-4b0e-8f7f-0d6a6f1b2c01
name: "[it's ${odd}]"
version: 1.0.0
kind: NRT
severity: Low
description: "a\\b '''c''' ${d}"
query: |
  AzureActivity
  | where Caller has '${x}' or Caller has "'''"
YAML
"$azimuth" export sentinel --rules "$scratch/odd.yaml" --workspace-name-parameter ws1 "$arm" 2>/dev/null
"$azimuth" export sentinel --rules "$scratch/odd.yaml" --workspace-name-parameter ws1 --format bicep "$bicep" 2>/dev/null
check 'odd texts too' python3 "$here/bicep_subset.py" "$bicep" "$arm"

# A product's parser comes with the product's solution; one that the user brings goes with the rules.
sed -e '/AzureActivity/,$d' "$scratch/odd.yaml" >"$scratch/duo.yaml"
echo '  CiscoDuo | where EventResult == "denied"' >>"$scratch/duo.yaml"
mkdir "$scratch/parsers"
echo 'CiscoDuo_CL | project TimeGenerated, EventResult = result_s' >"$scratch/parsers/CiscoDuo.kql"
check "a rule over a product's table goes out" says "$("$azimuth" export sentinel --rules "$scratch/duo.yaml" "$arm" 2>&1)" '^1 rules and 0 functions exported'
check 'with the parser that is brought' says "$("$azimuth" export sentinel --rules "$scratch/duo.yaml" --functions "$scratch/parsers" "$arm" 2>&1)" '^1 rules and 1 functions exported'
check 'as a saved function' grep -q '"functionAlias": *"CiscoDuo"' "$arm"

refuses() { # NAME PATTERN ARGUMENTS...
  local name=$1 pattern=$2 said status
  shift 2
  said=$("$azimuth" export "$@" 2>&1)
  status=$?
  check "$name" test "$status" -eq 2
  check "$name: says why" says "$said" "$pattern"
}
sed -i 's/AzureActivity/NoSuchTable/' "$scratch/odd.yaml"
rm -f "$scratch/none.json"
refuses 'a rule that does not bind' 'NoSuchTable' sentinel --rules "$scratch/odd.yaml" "$scratch/none.json"
check 'nothing is written then' test ! -e "$scratch/none.json"
refuses 'another form' 'arm or bicep' sentinel --format xml "$scratch/none.json"
refuses 'a bad parameter' 'is a name' sentinel --workspace-name-parameter 'a b' "$scratch/none.json"
refuses 'no output' 'usage' sentinel
refuses 'no such folder' 'cannot open' sentinel --rules "$scratch/nowhere" "$scratch/none.json"
finish
