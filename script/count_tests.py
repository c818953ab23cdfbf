"""Adds up the cases of a meson test run: `N passed, N failed[, N skipped]`.

A test program that prints cmocka's "[  PASSED  ] n test(s)." or our own
"n passed, m failed" counts as that many cases, any other as one.
"""
import json
import re
import sys

passed = failed = skipped = 0
for line in open(sys.argv[1], encoding="utf-8"):
    test = json.loads(line)
    out = test.get("stdout", "") + test.get("stderr", "")
    cmocka_ok = re.findall(r"\[  PASSED  \] (\d+) test\(s\)", out)
    cmocka_bad = re.findall(r"\[  FAILED  \] (\d+) test\(s\)", out)
    cmocka_skip = re.findall(r"\[  SKIPPED \] (\d+) test\(s\)", out)
    own = re.findall(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", out, re.M)
    ok = sum(map(int, cmocka_ok)) + sum(int(a) for a, _, _ in own)
    bad = sum(map(int, cmocka_bad)) + sum(int(b) for _, b, _ in own)
    skip = sum(map(int, cmocka_skip)) + sum(int(c or 0) for _, _, c in own)
    if test["result"] == "SKIP":
        skip = max(skip, 1)
    elif test["result"] == "OK":
        ok = max(ok, 1)
    elif test["result"] not in ("OK", "EXPECTEDFAIL"):
        bad = max(bad, 1)
    passed, failed, skipped = passed + ok, failed + bad, skipped + skip
print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
sys.exit(1 if failed or not passed else 0)
