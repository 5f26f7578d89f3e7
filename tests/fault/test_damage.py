"""Damage: what a daemon makes of files that a crash, a full disk or a bad sector has left behind."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "util"))
import waiting
from berth_testing import IMAGE, EngineTest, HostState, main
from small_disk import SmallDiskTest, holder_of


class OneBadWorkload(EngineTest):
    """It is listed with the reason, and the others do not notice."""

    def setUp(self) -> None:
        self.baseline = HostState.take()
        for name in ("good", "bad"):
            self.engine.ok("run", "-d", "--name", name, IMAGE, "sleep", "1000")
        self.state = {name: self.engine.inspect(name) for name in ("good", "bad")}

    def run_dir(self, name: str) -> Path:
        return self.engine.run / "workloads" / self.state[name]["Id"]

    def check_good(self) -> None:
        now = self.engine.inspect("good")["State"]
        self.assertEqual((now["Running"], now["Pid"]), (True, self.state["good"]["State"]["Pid"]))

    def lose_holder(self, name: str) -> None:
        holder = holder_of(self.state[name]["State"]["Pid"])
        os.kill(holder, signal.SIGKILL)
        waiting.until(lambda: not Path(f"/proc/{holder}").exists(), "the holder is gone")

    def finish(self) -> None:
        self.engine.ok("rm", "-f", "good", "bad")
        self.baseline.wait_until_equal()

    def test_a_record_that_cannot_be_read(self):
        self.engine.ok("stop", "-t", "0", "bad")
        self.engine.kill()
        database = sqlite3.connect(self.engine.root / "engine.db")
        database.execute("UPDATE workloads SET record = '{\"id\": tru' WHERE name = 'bad'")
        database.commit()
        database.close()
        self.engine.start()
        self.check_good()
        self.assertIn("damaged", self.engine.inspect("bad")["State"]["Error"])
        self.fails("start", "bad", code=1, says="damaged")
        self.finish()

    def test_a_holder_that_dies_with_its_engine_alive(self):
        self.lose_holder("bad")
        self.assertEqual(self.engine.ok("wait", "bad"), "255")
        pid = self.state["bad"]["State"]["Pid"]
        waiting.until(lambda: not Path(f"/proc/{pid}").exists(), "what it held is gone too")
        self.check_good()
        self.finish()

    def test_a_holder_that_dies_while_no_engine_lives(self):
        self.engine.kill()
        self.lose_holder("bad")
        self.engine.start()
        self.check_good()
        self.assertEqual(self.engine.ok("wait", "bad"), "255")
        self.assertIn("lost", self.engine.inspect("bad")["State"]["Error"])
        self.finish()

    def test_a_lost_holder_and_half_a_record_of_what_it_had_started(self):
        self.engine.kill()
        self.lose_holder("bad")
        record = self.run_dir("bad") / "started.json"
        whole = record.read_text()
        record.write_text(whole[:len(whole) // 2])
        self.engine.start()
        self.check_good()
        state = self.engine.inspect("bad")["State"]
        self.assertEqual((state["Status"], state["ExitCode"]), ("exited", 255))
        # What the record would have said is still there: the next start makes use of it.
        self.engine.kill()
        record.write_text(whole)
        self.engine.start()
        self.check_good()
        self.finish()

    def test_an_endpoint_that_cannot_be_read(self):
        self.engine.kill()
        (self.run_dir("bad") / "endpoint.json").write_text("{")
        self.engine.start()
        self.check_good()
        self.assertTrue(self.engine.is_running("bad"))
        self.finish()

    def test_processes_outside_of_a_lost_pid_namespace_end_too(self):
        self.engine.ok("rm", "-f", "bad")
        self.engine.ok("run", "-d", "--name", "bad", "--pid", "host", IMAGE, "sh", "-c", "sleep 4321 & wait")
        self.state["bad"] = self.engine.inspect("bad")

        def sleeper() -> bool:
            return subprocess.run(["pgrep", "-f", "sleep 4321"], capture_output=True, check=False).returncode == 0
        waiting.until(sleeper, "its child runs")
        self.lose_holder("bad")
        self.assertEqual(self.engine.ok("wait", "bad"), "255")
        waiting.until(lambda: not sleeper(), "its child is gone")
        self.finish()


class EndedMeanwhile(EngineTest):
    def test_the_exit_code_of_one_that_is_removed_at_its_end_can_still_be_asked_for(self):
        self.engine.ok("run", "-d", "--rm", "--name", "brief", IMAGE, "sh", "-c",
                       "trap 'exit 7' TERM; echo ready; while :; do sleep 0.01; done")
        waiting.until(lambda: self.engine.ok("logs", "brief") == "ready", "its trap is set")
        pid = self.engine.inspect("brief")["State"]["Pid"]
        holder = holder_of(pid)
        self.engine.kill()
        os.kill(pid, signal.SIGTERM)
        waiting.until(lambda: not Path(f"/proc/{holder}").exists(), "it and its holder end")
        self.engine.start()
        self.assertEqual(self.engine.api("POST", "/containers/brief/wait"), (200, {"StatusCode": 7}))
        self.assertEqual(self.engine.api("GET", "/containers/brief/json")[0], 404)

    def test_volumes_that_nobody_named_and_nobody_mounts_go(self):
        self.engine.ok("create", "--name", "keeps", "-v", "/data", IMAGE, "true")
        name = self.engine.inspect("keeps")["Mounts"][0]["Name"]
        self.engine.kill()
        stray = self.engine.root / "volumes" / ("f" * 64)
        (stray / "_data").mkdir(parents=True)
        (stray / "anonymous").mkdir()
        named = self.engine.root / "volumes" / "named" / "_data"
        named.mkdir(parents=True)
        self.engine.start()
        self.assertFalse(stray.exists())
        self.assertTrue(named.exists())
        self.assertTrue((self.engine.root / "volumes" / name).exists())


class FullDisk(SmallDiskTest):
    def test_it_starts_lists_ends_and_removes(self):
        for name in ("runs", "ends", "rests"):
            self.engine.ok("run", "-d", "--name", name, IMAGE, "sh", "-c",
                           "trap 'exit 7' TERM; echo ready; while :; do sleep 0.01; done")
            waiting.until(lambda n=name: self.engine.ok("logs", n) == "ready", "its trap is set")
        self.engine.ok("kill", "rests")
        self.fill()
        self.assertEqual(self.engine.ok("stop", "ends"), "ends")
        self.engine.kill()
        self.engine.start()
        shown = self.engine.ok("ps", "-a", "--format", "{{.Names}} {{.State}}").split("\n")
        self.assertEqual(sorted(shown), ["ends exited", "rests exited", "runs running"])
        self.assertEqual(self.engine.inspect("ends")["State"]["ExitCode"], 7)
        self.assertEqual(self.engine.ok("stop", "runs"), "runs")
        self.assertEqual(self.engine.ok("wait", "runs"), "7")
        self.engine.ok("rm", "runs", "ends", "rests")
        self.free()
        self.assertEqual(self.engine.ok("run", "--rm", IMAGE, "echo", "works"), "works")
        self.before.wait_until_equal()


if __name__ == "__main__":
    main()
