#!/usr/bin/env bash
# Faults: kill -9 in the middle of an import, damaged files, a read-only store, a full disk.
. "$(dirname "$0")/lib.sh"
store=$scratch/store
"$azimuth" import --store "$store" --quiet examples/contoso
rows=$(value "$store" 'resources | count')

# A larger tenant, so that there is a middle to be killed in.
mkdir "$scratch/large"
for i in $(seq 1 150); do cat examples/contoso/resources.jsonl; done >"$scratch/large/resources.jsonl"
large=$(wc -l <"$scratch/large/resources.jsonl")
mixed=0
for delay in 0.01 0.03 0.05 0.08 0.12 0.18 0.25 0.4; do
  "$azimuth" import --store "$store" --quiet "$scratch/large" &
  pid=$!
  sleep "$delay"
  kill -9 "$pid" 2>/dev/null
  wait "$pid" 2>/dev/null
  now=$(value "$store" 'resources | count')
  [ "$now" = "$rows" ] || [ "$now" = "$large" ] || mixed=$((mixed + 1))
done
check 'kill -9 leaves the old or the new state' test "$mixed" = 0
"$azimuth" import --store "$store" --quiet "$scratch/large"
check 'the store can be written again' test "$(value "$store" 'resources | count')" = "$large"
check 'the store is sound' says "$("$azimuth" store check --store "$store")" '^0 problems'

# A truncated and a flipped segment: an error that names the file, never a crash.
"$azimuth" import --store "$scratch/one" --quiet examples/contoso
cp -r "$scratch/one" "$scratch/cut"
segment=$(ls -S "$scratch"/cut/segments/* | head -1)
truncate -s 4000 "$segment"
out=$("$azimuth" query --store "$scratch/cut" 'resources | summarize max(tostring(properties))' 2>&1)
check 'a truncated segment is an error' test $? -eq 2
check 'the error names the segment' says "$out" "$(basename "$segment")"
cp -r "$scratch/one" "$scratch/flip"
segment=$(ls -S "$scratch"/flip/segments/* | head -1)
printf '\xff\x00\xff\x00' | dd of="$segment" bs=1 seek=2000 conv=notrunc status=none
out=$("$azimuth" store check --store "$scratch/flip" 2>&1)
check 'a flipped byte is found' test $? -eq 1
check 'the check names the segment' says "$out" "$(basename "$segment")"

# Read-only.
cp -r "$store" "$scratch/ro"
chmod -R a-w "$scratch/ro"
check 'a read-only store can be read' test "$(value "$scratch/ro" 'resources | count')" = "$large"

# A full disk, as a file-size limit makes one.
cp -r "$store" "$scratch/full"
before=$(value "$scratch/full" 'resources | count')
out=$(bash -c "ulimit -f 16; trap '' XFSZ; '$azimuth' import --store '$scratch/full' --quiet '$scratch/large'" 2>&1)
check 'a full disk is an error' test $? -eq 2
check 'the error says what failed' says "$out" 'write|disk|space|large'
check 'the old state is there' test "$(value "$scratch/full" 'resources | count')" = "$before"

mkdir "$scratch/foreign"
echo hello >"$scratch/foreign/note.txt"
out=$("$azimuth" import --store "$scratch/foreign" examples/contoso 2>&1)
check 'a foreign folder is not taken for a store' test $? -eq 2
finish
