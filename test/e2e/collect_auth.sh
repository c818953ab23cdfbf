#!/usr/bin/env bash
# Sign-in: each way asks for a token as the SDKs do, and no secret is shown.
. "$(dirname "$0")/lib.sh"
check 'every way to sign in' python3 "$(dirname "$0")/collect_auth.py" "$azimuth" \
  "$(dirname "$0")/../replay/replay.py" "$shared/collect/client_requests.jsonl" "$scratch"
finish
