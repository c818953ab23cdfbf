"""Compares the binder with the official analyser: names and types of result columns, and what is refused.

usage: typing.py AZIMUTH TYPING_JSON
"""
import json
import subprocess
import sys

# Where we follow the documentation against the analyser; docs/kql.md says why.
OURS = {
    ("misc", "union kind=inner"): "the page keeps the common columns only",
    ("misc", "search"): "a table in parentheses is taken beside names of tables",
    ("misc", "find"): "a table in parentheses is taken beside names of tables",
    ("misc", "scan"): "the page adds a column of matches only when with_match_id asks for it",
    ("misc", "type synonyms"): "the page of guid names uuid and uniqueid as its synonyms",
}


def right_side(operator, column):
    if operator == "in":
        return f"({column})"
    return f"({column} .. {column})" if operator == "between" else column


def entries(typing):
    """Yields (section, name, query, expected): expected is columns, None = any, or "error"."""
    columns = dict(reversed(pair.split(":")) for pair in typing["T"].split("(")[1].split(")")[0].split(","))
    for operator, rows in typing["operators"].items():
        for left, cells in rows.items():
            for right, answer in cells.items():
                expected = "error" if answer == "error" else [["v", answer]]
                query = f"T | project v = {columns[left]} {operator} {right_side(operator, columns[right])}"
                yield "operators", f"{left} {operator} {right}", query, expected
    for section, rows in typing.items():
        if section in ("note", "operators", "T"):
            continue
        for name, row in rows.items():
            expected = "error" if row.get("error") else row.get("columns")
            yield section, name, row["query"], expected


def main():
    typing = json.load(open(sys.argv[2], encoding="utf-8"))
    cases = list(entries(typing))
    lines = [
        json.dumps({"id": str(i), "query": f"let T = {typing['T']};\n{query}"})
        for i, (_, _, query, _) in enumerate(cases)
    ]
    run = subprocess.run(
        [sys.argv[1], "query", "--batch"], input="\n".join(lines) + "\n", capture_output=True, text=True, check=False
    )
    answers = {}
    for line in run.stdout.splitlines():
        answer = json.loads(line)
        answers[answer["id"]] = answer
    passed = failed = unsupported = 0
    for i, (section, name, query, expected) in enumerate(cases):
        answer = answers.get(str(i))
        error = answer and answer.get("error")
        if answer is None:
            problem = "no answer"
        elif (section, name) in OURS:
            problem = None
        elif error and error["code"] == "unsupported":
            unsupported += 1
            continue
        elif expected == "error":
            problem = None if error else "taken, but the analyser refuses it"
        elif error:
            problem = f"refused: {error['message']}"
        else:
            found = [[column["name"], column["type"]] for column in answer["columns"]]
            problem = None if expected is None or found == expected else f"{found}, not {expected}"
        passed += problem is None
        failed += problem is not None
        if problem:
            print(f"{section}: {name}\n  {query}\n  {problem}")
    print(f"{passed} passed, {failed} failed, {unsupported} not supported yet")
    return 1 if failed or not passed else 0


sys.exit(main())
