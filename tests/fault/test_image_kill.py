"""kill -9 in the middle of a pull, a load, a commit and a removal: at each system call that changes a file.

BERTH_CUTS=N: at so many calls of each, evenly spread.
"""

import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "util"))
import images
import store_cuts
from berth_testing import BIN, IMAGE, Engine, main

EVERY_CALL = 10_000
ENGINE_CUTS = 30


def copy(source: Path, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)


class StoreKilled(store_cuts.EachOperation, unittest.TestCase):
    """The store alone, which is quick to open."""

    @classmethod
    def setUpClass(cls) -> None:
        for program in store_cuts.PROGRAMS:
            if not (BIN / program).exists():
                raise unittest.SkipTest(f"{program} is not built")
        cls.base = Path(tempfile.mkdtemp(prefix="cuts-"))
        cls.workout = store_cuts.Workout(cls.base).__enter__()
        cls.filled, cls.root = cls.base / "filled", cls.base / "root"
        cls.workout.fill(cls.filled)

    @classmethod
    def tearDownClass(cls) -> None:
        cls.workout.__exit__()
        shutil.rmtree(cls.base)

    def cut_everywhere(self, name: str) -> None:
        [operation] = [one for one in self.workout.operations if one.name == name]
        copy(self.filled, self.root)
        total = self.workout.count_calls(self.root, operation)
        cuts = store_cuts.cuts(total, EVERY_CALL)
        before = self.workout.cuts
        began = time.monotonic()
        for at in cuts:
            with self.subTest(at=at, of=total):
                copy(self.filled, self.root)
                acknowledged = self.workout.cut(self.root, operation, at)
                self.workout.verify(self.root, operation, acknowledged)
        # How many calls there are depends a little on how its threads meet: the last may not come.
        self.assertGreater(self.workout.cuts - before, len(cuts) * 0.9)
        print(f"{name}: {len(cuts)} of {total} calls, {time.monotonic() - began:.1f} s", file=sys.stderr)


class CutEngine(Engine):
    """A daemon that is killed at its N-th call that changes a file."""

    at = 0

    def command(self) -> list[str]:
        command = super().command()
        return [str(BIN / "cut_calls"), str(self.at), "0", str(self.base / "calls"), *command] if self.at >= 0 else command


class EngineKilled(unittest.TestCase):
    """A whole daemon, from its start on, through all four."""

    def setUp(self) -> None:
        if not (BIN / "cut_calls").exists():
            self.skipTest("cut_calls is not built")

    def work(self, engine: Engine, workout: store_cuts.Workout) -> list[str]:
        """What it acknowledged, until it died."""
        done = []
        pull = workout.operations[1].steps[1]
        for words, stdin in ((("load",), images.busybox_image(IMAGE)), (("pull", pull), b""),
                             (("run", "--name", "one", "--network", "none", IMAGE, "touch", "/root/f"), b""),
                             (("commit", "one", "made:1"), b""), (("rmi", pull), b""), (("image", "prune", "-f"), b"")):
            if engine.berth(*words, stdin=stdin).returncode != 0:
                break
            done.append(words[0])
        return done

    def cut(self, workout: store_cuts.Workout, at: int) -> int:
        with tempfile.TemporaryDirectory(prefix="cuts-") as base:
            engine = CutEngine("--sandbox-pool", "0", root=f"{base}/root")
            engine.at = at
            try:
                engine.start()
            except AssertionError:
                self.assertGreater(at, 0)
            done = self.work(engine, workout)
            if engine.daemon:
                engine.stop()  # or it is dead already, and its tracer about to say so
            if at == 0:
                self.assertEqual(len(done), 6)
            calls = int((engine.base / "calls").read_text())
            engine.daemon, engine.at = None, -1
            engine.start()
            said = engine.ok("system", "check")
            self.assertIn("all is well", said)
            listed = engine.ok("images", "--format", "{{.Repository}}:{{.Tag}}").split()
            pull = workout.operations[1].steps[1]
            for word, name in (("load", IMAGE), ("pull", pull), ("commit", "made:1")):
                if word in done and not (name == pull and len(done) >= 4):
                    self.assertIn(name, listed)
            if "rmi" in done:
                self.assertNotIn(pull, listed)
            engine.remove_all()
            engine.load(images.busybox_image(IMAGE))
            engine.ok("pull", pull)
            self.assertEqual(engine.ok("run", "--rm", "--network", "none", IMAGE, "echo", "hi"), "hi")
            self.assertIn("all is well", engine.ok("system", "check"))
            engine.close()
            return calls

    def test_every_part_of_its_life(self):
        with tempfile.TemporaryDirectory(prefix="cuts-") as base, store_cuts.Workout(Path(base)) as workout:
            total = self.cut(workout, 0)
            for at in store_cuts.spread(total, ENGINE_CUTS):
                with self.subTest(at=at, of=total):
                    self.cut(workout, at)
            print(f"engine: {ENGINE_CUTS} of {total} calls", file=sys.stderr)


if __name__ == "__main__":
    main()
