#!/usr/bin/env bash
# Import: the example tenant, snapshots, single tables, bad records, compressed files.
. "$(dirname "$0")/lib.sh"
store=$scratch/store

out=$("$azimuth" import --store "$store" examples/contoso 2>&1)
check 'the example tenant imports' test $? -eq 0
check 'the summary names the snapshot' says "$out" 'snapshot 1'
rows=$(wc -l <examples/contoso/resources.jsonl)
check 'every resource is there' test "$(value "$store" 'resources | count')" = "$rows"
check 'what was brought is told' test "$(value "$store" 'CollectionStatus | where Status == "collected" | count')" -gt 15

# A second import is a new snapshot; the first stays as it was.
mkdir "$scratch/small"
head -3 examples/contoso/resources.jsonl >"$scratch/small/resources.jsonl"
echo '[]' >"$scratch/small/users.json"
"$azimuth" import --store "$store" "$scratch/small" >/dev/null
check 'the newest snapshot is looked at' test "$(value "$store" 'resources | count')" = 3
old=$("$azimuth" query --store "$store" --snapshot 1 --format csv 'resources | count' | sed -n 2p | tr -d '\r')
check 'the older snapshot stays' test "$old" = "$rows"
check 'an empty file is said to be empty' test "$(value "$store" 'CollectionStatus | where Dataset == "users" | project Status')" = empty

# Bad records are counted, kept apart, and stop nothing.
mkdir "$scratch/bad"
{
  echo '{"id":"/subscriptions/a/x","name":"one","type":"t"}'
  echo '{"id": broken'
  printf '{"id":"\xff\xfe","name":"bad utf-8"}\n'
  echo '{"id":"/subscriptions/a/y","name":"two","type":"t","unknownField":{"deep":[1,2]}}'
} >"$scratch/bad/resources.jsonl"
out=$("$azimuth" import --store "$scratch/bad-store" "$scratch/bad" 2>&1)
check 'bad records do not stop an import' test $? -eq 0
check 'bad records are counted' says "$out" '2 records could not be read'
check 'good records are there' test "$(value "$scratch/bad-store" 'resources | count')" = 2
check 'rejects name file, line and reason' grep -q '"line"' "$scratch"/bad-store/rejects/*.jsonl
check 'unknown fields are kept' test "$(value "$scratch/bad-store" 'resources | where name == "two" | project tostring(_Unmapped.unknownField.deep[1])')" = 2

# One table, from CSV, JSON lines and gzip.
printf 'TimeGenerated,Caller,Level\r\n2026-01-01T00:00:00Z,"a, b",1\r\n2026-01-02T00:00:00Z,c,2\r\n' >"$scratch/log.csv"
"$azimuth" import --store "$store" --table MyLog_CL "$scratch/log.csv" >/dev/null
check 'CSV imports with inferred types' test "$(value "$store" 'MyLog_CL | where Level > 1 and TimeGenerated > datetime(2026-01-01 12:00) | project Caller')" = c
gzip -c examples/contoso/users.jsonl >"$scratch/users.jsonl.gz"
mkdir "$scratch/packed"
mv "$scratch/users.jsonl.gz" "$scratch/packed/"
"$azimuth" import --store "$scratch/packed-store" "$scratch/packed" >/dev/null
check 'gzip imports' test "$(value "$scratch/packed-store" 'users | count')" = "$(wc -l <examples/contoso/users.jsonl)"

out=$("$azimuth" import --store "$store" "$scratch/none" 2>&1)
check 'a missing folder is an error' test $? -eq 2
check 'the error names the folder' says "$out" "$scratch/none"
finish
