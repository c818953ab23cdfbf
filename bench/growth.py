"""What ten times the data costs: time and memory of each query at two sizes, and memory beside DuckDB.

    growth.py AZIMUTH KIT WORK OUT.md [--small S] [--large S] [--runs N] [--queries REGEX]

KIT and WORK are those of peers.py: generators, queries and DuckDB's SQL; generated data and stores, which are
made when they are not there. Time: CPU of a query with one thread pinned to one core, from its text to its printed
answer, in new processes, whose caches are empty at either size and which take turns, and in one that has run it before:
medians. How many times it grows in new processes is the median over pairs of neighbours, one of each size.
Memory: the peak resident set of a new process that runs the query once, less that of one that opens the store and
answers `print 1` (DuckDB: `SELECT 1`), one thread each. GNU time reads it, so that the size of the process that starts
them is not in it.
"""
import argparse
import json
import os
import pathlib
import platform
import re
import shutil
import statistics
import subprocess
import sys
import time

import peers

TIME = "/usr/bin/time"
BUDGET_MB = 64


def run(command, core, environment=None):
    """Peak MB and standard error of a process with one thread on one core."""
    done = subprocess.run(["taskset", "-c", core, TIME, "-f", "peak_kb=%M"] + command, capture_output=True, text=True,
                          env=dict(os.environ, **environment or {}))
    if done.returncode:
        return None, done.stderr.strip()[:200]
    return int(re.search(r"peak_kb=(\d+)", done.stderr)[1]) / 1024, done.stderr


def cpu_of(said):
    """CPU ms of the runs in a process."""
    return [float(value) for value in re.findall(r"\bcpu_ms=([\d.]+)", said)]


class Azimuth:
    def __init__(self, args, scale):
        self.args, self.data = args, args.work / "data" / f"s{scale}"
        made = [p for p in (args.work / "stores").glob(f"s{scale}-*/azimuth") if (p / "catalog.sqlite").exists()]
        self.store = made[0] if made else args.work / "stores" / f"growth-s{scale}" / "azimuth"
        self.tables = {name: table for name, table in args.schemas.items() if table["group"] == "telemetry"}
        if not (self.data / "incidents.jsonl").exists():
            self.data.mkdir(parents=True, exist_ok=True)
            tool = args.work / "gen_telemetry"
            if not tool.exists():
                subprocess.run(["cc", "-O2", "-w", "-o", tool, args.kit / "gen_telemetry.c", "-lm"], check=True)
            subprocess.run([tool, "--out", self.data, "--scale", scale], check=True)
        if not made and not (self.store / "catalog.sqlite").exists():
            self.store.parent.mkdir(parents=True, exist_ok=True)
            for name, table in self.tables.items():
                subprocess.run([args.azimuth, "import", "--quiet", "--store", self.store, "--table", name,
                                self.data / table["file"]], check=True)
        self.bytes = sum((self.data / table["file"]).stat().st_size for table in self.tables.values())
        self.stored = sum(p.stat().st_size for p in self.store.rglob("*.azs"))
        # The first process after a build maps more of the program than the next ones.
        self.base = statistics.median(self.once("print 1")[0] for _ in range(5))

    def query(self, text, *more):
        command = [self.args.azimuth, "query", "--store", str(self.store), "--format", "json", "--timing", *more, text]
        return run(command, self.args.core, {"AZIMUTH_THREADS": "1"})

    def once(self, text):
        return self.query(text)

    def figures(self, text, new):
        """CPU ms in new processes and in one that has run it before, peak MB of a new process: medians."""
        again = self.query(text, "--repeat", str(self.args.runs + 1))
        for peak, said in new + [again]:
            if not peak:
                sys.exit(f"{text}: {said}")
        cpu = [cpu_of(said) for _, said in new + [again]]
        return {"new": statistics.median(runs[0] for runs in cpu[:-1]), "again": statistics.median(cpu[-1][1:]),
                "mb": statistics.median(peak for peak, _ in new) - self.base}


class DuckDB:
    def __init__(self, args, scale):
        self.args = args
        made = list((args.work / "stores").glob(f"s{scale}-*/duckdb.db"))
        self.store = made[0] if made and (args.work / "node").exists() and shutil.which("node") else None
        self.base = self.once("SELECT 1")[0] if self.store else None

    def once(self, sql):
        """With the memory that compare.py gives it, from a file that is only read."""
        job = self.args.work / f"growth-{os.getpid()}.json"
        job.write_text(json.dumps({"store": str(self.store), "threads": 1, "readonly": True,
                                   "statements": [{"name": "x", "sql": sql, "runs": 1, "keep": 1}]}))
        done = run(["node", str(self.args.kit / "peer_duckdb.js"), str(job)], self.args.core,
                   {"NODE_PATH": str(self.args.work / "node" / "node_modules")})
        job.unlink()
        return done

    def memory(self, name):
        path = self.args.kit / "duckdb" / f"{name}.sql"
        if not self.store or not path.exists():
            return None
        peak, _ = self.once(path.read_text(encoding="utf-8").strip())
        return peak - self.base if peak else None


def rows_of(args, queries, small, large, small_duckdb, duckdb):
    rows = []
    for query in queries:
        text = (args.kit / "queries" / f"{query['name']}.kql").read_text(encoding="utf-8").strip()
        row = {"name": query["name"], "class": query["class"]}
        # In turn: a machine that grows slower for a while does so for both.
        new = [(small.once(text), large.once(text)) for _ in range(args.runs)]
        for size, engine, runs in zip(("small", "large"), (small, large), zip(*new)):
            row.update({f"{size}_{name}": value for name, value in engine.figures(text, list(runs)).items()})
        row["grown"] = statistics.median(cpu_of(many)[0] / cpu_of(few)[0] for (_, few), (_, many) in new)
        row["duckdb_small_mb"], row["duckdb_mb"] = small_duckdb.memory(query["name"]), duckdb.memory(query["name"])
        rows.append(row)
        print(f"{row['name']}: {row['large_new']:.1f} ms, {row['large_mb']:.0f} MB", file=sys.stderr)
    return rows


def write(args, rows, small, large, duckdb):
    factor = large.bytes / small.bytes
    times = [row["grown"] for row in rows]
    again = [row["large_again"] / row["small_again"] for row in rows]
    faster = [(row, grown) for row, grown in zip(rows, times)
              if grown > factor and row["large_new"] - factor * row["small_new"] > 1]
    above = [row for row in rows if row["duckdb_mb"] is not None and row["large_mb"] > row["duckdb_mb"]]
    beside = [row for row in rows if row["duckdb_mb"] is not None]
    both = [row for row in beside if row["duckdb_small_mb"] is not None]
    number = peers.number
    lines = [
        "# Ten times the data",
        "",
        f"Written by `bench/growth.py` on {time.strftime('%Y-%m-%d')}: {os.cpu_count()} shared cores, {platform.machine()},"
        f" Linux {platform.release().split('-')[0]}. Data: {small.bytes / 1e6:,.0f} and {large.bytes / 1e6:,.0f} MB of JSON"
        f" lines, {factor:.1f} times; stores of {small.stored / 1e6:,.0f} and {large.stored / 1e6:,.0f} MB.",
        "",
        "CPU: median of a query with one thread, in new processes, and in one that has run it before: there the smaller data lies decoded in",
        "the caches as a whole and the larger one does not. Times of new processes: median over pairs of neighbours, one of each size. Memory: the peak of a new process that runs",
        f"the query once, less that of one that only opens the store (Azimuth {large.base:.0f} MB"
        + (f", DuckDB with node {duckdb.base:.0f} MB). DuckDB: the larger data, one thread, new processes too." if duckdb.base
           else "). DuckDB has no store of the larger data here."),
        "",
        f"- Time that grows faster than the data (new processes, by more than 1 ms): {len(faster)} of {len(rows)} queries"
        + (": " + ", ".join(f"{row['name']} {grown:.1f}" for row, grown in faster) if faster else "")
        + f". All in all {number(peers.geomean(times))} times (geometric mean); in a process that has run it before"
        f" {number(peers.geomean(again))}.",
        f"- Memory: {number(peers.geomean([max(1, row['large_mb']) / max(1, row['small_mb']) for row in rows]))} times (geometric mean);"
        f" at the larger data {sum(row['large_mb'] <= BUDGET_MB for row in rows)} of {len(rows)} queries stay within {BUDGET_MB} MB: above are "
        + (", ".join(f"{row['name']} {row['large_mb']:.0f}" for row in rows if row["large_mb"] > BUDGET_MB) or "none") + ".",
    ]
    if beside:
        lines.append(f"- Beside DuckDB: {len(above)} of {len(beside)} queries need more memory than it"
                     + (": " + ", ".join(f"{row['name']} {row['large_mb']:.0f} for {row['duckdb_mb']:.0f}" for row in above) if above else "")
                     + f". All in all {number(peers.geomean([max(1, row['large_mb']) / max(1, row['duckdb_mb']) for row in beside]))} of DuckDB's"
                     + (f", which grows {number(peers.geomean([max(1, row['duckdb_mb']) / max(1, row['duckdb_small_mb']) for row in both]))} times" if both else "")
                     + ".")
    lines += ["", "| query | class | CPU ms, new process | at the larger data | times | run before | at the larger data | times |"
              " memory MB | at the larger data | times | DuckDB there |",
              "| --- | --- |" + " ---: |" * 10]
    for row, grown, warm in zip(rows, times, again):
        more = max(1, row["large_mb"]) / max(1, row["small_mb"])
        lines.append(f"| {row['name']} | {row['class']} | {number(row['small_new'])} | {number(row['large_new'])} | "
                     f"{number(grown)} | {number(row['small_again'])} | {number(row['large_again'])} | {number(warm)} | {number(row['small_mb'])} | {number(row['large_mb'])} | {number(more)} | {number(row['duckdb_mb'])} |")
    args.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines[8:11]))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("azimuth")
    parser.add_argument("kit", type=pathlib.Path)
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--small", default="0.02")
    parser.add_argument("--large", default="0.2")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--queries", default=".")
    parser.add_argument("--core", default="0")
    args = parser.parse_args()
    if not os.path.exists(TIME):
        sys.exit("GNU time is needed: apt-get install time")
    args.azimuth = os.path.abspath(args.azimuth)
    args.schemas = json.loads((args.kit / "schemas.json").read_text(encoding="utf-8"))["tables"]
    os.environ["AZIMUTH_CONTENT"] = str(peers.kit_content(args))
    queries = json.loads((args.kit / "queries" / "manifest.json").read_text(encoding="utf-8"))
    queries = [q for q in queries if q["group"] == "telemetry" and re.search(args.queries, q["name"])]
    small, large, duckdb = Azimuth(args, args.small), Azimuth(args, args.large), DuckDB(args, args.large)
    rows = rows_of(args, queries, small, large, DuckDB(args, args.small), duckdb)
    write(args, rows, small, large, duckdb)


main()
