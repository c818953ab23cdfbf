#!/usr/bin/env python3
"""Recorded answers of Azure import, and every one of them is accounted for.

Imports the recordings that lie beside the checkout (../shared/collect/recorded) with
`azimuth import --answers` and compares what the store then holds with what a plain
reading of the files says: each object of a 2xx body is one row somewhere, each 2xx
answer without an object is one row of RestAnswers, each other answer one row of
RestErrors. Skipped, with a word, when the recordings are not there.

    recorded_answers.py AZIMUTH [RECORDED_DIR]
"""
import gzip
import json
import pathlib
import subprocess
import sys
import tempfile

PAGE_WORDS = {
    "value", "data", "nextLink", "count", "totalCount", "totalRecords", "total_records",
    "facets", "resultTruncated", "result_truncated", "skipToken", "skip_token", "$skipToken",
}


def objects(body):
    """The rows of a body, by the rules the user guide states."""
    if isinstance(body, str) and body.strip()[:1] in ("{", "["):
        try:
            body = json.loads(body)
        except ValueError:
            return [body]
    if isinstance(body, dict):
        rows = next((body[k] for k in body if k in ("value", "data") and isinstance(body[k], list)
                     and (not body[k] or isinstance(body[k][0], dict))), None)
        if rows is not None and all(k.startswith("@") or k in PAGE_WORDS for k in body):
            body = rows
    return body if isinstance(body, list) else [body]


def expected(files):
    rows, errors = 0, 0
    for file in files:
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for line in lines:
                answer = json.loads(line)
                if 200 <= answer["status"] <= 299:
                    rows += max(1, len(objects(answer["body"])))
                else:
                    errors += 1
    return rows, errors


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if done.returncode:
        sys.exit(f"FAIL: {' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def query(azimuth, store, kql):
    return [json.loads(line) for line in
            run(azimuth, "query", "--store", store, "--format", "jsonl", kql).splitlines()]


def main():
    azimuth = sys.argv[1]
    root = pathlib.Path(__file__).resolve().parents[2]
    recorded = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else (
        root.parent / "shared" / "collect" / "recorded")
    files = sorted(recorded.glob("*.jsonl.gz"))
    if not files:
        print(f"skipped: there are no recorded answers at {recorded}")
        return 77  # meson: skipped
    rows, errors = expected(files)
    with tempfile.TemporaryDirectory() as store:
        print(run(azimuth, "import", "--store", store, "--answers", *map(str, files)).strip())
        status = query(azimuth, store, "CollectionStatus | project Dataset, Rows")
        found = {row["Dataset"]: row["Rows"] for row in status}
        assert found.pop("RestErrors", 0) == errors, f"RestErrors is not {errors}: {found}"
        assert sum(found.values()) == rows, f"{sum(found.values())} rows, not {rows}: {found}"
        for table, count in found.items():
            held = query(azimuth, store, f"['{table}'] | count")[0]["Count"]
            assert held == count, f"{table} holds {held} rows, CollectionStatus says {count}"
        secret = query(azimuth, store,
                       "RestAnswers | where tostring(Body) matches regex "
                       "'(AccountKey|SharedAccessKey|sig)=[^*;&]{8,}' | count")
        assert secret[0]["Count"] == 0, "a secret was stored"
    print(f"ok: {rows} rows of 2xx answers in {len(found)} tables, {errors} errors")
    return 0


if __name__ == "__main__":
    sys.exit(main())
