#!/usr/bin/env bash
# Imports, compactions and vacuums that are killed at random moments lose and repeat nothing (docs/store.md: 500 of them).
. "$(dirname "$0")/lib.sh"
check 'killed writers lose nothing' python3 "$(dirname "$0")/store_kill.py" "$azimuth" 16
finish
