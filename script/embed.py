#!/usr/bin/env python3
"""Turns files into C arrays, so that the program carries them in itself.

    embed.py OUTPUT.c NAME=FILE ...

writes for each NAME `const char NAME[]` (the bytes and a final NUL, which is not
counted) and `const size_t NAME_LEN`. Declare them where they are used, e.g. in
src/report/page.h.
"""
import re
import sys


def c_array(name, data):
    lines = [f"const char {name}[] = {{"]
    # Bytes above 127 are written as negative numbers: char is signed where we build,
    # and a cast for each byte would only make the file longer.
    signed = [byte - 256 if byte > 127 else byte for byte in data] + [0]
    for start in range(0, len(signed), 20):
        lines.append("    " + ", ".join(map(str, signed[start : start + 20])) + ",")
    lines.append("};")
    lines.append(f"const size_t {name}_LEN = {len(data)};")
    return "\n".join(lines)


def main(arguments):
    if len(arguments) < 2:
        sys.exit(__doc__)
    output, pairs = arguments[0], arguments[1:]
    parts = ["// Written by script/embed.py.\n#include \"report/page.h\"\n"]
    for pair in pairs:
        name, separator, path = pair.partition("=")
        if not separator or not re.fullmatch(r"[A-Z][A-Z0-9_]*", name):
            sys.exit(f"embed.py: '{pair}' is not NAME=FILE with NAME in capitals")
        with open(path, "rb") as file:
            parts.append(c_array(name, file.read()) + "\n")
    with open(output, "w", encoding="ascii") as file:
        file.write("\n".join(parts))


if __name__ == "__main__":
    main(sys.argv[1:])
