#!/usr/bin/env python3
"""check_sizes.py [ROOT]: no source file is longer than MAX_LINES; tables and generated code are exempt."""

from pathlib import Path

import tree

MAX_LINES = 800
SUFFIXES = {".cc", ".h", ".py", ".sh"}


def is_table(name: Path) -> bool:
    """Rows of data: named *_table.* by convention, or written by a generator."""
    return name.stem.endswith("_table") or "generated" in name.parts


def find(root: Path) -> tuple[list[str], int]:
    sources = [f for f in tree.files(root) if f.suffix in SUFFIXES and not is_table(f)]
    findings = []
    for name in sources:
        lines = (root / name).read_bytes().count(b"\n")
        if lines > MAX_LINES:
            findings.append(f"{name}: {lines} lines; split it before {MAX_LINES}")
    return findings, len(sources)


if __name__ == "__main__":
    tree.main("check_sizes", find)
