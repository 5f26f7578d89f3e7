"""The life of a container through the command line: create, start, stop, kill, rm, ps, inspect, logs, wait, attach,
events."""

import json
import signal
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "util"))

import waiting
from berth_testing import IMAGE, EngineTest, main


class LifecycleTest(EngineTest):
    def background(self, *command: str, flags: tuple[str, ...] = ()) -> str:
        return self.engine.ok("run", "-d", *flags, IMAGE, *(command or ("sleep", "1000")))

    def status(self, name: str) -> str:
        return self.engine.inspect(name)["State"]["Status"]

    def follow(self, *arguments: str, **options) -> subprocess.Popen:
        """A command that goes on until told, or until the test ends."""
        process = self.engine.popen(*arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)

        def end() -> None:
            process.kill()
            process.communicate()
        self.addCleanup(end)
        return process


class States(LifecycleTest):
    def test_create_start_stop_start_rm(self):
        name = self.engine.ok("create", "--name", "one", IMAGE, "sleep", "1000")
        self.assertEqual(self.status("one"), "created")
        self.assertEqual(self.engine.ok("start", "one"), "one")
        self.assertEqual(self.status("one"), "running")
        self.assertEqual(self.engine.ok("stop", "-t", "0", "one"), "one")
        self.assertEqual(self.status("one"), "exited")
        self.assertEqual(self.engine.inspect("one")["State"]["ExitCode"], 137)
        self.engine.ok("start", name[:12])
        self.assertEqual(self.status("one"), "running")
        self.engine.ok("rm", "-f", "one")
        self.fails("inspect", "one", code=1, says="no such")

    def test_a_restarted_container_keeps_its_files_and_log(self):
        self.engine.ok("create", "--name", "twice", IMAGE, "sh", "-c", "echo run >> /count; cat /count")
        self.engine.ok("start", "-a", "twice")
        self.assertEqual(self.engine.ok("start", "-a", "twice"), "run\nrun")
        self.assertEqual(self.engine.ok("logs", "twice"), "run\nrun\nrun")

    def test_stop_asks_first(self):
        name = self.background("sh", "-c", "trap 'echo asked; exit 7' TERM; echo ready; while :; do usleep 1000; done")
        self.wait_for_log(name, "ready")
        self.engine.ok("stop", name)
        self.assertEqual(self.engine.inspect(name)["State"]["ExitCode"], 7)
        self.assertIn("asked", self.engine.ok("logs", name))

    def test_the_stop_signal_can_be_chosen(self):
        name = self.background("sh", "-c", "trap 'exit 9' USR1; echo ready; while :; do usleep 1000; done",
                               flags=("--stop-signal", "USR1"))
        self.wait_for_log(name, "ready")
        self.engine.ok("stop", name)
        self.assertEqual(self.engine.inspect(name)["State"]["ExitCode"], 9)

    def test_kill_sends_the_signal_it_is_given(self):
        name = self.background("sh", "-c", "trap 'exit 5' HUP; echo ready; while :; do usleep 1000; done")
        self.wait_for_log(name, "ready")
        self.engine.ok("kill", "-s", "HUP", name)
        self.assertEqual(self.engine.ok("wait", name), "5")

    def test_kill_is_sigkill_by_default(self):
        name = self.background()
        self.engine.ok("kill", name)
        self.assertEqual(self.engine.ok("wait", name), "137")
        self.fails("kill", name, code=1, says="is not running")

    def test_a_running_container_is_removed_only_by_force(self):
        name = self.background()
        self.fails("rm", name, code=1, says="running")
        self.assertTrue(self.engine.is_running(name))
        self.engine.ok("rm", "-f", name)
        self.assertEqual(self.engine.ok("ps", "-aq"), "")

    def test_unknown_containers_are_named(self):
        for verb in ("start", "stop", "kill", "rm", "logs", "wait", "attach"):
            self.fails(verb, "nobody", code=1, says="no such container: nobody")

    def test_several_at_once_and_what_failed_decides_the_exit_code(self):
        names = [self.background() for _ in range(3)]
        done = self.engine.berth("stop", "-t", "0", names[0], "nobody", names[1])
        self.assertEqual((done.returncode, done.stdout.split()), (1, names[:2]))
        self.assertEqual(self.engine.ok("ps", "-q", "--no-trunc"), names[2])

    def wait_for_log(self, name: str, text: str) -> None:
        waiting.until(lambda: text in self.engine.ok("logs", name), f"{text} is in the log")


class Listing(LifecycleTest):
    def test_ps_shows_what_runs_and_a_shows_all(self):
        running = self.background(flags=("--name", "up"))
        self.engine.berth("run", "--name", "down", IMAGE, "sh", "-c", "exit 3")
        self.assertEqual(self.engine.ok("ps", "-q", "--no-trunc"), running)
        table = self.engine.ok("ps", "-a")
        self.assertRegex(table, r"CONTAINER ID +IMAGE +COMMAND +CREATED +STATUS +PORTS +NAMES")
        self.assertRegex(table, rf'{running[:12]} +busybox(:latest)? +"sleep 1000" +.* ago +Up .* +up\b')
        self.assertRegex(table, r"Exited \(3\) .* ago +down\b")

    def test_inspect_has_what_scripts_read(self):
        name = self.background(flags=("--name", "seen", "-e", "A=1", "--hostname", "box"))
        seen = self.engine.inspect("seen")
        self.assertEqual((seen["Id"], seen["Name"], seen["Path"], seen["Args"]), (name, "/seen", "sleep", ["1000"]))
        self.assertEqual(seen["Config"]["Hostname"], "box")
        self.assertIn("A=1", seen["Config"]["Env"])
        self.assertGreater(seen["State"]["Pid"], 1)
        self.assertTrue(seen["Image"].startswith("sha256:"))
        self.assertEqual(self.engine.ok("inspect", "-f", "{{.State.Status}}", "seen"), "running")

    def test_wait_prints_one_code_for_each(self):
        names = [self.background("sh", "-c", f"exit {code}") for code in (0, 4)]
        self.assertEqual(self.engine.ok("wait", *names), "0\n4")

    def test_wait_returns_when_the_workload_ends(self):
        name = self.background()
        waiter = self.follow("wait", name)
        self.engine.ok("kill", name)
        self.assertEqual(waiter.communicate(timeout=waiting.DEADLINE)[0], b"137\n")


class Logs(LifecycleTest):
    def test_streams_stay_apart_and_in_order(self):
        name = self.background("sh", "-c", "echo 1; echo 2 >&2; echo 3")
        self.engine.ok("wait", name)
        done = self.engine.berth("logs", name)
        self.assertEqual((done.stdout, done.stderr), ("1\n3\n", "2\n"))

    def test_tail_and_timestamps(self):
        name = self.background("seq", "1", "10")
        self.engine.ok("wait", name)
        self.assertEqual(self.engine.ok("logs", "--tail", "2", name), "9\n10")
        self.assertRegex(self.engine.ok("logs", "-t", "--tail", "1", name), r"^20\d\d-.*T.*Z 10$")

    def test_follow_sees_new_lines_and_ends_with_the_workload(self):
        name = self.background("sh", "-c", "echo first; trap 'echo last; exit' TERM; while :; do usleep 1000; done")
        follower = self.follow("logs", "-f", name)
        waiting.read_until(follower.stdout, b"first\n")
        self.engine.ok("stop", name)
        self.assertEqual(follower.communicate(timeout=waiting.DEADLINE)[0], b"last\n")

    def test_the_file_has_dockers_json_lines(self):
        name = self.background("sh", "-c", "echo out; echo err >&2; printf half")
        self.engine.ok("wait", name)
        with open(self.engine.inspect(name)["LogPath"], encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
        self.assertEqual(sorted((row["log"], row["stream"]) for row in rows),
                         [("err\n", "stderr"), ("half", "stdout"), ("out\n", "stdout")])
        self.assertRegex(rows[0]["time"], r"^20\d\d-.*Z$")

    def test_a_line_longer_than_a_buffer_comes_back_whole(self):
        name = self.background("sh", "-c", "head -c 100000 /dev/zero | tr '\\0' x; echo")
        self.engine.ok("wait", name)
        self.assertEqual(self.engine.ok("logs", name), "x" * 100000)


class Attach(LifecycleTest):
    def test_attach_carries_input_output_and_the_exit_code(self):
        name = self.engine.ok("run", "-d", "-i", IMAGE, "sh", "-c", "read x; echo got $x; exit 6")
        attached = self.follow("attach", name, stdin=subprocess.PIPE)
        attached.stdin.write(b"this\n")
        attached.stdin.flush()
        waiting.read_until(attached.stdout, b"got this\n")
        self.assertEqual(attached.wait(waiting.DEADLINE), 6)

    def test_two_clients_see_the_same_output(self):
        name = self.engine.ok("run", "-d", "-i", IMAGE, "sh", "-c", "while read x; do echo got $x; done")
        first, second = (self.follow("attach", name, stdin=subprocess.PIPE) for _ in range(2))
        # Each learns that it is attached by its own words coming back.
        for client, word in ((first, b"one"), (second, b"two")):
            client.stdin.write(word + b"\n")
            client.stdin.flush()
            waiting.read_until(client.stdout, b"got " + word + b"\n")
        waiting.read_until(first.stdout, b"got two\n")

    def test_start_a_attaches_before_the_first_byte(self):
        self.engine.ok("create", "--name", "quick", IMAGE, "echo", "at once")
        self.assertEqual(self.engine.ok("start", "-a", "quick"), "at once")

    def test_a_client_that_dies_leaves_the_workload_running(self):
        client = self.follow("run", "-i", "--name", "survivor", IMAGE, "sh", "-c", "echo up; sleep 1000",
                             stdin=subprocess.PIPE)
        waiting.read_until(client.stdout, b"up\n")
        client.kill()
        client.wait()
        self.assertTrue(self.engine.is_running("survivor"))

    def test_signals_to_the_client_go_to_the_workload(self):
        client = self.follow("run", "--name", "proxied", IMAGE, "sh", "-c",
                             "trap 'exit 11' TERM; echo up; while :; do usleep 1000; done")
        waiting.read_until(client.stdout, b"up\n")
        client.send_signal(signal.SIGTERM)
        self.assertEqual(client.wait(waiting.DEADLINE), 11)


class Events(LifecycleTest):
    def test_a_life_is_told_in_order(self):
        watcher = self.follow("events", "--format", "{{json .}}")
        lines = waiting.Lines(watcher.stdout)
        waiting.until(lambda: self.subscribed(lines), "the subscription is there")
        self.engine.berth("run", "--name", "told", IMAGE, "sh", "-c", "exit 3")
        self.engine.ok("rm", "told")
        told = []
        while not told or told[-1]["Action"] != "destroy":
            row = json.loads(lines.next())
            if row["Type"] == "container" and row["Actor"]["Attributes"].get("name") == "told":
                told.append(row)
        self.assertEqual([row["Action"] for row in told if row["Action"] in ("create", "start", "die", "destroy")],
                         ["create", "start", "die", "destroy"])
        die = next(row for row in told if row["Action"] == "die")["Actor"]["Attributes"]
        self.assertEqual(die["exitCode"], "3")
        self.assertRegex(die["execDuration"], r"^[0-9]+$")

    def subscribed(self, lines: waiting.Lines) -> bool:
        """An engine has no word for it, so make events until one comes through."""
        self.engine.ok("create", "--name", "probe", IMAGE)
        self.engine.ok("rm", "probe")
        return lines.arrive(0.2)

    def test_since_tells_what_has_been(self):
        self.engine.ok("run", "--name", "past", IMAGE, "true")
        watcher = self.follow("events", "--since", "1h", "--filter", "container=past")
        shown = waiting.read_until(watcher.stdout, b"container die ").decode()
        self.assertRegex(shown, r"container create .*name=past")

    def test_until_ends_by_itself(self):
        self.engine.ok("events", "--since", "1h", "--until", "0s")


if __name__ == "__main__":
    main()
