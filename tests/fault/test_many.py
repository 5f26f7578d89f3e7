"""Many containers at once by berth-runtime alone: none fails, and nothing is left of them. And the smallest one."""

import itertools
import json
import os
import select
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "util"))
import waiting
from bundle import RuntimeTest, main
from hoststate import HostState

COUNT = 500
AT_ONCE = 16
SMALL = 1 << 20
DIRECTORIES = ("/run",)  # /tmp has the bundles


class Many(RuntimeTest):
    def bundle(self, number: int) -> Path:
        """One of its own for each that lives at the same time: the cgroup is the container's."""
        directory = self.base / f"bundle-{number}"
        directory.mkdir()
        self.config["root"]["path"] = str(self.rootfs)
        self.config["process"]["args"] = ["sh", "-c", f"exit {number}"]
        self.config["linux"]["cgroupsPath"] = f"/{self.base.name}/c/{number}"
        (directory / "config.json").write_text(json.dumps(self.config))
        return directory

    def quietly(self, *arguments: str) -> None:
        """A created container keeps the streams: so they are no pipes, and errors go to the log."""
        done = subprocess.run(self.command("--log", str(self.base / "log"), *arguments), stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=waiting.DEADLINE, check=False)
        self.assertEqual(done.returncode, 0, f"{arguments}: {(self.base / 'log').read_text()}")

    def life(self, directory: Path, name: str) -> None:
        pid_file = directory / "pid"
        self.quietly("create", "--bundle", str(directory), "--pid-file", str(pid_file), name)
        self.assertEqual(self.state(name)["status"], "created")
        pidfd = os.pidfd_open(int(pid_file.read_text()))
        try:
            self.quietly("start", name)
            self.assertTrue(select.select([pidfd], [], [], waiting.DEADLINE)[0], f"{name} does not end")
        finally:
            os.close(pidfd)
        self.assertEqual(self.state(name)["status"], "stopped")
        self.quietly("delete", name)

    def test_many_at_a_time_fail_nowhere_and_leave_nothing(self):
        free = [self.bundle(number) for number in range(AT_ONCE)]
        lock, numbers = threading.Lock(), itertools.count()
        before = HostState.take(DIRECTORIES)

        def one(_: int) -> None:
            with lock:
                directory, name = free.pop(), f"many-{next(numbers)}"
            self.life(directory, name)
            with lock:
                free.append(directory)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(one, range(COUNT)))
        self.assertEqual(next(numbers), COUNT)
        self.assertEqual(list(self.root.iterdir()), [])
        for parent in self.groups(f"{self.base.name}/c"):
            self.assertEqual([entry for entry in parent.iterdir() if entry.is_dir()], [])
            parent.rmdir()
        before.wait_until_equal(lambda: HostState.look(DIRECTORIES))

    def test_one_name_can_be_taken_once(self):
        """Of those who want it at the same time one gets it; the others leave it alone."""
        self.write_config("sleep", "1000")

        def attempt(_: int) -> int:
            done = subprocess.run(self.command("run", "--detach", "--bundle", str(self.base), "c"),
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                  timeout=waiting.DEADLINE, check=False)
            return done.returncode
        with ThreadPoolExecutor(AT_ONCE) as pool:
            codes = sorted(pool.map(attempt, range(AT_ONCE)))
        self.assertEqual(codes, [0] + [codes[-1]] * (AT_ONCE - 1))
        self.assertNotEqual(codes[-1], 0)
        self.assertEqual(self.state()["status"], "running")


class Small(RuntimeTest):
    def test_a_container_of_1_mib_starts(self):
        self.config["linux"]["resources"]["memory"] = {"limit": SMALL, "swap": SMALL}
        self.assertEqual(self.run_args("echo", "small").stdout, "small\n")
        self.create("sleep", "1000")
        self.ok("start", "c")
        self.assertEqual(self.state()["status"], "running")


if __name__ == "__main__":
    main()
