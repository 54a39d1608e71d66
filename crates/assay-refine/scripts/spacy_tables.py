"""Writes the Unicode and tokenizer tables of `src/text/tables/` from the libraries whose behaviour they copy.

Run with Python 3.11 (its `unicodedata` is Unicode 14.0) and

    pip install spacy==3.8.18 datatrove==0.10.1 regex==2026.11.15 tokenizers==0.23.3 numpy==2.4.6
    python scripts/spacy_tables.py

from the crate's folder. The output depends on these versions only: two runs give the same bytes.

* `flags.bin`: one flag word per code point. u32 n; n flag words (u32); 4352 block numbers (u8; there are at most 256
  blocks), one for every 256 code points; then the blocks, 256 class numbers (u8) each. Little-endian.
  The bits are those of `FLAGS` below, in that order; `src/text/tables/mod.rs` names them.
* `exceptions.tsv`: the pieces of every key of spaCy's `Tokenizer.rules`, separated by tabs, one key a line, sorted;
  backslash, tab and newline inside a piece are `\\\\`, `\\t`, `\\n`.
* `patterns.tsv`: the tokens (found without exceptions) of every key that spaCy's second pass looks for; same form.
* `units.tsv`: the alternatives of spaCy's UNITS and CURRENCY (those of several code points): kind, text.
* `checks.tsv`: digests of whole-range properties, read by the tests only.
"""

import hashlib
import pathlib
import re
import struct
import sys
import unicodedata

import regex
import spacy
from datatrove.utils.text import PUNCTUATION, TERMINAL_PUNCTUATION
from spacy.lang import char_classes as cc
from spacy.pipeline.sentencizer import Sentencizer
from spacy.tokenizer import Tokenizer
from tokenizers import pre_tokenizers

assert unicodedata.unidata_version == "14.0.0" and spacy.__version__ == "3.8.18"
OUT = pathlib.Path(__file__).resolve().parent.parent / "src" / "text" / "tables"
NLP = spacy.blank("en")
TOK = NLP.tokenizer
GPT2 = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)


def in_class(body):
    pattern = re.compile("[" + body + "]")
    return lambda c: pattern.match(c) is not None


def final_sigma(text):
    return (text + "\u03a3").lower().endswith("\u03c2")


def gpt2_pieces(text):
    return [span for _, span in GPT2.pre_tokenize_str(text)]


def gpt2_letter(c):
    return gpt2_pieces("a" + c) == [(0, 2)]


def gpt2_number(c):
    return gpt2_pieces("1" + c) == [(0, 2)]


def gpt2_space(c):
    # A run of other marks takes every code point that is neither letter, number nor space.
    return not gpt2_letter(c) and not gpt2_number(c) and gpt2_pieces("^" + c) != [(0, 2)]


UNITS = cc.UNITS.split("|")
CURRENCY = [c.replace("\\", "") for c in cc.CURRENCY.split("|")]
CURRENCY1 = {c for c in CURRENCY if len(c) == 1}
SENT = set(Sentencizer.default_punct_chars)
ND_NEW = regex.compile(r"\p{Nd}")

# Name and membership; the place in this list is the bit.
FLAGS = [
    ("SPACE", str.isspace),
    ("WORD", lambda c: re.match(r"\w", c) is not None),
    ("ALPHABETIC", str.isalpha),
    ("NUMERIC", str.isnumeric),
    ("DECIMAL", str.isdecimal),
    ("DIGIT_NEW", lambda c: ND_NEW.match(c) is not None),
    ("ALPHA", in_class(cc.ALPHA)),
    ("LOWER", in_class(cc.ALPHA_LOWER)),
    ("UPPER", in_class(cc.ALPHA_UPPER)),
    ("ICON", in_class(cc.CONCAT_ICONS)),
    ("QUOTE", in_class(cc.CONCAT_QUOTES)),
    ("PREFIX", lambda c: TOK.find_prefix(c + "x") == 1),
    ("SUFFIX", lambda c: TOK.find_suffix(c) == 1),
    ("BEFORE_DOT", lambda c: TOK.find_suffix(c + ".") > 0),
    ("SENTENCE_END", lambda c: c in SENT),
    ("TERMINAL", lambda c: c in TERMINAL_PUNCTUATION),
    ("PUNCTUATION", lambda c: c in PUNCTUATION),
    ("CATEGORY_P", lambda c: unicodedata.category(c).startswith("P")),
    ("MARK", lambda c: unicodedata.category(c) == "Mn"),
    ("CASED", lambda c: final_sigma(c)),
    ("CASE_IGNORABLE", lambda c: final_sigma("A" + c) and not final_sigma(c)),
    ("UNASSIGNED", lambda c: unicodedata.category(c) in ("Cn", "Cs")),
    ("LOWERS", lambda c: c.lower() != c),
    ("NFD", lambda c: unicodedata.normalize("NFD", c) != c or unicodedata.combining(c) != 0),
    ("GPT2_LETTER", gpt2_letter),
    ("GPT2_NUMBER", gpt2_number),
    ("GPT2_SPACE", gpt2_space),
    ("CURRENCY", lambda c: c in CURRENCY1),
]
BLOCK = 256


def flag_words():
    words = []
    for cp in range(0x110000):
        if 0xD800 <= cp < 0xE000:
            words.append(0)
            continue
        c = chr(cp)
        words.append(sum(1 << bit for bit, (_, test) in enumerate(FLAGS) if test(c)))
    return words


def write_flags():
    words = flag_words()
    classes = sorted(set(words))
    assert len(classes) <= 256, len(classes)
    number = {w: i for i, w in enumerate(classes)}
    blocks, index = {}, []
    for start in range(0, 0x110000, BLOCK):
        block = bytes(number[w] for w in words[start : start + BLOCK])
        index.append(blocks.setdefault(block, len(blocks)))
    assert len(blocks) <= 256, len(blocks)
    data = struct.pack("<I", len(classes)) + struct.pack(f"<{len(classes)}I", *classes) + bytes(index)
    (OUT / "flags.bin").write_bytes(data + b"".join(blocks))
    print(f"flags.bin: {len(classes)} classes, {len(blocks)} blocks")
    for bit, (name, _) in enumerate(FLAGS):
        print(f"  {bit:2} {name:14} {sum(w >> bit & 1 for w in words)}")


def escape(piece):
    return piece.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")


def write_lines(name, rows):
    text = "".join("\t".join(escape(p) for p in row) + "\n" for row in rows)
    (OUT / name).write_bytes(text.encode())
    print(f"{name}: {len(rows)} lines")


def write_rules():
    orth = spacy.symbols.ORTH
    write_lines("exceptions.tsv", [[p[orth] for p in TOK.rules[k]] for k in sorted(TOK.rules)])
    plain = Tokenizer(
        NLP.vocab,
        rules={},
        prefix_search=TOK.prefix_search,
        suffix_search=TOK.suffix_search,
        infix_finditer=TOK.infix_finditer,
        url_match=TOK.url_match,
    )
    # spaCy 3.8.18 `Tokenizer.add_special_case`: only these keys are looked for again after the affix pass.
    second = [
        k
        for k in sorted(TOK.rules)
        if TOK.find_prefix(k) or TOK.find_infix(k) or TOK.find_suffix(k) or " " in k
    ]
    write_lines("patterns.tsv", [[t.text for t in plain(k)] for k in second])
    many = sorted(c for c in CURRENCY if len(c) > 1)
    write_lines("units.tsv", [["unit", u] for u in sorted(set(UNITS))] + [["currency", c] for c in many])


def write_checks():
    lower, nfd = hashlib.sha256(), hashlib.sha256()
    for cp in range(0x110000):
        if 0xD800 <= cp < 0xE000:
            continue
        lower.update((chr(cp).lower() + "\n").encode())
        nfd.update((unicodedata.normalize("NFD", chr(cp)) + "\n").encode())
    write_lines("checks.tsv", [["lower", lower.hexdigest()], ["nfd", nfd.hexdigest()]])


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    write_flags()
    write_rules()
    write_checks()
    sys.exit(0)
