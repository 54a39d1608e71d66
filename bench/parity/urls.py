"""New URLs for the URL filter and for tldextract: odd schemes, users, ports, hosts of every script, suffix rules, list hits."""

import json
import os

import tldextract

SCHEMES = ["http://"] * 6 + ["https://"] * 6 + [
    "//", "", "HTTP://", "ftp://", "a+b-c.1://", "ht!tp://", "http:/", "http:///", "://", "http:", "http://http://", "javascript:", "data:",
    "é://", "h_t://", "view-source:http://", " http://", "\thttp://",
]
USERS = [""] * 10 + ["user@", "u:p@", "a@b@", "@", "u%40x@", "user:pa/ss@", "[u]@", "é@"]
PORTS = [""] * 10 + [":80", ":", ":8080", ":x", "::", ":80:90", ": 80"]
DOTS = ["."] * 20 + ["\u3002", "\uff0e", "\uff61", ".."]
ENDS = [""] * 10 + [".", "..", " ", "\u3002", ". .", "\t", "\u00a0", "\uff61."]
PATHS = ["", "/", "/a/b.html", "?q=1", "#f", "/?", "/a?b#c", "/%7Euser/x%20y", "/\u00e9t\u00e9", "//x", "/a@b.com", "/a:80", "/\n", "/x\u2028y", "\\a"]
LABELS = [
    "www", "a", "example", "x-y", "-x", "x-", "_dmarc", "xn--bcher-kva", "bücher", "BÜCHER", "EXAMPLE", "例え", "пример", "1", "127", "ß", "İ",
    "ſ", "\u212a", "a_b", "%41", "", "xn--", "xn---p1ai", "XN--P1AI", "xn--p1ai", "xn--90a3ac", "a" * 64, "!", "*", "ΣΑΣ", "Σ", "۱", "x y", "é\u0301",
    "xn--fiqs8s", "xn--0zwm56d", "xn--a", "xn--zzzzzzzz", "xn--80ak6aa92e", "blogspot", "github", "city", "kobe", "ck", "com", "co", "uk", "jp",
]
HOSTS = [
    "127.0.0.1", "127.0.0.1.", "256.1.1.1", "1.2.3.4.com", "1.2.3", "01.02.03.04", "１.2.3.4", "[::1]", "[::1", "[::ffff:1.2.3.4]", "[v1.x]", "[]",
    "[a.com]", "[a.com]:80", "localhost", "com", "co.uk", "ck", "www.ck", "kobe.jp", "city.kobe.jp", "a.kobe.jp", "b.a.kobe.jp", ".com", "..com",
    "a..com", "-", "x.blogspot.com", "y.github.io", "a.compute.amazonaws.com", "test.مليسيا", "a.рф", "a.xn--p1ai", "xn--mgbx4cd0ab", "",
]


def suffixes():
    """All ICANN rules of the list that is bundled with tldextract."""
    path = os.path.join(os.path.dirname(tldextract.__file__), ".tld_set_snapshot")
    with open(path, encoding="utf-8") as file:
        icann = file.read().split("// ===BEGIN PRIVATE DOMAINS===")[0]
    return [line.strip() for line in icann.splitlines() if line.strip() and not line.startswith("//")]


SUFFIXES = suffixes()


def entries(path):
    """Entries of the made-up lists, by name of the list; empty for datatrove's own lists."""
    if not path or not path.endswith(".json"):
        return {}
    with open(path) as file:
        return json.load(file)


def suffix(rng):
    rule = rng.choice(SUFFIXES).lstrip("!")
    if rule.startswith("*"):
        rule = rng.choice(LABELS) + rule[1:]
    kind = rng.random()
    if kind < 0.15:
        rule = rule.upper()
    elif kind < 0.35:
        labels = rule.split(".")
        rule = ".".join("xn--" + label.encode("punycode").decode() if not label.isascii() else label for label in labels)
    elif kind < 0.4:
        rule = rule + rng.choice(["x", "\u0301", "-"])
    return rule


def host(rng):
    if rng.random() < 0.2:
        return rng.choice(HOSTS)
    labels = [rng.choice(LABELS) for _ in range(rng.choice([0, 1, 1, 2, 2, 3, 5]))]
    out = ""
    for label in labels:
        out += label + rng.choice(DOTS)
    return out + suffix(rng)


def words(rng, lists):
    """A path of words, some of them listed, in several cases and with several separators."""
    names = ["banned_words", "soft_banned_words", "banned_subwords"]
    out = ""
    for _ in range(rng.randrange(1, 6)):
        known = lists.get(rng.choice(names)) or lists.get("words") or ["news"]
        word = rng.choice(known) if rng.random() < 0.6 else rng.choice(["news", "a", "story", "été", "İ", "\u212aiwi", "ſex"])
        word = rng.choice([str, str, str.upper, str.title, lambda w: w[:-1], lambda w: w + "s", lambda w: w[:2] + "-" + w[2:]])(word)
        out += rng.choice(["/", "-", "_", "", "%20", "é", "?", "=", ".", "__"]) + word
    return out


def make_url(rng, lists):
    """One URL; `lists` maps a list's name to entries that are to be hit and missed."""
    kind = rng.random()
    if kind < 0.1 and lists.get("extra_urls"):
        url = rng.choice(lists["extra_urls"])
        return url if rng.random() < 0.6 else rng.choice(["x", " ", ""]) + url + rng.choice(["/", "x", " "])
    if kind < 0.25 and lists.get("extra_domains"):
        name = rng.choice(lists["extra_domains"])
        name = rng.choice(["", "", "www.", "a.b.", "x"]) + (name if rng.random() < 0.8 else name.upper())
    elif kind < 0.5:
        name = rng.choice(["www.example.com", "a.org", "news.co.uk"])
    else:
        name = host(rng)
    url = rng.choice(SCHEMES) + rng.choice(USERS) + name + rng.choice(ENDS) + rng.choice(PORTS) + rng.choice(PATHS)
    if rng.random() < 0.4:
        url += words(rng, lists)
    if rng.random() < 0.005:
        url += "/x" * rng.randrange(1000, 20000)
    # datatrove refuses an empty URL.
    return url or "x"
