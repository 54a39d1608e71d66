"""GPT-2's ranks (a `.tiktoken` file) as a Hugging Face `tokenizer.json`, so that datatrove counts tokens without a network.

Reads the ranks of the crate tiktoken-rs, writes a byte-level BPE: a merge for every token longer than one byte, being the
last pair that BPE joins when only tokens of lower rank exist. Run by `datatrove_compare.py` inside the peer's environment.

    python tokenizer.py RANKS OUT.json [--check FILTERS.jsonl.gz]

`--check` compares the counts with `gpt2_tokens` of a parity fixture and exits with 1 on any difference.
"""

import argparse
import base64
import gzip
import hashlib
import json
import sys

# sha256 of r50k_base.tiktoken, the GPT-2 ranks, as shipped by tiktoken-rs 0.12.1.
RANKS_SHA256 = "306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930"
END_OF_TEXT = "<|endoftext|>"


def byte_characters():
    """GPT-2's printable character for each byte: itself if printable, else the next free one from U+0100 on."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    table = {byte: chr(byte) for byte in printable}
    for byte in range(256):
        if byte not in table:
            table[byte] = chr(0x100 + len(table) - len(printable))
    return table


def last_pair(token, rank, ranks):
    """The two parts that are joined last when `token` is built from bytes by the merges before its own."""
    parts = [bytes([byte]) for byte in token]
    while len(parts) > 2:
        best = min(
            (ranks[parts[i] + parts[i + 1]], i)
            for i in range(len(parts) - 1)
            if ranks.get(parts[i] + parts[i + 1], rank) < rank
        )[1]
        parts[best : best + 2] = [parts[best] + parts[best + 1]]
    return parts


def convert(path):
    """A `tokenizers.Tokenizer` with the ranks of the file at `path`."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    data = open(path, "rb").read()
    if hashlib.sha256(data).hexdigest() != RANKS_SHA256:
        sys.exit(f"error: `{path}` is not the GPT-2 ranks this benchmark knows")
    ranks = {base64.b64decode(token): int(rank) for token, rank in (line.split() for line in data.splitlines() if line)}
    characters = byte_characters()
    written = {token: "".join(characters[byte] for byte in token) for token in ranks}
    merges = []
    for token, rank in sorted(ranks.items(), key=lambda item: item[1]):
        if len(token) > 1:
            left, right = last_pair(token, rank, ranks)
            merges.append((written[left], written[right]))
    vocabulary = {written[token]: rank for token, rank in ranks.items()}
    vocabulary[END_OF_TEXT] = len(ranks)
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.add_special_tokens([END_OF_TEXT])
    return tokenizer


def check(tokenizer, path):
    """Counts of the fixture's texts that differ, and how many texts there are."""
    texts = different = 0
    with gzip.open(path, "rb") as lines:
        for line in lines:
            row = json.loads(line)
            texts += 1
            count = len(tokenizer.encode(row["text"]).ids)
            if count != row["gpt2_tokens"]:
                different += 1
                print(f"{row['id']}: {count}, expected {row['gpt2_tokens']}", file=sys.stderr)
    return different, texts


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ranks")
    parser.add_argument("out")
    parser.add_argument("--check", metavar="FILTERS.jsonl.gz")
    arguments = parser.parse_args()
    tokenizer = convert(arguments.ranks)
    tokenizer.save(arguments.out)
    if arguments.check:
        different, texts = check(tokenizer, arguments.check)
        print(f"{texts - different} of {texts} token counts agree")
        sys.exit(1 if different or not texts else 0)


if __name__ == "__main__":
    main()
