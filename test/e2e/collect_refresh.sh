#!/usr/bin/env bash
# A refresh ends as a full collection, in fewer calls.
exec python3 "$(dirname "$0")/collect_refresh.py" "$1"
