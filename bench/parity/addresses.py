"""Strings that look like e-mail addresses and IPv4 addresses, on both sides of what datatrove's patterns accept."""

ATOM = "abcXYZ019!#$%&'*+/=?^_`{|}~-"
HOSTS = ["b.cc", "example.com", "a-b.co.uk", "x.y.z.org", "b", "b.", "-b.c", "b-.c", "b..c", "b.c-", "xn--p1ai.рф", "é.com", "b_c.d", "1.2"]
LITERALS = ["[1.2.3.4]", "[1.2.3.256]", "[1.2.3.x:]", "[10.0.0.1]", "[1.2.3]", "[1.2.3.a-b:]", "[1.2.3.-:]", "[01.02.03.04]", "[1.2.3.4"]
# First and last addresses of the special ranges, and their neighbours.
EDGES = [
    "0.0.0.0", "0.255.255.255", "1.0.0.0", "9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0", "100.63.255.255", "100.64.0.0",
    "100.127.255.255", "100.128.0.0", "126.255.255.255", "127.0.0.1", "128.0.0.0", "169.253.255.255", "169.254.0.0", "169.254.255.255",
    "169.255.0.0", "172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0", "191.255.255.255", "192.0.0.0", "192.0.0.7",
    "192.0.0.8", "192.0.0.9", "192.0.0.10", "192.0.0.169", "192.0.0.170", "192.0.0.171", "192.0.0.172", "192.0.0.255", "192.0.1.0",
    "192.0.2.0", "192.0.2.255", "192.0.3.0", "192.31.196.1", "192.52.193.1", "192.88.99.1", "192.167.255.255", "192.168.0.0",
    "192.168.255.255", "192.169.0.0", "192.175.48.1", "198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0", "198.51.99.255",
    "198.51.100.0", "198.51.100.255", "198.51.101.0", "203.0.112.255", "203.0.113.0", "203.0.113.255", "203.0.114.0", "223.255.255.255",
    "224.0.0.0", "233.252.0.1", "239.255.255.255", "240.0.0.0", "255.255.255.254", "255.255.255.255",
]


def octet(rng):
    kind = rng.random()
    if kind < 0.5:
        return str(rng.randrange(256))
    if kind < 0.7:
        return rng.choice(["0", "1", "9", "10", "99", "100", "199", "200", "249", "250", "255"])
    return rng.choice(["00", "01", "007", "256", "260", "299", "300", "999", "1234", "", "٣", "²"])


def ip_address(rng):
    if rng.random() < 0.35:
        address = rng.choice(EDGES)
    else:
        address = ".".join(octet(rng) for _ in range(rng.choice([4, 4, 4, 4, 3, 5])))
    before = rng.choice(["", "", "", "v", "1", "12.", ".", "25", "é"])
    return before + address + rng.choice(["", "", "", "0", ".", ".1", "5", ":80", "/24", "a"])


def email(rng):
    local = ".".join("".join(rng.choice(ATOM) for _ in range(rng.randrange(1, 6))) for _ in range(rng.choice([1, 1, 2, 3])))
    if rng.random() < 0.25:
        at = rng.randrange(len(local) + 1)
        local = local[:at] + rng.choice([".", "..", "é", "½", " ", "\u0301", "_", "\"", "@", "(", "\u00b5"]) + local[at:]
    host = rng.choice(HOSTS) if rng.random() < 0.75 else rng.choice(LITERALS)
    if rng.random() < 0.15:
        host = ip_address(rng)
    return rng.choice(["", "", "<", "mailto:", ".", "!", "é", "_"]) + local + "@" + host + rng.choice(["", "", ">", ".", "-", "é", "@c.dd", "!"])


def address(rng):
    return email(rng) if rng.random() < 0.55 else ip_address(rng)
