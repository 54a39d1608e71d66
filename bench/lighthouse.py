#!/usr/bin/env python3
"""Lighthouse on the website: mobile preset, median of several runs a page, against the bars of docs/website.md.

    bench/lighthouse.py [--assay target/release/assay] [--runs 5] [--warc FILE] [--page PATH ...]

Starts a localnet of its own, waits until a round is settled, halts every process of it but the server (so that pages are measured
and not the work beside them), and runs Lighthouse there. Needs Node with npm, and Chromium (`CHROME_PATH`, else `chromium`). Run it
on a machine with nothing else to do: performance is measured, the other categories do not depend on it. Ends with 1 below a bar.
"""

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

LIGHTHOUSE = "lighthouse@12.8.2"
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
OVERVIEW_PERFORMANCE, PERFORMANCE, OTHERS = 98, 95, 100
# Bytes of the first load of the overview, fonts included.
FIRST_LOAD_MAX = 90 * 1024
PAGES = ("/", "/leaderboard", "/rounds", "/status", "/docs", "/community", "/opt-out")


def installed():
    """The program, installed once into the cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "assay" / LIGHTHOUSE
    program = cache / "node_modules" / ".bin" / "lighthouse"
    if not program.exists():
        if not shutil.which("npm"):
            sys.exit("error: npm is missing\n  help: install Node 22 or later")
        cache.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", cache, LIGHTHOUSE]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return program


def get(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def below(pid):
    """A process and all below it."""
    found = [pid]
    for one in found:
        for task in Path(f"/proc/{one}/task").glob("*/children"):
            found += [int(child) for child in task.read_text().split()]
    return found


def settled_site(arguments, folder):
    """A localnet with a settled round, of which only the server still runs."""
    base = f"http://127.0.0.1:{arguments.port}"
    command = [arguments.assay, "localnet", "--dir", folder, "--port", str(arguments.port)]
    command += ["--miners", "honest=2,better=1,lazy=1"] + (["--warc", arguments.warc] if arguments.warc else [])
    net = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + arguments.wait
    while time.monotonic() < deadline and net.poll() is None:
        time.sleep(3)
        try:
            if get(f"{base}/v1/rounds/current")["data"]["round"] >= 2:
                break
        except (OSError, KeyError, TypeError, ValueError):
            continue
    else:
        net.kill()
        sys.exit("error: no round was settled in time\n  help: raise --wait, or look at `assay localnet` by hand")
    processes = below(net.pid)
    for pid in processes:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        if b"serve" not in words:
            os.kill(pid, signal.SIGSTOP)
    return net, processes, base


def measure(program, url, folder, runs):
    """Per category the median, the bytes of the load, and what lost points."""
    scores, sizes, lost = {name: [] for name in CATEGORIES}, [], set()
    for run in range(runs):
        out = Path(folder) / f"report-{run}.json"
        command = [program, url, "--quiet", "--output=json", f"--output-path={out}"]
        command += ["--chrome-flags=--headless=new --no-sandbox --disable-gpu"]
        # A browser that did not start has measured nothing.
        tries = (subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(3))
        if all(tried.returncode != 0 for tried in tries):
            sys.exit(f"error: Lighthouse fails on {url}\n  help: run `{' '.join(map(str, command))}` by hand")
        report = json.loads(out.read_text())
        for name in CATEGORIES:
            category = report["categories"][name]
            scores[name].append(100 * category["score"])
            for reference in category["auditRefs"]:
                score = report["audits"][reference["id"]]["score"]
                if reference["weight"] > 0 and score is not None and score < 0.9:
                    lost.add(reference["id"])
        requests = report["audits"]["network-requests"]["details"]["items"]
        sizes.append(sum(item.get("transferSize") or 0 for item in requests if item.get("resourceType") != "EventSource"))
    return {name: round(statistics.median(all_)) for name, all_ in scores.items()}, statistics.median(sizes), sorted(lost)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--assay", default="target/release/assay", help="the binary")
    parser.add_argument("--runs", type=int, default=5, help="runs a page; their median counts")
    parser.add_argument("--warc", help="pages for the localnet [default: documentation on this machine]")
    parser.add_argument("--port", type=int, default=18_470)
    parser.add_argument("--wait", type=int, default=600, help="seconds for the first settled round")
    parser.add_argument("--page", action="append", help=f"path of a page; repeatable [default: {' '.join(PAGES)}]")
    arguments = parser.parse_args()
    os.environ.setdefault("CHROME_PATH", shutil.which("chromium") or "")
    program, is_below = installed(), False
    with tempfile.TemporaryDirectory(prefix="assay-lighthouse-") as folder:
        net, processes, base = settled_site(arguments, f"{folder}/net")
        try:
            print(f"| page | {' | '.join(CATEGORIES)} | KiB | below .9 |\n|---|---|---|---|---|---|---|")
            for page in arguments.page or PAGES:
                scores, size, lost = measure(program, base + page, folder, arguments.runs)
                shown = " | ".join(str(scores[name]) for name in CATEGORIES)
                print(f"| `{page}` | {shown} | {size / 1024:.0f} | {', '.join(lost) or '–'} |", flush=True)
                bar = OVERVIEW_PERFORMANCE if page == "/" else PERFORMANCE
                is_below |= scores["performance"] < bar or any(scores[name] < OTHERS for name in CATEGORIES[1:])
                is_below |= page == "/" and size > FIRST_LOAD_MAX
        finally:
            for pid in reversed(processes):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            net.wait()
    sys.exit(1 if is_below else 0)


if __name__ == "__main__":
    main()
