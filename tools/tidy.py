#!/usr/bin/env python3
"""tidy.py [-j N]: clang-tidy over src/ and apps/, with the compile database of the `lint` preset.

A file that was found clean is not looked at again until it, a header of this tree that it includes, its flags, the
checks or the tool change: build/lint/tidy holds one empty file per clean result, named by the hash of all of these.
"""

import argparse
import hashlib
import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import tree

TOOL = "clang-tidy-19"
BUILD = tree.ROOT / "build/lint"
# The static analyzer does not walk into the standard library: it finds next to nothing there, and takes twice as long
# for it as all other checks together.
ANALYZER = ["-Xclang", "-analyzer-config", "-Xclang", "c++-stdlib-inlining=false,max-nodes=40000"]
COMMAND = [TOOL, "--quiet", "-p", str(BUILD), *(f"--extra-arg={word}" for word in ANALYZER)]
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


class Includes:
    """The headers of this tree that a file reaches, each read once."""

    def __init__(self):
        self._direct: dict[Path, list[Path]] = {}

    def direct(self, path: Path) -> list[Path]:
        if path not in self._direct:
            found = []
            for target in INCLUDE.findall(path.read_text(encoding="utf-8")):
                for base in (tree.ROOT / "src", tree.ROOT / "apps", tree.ROOT, path.parent):
                    if (base / target).is_file():
                        found.append(base / target)
                        break
            self._direct[path] = found
        return self._direct[path]

    def closure(self, path: Path) -> list[Path]:
        seen, todo = {path}, [path]
        while todo:
            for target in self.direct(todo.pop()):
                if target not in seen:
                    seen.add(target)
                    todo.append(target)
        return sorted(seen)


def key_of(path: Path, command: str, common: bytes, includes: Includes) -> str:
    digest = hashlib.sha256(common)
    digest.update(command.encode())
    for source in includes.closure(path):
        digest.update(hashlib.sha256(source.read_bytes()).digest())
    return digest.hexdigest()


def check(path: Path) -> str | None:
    done = subprocess.run([*COMMAND, str(path)], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return None
    return f"{done.stdout.strip() or done.stderr.strip()}"


def main() -> None:
    parser = argparse.ArgumentParser(description="clang-tidy with a memory of what is clean.")
    parser.add_argument("-j", "--jobs", type=int, default=2)
    jobs = parser.parse_args().jobs
    database = json.loads((BUILD / "compile_commands.json").read_text(encoding="utf-8"))
    version = subprocess.run([TOOL, "--version"], capture_output=True, check=True).stdout
    common = version + " ".join(ANALYZER).encode() + (tree.ROOT / ".clang-tidy").read_bytes()
    cache, includes = BUILD / "tidy", Includes()
    cache.mkdir(exist_ok=True)

    units = {}
    for entry in database:
        path = Path(entry["file"])
        inside = path.is_relative_to(tree.ROOT / "src") or path.is_relative_to(tree.ROOT / "apps")
        if inside and not path.name.endswith("_test.cc"):
            units[path] = cache / key_of(path, entry["command"], common, includes)
    changed = [path for path, mark in sorted(units.items()) if not mark.exists()]

    def run(path: Path) -> str | None:
        finding = check(path)
        if finding is None:
            units[path].touch()
        else:
            print(finding, flush=True)
        return finding

    with ThreadPoolExecutor(jobs) as pool:
        findings = [f for f in pool.map(run, changed) if f]
    for stale in set(cache.iterdir()) - set(units.values()):
        stale.unlink()
    print(f"clang-tidy: {len(units)} file(s), {len(changed)} checked, {len(findings)} with findings")
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()
