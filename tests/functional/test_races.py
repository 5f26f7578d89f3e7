"""Callers who race: every verb waits for what is under way, and none leaves anything half done."""

import random
import subprocess
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "util"))
import waiting
from berth_testing import IMAGE, EngineTest, HostState, main

TRAP = "trap 'exit 7' INT; trap 'exit 8' TERM; echo ready; while :; do sleep 0.01; done"


class Races(EngineTest):
    def ready(self, name: str, *flags: str) -> None:
        self.engine.ok("run", "-d", "--name", name, *flags, IMAGE, "sh", "-c", TRAP)
        waiting.until(lambda: self.engine.ok("logs", name).endswith("ready"), "its traps are set")

    def together(self, *commands: list[str]) -> list[subprocess.CompletedProcess]:
        results: list[subprocess.CompletedProcess | None] = [None] * len(commands)

        def one(index: int) -> None:
            results[index] = self.engine.berth(*commands[index])
        threads = [threading.Thread(target=one, args=(index,)) for index in range(len(commands))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(waiting.DEADLINE)
            self.assertFalse(thread.is_alive(), "a command hangs")
        return results

    def test_one_of_many_creates_gets_the_name(self):
        results = self.together(*[["create", "--name", "one", IMAGE, "true"]] * 12)
        self.assertEqual(sorted(done.returncode for done in results), [0] + [1] * 11)
        for done in results:
            if done.returncode:
                self.assertIn("already in use", done.stderr)
        self.assertEqual(len(self.engine.ok("ps", "-aq").split()), 1)

    def test_many_starts_start_once(self):
        self.engine.ok("create", "--name", "once", IMAGE, "sleep", "1000")
        results = self.together(*[["start", "once"]] * 10)
        self.assertEqual([done.returncode for done in results], [0] * 10, [done.stderr for done in results])
        self.assertEqual(self.engine.ok("events", "--since", "1h", "--until", "0s", "--filter", "event=start",
                                        "--filter", "container=once").count("container start"), 1)

    def test_a_port_is_given_to_one_of_many(self):
        results = self.together(*[["run", "-d", "-p", "127.0.0.1:18123:80", IMAGE, "sleep", "1000"]] * 8)
        self.assertEqual(sorted(done.returncode for done in results), [0] + [125] * 7)

    def test_a_storm_on_one_container_ends_in_its_removal(self):
        baseline = HostState.take()
        dice = random.Random(7)
        for _ in range(6):
            self.engine.ok("create", "--name", "storm", IMAGE, "sleep", "1000")
            verbs = [["start", "storm"], ["stop", "-t", "0", "storm"], ["kill", "storm"], ["start", "storm"],
                     ["rename", "storm", "mrots"], ["rm", "-f", "storm"], ["inspect", "storm"], ["start", "storm"]]
            dice.shuffle(verbs)
            for done in self.together(*verbs):
                self.assertNotIn("internal", done.stderr.lower())
            self.engine.remove_all()
            self.assertEqual(self.engine.ok("ps", "-aq"), "")
        baseline.wait_until_equal()

    def test_a_restart_does_not_remove_what_is_removed_at_its_end(self):
        self.ready("brief", "--rm")
        before = self.engine.inspect("brief")["State"]["Pid"]
        self.assertEqual(self.engine.api("POST", "/containers/brief/restart?t=0")[0], 204)
        state = self.engine.inspect("brief")["State"]
        self.assertTrue(state["Running"])
        self.assertNotEqual(state["Pid"], before)
        self.engine.ok("stop", "-t", "0", "brief")
        waiting.until(lambda: not self.engine.ok("ps", "-aq"), "it is removed at its end")

    def test_a_stop_may_name_its_signal(self):
        self.ready("asked")
        self.engine.ok("stop", "--signal", "INT", "asked")
        self.assertEqual(self.engine.inspect("asked")["State"]["ExitCode"], 7)
        self.engine.ok("start", "asked")
        waiting.until(lambda: self.engine.ok("logs", "asked").count("ready") == 2, "its traps are set again")
        self.engine.ok("stop", "asked")
        self.assertEqual(self.engine.inspect("asked")["State"]["ExitCode"], 8)
        self.engine.ok("start", "asked")
        self.assertEqual(self.engine.api("POST", "/containers/asked/stop?signal=NOPE")[0], 400)


class SharedVolumes(EngineTest):
    def volume_of(self, name: str) -> Path:
        return Path(self.engine.inspect(name)["Mounts"][0]["Source"])

    def test_a_volume_goes_with_the_last_that_mounts_it(self):
        self.engine.ok("create", "--name", "owner", "-v", "/data", IMAGE, "true")
        source = self.volume_of("owner")
        self.engine.ok("create", "--name", "guest", "-v", f"{source.parent.name}:/data", IMAGE, "true")
        self.engine.ok("rm", "-v", "owner")
        self.assertTrue(source.exists(), "another container mounts it")

    def test_a_volume_that_is_not_removed_stays_for_good(self):
        self.engine.ok("create", "--name", "owner", "-v", "/data", IMAGE, "true")
        source = self.volume_of("owner")
        (source / "file").write_text("kept")
        self.engine.ok("rm", "owner")
        self.engine.kill()
        self.engine.start()
        self.assertEqual(self.engine.ok("run", "--rm", "-v", f"{source.parent.name}:/data", IMAGE, "cat", "/data/file"),
                         "kept")

    def test_a_creation_that_fails_leaves_no_volume(self):
        before = set((self.engine.root / "volumes").iterdir())
        mounts = [{"Type": "volume", "Target": "/data"},
                  {"Type": "bind", "Source": "/no/such/directory", "Target": "/x"}]
        status, answer = self.engine.api("POST", "/containers/create",
                                         {"Image": IMAGE, "Cmd": ["true"], "HostConfig": {"Mounts": mounts}})
        self.assertEqual(status, 400, answer)
        self.assertEqual(set((self.engine.root / "volumes").iterdir()), before)


if __name__ == "__main__":
    main()
