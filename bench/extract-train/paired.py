#!/usr/bin/env python3
"""Are we behind the best peer on a type of page? Differences of the same pages, with their standard errors.

    train.py DATA/extraction PROGRAM --pages own.jsonl                  # each page by models that saw no page of its site
    (cd bench/extract-peers && cargo run --release -- --pages peers)    # each page by each peer
    paired.py own.jsonl peers

Of each type the peer with the best mean is compared. A standard error is that of the mean of paired differences; pages of one
site count as if they were of different ones. Ends with 1 if we are behind by more than one standard error anywhere.
"""
import collections, json, math, os, sys

OWN = "assay"


def read(path):
    with open(path) as file:
        return {row["id"]: row for row in map(json.loads, file)}


def main():
    own = read(sys.argv[1])
    folder = sys.argv[2]
    peers = {name[:-6]: read(os.path.join(folder, name)) for name in sorted(os.listdir(folder))
             if name.endswith(".jsonl") and not name.startswith(OWN)}
    by_type = collections.defaultdict(list)
    for page, row in own.items():
        by_type[row["page_type"]].append(page)
    behind = []
    print("| page type | pages | out of fold | best peer | its F1 | difference | standard error |\n|---|---|---|---|---|---|---|")
    for kind, pages in sorted(by_type.items(), key=lambda item: -len(item[1])):
        mean = lambda rows: sum(rows[page]["f1"] for page in pages) / len(pages)
        best = max(peers, key=lambda name: mean(peers[name]))
        differences = [own[page]["f1"] - peers[best][page]["f1"] for page in pages]
        difference = sum(differences) / len(pages)
        spread = sum((value - difference) ** 2 for value in differences) / max(len(pages) - 1, 1)
        error = math.sqrt(spread / len(pages))
        if difference < -error:
            behind.append(kind)
        print(f"| {kind} | {len(pages)} | {mean(own):.3f} | {best} | {mean(peers[best]):.3f} | {difference:+.3f} | {error:.3f} |")
    if behind:
        sys.exit(f"behind by more than a standard error: {', '.join(behind)}")


if __name__ == "__main__":
    main()
