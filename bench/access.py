#!/usr/bin/env python3
"""Measures effective access on a large tenant, and how it grows with the role assignments.

    bench/access.py AZIMUTH WORK [--resources N] [--principals N] [--groups N]
                    [--assignments N,N,...] > bench/results/access.md

Each tenant is made by access_tenant.py and imported once (WORK keeps them). Then, in
processes of their own: who may list the keys of every AI account, and the explanation of
one answer. Prints a table in Markdown; memory is the largest resident size.
"""
import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
OPERATION = "Microsoft.CognitiveServices/accounts/listKeys/action"
ACCOUNTS = 'Resources | where type =~ "microsoft.cognitiveservices/accounts"'


def run(command):
    """Wall seconds, the output, and what --timing says."""
    start = time.monotonic()
    out = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    text, errors = out.communicate()
    wall = time.monotonic() - start
    if out.returncode:
        sys.exit(f"{' '.join(command)}: {errors}")
    return wall, text, dict(re.findall(r"(\w+)=([0-9.]+)", errors))


def peak(command):
    """Peak MB of a process: measured in a child of its own, so that each has its own figure."""
    code = ("import resource,subprocess,sys;"
            "subprocess.run(sys.argv[1:],stdout=subprocess.DEVNULL,stderr=subprocess.DEVNULL);"
            "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss//1024)")
    return int(subprocess.run([sys.executable, "-c", code] + command, capture_output=True,
                              text=True).stdout)


def tenant(azimuth, work, args, assignments):
    store = os.path.join(work, f"store-{args.resources}-{assignments}")
    if os.path.exists(os.path.join(store, "done")):
        return store
    folder = os.path.join(work, "tenant")
    shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(store, ignore_errors=True)
    subprocess.run([sys.executable, os.path.join(HERE, "access_tenant.py"), folder,
                    "--resources", str(args.resources), "--principals", str(args.principals),
                    "--groups", str(args.groups), "--assignments", str(assignments)], check=True)
    subprocess.run([azimuth, "import", "--store", store, folder], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    shutil.rmtree(folder)
    open(os.path.join(store, "done"), "w").close()
    return store


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("azimuth")
    parser.add_argument("work")
    parser.add_argument("--resources", type=int, default=1_000_000)
    parser.add_argument("--principals", type=int, default=200_000)
    parser.add_argument("--groups", type=int, default=50_000)
    parser.add_argument("--assignments", default="25000,50000,100000")
    parser.add_argument("--repeat", type=int, default=5)
    args = parser.parse_args()
    os.makedirs(args.work, exist_ok=True)
    print("# Effective access\n")
    print(f"{args.resources:,} resources, {args.principals:,} principals, {args.groups:,} groups "
          f"nested six deep; medians of {args.repeat} processes on a machine shared with other work.\n")
    print("| assignments | AI accounts | loading | who-can on each | whole process | peak memory | one explain |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for assignments in map(int, args.assignments.split(",")):
        store = tenant(args.azimuth, args.work, args, assignments)
        each = [args.azimuth, "access", "who-can", OPERATION, "--each", ACCOUNTS, "--format", "csv",
                "--timing", "--store", store]
        runs = [run(each) for _ in range(args.repeat)]
        accounts = runs[0][1].count("\n") - 1
        busiest = max(runs[0][1].splitlines()[1:], key=lambda line: int(line.split(",")[1]))
        explain = [args.azimuth, "access", "explain", "user1@example.com", OPERATION,
                   busiest.split(",")[0].strip('"'), "--timing", "--store", store]
        told = [run(explain) for _ in range(args.repeat)]
        median = lambda values: statistics.median(float(v) for v in values)
        print(f"| {assignments:,} | {accounts:,} | {median(r[2]['load_ms'] for r in runs) / 1000:.2f} s "
              f"| {median(r[2]['answer_ms'] for r in runs) / 1000:.2f} s "
              f"| {median(r[0] for r in runs):.2f} s | {peak(each)} MB "
              f"| {median(r[2]['answer_ms'] for r in told):.2f} ms |", flush=True)
    print("\n    bench/access.py AZIMUTH WORK")


main()
