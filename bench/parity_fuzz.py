"""Random nasty texts through datatrove's own functions and through ours; every difference is printed.

    pip install datatrove==0.10.1 spacy==3.8.18 tokenizers==0.23.3 regex==2026.11.15 numpy==2.4.6
    python bench/parity_fuzz.py --texts 20000 --seed 1 --gpt2 tokenizer.json -- target/release/examples/text_steps

The command after `--` reads JSON lines `{"id","text"}` from stdin and prints, for each, a line with the fields `words`,
`sentences`, `simplify`, `minhash` and `gpt2_tokens` in the forms of `assay filter --steps` (`--field steps` looks inside
that object). `--gpt2` names a Hugging Face tokenizer file; without it token counts are not compared. Python 3.11 is
required: its Unicode database is the reference's. `--seeds FILE` takes JSON lines whose `text` is cut and mixed in.
"""

import argparse
import gzip
import hashlib
import json
import random
import subprocess
import sys
import unicodedata

import spacy
from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupSignature
from datatrove.utils.hashing import HashConfig
from datatrove.utils.text import PUNCTUATION, TERMINAL_PUNCTUATION, simplify_text
from datatrove.utils.word_tokenizers import SpaCyTokenizer
from spacy.lang import char_classes as cc

RULES = sorted(spacy.blank("en").tokenizer.rules)
UNITS = cc.UNITS.split("|") + [c.replace("\\", "") for c in cc.CURRENCY.split("|")]
MARKS = sorted(set(PUNCTUATION) | TERMINAL_PUNCTUATION | set(".,:;!?'\"()[]{}<>=/*+-–—~^@#&$%§°|_\\…“”‘’«»"))
SPACES = [" ", " ", " ", " ", "  ", "\n", "\n\n", "\t", "\u00a0", "\u2028", "\x1c", "\x85", "\u3000", " \n", "\r\n"]
WORDS = "the a of and it It's don't I'm he said Mr Dr U.S. e.g. foo bar can't WON'T dont cannot id 10km 5pm 8a.m x y Z".split()
URLS = [
    "http://", "https://", "www.", "foo.com", "a.b", "x.co.uk", "user@", "@", "/path", "?q=1", "#f", ":80", ":8080", "ftp://",
    "192.168.1.1", "8.8.8.8", "1.2.3.4", "10.0.0.1", "bücher.de", "例え.jp", "-", "_", ".", "index.html", "mailto:", "c++://",
]
LETTERS = "abcxyzABCXYZéßÀΣσςİıſКкяЁאبह한中あฅ"
BLOCKS = [
    (0x20, 0x7F), (0x20, 0x7F), (0x80, 0x250), (0x250, 0x600), (0x600, 0x1000), (0x1000, 0x2000), (0x2000, 0x2100),
    (0x2100, 0x3000), (0x3000, 0x3100), (0x3100, 0xD800), (0xE000, 0x10000), (0x10000, 0x11000), (0x11000, 0x12000),
    (0x16000, 0x17000), (0x1D000, 0x1F000), (0x1F000, 0x20000), (0x20000, 0x32000), (0xE0000, 0x10FFFF), (0, 0x20),
]
DIGITS = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000 and chr(c).isnumeric()]
COMBINING = [chr(c) for c in range(0x110000) if unicodedata.category(chr(c)) in ("Mn", "Mc", "Me")]


def character(rng):
    kind = rng.random()
    if kind < 0.25:
        return rng.choice(MARKS)
    if kind < 0.45:
        return rng.choice(LETTERS)
    if kind < 0.6:
        return rng.choice("0123456789")
    if kind < 0.65:
        return rng.choice(DIGITS)
    if kind < 0.7:
        return rng.choice(COMBINING)
    low, high = rng.choice(BLOCKS)
    return chr(rng.randrange(low, high))


def piece(rng, seeds):
    kind = rng.random()
    if kind < 0.2:
        return rng.choice(RULES)
    if kind < 0.35:
        return rng.choice(WORDS)
    if kind < 0.45:
        return str(rng.randrange(3000)) + rng.choice(["", ".", ",", "5.0", ",5"]) + rng.choice(UNITS + ["+", "-", "x"])
    if kind < 0.55:
        return "".join(rng.choice(URLS) for _ in range(rng.randrange(1, 5)))
    if kind < 0.65 and seeds:
        text = rng.choice(seeds)
        at = rng.randrange(len(text))
        return text[at : at + rng.randrange(1, 40)]
    if kind < 0.68:
        return rng.choice(MARKS) * rng.randrange(2, 6)
    if kind < 0.69:
        return "<|endoftext|>"[rng.choice([0, 0, 1]) :]
    return "".join(character(rng) for _ in range(rng.randrange(1, 8)))


def make_text(rng, seeds):
    # A small set of pieces, used again, so that repetitions and near misses occur.
    pool = [piece(rng, seeds) for _ in range(rng.randrange(2, 20))]
    glue = rng.choice([0.2, 0.5, 0.8])
    out = []
    for _ in range(rng.randrange(1, 40)):
        out.append(rng.choice(pool) if rng.random() < 0.6 else piece(rng, seeds))
        if rng.random() < glue:
            out.append(rng.choice(SPACES) if rng.random() < 0.3 else " ")
    return "".join(c for c in "".join(out) if not 0xD800 <= ord(c) < 0xE000)


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


class Reference:
    def __init__(self, gpt2):
        self.tokenizer = SpaCyTokenizer("en")
        self.minhash = MinhashDedupSignature("/tmp/unused-signatures", config=MinhashConfig(hash_config=HashConfig(hash_fc="sha1", precision=64)))
        self.gpt2 = None
        if gpt2:
            from tokenizers import Tokenizer

            self.gpt2 = Tokenizer.from_file(gpt2)

    def steps(self, text):
        words = self.tokenizer.word_tokenize(text)
        spans = [list(span) for span in self.tokenizer.span_tokenize(text)]
        normal = simplify_text(text)
        shingles = self.minhash.get_shingles(text)
        signature = None
        if shingles.size:
            rows = self.minhash.get_signature(shingles)
            signature = "".join(f"{int(h):016x}" for row in rows for h in row)
        out = {
            "words": {"count": len(words), "sha256": sha256("\x01".join(words))},
            "sentences": {"count": max(1, len(spans)), "spans": spans},
            "simplify": {"chars": len(normal), "sha256": sha256(normal)},
            "minhash": {"shingles": int(shingles.size), "signature": signature},
        }
        if self.gpt2:
            out["gpt2_tokens"] = len(self.gpt2.encode(text).ids)
        details = {"words": words, "simplify": normal}
        return out, details


def same(expected, ours):
    """Whether every member of `expected` that we print is equal; `list`, `text` and `spans` may be left out."""
    if isinstance(expected, dict):
        return isinstance(ours, dict) and all(k not in ours or same(v, ours[k]) for k, v in expected.items())
    return expected == ours


def seed_texts(path):
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rb") as lines:
        texts = [json.loads(line)["text"] for line in lines.read().split(b"\n") if line]
    return [text for text in texts if text]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--gpt2", help="Hugging Face tokenizer.json of GPT-2")
    parser.add_argument("--seeds", help="JSON lines whose texts are mixed in")
    parser.add_argument("--field", help="name of the object that holds the steps")
    parser.add_argument("--show", type=int, default=10)
    parser.add_argument("command", nargs="+")
    args = parser.parse_args()
    if sys.version_info[:2] != (3, 11):
        sys.exit("Python 3.11 is required (Unicode 14.0)")
    rng = random.Random(args.seed)
    seeds = seed_texts(args.seeds) if args.seeds else []
    texts = [make_text(rng, seeds) for _ in range(args.texts)]
    texts = [text for text in texts if "IS_ALPHA" not in text]
    rows = "".join(json.dumps({"id": str(i), "text": t, "url": "http://a.bc/"}) + "\n" for i, t in enumerate(texts))
    answer = subprocess.run(args.command, input=rows.encode(), stdout=subprocess.PIPE, check=True).stdout
    ours = [json.loads(line) for line in answer.split(b"\n") if line]
    assert len(ours) == len(texts), f"{len(ours)} answers to {len(texts)} texts"
    reference, bad = Reference(args.gpt2), {}
    for text, row in zip(texts, ours):
        row = row[args.field] if args.field else row
        expected, details = reference.steps(text)
        for step, value in expected.items():
            if same(value, row.get(step)):
                continue
            bad[step] = bad.get(step, 0) + 1
            if bad[step] <= args.show:
                print(json.dumps({"step": step, "text": text, "expected": value}))
                mine = {"words": row["words"].get("list"), "simplify": row["simplify"].get("text")}.get(step)
                if mine is not None and step == "words":
                    at = next((i for i, (a, b) in enumerate(zip(details[step], mine)) if a != b), 0)
                    print(f"  reference {ascii(details[step][at : at + 8])}\n  ours      {ascii(mine[at : at + 8])}")
                elif mine is not None:
                    print(f"  reference {ascii(details[step])}\n  ours      {ascii(mine)}")
                else:
                    print(f"  ours {json.dumps(row.get(step))}")
    print(f"{len(texts)} texts, seed {args.seed}: differences {bad or 'none'}")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
