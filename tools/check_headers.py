#!/usr/bin/env python3
"""check_headers.py [ROOT] [--database FILE]: each header compiles alone.

Every header is the one line of a translation unit, compiled with the flags that the compile database has for its module
(or program). With ccache, what did not change costs milliseconds.
"""

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import tree

# Options that name the unit's own input or output, and so do not belong to its flags; True: an argument follows.
OWN_OPTIONS = {"-o": True, "-c": False, "-MF": True, "-MT": True, "-MQ": True, "-MD": False, "-MMD": False}


def flags_of(command: str) -> list[str]:
    """The compiler and the flags of one entry, without its input and outputs."""
    words = [word for word in shlex.split(command) if not word.endswith("ccache")]
    flags, skip = [], False
    for word in words:
        if skip:
            skip = False
        elif word in OWN_OPTIONS:
            skip = OWN_OPTIONS[word]
        elif not word.endswith((".cc", ".c")):
            flags.append(word)
    return flags


def read_database(database: Path, root: Path) -> dict[Path, list[str]]:
    """The flags of each folder below src/ and apps/: those of the first unit found in it that is no test, if any."""
    flags = {}
    entries = json.loads(database.read_text(encoding="utf-8"))
    for entry in sorted(entries, key=lambda e: (e["file"].endswith("_test.cc"), e["file"])):
        try:
            name = Path(entry["file"]).relative_to(root)
        except ValueError:
            continue
        if name.parts[0] in ("src", "apps"):
            flags.setdefault(Path(*name.parts[:2]), flags_of(entry["command"]))
    return flags


def is_test_support(name: Path) -> bool:
    return name.stem.endswith(("_testing", "_testsuite"))


def compile_alone(root: Path, name: Path, flags: list[str], scratch: Path) -> str | None:
    unit = scratch / ("_".join(name.parts) + ".cc")
    # A header of a test needs what tests are compiled with; gtest itself is on the system's path.
    unit.write_text(f'#include "{Path(*name.parts[1:])}"\n', encoding="utf-8")
    ccache = ["ccache"] if shutil.which("ccache") else []
    command = [*ccache, *flags, "-iquote", str(root / 'src'), f"-I{root / 'apps'}", f"-I{root}", "-O0", "-g0",
               "-U_FORTIFY_SOURCE", "-c", str(unit), "-o", str(unit.with_suffix(".o"))]
    # The unit lies in a new folder each run; its path must not be part of what ccache compares.
    environment = {**os.environ, "CCACHE_NOHASHDIR": "1", "CCACHE_BASEDIR": str(scratch)}
    done = subprocess.run(command, cwd=scratch, capture_output=True, text=True, check=False, env=environment)
    return None if done.returncode == 0 else f"{name}: does not compile alone\n{done.stderr.strip()}"


def find(root: Path, database: Path, jobs: int) -> tuple[list[str], int]:
    flags = read_database(database, root)
    fallback = next(iter(flags.values()))
    headers = [f for f in tree.files(root) if f.suffix == ".h" and f.parts[0] in ("src", "apps")]
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(jobs) as pool:
        results = pool.map(lambda name: compile_alone(root, name, flags.get(Path(*name.parts[:2]), fallback),
                                                      Path(scratch)), headers)
        return [finding for finding in results if finding], len(headers)


def main() -> None:
    parser = argparse.ArgumentParser(description="Each header compiles alone.")
    parser.add_argument("root", nargs="?", type=Path, default=tree.ROOT)
    parser.add_argument("--database", type=Path, help="compile_commands.json (default: build/release's)")
    parser.add_argument("-j", "--jobs", type=int, default=2)
    arguments = parser.parse_args()
    root = arguments.root.resolve()
    database = arguments.database or root / "build/release/compile_commands.json"
    if not database.is_file():
        sys.exit(f"check_headers: {database} is missing; configure the build first (cmake --preset release)")
    findings, count = find(root, database, arguments.jobs)
    sys.exit(tree.report("check_headers", findings, count))


if __name__ == "__main__":
    main()
