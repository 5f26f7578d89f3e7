"""kill -9 of the daemon at moments that no answer marks, while twenty containers run and others come and go."""

import random
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "util"))
import waiting
from berth_testing import IMAGE, EngineTest, HostState, main

STEADY = 20
ROUNDS = 25
SEED = 20
LONGEST = 0.12  # seconds from the first command to the kill: beyond what all of them take
SCRIPT = "i=0; while [ ! -e /shared/end ]; do i=$((i+1)); echo line $i; usleep 20000; done; exit $N"


class AnyMoment(EngineTest):
    def steady(self, number: int) -> list[str]:
        return ["run", "-d", "--name", f"s{number}", "-e", f"N={number}", "-v", f"{self.shared}:/shared", IMAGE, "sh",
                "-c", SCRIPT]

    def commands(self, turn: int) -> list[list[str]]:
        """A change of every kind, side by side. Names that could not be the start of an id: those of the turn before the first
        are nobody's."""
        return [["run", "-d", "--name", f"x{turn}", IMAGE, "sleep", "1000"],
                ["run", "-d", "-p", "127.0.0.1::80", "--name", f"y{turn}", IMAGE, "sleep", "1000"],
                ["run", "--rm", IMAGE, "true"],
                ["create", "--name", f"z{turn}", "-v", "/data", IMAGE, "true"],
                ["rm", "-f", f"x{turn - 1}"],
                ["stop", "-t", "0", f"y{turn - 1}"],
                ["start", f"z{turn - 1}"]]

    def upset(self, turn: int, delay: float) -> None:
        threads = [threading.Thread(target=self.engine.berth, args=command) for command in self.commands(turn)]
        for thread in threads:
            thread.start()
        time.sleep(delay)  # the point: a moment that nothing else marks
        self.engine.kill()
        self.engine.start()
        # One that waits for an end asks the new daemon.
        for thread in threads:
            thread.join(2 * waiting.DEADLINE)
            self.assertFalse(thread.is_alive(), "a command hangs although its daemon was gone")

    def check(self, pids: dict[int, int]) -> None:
        for number, pid in pids.items():
            state = self.engine.inspect(f"s{number}")["State"]
            self.assertEqual((state["Running"], state["Pid"]), (True, pid))
        for identity in self.engine.ok("ps", "-aq", "--no-trunc").split():
            state = self.engine.inspect(identity)["State"]
            alive = state["Pid"] > 0 and Path(f"/proc/{state['Pid']}").exists()
            self.assertEqual(state["Running"], alive, state)

    def test_twenty_go_on_whatever_happens_to_the_others(self):
        self.shared = self.engine.base / "shared"
        self.shared.mkdir()
        baseline = HostState.take()
        for number in range(1, STEADY + 1):
            self.engine.ok(*self.steady(number))
        pids = {n: self.engine.inspect(f"s{n}")["State"]["Pid"] for n in range(1, STEADY + 1)}
        moments = random.Random(SEED)
        for turn in range(1, ROUNDS + 1):
            delay = moments.uniform(0, LONGEST)
            with self.subTest(turn=turn, delay=delay):
                self.upset(turn, delay)
                self.check(pids)
        waiters = {n: self.engine.popen("wait", f"s{n}", stdout=subprocess.PIPE) for n in pids}
        (self.shared / "end").touch()
        for number, waiter in waiters.items():
            self.assertEqual(waiter.communicate(timeout=waiting.DEADLINE)[0], f"{number}\n".encode())
            lines = self.engine.ok("logs", f"s{number}").split("\n")
            self.assertEqual(lines, [f"line {i}" for i in range(1, len(lines) + 1)])
        self.engine.ok("rm", "-f", "-v", *self.engine.ok("ps", "-aq", "--no-trunc").split())
        (self.shared / "end").unlink()
        for what in ("workloads", "volumes"):
            self.assertEqual(list((self.engine.root / what).iterdir()), [])
        baseline.wait_until_equal()


if __name__ == "__main__":
    main()
