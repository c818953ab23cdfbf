#!/usr/bin/env bash
# The conformance corpora of the language: at least 60 % of the gold cases, and no crash.
. "$(dirname "$0")/lib.sh"
cases=$shared/kql
[ -f "$cases/run_cases.py" ] || skip 'the conformance corpora are not on this machine'
out=$(python3 "$cases/run_cases.py" --batch "$azimuth query --batch" "$cases/cases-docs.jsonl" "$cases/cases-peers.jsonl" 2>&1)
line=$(tail -1 <<<"$out")
echo "corpora: $line"
ok=$(sed -E 's/^([0-9]+) passed.*/\1/' <<<"$line")
bad=$(sed -E 's/.* ([0-9]+) failed.*/\1/' <<<"$line")
check 'at least 60 % of the gold cases' test $((ok * 100)) -ge $(((ok + bad) * 60))
check 'the engine did not crash' test -z "$(grep -iE 'crash|broken pipe|no answer|exited' <<<"$out")"
finish
