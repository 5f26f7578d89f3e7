#!/usr/bin/env python3
"""check_syscalls.py [ROOT]: the seccomp compiler's table of system calls has every call of this host's kernel headers,
under the same number. The table may be ahead of the headers; calls that it alone has are not looked at.
"""

import re
from pathlib import Path

import tree

TABLE = Path("src/container/seccomp/syscall_table.cc")
HEADERS = Path("/usr/include/x86_64-linux-gnu/asm")  # of linux-libc-dev
ABIS = ("64", "32", "x32")  # in the order of the table's columns


def parse_table(text: str) -> dict[str, tuple[int, ...]]:
    rows = re.findall(r'\{"(\w+)", (-?\d+), (-?\d+), (-?\d+)\}', text)
    return {name: tuple(int(number) for number in numbers) for name, *numbers in rows}


def parse_header(text: str) -> dict[str, int]:
    return {name: int(number)
            for name, number in re.findall(r"#define __NR_(\w+) \(?(?:__X32_SYSCALL_BIT \+ )?(\d+)", text)}


def compare(table: dict[str, tuple[int, ...]], column: int, calls: dict[str, int]) -> list[str]:
    findings = []
    for name, number in calls.items():
        has = table[name][column] if name in table else -1
        if has != number:
            findings.append(f"{TABLE}: {name} is {number} of {ABIS[column]}, not {has}")
    return findings


def find(root: Path) -> tuple[list[str], int]:
    table = parse_table((root / TABLE).read_text(encoding="utf-8"))
    findings = []
    for column, abi in enumerate(ABIS):
        calls = parse_header((HEADERS / f"unistd_{abi}.h").read_text(encoding="utf-8"))
        findings += compare(table, column, calls)
        if not calls:
            findings.append(f"{HEADERS}/unistd_{abi}.h: no system calls found")
    return findings, len(ABIS)


if __name__ == "__main__":
    tree.main("check_syscalls", find)
