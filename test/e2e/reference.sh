#!/usr/bin/env bash
# docs/reference/ is what the program's own rows give; help on the command line.
. "$(dirname "$0")/lib.sh"
root="$(dirname "$0")/../.."

"$azimuth" help --markdown "$scratch/reference"
check 'the pages can be written' test $? -eq 0
if ! diff -r -q "$root/docs/reference" "$scratch/reference"; then
  diff -r "$root/docs/reference" "$scratch/reference" | head -20
  echo "docs/reference is stale: run  azimuth help --markdown docs/reference  and commit"
fi
check 'the pages in docs/reference are not stale' diff -r -q "$root/docs/reference" "$scratch/reference"

check 'help lists topics' says "$("$azimuth" help)" 'tabular operators \([0-9]+\)'
check 'help lists a kind' says "$("$azimuth" help tables)" 'SigninLogs'
check 'help on a function' says "$("$azimuth" help strlen)" 'strlen\(text:[a-z]+\) : long'
check 'help on an operator shows its answer' says "$("$azimuth" help where)" '\(2 rows\)'
check 'help on an operator of two words' says "$("$azimuth" help matches regex)" 'TEXT matches regex PATTERN'
check 'help on a table shows columns' says "$("$azimuth" help SigninLogs)" 'UserPrincipalName +string'
out=$("$azimuth" help strlne 2>&1)
check 'an unknown name gives status 2' test $? -eq 2
check 'an unknown name suggests' says "$out" "did you mean 'strlen'"
check 'a folder that cannot be made is an error' says "$("$azimuth" help --markdown /dev/null/x 2>&1)" "cannot make the folder"
finish
