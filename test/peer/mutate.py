#!/usr/bin/env python3
"""Makes wrong queries of right ones: a token deleted, doubled or swapped, a wrong word, a
wrong type, a bracket lost, an unknown name, an argument too few or too many, a name twice.

usage: mutate.py SEEDS.kql > mutants.jsonl      (the same mutants each time)
"""
import json
import random
import re
import sys

TOKEN = re.compile(
    r"""//[^\n]*|h?@?"(?:\\.|""|[^"\\])*"|h?@?'(?:\\.|''|[^'\\])*'|[A-Za-z_$][\w$]*(?:-[a-z]+)*"""
    r"""|\d+(?:\.\d+)?\w*|==|=~|!=|!~|<>|<=|>=|=>|\.\.|\s+|.""")
OPERATORS = "where project extend summarize join sort take count distinct top union parse".split()
TYPES = {"long", "string", "real", "datetime", "timespan", "dynamic", "bool", "int", "guid", "decimal"}
BINARY = {"+", "-", "*", "/", "%", "==", "!=", "<", ">", "<=", ">=", "and", "or", "has", "in", "contains"}


def tokens(text):
    return TOKEN.findall(text)


def solid(parts):
    return [i for i, part in enumerate(parts) if not part.isspace() and not part.startswith("//")]


def names(parts):
    return [i for i in solid(parts) if re.match(r"[A-Za-z_]\w*$", parts[i])]


def pick(rng, places):
    return rng.choice(places) if places else None


def deleted(parts, rng):
    at = pick(rng, solid(parts))
    return parts[:at] + parts[at + 1:]


def doubled(parts, rng):
    at = pick(rng, solid(parts))
    return parts[:at + 1] + [" ", parts[at]] + parts[at + 1:]


def swapped(parts, rng):
    places = solid(parts)
    i = rng.randrange(len(places) - 1) if len(places) > 1 else 0
    a, b = places[i], places[min(i + 1, len(places) - 1)]
    out = list(parts)
    out[a], out[b] = out[b], out[a]
    return out


def misspelt(parts, rng):
    at = pick(rng, names(parts))
    if at is None:
        return None
    word = parts[at]
    cut = rng.randrange(len(word))
    return parts[:at] + [word[:cut] + rng.choice("qxz") + word[cut + 1:]] + parts[at + 1:]


def other_word(parts, rng):
    at = pick(rng, names(parts))
    return None if at is None else parts[:at] + [rng.choice(OPERATORS)] + parts[at + 1:]


def other_type(parts, rng):
    at = pick(rng, [i for i in names(parts) if parts[i] in TYPES])
    return None if at is None else parts[:at] + [rng.choice(["number", "text", "array", "float"])] + parts[at + 1:]


def wrong_value(parts, rng):
    at = pick(rng, [i for i in solid(parts) if parts[i][0] in "0123456789\"'"])
    if at is None:
        return None
    values = ['"x"', "datetime(2024-01-01)", "dynamic([])", "guid(null)", "1d"]
    return parts[:at] + [rng.choice(values)] + parts[at + 1:]


def bracket(parts, rng):
    at = pick(rng, [i for i in solid(parts) if parts[i] in "()[]{}"])
    if at is None:
        return None
    return parts[:at] + ([] if rng.random() < 0.5 else [rng.choice("()[]{}")]) + parts[at + 1:]


def unknown_name(parts, rng):
    at = pick(rng, names(parts))
    return None if at is None else parts[:at] + ["nosuch" + parts[at]] + parts[at + 1:]


def arguments(parts, rng):
    calls = [i for i in names(parts) if parts[i + 1: i + 2] == ["("]]
    at = pick(rng, calls)
    if at is None:
        return None
    depth, end = 0, at + 1
    while end < len(parts):
        depth += (parts[end] in "([{") - (parts[end] in ")]}")
        if depth == 0:
            break
        end += 1
    extra = rng.choice([[], None, [", 1"], [", 1, 2, 3, 4, 5, 6, 7, 8"]])
    if extra is None:  # all arguments but the first go
        inside = "".join(parts[at + 2: end]).split(",")[0]
        return parts[: at + 2] + [inside] + parts[end:]
    if not extra:
        return parts[: at + 2] + parts[end:]
    return parts[:end] + extra + parts[end:]


def other_operator(parts, rng):
    at = pick(rng, [i for i in solid(parts) if parts[i] in BINARY])
    if at is None:
        return None
    return parts[:at] + [rng.choice(["=", "===", "&&", "||", "!", "like like", "and", "matches", "^", "is"])] + parts[at + 1:]


def twice(parts, rng):
    at = pick(rng, [i for i in names(parts) if parts[i + 1: i + 3] == [" ", "="]])
    if at is None:
        return None
    return parts[:at] + [parts[at], " = 1, "] + parts[at:]


def cut(parts, rng):
    places = solid(parts)
    return parts[: places[rng.randrange(len(places))]]


def stray(parts, rng):
    at = pick(rng, solid(parts))
    return parts[:at] + [rng.choice(["|", ";;", ",", ")", "]", "}", "?", "#", "\\", '"', "'", "..", "$x", "@"]), " "] + parts[at:]


WAYS = [deleted, doubled, swapped, misspelt, other_word, other_type, wrong_value, bracket,
        unknown_name, arguments, other_operator, twice, cut, stray]


def main():
    rng = random.Random(20240601)
    seen = set()
    for line in open(sys.argv[1], encoding="utf-8"):
        line = line.rstrip("\n")
        if not line or line.startswith("//"):
            continue
        seen.add(line)
        for way in WAYS:
            for _ in range(3):
                parts = way(tokens(line), rng)
                text = "".join(parts) if parts else ""
                if text.strip() and text not in seen:
                    seen.add(text)
                    print(json.dumps({"id": f"{way.__name__}-{len(seen)}", "query": text}))


main()
