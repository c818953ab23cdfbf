"""Import, assessment and report of large tenants: wall time and peak memory.

    scale.py AZIMUTH OUT.md TENANT_DIR...

Each step runs in its own process; memory is the largest resident set of that process.
"""
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import time


def step(command, **options):
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
    out, err = process.stdout.read(), process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"{' '.join(map(str, command))}: {err.decode()}")
    return time.monotonic() - start, usage.ru_maxrss / 1024, out.decode()


azimuth, target, tenants = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3:]
lines = [
    "# Scale",
    "",
    "How long a tenant takes from its files to the HTML report, and the most memory a step holds.",
    f"Machine: {os.cpu_count()} cores, {platform.machine()}, Linux {platform.release().split('-')[0]};"
    f" run on {time.strftime('%Y-%m-%d')} by `script/bench`.",
    "",
    "| resources | input | import | assess + HTML + JSON | both | peak memory | store | HTML | failing | unknown |",
    "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
]
for tenant in tenants:
    size = sum(f.stat().st_size for f in pathlib.Path(tenant).iterdir()) / 1e6
    with tempfile.TemporaryDirectory() as scratch:
        store, html = f"{scratch}/store", f"{scratch}/report.html"
        import_s, import_mb, _ = step([azimuth, "import", "--store", store, tenant])
        assess_s, assess_mb, _ = step(
            [azimuth, "assess", "--store", store, "--report", html, "--json", f"{scratch}/f.json", "--quiet"])
        answer = subprocess.run(
            [azimuth, "query", "--store", store, "--format", "csv",
             'resources | count | extend fail = toscalar(Findings | where Status == "fail" | count), '
             'unknown = toscalar(Findings | where Status == "unknown" | count)'],
            capture_output=True, text=True, check=True).stdout.split("\n")[1].strip().split(",")
        stored = sum(f.stat().st_size for f in pathlib.Path(store).rglob("*") if f.is_file()) / 1e6
        html_mb = os.path.getsize(html) / 1e6
        lines.append(
            f"| {int(answer[0]):,} | {size:.0f} MB | {import_s:.2f} s | {assess_s:.2f} s | "
            f"{import_s + assess_s:.2f} s | {max(import_mb, assess_mb):.0f} MB | {stored:.0f} MB | "
            f"{html_mb:.1f} MB | {int(answer[1]):,} | {int(answer[2]):,} |")
        print(lines[-1], flush=True)
target.parent.mkdir(parents=True, exist_ok=True)
target.write_text("\n".join(lines) + "\n", encoding="utf-8")
print(f"written: {target}")
