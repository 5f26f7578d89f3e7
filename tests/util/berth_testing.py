"""What a test of the whole product starts from: `from berth_testing import EngineTest, main`.

    class Run(EngineTest):
        def test_output_comes_back(self):
            self.assertEqual(self.engine.ok("run", "--rm", IMAGE, "echo", "hi"), "hi")

    if __name__ == "__main__":
        main()
"""

import os
import sys
import unittest

import images
import isolation
from engine import BIN, Engine
from hoststate import HostState

__all__ = ["BIN", "IMAGE", "Engine", "EngineTest", "HostState", "main"]

IMAGE = "busybox:latest"
SKIPPED = 77  # the exit code by which ctest knows that everything was skipped


class EngineTest(unittest.TestCase):
    """One engine with the busybox image for all tests of a class. Each test begins and ends without workloads, and when
    the class is done the host is as it was before."""

    flags: tuple[str, ...] = ()
    engine: Engine

    @classmethod
    def setUpClass(cls) -> None:
        cls.before = HostState.take()
        cls.engine = Engine(*cls.flags).start()
        cls.engine.load(images.busybox_image(IMAGE))

    @classmethod
    def tearDownClass(cls) -> None:
        cls.engine.close()
        cls.before.wait_until_equal()

    def tearDown(self) -> None:
        self.engine.remove_all()

    def fails(self, *arguments: str, code: int, says: str, **options) -> None:
        """The command ends with this code and one sentence on standard error that has `says` in it."""
        done = self.engine.berth(*arguments, **options)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertIn(says.lower(), done.stderr.lower())


def main() -> None:
    """unittest.main() in a world of its own; exits with SKIPPED where the tests cannot run at all."""
    if os.geteuid() != 0:
        print("skipped: needs root")
        sys.exit(SKIPPED)
    for program in ("berth", "berthd", "berth-holder"):
        if not (BIN / program).exists():
            print(f"skipped: {BIN / program} is not built")
            sys.exit(SKIPPED)
    isolation.enter()
    ended = unittest.main(exit=False).result
    if ended.skipped and len(ended.skipped) == ended.testsRun:
        sys.exit(SKIPPED)
    sys.exit(0 if ended.wasSuccessful() else 1)
