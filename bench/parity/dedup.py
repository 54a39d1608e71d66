"""Near-duplicate corpora and what datatrove's four MinHash stages make of them.

`make_corpus` edits base texts at many rates and in chains, so that similarities lie on both sides of the threshold.
`stages` runs signature, buckets, cluster and filter on files of documents and returns what `assay dedup --json` prints.
"""

import os
import struct

from datatrove.data import Document
from datatrove.pipeline.dedup import MinhashDedupSignature
from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupBuckets, MinhashDedupCluster, MinhashDedupFilter
from datatrove.utils.hashing import HashConfig

from . import texts

CONFIG = MinhashConfig(hash_config=HashConfig(hash_fc="sha1", precision=64), num_buckets=14, hashes_per_bucket=8, n_grams=5)


def edited(rng, text, rate):
    """The text with that share of its words replaced, dropped, doubled or moved, or with changes that MinHash does not see."""
    words = text.split(" ")
    for i in range(len(words)):
        if rng.random() < rate:
            words[i] = rng.choice(["", texts.unique_word(rng), words[i] + " " + words[i], rng.choice(words), words[i] + "x"])
    text = " ".join(words)
    kind = rng.randrange(6)
    if kind == 0:
        text = text.upper()
    elif kind == 1:
        text = text.replace(".", rng.choice(["!", " .", ""])).replace("e", rng.choice(["e", "\u00e9"]))
    elif kind == 2:
        text = texts.prose(rng, rng.randrange(1, 60)) + "\n" + text
    elif kind == 3:
        text = text[: rng.randrange(len(text) // 2, len(text) + 1)]
    return text


def make_corpus(rng, seeds, documents):
    """Texts of documents: near-duplicates of a few base texts, exact copies, very short ones, unrelated ones; shuffled."""
    out = []
    while len(out) < documents:
        if not seeds or rng.random() < 0.15:
            base = texts.prose(rng, rng.choice([0, 3, 4, 5, 6, 8, 40, 300]))
        else:
            base = texts.cut(rng, seeds, rng.choice([200, 1000, 4000]))
        out.append(base)
        family = [base]
        for _ in range(rng.choice([0, 0, 1, 2, 4, 12])):
            # From the base or from the last edit: chains whose ends need not share a band.
            near = edited(rng, rng.choice([base, family[-1]]) or "x", rng.choice([0, 0.002, 0.01, 0.03, 0.06, 0.1, 0.2]))
            family.append(near)
            out.append(near)
    rng.shuffle(out)
    return ["".join(c for c in text if not 0xD800 <= ord(c) < 0xE000) for text in out[:documents]]


def tuples(path, numbers):
    with open(path, "rb") as file:
        data = file.read()
    return list(struct.iter_unpack(f"<{numbers}I", data))


def stages(files, work):
    """`files`: for each file a list of (id, text). Returns `pairs_by_bucket`, `clusters` and `removed` with ids."""
    folder = {name: os.path.join(work, name) for name in ("signatures", "pairs", "removed")}
    documents = [[Document(text=text, id=name) for name, text in file] for file in files]
    for rank, file in enumerate(documents):
        MinhashDedupSignature(folder["signatures"], config=CONFIG).run(file, rank, len(files))
    for bucket in range(CONFIG.num_buckets):
        MinhashDedupBuckets(folder["signatures"], folder["pairs"], config=CONFIG).run(None, bucket, CONFIG.num_buckets)
    cluster = MinhashDedupCluster(folder["pairs"], folder["removed"], config=CONFIG, save_cluster_id=True, save_cluster_size=True)
    cluster.run(None, 0, 1)
    pairs = []
    for bucket in range(CONFIG.num_buckets):
        rows = tuples(os.path.join(folder["pairs"], f"{bucket:05d}_00.dups"), 4)
        pairs.append([f"{files[f][d][0]} {files[g][e][0]}" for f, d, g, e in rows])
    clusters, removed = {}, []
    for rank, file in enumerate(documents):
        stays = {document.id for document in MinhashDedupFilter(folder["removed"]).run(iter(file), rank, len(files))}
        gone = [document.id for document in file if document.id not in stays]
        removed += gone
        path = os.path.join(folder["removed"], f"{rank:06d}.clusters")
        for place, number in tuples(path, 2) if os.path.exists(path) else []:
            cluster = clusters.setdefault(number, {"cluster_id": number, "kept": None, "size": 0, "members": []})
            name = file[place].id
            cluster["members"].append(name)
            cluster["size"] += 1
            if name in stays:
                cluster["kept"] = name
    listed = [clusters[number] for number in sorted(clusters)]
    return {"pairs_by_bucket": pairs, "clusters": listed, "removed": removed}
