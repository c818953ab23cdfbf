"""Azimuth beside other engines: runs a comparison kit and writes the result as Markdown.

    peers.py AZIMUTH KIT WORK OUT.md [--scale S] [--tenant N] [--runs N] [--queries REGEX]
    peers.py AZIMUTH KIT WORK - --only-azimuth ...      prints Azimuth's figures beside the last run's

KIT holds compare.py, the generators, the queries in each engine's language and the expected answers.
compare.py loads and runs all engines and checks the answers. What it does not take of Azimuth is taken
here, right after, pinned to one core with one thread: CPU time (user and system) of each query, as the peers'
is taken: from the query's text to its printed answer, in a process that has run the query before. Then the same
in a new process with empty caches, alone and with its start and the opening of the store; peak memory; and cold
starts.
"""
import argparse
import json
import math
import os
import pathlib
import platform
import re
import shutil
import statistics
import subprocess
import sys
import time

PEERS = {"duckdb": "DuckDB", "clickhouse": "ClickHouse"}

# Class of queries -> most of DuckDB's and of ClickHouse's CPU time that it should take.
BARS = {
    "all": (0.6, 0.7),
    "filter-aggregate": (0.8, None),
    "text": (0.10, 0.7),
    "needle": (None, 0.5),
    "dynamic": (0.15, None),
    "inventory": (0.35, 0.8),
    "time-series": (0.9, None),
    "join": (1.0, None),
    "sort": (1.0, None),
    "high-cardinality": (1.2, None),
}


def geomean(values):
    values = [v for v in values if v]
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None


def number(value):
    if value is None:
        return "-"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def measure(command, threads, core):
    """CPU ms, wall ms, peak MB and standard error of one run."""
    environment = dict(os.environ, AZIMUTH_THREADS=str(threads))
    if threads == 1:
        command = ["taskset", "-c", core] + command
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment)
    err = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    wall = (time.monotonic() - start) * 1000
    if os.waitstatus_to_exitcode(status) != 0:
        return {"error": err.strip()[:200]}
    # One line a run, the first in a fresh process.
    cpu, inside = ([float(value) for value in re.findall(rf"\b{name}_ms=([\d.]+)", err)] for name in ("cpu", "timing"))
    return {
        "process": (usage.ru_utime + usage.ru_stime) * 1000,
        "fresh": cpu[0] if cpu else None,
        "cpu": statistics.median(cpu[1:] or cpu) if cpu else None,
        "inside": statistics.median(inside[1:] or inside) if inside else None,
        "wall": wall,
        "mb": usage.ru_maxrss / 1024,
    }


def evict(folder):
    os.sync()
    for path in pathlib.Path(folder).rglob("*"):
        if path.is_file():
            handle = os.open(path, os.O_RDONLY)
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(handle)


def kit_content(args):
    """A content folder whose log tables have the columns and types that the kit gives all engines."""
    ours, content = pathlib.Path(args.azimuth).parent.parent / "content", args.work / "content"
    (content / "schemas").mkdir(parents=True, exist_ok=True)
    for folder, inside in ((content, ours), (content / "schemas", ours / "schemas")):
        for entry in inside.iterdir():
            if entry.name != "schemas" and not (folder / entry.name).exists():
                (folder / entry.name).symlink_to(entry.resolve())
    tables = json.loads((args.kit / "schemas.json").read_text(encoding="utf-8"))["tables"]
    lines = [f".create table {name} (" + ", ".join(f"{column[0]}:{column[1]}" for column in table["columns"]) + ")"
             for name, table in tables.items() if table["group"] == "telemetry"]
    # First in the order of names, so these hold.
    (content / "schemas" / "0-kit.kql").write_text("\n\n".join(lines) + "\n", encoding="utf-8")
    return content


def azimuth_figures(args, queries):
    """For each query the CPU of some runs at one thread, in fresh processes and in one that has run it before, the
    wall at two, and peak memory: medians."""
    figures = {}
    for query in queries:
        text = (args.kit / "queries" / f"{query['name']}.kql").read_text(encoding="utf-8").strip()
        command = [args.azimuth, "query", "--store", str(args.store), "--format", "json", "--timing", text]
        runs = [measure(command, 1, args.core) for _ in range(args.runs + 1)]
        if any("error" in run for run in runs):
            figures[query["name"]] = {"error": next(run["error"] for run in runs if "error" in run)}
            continue
        again = command + ["--repeat", str(args.runs)]
        warm, pair = measure(again, 1, args.core), measure(again, 2, args.core)
        figures[query["name"]] = {
            "cpu": warm["cpu"],
            "fresh": statistics.median(run["fresh"] for run in runs[1:]),
            "process": statistics.median(run["process"] for run in runs[1:]),
            "wall2": pair["inside"],
            "mb": max(run["mb"] for run in runs + [warm]),
        }
    return figures


def small_store(args):
    """A store of the example tenant, made anew."""
    store = args.work / "stores" / "example"
    shutil.rmtree(store, ignore_errors=True)
    example = pathlib.Path(args.azimuth).parent.parent / "examples" / "contoso"
    subprocess.run([args.azimuth, "import", "--quiet", "--store", store, example], check=True)
    return store


def cold_start(args):
    """Wall and CPU of whole processes, over a small store and over that of the run, in and out of the page cache."""
    texts = {"print 1": "print 1", "a count": "resources | count",
             "look-up by id": "resources | where id =~ '/subscriptions/none' | project name"}
    lines = []
    for place, store in (("example tenant", small_store(args)), ("this size", args.store)):
        for name, text in texts.items():
            command = [args.azimuth, "query", "--store", str(store), "--timing", text]
            warm = [measure(command, 2, args.core) for _ in range(15)]
            cold = []
            for _ in range(9):
                evict(store)
                cold.append(measure(command, 2, args.core))
            lines.append((place, name, statistics.median(r["wall"] for r in warm),
                          statistics.median(r["process"] for r in warm), statistics.median(r["wall"] for r in cold)))
    return lines


def run_kit(args, extra):
    command = [sys.executable, str(args.kit / "compare.py"), "--work", str(args.work), "--scale", args.scale,
               "--tenant", str(args.tenant), "--threads", "1,2", "--runs", str(args.runs), "--cold", "0",
               "--queries", args.queries, "--azimuth", args.azimuth, "--json", str(args.json)] + extra
    report = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    answers = [line for line in report.split("\n") if line.startswith(("Answers", "- differs", "- failed"))]
    return answers


def ratio_rows(queries, peers, figures):
    """name, class, Azimuth CPU, {peer: CPU}, wall at two threads of each."""
    rows = []
    for query in queries:
        mine = figures.get(query["name"], {})
        measured = peers["queries"].get(query["name"], {})
        row = {"name": query["name"], "class": query["class"], "cpu": mine.get("cpu"), "fresh": mine.get("fresh"),
               "process": mine.get("process"), "wall2": mine.get("wall2"),
               "mb": mine.get("mb"), "error": mine.get("error")}
        for peer in PEERS:
            row[peer] = measured.get(f"{peer}/1", {}).get("cpu")
            row[f"{peer}_wall2"] = measured.get(f"{peer}/2", {}).get("warm")
            row[f"{peer}_shredded"] = measured.get(f"{peer}.shredded/1", {}).get("cpu")
        rows.append(row)
    return rows


def ratios(rows, peer, mine="cpu", theirs=""):
    return [row[mine] / row[peer + theirs] for row in rows if row[mine] and row[peer + theirs]]


def class_table(rows):
    lines = ["| class | queries | CPU, of DuckDB | bar | CPU, of ClickHouse | bar | new process, of DuckDB | of ClickHouse |"
             " wall at 2, of DuckDB | of ClickHouse |",
             "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"]
    for name, bars in BARS.items():
        chosen = [row for row in rows if name in ("all", row["class"])]
        if not chosen:
            continue
        cells = []
        for peer, bar in zip(PEERS, bars):
            value = geomean(ratios(chosen, peer))
            missed = value is not None and bar is not None and value > bar
            cells += [f"**{number(value)}**" if missed else number(value), number(bar)]
        cells += [number(geomean(ratios(chosen, peer, "fresh"))) for peer in PEERS]
        cells += [number(geomean(ratios(chosen, peer, "wall2", "_wall2"))) for peer in PEERS]
        lines.append(f"| {name} | {len(chosen)} | " + " | ".join(cells) + " |")
    return lines


def query_table(rows):
    lines = ["| query | class | Azimuth | DuckDB | ClickHouse | of the best | new process | with its start | wall at 2: Azimuth | DuckDB |"
             " ClickHouse | memory MB |",
             "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"]
    for row in rows:
        peers = [row[peer] for peer in PEERS if row[peer]]
        of_best = row["cpu"] / min(peers) if row["cpu"] and peers else None
        cells = [number(row["cpu"])] + [number(row[peer]) for peer in PEERS]
        cells.append(f"**{number(of_best)}**" if of_best and of_best > 1 else number(of_best))
        cells += [number(row["fresh"]), number(row["process"]), number(row["wall2"])] + [number(row[f"{peer}_wall2"]) for peer in PEERS] + [number(row["mb"])]
        lines.append(f"| {row['name']} | {row['class']} | " + " | ".join(cells) + " |")
        if row["error"]:
            lines.append(f"| | failed: {row['error']} | | | | | | | | | | |")
    return lines


def store_table(peers):
    data = peers["data"]
    rows = sum(table["rows"] for table in data.values())
    size = sum(table["json_bytes"] for table in data.values())
    lines = ["| engine | store MB | bytes a row | JSON / store | ingest, MB of JSON per CPU second |",
             "| --- | ---: | ---: | ---: | ---: |"]
    for engine, loaded in peers["ingest"].items():
        stored = sum(loaded["tables"].get(name, {}).get("bytes", 0) for name in data) or loaded["store_bytes"]
        cpu = sum(table.get("cpu_ms", 0) for table in loaded["tables"].values()) / 1000
        lines.append(f"| {PEERS.get(engine, 'Azimuth')} | {stored / 1e6:.1f} | {stored / rows:.0f} | "
                     f"{size / stored:.1f} | {size / 1e6 / cpu:.0f} |")
    lines += ["", "Bytes a row of each table:", "",
              "| table | rows | " + " | ".join(PEERS.get(e, "Azimuth") for e in peers["ingest"]) + " |",
              "| --- | ---: |" + " ---: |" * len(peers["ingest"])]
    for name, table in data.items():
        if table["rows"] < 1000:
            continue
        cells = [loaded["tables"].get(name, {}).get("bytes", 0) / table["rows"] for loaded in peers["ingest"].values()]
        lines.append(f"| {name} | {table['rows']:,} | " + " | ".join(f"{cell:.0f}" for cell in cells) + " |")
    return lines


def write(args, rows, peers, answers, cold):
    data = peers["data"]
    lines = [
        "# Beside DuckDB and ClickHouse",
        "",
        f"Written by `script/bench --compare DIR --scale {args.scale} --tenant {args.tenant}` on "
        f"{time.strftime('%Y-%m-%d')}: {os.cpu_count()} shared cores, {platform.machine()}, "
        f"Linux {platform.release().split('-')[0]}. Data: {sum(t['rows'] for t in data.values()):,} rows, "
        f"{sum(t['json_bytes'] for t in data.values()) / 1e6:,.0f} MB of JSON lines.",
        "",
        "All engines in one run, the same data. CPU: median of user and system milliseconds of a query with one thread",
        "pinned to one core, in a process that has run it before, from its text to its printed answer. `new process`: that",
        "of Azimuth in a process with empty caches, which the peers are not asked for; `with its start`: the start of the",
        "program and the opening of the store too. Wall at 2: milliseconds of the query with two threads; on a busy machine",
        "they vary. Ratios are Azimuth / peer, so less is better; fat ones miss the bar or the best peer.",
        "",
    ] + answers + ["", "## Classes (geometric means)", ""] + class_table(rows)
    lines += ["", "## Queries", ""] + query_table(rows)
    shredded = [row for row in rows if row["duckdb_shredded"]]
    if shredded:
        lines += ["", "Peers on a table whose JSON text was split into columns by hand beforehand, CPU ms: " + "; ".join(
            f"{row['name']} DuckDB {number(row['duckdb_shredded'])}, ClickHouse {number(row['clickhouse_shredded'])}"
            for row in shredded) + "."]
    lines += ["", "## Store and ingest", ""] + store_table(peers)
    lines += ["", "## Start", "", "Whole processes, ms; cold: the store's files dropped from the page cache.", "",
              "| store | query | wall, warm | CPU, warm | wall, cold |", "| --- | --- | ---: | ---: | ---: |"]
    lines += [f"| {place} | {name} | {number(wall)} | {number(cpu)} | {number(dropped)} |"
              for place, name, wall, cpu, dropped in cold]
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"written: {args.out}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("azimuth")
    parser.add_argument("kit", type=pathlib.Path)
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--scale", default="0.05")
    parser.add_argument("--tenant", type=int, default=10000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--queries", default=".")
    parser.add_argument("--core", default="0")
    parser.add_argument("--only-azimuth", action="store_true")
    args, extra = parser.parse_known_args()
    tag = f"s{args.scale}-t{args.tenant}"
    args.store = args.work / "stores" / tag / "azimuth"
    args.json = args.work / f"compare-{tag}.json"
    queries = json.loads((args.kit / "queries" / "manifest.json").read_text(encoding="utf-8"))
    queries = [query for query in queries if re.search(args.queries, query["name"])]
    os.environ["AZIMUTH_CONTENT"] = str(kit_content(args))
    if args.only_azimuth and not args.store.exists():
        sys.exit(f"there is no store in {args.store}: run it without --only-azimuth first")
    answers = [] if args.only_azimuth else run_kit(args, extra)
    figures = azimuth_figures(args, queries)
    peers = json.loads(args.json.read_text(encoding="utf-8")) if args.json.exists() else {"queries": {}}
    rows = ratio_rows(queries, peers, figures)
    if args.only_azimuth:
        print("\n".join(class_table(rows) + [""] + query_table(rows)))
    else:
        write(args, rows, peers, answers, cold_start(args))


if __name__ == "__main__":
    main()
