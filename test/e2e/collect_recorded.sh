#!/usr/bin/env bash
# Recorded answers of Azure through the collector: rows, or a reason that a person understands.
. "$(dirname "$0")/lib.sh"
[ -d "$shared/collect/recorded" ] || skip 'the recorded answers are not on this machine'
check 'every recorded answer comes to rows or to a reason' \
  "$(dirname "$azimuth")/test/collect_cases" "$shared/collect/recorded"
finish
