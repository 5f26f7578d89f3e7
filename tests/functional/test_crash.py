"""kill -9 of the daemon, at any point: workloads go on, and a new daemon knows what is true."""

import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "util"))

import images
import waiting
from berth_testing import IMAGE, EngineTest, HostState, main

COUNT = 20
# Counts until told to end by a file on a shared directory, so that the test decides when.
SCRIPT = "i=0; while [ ! -e /shared/end-$N ]; do i=$((i+1)); echo line $i; usleep 20000; done; exit $N"


class CrashTest(EngineTest):
    def setUp(self):
        self.shared = self.engine.base / "shared"
        self.shared.mkdir(exist_ok=True)

    def run_command(self, number: int, *flags: str) -> list[str]:
        return ["run", "-d", "--name", f"c{number}", "-e", f"N={number}", "-v", f"{self.shared}:/shared", *flags,
                IMAGE, "sh", "-c", SCRIPT]

    def end(self, number: int) -> None:
        (self.shared / f"end-{number}").touch()

    def crash(self) -> None:
        self.engine.kill()
        self.engine.start()

    def check_log(self, number: int) -> int:
        """The log counts from 1 without a gap, whoever was alive when."""
        lines = self.engine.ok("logs", f"c{number}").split("\n")
        self.assertEqual(lines, [f"line {i}" for i in range(1, len(lines) + 1)])
        return len(lines)

    def settle(self, baseline: HostState) -> None:
        self.engine.remove_all()
        for file in self.shared.iterdir():
            file.unlink()
        baseline.wait_until_equal()


class TwentyRunning(CrashTest):
    def test_all_are_listed_running_and_their_logs_and_codes_are_right(self):
        baseline = HostState.take()
        for number in range(1, COUNT + 1):
            self.engine.ok(*self.run_command(number))
        pids = {n: self.engine.inspect(f"c{n}")["State"]["Pid"] for n in range(1, COUNT + 1)}
        self.engine.kill()
        # Some end while no daemon lives; their code and log must be on disk.
        for number in (3, 4, 5):
            self.end(number)
        for number in (3, 4, 5):
            waiting.until(lambda n=number: not running(pids[n]), f"c{number} ends")
        self.engine.start()

        names = set(self.engine.ok("ps", "--format", "{{.Names}}").split())
        self.assertEqual(names, {f"c{n}" for n in range(1, COUNT + 1)} - {"c3", "c4", "c5"})
        for number in (3, 4, 5):
            self.assertEqual(self.engine.ok("wait", f"c{number}"), str(number))
            self.check_log(number)
        for number in set(pids) - {3, 4, 5}:
            self.assertEqual(self.engine.inspect(f"c{number}")["State"]["Pid"], pids[number])
        before = {n: self.check_log(n) for n in (1, 2, 20)}
        for number, count in before.items():
            waiting.until(lambda n=number, c=count: self.check_log(n) > c, f"c{number} goes on")
        self.crash()
        waiters = [self.engine.popen("wait", f"c{n}", stdout=subprocess.PIPE) for n in range(6, COUNT + 1)]
        for number in range(1, COUNT + 1):
            self.end(number)
        for number, waiter in zip(range(6, COUNT + 1), waiters):
            self.assertEqual(waiter.communicate(timeout=waiting.DEADLINE)[0], f"{number}\n".encode())
        for number in range(1, COUNT + 1):
            self.assertEqual(self.engine.ok("wait", f"c{number}"), str(number))
            self.check_log(number)
        self.settle(baseline)

    def test_what_a_daemon_does_to_a_container_the_next_can_do(self):
        baseline = HostState.take()
        for number in range(1, 6):
            self.engine.ok(*self.run_command(number))
        self.crash()
        self.engine.ok("stop", "-t", "0", "c1")
        self.engine.ok("kill", "c2")
        self.engine.ok("rm", "-f", "c3")
        self.engine.ok("start", "c1")
        self.assertEqual(set(self.engine.ok("ps", "--format", "{{.Names}}").split()), {"c1", "c4", "c5"})
        follower = self.engine.popen("logs", "-f", "c4", stdout=subprocess.PIPE)
        waiting.read_until(follower.stdout, b"line 1\n")
        self.end(4)
        follower.communicate(timeout=waiting.DEADLINE)
        self.assertEqual(follower.returncode, 0)
        self.settle(baseline)

    def test_published_ports_answer_while_no_daemon_lives(self):
        self.engine.ok("run", "-d", "--name", "web", "-p", "127.0.0.1:18070:80", IMAGE, "sh", "-c",
                       "echo up > /tmp/x; exec httpd -f -h /tmp")
        fetch = ["curl", "-sf", "http://127.0.0.1:18070/x"]
        waiting.until(lambda: subprocess.run(fetch, capture_output=True, check=False).stdout == b"up\n", "it serves")
        self.engine.kill()
        self.assertEqual(subprocess.run(fetch, capture_output=True, check=False).stdout, b"up\n")
        self.engine.start()
        self.assertEqual(subprocess.run(fetch, capture_output=True, check=False).stdout, b"up\n")
        self.fails("run", "-d", "-p", "127.0.0.1:18070:80", IMAGE, "true", code=125, says="already")
        self.engine.ok("rm", "-f", "web")
        self.assertNotEqual(subprocess.run(fetch, capture_output=True, check=False).returncode, 0)

    def test_a_clean_end_leaves_workloads_running_too(self):
        self.engine.ok(*self.run_command(1))
        self.assertEqual(self.engine.stop(), 0)
        self.engine.start()
        self.assertTrue(self.engine.is_running("c1"))


class InTheMiddle(CrashTest):
    """The daemon dies while requests are under way. What it had answered holds; the rest is whole or is not there."""

    def storm(self, commands: list[list[str]], fatal_after: int) -> list[subprocess.CompletedProcess | None]:
        """Runs the commands side by side and kills the daemon when `fatal_after` of them have been answered."""
        results: list[subprocess.CompletedProcess | None] = [None] * len(commands)
        answered = threading.Semaphore(0)

        def one(index: int) -> None:
            results[index] = self.engine.berth(*commands[index])
            answered.release()
        threads = [threading.Thread(target=one, args=(index,)) for index in range(len(commands))]
        for thread in threads:
            thread.start()
        for _ in range(fatal_after):
            answered.acquire(timeout=waiting.DEADLINE)
        self.engine.kill()
        for thread in threads:
            thread.join(waiting.DEADLINE)
        self.engine.start()
        return results

    def check_whole(self) -> None:
        """Every container that is listed can be inspected, has a state that is true, and can be removed."""
        for identity in self.engine.ok("ps", "-aq", "--no-trunc").split():
            state = self.engine.inspect(identity)["State"]
            self.assertIn(state["Status"], ("created", "running", "exited"))
            self.assertEqual(state["Running"], state["Pid"] > 0 and running(state["Pid"]))
            if state["Status"] == "created":
                self.engine.ok("start", identity)

    def test_in_the_middle_of_runs(self):
        baseline = HostState.take()
        for fatal_after in (0, 1, 3, 6, 9):
            results = self.storm([self.run_command(n) for n in range(1, 11)], fatal_after)
            listed = set(self.engine.ok("ps", "-a", "--format", "{{.Names}}").split())
            for number, result in enumerate(results, 1):
                self.assertIsNotNone(result, "the command hangs although its daemon is gone")
                if result.returncode == 0:
                    self.assertIn(f"c{number}", listed)
                    self.assertTrue(self.engine.is_running(f"c{number}"))
            self.check_whole()
            self.settle(baseline)

    def test_in_the_middle_of_removals(self):
        baseline = HostState.take()
        for fatal_after in (0, 2, 5):
            for number in range(1, 9):
                self.engine.ok(*self.run_command(number))
            results = self.storm([["rm", "-f", f"c{n}"] for n in range(1, 9)], fatal_after)
            listed = set(self.engine.ok("ps", "-a", "--format", "{{.Names}}").split())
            for number, result in enumerate(results, 1):
                if result.returncode == 0:
                    self.assertNotIn(f"c{number}", listed)
            self.check_whole()
            self.settle(baseline)

    def test_in_the_middle_of_a_load(self):
        layers = [images.tar_of(lambda tar, i=i: images.add_file(tar, f"f{i}", random.Random(i).randbytes(3 << 20)))
                  for i in range(4)]
        archive = images.docker_archive("heavy:1", layers)
        before = self.stored()
        for share in (0.2, 0.5, 0.9):
            loader = self.engine.popen("load", stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
            try:
                loader.stdin.write(archive[:int(len(archive) * share)])
                loader.stdin.flush()
            except BrokenPipeError:
                pass
            self.engine.kill()
            try:
                loader.communicate(timeout=waiting.DEADLINE)
            except BrokenPipeError:
                loader.wait(waiting.DEADLINE)
            self.engine.start()
            self.assertNotIn("heavy", self.engine.ok("images"))
            self.assertEqual(self.stored(), before)
        self.engine.load(archive)
        self.engine.ok("rmi", "heavy:1")

    def test_in_the_middle_of_unpacking(self):
        """The daemon dies at a moment after the n-th layer's directory appeared, or the first blob: while it unpacks,
        commits, or writes down."""
        def fill(tar, number: int) -> None:
            images.add_file(tar, f"large{number}", random.Random(number).randbytes(2 << 20))
            for i in range(200):
                images.add_file(tar, f"d{number}/{i % 10}/{i}", b"x")
        layers = [images.tar_of(lambda tar, n=n: fill(tar, n)) for n in range(4)]
        archive = images.docker_archive("heavy:1", layers)
        snapshots = next(self.engine.root.glob("*/*/s"))
        blobs = next(self.engine.root.glob("*/*/content/blobs/sha256"))
        before = self.stored()
        killed_before_its_end = 0
        for directory, entries in ((snapshots, 1), (snapshots, 2), (snapshots, 4), (blobs, 1)):
            for delay in (0, 0.002, 0.005, 0.01, 0.02, 0.05):
                with self.subTest(directory=directory.name, entries=entries, delay=delay):
                    loaded = self.load_and_kill(archive, directory, entries, delay)
                    listed = "heavy" in self.engine.ok("images")
                    self.assertTrue(listed or not loaded, "what was answered is lost")
                    if listed:
                        self.engine.ok("rmi", "heavy:1")
                    else:
                        killed_before_its_end += 1
                    self.assertEqual(self.stored(), before)
        self.assertGreater(killed_before_its_end, 4)

    def load_and_kill(self, archive: bytes, directory: Path, entries: int, delay: float) -> bool:
        """Kills the daemon `delay` seconds after `directory` gained so many entries. Whether load said it was done."""
        count = len(os.listdir(directory)) + entries
        loader = self.engine.popen("load", stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        def feed() -> None:
            try:
                loader.stdin.write(archive)
                loader.stdin.close()
            except BrokenPipeError:
                pass
        feeder = threading.Thread(target=feed)
        feeder.start()
        deadline = time.monotonic() + waiting.DEADLINE
        while len(os.listdir(directory)) < count and loader.poll() is None:  # as fast as can be: it is a race
            self.assertLess(time.monotonic(), deadline, "the load does not get there")
        time.sleep(delay)  # not for anything to happen: to die elsewhere each time
        self.engine.kill()
        feeder.join(waiting.DEADLINE)
        code = loader.wait(waiting.DEADLINE)
        self.engine.start()
        return code == 0

    def stored(self) -> set[str]:
        """Every file and every directory of the engine, what a database keeps beside itself left out."""
        self.engine.wait_for_deletions()
        return {f"{path}/" if path.is_dir() else str(path) for path in self.engine.root.rglob("*")
                if not path.name.endswith(("-wal", "-shm", "-journal"))}


def running(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


if __name__ == "__main__":
    main()
