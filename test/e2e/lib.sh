# Shared by the end-to-end tests: a scratch folder, and checks that count.
set -uo pipefail
azimuth=$1
shared=$2
scratch=$(mktemp -d)
trap 'chmod -R u+w "$scratch" 2>/dev/null; rm -rf "$scratch"' EXIT
passed=0
failed=0

# check NAME CONDITION...: runs the condition as a command.
check() {
  local name=$1
  shift
  if "$@"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAILED: $name"
  fi
}

# says TEXT PATTERN: whether the text holds the pattern.
says() { grep -qE -- "$2" <<<"$1"; }

# value STORE QUERY: the first cell of a query's answer.
value() { "$azimuth" query --store "$1" --format csv "$2" | sed -n 2p | tr -d '\r'; }

finish() {
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
  exit $?
}

skip() {
  echo "skipped: $1"
  exit 77
}
