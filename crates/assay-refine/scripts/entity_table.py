"""Writes `src/html/entities.tsv`, the named character references of the HTML standard (section 13.5).

    pip install html5lib==1.1 && python scripts/entity_table.py

One reference a line, sorted by bytes: the name with its semicolon if it has one, a tab, the characters as hexadecimal
code points separated by blanks.
"""

import pathlib

from html5lib.constants import entities

OUT = pathlib.Path(__file__).resolve().parent.parent / "src" / "html" / "entities.tsv"


def main():
    assert len(entities) == 2231, len(entities)
    lines = [f"{name}\t{' '.join(f'{ord(c):x}' for c in value)}\n" for name, value in sorted(entities.items())]
    OUT.write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
