"""opencontainers/runtime-tools' validation suite over berth-runtime; what fails must be in docs/conformance/runtime-tools.md.

BERTH_RUNTIME_TOOLS is the directory of a built copy. The suite is neither part of the repository nor built by it.
"""

import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "util"))
from bundle import CGROUPS, RUNTIME, SKIPPED, main

SUITE = os.environ.get("BERTH_RUNTIME_TOOLS", "")
DOCUMENT = Path(__file__).resolve().parents[2] / "docs/conformance/runtime-tools.md"
EXIT = "exit"    # as the document calls a case that ended without a result
LIMIT = 120      # seconds for a case; the longest takes 15
GROUPS = ("berth/testdir/cgrouptest", "berth/testdir", "cgrouptest")  # parents that the suite asks for


def documented() -> dict[str, set[str]]:
    """The table's first two columns."""
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \|", DOCUMENT.read_text(encoding="utf-8"), re.M)
    return {case: {point.strip() for point in points.split(",")} for case, points in rows}


def executables() -> dict[str, Path]:
    return {path.stem: path for path in sorted(Path(SUITE, "validation").glob("*/*.t"))} if SUITE else {}


def missing() -> str:
    if not SUITE:
        return "BERTH_RUNTIME_TOOLS does not name a built copy of opencontainers/runtime-tools"
    if not Path(SUITE, "runtimetest").exists() or not executables():
        return f"BERTH_RUNTIME_TOOLS: {SUITE} has no runtimetest, or no validation/*/*.t: it is not built"
    return ""


def failures(output: str, code: int) -> set[str]:
    failed = set(re.findall(r"^not ok (\d+)", output, re.M))
    return failed | {EXIT} if code else failed


@unittest.skipIf(missing(), missing())
class RuntimeTools(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        # A case takes the second interface for granted.
        subprocess.run(["ip", "link", "add", "suite0", "type", "veth", "peer", "name", "suite1"], check=True)

    @classmethod
    def tearDownClass(cls) -> None:
        for mount in (CGROUPS, *CGROUPS.glob("*")):
            for group in GROUPS:
                if (mount / group).is_dir():
                    (mount / group).rmdir()

    def test_each_case(self):
        known = documented()
        better = []
        for case, program in executables().items():
            with self.subTest(case=case):
                done = subprocess.run([str(program)], cwd=SUITE, env={**os.environ, "RUNTIME": RUNTIME},
                                      stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                                      timeout=LIMIT, check=False)
                failed = failures(done.stdout, done.returncode)
                unknown = failed - known.get(case, set())
                self.assertFalse(unknown, f"{sorted(unknown)}: {done.stdout[-3000:]}{done.stderr[-1000:]}")
                better += [f"{case} {point}" for point in sorted(known.get(case, set()) - failed)]
        if better:
            print(f"documented as failing, and passing here: {', '.join(better)}", file=sys.stderr)


class Document(unittest.TestCase):
    def test_the_table_can_be_read(self):
        known = documented()
        self.assertEqual(known["delete"], {"2", "3"})
        self.assertEqual(known["linux_mount_label"], {EXIT})

    def test_a_failure_is_seen(self):
        self.assertEqual(failures("ok 1 - a\nnot ok 2 - b\nnot ok 13 - c\n1..13\n", 0), {"2", "13"})
        self.assertEqual(failures("ok 1 - a\n", 2), {EXIT})


if __name__ == "__main__":
    if missing():
        print(f"skipped: {missing()}")
        sys.exit(SKIPPED)
    main()
