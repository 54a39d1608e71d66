"""Which blocks of a page are its main text, as marked by reading: more pages to learn from than the benchmarks' gold.

`marks.jsonl` holds a line a page: `page` (the benchmark's id, or `archive-` and the MD5 of the bytes of a page of
`DATA/warc/built-train.warc.gz`), `type`, `main` (ranges of blocks, inclusive), and `blocks` and `texts` (number of blocks and CRC-32 of
their texts), which tell whether the blocks are still those that were marked. How pages were marked stands in `docs/extraction.md`.
"""
import gzip, hashlib, json, os, re, zlib

HERE = os.path.dirname(os.path.abspath(__file__))
FIELD = re.compile(rb"(?im)^(warc-type|warc-target-uri|content-length): *<?([^\r\n>]*)")


def read():
    """The marks by page."""
    rows = {}
    with open(os.path.join(HERE, "marks.jsonl")) as file:
        for row in map(json.loads, file):
            if row["page"] in rows:
                raise ValueError(f"{row['page']} is marked twice")
            rows[row["page"]] = row
    return rows


def archived(path, marks):
    """The marked pages of a WARC file, each once, as `(page, url, html)`; what is not UTF-8 is replaced."""
    seen = set()
    with gzip.open(path) as file:
        while line := file.readline():
            if not line.startswith(b"WARC/"):
                continue
            head = b""
            while (line := file.readline()).strip():
                head += line
            fields = {name.lower(): value for name, value in FIELD.findall(head)}
            block = file.read(int(fields[b"content-length"]))
            if fields[b"warc-type"] != b"response":
                continue
            body = block.partition(b"\r\n\r\n")[2]
            page = "archive-" + hashlib.md5(body).hexdigest()
            if page in marks and page not in seen:
                seen.add(page)
                yield page, fields[b"warc-target-uri"].decode(), body.decode("utf-8", "replace")


def marked(row, texts):
    """Per block whether it is marked; `None` if the blocks are not those that were marked."""
    if row["blocks"] != len(texts) or row["texts"] != f"{zlib.crc32(chr(10).join(texts).encode()):08x}":
        return None
    blocks = [False] * len(texts)
    for part in filter(None, row["main"].split(",")):
        first, _, last = part.partition("-")
        first, last = int(first), int(last or first)
        if not first <= last < len(texts):
            raise ValueError(f"{row['page']} has no blocks {part}")
        blocks[first:last + 1] = [True] * (last + 1 - first)
    return blocks
