"""Writes `src/text/tables/gpt2_merges.bin`, the merges of GPT-2's byte pair encoding, from the ranks of r50k_base.

    python scripts/gpt2_tables.py PATH/r50k_base.tiktoken

The file is in the crate tiktoken-rs 0.12.1 (`assets/`); its digest is checked. Output, little-endian: 256 bytes (the byte
that token n < 256 stands for), then for each of the 50,000 tokens from 256 on the two tokens it is made of (u16, u16).
They follow from the ranks: a token is the last merge of its own bytes when only lower ranks are merged before.
"""

import base64
import hashlib
import pathlib
import struct
import sys

SHA256 = "306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930"
OUT = pathlib.Path(__file__).resolve().parent.parent / "src" / "text" / "tables" / "gpt2_merges.bin"


def last_merge(ranks, token):
    parts, limit = [bytes([b]) for b in token], ranks[token]
    while len(parts) > 2:
        pairs = [(ranks.get(parts[i] + parts[i + 1], limit), i) for i in range(len(parts) - 1)]
        rank, i = min(pairs)
        assert rank < limit, token
        parts[i : i + 2] = [parts[i] + parts[i + 1]]
    return parts


def main():
    data = pathlib.Path(sys.argv[1]).read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    assert digest == SHA256, digest
    ranks = {}
    for line in data.splitlines():
        token, rank = line.split()
        ranks[base64.b64decode(token)] = int(rank)
    tokens = sorted(ranks, key=ranks.get)
    assert [ranks[t] for t in tokens] == list(range(50256)) and all(len(t) == 1 for t in tokens[:256])
    out = b"".join(tokens[:256])
    for token in tokens[256:]:
        left, right = last_merge(ranks, token)
        out += struct.pack("<HH", ranks[left], ranks[right])
    OUT.write_bytes(out)
    print(f"{OUT.name}: {len(out)} bytes")


if __name__ == "__main__":
    main()
