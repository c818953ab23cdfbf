#!/usr/bin/env bash
# geo_info_from_ip_address(): a database of our own, in every size of record; broken ones.
. "$(dirname "$0")/lib.sh"
unset AZIMUTH_GEOIP
here=$(dirname "$0")
sydney='{"country":"Australia","state":"New South Wales","city":"Sydney","latitude":-33.8715,"longitude":151.2006}'

# info FILE ADDRESS: what is known of the address, quotes as in JSON.
info() { "$azimuth" query --geoip "$1" --format jsonl "print x = tostring(geo_info_from_ip_address('$2'))" | sed 's/^{"x":"\(.*\)"}$/\1/; s/\\"/"/g' || echo failed; }

for bits in 24 28 32; do
  for version in 4 6; do
    file=$scratch/$bits-$version.mmdb
    python3 "$here/mmdb.py" "$file" $bits $version
    check "an address of a network ($bits bits, version $version)" test "$(info "$file" 20.53.203.50)" = "$sydney"
    check 'what is not known is empty' test "$(info "$file" 20.54.1.255)" = \
      '{"country":"Ireland","state":"","city":"","latitude":null,"longitude":null}'
    for address in 20.54.2.0 8.8.8.8 10.1.2.3 '' 20.53 2a03:2881::1; do
      check "null: '$address' ($bits bits, version $version)" test "$(info "$file" "$address")" = ''
    done
  done
  check 'IPv6' says "$(info "$scratch/$bits-6.mmdb" 2a03:2880:f12c:83:face:b00c::25de)" '"United States".*26.5.*-80.25'
  check 'an IPv4 address written as IPv6' test "$(info "$scratch/$bits-6.mmdb" ::ffff:20.53.0.1)" = "$sydney"
  check 'no IPv6 in a database of IPv4' test "$(info "$scratch/$bits-4.mmdb" 2a03:2880::1)" = ''
done

good=$scratch/28-6.mmdb
check 'a column, and the environment' test "$(AZIMUTH_GEOIP=$good "$azimuth" query --format csv \
  "range i from 1 to 5000 step 1 | extend p = geo_info_from_ip_address(strcat('20.53.1.', i % 256)) | summarize countif(p.city == 'Sydney'), sum(toreal(p.latitude)) / 5000" | tail -1 | tr -d '\r')" = '5000,-33.8715'
warning=$("$azimuth" query --batch <<<'{"id":"1","query":"print a = geo_info_from_ip_address(\"1.2.3.4\"), b = geo_info_from_ip_address(\"1.2.3.5\")"}')
check 'one warning without a database' says "$warning" 'rows":\[\[null,null\]\].*warnings":\[\{[^}]*--geoip FILE[^}]*\}\]'
check 'no warning with one' test "$("$azimuth" query --geoip "$good" 'print geo_info_from_ip_address("1.2.3.4")' 2>&1 | grep -c -- --geoip)" = 0

check 'a file that is not there' says "$("$azimuth" query --geoip "$scratch/none" 'print 1' 2>&1)" 'cannot be read'
printf 'no database' >"$scratch/text"
: >"$scratch/empty"
for file in text empty; do
  check "refused: $file" says "$("$azimuth" query --geoip "$scratch/$file" 'print 1' 2>&1)" "no database of addresses in MaxMind's format"
done
# Each byte of the file changed, and every length: an answer or an error, never a crash.
python3 - "$azimuth" "$good" "$scratch/broken" <<'END'
import random, subprocess, sys
azimuth, good, broken = sys.argv[1:]
raw = open(good, "rb").read()
rng = random.Random(7)
query = "print geo_info_from_ip_address('20.53.203.50'), geo_info_from_ip_address('2a03:2880::1')"
for turn in range(120):
    data = bytearray(raw)
    for _ in range(3):
        data[rng.randrange(len(data))] = rng.randrange(256)
    if turn % 4 == 0:
        data = data[: rng.randrange(len(data))]
    open(broken, "wb").write(data)
    run = subprocess.run([azimuth, "query", "--geoip", broken, query], capture_output=True)
    if run.returncode not in (0, 1, 2) or b"Sanitizer" in run.stderr or b"runtime error" in run.stderr:
        sys.exit(f"turn {turn}: status {run.returncode} {run.stderr[-300:]}")
END
check 'broken files' test $? -eq 0
finish
