#!/usr/bin/env bash
# Logs of storage accounts, fetched from Azurite: every record once, however it is asked for.
# test/peer/azurite/install fetches Azurite.
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
emulator=$here/../peer/azurite/node_modules/.bin/azurite-blob
[ -x "$emulator" ] || skip 'Azurite is not installed: test/peer/azurite/install'
check 'logs of storage accounts' python3 "$here/collect_storage.py" "$azimuth" "$emulator" "$scratch"
finish
