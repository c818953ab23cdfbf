#!/usr/bin/env bash
# Alerts posted to a webhook: signature, throttling, failures, what is kept meanwhile.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/alerts.sh"
export HOOK_SECRET=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw
detect() { "$azimuth" detect --rules "$rules" --webhook-secret-env HOOK_SECRET "$@"; }

# A receiver: answers the requests with the statuses given (the last for all that follow), "cut"
# ends the connection, "slow" sends a byte at a time; each request as a line of JSON.
cat >"$scratch/server.py" <<'PYTHON'
import http.server, json, os, sys, time
port_file, port, statuses = sys.argv[1], int(sys.argv[2]), sys.argv[3].split(",")
class Hook(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        status = statuses.pop(0) if len(statuses) > 1 else statuses[0]
        print(json.dumps({"status": status, "body": body,
                          "headers": {k.lower(): v for k, v in self.headers.items()}}), flush=True)
        if status == "cut":
            self.close_connection = True
            return
        if status == "slow":
            for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok":
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(0.01)
            return
        self.send_response(int(status))
        if status == "429":
            self.send_header("Retry-After", "1")
        if status == "302":
            self.send_header("Location", "http://127.0.0.1:%d/elsewhere" % port)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *args):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Hook)
port = server.server_address[1]
with open(port_file + ".tmp", "w") as out:
    out.write(str(port))
os.rename(port_file + ".tmp", port_file)
server.serve_forever()
PYTHON
serve() { # STATUSES [PORT]
  rm -f "$scratch/port"
  python3 "$scratch/server.py" "$scratch/port" "${2:-0}" "$1" >"$scratch/got" &
  server=$!
  for _ in $(seq 300); do [ -s "$scratch/port" ] && break; sleep 0.1; done
  port=$(cat "$scratch/port")
  url=http://127.0.0.1:$port/hook
}
stop() { kill "$server" && wait "$server" 2>/dev/null; }
# requests COUNT IDS: so many requests of so many alerts, each signed for its very body and time.
requests() {
  python3 - "$scratch/got" "$@" <<'PYTHON'
import base64, hashlib, hmac, json, os, sys
requests = [json.loads(line) for line in open(sys.argv[1])]
assert len(requests) == int(sys.argv[2]), len(requests)
key = base64.b64decode(os.environ["HOOK_SECRET"][6:])
ids = set()
for request in requests:
    head = request["headers"]
    signed = ".".join([head["webhook-id"], head["webhook-timestamp"], request["body"]])
    right = base64.b64encode(hmac.new(key, signed.encode(), hashlib.sha256).digest()).decode()
    assert head["webhook-signature"] == "v1," + right, head
    assert head["content-type"] == "application/json"
    finding = json.loads(request["body"])
    assert finding["class_uid"] == 2004 and finding["finding_info"]["uid"] == head["webhook-id"], finding
    assert "whsec" not in json.dumps(request)
    ids.add(head["webhook-id"])
assert len(ids) == int(sys.argv[3]), ids
PYTHON
}

new_store "$scratch/plain"
serve 200
detect --store "$scratch/plain" --webhook "$url" >/dev/null 2>&1
check 'delivered' test $? -eq 0
check 'one signed request an alert' requests 3 3
check 'nothing is left to send' test "$(kept "$scratch/plain")" = 0
detect --store "$scratch/plain" --webhook "$url" >/dev/null 2>&1
check 'nothing is sent twice' requests 3 3
stop

new_store "$scratch/busy"
serve 429,cut,204,503,slow
detect --store "$scratch/busy" --webhook "$url" >/dev/null 2>&1
check 'throttled, cut and failing at first: delivered' test $? -eq 0
check 'the same alert has the same id each time' requests 6 3
stop

new_store "$scratch/down"
serve 500
err=$(detect --store "$scratch/down" --webhook "$url" 2>&1 >/dev/null)
check 'a receiver that fails gives status 2' test $? -eq 2
check 'it is said why, what is left and where' says "$err" "3 alerts could not be delivered to $url: it answered with status 500; they are kept in '.*/outbox/"
check 'tried three times, the others not at all' requests 3 1
check 'the alerts are in the store' test "$(value "$scratch/down" 'SecurityAlert | count')" = 3
check 'and wait to be sent' test "$(kept "$scratch/down")" = 3
stop
err=$(detect --store "$scratch/down" --webhook "$url" 2>&1 >/dev/null)
check 'a receiver that is gone' says "$err" '3 alerts could not be delivered'
serve 302 "$port"
err=$(detect --store "$scratch/down" --webhook "$url" 2>&1 >/dev/null)
check 'a redirect is not followed' says "$err" 'status 302'
check 'nor tried again' requests 1 1
stop
serve 413,200 "$port"
err=$(detect --store "$scratch/down" --webhook "$url" 2>&1 >/dev/null)
check 'an alert that is refused' says "$err" '1 alerts could not be delivered .* status 413'
check 'does not hold up the others' requests 3 3
stop
serve 200 "$port"
detect --store "$scratch/down" --webhook "$url" >/dev/null 2>&1
check 'the next run sends it' requests 1 1
check 'and then nothing is left' test "$(kept "$scratch/down")" = 0

# Addresses and secrets that will not do; the secret is written nowhere.
plain() { "$azimuth" detect --rules "$rules" --store "$scratch/down" "$@" 2>&1; }
check 'an address of another kind' says "$(detect --store "$scratch/down" --webhook ftp://x 2>&1)" 'takes an address with https://'
new_store "$scratch/open"
check 'plain http leaves this machine for nobody' says "$(detect --store "$scratch/open" --webhook http://192.0.2.1/hook 2>&1)" 'could not be delivered'
check 'a signature wants a secret' says "$(plain --webhook "$url")" 'secret with --webhook-secret-env'
check 'that is there' says "$(plain --webhook "$url" --webhook-secret-env NO_SUCH_SECRET)" 'NO_SUCH_SECRET holds no secret of at least 16 bytes'
check 'and long enough' says "$(SHORT=whsec_AAAA plain --webhook "$url" --webhook-secret-env SHORT)" 'SHORT holds no secret'
check 'and base64 when it says so' says "$(BAD='whsec_!' plain --webhook "$url" --webhook-secret-env BAD)" 'is no base64'
check 'a secret alone is no webhook' says "$(plain --webhook-secret-env HOOK_SECRET)" 'goes with --webhook'
check 'what is not kept is not sent' says "$(detect --store "$scratch/down" --dry-run --webhook "$url" 2>&1)" 'leave out --dry-run'
check 'the secret is in no file' test -z "$(grep -rl "${HOOK_SECRET#whsec_}" "$scratch" --exclude=got)"
stop
check 'the store is sound' "$azimuth" store check --store "$scratch/down"
finish
