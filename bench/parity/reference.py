"""What datatrove 0.10.1 says about one text and one URL, in the forms of `assay filter --steps`.

Decisions, reasons and texts are datatrove's own. Counts (`features`) are taken beside it with its helpers and must lead,
through its thresholds, to its own reason; otherwise `Reference` raises. Needs Python 3.11 (Unicode 14.0).
"""

import hashlib
import json
import logging
import os
import re
import sys
import tempfile
import warnings

os.environ.setdefault("HF_ASSETS_CACHE", os.path.join(tempfile.gettempdir(), "assay-parity-assets"))
os.environ.setdefault("LOGURU_LEVEL", "WARNING")
os.environ.setdefault("TQDM_DISABLE", "1")
warnings.filterwarnings("ignore", category=DeprecationWarning)
logging.disable(logging.WARNING)
# datatrove and tldextract are imported after the settings above.
from datatrove.data import Document  # noqa: E402
from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupSignature  # noqa: E402
from datatrove.pipeline.filters import (  # noqa: E402
    C4QualityFilter,
    FineWebQualityFilter,
    GopherQualityFilter,
    GopherRepetitionFilter,
    URLFilter,
    c4_filters,
)
from datatrove.pipeline.filters.gopher_quality_filter import STOP_WORDS  # noqa: E402
from datatrove.pipeline.filters.gopher_repetition_filter import (  # noqa: E402
    find_all_duplicate,
    find_duplicates,
    find_top_duplicate,
    get_n_grams,
)
from datatrove.pipeline.filters.url_filter import normalizer  # noqa: E402
from datatrove.pipeline.formatters import PIIFormatter  # noqa: E402
from datatrove.utils.hashing import HashConfig  # noqa: E402
from datatrove.utils.text import (  # noqa: E402
    PUNCTUATION_SET,
    TERMINAL_PUNCTUATION,
    simplify_text,
    split_into_sentences,
    split_into_words,
)
from datatrove.utils.word_tokenizers import load_word_tokenizer  # noqa: E402
from tldextract import TLDExtract  # noqa: E402

C4_COUNTS = {
    "line-total": "lines",
    "line-filter-too_long_word": "too_long_word",
    "line-filter-too_few_words": "too_few_words",
    "line-filter-javascript": "javascript",
    "line-filter-policy": "policy",
    "line-kept": "kept_lines",
}
REPETITION_PARTS = [(0.3, "dup_para_frac"), (0.2, "dup_para_char_frac"), (0.3, "dup_line_frac"), (0.2, "dup_line_char_frac")]
TOP_GRAMS = [(2, 0.2), (3, 0.18), (4, 0.16)]
DUPLICATED_GRAMS = [(5, 0.15), (6, 0.14), (7, 0.13), (8, 0.12), (9, 0.11), (10, 0.10)]


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def decision(answer):
    kept, reason = answer if isinstance(answer, tuple) else (answer, None)
    return {"kept": kept, "reason": None if kept else reason}


def expect(entry, reason):
    """The counts must give datatrove's reason."""
    if entry["reason"] != reason:
        raise AssertionError(f"the counts {entry.get('features')} give {reason}, datatrove says {entry['reason']}")
    return entry


def repetition_features(text, words):
    paragraphs = re.split(r"\n{2,}", text.strip())
    lines = re.split("\n+", text)
    grams = [get_n_grams(words, n) for n, _ in TOP_GRAMS]
    dup_paragraphs, dup_paragraph_chars = find_duplicates(paragraphs)
    dup_lines, dup_line_chars = find_duplicates(lines)
    return {
        "chars": len(text),
        "paragraphs": len(paragraphs),
        "dup_paragraphs": dup_paragraphs,
        "dup_paragraph_chars": dup_paragraph_chars,
        "lines": len(lines),
        "dup_lines": dup_lines,
        "dup_line_chars": dup_line_chars,
        "top_2_3_4_gram_chars": [find_top_duplicate(g) if g else None for g in grams],
        "dup_5_to_10_gram_chars": [find_all_duplicate(words, n) for n, _ in DUPLICATED_GRAMS],
    }


def repetition_reason(c):
    shares = [
        c["dup_paragraphs"] / c["paragraphs"],
        c["dup_paragraph_chars"] / c["chars"],
        c["dup_lines"] / c["lines"],
        c["dup_line_chars"] / c["chars"],
    ]
    for share, (most, reason) in zip(shares, REPETITION_PARTS):
        if share > most:
            return reason
    for chars, (n, most) in zip(c["top_2_3_4_gram_chars"], TOP_GRAMS):
        if chars is not None and chars / c["chars"] > most:
            return f"top_{n}_gram"
    for chars, (n, most) in zip(c["dup_5_to_10_gram_chars"], DUPLICATED_GRAMS):
        if chars / c["chars"] > most:
            return f"duplicated_{n}_n_grams"
    return None


def quality_features(text, words):
    real = [w for w in words if any(c not in PUNCTUATION_SET for c in w)]
    lines = text.splitlines()
    return {
        "words": len(words),
        "non_symbol_words": len(real),
        "non_symbol_chars": sum(map(len, real)),
        "hashes": text.count("#"),
        "ellipses": text.count("...") + text.count("…"),
        "lines": len(lines),
        "bullet_lines": sum(line.lstrip().startswith(("•", "-")) for line in lines),
        "ellipsis_lines": sum(line.rstrip().endswith(("...", "…")) for line in lines),
        "alpha_words": sum(any(c.isalpha() for c in w) for w in words),
        "stop_words": len(set(STOP_WORDS) & set(words)),
    }


def quality_reason(c):
    if c["non_symbol_words"] < 50:
        return "gopher_short_doc"
    if c["non_symbol_words"] > 100_000:
        return "gopher_long_doc"
    mean = c["non_symbol_chars"] / c["non_symbol_words"]
    rules = [
        (mean < 3, "gopher_below_avg_threshold"),
        (mean > 10, "gopher_above_avg_threshold"),
        (c["hashes"] / c["words"] > 0.1, "gopher_too_many_hashes"),
        (c["ellipses"] / c["words"] > 0.1, "gopher_too_many_ellipsis"),
        (c["bullet_lines"] / c["lines"] > 0.9, "gopher_too_many_bullets"),
        (c["ellipsis_lines"] / c["lines"] > 0.3, "gopher_too_many_end_ellipsis"),
        (c["alpha_words"] / c["words"] < 0.8, "gopher_below_alpha_threshold"),
        (c["stop_words"] < 2, "gopher_enough_stop_words"),
    ]
    return next((reason for broken, reason in rules if broken), None)


def fineweb_features(text, words):
    lines = [line for line in text.split("\n") if line.strip() != ""]
    if not lines:
        return {"lines": 0}
    return {
        "lines": len(lines),
        "terminal_lines": sum(line.endswith(tuple(TERMINAL_PUNCTUATION)) for line in lines),
        "short_lines": sum(len(line) <= 30 for line in lines),
        "dup_line_chars": find_duplicates(lines)[1],
        "chars_without_newlines": len(text.replace("\n", "")),
        "newlines": text.count("\n"),
        "words": len(words),
    }


def fineweb_reason(c):
    if c["lines"] == 0:
        return "empty"
    rules = [
        (c["terminal_lines"] / c["lines"] < 0.12, "line_punct_ratio"),
        (c["short_lines"] / c["lines"] > 0.67, "short_line_ratio"),
        (c["dup_line_chars"] / c["chars_without_newlines"] > 0.01, "char_dup_ratio"),
        (c["newlines"] / c["words"] > 0.3, "list_ratio"),
    ]
    return next((reason for broken, reason in rules if broken), None)


class CountingC4(C4QualityFilter):
    """datatrove's filter with its own statistics, and the sentences it counts, kept for one document at a time."""

    def stat_update(self, *labels, value=1, unit=None):
        for label in labels:
            if label in C4_COUNTS:
                self.counts[C4_COUNTS[label]] += value

    def split(self, line, language):
        sentences = split_into_sentences(line, language)
        self.counts["sentences"] += len(sentences)
        return sentences

    def judge(self, text):
        self.counts = dict.fromkeys([*C4_COUNTS.values(), "sentences"], 0)
        c4_filters.split_into_sentences = self.split
        document = Document(text=text, id="")
        return decision(self.filter(document)), document.text, self.counts


class Reference:
    """All steps on one text. `lists`: None, a JSON file of made-up lists, or "wheel" for datatrove's own."""

    def __init__(self, gpt2=None, lists=None):
        if sys.version_info[:2] != (3, 11):
            sys.exit("error: Python 3.11 is required (its Unicode database is 14.0)")
        self.tokenizer = load_word_tokenizer("en")
        hashing = HashConfig(hash_fc="sha1", precision=64)
        config = MinhashConfig(hash_config=hashing, num_buckets=14, hashes_per_bucket=8, n_grams=5)
        self.minhash = MinhashDedupSignature(tempfile.gettempdir(), config=config)
        self.repetition, self.quality = GopherRepetitionFilter(), GopherQualityFilter()
        self.c4, self.fineweb = CountingC4(filter_no_terminal_punct=False), FineWebQualityFilter()
        self.gpt2 = None
        if gpt2:
            from tokenizers import Tokenizer

            self.gpt2 = Tokenizer.from_file(gpt2)
        self.urls = None
        if lists:
            if lists == "wheel":
                self.urls = URLFilter()
            else:
                with open(lists) as file:
                    self.urls = URLFilter(use_integrated_lists=False, **json.load(file))
            self.urls.tldextractor = TLDExtract(suffix_list_urls=(), cache_dir=None)
            self.urls.download_data()

    def url_steps(self, url):
        if self.urls is None:
            return {}
        entry = decision(self.urls.filter(Document(text="", id="", metadata={"url": url})))
        host = self.urls.tldextractor(url)
        found = set(normalizer.split(url))
        features = {
            "registered_domain": host.registered_domain,
            "fqdn": host.fqdn,
            "suffix": host.suffix,
            "soft_words": sum(word in found for word in self.urls.soft_banned_words),
        }
        return {"url_filter": {**entry, "features": features}, "url_filter_custom": entry}

    def text_steps(self, text):
        """The steps and, beside them, the word list, the normalised text, C4's text and the text without addresses."""
        words = split_into_words(text)
        document = Document(text=text, id="")
        repetition = decision(self.repetition.filter(document))
        if text:
            repetition["features"] = repetition_features(text, words)
            expect(repetition, repetition_reason(repetition["features"]))
        quality = {**decision(self.quality.filter(document)), "features": quality_features(text, words)}
        expect(quality, quality_reason(quality["features"]))
        raw = {**decision(self.fineweb.filter(document)), "features": fineweb_features(text, words)}
        expect(raw, fineweb_reason(raw["features"]))
        spans = [list(span) for span in self.tokenizer.span_tokenize(text)]
        c4, c4_text, fineweb = self.rewritten(text)
        pii, pii_text = self.without_addresses(text)
        normal = simplify_text(text)
        shingles = self.minhash.get_shingles(text)
        signature = None
        if shingles.size:
            signature = "".join(f"{int(h):016x}" for row in self.minhash.get_signature(shingles) for h in row)
        out = {
            "gopher_repetition": repetition,
            "gopher_quality": quality,
            "c4": c4,
            "fineweb_quality": fineweb,
            "fineweb_quality_raw": raw,
            "pii": pii,
            "words": {"count": len(words), "sha256": sha256("\x01".join(words))},
            "sentences": {"count": max(1, len(spans)), "spans": spans},
            "simplify": {"chars": len(normal), "sha256": sha256(normal)},
            "minhash": {"shingles": int(shingles.size), "signature": signature},
        }
        if self.gpt2:
            out["gpt2_tokens"] = len(self.gpt2.encode(text).ids)
        return out, {"words": words, "simplify": normal, "c4": c4_text, "pii": pii_text}

    def rewritten(self, text):
        c4, c4_text, counts = self.c4.judge(text)
        c4["features"] = counts
        if not c4["kept"]:
            return c4, None, None
        c4.update(sha256=sha256(c4_text), changed=c4_text != text)
        fineweb = decision(self.fineweb.filter(Document(text=c4_text, id="")))
        fineweb["features"] = fineweb_features(c4_text, split_into_words(c4_text))
        return c4, c4_text, expect(fineweb, fineweb_reason(fineweb["features"]))

    def without_addresses(self, text):
        formatter = PIIFormatter()
        after_emails = formatter.emails_replacer.replace(text)
        after = formatter.ip_replacer.replace(after_emails)
        assert after == PIIFormatter().format(text)
        entry = {"changed": after != text, "emails_changed": after_emails != text, "ips_changed": after != after_emails}
        if entry["changed"]:
            entry["sha256"] = sha256(after)
        return entry, after

    def chain(self, steps):
        """First step that drops, in the order of the recipe without language."""
        for step in ["url_filter", "gopher_repetition", "gopher_quality", "c4", "fineweb_quality"]:
            if step in steps and not steps[step]["kept"]:
                return {"kept": False, "step": step, "reason": steps[step]["reason"]}
        return {"kept": True, "step": None, "reason": None}
