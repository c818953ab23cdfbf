#!/usr/bin/env bash
# Names and types of result columns against the record of the official analyser: every entry.
. "$(dirname "$0")/lib.sh"
[ -f "$shared/kql/typing.json" ] || skip 'the record of the analyser is not on this machine'
out=$(python3 "$(dirname "$0")/typing.py" "$azimuth" "$shared/kql/typing.json")
status=$?
echo "$out"
check 'every entry as the analyser has it' test "$status" -eq 0
finish
