"""Runs a command and says what it cost: CPU seconds with children, wall seconds, peak memory.

Used by `datatrove_compare.py` and `scaling.py`. CPU seconds are user + system of the process and of all children it waited
for, from `wait4`, so other load on the machine hardly changes them. Peak memory is the largest single process.
"""

import os
import statistics
import subprocess
import tempfile
import threading
import time
from dataclasses import asdict, dataclass

# One thread in every library that brings its own pool.
ONE_THREAD = {
    name: "1"
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "RAYON_NUM_THREADS")
} | {"TOKENIZERS_PARALLELISM": "false"}


class CommandFailed(Exception):
    """A command ended with another status than 0, or ran past its limit."""


@dataclass
class Cost:
    """What one run cost."""

    cpu_seconds: float
    wall_seconds: float
    rss_bytes_max: int
    stdout: str

    def figures(self):
        """The figures without the output."""
        return {key: value for key, value in asdict(self).items() if key != "stdout"}


def run(command, environment=None, seconds_max=3600, check=True):
    """Runs `command` and returns its `Cost`; the last lines of its error output go into `CommandFailed`."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        start = time.monotonic()
        process = subprocess.Popen(
            [str(part) for part in command], stdout=out, stderr=errors, env={**os.environ, **(environment or {})}
        )
        timer = threading.Timer(seconds_max, process.kill)
        timer.start()
        _, status, usage = os.wait4(process.pid, 0)
        timer.cancel()
        wall = time.monotonic() - start
        # Popen must not wait a second time for a process that is gone.
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        errors.seek(0)
        if check and process.returncode != 0:
            tail = errors.read()[-2000:].decode(errors="replace")
            raise CommandFailed(f"`{' '.join(map(str, command))}` ended with {process.returncode}\n{tail}")
        return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss * 1024, out.read().decode(errors="replace"))


def median(values):
    """The median, as a float."""
    return float(statistics.median(values))


def table(header, rows):
    """A text table with columns as wide as their contents, the first left, the others right."""
    cells = [list(map(str, row)) for row in [header, *rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    lines = []
    for row in cells:
        lines.append("  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths))).rstrip())
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)
