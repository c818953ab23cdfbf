#!/usr/bin/env bash
# externaldata: which files a query may read, their formats, and where other names lead.
. "$(dirname "$0")/lib.sh"
files=$scratch/files
mkdir -p "$files/sub" "$scratch/outside"

# run QUERY: the answer as CSV without its header, from the allowed folder.
run() { "$azimuth" query --external-root "$files" --format csv "$1" 2>&1 | tail -n +2 | tr -d '\r'; }
# fails QUERY: the error.
fails() { "$azimuth" query --external-root "$files" "$1" 2>&1 >/dev/null; }

printf '\xef\xbb\xbfName,Count,When\r\n"a, ""b""",1,2026-01-01\r\n\r\nplain,not a number,x\r\n"two\nlines",3,\r\n' >"$files/list.csv"
declared='externaldata(Name:string, Count:long, When:datetime)'
check 'csv by its name, quotes and line breaks in cells' test \
  "$(run "$declared['list.csv'] with (ignoreFirstRecord=true) | summarize count(), sum(Count), countif(isnull(When))")" = '3,4,2'
check 'the header is a record when it is not skipped' test "$(run "$declared['list.csv'] | count")" = 4
check 'a quoted quote' test "$(run "$declared['list.csv'] | where Count == 1 | project strlen(Name)")" = 6
check 'an absolute path' test "$(run "$declared['$files/list.csv'] | count")" = 4
check 'a file:// address' test "$(run "$declared['file://$files/list.csv'] | count")" = 4
check 'several files' test "$(run "$declared['list.csv', 'list.csv'] | count")" = 8
check 'fewer columns than cells, more columns than cells' test \
  "$(run "externaldata(A:string, B:string, C:string, D:string)['list.csv'] | summarize countif(D == '')")" = 4

printf 'a\tb"c\t1\n' >"$files/x.tsv"
printf 'a|b\n' >"$files/x.psv"
printf 'a;b\n' >"$files/x.scsv"
printf 'a\\tb\tc\n' >"$files/x.tsve"
printf 'one\ntwo\r\n' >"$files/x.txt"
check 'tsv does not know quotes' test "$(run "externaldata(A:string, B:string, C:long)['x.tsv'] | project strlen(B), C")" = '3,1'
check 'psv' test "$(run "externaldata(A:string, B:string)['x.psv'] | project B")" = b
check 'scsv by the format' test "$(run "externaldata(A:string, B:string)['x.scsv'] with (format='scsv') | project B")" = b
check 'tsve unescapes' test "$(run "externaldata(A:string, B:string)['x.tsve'] | project strlen(A), B")" = '3,c'
check 'txt is a line a row' test "$(run "externaldata(L:string)['x.txt'] | summarize sum(strlen(L)), count()")" = '6,2'
check 'raw is one row' test "$(run "externaldata(L:string)['x.txt'] with (format=raw) | project strlen(L)")" = 9

printf '{"a":1,"b":{"c":["x"]}}\n{"a":"2"}\n' >"$files/x.json"
printf '[{"a":1},\n {"a":2,\n  "b":{"c":["y","z"]}}]' >"$files/x.multijson"
check 'json by name' test "$(run "externaldata(a:long, b:dynamic)['x.json'] | summarize sum(a), countif(isnull(b))")" = '3,1'
check 'multijson' test "$(run "externaldata(a:long, b:dynamic)['x.multijson'] | where a == 2 | project tostring(b.c[1])")" = z
mapping='[{"Column":"L","Properties":{"Path":"$.b.c[0]"}},{"Column":"K","Properties":{"ConstValue":"k"}}]'
check 'a json mapping' test "$(run "externaldata(L:string, K:string)['x.json'] with (ingestionMapping='$mapping') | where L != ''")" = 'x,k'
mapping='[{"Column":"L","Properties":{"Ordinal":1}}]'
check 'a csv mapping' test "$(run "externaldata(L:long)['list.csv'] with (ignoreFirstRecord=true, ingestionMapping='$mapping') | summarize sum(L)")" = 4
check 'a mapping that is none' says "$(fails "externaldata(L:long)['list.csv'] with (ingestionMapping='{}')")" 'must be a JSON array'
printf '#Version: 1.0\n#Fields: date s-ip cs-uri\n2026-01-01 10.0.0.1 -\n' >"$files/x.w3clog"
check 'w3c logs by their fields' test "$(run "externaldata(['cs-uri']:string, ['s-ip']:string)['x.w3clog'] | project ['s-ip'], isempty(['cs-uri'])")" = '10.0.0.1,true'
check 'json that is none' says "$(printf '{"a":' >"$files/bad.json"; fails "externaldata(a:long)['bad.json']")" 'no JSON'

gzip -c "$files/list.csv" >"$files/list.csv.gz"
python3 - "$files" <<'PY'
import sys, zipfile
folder = sys.argv[1]
with zipfile.ZipFile(folder + '/two.csv.zip', 'w') as z:
    z.writestr('a.csv', 'a,1\n', zipfile.ZIP_DEFLATED)
    z.writestr('b.csv', 'b,2\n', zipfile.ZIP_STORED)
PY
check 'gzip by its content' test "$(run "$declared['list.csv.gz'] | count")" = 4
check 'zip: all files in it' test "$(run "externaldata(A:string, N:long)['two.csv.zip'] | summarize sum(N), count()")" = '3,2'
head -c 60 "$files/two.csv.zip" >"$files/cut.csv.zip"
check 'a zip that is cut' says "$(fails "externaldata(A:string)['cut.csv.zip']")" 'zip archive is damaged'
check 'formats that are not read' says "$(cp "$files/x.txt" "$files/x.parquet"; fails "externaldata(a:long)['x.parquet']")" 'convert .* to csv or json'
check 'a format there is not' says "$(fails "externaldata(a:long)['x.txt'] with (format='xls')")" "there is no format 'xls'"

printf 'p,1\n' >"$files/sub/part-1.csv"
printf 'p,2\n' >"$files/sub/part-2.csv"
printf 'q,4\n' >"$files/sub/other.txt"
check 'a folder, by prefix and extension' test \
  "$(run "inline_external_table(A:string, N:long) kind=storage dataformat=csv ('sub') with (namePrefix='part', fileExtension='csv') | summarize sum(N)")" = 3
check 'a partition column computed from a column' test \
  "$(run "inline_external_table(A:string, N:long) kind=storage partition by (Twice:long = N * 2) dataformat=csv ('sub/part-2.csv') | project Twice")" = 4

# What may be read.
echo secret >"$scratch/outside/s.txt"
ln -s "$scratch/outside/s.txt" "$files/link.txt"
check 'a path that leaves the folder' says "$(fails "externaldata(L:string)['../outside/s.txt']")" 'not in a folder named'
check 'a link that leaves the folder' says "$(fails "externaldata(L:string)['link.txt']")" 'not in a folder named'
check 'a folder that only begins alike' says "$(mkdir "$files-2"; echo x >"$files-2/x.txt"; fails "externaldata(L:string)['$files-2/x.txt']")" 'not in a folder named'
check 'nothing without the option' says "$("$azimuth" query "externaldata(L:string)['$files/x.txt']" 2>&1)" '--external-root DIR'
out=$(fails "externaldata(L:string)[h'https://host.example/x.csv?sig=SECRET'] | where Nope")
check 'no secret in an error' test "${out/SECRET/}" = "$out"
out=$(fails "print h'SECRET' h@\"SECRET\" +")
check 'no secret in a syntax error' test "${out/SECRET/}" = "$out"
check 'check binds what cannot be fetched' says "$("$azimuth" query --check "externaldata(L:string)['https://host.example/x.csv'] | where L == 'x'")" ok

# Custom tables under check.
check 'a custom table that is not here binds under check' says "$("$azimuth" query --check 'Mine_CL | where Level_d > 3 and Name_s has "x" and TimeGenerated > ago(1d) and Plain == "y" | summarize count() by tostring(Flag_b)')" ok
check 'and is unknown when it is run' says "$("$azimuth" query 'Mine_CL | count' 2>&1)" "no table"
check 'its columns have the types of their suffixes' says "$("$azimuth" query --check 'Mine_CL | extend x = Level_d + Name_s' 2>&1)" 'real and string'

# Maps.
map() { "$azimuth" query --format csv "$@" 2>&1 | tail -n +2 | tr -d '\r'; }
check 'an address that is mapped' test "$(map --map "https://host.example/list.csv=$files/list.csv" "$declared['https://host.example/list.csv?sig=SECRET'] | count")" = 4
printf '# lists\nhttps://host.example/list.csv = %s\n\nworkspace:one = %s\n*=.\n' "$files/list.csv" "$scratch/one" >"$scratch/maps"
"$azimuth" import --store "$scratch/one" --table One_CL "$files/list.csv" >/dev/null
check 'a file of maps' test "$(map --map-file "$scratch/maps" "$declared['https://host.example/list.csv'] | count")" = 4
check 'another store by its place' test "$(map --map-file "$scratch/maps" 'workspace("one").One_CL | count')" = 3
check 'every other place is this store' test "$(map --map-file "$scratch/maps" --store "$scratch/one" 'cluster("c").database("d").One_CL | count')" = 3
check 'stores beside each other' test "$(map --map-file "$scratch/maps" --store "$scratch/one" 'union One_CL, workspace("one").One_CL | count')" = 6
check 'a store that is not there' says "$("$azimuth" query --map "workspace:x=$scratch/none" 'workspace("x").T' 2>&1)" "$scratch/none"
check 'a map that is none' says "$("$azimuth" query --map nonsense 'print 1' 2>&1)" 'a map is NAME=TARGET'
mkdir -p "$scratch/one/files"
cp "$files/list.csv" "$scratch/one/files/"
check 'a file the store keeps' test "$(map --store "$scratch/one" "$declared['store://list.csv'] | count")" = 4
check 'no way out of the store' says "$("$azimuth" query --store "$scratch/one" "externaldata(L:string)['store://../catalog.sqlite']" 2>&1)" 'the store keeps no file'

# Parameters.
check 'parameters by their types' test "$(map --param n=0x10 --param 't=1h' --param 's=a=b' --param 'd={"x":[1]}' --param 'w=datetime(2026-01-01)' \
  'declare query_parameters(n:long, t:timespan, s:string="", d:dynamic, w:datetime); print n, t, s, tostring(d.x[0]), w')" = '16,01:00:00,a=b,1,2026-01-01T00:00:00.0000000Z'
check 'a parameter of the wrong type' says "$("$azimuth" query --param n=abc 'declare query_parameters(n:long); print n' 2>&1)" "is no long: 'abc'"
check 'a parameter nobody declared' says "$("$azimuth" query --param m=1 'declare query_parameters(n:long=1); print n' 2>&1)" "declares no parameter 'm'"
check 'a parameter without a value' says "$("$azimuth" query --param m 'print 1' 2>&1)" 'NAME=VALUE'

out=$("$azimuth" query --check --resource-graph-limits 'resources | join kind=leftanti (resources) on id | union isfuzzy=true resources | top-hitters 2 of name')
check 'what Resource Graph refuses' test $? -eq 1
check 'a kind of join' says "$out" "^1:18: join kind 'leftanti'"
check 'a fuzzy union' says "$out" 'union isfuzzy is not allowed'
check 'an operator' says "$out" "the operator 'top-hitters'"
check 'what Resource Graph takes' test "$("$azimuth" query --check --resource-graph-limits 'resources | where type == "x" | summarize count() by location')" = ok
finish
