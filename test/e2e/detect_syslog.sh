#!/usr/bin/env bash
# Alerts sent by syslog: framing, servers that are away or close at once, what is kept meanwhile.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/alerts.sh"
detect() { "$azimuth" detect --rules "$rules" "$@"; }

# A server: its port goes to PORTFILE, each message as a line of JSON to standard output, until
# COUNT came. `close` takes the connection and ends it unread.
cat >"$scratch/server.py" <<'PYTHON'
import json, os, re, socket, struct, sys
kind, port_file, count, port = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.settimeout(120)
server.bind(("127.0.0.1", port))
if kind != "udp":
    server.listen()
with open(port_file + ".tmp", "w") as out:
    out.write(str(server.getsockname()[1]))
os.rename(port_file + ".tmp", port_file)
def tell(message):
    print(json.dumps(message.decode()), flush=True)
if kind == "udp":
    for _ in range(count):
        tell(server.recv(70000))
elif kind == "close":
    peer, _ = server.accept()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()
else:
    peer, _ = server.accept()
    data = b""
    while count:
        block = peer.recv(7) # less than a message at a time
        if not block:
            sys.exit("closed early")
        data += block
        while True:
            head = re.match(rb"([1-9][0-9]*) ", data)
            if not head or len(data) < head.end() + int(head[1]):
                break
            tell(data[head.end():head.end() + int(head[1])])
            data = data[head.end() + int(head[1]):]
            count -= 1
PYTHON
serve() { # KIND COUNT [PORT]
  rm -f "$scratch/port"
  python3 "$scratch/server.py" "$1" "$scratch/port" "$2" "${3:-0}" >"$scratch/got" &
  server=$!
  for _ in $(seq 300); do [ -s "$scratch/port" ] && break; sleep 0.1; done
  port=$(cat "$scratch/port")
}
messages() {
  python3 - "$scratch/got" <<'PYTHON'
import json, re, sys
messages = [json.loads(line) for line in open(sys.argv[1])]
assert len(messages) == 3, messages
ids = set()
for message in messages:
    # RFC 5424: facility 14, severity 2
    head = re.match(r"<114>1 2026-06-01T0[234]:00:00\.000000Z \S+ azimuth \d+ (\S{32}) - CEF:0\|Azimuth\|", message)
    assert head, message
    assert "\n" not in message and "suser=bo\\nb\u00f6" in message, message
    alert = re.search(r"externalId=(\S+)", message)[1]
    assert alert.startswith(head[1])
    ids.add(alert)
assert len(ids) == 3
PYTHON
}

for kind in tcp udp; do
  new_store "$scratch/$kind"
  serve $kind 3
  detect --store "$scratch/$kind" --syslog "$kind://127.0.0.1:$port" >/dev/null 2>&1
  check "$kind: delivered" test $? -eq 0
  wait "$server"
  check "$kind: the messages are those of RFC 5424 with CEF" messages
  check "$kind: nothing is left to send" test "$(kept "$scratch/$kind")" = 0
done

# The port of a server that is gone.
new_store "$scratch/away"
err=$(detect --store "$scratch/away" --syslog "tcp://127.0.0.1:$port" 2>&1 >/dev/null)
check 'a server that is away gives status 2' test $? -eq 2
check 'it is said what is left and where' says "$err" "3 alerts could not be delivered to tcp://127.0.0.1:$port: .*they are kept in '.*/outbox/"
check 'the alerts are in the store' test "$(value "$scratch/away" 'SecurityAlert | count')" = 3
check 'and wait to be sent' test "$(kept "$scratch/away")" = 3
serve close 1 "$port"
detect --store "$scratch/away" --syslog "tcp://127.0.0.1:$port" >/dev/null 2>&1
check 'a server that closes at once has not got them all' test $? -eq 2
wait "$server"
serve tcp 3 "$port"
out=$(detect --store "$scratch/away" --syslog "tcp://127.0.0.1:$port" 2>&1)
check 'the next run sends them' test $? -eq 0
wait "$server"
check 'though it raises nothing new' says "$out" '0 new alerts'
check 'all of them' messages
check 'and then nothing is left' test "$(kept "$scratch/away")" = 0

for address in nothing tcp://host udp://:514 tcp://host:port http://127.0.0.1:80; do
  err=$(detect --store "$scratch/away" --syslog "$address" 2>&1)
  check "$address is no address" says "$err" 'takes udp://HOST:PORT or tcp://HOST:PORT'
done
err=$(detect --store "$scratch/away" --dry-run --syslog udp://127.0.0.1:514 2>&1)
check 'what is not kept is not sent' says "$err" 'leave out --dry-run'
check 'the store is sound' "$azimuth" store check --store "$scratch/away"
finish
