#!/usr/bin/env bash
# Arrow: what Apache Arrow's own reader finds in our streams is what --format json says.
# test/peer/arrow/install fetches that reader; without it only our side is looked at.
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
peer=$here/../peer/arrow

# same QUERY [BATCHES [TYPES]]: the reader finds the rows of --format json.
same() {
  "$azimuth" query --store "$scratch/store" --format json "$1" >"$scratch/ours.json" &&
    "$azimuth" query --store "$scratch/store" --format arrow --output "$scratch/answer.arrow" "$1" &&
    node "$peer/read.js" "$scratch/answer.arrow" >"$scratch/theirs.json" &&
    python3 "$here/arrow.py" "$scratch/ours.json" "$scratch/theirs.json" "${@:2}" >"$scratch/said" 2>&1 ||
    { cat "$scratch/said" 2>/dev/null; return 1; }
}

"$azimuth" import --store "$scratch/store" --quiet examples/contoso

all='datatable(b:bool, i:int, l:long, r:real, m:decimal, t:datetime, d:timespan, s:string, g:guid, x:dynamic) [
  true, 1, 9223372036854775807, 1.5, decimal(12.50), datetime(2026-01-02 03:04:05.1234567), 1d, "short", guid(74be27de-1e4e-49d9-b579-fe0b331d3642), dynamic({"a":[1,2.5,"x",null],"b":{"c":true}}),
  false, -2147483648, -9223372036854775807, real(-inf), decimal(-0.0000001), datetime(1969-12-31 23:59:59.9999999), -1tick, "a text of more than twelve bytes, \u00e4\u20ac\U0001F600 \"quoted\"", guid(00000000-0000-0000-0000-000000000000), dynamic("text"),
  bool(null), int(null), long(null), real(null), decimal(null), datetime(null), timespan(null), "", guid(null), dynamic(null),
  true, 0, 0, real(nan), decimal(99999999999999999999999999.5), datetime(2262-04-11), time(106751.23:47:16), "line\nbreak", guid(ffffffff-ffff-ffff-ffff-ffffffffffff), dynamic([])]'

# Our side: the frame of the format, files, terminals.
"$azimuth" query --format arrow 'print 1' >"$scratch/one.arrow"
check 'a stream begins with the mark of a message' test "$(head -c 4 "$scratch/one.arrow" | od -An -tx1 | tr -d " \n")" = ffffffff
check 'a stream ends with the end mark' test "$(tail -c 8 "$scratch/one.arrow" | od -An -tx1 | tr -d " \n")" = ffffffff00000000
check 'its length is a multiple of eight' test $(($(stat -c %s "$scratch/one.arrow") % 8)) -eq 0
"$azimuth" query --format arrow --output "$scratch/two.arrow" 'print 1'
check 'a file holds what a pipe gets' cmp -s "$scratch/one.arrow" "$scratch/two.arrow"
out=$(script -qec "'$azimuth' query --format arrow 'print 1'" /dev/null </dev/null 2>&1)
check 'a terminal gets no binary' says "$out" 'no text for a terminal'
echo before >"$scratch/kept"
"$azimuth" query --format arrow --output "$scratch/kept" 'print nosuch' 2>/dev/null
check 'a query that fails is an error' test $? -eq 2
check 'a query that fails leaves the file alone' test "$(cat "$scratch/kept")" = before
check 'and no temporary file' test -z "$(ls "$scratch"/kept.tmp* 2>/dev/null)"
out=$("$azimuth" query --format arrow --output "$scratch/no/where" 'print 1' 2>&1)
check 'a file that cannot be made is an error' says "$out" "cannot write '$scratch/no/where'"
out=$("$azimuth" query --format arrow 'print 1; print 2' 2>&1 >/dev/null)
check 'two tables are refused' says "$out" 'one table and this query has 2'
out=$(echo '{"query":"print 1"}' | "$azimuth" query --format arrow --batch 2>&1)
check 'a batch is JSON' says "$out" 'JSON lines'
"$azimuth" query --format csv --output "$scratch/x.csv" 'print x = 7'
check 'every format can go to a file' test "$(tr -d '\r' <"$scratch/x.csv" | tail -1)" = 7
echo '{"id":1,"query":"print 7"}' | "$azimuth" query --batch --output "$scratch/batch.jsonl"
check 'answers of a batch too' grep -q '"rows":\[\[7\]\]' "$scratch/batch.jsonl"

if ! node -e "require('$peer/node_modules/apache-arrow')" 2>/dev/null; then
  echo "not compared with Apache Arrow's reader: run test/peer/arrow/install"
  finish
fi

check 'all types, values at their ends, nulls' same "$all" 1 \
  'Bool|Int32|Int64|Float64|Decimal[38e+7]|Timestamp<NANOSECOND, UTC>|Duration<NANOSECOND>|Utf8|FixedSizeBinary[16]|Utf8'
check 'no rows' same "$all | where i == 5"
check 'only nulls' same "$all | where isnull(i)"
check 'no columns of their own' same 'print x = 1 | project-away x | count'
check 'years out of nanoseconds are microseconds' same \
  'datatable(t:datetime, d:timespan) [datetime(0001-01-01), timespan(10675199.02:48:05.477580), datetime(9999-12-31 23:59:59.999999), timespan(-10675199.02:48:05.477580), datetime(null), timespan(null)]' \
  1 'Timestamp<MICROSECOND, UTC>|Duration<MICROSECOND>'
check 'decimals of 38 digits together' same \
  'print m = decimal(1234567890123456789012345678901234) | union (print m = decimal(0.0001))' 1 'Decimal[38e+4]'
check 'decimals that do not fit together are text' same \
  'print m = decimal(1234567890123456789012345678901234) | union (print m = decimal(0.00001))' 1 'Utf8'
check 'decimals beyond 38 digits are text' same 'print m = decimal(1e50), n = decimal(1e-50)' 1 'Utf8|Utf8'
check 'decimal 1e37' same 'print m = decimal(1e37), n = decimal(-1e-38)' 1 'Decimal[38e0]|Decimal[38e+38]'
many='range n from 1 to 20000 step 1
| extend b = iff(n % 7 == 0, bool(null), n % 2 == 0), i = iff(n % 5 == 0, int(null), toint(n)), r = todouble(n) / 3,
  t = iff(n % 11 == 0, datetime(null), datetime(2026-01-01) + n * 1s), s = iff(n % 3 == 0, "", strcat("text number ", n)),
  g = iff(n % 13 == 0, guid(null), guid(74be27de-1e4e-49d9-b579-fe0b331d3642)), x = bag_pack("n", n, "s", tostring(n % 4))'
check 'many batches' same "$many" 4
check 'selected rows of many batches' same "$many | where n % 3 != 1" 2
check 'a constant column' same 'range n from 1 to 10000 step 1 | extend c = "the same text everywhere", d = 7, e = long(null)' 2
check 'columns of the store' same 'resources' 1
check 'every table of the store' same 'union withsource=T * | take 500'
"$azimuth" query --format arrow 'print g = guid(74be27de-1e4e-49d9-b579-fe0b331d3642), x = dynamic([1])' >"$scratch/ext.arrow"
check 'guid and dynamic are extension types' says "$(node "$peer/read.js" "$scratch/ext.arrow")" '"extensions":\["arrow.uuid","arrow.json"\]'
finish
