#!/usr/bin/env python3
"""Writes a small database of addresses in MaxMind's format. usage: mmdb.py FILE [BITS [IP_VERSION]]"""
import ipaddress
import struct
import sys

SYDNEY = {
    "city": {"names": {"de": "Sidney", "en": "Sydney"}},
    "country": {"iso_code": "AU", "names": {"en": "Australia"}},
    "location": {"accuracy_radius": 20, "latitude": -33.8715, "longitude": 151.2006},
    "subdivisions": [{"names": {"en": "New South Wales"}}, {"names": {"en": "other"}}],
}
NETWORKS = {
    "20.53.0.0/16": SYDNEY,
    "20.54.1.0/24": {"country": {"names": {"en": "Ireland"}}},
    "10.0.0.0/8": SYDNEY,  # private: never told
    "2a03:2880::/32": {"country": {"names": {"en": "United States"}}, "location": {"latitude": 26.5, "longitude": -80.25}},
}


def head(kind, size):
    extended = b"" if kind < 8 else bytes([kind - 7])
    first = kind << 5 if kind < 8 else 0
    if size < 29:
        return bytes([first | size]) + extended
    assert size < 285
    return bytes([first | 29]) + extended + bytes([size - 29])


class Data:
    """Values one behind the other; a text that was written before becomes a pointer."""

    def __init__(self):
        self.bytes, self.texts = b"", {}

    def add(self, value):
        if isinstance(value, str):
            known = self.texts.get(value)
            if known is not None and known < 2048:
                self.bytes += bytes([1 << 5 | known >> 8, known & 255])
                return
            self.texts.setdefault(value, len(self.bytes))
            self.bytes += head(2, len(value.encode())) + value.encode()
        elif isinstance(value, float):
            self.bytes += head(3, 8) + struct.pack(">d", value)
        elif isinstance(value, int):
            raw = value.to_bytes((value.bit_length() + 7) // 8, "big")
            self.bytes += head(6, len(raw)) + raw
        elif isinstance(value, list):
            self.bytes += head(11, len(value))
            for item in value:
                self.add(item)
        else:
            self.bytes += head(7, len(value))
            for key, item in value.items():
                self.add(key)
                self.add(item)


def main():
    path = sys.argv[1]
    record_bits = int(sys.argv[2]) if len(sys.argv) > 2 else 28
    version = int(sys.argv[3]) if len(sys.argv) > 3 else 6
    data, nodes = Data(), [[None, None]]
    for text, place in NETWORKS.items():
        network = ipaddress.ip_network(text)
        if network.version > version:
            continue
        shift = 96 if version == 6 and network.version == 4 else 0
        bits = format(int(network.network_address), f"0{network.max_prefixlen}b")[: network.prefixlen]
        bits = "0" * shift + bits
        offset = len(data.bytes)
        data.add(place)
        node = 0
        for bit in bits[:-1]:
            if nodes[node][int(bit)] is None:
                nodes.append([None, None])
                nodes[node][int(bit)] = ("node", len(nodes) - 1)
            node = nodes[node][int(bit)][1]
        nodes[node][int(bits[-1])] = ("data", offset)
    count = len(nodes)

    def record(entry):
        if entry is None:
            return count
        return entry[1] if entry[0] == "node" else count + 16 + entry[1]

    tree = b""
    for left, right in ((record(a), record(b)) for a, b in nodes):
        if record_bits == 28:
            tree += (left & 0xFFFFFF).to_bytes(3, "big") + bytes([left >> 24 << 4 | right >> 24])
            tree += (right & 0xFFFFFF).to_bytes(3, "big")
        else:
            tree += left.to_bytes(record_bits // 8, "big") + right.to_bytes(record_bits // 8, "big")
    metadata = Data()
    metadata.add({"binary_format_major_version": 2, "database_type": "Test-City", "ip_version": version,
                  "node_count": count, "record_size": record_bits})
    with open(path, "wb") as out:
        out.write(tree + bytes(16) + data.bytes + b"\xab\xcd\xefMaxMind.com" + metadata.bytes)


main()
