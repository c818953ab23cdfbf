#!/usr/bin/env bash
# The planted mistakes of a generated tenant: all that our controls cover are found, and
# nothing else of those kinds.
. "$(dirname "$0")/lib.sh"
[ -f "$shared/bench/gen_tenant.py" ] || skip 'the tenant generator is not on this machine'
python3 "$shared/bench/gen_tenant.py" --out "$scratch/tenant" --resources 10000 >/dev/null || exit 1
mv "$scratch/tenant/answer_key.jsonl" "$scratch/key.jsonl"
"$azimuth" import --store "$scratch/store" --quiet "$scratch/tenant"
"$azimuth" assess --store "$scratch/store" --quiet
"$azimuth" query --store "$scratch/store" --format jsonl \
  'Findings | where Status == "fail" | project ControlId, ResourceId' >"$scratch/found.jsonl"
python3 "$(dirname "$0")/answer_key.py" "$scratch/key.jsonl" "$scratch/found.jsonl"
