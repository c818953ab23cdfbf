#!/usr/bin/env bash
# A collection that is killed at random moments ends as one that is not (script/bench --collect: 200 of them).
. "$(dirname "$0")/lib.sh"
check 'killed collections end as whole ones' python3 "$(dirname "$0")/collect_kill.py" "$azimuth" 24
finish
