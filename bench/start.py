#!/usr/bin/env python3
"""How long `assay` takes to say what it can, and to begin reading.

    bench/start.py [--assay target/release/assay] [--runs 40] [--json FILE]

`assay --help` is timed from start to end. `assay refine` reads from a named pipe: whoever opens a pipe for writing waits until
somebody opens it for reading, so the moment it opens is the moment at which assay opens its archive. Of each the least and the
median of all runs are printed; the checks are on the least, since other work on the machine only adds (`--help-ms-max`, default
20, and `--reading-ms-max`, default 100). Ends with 1 if one fails.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import measure

# Longest wait for a run to open its archive, seconds.
SECONDS_MAX = 30

# Pause between two looks at the pipe, seconds: what it adds to a figure at most.
LOOK_SECONDS = 0.0002


def help_ms(assay):
    """Milliseconds of wall time and of CPU of one `assay --help`."""
    cost = measure.run([assay, "--help"])
    return cost.wall_seconds * 1000, cost.cpu_seconds * 1000


def open_for_writing(pipe, process):
    """Waits until `process` has opened the pipe for reading."""
    end = time.monotonic() + SECONDS_MAX
    while time.monotonic() < end:
        try:
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            # Nobody reads yet.
            if process.poll() is not None:
                break
            time.sleep(LOOK_SECONDS)
    raise measure.CommandFailed("assay never opened its archive")


def reading_ms(assay):
    """Milliseconds from the start of `assay refine` until it opens its archive."""
    with tempfile.TemporaryDirectory(prefix="assay-start-") as folder:
        pipe = Path(folder) / "archive.warc"
        os.mkfifo(pipe)
        command = [assay, "refine", pipe, "--out", Path(folder) / "out", "--quiet"]
        start = time.monotonic()
        process = subprocess.Popen(
            [str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            writer = open_for_writing(pipe, process)
            took = time.monotonic() - start
            os.close(writer)
        finally:
            process.kill()
            process.wait()
        return took * 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--assay", default="target/release/assay")
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--help-ms-max", type=float, default=20)
    parser.add_argument("--reading-ms-max", type=float, default=100)
    parser.add_argument("--json", metavar="FILE", help="every single figure")
    arguments = parser.parse_args()
    if arguments.runs < 1:
        parser.error("--runs is at least 1")

    figures = {"help_ms": [], "help_cpu_ms": [], "reading_ms": []}
    for _ in range(arguments.runs):
        wall, cpu = help_ms(arguments.assay)
        figures["help_ms"].append(wall)
        figures["help_cpu_ms"].append(cpu)
        figures["reading_ms"].append(reading_ms(arguments.assay))
    limits = {"help_ms": arguments.help_ms_max, "reading_ms": arguments.reading_ms_max}
    names = {
        "help_ms": "assay --help, wall",
        "help_cpu_ms": "assay --help, CPU",
        "reading_ms": "assay refine opens its archive",
    }
    rows = [
        (names[name], f"{min(values):.1f}", f"{measure.median(values):.1f}", limits.get(name, "–"))
        for name, values in figures.items()
    ]
    print(measure.table(("milliseconds", "least", "median", "allowed"), rows))
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(figures, indent=1))
    failed = [name for name, limit in limits.items() if min(figures[name]) >= limit]
    for name in failed:
        print(f"{names[name]} takes {min(figures[name]):.1f} ms, {limits[name]} ms are allowed", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
