#!/usr/bin/env python3
"""check_layers.py [ROOT]: a module includes only itself and what it declares in USES, and USES only goes down.

The levels and the uses are those of src/CMakeLists.txt, so there is one place that states them. Modules of one level
never include one another. Programs in apps/ include any module and their own folder. Tests may also use tests/util.
"""

import re
from pathlib import Path

import tree

DECLARATION = re.compile(r"berth_module\(\s*(\w+)\s+LEVEL\s+(\d+)([^)]*)\)")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')
KEYWORDS = {"USES", "LIBS", "PRIVATE_LIBS"}
TEST_SUFFIXES = ("_test.cc", "_testing.cc", "_testing.h", "_testsuite.cc", "_testsuite.h")


class Module:
    def __init__(self, level: int, uses: list[str]):
        self.level = level
        self.uses = uses


def read_modules(cmake: str) -> dict[str, Module]:
    """The berth_module() calls of a CMakeLists.txt."""
    modules = {}
    without_comments = re.sub(r"#.*", "", cmake)
    for name, level, rest in DECLARATION.findall(without_comments):
        uses, section = [], None
        for word in rest.split():
            if word in KEYWORDS:
                section = word
            elif section == "USES":
                uses.append(word)
        modules[name] = Module(int(level), uses)
    return modules


def reachable(modules: dict[str, Module], name: str) -> set[str]:
    found, todo = set(), [name]
    while todo:
        current = todo.pop()
        if current not in found and current in modules:
            found.add(current)
            todo.extend(modules[current].uses)
    return found


def includes(path: Path):
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if match := INCLUDE.match(line):
            yield number, match.group(1)


def check_module_file(name: Path, number: int, target: str, modules: dict[str, Module], root: Path) -> str | None:
    module, included = name.parts[1], target.split("/")[0]
    where = f"{name}:{number}"
    if included == "tests" and name.name.endswith(TEST_SUFFIXES):
        return None
    if included not in modules:
        return f'{where}: "{target}" is not a path of the form "module/..."'
    if not (root / "src" / target).is_file():
        return f'{where}: "{target}" does not exist'
    if included == module:
        return None
    own, other = modules[module], modules[included]
    if other.level >= own.level:
        way = "sideways" if other.level == own.level else "upwards"
        return f'{where}: {module} (level {own.level}) includes "{target}" (level {other.level}): {way}'
    if included not in reachable(modules, module):
        return f'{where}: {module} includes "{target}", but {included} is not in its USES'
    return None


def check_app_file(name: Path, number: int, target: str, modules: dict[str, Module], root: Path) -> str | None:
    included = target.split("/")[0]
    if included in modules or included == name.parts[1]:
        return None
    if (root / "apps" / included).is_dir() and not (root / "apps" / included / "main.cc").exists():
        return None  # shared by several programs
    return f'{name}:{number}: "{target}" is neither of a module nor of this program'


def find(root: Path) -> tuple[list[str], int]:
    modules = read_modules((root / "src/CMakeLists.txt").read_text(encoding="utf-8"))
    findings = [f"src/CMakeLists.txt: {name} (level {module.level}) uses {used}, which is not below it"
                for name, module in modules.items() for used in module.uses
                if used not in modules or modules[used].level >= module.level]
    sources = [f for f in tree.files(root) if f.suffix in (".h", ".cc") and f.parts[0] in ("src", "apps")]
    for name in sources:
        if name.parts[0] == "src" and name.parts[1] not in modules:
            findings.append(f"{name}: {name.parts[1]} is not declared in src/CMakeLists.txt")
            continue
        check = check_module_file if name.parts[0] == "src" else check_app_file
        for number, target in includes(root / name):
            if finding := check(name, number, target, modules, root):
                findings.append(finding)
    return findings, len(sources)


if __name__ == "__main__":
    tree.main("check_layers", find)
