#!/usr/bin/env bash
# Upkeep of a store: compact, vacuum, retention, importing a file once.
. "$(dirname "$0")/lib.sh"
store=$scratch/store
log() { # FILE FIRST COUNT AGE_DAYS: JSON lines of a log, one a minute
  python3 - "$@" <<'PY'
import datetime, json, sys
path, first, count, age = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
start = datetime.datetime.utcnow() - datetime.timedelta(days=age)
with open(path, "w") as out:
    for n in range(first, first + count):
        row = {"TimeGenerated": (start + datetime.timedelta(minutes=n - first)).isoformat() + "Z",
               "Number": n, "Caller": f"user{n % 7}@contoso.example", "Tags": {"n": n % 3, "deep": ["x", None, n]}}
        if n % 5 == 0:
            del row["Caller"]
        if n % 100 == 1:
            row["Late"] = n  # a column that only some files have
        out.write(json.dumps(row) + "\n")
PY
}
segments() { "$azimuth" store info --store "$1" | awk -v t="$2" '$1 == t { print $5 }'; }
sizes() { ls "$1/segments" | wc -l; }

"$azimuth" import --store "$store" --quiet examples/contoso
"$azimuth" import --store "$store" --quiet examples/contoso
for i in $(seq 0 6); do
  log "$scratch/part.jsonl" $((i * 200)) 200 $((12 - i))
  "$azimuth" import --store "$store" --quiet --table Audit_CL "$scratch/part.jsonl"
done
check 'seven imports are seven segments' test "$(segments "$store" Audit_CL)" = 7
log "$scratch/part.jsonl" 1400 200 5
"$azimuth" import --store "$store" --quiet --table Audit_CL "$scratch/part.jsonl"
check 'the eighth merges them' test "$(segments "$store" Audit_CL)" = 1
check 'and loses nothing' test "$(value "$store" 'Audit_CL | summarize strcat(count(), " ", sum(Number))')" = '1600 1279200'
for i in $(seq 8 11); do
  log "$scratch/part.jsonl" $((i * 200)) 200 $((12 - i))
  "$azimuth" import --store "$store" --quiet --table Audit_CL "$scratch/part.jsonl"
done

# Answers whose order KQL defines, or a sort gives.
cat >"$scratch/queries" <<'KQL'
{"id":1,"query":"Audit_CL | sort by Number asc"}
{"id":2,"query":"Audit_CL | summarize count(), sum(Number), dcount(Caller), avg(Number) by tostring(Tags.n) | sort by Tags_n asc"}
{"id":3,"query":"Audit_CL | where TimeGenerated > ago(6d) | count"}
{"id":4,"query":"Audit_CL | where Caller has 'user3' | summarize make_set(Number) by Caller | project Caller, array_sort_asc(set_Number)"}
{"id":5,"query":"Audit_CL | summarize arg_max(TimeGenerated, *) by Caller | sort by Caller asc"}
{"id":6,"query":"Audit_CL | top 5 by Number desc"}
{"id":7,"query":"resources | sort by id asc"}
{"id":8,"query":"resources | summarize count() by type | sort by type asc"}
{"id":9,"query":"union withsource=T * | summarize count() by T | sort by T asc"}
{"id":10,"query":"Audit_CL | getschema"}
KQL
answers() { "$azimuth" query --store "$store" "$@" --batch <"$scratch/queries"; }
answers >"$scratch/before"
answers --snapshot 1 >"$scratch/before-1"
check 'the log has five small segments' test "$(segments "$store" Audit_CL)" = 5
out=$("$azimuth" store compact --store "$store" 2>&1)
check 'compact works' test $? -eq 0
check 'it says what it did' says "$out" 'rewritten: [0-9]+ segments became [0-9]+'
check 'one segment is left' test "$(segments "$store" Audit_CL)" = 1
answers >"$scratch/after"
check 'every answer is the same' cmp -s "$scratch/before" "$scratch/after"
answers --snapshot 1 >"$scratch/after-1"
check 'in the older snapshot too' cmp -s "$scratch/before-1" "$scratch/after-1"
check 'no answer is an error' test "$(grep -c '"error"' "$scratch/after")" = 0
check 'the store is sound' says "$("$azimuth" store check --store "$store")" '^0 problems'
out=$("$azimuth" store compact --store "$store")
check 'a second run has nothing to do' says "$out" 'no table had anything to rewrite'

# A reader that began before keeps its state; its files go when it is done.
log "$scratch/part.jsonl" 2400 200 0.5
"$azimuth" import --store "$store" --quiet --table Audit_CL "$scratch/part.jsonl"
mkfifo "$scratch/questions"
"$azimuth" query --store "$store" --batch <"$scratch/questions" >"$scratch/reader" &
reader=$!
exec 7>"$scratch/questions"
echo '{"id":1,"query":"print 1"}' >&7
until grep -q '"id":1' "$scratch/reader"; do sleep 0.05; done
out=$("$azimuth" store compact --store "$store")
check 'files that are read wait' says "$out" 'files are still being read'
echo '{"id":2,"query":"Audit_CL | summarize count(), sum(Number)"}' >&7
exec 7>&-
wait "$reader"
check 'a reader keeps its state' grep -q '"id":2.*\[2600,3378700\]' "$scratch/reader"
out=$("$azimuth" store vacuum --store "$store")
check 'vacuum removes what they left' says "$out" '^[1-9][0-9]* files removed'
check 'only files of the catalog are left' test "$(sizes "$store")" = \
  "$(python3 -c "import sqlite3; print(sqlite3.connect('$store/catalog.sqlite').execute('select count(*) from segments').fetchone()[0])")"
check 'the rows are all there' test "$(value "$store" 'Audit_CL | count')" = 2600

# Snapshots.
out=$("$azimuth" store vacuum --store "$store" --keep 1 </dev/null 2>&1)
check 'vacuum asks' test $? -eq 2
check 'it names the snapshot' says "$out" 'snapshot 1 of 20.* goes'
check 'it says how to agree' says "$out" '--yes'
check 'nothing went' test "$("$azimuth" query --store "$store" --snapshot 1 --format csv 'resources | count' | sed -n 2p | tr -d '\r')" -gt 0
"$azimuth" store vacuum --store "$store" --keep 1 --yes >/dev/null
check 'vacuum --keep --yes works' test $? -eq 0
out=$("$azimuth" query --store "$store" --snapshot 1 'resources | count' 2>&1)
check 'the old snapshot is gone' says "$out" 'no snapshot 1'
answers | head -9 | tail -n +7 >"$scratch/kept"
check 'the newest is as it was' test "$(sed -n '1p;2p' "$scratch/kept")" = "$(sed -n '7p;8p' "$scratch/before")"
"$azimuth" import --store "$store" --quiet examples/contoso
check 'the next snapshot has the next number' says "$("$azimuth" store info --store "$store")" '^3 '

# Retention.
out=$("$azimuth" store retention --store "$store" resources 3 2>&1)
check 'an inventory table has no retention' says "$out" 'inventory table'
out=$("$azimuth" store retention --store "$store" nosuch 3 2>&1)
check 'an unknown table is an error' says "$out" "no table 'nosuch'"
out=$("$azimuth" store retention --store "$store" Audit_CL soon 2>&1)
check 'days are a number' test $? -eq 2
"$azimuth" store retention --store "$store" audit_cl 6 >/dev/null
check 'the retention is shown' says "$("$azimuth" store info --store "$store")" 'Audit_CL .* kept 6 days'
young=$(value "$store" 'Audit_CL | where TimeGenerated >= ago(6d) | count')
out=$("$azimuth" store compact --store "$store")
check 'expired rows are counted' says "$out" "^$((2600 - young)) rows were past"
check 'expired rows are gone' test "$(value "$store" 'Audit_CL | count')" = "$young"
"$azimuth" store retention --store "$store" Audit_CL 2 >/dev/null
"$azimuth" store vacuum --store "$store" >/dev/null
check 'vacuum applies it too' test "$(value "$store" 'Audit_CL | where TimeGenerated < ago(2d) | count')" = 0
check 'and keeps the others' test "$(value "$store" 'Audit_CL | count')" -ge 200
"$azimuth" store retention --store "$store" Audit_CL none >/dev/null
check 'none ends it' test -z "$("$azimuth" store info --store "$store" | grep 'kept')"

# Once.
log "$scratch/once.jsonl" 0 50 1
gzip -c "$scratch/once.jsonl" >"$scratch/once.jsonl.gz"
cp "$scratch/once.jsonl" "$scratch/copy.jsonl"
"$azimuth" import --store "$store" --quiet --table Once_CL --once "$scratch/once.jsonl" "$scratch/copy.jsonl"
check 'two files of one content come in once' test "$(value "$store" 'Once_CL | count')" = 50
out=$("$azimuth" import --store "$store" --table once_cl --once "$scratch/once.jsonl.gz")
check 'again is no error' test $? -eq 0
check 'it says what it skipped' says "$out" 'skipped: .*once.jsonl.gz .*already'
check 'nothing came twice' test "$(value "$store" 'Once_CL | count')" = 50
echo '{"TimeGenerated":"2026-01-01T00:00:00Z","Number":50}' >>"$scratch/once.jsonl"
"$azimuth" import --store "$store" --quiet --table Once_CL --once "$scratch/once.jsonl"
check 'another content is another file' test "$(value "$store" 'Once_CL | count')" = 101
"$azimuth" import --store "$store" --quiet --table Other_CL --once "$scratch/copy.jsonl"
check 'another table is another matter' test "$(value "$store" 'Other_CL | count')" = 50
"$azimuth" import --store "$store" --quiet --table Once_CL "$scratch/copy.jsonl"
check 'without --once it is read' test "$(value "$store" 'Once_CL | count')" = 151
out=$("$azimuth" import --store "$store" --once examples/contoso 2>&1)
check '--once is for tables' says "$out" 'goes with --table'
out=$("$azimuth" import --store "$store" --once --table Users "$scratch/copy.jsonl" 2>&1)
check '--once is for logs' says "$out" 'is for logs'

# Killed at any moment: all rows, whichever state it is.
for i in $(seq 0 19); do
  log "$scratch/part.jsonl" $((i * 500)) 500 $((20 - i))
  "$azimuth" import --store "$scratch/kill" --quiet --table Audit_CL "$scratch/part.jsonl"
done
cp -r "$scratch/kill" "$scratch/kill-base"
mixed=0
for delay in 0.002 0.005 0.01 0.015 0.02 0.03 0.04 0.06; do
  rm -rf "$scratch/kill"
  cp -r "$scratch/kill-base" "$scratch/kill"
  "$azimuth" store compact --store "$scratch/kill" >/dev/null 2>&1 &
  pid=$!
  sleep "$delay"
  kill -9 "$pid" 2>/dev/null
  wait "$pid" 2>/dev/null
  now=$(value "$scratch/kill" 'Audit_CL | summarize strcat(count(), " ", sum(Number))')
  [ "$now" = '10000 49995000' ] || mixed=$((mixed + 1))
done
check 'kill -9 loses and doubles nothing' test "$mixed" = 0
"$azimuth" store compact --store "$scratch/kill" >/dev/null
check 'the next run finishes' test "$(segments "$scratch/kill" Audit_CL)" = 1
check 'a store that is not there is an error' says "$("$azimuth" store compact --store "$scratch/none" 2>&1)" 'no store'
check 'and is not made' test ! -e "$scratch/none"
finish
