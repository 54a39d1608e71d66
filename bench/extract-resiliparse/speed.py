"""Pages a CPU second of resiliparse (`main_content=True`) and of Assay on the same pages, in one run, in turns.

    python3 -m venv venv && venv/bin/pip install resiliparse==2.0.1
    cargo build --release
    venv/bin/python bench/extract-resiliparse/speed.py "$ASSAY_DATA/extraction" target/release/assay [ROUNDS]

Neither decodes anything: the pages are strings before the clock starts. CPU seconds of one thread; the median of the rounds counts.
"""

import gzip
import json
import os
import statistics
import subprocess
import sys
import time

from resiliparse.extract.html2text import extract_plain_text


def load(folder):
    with gzip.open(os.path.join(folder, "pages.jsonl.gz")) as lines:
        names = [json.loads(line)["id"] for line in lines]
    for name in names:
        with gzip.open(os.path.join(folder, "html", name + ".html.gz")) as page:
            yield page.read().decode("utf-8", "replace")


def theirs(pages):
    times = []
    for page in pages:
        start = time.thread_time()
        extract_plain_text(page, main_content=True)
        times.append(time.thread_time() - start)
    times.sort()
    return len(pages) / sum(times), 1e3 * times[len(times) * 99 // 100]


def ours(program, folder):
    command = [program, "extract", "bench", folder, "--profile", "balanced", "--json"]
    answer = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    speed = answer["data"][0]["speed"]
    return speed["pages_per_cpu_second"], speed["p99_ms"]


def main():
    folder, program = sys.argv[1], sys.argv[2]
    pages = list(load(folder))
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    pairs = [(theirs(pages), ours(program, folder)) for _ in range(rounds)]
    for name, at in (("resiliparse", 0), ("assay", 1)):
        speeds = [pair[at][0] for pair in pairs]
        print(f"{name}: {statistics.median(speeds):.1f} pages/s {[round(s, 1) for s in speeds]}, p99 {statistics.median(pair[at][1] for pair in pairs):.1f} ms")
    print(f"ratio: {statistics.median(b[0] / a[0] for a, b in pairs):.2f}")


if __name__ == "__main__":
    main()
