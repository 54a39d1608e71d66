"""datatrove's FineWeb chain on one WARC, one process and one thread, without the language step.

Run by `datatrove_compare.py` inside the peer's environment. Steps, order and thresholds are those of datatrove's
`examples/fineweb.py`; changed are only: no language filter (its model is a download), extraction time-out 60 s instead of
1 s (so that a loaded machine drops nothing), the suffix list bundled with tldextract, a tokenizer from a local file, and no
files of removed documents (less work for the peer). Prints one JSON object with CPU seconds and documents per stage.

    python chain.py WARC WORKDIR TOKENIZER.json [--lists]
"""

import argparse
import gzip
import json
import os
import resource
import sys
import time

EXTRACTION_SECONDS_MAX = 60


def cpu_seconds():
    """User and system seconds of this process and of its finished children."""
    total = 0.0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        usage = resource.getrusage(who)
        total += usage.ru_utime + usage.ru_stime
    return total


def run(pipeline, work, name, tasks=1):
    """Runs one stage and returns its CPU and wall seconds and the statistics of its steps."""
    from datatrove.executor.local import LocalPipelineExecutor

    logs = os.path.join(work, "logs", name)
    cpu, wall = cpu_seconds(), time.monotonic()
    LocalPipelineExecutor(pipeline=pipeline, tasks=tasks, workers=1, logging_dir=logs).run()
    measured = {"cpu_seconds": cpu_seconds() - cpu, "wall_seconds": time.monotonic() - wall, "steps": []}
    with open(os.path.join(logs, "stats.json")) as stats:
        for step in json.load(stats):
            counts = {}
            for key, value in step["stats"].items():
                value = value["total"] if isinstance(value, dict) else value
                counts[key] = value
            measured["steps"].append({"name": step["name"], "stats": counts})
    return measured


def url_filter(lists):
    """The URL filter, with or without its lists, and with tldextract's bundled suffix list instead of a download."""
    from datatrove.pipeline.filters import URLFilter
    from tldextract import TLDExtract

    step = URLFilter(use_integrated_lists=lists)
    step.tldextractor = TLDExtract(suffix_list_urls=(), cache_dir=None)
    return step


def record_stage(warc, work, lists):
    """WARC to filtered text."""
    from datatrove.pipeline.extractors import Trafilatura
    from datatrove.pipeline.filters import (
        C4QualityFilter,
        FineWebQualityFilter,
        GopherQualityFilter,
        GopherRepetitionFilter,
    )
    from datatrove.pipeline.readers import WarcReader
    from datatrove.pipeline.writers.jsonl import JsonlWriter

    folder, name = os.path.split(os.path.abspath(warc))
    pipeline = [
        WarcReader(folder, glob_pattern=name, default_metadata={"dump": "bench"}),
        url_filter(lists),
        Trafilatura(favour_precision=True, timeout=EXTRACTION_SECONDS_MAX),
        GopherRepetitionFilter(),
        GopherQualityFilter(),
        C4QualityFilter(filter_no_terminal_punct=False),
        FineWebQualityFilter(),
        JsonlWriter(os.path.join(work, "filtered")),
    ]
    return run(pipeline, work, "records")


def minhash_stages(work, tokenizer):
    """Filtered text to deduplicated text with token counts and without addresses."""
    from datatrove.pipeline.dedup import MinhashDedupSignature
    from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupBuckets, MinhashDedupCluster
    from datatrove.pipeline.dedup.minhash import MinhashDedupFilter
    from datatrove.pipeline.formatters import PIIFormatter
    from datatrove.pipeline.readers import JsonlReader
    from datatrove.pipeline.tokens import TokensCounter
    from datatrove.pipeline.writers.jsonl import JsonlWriter
    from datatrove.utils.hashing import HashConfig

    config = MinhashConfig(
        hash_config=HashConfig(hash_fc="sha1", precision=64), num_buckets=14, hashes_per_bucket=8, n_grams=5
    )
    folder = {name: os.path.join(work, name) for name in ("filtered", "signatures", "buckets", "removed", "out")}
    reader = JsonlReader(folder["filtered"])
    signature = [reader, MinhashDedupSignature(output_folder=folder["signatures"], config=config)]
    buckets = [MinhashDedupBuckets(folder["signatures"], folder["buckets"], config=config)]
    cluster = [MinhashDedupCluster(folder["buckets"], folder["removed"], config=config)]
    output = [
        JsonlReader(folder["filtered"]),
        TokensCounter(tokenizer),
        MinhashDedupFilter(folder["removed"]),
        PIIFormatter(),
        JsonlWriter(folder["out"]),
    ]
    return {
        "minhash_signature": run(signature, work, "signature"),
        "minhash_buckets": run(buckets, work, "buckets", tasks=config.num_buckets),
        "minhash_cluster": run(cluster, work, "cluster"),
        "tokens_filter_pii": run(output, work, "output"),
    }


def written(work):
    """Documents, tokens and bytes of text of the final files."""
    documents = tokens = text_bytes = 0
    folder = os.path.join(work, "out")
    for name in sorted(os.listdir(folder)):
        with gzip.open(os.path.join(folder, name), "rb") as lines:
            for line in lines:
                row = json.loads(line)
                documents += 1
                tokens += row["metadata"]["token_count"]
                text_bytes += len(row["text"].encode())
    return {"kept": documents, "tokens": tokens, "text_bytes": text_bytes}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("warc")
    parser.add_argument("work")
    parser.add_argument("tokenizer")
    parser.add_argument("--lists", action="store_true", help="use the URL lists of the wheel")
    arguments = parser.parse_args()
    before = cpu_seconds()
    stages = {"records": record_stage(arguments.warc, arguments.work, arguments.lists)}
    stages.update(minhash_stages(arguments.work, os.path.abspath(arguments.tokenizer)))
    report = {"cpu_seconds_in_stages": cpu_seconds() - before, "stages": stages, **written(arguments.work)}
    with open(os.path.join(arguments.work, "report.json"), "w") as out:
        json.dump(report, out, indent=1)
    print(json.dumps(report))


if __name__ == "__main__":
    sys.exit(main())
