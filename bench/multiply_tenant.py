"""Makes a large tenant out of a small one: every row of its inventory N times, with
other subscription ids and names, so that anyone can repeat our measurements of scale.

    multiply_tenant.py FOLDER COPIES OUT
"""
import json
import pathlib
import re
import sys
import uuid

source, copies, out = pathlib.Path(sys.argv[1]), int(sys.argv[2]), pathlib.Path(sys.argv[3])
out.mkdir(parents=True, exist_ok=True)
SUBSCRIPTION = re.compile(r"(?<=/subscriptions/)[0-9a-f-]{36}|(?<=\"subscriptionId\": \")[0-9a-f-]{36}", re.I)
MULTIPLIED = {"resources", "resourcecontainers", "diagnosticsettings", "securityresources"}

for file in sorted(source.glob("*.jsonl")):
    lines = file.read_text(encoding="utf-8").splitlines()
    with open(out / file.name, "w", encoding="utf-8") as target:
        for copy in range(copies if file.stem in MULTIPLIED else 1):
            for line in lines:
                if copy:
                    text = json.dumps(json.loads(line))
                    line = SUBSCRIPTION.sub(
                        lambda hit: str(uuid.uuid5(uuid.NAMESPACE_OID, f"{hit.group()}-{copy}")), text)
                target.write(line + "\n")
