"""Compares what Arrow's reader found (read.js) with --format json, cell by cell.

    arrow.py OURS.json THEIRS.json [BATCHES [ARROW_TYPES]]

Exit status 1 with the first difference. Decimals are compared as numbers, since a column of
Arrow's has one scale; everything else as it is.
"""
import json
import sys
from decimal import Decimal

# Numbers keep their text, but 1.0 and 1 are one real.
load = lambda path: json.load(open(path, encoding="utf-8"), parse_int=str, parse_float=str)
ours, theirs = load(sys.argv[1]), load(sys.argv[2])
if ours["columns"] != theirs["columns"]:
    sys.exit(f"columns: {ours['columns']} against {theirs['columns']}")
if len(ours["rows"]) != len(theirs["rows"]):
    sys.exit(f"{len(ours['rows'])} rows against {len(theirs['rows'])}")


def same(kind, a, b):
    if a is None or b is None:
        return a is b
    if kind == "real" and a not in ("NaN", "Infinity", "-Infinity"):
        return float(a) == float(b)
    if kind == "decimal" and a not in ("NaN", "Infinity", "-Infinity"):
        return Decimal(a) == Decimal(b)
    return type(a) is type(b) and a == b


cells = 0
for number, (one, other) in enumerate(zip(ours["rows"], theirs["rows"])):
    for column, a, b in zip(ours["columns"], one, other):
        cells += 1
        if not same(column["type"], a, b):
            sys.exit(f"row {number}, column {column['name']}: {a!r} against {b!r}")
if len(sys.argv) > 3 and int(theirs["batches"]) < int(sys.argv[3]):
    sys.exit(f"{theirs['batches']} batches, wanted {sys.argv[3]}")
if len(sys.argv) > 4 and theirs["arrow"] != sys.argv[4].split("|"):
    sys.exit(f"types {'|'.join(theirs['arrow'])}")
print(f"{cells} cells")
