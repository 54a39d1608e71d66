#!/usr/bin/env python3
"""Documents per CPU second of `assay refine` and of datatrove's FineWeb chain, on the same WARC in the same run.

    bench/datatrove_compare.py WARC [--assay target/release/assay] [--limit N] [--runs 5] [--peer-runs 1] [--lists]

Makes the peer's environment once (`--environment`, default `$ASSAY_BENCH_ENV` or `target/bench-env`), runs datatrove
(`peer/chain.py`) and assay with one thread each, neither with a language step, and prints a table and, with `--json FILE`,
every figure. A document is a `response` record of the WARC, for both sides. CPU seconds are of whole processes: start, lists
and output included. By default neither side has URL lists; `--lists` gives both the lists of datatrove's wheel.
Ends with 1 if the ratio of the medians is below `--require` (default 20).
"""

import argparse
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

import measure

HERE = Path(__file__).resolve().parent
# Compressed bytes inflated at once, and inflated bytes kept to find a record's type.
PIECE_BYTES = 16 << 10
HEAD_BYTES = 64 << 10
RANKS = "registry/src/*/tiktoken-rs-0.12.1/assets/r50k_base.tiktoken"


def environment(folder):
    """The peer's Python, installed if the requirements are not those of the folder's last installation."""
    folder = Path(folder).resolve()
    python, stamp = folder / "bin" / "python", folder / "requirements.txt"
    wanted = (HERE / "peer" / "requirements.txt").read_text()
    if python.exists() and stamp.exists() and stamp.read_text() == wanted:
        return python
    print(f"installing the peer into {folder}", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
    subprocess.run([python, "-m", "pip", "install", "-q", "-r", HERE / "peer" / "requirements.txt"], check=True)
    stamp.write_text(wanted)
    return python


def tokenizer(python, ranks):
    """The peer's tokenizer, made from the ranks of tiktoken-rs."""
    out = python.parent.parent / "gpt2-tokenizer.json"
    if not out.exists():
        cargo = os.environ.get("CARGO_HOME", os.path.expanduser("~/.cargo"))
        found = [ranks] if ranks else sorted(glob.glob(os.path.join(cargo, RANKS)))
        if not found:
            sys.exit("error: no GPT-2 ranks found\n  help: `cargo fetch` in the workspace, or name the file with --ranks")
        subprocess.run([python, HERE / "peer" / "tokenizer.py", found[0], out], check=True)
    return out


def members(data):
    """The gzip members of a WARC: end of each in `data`, and its first inflated bytes."""
    at = 0
    while at < len(data):
        inflater, head = zlib.decompressobj(wbits=31), b""
        while not inflater.eof and at < len(data):
            piece = data[at : at + PIECE_BYTES]
            head = (head + inflater.decompress(piece))[:HEAD_BYTES]
            at += len(piece) - len(inflater.unused_data)
        yield at, head


def cut(warc, limit, folder):
    """The WARC's first `limit` responses as a file of their own (all with `limit` 0), and how many there are."""
    data, pages, end = Path(warc).read_bytes(), 0, 0
    if not data.startswith(b"\x1f\x8b"):
        sys.exit(f"error: `{warc}` is not a gzip WARC with one member a record")
    for end, head in members(data):
        pages += b"warc-type: response" in head.split(b"\r\n\r\n", 1)[0].lower()
        if limit and pages == limit:
            break
    if not limit:
        return Path(warc), pages
    out = Path(folder) / "cut.warc.gz"
    out.write_bytes(data[:end])
    return out, pages


def run_peer(arguments, warc, folder):
    """One run of datatrove's chain: its cost and what it reports."""
    python = environment(arguments.environment)
    work = tempfile.mkdtemp(dir=folder)
    command = [python, HERE / "peer" / "chain.py", warc, work, tokenizer(python, arguments.ranks)]
    cost = measure.run(command + ["--lists"] * arguments.lists, measure.ONE_THREAD)
    shutil.rmtree(work)
    return cost.figures() | json.loads(cost.stdout.splitlines()[-1])


def run_assay(arguments, warc, folder):
    """One run of `assay refine`: its cost and what it reports."""
    out = Path(tempfile.mkdtemp(dir=folder)) / "out"
    command = [arguments.assay, "refine", warc, "--out", out, "--recipe", arguments.recipe, "--threads", 1, "--json"]
    cost = measure.run(command + arguments.assay_argument, measure.ONE_THREAD)
    shutil.rmtree(out.parent)
    data = json.loads(cost.stdout)["data"]
    return cost.figures() | {"kept": data["kept"], "tokens": data["tokens"], "reported": data}


def summary(name, runs, pages):
    """One side's medians."""
    return {
        "name": name,
        "runs": runs,
        "documents": pages,
        "kept": runs[0]["kept"],
        "tokens": runs[0]["tokens"],
        "cpu_seconds": measure.median(run["cpu_seconds"] for run in runs),
        "documents_per_cpu_second": pages / measure.median(run["cpu_seconds"] for run in runs),
        "rss_bytes_max": max(run["rss_bytes_max"] for run in runs),
    }


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("warc", help="gzip WARC, one member a record")
    parser.add_argument("--assay", default="target/release/assay", help="the binary")
    parser.add_argument("--recipe", default="fineweb-en-v1-nolang")
    parser.add_argument("--assay-argument", action="append", default=[], help="more for `assay refine`; may be repeated")
    parser.add_argument("--environment", default=os.environ.get("ASSAY_BENCH_ENV", "target/bench-env"))
    parser.add_argument("--ranks", help="r50k_base.tiktoken; default: the crate's, as cargo fetched it")
    parser.add_argument("--limit", type=int, default=0, help="only the first N pages; 0: all")
    parser.add_argument("--runs", type=int, default=5, help="runs of assay; 0: only the peer")
    parser.add_argument("--peer-runs", type=int, default=1, help="runs of datatrove; 0: only assay")
    parser.add_argument("--lists", action="store_true", help="URL lists for datatrove; give assay's by --recipe")
    parser.add_argument("--require", type=float, default=20.0, help="least ratio of the medians")
    parser.add_argument("--json", help="file for every figure")
    return parser.parse_args()


def main():
    arguments = parse()
    sides = []
    with tempfile.TemporaryDirectory(prefix="assay-bench-") as folder:
        warc, pages = cut(arguments.warc, arguments.limit, folder)
        # Interleaved, so that a slow minute of the machine meets both sides.
        peer, assay = [], []
        for turn in range(max(arguments.runs, arguments.peer_runs)):
            if turn < arguments.peer_runs:
                peer.append(run_peer(arguments, warc, folder))
            if turn < arguments.runs:
                assay.append(run_assay(arguments, warc, folder))
        sides += [summary(name, runs, pages) for name, runs in (("datatrove 0.10.1", peer), ("assay", assay)) if runs]
    rows = [
        [
            side["name"],
            side["documents"],
            side["kept"],
            f"{side['cpu_seconds']:.2f}",
            f"{side['documents_per_cpu_second']:.2f}",
            f"{side['rss_bytes_max'] / 1e6:.0f}",
            len(side["runs"]),
        ]
        for side in sides
    ]
    print(measure.table(["", "documents", "kept", "CPU s", "documents/CPU s", "peak MB", "runs"], rows))
    ratio = None
    if len(sides) == 2:
        ratio = sides[1]["documents_per_cpu_second"] / sides[0]["documents_per_cpu_second"]
        print(f"ratio {ratio:.1f} (required {arguments.require:g})")
    if arguments.json:
        report = {"warc": Path(arguments.warc).name, "lists": arguments.lists, "sides": sides, "ratio": ratio}
        Path(arguments.json).write_text(json.dumps(report, indent=1) + "\n")
    return 1 if ratio is not None and ratio < arguments.require else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except measure.CommandFailed as error:
        sys.exit(f"error: {error}")
