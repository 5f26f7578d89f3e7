"""The unmodified docker command line against berthd: what it prints, and the exit codes that docker gives."""

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import termios
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "util"))

import images
import waiting
from berth_testing import IMAGE, EngineTest, main

DOCKER = shutil.which("docker")


class DockerTest(EngineTest):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        # No plug-ins and no context of the user's: DOCKER_HOST alone decides.
        config = cls.engine.base / "docker-config"
        config.mkdir()
        os.environ["DOCKER_CONFIG"] = str(config)
        os.environ.pop("DOCKER_CONTEXT", None)

    def docker(self, *arguments: str, **options) -> subprocess.CompletedProcess:
        return self.engine.berth(*arguments, program=DOCKER, **options)

    def ok(self, *arguments: str, **options) -> str:
        done = self.docker(*arguments, **options)
        self.assertEqual(done.returncode, 0, f"docker {' '.join(arguments)}: {done.stderr}")
        return done.stdout.rstrip("\n")

    def fails(self, *arguments: str, code: int, says: str, **options) -> None:
        done = self.docker(*arguments, **options)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertIn(says.lower(), done.stderr.lower())

    def follow(self, *arguments: str, **options) -> subprocess.Popen:
        process = self.engine.popen(*arguments, program=DOCKER, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                    **options)
        self.addCleanup(lambda: (process.kill(), process.communicate()))
        return process

    def state(self, name: str) -> dict:
        return json.loads(self.ok("inspect", name))[0]["State"]


class System(DockerTest):
    def test_version_shows_both_sides(self):
        shown = self.ok("version")
        self.assertIn("Client:", shown)
        self.assertIn("Server:", shown)
        self.assertRegex(self.ok("version", "--format", "{{.Server.Version}}"), r"^\d+\.\d+")
        self.assertRegex(self.ok("version", "--format", "{{.Server.APIVersion}}"), r"^1\.\d+$")

    def test_info_counts(self):
        self.ok("run", "-d", IMAGE, "sleep", "1000")
        shown = json.loads(self.ok("info", "--format", "{{json .}}"))
        self.assertEqual((shown["Containers"], shown["ContainersRunning"], shown["Images"]), (1, 1, 1))
        self.assertFalse(shown.get("ServerErrors"))
        self.assertIn("Server Version", self.ok("info"))

    def test_events_tell_a_life(self):
        name = "told"
        self.docker("run", "--name", name, IMAGE, "sh", "-c", "exit 3")
        self.ok("rm", name)
        watcher = self.follow("events", "--since", "1h", "--filter", f"container={name}", "--format", "{{.Action}}")
        shown = waiting.read_until(watcher.stdout, b"destroy\n").decode()
        order = [word for word in shown.split() if word in ("create", "start", "die", "destroy")]
        self.assertEqual(order, ["create", "start", "die", "destroy"])


class Images(DockerTest):
    def test_load_prints_what_docker_prints(self):
        self.assertIn("Loaded image: loaded:1", self.ok("load", stdin=images.busybox_image("loaded:1")))
        archive = self.engine.base / "oci.tar"
        archive.write_bytes(images.oci_archive("loaded:2", [images.busybox_rootfs()]))
        self.assertIn("Loaded image: loaded:2", self.ok("load", "-i", str(archive)))
        self.ok("rmi", "loaded:1", "loaded:2")

    def test_a_damaged_archive_is_an_error(self):
        self.fails("load", code=1, says="", stdin=images.busybox_image("damaged:1")[:100_000])
        self.assertNotIn("damaged", self.ok("images"))

    def test_import_images_inspect_rmi(self):
        identity = self.ok("import", "-m", "made by hand", "-c", 'CMD ["/bin/echo", "hi"]', "-", "made:1",
                           stdin=images.busybox_rootfs())
        self.assertRegex(identity, "^sha256:[0-9a-f]{64}$")
        self.assertRegex(self.ok("images"), rf"made +1 +{identity[7:19]} ")
        self.assertEqual(self.ok("images", "-q", "--no-trunc", "made:1"), identity)
        self.assertEqual(json.loads(self.ok("image", "inspect", "made:1"))[0]["Id"], identity)
        self.assertEqual(self.ok("run", "--rm", "made:1"), "hi")
        self.assertIn("Untagged: made:1", self.ok("rmi", "made:1"))

    def test_an_unknown_image(self):
        self.fails("rmi", "never-seen", code=1, says="no such image: never-seen")
        self.fails("run", "--rm", "--pull", "never", "never-seen", code=125, says="no such image: never-seen")


class Run(DockerTest):
    def test_foreground(self):
        done = self.docker("run", "--rm", IMAGE, "sh", "-c", "echo out; echo err >&2; exit 7")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (7, "out\n", "err\n"))
        waiting.until(lambda: not self.ok("ps", "-aq"), "--rm removes it")

    def test_fifty_short_runs_lose_no_byte(self):
        for number in range(50):
            self.assertEqual(self.ok("run", "--rm", IMAGE, "echo", str(number)), str(number))

    def test_standard_input(self):
        self.assertEqual(self.ok("run", "--rm", "-i", IMAGE, "cat", stdin=b"through\n"), "through")
        data = os.urandom(3 << 20)
        self.assertEqual(self.ok("run", "--rm", "-i", IMAGE, "wc", "-c", stdin=data), str(len(data)))

    def test_detached(self):
        identity = self.ok("run", "-d", "--name", "back", IMAGE, "sleep", "1000")
        self.assertRegex(identity, "^[0-9a-f]{64}$")
        self.assertTrue(self.state("back")["Running"])

    def test_exit_codes(self):
        self.fails("run", "--rm", "--no-such-flag", IMAGE, code=125, says="unknown flag")
        self.fails("run", "--rm", "--network", "nowhere", IMAGE, "true", code=125, says="not found")
        self.fails("run", "--rm", IMAGE, "/etc/not-executable", code=126, says="permission denied")
        self.fails("run", "--rm", IMAGE, "no-such-program", code=127, says="executable file not found in $PATH")
        self.ok("create", "--name", "twin", IMAGE)
        self.fails("run", "--name", "twin", IMAGE, code=125, says='the container name "/twin" is already in use')

    def test_flags_reach_the_workload(self):
        self.assertEqual(
            self.ok("run", "--rm", "-e", "A=1", "-w", "/tmp", "-u", "user", "--hostname", "box", IMAGE, "sh", "-c",
                    "echo $A $(pwd) $(id -un) $(hostname)"), "1 /tmp user box")

    def test_a_published_port(self):
        self.ok("run", "-d", "--name", "web", "-p", "127.0.0.1:18060:80", IMAGE, "sh", "-c",
                "echo up > /tmp/x; exec httpd -f -h /tmp")
        self.assertEqual(self.ok("port", "web"), "80/tcp -> 127.0.0.1:18060")
        fetch = ["curl", "-sf", "http://127.0.0.1:18060/x"]
        waiting.until(lambda: subprocess.run(fetch, capture_output=True, check=False).stdout == b"up\n", "it serves")

    def test_signals_are_passed_on(self):
        client = self.follow("run", "--name", "proxied", IMAGE, "sh", "-c",
                             "trap 'exit 11' TERM; echo up; while :; do usleep 1000; done")
        waiting.read_until(client.stdout, b"up\n")
        client.send_signal(signal.SIGTERM)
        self.assertEqual(client.wait(waiting.DEADLINE), 11)


class Terminal(DockerTest):
    """docker run -it with a terminal on this side."""

    def run_on_a_terminal(self, *arguments: str, rows: int = 24, columns: int = 80) -> tuple[subprocess.Popen, int]:
        ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (rows, columns))
        process = self.engine.popen(*arguments, program=DOCKER, stdin=theirs, stdout=theirs, stderr=theirs,
                                    start_new_session=True)
        self.addCleanup(lambda: (process.kill(), process.wait(), os.close(ours), os.close(theirs)))
        return process, ours

    def test_the_workload_has_a_terminal_of_our_size(self):
        process, terminal = self.run_on_a_terminal("run", "--rm", "-it", IMAGE, "sh", rows=33, columns=111)
        # The size is set by a request of its own after the start, so ask until it is there.
        os.write(terminal, b"until [ \"$(stty size)\" = '33 111' ]; do usleep 1000; done; tty; exit 5\n")
        self.assertIn(b"/dev/pts/0", waiting.read_until(terminal, b"/dev/pts/0\r\n"))
        self.assertEqual(process.wait(waiting.DEADLINE), 5)

    def test_a_resize_reaches_the_workload(self):
        process, terminal = self.run_on_a_terminal("run", "--rm", "-it", IMAGE, "sh")
        os.write(terminal, b"until [ \"$(stty size)\" = '24 80' ]; do usleep 1000; done; echo re''ady\n")
        waiting.read_until(terminal, b"ready\r\n")
        termios.tcsetwinsize(terminal, (50, 132))
        process.send_signal(signal.SIGWINCH)
        os.write(terminal, b"until [ \"$(stty size)\" = '50 132' ]; do usleep 1000; done; exit 9\n")
        self.assertEqual(process.wait(waiting.DEADLINE), 9)

    def test_control_c_interrupts_the_workload(self):
        process, terminal = self.run_on_a_terminal("run", "--rm", "-it", IMAGE, "sh", "-c",
                                                   "trap 'exit 12' INT; echo up; while :; do usleep 1000; done")
        waiting.read_until(terminal, b"up\r\n")
        os.write(terminal, b"\x03")
        self.assertEqual(process.wait(waiting.DEADLINE), 12)

    def test_detach_keys_leave_it_running(self):
        process, terminal = self.run_on_a_terminal("run", "-it", "--name", "left", IMAGE, "sh")
        os.write(terminal, b"echo re''ady\n")
        waiting.read_until(terminal, b"ready\r\n")
        os.write(terminal, b"\x10\x11")  # ctrl-p ctrl-q
        process.wait(waiting.DEADLINE)
        self.assertTrue(self.state("left")["Running"])
        again, terminal = self.run_on_a_terminal("attach", "left")
        os.write(terminal, b"exit 4\n")
        self.assertEqual(again.wait(waiting.DEADLINE), 4)

    def test_i_without_a_terminal_is_refused_with_t(self):
        self.fails("run", "--rm", "-it", IMAGE, "true", code=1, says="not a tty")


class Lifecycle(DockerTest):
    def test_ps_logs_stop_start_kill_rm(self):
        self.ok("run", "-d", "--name", "one", IMAGE, "sh", "-c", "echo hello; exec sleep 1000")
        self.assertRegex(self.ok("ps"), r"busybox(:latest)? +\"sh -c 'echo hello; .* Up .* one")
        waiting.until(lambda: self.ok("logs", "one") == "hello", "the log has the line")
        self.assertEqual(self.ok("stop", "-t", "0", "one"), "one")
        self.assertEqual(self.ok("ps", "-q"), "")
        self.assertIn("Exited (137)", self.ok("ps", "-a"))
        self.assertEqual(self.ok("start", "one"), "one")
        self.assertEqual(self.ok("kill", "one"), "one")
        self.assertEqual(self.ok("wait", "one"), "137")
        self.assertEqual(self.ok("rm", "one"), "one")
        self.fails("inspect", "one", code=1, says="no such object: one")

    def test_logs_follow_to_the_end(self):
        self.ok("run", "-d", "--name", "chatty", IMAGE, "sh", "-c",
                "echo first; trap 'echo last; exit' TERM; while :; do usleep 1000; done")
        follower = self.follow("logs", "-f", "chatty")
        waiting.read_until(follower.stdout, b"first\n")
        self.ok("stop", "chatty")
        self.assertEqual(follower.communicate(timeout=waiting.DEADLINE)[0], b"last\n")

    def test_attach(self):
        self.ok("run", "-d", "-i", "--name", "open", IMAGE, "sh", "-c", "read x; echo got $x; exit 6")
        attached = self.follow("attach", "open", stdin=subprocess.PIPE)
        attached.stdin.write(b"this\n")
        attached.stdin.flush()
        waiting.read_until(attached.stdout, b"got this\n")
        self.assertEqual(attached.wait(waiting.DEADLINE), 6)

    def test_errors_of_each_verb(self):
        for verb in ("start", "stop", "kill", "rm", "logs", "wait"):
            self.fails(verb, "nobody", code=1, says="no such container: nobody")

    def test_rm_wants_force_while_it_runs(self):
        self.ok("run", "-d", "--name", "busy", IMAGE, "sleep", "1000")
        self.fails("rm", "busy", code=1, says="running")
        self.ok("rm", "-f", "busy")

    def test_it_all_works_for_a_daemon_that_was_killed(self):
        self.ok("run", "-d", "--name", "older", IMAGE, "sh", "-c", "echo before; exec sleep 1000")
        self.engine.kill()
        self.engine.start()
        self.assertIn("older", self.ok("ps"))
        self.ok("stop", "-t", "0", "older")
        self.assertEqual(self.ok("wait", "older"), "137")


if __name__ == "__main__":
    if DOCKER is None:
        print("skipped: no docker command line on PATH")
        sys.exit(77)
    main()
