#!/usr/bin/env python3
"""Writes icann_suffixes.txt: the ICANN section of the public suffix list bundled with tldextract.

Usage: pip download --no-deps tldextract==5.4.0 && pip install idna
       python3 make_icann_suffixes.py tldextract-5.4.0-py3-none-any.whl > icann_suffixes.txt

Rules are chosen with tldextract's own expression (suffix_list.py) and keep their order. Behind each rule
with labels outside ASCII stands its A-label form, tab separated.
The list is under the Mozilla Public License 2.0; the header of the output repeats the notice.
"""
import re
import sys
import zipfile

import idna

RULE = re.compile(r"^(?P<suffix>[.*!]*\w[\S]*)", re.UNICODE | re.MULTILINE)
PRIVATE = "// ===BEGIN PRIVATE DOMAINS==="


def a_label(label):
    return label if label.isascii() else idna.alabel(label).decode()


text = zipfile.ZipFile(sys.argv[1]).read("tldextract/.tld_set_snapshot").decode("utf-8")
public, _, _ = text.partition(PRIVATE)
version = [line for line in public.splitlines() if line.startswith(("// VERSION", "// COMMIT"))]
print("// ICANN section of the public suffix list (https://publicsuffix.org/list/), comments removed.")
print("// This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy of the")
print("// MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.")
print("\n".join(version))
print("// Made by make_icann_suffixes.py from tldextract 5.4.0 (PyPI). Columns: rule, A-label form if it differs.")
for match in RULE.finditer(public):
    rule = match.group("suffix")
    ascii_rule = ".".join(a_label(label) for label in rule.split("."))
    print(rule if rule == ascii_rule else f"{rule}\t{ascii_rule}")
