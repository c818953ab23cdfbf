# Shared by the tests of live collection: the services of test/replay/replay.py on this machine.
replay=$(dirname "$0")/../replay/replay.py
servers=()
stop_servers() {
  for pid in "${servers[@]}"; do kill "$pid" 2>/dev/null; done
  servers=()
}
trap 'stop_servers; chmod -R u+w "$scratch" 2>/dev/null; rm -rf "$scratch"' EXIT

# serve OPTIONS...: starts the services; $url is where they are.
serve() {
  rm -f "$scratch/port"
  python3 "$replay" --port-file "$scratch/port" --log "$scratch/requests" "$@" &
  servers+=($!)
  # Until the tenant is read; a server that died is not waited for.
  until [ -s "$scratch/port" ] || ! kill -0 "${servers[-1]}" 2>/dev/null; do sleep 0.05; done
  url=http://127.0.0.1:$(cat "$scratch/port")
}
stats() { python3 -c "import json,sys,urllib.request as u; print(json.load(u.urlopen(sys.argv[1] + '/__stats')).get(sys.argv[2], 0))" "$url" "$1"; }

export AZURE_TENANT_ID=22222222-2222-2222-2222-222222222222
export AZURE_CLIENT_ID=44444444-4444-4444-4444-444444444444
export AZURE_CLIENT_SECRET=planted-s3cret
unset AZURE_AUTHORITY_HOST IDENTITY_ENDPOINT IDENTITY_HEADER AZURE_FEDERATED_TOKEN_FILE AZURE_CLIENT_CERTIFICATE_PATH

# hurry FACTOR [UNITS]: quotas are so much larger from now on, for the program and, with "${quotas[@]}",
# for the services (test/replay/hurry.py).
hurry() {
  local made
  made=$(python3 "$(dirname "$replay")/hurry.py" "${AZIMUTH_CONTENT:-content}" "$scratch/content" "$@") || exit 1
  read -ra quotas <<<"$made"
  export AZIMUTH_CONTENT=$scratch/content
}

# collect OPTIONS...: the program against the services; its words are in $out.
collect() {
  out=$(timeout 600 "$azimuth" collect --http-loopback --login-endpoint "$url" --arm-endpoint "$url" \
    --graph-endpoint "$url" "$@" 2>&1)
  local status=$?
  printf '%s\n' "$out" >>"$scratch/words"
  return $status
}

# findings STORE: assesses it; the verdicts, without what differs from run to run.
findings() {
  "$azimuth" assess --quiet --store "$1"
  "$azimuth" query --store "$1" --format csv 'Findings
    | project ControlId, ResourceId = tolower(ResourceId), Status, Severity, Reason, Evidence = tostring(Evidence)
    | order by ControlId asc, ResourceId asc, Status asc, Reason asc, Evidence asc'
}
