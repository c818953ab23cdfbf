#!/usr/bin/env bash
# Queries that are larger than their memory: answered from temporary files, of which nothing stays.
source "$(dirname "$0")/lib.sh"
mkdir "$scratch/spill"
q() { "$azimuth" query --spill-dir "$scratch/spill" --format csv "$@"; }
left() { find "$scratch/spill" -mindepth 1 | wc -l; }

rows='range x from 1 to 600000 step 1 | extend y = strcat("a long text of its own ", hash(x))'
sorted="$rows"' | sort by y asc | where x % 50000 == 7'
joined="$rows | join kind=leftouter ($rows | where x % 3 > 0 | extend z = strcat(y, x)) on x | where x % 50000 == 7"
check 'a sort beyond the memory gives the same rows' test "$(q --memory 16 "$sorted")" = "$(q "$sorted")"
check 'a join beyond the memory gives the same rows' test "$(q --memory 16 "$joined")" = "$(q "$joined")"
check 'on one thread too' test "$(q --memory 16 --threads 1 "$joined")" = "$(q "$joined")"
grouped="$rows | summarize n = count(), z = make_list(x) by y = strcat(y, x % 400000) | where hash(y, 50000) == 7"
twice="let m = materialize($rows); union (m | where x % 50000 == 7), (m | summarize y = max(y), x = count())"
check 'groups beyond the memory give the same rows' test "$(q --memory 16 "$grouped")" = "$(q "$grouped")"
check 'groups on one thread too' test "$(q --memory 16 --threads 1 "$grouped")" = "$(q "$grouped")"
check 'a materialised table beyond the memory gives the same rows' test "$(q --memory 16 "$twice")" = "$(q "$twice")"
check 'nothing is left of it' test "$(left)" -eq 0
out=$("$azimuth" query --spill-dir "$scratch/spill" --memory 16 --explain=analyze "$sorted")
check 'analyze says what went to disk' says "$out" 'disk MB'
check 'its total too' says "$out" 'on disk [0-9.]+ MB'
check 'analyze says it of groups' says "$("$azimuth" query --spill-dir "$scratch/spill" --memory 16 --explain=analyze "$grouped")" 'summarize .* [1-9][0-9.]+  *count'
check 'in JSON' says "$("$azimuth" query --spill-dir "$scratch/spill" --memory 16 --explain=analyze --format json "$sorted")" '"spilledBytes":[1-9]'
check 'in memory nothing is said of disks' test -z "$("$azimuth" query --explain=analyze "$sorted" | grep disk)"

# Killed in the middle: as long as it runs its files have no name.
"$azimuth" query --spill-dir "$scratch/spill" --memory 16 \
  "${rows/600000/20000000} | sort by y asc | where x % 50000 == 7" >/dev/null 2>&1 &
pid=$!
for _ in $(seq 100); do
  find "/proc/$pid/fd" -lname "$scratch/spill/*deleted*" 2>/dev/null | grep -q . && break
  sleep 0.1
done
check 'a file is open that has no name' test -n "$(find "/proc/$pid/fd" -lname "$scratch/spill/*deleted*")"
check 'and no other' test "$(left)" -eq 0
kill -9 "$pid"
wait "$pid" 2>/dev/null
check 'a kill leaves nothing' test "$(left)" -eq 0

touch "$scratch/file"
out=$("$azimuth" query --memory 16 --spill-dir "$scratch/file" "$sorted" 2>&1)
check 'a folder that is none ends the query' test $? -eq 2
check 'and is named, with what to do' says "$out" "in '$scratch/file' cannot be made.*--spill-dir"
out=$(
  ulimit -f 1000
  trap '' XFSZ
  q --memory 16 "$sorted" 2>&1
)
check 'a disk that takes no more is told' says "$out" 'cannot be written.*--spill-dir'
out=$("$azimuth" query --memory 16 --spill-dir "$scratch/file" "$grouped" 2>&1)
check 'of groups too' says "$out" "in '$scratch/file' cannot be made.*--spill-dir"
finish
