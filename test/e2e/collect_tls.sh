#!/usr/bin/env bash
# Collecting over TLS and HTTP/2, as Azure is spoken to; and what is not trusted.
. "$(dirname "$0")/lib.sh"
command -v node >/dev/null && command -v openssl >/dev/null || skip 'node or openssl is not on this machine'
. "$(dirname "$0")/collect_lib.sh"
h2=$(dirname "$0")/../replay/h2.js

# certificate NAME SUBJECT_ALT_NAME
certificate() {
  openssl req -x509 -newkey rsa:2048 -nodes -subj "/CN=$1" -addext "subjectAltName=$2" -keyout "$scratch/$1.key" \
    -out "$scratch/$1.pem" -days 2 2>/dev/null
}
# cover NAME [http1]: TLS by that certificate before the services; $secure is where.
cover() {
  rm -f "$scratch/tls-port"
  node "$h2" "$scratch/$1.pem" "$scratch/$1.key" "${url##*:}" "$scratch/tls-port" ${2:-} &
  servers+=($!)
  until [ -s "$scratch/tls-port" ] || ! kill -0 "${servers[-1]}" 2>/dev/null; do sleep 0.05; done
  secure=https://127.0.0.1:$(cat "$scratch/tls-port")
}
tls() {
  out=$(timeout 300 "$azimuth" collect --login-endpoint "$secure" --arm-endpoint "$secure" --graph-endpoint "$secure" "$@" 2>&1)
}
seen() { curl -sk "$secure/__h2" | python3 -c "import json,sys; d=json.load(sys.stdin); print($1)"; }
rows() { cat "$1"/*.jsonl | wc -l; }

certificate good IP:127.0.0.1
certificate other DNS:management.azure.com
serve --tenant examples/contoso --page 25
collect "$scratch/plain"
cover good
tls --ca-file "$scratch/good.pem" "$scratch/h2"
check 'a tenant is collected over TLS' test $? -eq 0
check 'with all its rows' test "$(rows "$scratch/h2")" = "$(rows "$scratch/plain")"
check 'nothing is missing' test "$(grep -c '"not collected"' "$scratch/h2/CollectionStatus.jsonl")" = 0
check 'by HTTP/2' test "$(seen 'd["requests"].get("2.0", 0)')" -gt 100
check 'and nothing else' test "$(seen 'len(d["requests"])')" = 1
connections=$(seen 'd["connections"]')
check "over few connections ($connections)" test "$connections" -le 9
check 'many calls at once' test "$(seen 'd["most"]')" -ge 4
tls "$scratch/untrusted"
check 'a certificate that nobody trusts is refused' says "$out" 'certificate'
check 'and no call is made' test ! -s "$scratch/untrusted/users.jsonl"
cover other
tls --ca-file "$scratch/other.pem" "$scratch/name"
check 'so is one for another name' says "$out" '(certificate|SSL)'
check 'and no secret went there' test "$(seen 'sum(d["requests"].values())')" = 0
cover good http1
tls --ca-file "$scratch/good.pem" "$scratch/h1"
check 'a server without HTTP/2 is spoken to, too' test "$(rows "$scratch/h1")" = "$(rows "$scratch/plain")"
check 'by HTTP/1.1' test "$(seen 'list(d["requests"])[0]')" = 1.1
finish
