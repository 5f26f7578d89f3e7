"""SmallDiskTest: tests of one engine whose root is a file system of 24 MiB that can be filled."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import images
from berth_testing import IMAGE, Engine, EngineTest, HostState


class SmallDiskTest(EngineTest):
    @classmethod
    def setUpClass(cls) -> None:
        cls.disk = tempfile.mkdtemp(prefix="disk-")
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", cls.disk], check=True)
        cls.engine = Engine("--sandbox-pool", "0", root=f"{cls.disk}/root").start()
        cls.engine.load(images.busybox_image(IMAGE))
        cls.before = HostState.take()

    @classmethod
    def tearDownClass(cls) -> None:
        cls.engine.close()
        subprocess.run(["umount", cls.disk], check=True)
        os.rmdir(cls.disk)

    def tearDown(self) -> None:
        self.free()
        super().tearDown()

    def fill(self) -> None:
        filler = os.open(f"{self.disk}/filler", os.O_WRONLY | os.O_CREAT)
        try:
            while True:
                os.write(filler, b"\0" * 4096)
        except OSError:
            os.close(filler)
        self.assertEqual(shutil.disk_usage(self.disk).free, 0)

    def free(self) -> None:
        Path(f"{self.disk}/filler").unlink(missing_ok=True)


def holder_of(pid: int) -> int:
    """The holder of the workload whose init this is."""
    return int(re.search(r"PPid:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1])
