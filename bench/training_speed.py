#!/usr/bin/env python3
"""Training of small transformers: ours beside PyTorch, the same shapes and threads, alternating in one run.

    cargo build --release -p assay-eval --example training_speed
    bench/training_speed.py target/release/examples/training_speed [--python PYTHON] [--shapes a b] [--rounds 5]
        [--instructions avx512|avx2|plain] [--check]

PYTHON needs `torch`; without it an environment of its own is made in a temporary folder and torch is installed from PyPI.
Best of the rounds counts on both sides: other work on the machine only ever slows a round down. `--instructions` forces
ours to a level; with `--check` the exit status is 1 if a bar below is missed.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

PEER = Path(__file__).parent.parent / "crates/assay-eval/tests/fixtures/training.py"
TORCH = "torch==2.15.0"

# Bars of docs/evaluation.md: tokens a CPU second over PyTorch's, by our instructions; wall from two threads; memory.
RATIO_MIN = {"avx512": 1.2, "avx2": 1.0}
SPEEDUP_MIN = 1.85
PEAK_RATIO_MAX = 0.25


def python_with_torch(folder):
    venv.create(folder, with_pip=True)
    python = Path(folder) / "bin/python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", TORCH, "numpy"], check=True)
    return python


def measured(command):
    """The last line's numbers and the peak memory of the child."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(write, 1)
        os.execv(command[0], command)
    os.close(write)
    with os.fdopen(read) as pipe:
        lines = pipe.read().splitlines()
    _, status, usage = os.wait4(child, 0)
    if status != 0:
        sys.exit(f"{command} failed")
    return json.loads(lines[-1]) | {"peak_bytes": usage.ru_maxrss * 1024}


def best(rounds, key, pick=max):
    return pick(found[key] for found in rounds)


def missed(row):
    """Bars that a row misses; instructions without a bar have none."""
    found = []
    least = RATIO_MIN.get(row["instructions"])
    if least is not None and row["ratio_tokens_per_cpu_s"] < least:
        found.append(f"ratio_tokens_per_cpu_s {row['ratio_tokens_per_cpu_s']} < {least}")
    if row["peak_ratio"] > PEAK_RATIO_MAX:
        found.append(f"peak_ratio {row['peak_ratio']} > {PEAK_RATIO_MAX}")
    if row["threads"] == 2 and row.get("speedup", SPEEDUP_MIN) < SPEEDUP_MIN:
        found.append(f"speedup {row['speedup']} < {SPEEDUP_MIN}")
    return [f"shape {row['shape']}, {row['threads']} threads: {what}" for what in found]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--python")
    parser.add_argument("--shapes", nargs="+", default=["a", "b"])
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--instructions", help="level of ours: avx512, avx2, plain; the best by default")
    parser.add_argument("--check", action="store_true", help="exit status 1 if a bar is missed")
    given = parser.parse_args()
    misses = []
    with tempfile.TemporaryDirectory() as folder:
        python = str(given.python or python_with_torch(folder))
        for shape in given.shapes:
            wall = {}
            for threads in given.threads:
                ours, torch = [], []
                for _ in range(given.rounds):
                    words = [shape, str(given.steps), str(threads)]
                    level = [given.instructions] if given.instructions else []
                    ours.append(measured([given.binary, *words, *level]))
                    torch.append(measured([python, str(PEER), "speed", *words]))
                row = {"shape": shape, "threads": threads, "instructions": ours[0]["instructions"]}
                for key in ("tokens_per_cpu_s", "tokens_per_s"):
                    a, b = best(ours, key), best(torch, key)
                    row |= {key: round(a), f"torch_{key}": round(b), f"ratio_{key}": round(a / b, 2)}
                a, b = best(ours, "peak_bytes", min), best(torch, "peak_bytes", min)
                row |= {"peak_mb": a >> 20, "torch_peak_mb": b >> 20, "peak_ratio": round(a / b, 3)}
                wall[threads] = row["tokens_per_s"]
                if 1 in wall and threads > 1:
                    row["speedup"] = round(wall[threads] / wall[1], 2)
                print(json.dumps(row), flush=True)
                misses += missed(row)
    for miss in misses:
        print(miss, file=sys.stderr)
    if given.check and misses:
        sys.exit(1)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
