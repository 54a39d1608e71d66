#!/usr/bin/env python3
"""Instructions of `assay refine` and where they are spent, counted by Valgrind: the same figure on a busy machine as on a free one.

    bench/instructions.py WARC [--assay target/release/assay] [--limit 400] [--json FILE]

Runs the binary under `valgrind --tool=callgrind` with one thread on the first `--limit` records and prints the instructions of
each stage, inclusive of what it calls. Valgrind emulates a processor without AVX-512, so the count does not depend on the
machine's newest instructions. Ends with 1 if a content record costs more than `--per-page-max` instructions.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import measure

# Stage and the function whose inclusive count it is.
STAGES = [
    ("whole run", "assay_agents::local::refine::refine"),
    ("read: inflate, split, hash", "assay_refine::warc::members::Members<R>::next_row"),
    ("characters", "assay_refine::charset::decode"),
    ("HTML parse", "assay_refine::html::parse::parse"),
    ("blocks", "assay_refine::extract::walk::run"),
    ("features, models, choice", "assay_refine::extract::select::choose"),
    ("text steps", "run_text_steps"),
    ("- words, for all filters", "assay_refine::text::words::tokenizer::Tokenizer::tokenize"),
    ("- Gopher repetition", "assay_refine::filter::gopher_repetition::features"),
    ("- Gopher quality", "assay_refine::filter::gopher_quality::features"),
    ("- C4", "assay_refine::filter::c4::rewrite"),
    ("- MinHash signature", "assay_refine::minhash::signature::MinHasher::signature"),
    ("- GPT-2 tokens", "assay_refine::text::gpt2::counter::Gpt2::count"),
]
# `1,234 (12.3%) path:function [object]`, the object only where it changes.
LINE = re.compile(r"^\s*([\d,]+) \([^)]*\)\s+(\S+?):(.+?)(?: \[.*\])?$")


def profile(arguments, folder):
    """Inclusive instructions by function, and the pages that were read."""
    out, counts = Path(folder) / "callgrind.out", {}
    command = [arguments.assay, "refine", arguments.warc, "--out", Path(folder) / "data", "--threads", "1", "--json"]
    command += ["--recipe", arguments.recipe, "--limit", str(arguments.limit)]
    valgrind = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}"]
    run = subprocess.run(valgrind + command, check=True, capture_output=True, text=True)
    data = json.loads(run.stdout)["data"]
    pages = data["records"] - data["dropped"].get("read.request", 0) - data["dropped"].get("read.warcinfo", 0)
    annotate = ["callgrind_annotate", "--inclusive=yes", "--threshold=99.99", str(out)]
    for line in subprocess.run(annotate, check=True, capture_output=True, text=True).stdout.splitlines():
        if found := LINE.match(line):
            # A function that holds others' inlined lines stands once for each of their files; the largest is the whole.
            count = int(found[1].replace(",", ""))
            counts[found[3]] = max(count, counts.get(found[3], 0))
    return counts, pages


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("warc")
    parser.add_argument("--assay", default="target/release/assay", help="the binary")
    parser.add_argument("--recipe", default="fineweb-en-v1-nolang")
    parser.add_argument("--limit", type=int, default=400, help="records")
    parser.add_argument("--per-page-max", type=float, default=18e6, help="instructions a content record, whole run")
    parser.add_argument("--json", help="file for every figure")
    arguments = parser.parse_args()
    if not shutil.which("valgrind"):
        sys.exit("error: valgrind is missing\n  help: `apt-get install valgrind`")
    with tempfile.TemporaryDirectory(prefix="assay-instructions-") as folder:
        counts, pages = profile(arguments, folder)
    figures = {}
    for stage, function in STAGES:
        found = [count for name, count in counts.items() if function in name]
        if not found:
            sys.exit(f"error: `{function}` is not in the profile: was it renamed or inlined?")
        figures[stage] = max(found)
    whole = figures["whole run"]
    rows = [[stage, f"{count / 1e6:,.0f}", f"{100 * count / whole:.1f} %"] for stage, count in figures.items()]
    print(measure.table(["stage", "million instructions", "share"], rows))
    per_page = whole / max(pages, 1)
    print(f"{per_page / 1e6:.1f} million instructions a page of {pages} (allowed {arguments.per_page_max / 1e6:.1f})")
    if arguments.json:
        Path(arguments.json).write_text(json.dumps({"pages": pages, "instructions": figures}, indent=1) + "\n")
    return 1 if per_page > arguments.per_page_max else 0


if __name__ == "__main__":
    sys.exit(main())
