#!/usr/bin/env bash
# Flipped bits in every kind of file of a store (by hand: store_damage.py AZIMUTH 200).
. "$(dirname "$0")/lib.sh"
check 'damage is an error that names the file' python3 "$(dirname "$0")/store_damage.py" "$azimuth" 8
finish
