#!/usr/bin/env python3
"""Training of small transformers: ours beside PyTorch, the same shapes and threads, alternating in one run.

    cargo build --release -p assay-eval --example training_speed
    bench/training_speed.py target/release/examples/training_speed [--python PYTHON] [--shapes a b] [--rounds 5]

PYTHON needs `torch`; without it an environment of its own is made in a temporary folder and torch is installed from PyPI.
Best of the rounds counts on both sides: other work on the machine only ever slows a round down.
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


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--python")
    parser.add_argument("--shapes", nargs="+", default=["a", "b"])
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=10)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        python = str(given.python or python_with_torch(folder))
        for shape in given.shapes:
            wall = {}
            for threads in given.threads:
                ours, torch = [], []
                for _ in range(given.rounds):
                    words = [shape, str(given.steps), str(threads)]
                    ours.append(measured([given.binary, *words]))
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


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
