#!/usr/bin/env python3
"""Whether `azimuth paths` finds every attack path planted in a generated tenant.

    planted_paths.py AZIMUTH STORE ANSWER_KEY

Each planted path names the things it runs through. A path found from its first to its
last thing must run through all of them that are objects of the graph: public addresses
and network interfaces are evidence of a step, and a contained resource needs no step of
its own. Each step that is printed must be sound: from something held to something new.
"""
import json
import subprocess
import sys


def paths(azimuth, store, start, goal):
    answer = subprocess.run(
        [azimuth, "paths", "--store", store, "--from", start, "--to", goal, "--all",
         "--limit", "0", "--format", "json"],
        capture_output=True, text=True, check=False)
    if answer.returncode:
        return None, answer.stderr.strip()
    return json.loads(answer.stdout)["paths"], ""


def things_of(path):
    things = {path["from"]["id"].lower()}
    for step in path["steps"]:
        for thing in step["sources"] + [step["target"]]:
            things.add(thing["id"].lower())
    return things


def is_sound(path):
    held = {path["from"]["id"].lower()}
    for step in path["steps"]:
        if not any(source["id"].lower() in held for source in step["sources"]):
            return False
        held.add(step["target"]["id"].lower())
    return True


def is_evidence(thing):
    lower = thing.lower()
    return "/publicipaddresses/" in lower or "/networkinterfaces/" in lower


def main():
    azimuth, store, key = sys.argv[1:4]
    planted = found = unsound = 0
    with open(key, encoding="utf-8") as file:
        rows = [json.loads(line) for line in file if '"attack-path"' in line]
    for row in rows:
        planted += 1
        wanted = [row["steps"][0]["from"]]
        for step in row["steps"]:
            # What is contained in a scope is reached at the scope's own assignment.
            if step["edge"] == "contains":
                wanted.pop() if wanted[-1] == step["from"] else None
            wanted.append(step["to"])
        start, goal = wanted[0], wanted[-1]
        through = {thing.lower() for thing in wanted[:-1] if not is_evidence(thing)}
        listed, error = paths(azimuth, store, start, goal)
        good = [p for p in listed or [] if through <= things_of(p)]
        unsound += sum(not is_sound(p) for p in listed or [])
        if good:
            found += 1
        else:
            print(f"not found: {row['id']} {row['kind']}: {error or len(listed)} from {start} to {goal}")
    print(f"{found} of {planted} planted paths, {unsound} unsound")
    return 0 if planted and found == planted and not unsound else 1


if __name__ == "__main__":
    sys.exit(main())
