#!/usr/bin/env bash
# Recorded answers of Azure: every 2xx body imports and every object in it is a row.
. "$(dirname "$0")/lib.sh"
[ -d "$shared/collect/recorded" ] || skip 'the recorded answers are not on this machine'
check 'every recorded answer is accounted for' \
  python3 "$(dirname "$0")/recorded_answers.py" "$azimuth" "$shared/collect/recorded"
finish
