#!/usr/bin/env bash
# A disk that is really full (a small tmpfs): whatever writes to a store says so and names the file, the state is the
# one before, queries are answered, and with some space the same command goes on.
. "$(dirname "$0")/lib.sh"
if [ -z "${FULL_DISK:-}" ]; then
  unshare -rm true 2>/dev/null || skip 'mounting is not allowed here'
  FULL_DISK=1 unshare -rm bash "$0" "$@"
  exit $?
fi
. "$(dirname "$0")/alerts.sh"
disk=$scratch/disk store=$scratch/disk/store
mkdir "$disk"
mount -t tmpfs -o size=8m none "$disk" || skip 'no tmpfs here'
trap 'umount "$disk"; rm -rf "$scratch"' EXIT
FULL="cannot .*'[^']*$disk/[^']*'.*(disk is full|No space left)"

free() { rm -f "$disk/ballast"; }
fill() { # KILOBYTES that stay free
  free
  local available
  available=$(df -k --output=avail "$disk" | tail -1)
  head -c $(((available - $1) * 1024)) /dev/zero >"$disk/ballast"
}
log() { # FILE FIRST COUNT: JSON lines that do not compress well, one of them broken
  python3 - "$@" <<'PYTHON'
import json, random, sys
path, first, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with open(path, "w") as out:
    for n in range(first, first + count):
        out.write(json.dumps({"TimeGenerated": "2026-01-01T00:00:00Z", "Number": n,
                              "Text": "%x" % random.getrandbits(600)}) + "\n")
    out.write("this is no record\n")
PYTHON
}
# fails NAME COMMAND...: status 2 and an error that names a file on the disk.
fails() {
  local name=$1 said status
  shift
  said=$("$@" 2>&1 >/dev/null </dev/null)
  status=$?
  check "$name: status 2" test "$status" = 2
  check "$name: it says what is full and where" says "$said" "$FULL"
  says "$said" "$FULL" || echo "$name: $said"
}
count() { value "$store" "$1 | count"; }

# Imports: with each amount of free space the old state or the new one.
log "$scratch/base.jsonl" 0 500
log "$scratch/more.jsonl" 500 8000
"$azimuth" import --quiet --store "$store" --table Rows_CL "$scratch/base.jsonl" >/dev/null
torn=0 refused=0 taken=0
for kilobytes in 0 4 12 40 80 200 500 900 4000; do
  fill "$kilobytes"
  said=$("$azimuth" import --quiet --store "$store" --table Rows_CL --once "$scratch/more.jsonl" 2>&1)
  status=$?
  rows=$(count Rows_CL) # while the disk is full
  if [ "$status" = 0 ]; then
    taken=$((taken + 1))
    [ "$rows" = 8500 ] || torn=$((torn + 1))
  else
    refused=$((refused + 1))
    [ "$status" = 2 ] && says "$said" "$FULL" || { echo "$status: $said"; torn=$((torn + 1)); }
    [ "$rows" = 500 ] || [ "$rows" = 8500 ] || torn=$((torn + 1))
  fi
  check "with $kilobytes KB the store is sound" says "$("$azimuth" store check --store "$store")" '^0 problems'
done
check 'imports fail while there is no space' test "$refused" -ge 5
check 'and go through when there is' test "$taken" -ge 1
check 'old or new, nothing between' test "$torn" = 0
free
"$azimuth" import --quiet --store "$store" --table Rows_CL --once "$scratch/more.jsonl"
check 'nothing came twice' test "$(value "$store" 'Rows_CL | summarize strcat(count(), " ", dcount(Number, 4))')" = '8500 8500'

# What else writes to the store.
for i in 1 2 3; do
  log "$scratch/part.jsonl" $((8500 + i * 300)) 300
  "$azimuth" import --quiet --store "$store" --table Rows_CL "$scratch/part.jsonl" >/dev/null
done
new_store "$store"
"$azimuth" functions save Twice '(a:long) { print x = a * 2 }' --store "$store" >/dev/null
printf 'Address,Name\n10.0.0.1,one\n' >"$scratch/list.csv"
fill 0
fails 'compact' "$azimuth" store compact --store "$store"
fails 'retention' "$azimuth" store retention Rows_CL 30000 --store "$store"
fails 'functions save' "$azimuth" functions save Twice '(a:long) { print x = a * 3 }' --store "$store"
fails 'a watchlist' "$azimuth" import --store "$store" --watchlist addresses --search-key Address "$scratch/list.csv"
fails 'a tenant' "$azimuth" import --quiet --store "$store" examples/contoso
fails 'detect' "$azimuth" detect --rules "$rules" --store "$store"
fails 'detect with an outbox' "$azimuth" detect --rules "$rules" --store "$store" --syslog tcp://127.0.0.1:9
fails 'a report' "$azimuth" query --store "$store" 'Rows_CL' --format csv --output "$disk/rows.csv"
check 'no half of a file is left' test ! -e "$disk/rows.csv"
check 'queries are answered' test "$(count Rows_CL)" = 9400
check 'functions too' test "$(value "$store" 'Twice(21)')" = 42
free
check 'the store is sound' says "$("$azimuth" store check --store "$store")" '^0 problems'
"$azimuth" store compact --store "$store" >/dev/null
check 'compact goes on' test "$("$azimuth" store info --store "$store" | awk '$1 == "Rows_CL" { print $5 }')" = 1
check 'no row is lost' test "$(value "$store" 'Rows_CL | summarize strcat(count(), " ", dcount(Number, 4))')" = '9400 9400'
"$azimuth" detect --rules "$rules" --store "$store" --syslog tcp://127.0.0.1:9 >/dev/null 2>&1
check 'detect finds what it could not keep' test "$(count SecurityAlert)" = 3
check 'and each message waits once' test "$(kept "$store")" = 3

# A follower: a round that cannot be kept is said, and tried again until it can.
cat >"$scratch/near.yaml" <<'YAML'
id: 8a3f1c77-52ab-4b0e-8f7f-0d6a6f1b2c02
name: Near
version: 1.0.0
kind: NRT
severity: High
tactics: [Exfiltration]
relevantTechniques: [T1530]
query: |
  StorageBlobLogs | where RequesterUpn startswith "eve"
YAML
mkdir "$scratch/near" && mv "$scratch/near.yaml" "$scratch/near"
"$azimuth" detect --follow --delay 0 --rules "$scratch/near" --store "$store" --format json >"$scratch/follow.out" 2>"$scratch/follow.err" &
follower=$!
wait_for() { # SECONDS CONDITION...
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.2
  done
}
runs() { [ "$(count 'AnalyticsRuleRuns | where RuleName == "Near"' 2>/dev/null)" -ge 1 ] 2>/dev/null; }
check 'the follower keeps its first round' wait_for 100 runs
mkdir "$scratch/late"
printf '{"TimeGenerated":"%s","OperationName":"GetBlob","RequesterUpn":"eve@contoso.com"}\n' \
  "$(date -u +%FT%TZ)" >"$scratch/late/StorageBlobLogs.jsonl"
"$azimuth" import --quiet --store "$store" --logs --arrived now "$scratch/late"
fill 0
check 'a round that cannot be kept is said' wait_for 130 grep -qE "$FULL" "$scratch/follow.err"
sleep 7
check 'once' test "$(grep -cE "$FULL" "$scratch/follow.err")" = 1
check 'the follower goes on' kill -0 "$follower"
check 'nothing was alerted meanwhile' test ! -s "$scratch/follow.out"
free
check 'with some space it is kept' wait_for 60 test -s "$scratch/follow.out"
kill -TERM "$follower"
wait "$follower"
check 'and the follower ends well' test $? -eq 0
check 'the alert is there once' test "$(count 'SecurityAlert | where AlertName == "Near"')" = 1
check 'and was said once' test "$(wc -l <"$scratch/follow.out")" = 1
check 'the store is sound after all' says "$("$azimuth" store check --store "$store")" '^0 problems'
finish
