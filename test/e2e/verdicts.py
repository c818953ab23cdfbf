#!/usr/bin/env python3
"""What the official analyser refuses is refused, with a place in the query; what it accepts
binds. usage: verdicts.py AZIMUTH KQL_DIR."""
import json
import subprocess
import sys


def answers(azimuth, rows):
    text = "".join(json.dumps({"id": i, "query": row["query"]}) + "\n" for i, row in enumerate(rows))
    run = subprocess.run([azimuth, "query", "--batch", "--check"], input=text, text=True,
                         capture_output=True, check=False)
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    return lines, run.returncode, run.stderr


def within(query, error):
    """Whether the place is one of the query, or right behind its end."""
    lines = query.split("\n") + [""]
    if error["line"] == len(lines):  # behind a last newline
        return error["column"] == 1
    return 1 <= error["line"] <= len(lines) and 1 <= error["column"] <= len(lines[error["line"] - 1]) + 1


def refused(row, answer):
    errors = answer.get("errors") or []
    if "error" not in answer or not errors or errors[0] != answer["error"] or len(errors) > 10:
        return False
    return answer["error"]["code"] == row["code"] and all(
        within(row["query"], error) and error["message"] for error in errors)


def main():
    azimuth, folder = sys.argv[1:3]
    passed = failed = 0
    for name, judge in (("refusals", refused), ("accepted", lambda row, answer: answer.get("ok") is True)):
        with open(f"{folder}/{name}.jsonl", encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
        got, status, stderr = answers(azimuth, rows)
        if status or len(got) != len(rows) or len(rows) < 300:
            print(f"{name}: {len(got)} answers to {len(rows)} queries, status {status} {stderr[-500:]}")
            failed += 1
        for row, answer in zip(rows, got):
            if judge(row, answer):
                passed += 1
            else:
                failed += 1
                print(f"{name}: {row} got {answer}")
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


main()
