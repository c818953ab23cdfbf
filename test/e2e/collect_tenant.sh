#!/usr/bin/env bash
# A generated tenant of 10,000 resources: what is collected live is judged as what is imported
# from files.
. "$(dirname "$0")/lib.sh"
[ -f "$shared/bench/gen_tenant.py" ] || skip 'the tenant generator is not on this machine'
. "$(dirname "$0")/collect_lib.sh"
python3 "$shared/bench/gen_tenant.py" --out "$scratch/tenant" --resources 10000 >/dev/null || exit 1
rm "$scratch/tenant/answer_key.jsonl"

hurry 10 5000
serve --tenant "$scratch/tenant" "${quotas[@]}"
collect --store "$scratch/live" "$scratch/raw"
check 'the tenant is collected' test $? -eq 0
check 'nothing was refused for its pace' test "$(stats refused)" = 0
check 'nothing is said to be missing' test "$(value "$scratch/live" 'CollectionStatus | where Status == "not collected" | count')" = 0
stop_servers

# A list that is empty in the live tenant is an empty file here; without one it would be unknown.
for table in $("$azimuth" query --store "$scratch/live" --format csv 'CollectionStatus | project Dataset' | tr -d '\r' | tail -n +2); do
  compgen -G "$scratch/tenant/$table.jsonl*" >/dev/null || : >"$scratch/tenant/$table.jsonl"
done
"$azimuth" import --quiet --store "$scratch/files" "$scratch/tenant"
findings "$scratch/live" >"$scratch/findings-live"
findings "$scratch/files" >"$scratch/findings-files"
check 'there are many findings' test "$(grep -c ',fail,' "$scratch/findings-files")" -gt 300
check 'the findings are those of the files' cmp "$scratch/findings-files" "$scratch/findings-live"
finish
