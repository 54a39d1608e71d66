#!/usr/bin/env python3
"""How much faster `assay refine` is with two threads, held against a loop that only computes.

    bench/scaling.py WARC [--assay target/release/assay] [--control target/release/examples/control_loop] [--rounds 5]

The control is `cargo build --release -p assay-refine --example control_loop`. Each round runs assay with one thread, the
control with one, assay with two, the control with two, the control as long as assay takes; a round's figure is assay's
speed-up over the control's, both in wall time. The check is on the median of the rounds (`--require`, default 0.93) and on
the peak memory with two threads (`--rss-mb-max`, default 600). Ends with 1 if one fails, and prints a warning if two
threads did not even help the control, because then the machine was not free and the figures say nothing.
"""

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

import measure

# First guess of the control's steps; scaled to assay's time by one run.
CALIBRATION_STEPS = 300_000_000

# Below this speed-up of the control two cores were not free.
CONTROL_SPEED_UP_MIN = 1.5


def run_assay(arguments, threads):
    """One run of `assay refine`."""
    folder = Path(tempfile.mkdtemp(prefix="assay-scaling-"))
    command = [arguments.assay, "refine", arguments.warc, "--out", folder / "out", "--recipe", arguments.recipe]
    try:
        return measure.run(command + ["--threads", threads, "--json"] + arguments.assay_argument)
    finally:
        shutil.rmtree(folder)


def one_round(arguments, steps):
    """Costs of one round by program and number of threads."""
    costs = {}
    for threads in (1, 2):
        costs["assay", threads] = run_assay(arguments, threads)
        costs["control", threads] = measure.run([arguments.control, threads, steps])
    return costs


def figures(costs):
    """The speed-ups of one round and their ratio."""
    speed_up = {name: costs[name, 1].wall_seconds / costs[name, 2].wall_seconds for name in ("assay", "control")}
    return {
        "assay_speed_up": speed_up["assay"],
        "control_speed_up": speed_up["control"],
        "ratio": speed_up["assay"] / speed_up["control"],
        "assay_cpu_ratio": costs["assay", 2].cpu_seconds / costs["assay", 1].cpu_seconds,
        "rss_bytes_max_1": costs["assay", 1].rss_bytes_max,
        "rss_bytes_max_2": costs["assay", 2].rss_bytes_max,
        "costs": {f"{name}_{threads}": cost.figures() for (name, threads), cost in costs.items()},
    }


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("warc")
    parser.add_argument("--assay", default="target/release/assay")
    parser.add_argument("--control", default="target/release/examples/control_loop")
    parser.add_argument("--recipe", default="fineweb-en-v1-nolang")
    parser.add_argument("--assay-argument", action="append", default=[], help="more for `assay refine`; may be repeated")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--require", type=float, default=0.93, help="least median ratio of the speed-ups")
    parser.add_argument("--rss-mb-max", type=float, default=600.0, help="most peak memory with two threads, 10^6 bytes")
    parser.add_argument("--json", help="file for every figure")
    return parser.parse_args()


def main():
    arguments = parse()
    # Both once without counting: files into the page cache, and the control's length.
    assay = run_assay(arguments, 1)
    control = measure.run([arguments.control, 1, CALIBRATION_STEPS])
    steps = max(1, int(CALIBRATION_STEPS * assay.wall_seconds / control.wall_seconds))
    rounds = [figures(one_round(arguments, steps)) for _ in range(arguments.rounds)]

    median = {key: measure.median(one[key] for one in rounds) for key in rounds[0] if key != "costs"}
    named = [(str(number), one) for number, one in enumerate(rounds, 1)] + [("median", median)]
    rows = [
        [name]
        + [f"{one[key]:.3f}" for key in ("assay_speed_up", "control_speed_up", "ratio", "assay_cpu_ratio")]
        + [f"{one[key] / 1e6:.0f}" for key in ("rss_bytes_max_1", "rss_bytes_max_2")]
        for name, one in named
    ]
    header = ["round", "assay x", "control x", "ratio", "CPU 2:1", "peak MB 1", "peak MB 2"]
    print(measure.table(header, rows))
    rss_mb = max(one["rss_bytes_max_2"] for one in rounds) / 1e6
    print(f"ratio {median['ratio']:.3f} (required {arguments.require:g})")
    print(f"peak memory {rss_mb:.0f} MB (allowed {arguments.rss_mb_max:g})")
    if median["control_speed_up"] < CONTROL_SPEED_UP_MIN:
        print(f"warning: the control gained only {median['control_speed_up']:.2f}: the machine is not free", file=sys.stderr)
    if arguments.json:
        report = {"warc": Path(arguments.warc).name, "median": median, "rounds": rounds}
        Path(arguments.json).write_text(json.dumps(report, indent=1) + "\n")
    return 1 if median["ratio"] < arguments.require or rss_mb > arguments.rss_mb_max else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except measure.CommandFailed as error:
        sys.exit(f"error: {error}")
