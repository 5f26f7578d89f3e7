"""What the checks share: the files of a tree, and how a finding is reported."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def files(root: Path) -> list[Path]:
    """Files below root that git tracks or would track; every file where root is no repository. Paths are relative."""
    listed = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True, text=True, check=False)
    if listed.returncode == 0 and listed.stdout:
        names = {Path(name) for name in listed.stdout.split("\0") if name}
    else:
        names = {path.relative_to(root) for path in root.rglob("*") if ".git" not in path.parts}
        names = {name for name in names if name.parts[0] != "build" and "__pycache__" not in name.parts}
    return sorted(name for name in names if (root / name).is_file() and not (root / name).is_symlink())


def report(check: str, findings: list[str], count: int) -> int:
    """Prints the findings, or one line that says how much was looked at, and returns the exit code."""
    for finding in findings:
        print(finding)
    print(f"{check}: {len(findings)} finding(s)" if findings else f"{check}: {count} file(s), nothing found")
    return 1 if findings else 0


def main(check: str, find) -> None:
    """Runs `find(root) -> (findings, count)` over the tree named on the command line, or over this one."""
    root = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT
    findings, count = find(root)
    sys.exit(report(check, findings, count))
