"""The power fails in the middle of a pull, a load, a commit and a removal.

The store is on an ext4 on a disk with a volatile cache (util/lossy_disk.cc): what was not flushed is lost, or, as each
block's luck has it, is there or not. Then the file system is mounted anew, as after a real power cut.

BERTH_CUTS=N: at so many calls of each of the four, in place of 32; with 50 it is 200.
"""

import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "util"))
import store_cuts
import waiting
from berth_testing import BIN, main

CUTS = 32
AFTER_ITS_END = 1_000_000
DISK_MIB = 24


def sh(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True, timeout=waiting.DEADLINE)


class Disk:
    """A file with an ext4 in it, mounted either over a cache that can be lost, or as it is. Mounts are in a namespace of
    the test's own, and loop devices go with their mounts."""

    def __init__(self, base: Path):
        self.file, self.fuse, self.mounted = base / "disk", base / "fuse", base / "mounted"
        self.server: subprocess.Popen | None = None
        for directory in (self.fuse, self.mounted):
            directory.mkdir()

    def make(self) -> None:
        with open(self.file, "wb") as file:
            file.truncate(DISK_MIB << 20)
        sh("mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", str(self.file))

    def mount(self) -> Path:
        sh("mount", "-o", "loop", str(self.file), str(self.mounted))
        return self.mounted / "root"

    def mount_with_cache(self, seed: int) -> Path:
        self.server = subprocess.Popen([str(BIN / "lossy_disk"), str(self.file), str(self.fuse), str(seed)])
        waiting.until(lambda: (self.fuse / "disk").exists(), "the disk is there")
        sh("mount", "-o", "loop", str(self.fuse / "disk"), str(self.mounted))
        return self.mounted / "root"

    def unmount(self) -> None:
        sh("umount", str(self.mounted))

    def take_away(self) -> None:
        """Of a disk that was cut: what is mounted from it cannot write any more."""
        self.unmount()
        self.server.send_signal(signal.SIGTERM)
        self.server.wait(waiting.DEADLINE)
        self.server = None

    def close(self) -> None:
        subprocess.run(["umount", "-l", str(self.mounted)], capture_output=True, check=False)
        if self.server:
            self.server.kill()
            self.server.wait()
            subprocess.run(["umount", "-l", str(self.fuse)], capture_output=True, check=False)


class PowerCut(store_cuts.EachOperation, unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        for program in (*store_cuts.PROGRAMS, "lossy_disk"):
            if not (BIN / program).exists():
                raise unittest.SkipTest(f"{program} is not built (tools/setup test installs what it needs)")
        for path in ("/dev/fuse", "/dev/loop-control"):
            if not Path(path).exists():
                raise unittest.SkipTest(f"this host has no {path}")
        cls.base = Path(tempfile.mkdtemp(prefix="power-"))
        cls.disk = Disk(cls.base)
        cls.disk.make()
        cls.workout = store_cuts.Workout(cls.base).__enter__()
        cls.workout.fill(cls.disk.mount())
        cls.disk.unmount()
        cls.filled = cls.base / "filled"
        shutil.copyfile(cls.disk.file, cls.filled)

    @classmethod
    def tearDownClass(cls) -> None:
        cls.disk.close()
        cls.workout.__exit__()
        shutil.rmtree(cls.base)

    def cut_at(self, operation: store_cuts.Operation, at: int, seed: int) -> None:
        shutil.copyfile(self.filled, self.disk.file)
        root = self.disk.mount_with_cache(seed)
        acknowledged = self.workout.cut(root, operation, at, power=self.disk.server.pid)
        self.disk.server.send_signal(signal.SIGUSR1)  # where the operation came to its end before
        self.disk.take_away()
        self.workout.verify(self.disk.mount(), operation, acknowledged)
        self.disk.unmount()

    def cut_everywhere(self, name: str) -> None:
        [operation] = [one for one in self.workout.operations if one.name == name]
        shutil.copyfile(self.filled, self.disk.file)
        total = self.workout.count_calls(self.disk.mount(), operation)
        self.disk.unmount()
        cuts = [*store_cuts.cuts(total, CUTS), AFTER_ITS_END]
        before, began = self.workout.cuts, time.monotonic()
        for number, at in enumerate(cuts):
            # Every third time all is lost, else each block has luck of its own.
            seed = number if number % 3 else 0
            with self.subTest(at=at, of=total, seed=seed):
                try:
                    self.cut_at(operation, at, seed)
                finally:
                    self.disk.close()
        self.assertGreater(self.workout.cuts - before, len(cuts) * 0.9)
        print(f"{name}: {len(cuts)} of {total} calls, {time.monotonic() - began:.1f} s", file=sys.stderr)

    def test_what_was_not_flushed_is_lost(self):
        """That the disk does what it is for."""
        shutil.copyfile(self.filled, self.disk.file)
        root = self.disk.mount_with_cache(0)
        try:
            for name, flush in (("kept", True), ("lost", False)):
                with open(root / name, "wb") as file:
                    file.write(name.encode() * 1000)
                    if flush:
                        sh("sync", "-f", str(root))
            self.disk.server.send_signal(signal.SIGUSR1)
            self.disk.take_away()
            root = self.disk.mount()
            self.assertEqual((root / "kept").read_bytes(), b"kept" * 1000)
            self.assertFalse((root / "lost").exists())
        finally:
            self.disk.close()


if __name__ == "__main__":
    main()
