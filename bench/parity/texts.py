"""New texts for the comparison: random mixtures, texts around every threshold, mutated real texts.

`make_text(rng, seeds)` draws one; the same seed gives the same texts. `seeds` are real texts that are cut and mixed in.
"""

import string
import unicodedata

import spacy
import spacy.symbols
from datatrove.utils.text import PUNCTUATION, TERMINAL_PUNCTUATION
from spacy.lang import char_classes as cc

from . import addresses

RULES = sorted(spacy.blank("en").tokenizer.rules)
UNITS = cc.UNITS.split("|") + [c.replace("\\", "") for c in cc.CURRENCY.split("|")]
MARKS = sorted(set(PUNCTUATION) | TERMINAL_PUNCTUATION | set(".,:;!?'\"()[]{}<>=/*+-–—~^@#&$%§°|_\\…“”‘’«»"))
SPACES = [" ", " ", " ", " ", "  ", "\n", "\n\n", "\t", "\u00a0", "\u2028", "\x1c", "\x85", "\u3000", " \n", "\r\n"]
LINE_ENDS = ["\n"] * 12 + ["\n\n", "\r\n", "\r", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]
WORDS = "the a of and it It's don't I'm he said Mr Dr U.S. e.g. foo bar can't WON'T dont cannot id 10km 5pm 8a.m x y Z".split()
# Real words of many lengths, so that a text can fail one filter alone.
PROSE = (
    "the be to of and that have with river bridge miller grain winter slowly carried wagon across frozen harbour nobody "
    "expected letters answered questions about weather machinery turned quietly while children watched lanterns moving "
    "between warehouses until morning brought carpenters bakers travellers strangers merchants remarkable"
).split()
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
# Not assigned in this Python's Unicode 14.0; some are in later versions, which other libraries know.
UNASSIGNED = [chr(c) for c in range(0x20000) if unicodedata.category(chr(c)) == "Cn"]
SYMBOLS = sorted(spacy.symbols.IDS)
MARKUP = [
    "<p>", "</div>", "<br/>", "&amp;", "&nbsp;", "&#8217;", "<!-- x -->", '<a href="http://a.bc/?x=1&y=2">', "{", "}", "{{cite}}",
    "[edit]", "[1]", "[12][13]", "[citation needed]", "[]", "[٣]", "[²]", "[1", "<script>", "\\begin{x}", "$x^2$", "|", "==Head==", "'''b'''",
]
PHRASES = [
    "lorem ipsum", "Lorem Ipsum", "JavaScript", "javascript:", "terms of use", "Privacy Policy", "cookie policy", "uses cookies",
    "use of cookies", "use cookies", "USE COOKIES", "use coo\u212aies", "terms\u00a0of use", "java script", "lorem  ipsum",
    "lorem ıpsum", "LOREM İPSUM", "privacy-policy", "ſ", "javaſcript", "of cookies",
]
ENDS = [".", "!", "?", "...", "…", ".\"", "।", "。", "؟", ".”", ".)", ". .", "?!", "։", "᠃", "."]


def character(rng):
    kind = rng.random()
    if kind < 0.25:
        return rng.choice(MARKS)
    if kind < 0.43:
        return rng.choice(LETTERS)
    if kind < 0.58:
        return rng.choice("0123456789")
    if kind < 0.63:
        return rng.choice(DIGITS)
    if kind < 0.68:
        return rng.choice(COMBINING)
    if kind < 0.7:
        return rng.choice(UNASSIGNED)
    low, high = rng.choice(BLOCKS)
    return chr(rng.randrange(low, high))


def piece(rng, seeds):
    kind = rng.random()
    if kind < 0.2:
        return rng.choice(RULES)
    if kind < 0.33:
        return rng.choice(WORDS)
    if kind < 0.43:
        return str(rng.randrange(3000)) + rng.choice(["", ".", ",", "5.0", ",5"]) + rng.choice(UNITS + ["+", "-", "x"])
    if kind < 0.52:
        return "".join(rng.choice(URLS) for _ in range(rng.randrange(1, 5)))
    if kind < 0.62 and seeds:
        return cut(rng, seeds, 40)
    if kind < 0.65:
        return rng.choice(MARKS) * rng.randrange(2, 6)
    if kind < 0.66:
        return "<|endoftext|>"[rng.choice([0, 0, 1]) :]
    if kind < 0.68:
        return rng.choice(SYMBOLS)
    if kind < 0.72:
        return rng.choice(MARKUP)
    if kind < 0.74:
        return rng.choice(PHRASES)
    if kind < 0.76:
        return addresses.address(rng)
    return "".join(character(rng) for _ in range(rng.randrange(1, 8)))


def cut(rng, seeds, longest):
    text = rng.choice(seeds)
    at = rng.randrange(len(text))
    return text[at : at + rng.randrange(1, longest + 1)]


def mixture(rng, seeds):
    """A small set of pieces, used again, so that repetitions and near misses occur."""
    pool = [piece(rng, seeds) for _ in range(rng.randrange(2, 20))]
    glue = rng.choice([0.2, 0.5, 0.8])
    out = []
    for _ in range(rng.randrange(1, rng.choice([8, 40, 40, 150]))):
        out.append(rng.choice(pool) if rng.random() < 0.6 else piece(rng, seeds))
        if rng.random() < glue:
            out.append(rng.choice(SPACES) if rng.random() < 0.3 else " ")
    return "".join(out)


def unique_word(rng, length=None):
    length = length or rng.randrange(3, 12)
    return "".join(rng.choice(string.ascii_lowercase) for _ in range(length))


def prose(rng, words):
    return " ".join(rng.choice(PROSE) if rng.random() < 0.7 else unique_word(rng) for _ in range(words))


def around(rng, target):
    """A whole number at most two away from the target."""
    return max(0, round(target) + rng.randrange(-2, 3))


def fill_to(rng, text, chars, glue):
    """Unique filler behind the text until it has exactly that many characters, if it is not longer already."""
    missing = chars - len(text) - len(glue)
    if missing <= 0:
        return text
    words = []
    while missing > 14:
        words.append(unique_word(rng))
        missing -= len(words[-1]) + 1
    return text + glue + " ".join([*words, unique_word(rng, missing)])


def repeated_pieces(rng, _):
    """Repeated paragraphs or lines: their number or their characters near the threshold."""
    glue = rng.choice(["\n\n", "\n\n\n", "\n"])
    count = rng.randrange(3, 25)
    repeats = min(count - 1, around(rng, 0.3 * count)) if rng.random() < 0.5 else rng.randrange(0, 3)
    pieces = [prose(rng, rng.randrange(1, 9)) + rng.choice(["", ".", " "]) for _ in range(max(1, count - repeats))]
    again = [rng.choice(pieces) for _ in range(repeats)]
    mixed = pieces + again
    rng.shuffle(mixed)
    text = glue.join(mixed)
    share = 0.2 if glue == "\n\n" or rng.random() < 0.9 else 0.01
    return fill_to(rng, text, around(rng, sum(map(len, again)) / share), glue) + rng.choice(["", "\n", "\n\n \n"])


def repeated_grams(rng, _):
    """A run of words that returns; characters of it near the share of the 2- to 10-gram rules."""
    n = rng.randrange(2, 13)
    gram = [rng.choice(["é", "a", "Ωmega", "12", unique_word(rng)]) for _ in range(n)]
    times = rng.randrange(2, 7)
    joined = len(" ".join(gram)) * times if n < 5 else len("".join(gram)) * (times - 1)
    share = {2: 0.2, 3: 0.18, 4: 0.16, 5: 0.15, 6: 0.14, 7: 0.13, 8: 0.12, 9: 0.11}.get(n, 0.10)
    words = []
    for _ in range(times):
        words += gram + [unique_word(rng) for _ in range(rng.randrange(0, 3))]
    return fill_to(rng, " ".join(words), around(rng, joined / share), " ")


def quality_edges(rng, _):
    """Number and length of words, symbols, bullets, ellipses, letters, stop words, each near its threshold."""
    count = rng.choice([49, 50, 51, 52, 60, 100, 200])
    kind = rng.randrange(6)
    words = [rng.choice(PROSE) for _ in range(count)]
    if kind == 0:
        mean = rng.choice([3, 10])
        lengths = [mean] * count
        for _ in range(count // 2):
            i, j = rng.randrange(count), rng.randrange(count)
            step = rng.randrange(0, lengths[i])
            lengths[i] -= step
            lengths[j] += step
        lengths[rng.randrange(count)] += rng.randrange(0, 2)
        words = [unique_word(rng, max(1, n)) for n in lengths] + rng.choice([[], ["the", "of"]])
    elif kind == 1:
        symbol = rng.choice(["#", "...", "…", "#x", "a..."])
        for _ in range(around(rng, count * 0.1)):
            words[rng.randrange(len(words))] = symbol
    elif kind == 2:
        for i in rng.sample(range(count), min(count, around(rng, count * 0.2))):
            words[i] = rng.choice(["12", "½", "5,000", "1", "२", "\u0345", "_", "²"])
    elif kind == 3:
        words = [unique_word(rng) for _ in range(count)]
        for stop in rng.sample(["the", "be", "to", "of", "The", "AND", "with", "that,"], rng.randrange(0, 4)):
            words[rng.randrange(count)] = stop
    elif kind == 4:
        return bullet_lines(rng)
    return " ".join(words)


def bullet_lines(rng):
    count = rng.choice([10, 20, 30, 7])
    marked = min(count, around(rng, count * rng.choice([0.9, 0.3])))
    start, end = rng.choice([("•", ""), ("- ", ""), (" -", ""), ("\u3000•", ""), ("", "..."), ("", "… "), ("", "....")])
    lines = [(start, end)] * marked + [("", "")] * (count - marked)
    rng.shuffle(lines)
    return "".join(a + prose(rng, rng.randrange(3, 12)) + b + rng.choice(LINE_ENDS) for a, b in lines)


def c4_lines(rng, seeds):
    """Lines of all kinds that C4 reads: short, with citations, phrases, brackets, words that are too long."""
    sentences = rng.randrange(2, 9)
    lines = []
    for _ in range(sentences):
        line = prose(rng, rng.randrange(1, 12)) + rng.choice(ENDS)
        if rng.random() < 0.25:
            line = " ".join(["a", "bc", "[1]", "d"][: rng.randrange(1, 5)])
        if rng.random() < 0.15:
            line += " " + rng.choice(MARKUP) + rng.choice(["", " "])
        if rng.random() < 0.08:
            line += " " + rng.choice(PHRASES)
        if rng.random() < 0.05:
            line += " " + rng.choice(["x", "é", "\U0001f600"]) * rng.choice([999, 1000, 1001])
        if rng.random() < 0.1 and seeds:
            line += cut(rng, seeds, 200)
        lines.append(rng.choice(["", "", " ", "\u00a0", "\t"]) + line + rng.choice(LINE_ENDS))
    return "".join(lines)


def fineweb_lines(rng, _):
    """Shares of terminal, short and repeated lines and line feeds per word near FineWeb's thresholds."""
    count = rng.choice([25, 25, 50, 100, 33, 8, 9])
    terminal = min(count, around(rng, count * 0.12))
    short = min(count, around(rng, count * 0.67))
    lines = []
    for i in range(count):
        length = rng.choice([29, 30]) if i < short else rng.choice([31, 32, 60])
        lines.append(fill_to(rng, rng.choice(["so ", "and it ", "Ωé "]), length - 1, ""))
    for i in rng.sample(range(count), count):
        lines[i] += rng.choice(sorted(TERMINAL_PUNCTUATION)) if terminal > 0 else rng.choice(["x", '"', ")", " ", ","])
        terminal -= 1
    rng.shuffle(lines)
    if rng.random() < 0.5:
        lines.append(lines[0][: rng.randrange(0, 40)] if rng.random() < 0.3 else lines[0])
        text = "\n".join(lines)
        return fill_to(rng, text, around(rng, len(lines[-1]) / 0.01), "\n") if rng.random() < 0.7 else text
    return rng.choice(["\n", "\n", "\n\n", " \n"]).join(lines)


def list_lines(rng, _):
    """Few words a line, so that line feeds per word lie near 0.3, with lines that are long enough."""
    out = []
    for _ in range(rng.randrange(5, 40)):
        out.append(" ".join(unique_word(rng, rng.choice([9, 14, 20])) for _ in range(rng.randrange(2, 5))) + rng.choice([".", "", "!"]))
    return "\n".join(out)


def many_addresses(rng, _):
    return "".join(addresses.address(rng) + rng.choice(["", " ", ",", ".", "@", "x", "é", "\n"]) for _ in range(rng.randrange(1, 25)))


def one_block(rng, _):
    """Characters of one Unicode block with spaces and digits between."""
    low = rng.choice([0x0, 0x80, 0x300, 0x590, 0x600, 0x900, 0xE00, 0x1100, 0x1E00, 0x2000, 0x2100, 0x2600, 0x3000, 0x4E00, 0xA000])
    low = low if rng.random() < 0.5 else rng.randrange(0, 0x1FF00, 0x80)
    if 0xD800 - 0x100 < low < 0xE000:
        low = 0xE000
    block = [chr(low + i) for i in range(0x100)]
    extra = [" ", " ", ".", "1", "a", "\n", ",", "'s", "km"]
    return "".join(rng.choice(block if rng.random() < 0.75 else extra) for _ in range(rng.randrange(5, 400)))


def mutated(rng, seeds):
    """A stretch of a real text with insertions, deletions, copies and replacements."""
    if not seeds:
        return mixture(rng, seeds)
    text = cut(rng, seeds, rng.choice([300, 1000, 4000]))
    for _ in range(rng.randrange(1, 12)):
        at = rng.randrange(len(text) + 1)
        kind = rng.randrange(6)
        if kind == 0:
            text = text[:at] + piece(rng, seeds) + text[at:]
        elif kind == 1:
            text = text[:at] + text[at + rng.randrange(1, 30) :]
        elif kind == 2:
            text = text[:at] + text[max(0, at - rng.randrange(1, 400)) :]
        elif kind == 3:
            text = text[:at] + cut(rng, seeds, 300) + text[at:]
        elif kind == 4:
            old = rng.choice([" ", "\n", ".", "e", "the", "'"])
            text = text.replace(old, rng.choice(SPACES + MARKS + LINE_ENDS), rng.randrange(1, 30))
        else:
            text = text[:at] + character(rng) + text[at:]
    return text


def long_words(rng, _):
    unit = rng.choice(["x", "é", "1", "-", "a.", "a-b", "()", "'", "don't", "…", "\U0001f600", "\u0301", "@", "http://", "1.", ":)", "中"])
    return prose(rng, rng.randrange(0, 5)) + " " + unit * rng.choice([63, 64, 65, 100, 999, 1000, 1001, 3000]) + " " + prose(rng, rng.randrange(0, 60))


# Every place in which a character's class can matter: affixes, infixes, units, hosts, sentences, final sigma, numbers.
PLACES = "{c}a b{c} 1{c} {c}1 A{c}B a{c}c. {c}. B{c} C {c}-{c} {c},{c} 1{c}2 {c}.com a.{c}{c} {c}Σ aΣ{c} {c}a@b.cc {c}8.8.8.8 {c}'s.{c}\n"
# Blocks of many like characters, of which one in 64 is taken: Han, Hangul, the planes above the first two.
LARGE = [(0x3400, 0x9FFF), (0xAC00, 0xD7A3), (0x17000, 0x18CFF), (0x20000, 0x10FFFF)]


def sweep(part, parts):
    """Texts that put every code point into every place, a part of them; assigned or not."""
    points = [
        c
        for c in range(0x110000)
        if not 0xD800 <= c < 0xE000 and (c % 64 == 0 or not any(low <= c <= high for low, high in LARGE))
    ][part::parts]
    for at in range(0, len(points), 10):
        yield "".join(PLACES.replace("{c}", chr(c)) for c in points[at : at + 10])


FAMILIES = [
    (36, mixture), (4, repeated_pieces), (7, repeated_grams), (8, quality_edges), (10, c4_lines), (4, fineweb_lines), (2, list_lines),
    (8, many_addresses), (8, one_block), (12, mutated), (1, long_words),
]


def make_text(rng, seeds):
    """One text and the name of its family."""
    family = rng.choices([make for _, make in FAMILIES], [weight for weight, _ in FAMILIES])[0]
    text = family(rng, seeds)
    return "".join(c for c in text if not 0xD800 <= ord(c) < 0xE000), family.__name__
