"""What dockerd and podman, whose command lines are alike, have to be able to do with berth-runtime. One suite for both."""

import json
import os
import pty
import signal
import subprocess
import tempfile
import termios
from pathlib import Path

import waiting
from callers import CallerTest, needs

IMAGE = "busybox"
HOLD = "trap 'echo told; exit 3' TERM; trap 'echo again' USR1; echo ready; while :; do sleep 1000 & wait; done"


class DockerGrammar(CallerTest):
    code_of_missing = 127  # what `exec` of a program that is not there ends with

    def run_it(self, *arguments: str, **options) -> subprocess.CompletedProcess:
        return self.caller.run("run", "--rm", *arguments, **options)

    def detached(self, script: str, *flags: str) -> str:
        """A container that is running, and has said `ready` if its script does."""
        self.caller.ok("run", "-d", "--name", "held", *flags, IMAGE, "sh", "-c", script)
        if "ready" in script:
            self.wait_for_log("ready")
        return "held"

    def wait_for_log(self, text: str) -> None:
        waiting.until(lambda: text in self.caller.ok("logs", "held"), f"{text!r} is in the log")

    def state(self, name: str = "held") -> dict:
        return json.loads(self.caller.ok("inspect", name))[0]["State"]

    def wait_for_end(self) -> dict:
        return waiting.until(lambda: None if (state := self.state())["Running"] else state, "it has ended")

    def controller(self, name: str, controller: str) -> Path:
        """The container's v1 cgroup of this controller, or its only one of v2."""
        for line in Path(f"/proc/{self.state(name)['Pid']}/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controller in controllers.split(","):
                return Path(f"/sys/fs/cgroup/{controller}{path}")
        return Path(f"/sys/fs/cgroup{path}")

    def limit(self, name: str, v1: str, v2: str) -> str:
        group = self.controller(name, v1.split(".", maxsplit=1)[0])
        file = group / v1
        return (file if file.exists() else group / v2).read_text().strip()

    def on_terminal(self, *arguments: str, size: tuple[int, int] = (33, 77)) -> tuple[int, int, subprocess.Popen]:
        """The command line on a terminal of this size: master, slave and the process."""
        master, slave = pty.openpty()
        termios.tcsetwinsize(slave, size)
        self.addCleanup(os.close, master)
        process = subprocess.Popen(self.caller.command(*arguments), env=self.caller.environment(), stdin=slave,
                                   stdout=slave, stderr=slave, start_new_session=True)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return master, slave, process

    # Output, input and exit codes

    def test_the_runtime_is_berth_s(self):
        self.detached("sleep 1000")
        shown = self.caller.ok("inspect", "held")
        self.assertIn("berth", json.loads(shown)[0].get("OCIRuntime") or json.loads(shown)[0]["HostConfig"]["Runtime"])

    def test_output_and_errors_come_back_apart(self):
        done = self.run_it(IMAGE, "sh", "-c", "echo out; echo err >&2")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "out\n", "err\n"))

    def test_input_goes_in(self):
        self.assertEqual(self.run_it("-i", IMAGE, "cat", stdin=b"through\n").stdout, "through\n")

    def test_exit_codes(self):
        for words, code in ((("sh", "-c", "exit 7"), 7), (("/etc/not-executable",), 126), (("nosuch",), 127)):
            with self.subTest(words=words):
                done = self.run_it(IMAGE, *words)
                self.assertEqual(done.returncode, code, done.stderr)

    def test_what_cannot_be_executed_is_named(self):
        self.assertRegex(self.run_it(IMAGE, "nosuch").stderr, r'exec: .*nosuch.*: executable file not found in \$PATH')

    # Terminals

    def test_a_terminal(self):
        self.assertEqual(self.run_it("-t", IMAGE, "tty").stdout.strip(), "/dev/pts/0")

    def test_a_terminal_follows_the_size_of_the_caller_s(self):
        master, slave, process = self.on_terminal("run", "--rm", "-it", IMAGE, "sh", "-c",
                                                  "while :; do stty size; sleep 0.1; done")
        # The caller sets the size behind one's back: it need not be the first that is told.
        waiting.read_until(master, b"33 77")
        termios.tcsetwinsize(slave, (20, 50))
        process.send_signal(signal.SIGWINCH)
        waiting.read_until(master, b"20 50")

    # Lives

    def test_stop_tells_and_waits(self):
        self.detached(HOLD)
        self.caller.ok("stop", "-t", "30", "held")
        self.assertEqual(self.state()["ExitCode"], 3)
        self.assertIn("told", self.caller.ok("logs", "held"))

    def test_stop_kills_what_does_not_listen(self):
        self.detached("sleep 1000")
        self.caller.ok("stop", "-t", "0", "held")
        self.assertEqual(self.state()["ExitCode"], 137)

    def test_kill_sends_the_signal(self):
        self.detached(HOLD)
        self.caller.ok("kill", "--signal", "USR1", "held")
        self.wait_for_log("again")
        self.caller.ok("kill", "held")
        self.assertEqual(self.wait_for_end()["ExitCode"], 137)

    def test_a_container_starts_again(self):
        self.detached("sleep 1000")
        self.caller.ok("kill", "held")
        self.wait_for_end()
        self.caller.ok("start", "held")
        self.assertTrue(self.state()["Running"])

    def test_one_that_runs_is_removed_by_force(self):
        self.detached("sleep 1000")
        pidfd = os.pidfd_open(self.state()["Pid"])
        self.caller.ok("rm", "-f", "held")
        waiting.until(lambda: waiting.select.select([pidfd], [], [], 0)[0], "its process has ended")
        os.close(pidfd)

    # What a container is like

    def test_limits_are_in_the_cgroup(self):
        self.detached("sleep 1000", "-m", "64m", "--pids-limit", "77", "--cpus", "0.5")
        self.assertEqual(self.limit("held", "memory.limit_in_bytes", "memory.max"), str(64 << 20))
        self.assertEqual(self.limit("held", "pids.max", "pids.max"), "77")
        self.assertEqual(self.limit("held", "cpu.cfs_quota_us", "cpu.max").split()[0], "50000")

    def test_a_container_of_6_mib_starts(self):
        self.assertEqual(self.run_it("-m", "6m", IMAGE, "echo", "small").stdout, "small\n")

    def test_who_takes_too_much_memory_is_killed(self):
        self.detached("head -c 100m /dev/zero | tail", "-m", "16m")
        self.assertEqual(self.wait_for_end()["ExitCode"], 137)

    def test_user_and_capabilities(self):
        done = self.run_it("--cap-drop", "ALL", "--user", "1000:1000", "--security-opt", "no-new-privileges", IMAGE, "sh",
                           "-c", "id -u; grep -E 'CapBnd|NoNewPrivs' /proc/self/status")
        self.assertEqual(done.stdout.split(), ["1000", "CapBnd:", "0" * 16, "NoNewPrivs:", "1"], done.stderr)

    def test_a_directory_of_the_host(self):
        with tempfile.TemporaryDirectory() as directory:
            Path(directory, "in").write_text("from the host\n")
            done = self.run_it("-v", f"{directory}:/shared", IMAGE, "sh", "-c", "cat /shared/in; echo back > /shared/out")
            self.assertEqual(done.stdout, "from the host\n", done.stderr)
            self.assertEqual(Path(directory, "out").read_text(), "back\n")

    def test_environment_directory_and_host_name(self):
        done = self.run_it("-e", "A=b c", "-w", "/var", "--hostname", "named", IMAGE, "sh", "-c",
                           'echo "$A"; pwd; hostname')
        self.assertEqual(done.stdout, "b c\n/var\nnamed\n", done.stderr)

    def test_stats(self):
        self.detached("sleep 1000", "-m", "64m")
        self.assertRegex(self.caller.ok("stats", "--no-stream", "held"), r"64MiB|67\.11MB")

    # The verbs beside the life

    @needs("pause", "resume")
    def test_pause(self):
        self.detached(HOLD)
        self.caller.ok("pause", "held")
        self.assertEqual(self.state()["Status"], "paused")
        frozen = self.controller("held", "freezer")
        file = frozen / "freezer.state"
        self.assertIn((file if file.exists() else frozen / "cgroup.freeze").read_text().strip(), ("FROZEN", "1"))
        self.caller.ok("unpause", "held")
        self.assertEqual(self.state()["Status"], "running")
        self.caller.ok("kill", "--signal", "USR1", "held")
        self.wait_for_log("again")

    @needs("pause")
    def test_a_paused_one_is_removed_by_force(self):
        self.detached("sleep 1000")
        self.caller.ok("pause", "held")
        self.caller.ok("rm", "-f", "held")

    @needs("ps")
    def test_top(self):
        self.detached("sleep 1000")
        self.assertIn("sleep 1000", self.caller.ok("top", "held"))

    @needs("update")
    def test_update(self):
        self.detached("sleep 1000", "-m", "64m", "--cpus", "0.5")
        self.caller.ok("update", "--cpus", "0.25", "held")
        self.assertEqual(self.limit("held", "cpu.cfs_quota_us", "cpu.max").split()[0], "25000")
        self.assertEqual(self.limit("held", "memory.limit_in_bytes", "memory.max"), str(64 << 20))

    @needs("exec")
    def test_exec(self):
        self.detached("sleep 1000")
        self.assertEqual(self.caller.ok("exec", "held", "echo", "inside"), "inside")
        self.assertEqual(self.caller.ok("exec", "-i", "held", "cat", stdin=b"through\n"), "through")
        self.assertEqual(self.caller.run("exec", "held", "sh", "-c", "exit 5").returncode, 5)
        self.assertEqual(self.caller.run("exec", "held", "sh", "-c", "kill -9 $$").returncode, 137)
        self.assertTrue(self.state()["Running"])

    @needs("exec")
    def test_exec_as_another_user_elsewhere(self):
        self.detached("sleep 1000")
        self.assertEqual(self.caller.ok("exec", "-u", "1000:2000", "-w", "/tmp", "-e", "A=b", "held", "sh", "-c",
                                        "id -u; id -g; pwd; echo $A").split(), ["1000", "2000", "/tmp", "b"])

    @needs("exec")
    def test_exec_of_what_cannot_be_executed(self):
        self.detached("sleep 1000")
        for word, code in (("nosuch", self.code_of_missing), ("/etc/not-executable", 126)):
            done = self.caller.run("exec", "held", word)
            self.assertEqual(done.returncode, code, done.stderr + done.stdout)

    @needs("exec")
    def test_exec_on_a_terminal(self):
        self.detached("sleep 1000")
        master, _, process = self.on_terminal("exec", "-it", "held", "sh", "-c", "tty; read x; echo got $x; exit 6")
        waiting.read_until(master, b"/dev/pts/")
        os.write(master, b"word\n")
        waiting.read_until(master, b"got word")
        self.assertEqual(process.wait(waiting.DEADLINE), 6)

    @needs("exec")
    def test_exec_in_the_background_goes_on(self):
        self.detached("sleep 1000")
        self.caller.ok("exec", "-d", "held", "sh", "-c", "echo done > /made; exec sleep 999")
        waiting.until(lambda: self.caller.run("exec", "held", "cat", "/made").stdout == "done\n", "it has run")
        self.caller.ok("kill", "held")
        self.wait_for_end()

    @needs("exec")
    def test_an_exec_that_is_under_way_ends_with_the_container(self):
        self.detached("sleep 1000")
        going = subprocess.Popen(self.caller.command("exec", "held", "sh", "-c", "echo begun; exec sleep 1000"),
                                 env=self.caller.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(going.communicate)
        waiting.read_until(going.stdout, b"begun")
        self.caller.ok("kill", "held")
        self.assertEqual(going.wait(waiting.DEADLINE), 137)
