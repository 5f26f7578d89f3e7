"""Bad input: one clear sentence, docker's exit code, and nothing half made left behind."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "util"))

import images
import waiting
from berth_testing import BIN, IMAGE, Engine, EngineTest, HostState, main
from small_disk import SmallDiskTest, holder_of


class RefusedTest(EngineTest):
    # Without a pool that fills up behind one's back, namespaces and links can be counted.
    flags = ("--sandbox-pool", "0")

    def refused(self, *arguments: str, code: int, says: str) -> None:
        """Fails as asked, says it in one sentence, and leaves the host as it was."""
        before, names = HostState.take(), self.engine.ok("ps", "-aq")
        done = self.engine.berth(*arguments)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertIn(says.lower(), done.stderr.lower())
        # Docker adds the usage, and a line that points to --help; the reason itself is one line.
        reason = [line for line in done.stderr.strip().split("\n")
                  if line and "--help" not in line and not line.startswith("Usage:")]
        self.assertEqual(len(reason), 1, done.stderr)
        self.assertEqual(self.engine.ok("ps", "-aq"), names)
        before.wait_until_equal()


class Run(RefusedTest):
    def test_an_unknown_image(self):
        self.refused("run", "--rm", "--pull", "never", "never-seen", "true", code=125, says="no such image: never-seen")

    def test_a_bad_reference(self):
        for reference in ("Upper", "a:b:c", "-x", "a@sha256:12", ":tag"):
            self.refused("run", "--rm", "--", reference, "true", code=125, says="invalid reference format")

    def test_a_bad_name(self):
        self.refused("run", "--rm", "--name", "no/slash", IMAGE, "true", code=125, says="invalid container name")

    def test_a_duplicate_name(self):
        self.engine.ok("create", "--name", "twin", IMAGE)
        self.refused("run", "--rm", "--name", "twin", IMAGE, "true", code=125, says="already in use")

    def test_a_port_that_another_container_has(self):
        self.engine.ok("run", "-d", "-p", "127.0.0.1:18090:80", IMAGE, "sleep", "1000")
        self.refused("run", "--rm", "-p", "127.0.0.1:18090:80", IMAGE, "true", code=125, says="already")

    def test_a_port_that_the_host_uses(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            self.refused("run", "--rm", "-p", f"127.0.0.1:{port}:80", IMAGE, "true", code=125,
                         says="address already in use")

    def test_a_bad_port(self):
        for port in ("99999:80", "http:80", "1.2.3.4.5:80:80"):
            self.refused("run", "--rm", "-p", port, IMAGE, "true", code=125, says="invalid")

    def test_a_missing_program(self):
        self.refused("run", "--rm", IMAGE, "no-such-program", code=127, says="executable file not found in $PATH")
        self.refused("run", "--rm", IMAGE, "/no/such/program", code=127, says="no such file or directory")

    def test_a_program_that_is_not_executable(self):
        self.refused("run", "--rm", IMAGE, "/etc/not-executable", code=126, says="permission denied")

    def test_a_bad_flag(self):
        self.refused("run", "--no-such-flag", IMAGE, "true", code=125, says="unknown flag: --no-such-flag")
        self.refused("run", "--memory", "12q", IMAGE, "true", code=125, says="12q")
        self.refused("run", "-v", "relative:also-relative", IMAGE, "true", code=125, says="also-relative")
        self.refused("run", code=1, says="requires at least 1 argument")

    def test_limits_that_this_host_cannot_give(self):
        cpus = len(os.sched_getaffinity(0))
        for wanted in ("0.001", "-1", str(cpus + 1), "9000000000"):
            self.refused("run", "--rm", "--cpus", wanted, IMAGE, "true", code=125, says="cpus")
        for flags, says in ((("--memory", "5m"), "minimum memory limit allowed is 6mb"),
                            (("--memory", "64m", "--memory-swap", "32m"), "larger than memory limit"),
                            (("--memory-swap", "64m"), "always set the memory limit"),
                            (("--pids-limit", "99999999"), "pids limit")):
            self.refused("run", "--rm", *flags, IMAGE, "true", code=125, says=says)

    def test_log_options_that_would_have_no_effect(self):
        self.refused("run", "--rm", "--log-opt", "max-size=1m", IMAGE, "true", code=125,
                     says="--log-opt max-size is not supported yet")

    def test_an_archive_that_is_not_there(self):
        self.refused("load", "-i", "/no/such/archive.tar", code=1, says="/no/such/archive.tar")
        self.refused("import", "/no/such/rootfs.tar", "x:1", code=1, says="/no/such/rootfs.tar")

    def test_an_unknown_command(self):
        self.refused("no-such-verb", code=1, says="no-such-verb")

    def test_an_unknown_network(self):
        self.refused("run", "--rm", "--network", "nowhere", IMAGE, "true", code=125, says="network nowhere not found")

    def test_a_wall_that_does_not_exist(self):
        self.refused("run", "--rm", "--isolation", "paper", IMAGE, "true", code=125, says="paper")

    def test_a_create_that_failed_leaves_the_name_free(self):
        self.engine.berth("run", "--name", "again", IMAGE, "no-such-program")
        self.engine.berth("rm", "again")
        self.engine.ok("run", "--rm", "--name", "again", IMAGE, "true")


class Api(EngineTest):
    """The daemon is asked directly: what no command line would send."""

    def test_requests_that_are_not_requests(self):
        for method, path, body, status in (
                ("POST", "/v1.41/containers/create", "text", 400),
                ("POST", "/v1.41/containers/create", {"Image": 7}, 400),
                ("POST", "/v1.41/containers/create", {"Image": ""}, 400),
                ("POST", "/v1.41/containers/create", {"Image": "never-seen"}, 404),
                ("POST", "/v1.41/containers/create?name=../x", {"Image": IMAGE}, 400),
                ("POST", "/v1.41/containers/create", {"Image": IMAGE, "HostConfig": {"Memory": "x"}}, 400),
                ("GET", "/v1.41/containers/json?filters=%7B", None, 400),
                ("GET", "/v1.41/containers/nobody/json", None, 404),
                ("GET", "/v1.41/no/such/route", None, 404),
                ("GET", "/v99.0/info", None, 400),
        ):
            answer = self.engine.api(method, path, body)
            self.assertEqual(answer[0], status, (method, path, answer))
            self.assertIn("message", answer[1])

    def test_an_attach_with_keys_that_are_none(self):
        self.engine.ok("create", "--name", "keys", IMAGE)
        status, answer = self.engine.api("POST", "/v1.41/containers/keys/attach?stream=1&stdout=1&detachKeys=ctrl-1")
        self.assertEqual(status, 400)
        self.assertIn("ctrl-1", answer["message"])

    def test_a_client_that_sends_rubbish_or_goes_away(self):
        for rubbish in (b"\0" * 1000, b"GET / HTTP/9.9\r\n\r\n", b"POST /v1.41/images/load HTTP/1.1\r\nHost: x\r\n"
                        b"Content-Length: 1000000\r\n\r\nshort", b"GET /" + b"a" * 1_000_000):
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(10)
                client.connect(self.engine.socket)
                try:
                    client.sendall(rubbish)
                except OSError:
                    pass
        self.assertTrue(self.engine.answers())


class NoEngine(EngineTest):
    def test_an_engine_that_is_not_running(self):
        environment = {**os.environ, "BERTH_HOST": "unix:///run/nowhere.sock"}
        for arguments, code in ((["ps"], 1), (["run", "--rm", IMAGE, "true"], 125), (["version"], 1)):
            done = subprocess.run([BIN / "berth", *arguments], env=environment, capture_output=True, text=True,
                                  check=False)
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertIn("cannot connect", done.stderr.lower())
            self.assertIn("/run/nowhere.sock", done.stderr)

    def test_a_second_engine_on_the_same_root(self):
        other = Engine(root=str(self.engine.root))
        done = subprocess.run(other.command(), capture_output=True, text=True, timeout=30, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(str(self.engine.root), done.stderr)
        self.assertEqual(len(done.stderr.strip().split("\n")), 1, done.stderr)
        shutil.rmtree(other.base)

    def test_a_bad_flag_of_the_daemon(self):
        other = Engine()
        self.addCleanup(shutil.rmtree, other.base)
        for flags in (["--no-such-flag"], ["--host", "tcp://0.0.0.0:1"]):
            done = subprocess.run([*other.command(), *flags], capture_output=True, text=True, timeout=30, check=False)
            self.assertNotEqual(done.returncode, 0, flags)
            self.assertIn(flags[-1], done.stderr)
            self.assertEqual(len(done.stderr.strip().split("\n")), 1, done.stderr)

    def test_without_root(self):
        directory = tempfile.mkdtemp(prefix="user-")
        self.addCleanup(shutil.rmtree, directory)
        program = shutil.copy(BIN / "berthd", directory)
        os.chmod(directory, 0o755)
        done = subprocess.run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", program,
                               "--root", "/tmp/no-root", "--run", "/tmp/no-run", "--host", "unix:///tmp/no.sock"],
                              capture_output=True, text=True, timeout=30, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("root", done.stderr)
        self.assertEqual(len(done.stderr.strip().split("\n")), 1, done.stderr)

    def test_the_socket_is_not_for_everyone(self):
        directory = tempfile.mkdtemp(prefix="user-")
        self.addCleanup(shutil.rmtree, directory)
        program = shutil.copy(BIN / "berth", directory)
        os.chmod(directory, 0o755)
        os.chmod(self.engine.base, 0o755)
        nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", program]
        for arguments, code in ((["ps"], 1), (["run", "--rm", IMAGE, "true"], 125)):
            done = subprocess.run([*nobody, *arguments], env=self.engine.environment(), capture_output=True, text=True,
                                  timeout=30, check=False)
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertIn("permission denied", done.stderr.lower())


class DiskFull(SmallDiskTest):
    def test_a_load_that_does_not_fit(self):
        free = shutil.disk_usage(self.disk).free
        layer = images.tar_of(lambda tar: images.add_file(tar, "big", os.urandom(40 << 20)))
        self.fails("load", code=1, says="no space left", stdin=images.docker_archive("big:1", [layer]))
        self.assertAlmostEqual(shutil.disk_usage(self.disk).free, free, delta=1 << 20)
        self.assertNotIn("big", self.engine.ok("images"))
        self.assertEqual(self.engine.ok("run", "--rm", IMAGE, "echo", "works"), "works")

    def test_an_import_that_does_not_fit(self):
        free = shutil.disk_usage(self.disk).free
        rootfs = images.tar_of(lambda tar: images.add_file(tar, "big", os.urandom(40 << 20)))
        self.fails("import", "-", "big:2", code=1, says="no space left", stdin=rootfs)
        self.assertAlmostEqual(shutil.disk_usage(self.disk).free, free, delta=1 << 20)
        self.assertNotIn("big", self.engine.ok("images"))
        self.assertEqual(self.engine.ok("run", "--rm", IMAGE, "echo", "works"), "works")

    def test_an_end_on_a_full_disk_while_no_daemon_lives(self):
        self.engine.ok("run", "-d", "--name", "ends", IMAGE, "sh", "-c",
                       "trap 'exit 7' TERM; echo ready; while :; do sleep 0.01; done")
        waiting.until(lambda: self.engine.ok("logs", "ends") == "ready", "its trap is set")
        state = self.engine.inspect("ends")["State"]
        self.engine.kill()
        self.fill()
        holder = holder_of(state["Pid"])
        os.kill(state["Pid"], signal.SIGTERM)
        waiting.until(lambda: not Path(f"/proc/{holder}").exists(), "it and its holder end")
        self.free()
        self.engine.start()
        self.assertEqual(self.engine.ok("wait", "ends"), "7")
        self.engine.ok("rm", "ends")
        self.before.wait_until_equal()

    def test_a_run_on_a_full_disk(self):
        self.fill()
        done = self.engine.berth("run", "--rm", IMAGE, "true")
        self.free()
        self.assertIn(done.returncode, (0, 125))
        if done.returncode:
            self.assertRegex(done.stderr.lower(), "no space left|disk is full")
        self.assertEqual(self.engine.ok("run", "--rm", IMAGE, "echo", "works"), "works")
        self.before.wait_until_equal()


if __name__ == "__main__":
    main()
