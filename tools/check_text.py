#!/usr/bin/env python3
"""check_text.py [ROOT]: the text of the tree is tidy and is about the product alone.

No path of the machine it was written on, no notes to oneself, no reference to a task, no stray white space.
"""

import re
from pathlib import Path

import tree

# Each row: what is wrong, and how it looks. The patterns are written so that they do not match themselves.
RULES = [
    ("a path of one machine", re.compile(r"(?<![\w./-])/(?:work|Users)/[\w.]")),
    ("a note to oneself", re.compile(r"\b(?:TO[D]O|FIX[M]E|HAC[K]|XX[X])\b")),
    ("a promise instead of code", re.compile(r"\b(?:good enough for no[w]|not implemented ye[t])\b", re.IGNORECASE)),
    ("a reference to a task", re.compile(r"\b(?:issue|task|ticket) ?#?\d+\b", re.IGNORECASE)),
    ("white space at the end of the line", re.compile(r"[ \t]+$")),
    ("a carriage return", re.compile(r"\r")),
]
TABS_ALLOWED = ("Makefile",)
# What is read byte for byte by a test.
DATA = ("fuzz", "testdata", "seeds")


def find_in(name: Path, data: bytes) -> list[str]:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return [f"{name}: not UTF-8"]
    findings = []
    for number, line in enumerate(text.split("\n"), 1):
        findings += [f"{name}:{number}: {what}" for what, pattern in RULES if pattern.search(line)]
        if "\t" in line and name.name not in TABS_ALLOWED:
            findings.append(f"{name}:{number}: a tab")
    if text and not text.endswith("\n"):
        findings.append(f"{name}: no newline at the end")
    return findings


def find(root: Path) -> tuple[list[str], int]:
    names = [f for f in tree.files(root) if not (set(f.parts[:-1]) & set(DATA) and f.suffix not in (".cc", ".h"))]
    return [finding for name in names for finding in find_in(name, (root / name).read_bytes())], len(names)


if __name__ == "__main__":
    tree.main("check_text", find)
