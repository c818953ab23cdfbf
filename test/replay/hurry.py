#!/usr/bin/env python3
"""A content folder with which a collector hurries: every quota FACTOR times as large.

    hurry.py CONTENT FOLDER FACTOR

With the documented quotas most of a test is waiting for them, with one call under way or none. Where
the service's quotas are made larger by the same factor (the options that this prints, for replay.py),
the collector keeps as much below them as ever, in less time.
"""

import re
import shutil
import sys
from pathlib import Path


def hurry(content, folder, factor):
    content, folder = Path(content).resolve(), Path(folder)
    folder.mkdir()
    for entry in content.iterdir():
        if entry.name != "collect":
            (folder / entry.name).symlink_to(entry)
    shutil.copytree(content / "collect", folder / "collect")
    sources = folder / "collect" / "sources.yaml"
    text, count = re.subn(
        r"(?m)^(  [a-z-]+: +\{burst: )([\d.]+)(, rate: )([\d.]+)",
        lambda m: f"{m[1]}{float(m[2]) * factor:g}{m[3]}{float(m[4]) * factor:g}",
        sources.read_text())
    assert count >= 5, "the quotas are not where they were"
    sources.write_text(text)


def service_options(factor, graph=3500):
    """Quotas of replay.py; `graph` is what a directory of that size has in ten seconds."""
    return ["--quota", f"arm={250 * factor}:{25 * factor}", "--quota", f"arg={15 * factor}:5",
            "--quota", f"graph={graph * factor}:{graph * factor // 10}"]


if __name__ == "__main__":
    hurry(sys.argv[1], sys.argv[2], int(sys.argv[3]))
    print(*service_options(int(sys.argv[3]), *map(int, sys.argv[4:])))
