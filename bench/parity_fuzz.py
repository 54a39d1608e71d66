"""Texts, URLs and near-duplicates through datatrove 0.10.1 and through Assay; every difference is printed.

    pip install datatrove==0.10.1 spacy==3.8.18 tldextract==5.4.0 numpy==2.4.6 regex==2026.11.15 pyahocorasick==2.3.1 \\
        tokenizers==0.23.3 fasteners==0.20 orjson xxhash
    python bench/parity_fuzz.py texts --texts 20000 --seed 1 --gpt2 tokenizer.json -- assay filter --steps
    python bench/parity_fuzz.py texts --real FILE.jsonl.gz --gpt2 tokenizer.json -- assay filter --steps
    python bench/parity_fuzz.py texts --sweep 0/1 --gpt2 tokenizer.json -- assay filter --steps
    python bench/parity_fuzz.py urls --texts 20000 --lists lists.json -- assay filter --steps --url-lists lists.json
    python bench/parity_fuzz.py dedup --documents 500 --files 4 --seed 1 -- assay dedup --order datatrove --json
    python bench/parity_fuzz.py fixture FILTERS.jsonl.gz --lists LISTS.json --gpt2 tokenizer.json

Python 3.11 is required: its Unicode database is the reference's. `--gpt2` names a Hugging Face tokenizer file (made by
`bench/peer/tokenizer.py`); without it token counts are not compared. `--seeds FILE` takes JSON lines whose `text` is cut,
mutated and mixed in; `--real FILE` takes JSON lines whose `text` is compared as it is (`--longest` code points of it).
`texts` and `urls` want a command that reads JSON lines from stdin, `dedup` one that takes files as arguments. With a recipe
without a language step the decision of the whole chain and the final text are compared too (`--chain`). `fixture` checks the
reference itself: datatrove in this environment must say what the fixture holds. `--report FILE` gets counts and differences.
Exit status 1 if anything differs that is not explained (`docs/parity.md`).
"""

import argparse
import collections
import gzip
import json
import os
import random
import subprocess
import sys
import tempfile

from parity import texts, urls
from parity.reference import Reference

# spaCy loses this word from its second occurrence in a process on (deviation D10): counts of words then differ.
LOST_WORD = "IS_ALPHA"
LOST_IN = {"words", "sentences", "gopher_repetition", "gopher_quality", "c4", "fineweb_quality", "fineweb_quality_raw", "chain"}
TEXT_KEYS = [
    "gopher_repetition", "gopher_quality", "c4", "fineweb_quality", "fineweb_quality_raw", "pii", "words", "sentences", "simplify", "minhash",
]


def lost(key, text):
    """Why a difference in this entry of the text is expected; `None` if it is not."""
    return "the word IS_ALPHA (D10)" if LOST_WORD in text and key in LOST_IN else None


def differences(expected, ours, path=""):
    """Paths of all members that differ; `list`, `text` and `spans` may be left out of one side."""
    if isinstance(expected, dict) and isinstance(ours, dict):
        for key in sorted(expected.keys() | ours.keys()):
            here = f"{path}.{key}" if path else key
            if key in expected and key in ours:
                yield from differences(expected[key], ours[key], here)
            elif key not in ("list", "text", "spans"):
                yield here
    elif expected != ours:
        yield path


def json_lines(path):
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rb") as lines:
        return [json.loads(line) for line in lines.read().split(b"\n") if line]


def answers(command, rows):
    """One answer a row of a command that reads JSON lines from stdin."""
    with tempfile.TemporaryFile() as given:
        given.writelines(json.dumps(row).encode() + b"\n" for row in rows)
        given.seek(0)
        out = subprocess.run(command, stdin=given, stdout=subprocess.PIPE, check=True).stdout
    found = [json.loads(line) for line in out.split(b"\n") if line]
    assert [row["id"] for row in found] == [row["id"] for row in rows], "answers and texts do not fit together"
    return found


def first_difference(command, row, words):
    """Where two word lists part; the command prints ours (`crates/assay-refine/examples/text_steps.rs`)."""
    ours = answers([command], [row])[0]["words"]["list"]
    at = next((i for i, (a, b) in enumerate(zip(words, ours)) if a != b), min(len(words), len(ours)))
    return f"  from word {at} on: datatrove {ascii(words[at : at + 8])}, ours {ascii(ours[at : at + 8])}"


class Tally:
    """Counts and examples of differences."""

    def __init__(self, show):
        self.show, self.compared, self.different = show, collections.Counter(), collections.Counter()
        self.explained, self.examples = collections.Counter(), []

    def add(self, key, row, expected, ours, explained=None):
        self.compared[key] += 1
        paths = list(differences(expected, ours))
        if not paths:
            return
        if explained:
            self.explained[f"{key}: {explained}"] += 1
            return
        self.different[key] += 1
        self.examples.append({"key": key, "paths": paths, "row": row, "expected": expected, "ours": ours})
        if self.different[key] <= self.show:
            print(json.dumps({**self.examples[-1], "row": {k: v[:2000] for k, v in row.items()}})[:6000], flush=True)

    def finish(self, what, report):
        print(f"\n{what}")
        for key in self.compared:
            print(f"{key:22} {self.compared[key]:8} compared {self.different[key]:6} different")
        for cause, count in self.explained.items():
            print(f"explained: {cause}: {count}")
        if report:
            with open(report, "w") as out:
                counts = {"compared": self.compared, "different": self.different, "explained": self.explained}
                json.dump({"what": what, **counts, "examples": self.examples}, out, indent=1)
        return 1 if self.different else 0


def compare_texts(rows, arguments, tally):
    reference = Reference(arguments.gpt2, arguments.lists)
    keys = TEXT_KEYS + (["gpt2_tokens"] if arguments.gpt2 else [])
    for row, answer in zip(rows, answers(arguments.command, rows)):
        steps, details = reference.text_steps(row["text"])
        ours = answer["steps"]
        for key in keys:
            tally.add(key, row, steps[key], ours.get(key), lost(key, row["text"]))
        if arguments.explain and list(differences(steps["words"], ours.get("words"))):
            print(first_difference(arguments.explain, row, details["words"]))
        if arguments.lists:
            steps.update(reference.url_steps(row["url"]))
            for key in ("url_filter", "url_filter_custom"):
                tally.add(key, row, steps[key], ours.get(key))
        if arguments.chain:
            steps.pop("url_filter", None)
            chain = reference.chain(steps)
            chain["text"] = reference.without_addresses(details["c4"])[1] if chain["kept"] else None
            tally.add("chain", row, chain, {key: answer[key] for key in chain}, lost("chain", row["text"]))


def texts_command(arguments):
    rng = random.Random(arguments.seed)
    seeds = [row["text"] for row in json_lines(arguments.seeds) if row["text"]] if arguments.seeds else []
    families = collections.Counter()
    rows = []
    if arguments.sweep:
        part, parts = map(int, arguments.sweep.split("/"))
        for text in texts.sweep(part, parts):
            rows.append({"id": str(len(rows)), "text": text, "url": "http://a.bc/"})
    elif arguments.real:
        for row in json_lines(arguments.real)[: arguments.texts]:
            rows.append({"id": str(len(rows)), "text": row["text"][: arguments.longest], "url": row.get("url") or "http://a.bc/"})
    else:
        for number in range(arguments.texts):
            text, family = texts.make_text(rng, seeds)
            families[family] += 1
            rows.append({"id": str(number), "text": text, "url": urls.make_url(rng, {})})
    tally = Tally(arguments.show)
    compare_texts(rows, arguments, tally)
    source = arguments.real or arguments.sweep and f"sweep {arguments.sweep}" or f"seed {arguments.seed}, {dict(families)}"
    chars = sum(len(row["text"]) for row in rows)
    return tally.finish(f"{len(rows)} texts, {chars} code points, {source}", arguments.report)


def urls_command(arguments):
    reference = Reference(None, arguments.lists or sys.exit("error: `urls` needs --lists"))
    lists = urls.entries(arguments.lists) or wheel_entries(reference)
    rng = random.Random(arguments.seed)
    rows = [{"id": str(n), "text": "", "url": urls.make_url(rng, lists)} for n in range(arguments.texts)]
    tally, reasons = Tally(arguments.show), collections.Counter()
    for row, answer in zip(rows, answers(arguments.command, rows)):
        steps = reference.url_steps(row["url"])
        reasons[steps["url_filter"]["reason"]] += 1
        for key in ("url_filter", "url_filter_custom"):
            tally.add(key, row, steps[key], answer["steps"].get(key))
    return tally.finish(f"{len(rows)} URLs, seed {arguments.seed}, {arguments.lists}, {dict(reasons)}", arguments.report)


def wheel_entries(reference):
    """Some entries of datatrove's own lists, in a fixed order."""
    step = reference.urls
    some = sorted(step.block_listed_domains)[::997]
    return {
        "extra_domains": some,
        "extra_urls": sorted(step.block_listed_url)[::97],
        "banned_words": sorted(step.banned_words),
        "soft_banned_words": sorted(step.soft_banned_words),
        "banned_subwords": sorted(step.banned_subwords),
    }


def dedup_command(arguments):
    from parity import dedup

    rng = random.Random(arguments.seed)
    seeds = [row["text"] for row in json_lines(arguments.seeds) if row["text"]] if arguments.seeds else []
    corpus = dedup.make_corpus(rng, seeds, arguments.documents)
    # Files of unequal size, one of them empty now and then.
    cuts = sorted(rng.randrange(len(corpus) + 1) for _ in range(arguments.files - 1))
    named = [(f"d{number}", text) for number, text in enumerate(corpus)]
    files = [named[a:b] for a, b in zip([0, *cuts], [*cuts, len(named)])]
    tally = Tally(arguments.show)
    with tempfile.TemporaryDirectory() as work:
        expected = dedup.stages(files, work)
        paths = [os.path.join(work, f"{rank}.jsonl") for rank in range(len(files))]
        for path, file in zip(paths, files):
            with open(path, "w") as out:
                out.writelines(json.dumps({"id": name, "text": text}) + "\n" for name, text in file)
        ours = json.loads(subprocess.run([*arguments.command, *paths], stdout=subprocess.PIPE, check=True).stdout)
    for key in expected:
        tally.add(key, {}, {key: expected[key]}, {key: ours[key]})
    counts = f"{sum(map(len, expected['pairs_by_bucket']))} pairs, {len(expected['clusters'])} clusters, {len(expected['removed'])} removed"
    sizes = [len(file) for file in files]
    return tally.finish(f"{len(corpus)} documents in files of {sizes}, seed {arguments.seed}: {counts}", arguments.report)


def fixture_command(arguments):
    reference = Reference(arguments.gpt2, arguments.lists)
    wheel = Reference(None, "wheel") if arguments.wheel else None
    tally = Tally(arguments.show)
    for row in json_lines(arguments.command[0]):
        given = {"id": row["id"], "text": row["text"], "url": row["url"]}
        steps, details = reference.text_steps(row["text"])
        for key in steps:
            tally.add(key, given, row[key], steps[key], lost(key, row["text"]))
        found = reference.url_steps(row["url"])
        if found:
            tally.add("url_filter_custom", given, row["url_filter_custom"], found["url_filter_custom"])
        if wheel:
            steps["url_filter"] = wheel.url_steps(row["url"])["url_filter"]
            tally.add("url_filter", given, row["url_filter"], steps["url_filter"])
            chain = {key: value for key, value in reference.chain(steps).items() if value is not None}
            tally.add("chain", given, row["chain"], chain, lost("chain", row["text"]))
        for key, name in [("words", "list"), ("c4", "text"), ("pii", "text"), ("simplify", "text")]:
            if name in row[key]:
                tally.add(f"{key}.{name}", given, row[key][name], details[key], lost(key, row["text"]))
    return tally.finish(f"the reference against `{arguments.command[0]}`", arguments.report)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["texts", "urls", "dedup", "fixture"])
    parser.add_argument("--texts", type=int, default=2000, help="number of texts or URLs")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--gpt2", help="Hugging Face tokenizer.json of GPT-2")
    parser.add_argument("--seeds", help="JSON lines whose texts are mixed in")
    parser.add_argument("--real", help="JSON lines whose texts are compared as they are")
    parser.add_argument("--sweep", metavar="PART/PARTS", help="every code point in every place: part 0 to PARTS - 1 of them")
    parser.add_argument("--longest", type=int, default=20_000, help="code points compared of a real text")
    parser.add_argument("--lists", help='URL lists: a JSON file, or "wheel" for datatrove\'s own')
    parser.add_argument("--wheel", action="store_true", help="`fixture`: check datatrove's own URL lists, too")
    parser.add_argument("--explain", metavar="COMMAND", help="prints our words of a text (example `text_steps`): where lists part")
    parser.add_argument("--chain", action="store_true", help="compare decision and final text of the recipe")
    parser.add_argument("--documents", type=int, default=500)
    parser.add_argument("--files", type=int, default=1)
    parser.add_argument("--show", type=int, default=5, help="differences printed per key")
    parser.add_argument("--report", help="JSON file for counts and differences")
    parser.add_argument("command", nargs="+")
    arguments = parser.parse_args()
    run = {"texts": texts_command, "urls": urls_command, "dedup": dedup_command, "fixture": fixture_command}[arguments.what]
    sys.exit(run(arguments))


if __name__ == "__main__":
    main()
