#!/usr/bin/env bash
# The verdicts of the official analyser on our own queries: what it refuses, what it accepts;
# and errors as the command line shows them.
. "$(dirname "$0")/lib.sh"
out=$(python3 "$(dirname "$0")/verdicts.py" "$azimuth" "$(dirname "$0")/../kql")
status=$?
echo "$out" | grep -v ' passed, '
check 'every verdict as the analyser has it' test "$status" -eq 0
passed=$((passed + $(sed -nE 's/^([0-9]+) passed.*/\1/p' <<<"$out")))

wrong='let a = nosuch; print x = 1 | where y > 1 | extend z = strlne("a"), w = 1 + "b" | wher'
text=$("$azimuth" query "$wrong" 2>&1)
check 'a query with syntax errors is refused' test $? -eq 2
check 'the syntax error has its place' says "$text" 'syntax error at line 1, column 83: .*wher'
wrong='let a = nosuch; print x = 1 | where y > 1 | extend z = strlne("a"), w = 1 + "b"'
text=$("$azimuth" query "$wrong" 2>&1)
check 'four errors are told' test "$(grep -c 'semantic error at line 1' <<<"$text")" -eq 4
check 'the line and a caret stand below' says "$text" '^  +\^~+$'
text=$("$azimuth" query --check 'print datetime(soon)' 2>&1)
check 'a warning does not refuse' test $? -eq 0
check 'the warning has its place' says "$text" 'warning at line 1, column 7'
text=$(echo '{"id":1,"query":"print nosuch, other"}' | "$azimuth" query --batch --check)
check 'a batch has the first error' says "$text" '"error":\{"code":"semantic","line":1,"column":7'
check 'a batch has all errors' says "$text" '"errors":\[.*"column":7.*"column":15.*\]'
text=$(echo '{"id":1,"query":"print 7","tables":["a longer text behind the query"]}' | "$azimuth" query --batch)
check 'members behind the query leave it alone' says "$text" '"rows":\[\[7\]\]'
finish
