#!/usr/bin/env python3
"""Learns the two block models of assay-refine's extraction and writes them as Rust tables.

    python3 -m venv venv && venv/bin/pip install numpy lightgbm==4.7.0
    cargo build --release -p assay-refine --example extract_features
    venv/bin/python train.py DATA/extraction TARGET/release/examples/extract_features [--write CRATE/src/extract]

Labels come from the gold text by word 4-grams, and from `marks.jsonl` for pages whose main text was marked by reading (`marks.py`):
pages that have snippets only, and further ones of the archive. Pages are split by site for cross-validation (5 folds); the second
model is learned on out-of-fold answers of the first one. Prints cross-validated figures of the benchmarks' pages by their own gold;
`--write` then learns on all pages. No network, fixed seeds, one machine word of difference between runs at most in the leaves.
"""
import argparse, collections, gzip, hashlib, json, os, re, struct, subprocess, sys, tempfile
from urllib.parse import urlsplit

import lightgbm
import numpy

import marks

FOLDS, GRAM = 5, 4
ROUNDS, LEAVES, RATE = 150, 16, 0.1
WORD = re.compile(r"\w+")
PARAMETERS = dict(
    objective="cross_entropy", learning_rate=RATE, num_leaves=LEAVES, min_data_in_leaf=60, feature_fraction=0.4,
    bagging_fraction=0.7, bagging_freq=1, lambda_l2=5, extra_trees=True, max_bin=63, verbose=-1, num_threads=2, seed=7,
    deterministic=True, force_row_wise=True)
# A page of the article benchmark counts this often: its gold is the strictest (no teasers, no related links).
ARTICLE_WEIGHT = 4.0
# Weight exponent of a block's words, and weight of a labelled block of a page that has snippets only.
WORDS_POWER, SNIPPET_WEIGHT = 0.7, 0.02
# Weight of the second model's answer beside one of the first's, as in `select.rs`.
SECOND = 3
# Expected words outside comments from which on comments are kept apart, as in `select.rs`.
TEXT_WORDS = 60


def words(text):
    return WORD.findall(text.lower())


def site(url):
    """The registered domain, roughly. Some pages have the name of a file instead of an address: `hard::blog.example.org-title.html`."""
    name = url.lower().rpartition("::")[2].partition("-")[0].split(".") if "::" in url else None
    end = next((at for at, part in enumerate(name or []) if at and len(part) <= 3), None)
    host = name[:end + 1] if end else (urlsplit(url).hostname or url).lower().split(".")
    short = len(host) > 2 and len(host[-2]) <= 3 and len(host[-1]) == 2
    return ".".join(host[-3:] if short else host[-2:])


def fold(url):
    return int(hashlib.md5(site(url).encode()).hexdigest(), 16) % FOLDS


def load(folder):
    pages = []
    for line in gzip.open(os.path.join(folder, "pages.jsonl.gz")):
        page = json.loads(line)
        html = gzip.open(os.path.join(folder, "html", page["id"] + ".html.gz")).read()
        page["html"] = html.decode("utf-8", "replace")
        page["fold"] = fold(page["url"] or page["id"])
        pages.append(page)
    return pages


def load_more(archive, known):
    """Marked pages that no benchmark here judges."""
    return [dict(id=page, source="archive", url=url, html=html, fold=fold(url), gold=None)
            for page, url, html in marks.archived(archive, known)]


def features(pages, program, answers=None):
    """Runs the Rust program; sets `texts` and `rows` of every page."""
    with tempfile.TemporaryDirectory() as folder:
        given, out = os.path.join(folder, "in"), os.path.join(folder, "out")
        with open(given, "w") as file:
            for page in pages:
                file.write(json.dumps({"id": page["id"], "html": page["html"]}) + "\n")
        command = [program]
        if answers is not None:
            command.append(os.path.join(folder, "answers"))
            with open(command[1], "w") as file:
                for answer in answers:
                    file.write(json.dumps([int(round(x * 65535)) for x in answer]) + "\n")
        subprocess.run(command, stdin=open(given), stdout=open(out, "wb"), check=True)
        data = open(out, "rb").read()
    at, width = 0, 0
    for page in pages:
        (length,) = struct.unpack_from("<I", data, at)
        head = json.loads(data[at + 4:at + 4 + length])
        page["texts"] = head["texts"]
        for kind in ("comments", "furniture"):
            page[kind] = numpy.array(head[kind], bool)
        at += 4 + length
        rows, columns = struct.unpack_from("<II", data, at)
        values = numpy.frombuffer(data, "<i4", rows * columns, at + 8)
        page["rows"] = values.reshape(rows, columns).astype(numpy.float32)
        at, width = at + 8 + 4 * rows * columns, max(width, columns)
    for page in pages:
        if not len(page["rows"]):
            page["rows"] = numpy.zeros((0, width), numpy.float32)


def covered(page, text):
    """Share of each block's words that stand in a text; NaN for a block without words."""
    gold = words(text)
    grams = {tuple(gold[i:i + GRAM]) for i in range(len(gold) - GRAM + 1)}
    lines = {tuple(words(line)) for line in text.split("\n")}
    stream = [word for block in page["words"] for word in block]
    owner = numpy.repeat(numpy.arange(len(page["sizes"])), page["sizes"].astype(int))
    found = numpy.zeros(len(stream), bool)
    for i in range(len(stream) - GRAM + 1):
        if tuple(stream[i:i + GRAM]) in grams:
            found[i:i + GRAM] = True
    total = numpy.bincount(owner, found, len(page["sizes"])) if len(owner) else numpy.zeros(len(page["sizes"]))
    shares = numpy.where(page["sizes"] > 0, total / numpy.maximum(page["sizes"], 1), numpy.nan)
    for index, block in enumerate(page["words"]):
        if 0 < len(block) < GRAM:
            shares[index] = float(tuple(block) in lines or shares[index] == 1)
    return shares


def label(page, known):
    """Share of each block's words that are main text; NaN where nothing is known. Whether marks were found and used."""
    page["words"] = [words(text) for text in page["texts"]]
    page["sizes"] = numpy.array([len(block) for block in page["words"]], float)
    page["whole"] = True
    blocks = marks.marked(known[page["id"]], page["texts"]) if page["id"] in known else None
    labels = numpy.full(len(page["texts"]), numpy.nan)
    if page["gold"] is not None:
        page["counts"] = collections.Counter(words(page["gold"]))
        labels = covered(page, page["gold"])
    elif blocks is not None:
        # A text that stands on the page twice is marked once.
        main = {tuple(block) for block, is_main in zip(page["words"], blocks) if is_main}
        labels = numpy.array([float(tuple(block) in main) if block else numpy.nan for block in page["words"]])
    elif page["source"] != "archive":
        page["whole"] = False
        flat = [" ".join(text.split()) for text in page["texts"]]
        for value, snippets in ((1, page["with"]), (0, page["without"])):
            for snippet in (" ".join(s.split()) for s in snippets):
                for index, text in enumerate(flat):
                    if text and (snippet in text or (len(text) > 25 and text in snippet)):
                        labels[index] = value
    page["labels"] = labels
    return blocks is not None


def weights(page):
    known = ~numpy.isnan(page["labels"])
    if not page["whole"]:
        return numpy.where(known, numpy.minimum(page["sizes"], 50) ** 0.5 * SNIPPET_WEIGHT, 0)
    weight = numpy.where(known, page["sizes"], 0) ** WORDS_POWER
    main = (weight * numpy.nan_to_num(page["labels"])).sum()
    scale = ARTICLE_WEIGHT if page["source"] == "scrapinghub" else 1.0
    return scale * weight / max(main + 0.3 * weight.sum(), 1e-9)


class Learner:
    def __init__(self, pages):
        self.rows = numpy.concatenate([page["rows"] for page in pages])
        labels = numpy.concatenate([page["labels"] for page in pages])
        weight = numpy.concatenate([weights(page) for page in pages])
        self.folds = numpy.concatenate([numpy.full(len(page["rows"]), page["fold"]) for page in pages])
        self.cuts = numpy.cumsum([len(page["rows"]) for page in pages])[:-1]
        known = ~numpy.isnan(labels) & (weight > 0)
        self.known_folds = self.folds[known]
        self.data = lightgbm.Dataset(
            self.rows[known], labels[known], weight=weight[known] / weight[known].mean(),
            params=dict(max_bin=63, verbose=-1), free_raw_data=False).construct()

    def fit(self, without=None):
        data = self.data if without is None else self.data.subset(numpy.flatnonzero(self.known_folds != without))
        return lightgbm.train(PARAMETERS, data, ROUNDS)

    def out_of_fold(self):
        answers = numpy.zeros(len(self.rows))
        for fold in range(FOLDS):
            answers[self.folds == fold] = self.fit(fold).predict(self.rows[self.folds == fold])
        return numpy.split(answers, self.cuts)


# The profiles of `select.rs`: part of the best expected F1, least and greatest bar.
PROFILES = dict(balanced=(0.55, 0.18, 0.75), precision=(0.7, 0.55, 0.75), recall=(0.35, 0.13, 0.5), union=(0.15, 0.1, 0.25))


def choose(page, answers, profile="balanced"):
    """The rule of `select.rs`."""
    share, low, high = PROFILES[profile]
    order = numpy.argsort(-answers, kind="stable")
    size, found = page["sizes"][order], (page["sizes"] * answers)[order]
    if not len(size):
        return numpy.zeros(0, bool)
    best = (2 * numpy.cumsum(found) / numpy.maximum(numpy.cumsum(size) + found.sum(), 1e-9)).max()
    chosen = answers > min(max(share * best, low), high)
    if profile != "union" and (page["sizes"] * answers)[~page["comments"]].sum() >= TEXT_WORDS:
        chosen &= ~page["comments"]
    if profile == "precision":
        chosen &= ~page["furniture"]
    return chosen


def f1(precision, recall):
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def shingles(text):
    return collections.Counter(tuple(text[i:i + 4]) for i in range(max(len(text) - 3, 1)))


def score(pages, answers, profile="balanced"):
    """The three measures for a profile, from blocks; `benches/extraction` measures the real output."""
    by_type, article, snippets, forbidden = collections.defaultdict(list), [], collections.Counter(), []
    for page, answer in zip(pages, answers):
        chosen = numpy.flatnonzero(choose(page, answer, profile))
        if page["gold"] is None:
            flat = " ".join(" ".join(page["texts"][i] for i in chosen).split())
            for kind in ("with", "without"):
                for snippet in page[kind]:
                    snippets[kind, " ".join(snippet.split()) in flat] += 1
            continue
        if page["source"] == "wcxb":
            flat = " ".join(" ".join(page["texts"][i] for i in chosen).split())
            forbidden += [" ".join(snippet.split()) in flat for snippet in page["without"]]
        stream = [word for i in chosen for word in page["words"][i]]
        text = collections.Counter(stream)
        common = sum((text & page["counts"]).values())
        found, wanted = sum(text.values()), sum(page["counts"].values())
        value = 2 * common / (found + wanted) if found + wanted else 1.0
        by_type["all gold"].append(value)
        if page["source"] == "wcxb":
            by_type["WCXB"].append(value)
            by_type["P"].append(common / found if found else 0.0)
            by_type["R"].append(common / wanted if wanted else 0.0)
            by_type[page["page_type"]].append(value)
        else:
            text, gold = shingles(stream), shingles(words(page["gold"]))
            common = sum((text & gold).values())
            article.append((common / max(sum(text.values()), 1), common / max(sum(gold.values()), 1)))
    hit, extra, missing = (snippets[key] for key in (("with", True), ("without", True), ("with", False)))
    figures = {name: numpy.mean(values) for name, values in by_type.items()}
    figures["forbidden"] = numpy.mean(forbidden) if forbidden else 0.0
    figures["AEB"] = f1(*numpy.mean(article, axis=0))
    figures["TF"] = f1(hit / max(hit + extra, 1), hit / max(hit + missing, 1))
    return " ".join(f"{name} {value:.4f}" for name, value in figures.items())


def write_pages(pages, answers, path):
    """Word F1 of every WCXB page with the balanced profile, a JSON line each: `paired.py` reads it."""
    with open(path, "w") as file:
        for page, answer in zip(pages, answers):
            if page["source"] != "wcxb" or page["gold"] is None:
                continue
            chosen = numpy.flatnonzero(choose(page, answer, "balanced"))
            text = collections.Counter(word for i in chosen for word in page["words"][i])
            both = sum(text.values()) + sum(page["counts"].values())
            value = 2 * sum((text & page["counts"]).values()) / both if both else 1.0
            file.write(json.dumps({"id": page["id"], "page_type": page["page_type"], "f1": value}) + "\n")


def pack(values, width=140):
    lines, line = [], "   "
    for value in values:
        if len(line) + len(value) + 2 > width:
            lines.append(line)
            line = "   "
        line += " " + value + ","
    return "\n".join(lines + [line])


def write(model, path, what):
    trees, nodes, leaves = [], [], []
    for tree in model.dump_model()["tree_info"]:
        trees.append(str(len(nodes)))
        inner, ends = [], []

        def place(node):
            if "leaf_value" in node:
                ends.append(node["leaf_value"])
                return -len(ends)
            at = len(inner)
            inner.append(None)
            left, right = place(node["left_child"]), place(node["right_child"])
            inner[at] = (node["split_feature"], int(numpy.floor(node["threshold"])), left, right)
            return at
        place(tree["tree_structure"])
        if not inner:
            inner, ends = [(0, 0, -1, -2)], ends * 2
        nodes += ["(" + ", ".join(map(str, node)) + ")" for node in inner]
        leaves += [str(int(round(max(-7.9, min(7.9, value)) * 4096))) for value in ends]
    with open(path, "w") as file:
        file.write(
            f"//! {what}: a table written by `bench/extract-train/train.py`, read by `model.rs`.\n"
            f"//!\n//! {len(trees)} trees, {len(nodes)} nodes. Not for editing by hand: change the script and learn again.\n\n"
            "use super::model::Model;\n\n"
            "pub(crate) const MODEL: Model = Model { trees: TREES, nodes: NODES, leaves: LEAVES };\n\n"
            f"#[rustfmt::skip]\nconst TREES: &[u16] = &[\n{pack(trees)}\n];\n\n"
            f"#[rustfmt::skip]\nconst NODES: &[(u16, i32, i16, i16)] = &[\n{pack(nodes)}\n];\n\n"
            f"#[rustfmt::skip]\nconst LEAVES: &[i16] = &[\n{pack(leaves)}\n];\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("data")
    parser.add_argument("program")
    parser.add_argument("--write")
    parser.add_argument("--pages", help="write each page's out-of-fold F1 to this file")
    parser.add_argument("--seed", type=int, default=PARAMETERS["seed"], help="of the learner: how much of a figure is luck")
    arguments = parser.parse_args()
    PARAMETERS["seed"] = arguments.seed
    known = marks.read()
    judged = load(arguments.data)
    pages = judged + load_more(os.path.join(arguments.data, "..", "warc", "built-train.warc.gz"), known)
    features(pages, arguments.program)
    used = sum(label(page, known) for page in pages)
    if used != len(known):
        sys.exit(f"{len(known) - used} marked pages are missing or have other blocks than those that were marked: mark them again")
    print(f"{len(judged)} pages of the benchmarks, {len(pages) - len(judged)} more; marks of {used} pages", flush=True)
    block = Learner(pages)
    first = block.out_of_fold()
    print("block model, cross-validated  ", score(judged, first), flush=True)
    block_model = block.fit() if arguments.write else None
    del block
    features(pages, arguments.program, first)
    context = Learner(pages)
    second = context.out_of_fold()
    print("context model, cross-validated", score(judged, second), flush=True)
    both = [(a + SECOND * b) / (1 + SECOND) for a, b in zip(first, second)]
    for profile in PROFILES:
        print(f"{profile}, cross-validated", score(judged, both, profile), flush=True)
    if arguments.pages:
        write_pages(judged, both, arguments.pages)
    if arguments.write:
        write(block_model, os.path.join(arguments.write, "model_block.rs"), "Answers for a block by itself")
        write(context.fit(), os.path.join(arguments.write, "model_context.rs"), "Answers for a block among others")


if __name__ == "__main__":
    main()
