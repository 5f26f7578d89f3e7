"""berth-runtime checkpoint and restore: the conversation with criu, its failures and what is left after them, with a stand-in
for criu. test_checkpoint_guest.py has the real one."""

import json
import os
import signal
import socket
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "util"))

import fake_criu
import waiting
from bundle import RuntimeTest, main

SLEEP = ("sh", "-c", "while :; do sleep 1000; done")


class CriuTest(RuntimeTest):
    def setUp(self) -> None:
        super().setUp()
        self.images = self.base / "images"
        self.fake = self.base / "fake"

    def tearDown(self) -> None:
        subprocess.run(["rm", "-rf", self.images, self.fake], check=True)
        super().tearDown()

    def with_criu(self, *arguments: str, plan: dict | None = None, **options) -> subprocess.CompletedProcess:
        return self.runtime(*arguments, env=fake_criu.install(self.fake, **(plan or {})), **options)

    def start(self) -> int:
        self.assertEqual(self.create(*SLEEP).returncode, 0)
        self.ok("start", "c")
        return self.state()["pid"]

    def asked(self) -> list[dict]:
        return fake_criu.asked(self.fake)

    def points(self) -> list[str]:
        return [line["point"] for line in self.asked() if "point" in line]

    def request(self) -> dict:
        return next(line for line in self.asked() if "kind" in line)

    def assert_nothing_left(self) -> None:
        self.assertFalse((self.root / "c").exists())
        self.assertEqual(self.groups(f"{self.base.name}/c"), [])


class Checkpoint(CriuTest):
    def checkpoint(self, *flags: str, **options) -> subprocess.CompletedProcess:
        return self.with_criu("checkpoint", "--image-path", str(self.images), *flags, "c", **options)

    def fails_and_runs_on(self, done: subprocess.CompletedProcess, says: str) -> None:
        self.fails(done, 1, says)
        self.assertEqual(self.state()["status"], "running")

    def test_without_criu_the_error_names_it(self):
        self.start()
        environment = os.environ | {"PATH": str(self.base)}
        done = self.runtime("checkpoint", "--image-path", str(self.images), "c", env=environment)
        self.fails_and_runs_on(done, "checkpoint and restore need criu (https://criu.org), which is not in PATH")

    def test_a_dump_ends_the_container(self):
        self.config["mounts"].append({"destination": "/data", "type": "bind", "source": str(self.base), "options": ["bind"]})
        self.config["annotations"] = {"org.criu.config": "/etc/own.conf"}
        pid = self.start()
        done = self.checkpoint("--file-locks", "--tcp-established", "--manage-cgroups-mode", "full", "--page-server", "[::1]:7")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.points(), list(fake_criu.DUMP_POINTS))
        options = self.request()["options"]
        self.assertEqual(self.request()["kind"], fake_criu.DUMP)
        for number, value in {"2": pid, "9": 4, "10": "dump.log", "12": 1, "13": str(self.rootfs.resolve()), "24": 1, "34": 4,
                              "38": 0x40000000, "50": 1, "51": "/etc/own.conf", "5": 1, "8": 1}.items():
            self.assertEqual(options[number], [value], number)
        self.assertIn("mnt[/data]:/data", options["37"])
        self.assertTrue(any(external.endswith("]:/dev/null") for external in options["37"]), "masked files")
        self.assertNotIn("3", options)
        self.assertEqual(json.loads((self.images / "descriptors.json").read_text()), [])
        self.assert_nothing_left()

    def test_pipes_of_the_caller_are_written_down(self):
        self.write_config(*SLEEP)
        with subprocess.Popen(self.command("run", "--bundle", str(self.base), "c"), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE) as process:
            waiting.until(lambda: (self.root / "c/state.json").exists() and self.state()["status"] == "running", "it runs")
            pipe = os.readlink(f"/proc/{process.pid}/fd/1")
            self.assertEqual(self.checkpoint().returncode, 0)
            self.assertEqual(process.wait(waiting.DEADLINE), 128 + signal.SIGKILL)
        self.assertEqual(json.loads((self.images / "descriptors.json").read_text())[1], pipe)

    def test_a_container_may_be_left_running(self):
        self.start()
        self.assertEqual(self.checkpoint("--leave-running").returncode, 0)
        self.assertEqual(self.request()["options"]["3"], [1])
        self.assertEqual(self.state()["status"], "running")

    def test_a_pre_dump_needs_memory_to_be_tracked(self):
        self.start()
        self.fails_and_runs_on(self.checkpoint("--pre-dump", plan={"features": {"1": 0}}), "track changes of memory")
        self.assertEqual(self.checkpoint("--pre-dump").returncode, 0)
        self.assertEqual(self.request()["kind"], fake_criu.PRE_DUMP)
        self.assertFalse((self.images / "descriptors.json").exists())
        (self.base / "images/next").mkdir()
        done = self.with_criu("checkpoint", "--leave-running", "--image-path", str(self.images / "next"), "--parent-path", "..",
                              "c")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((self.request()["options"]["14"], self.request()["options"]["15"]), ([".."], [1]))

    def test_who_waits_is_told_that_lazy_pages_are_ready(self):
        self.start()
        reading, writing = os.pipe()
        done = self.checkpoint("--lazy-pages", "--leave-running", "--status-fd", str(writing), pass_fds=(writing,),
                               plan={"points": ["pre-dump", "status-ready"]})
        os.close(writing)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(os.read(reading, 10), b"\0")
        os.close(reading)
        self.fails_and_runs_on(self.checkpoint("--lazy-pages", plan={"features": {"2": 0}}), "--lazy-pages needs")

    def test_an_old_criu_is_refused(self):
        self.start()
        self.fails_and_runs_on(self.checkpoint(plan={"version": [3, 14, 0]}), "is version 3.14, and 3.15 or newer is needed")

    def test_the_error_has_the_reason_of_criu_and_its_log(self):
        self.start()
        work = self.base / "images/work"
        done = self.checkpoint("--work-path", str(work), plan={"error": "no such thing"})
        self.fails_and_runs_on(done, "checkpoint failed: criu cannot dump the container: Error (criu/x.c:1): no such thing "
                                     f"(its log is {work}/dump.log)")

    def test_a_criu_that_dies_is_noticed(self):
        self.start()
        self.fails_and_runs_on(self.checkpoint(plan={"dies_at": "network-lock"}),
                               "criu ended before it answered, with exit code 3 (its log is")

    def test_an_answer_that_is_none_is_an_error(self):
        self.start()
        self.fails_and_runs_on(self.checkpoint(plan={"answer": "08ff"}), "what criu answered is no criu_resp")
        self.fails_and_runs_on(self.checkpoint(plan={"answer": "08021001"}), "criu answered a dump with a message 2")

    def test_the_null_device_is_the_container_s_own(self):
        # That of the host is a file of a mount that no image can name.
        inside, named = self.output("for f in /proc/self/fd/0 /dev/null; do stat -Lc %d $f; done").split()
        self.assertEqual(inside, named)

    def test_only_what_runs_can_be_written_down(self):
        self.assertEqual(self.create(*SLEEP).returncode, 0)
        self.fails(self.checkpoint(), 1, "cannot be checkpointed: it is created, not running")
        self.ok("kill", "c", "KILL")
        self.wait_for_status("stopped")
        self.fails(self.checkpoint(), 1, "cannot be checkpointed: it is stopped, not running")
        self.fails(self.with_criu("checkpoint", "nobody"), 1, "container does not exist: nobody")
        self.assertFalse(self.images.exists(), "nothing is made for what cannot be")

    def test_flags_are_checked_before_anything_is_made(self):
        self.start()
        for flags, says in ((("--manage-cgroups-mode", "none"), "soft, full, strict or ignore"),
                            (("--page-server", "here"), "ADDRESS:PORT"), (("--empty-ns", "pid"), 'namespace "pid"'),
                            (("--status-fd", "99"), "--status-fd must be an open descriptor"),
                            (("--parent-path", "/x"), "--parent-path must be relative"),
                            (("--parent-path", "gone"), "cannot find --parent-path")):
            with self.subTest(flags=flags):
                self.fails_and_runs_on(self.checkpoint(*flags), says)
        self.assertEqual(self.asked(), [])


class Restore(CriuTest):
    def setUp(self) -> None:
        super().setUp()
        self.images.mkdir()
        (self.images / "descriptors.json").write_text("[]")
        self.write_config(*SLEEP)

    def arguments(self, *flags: str) -> tuple[str, ...]:
        return ("restore", "--image-path", str(self.images), "--bundle", str(self.base), *flags, "c")

    def restore(self, *flags: str, **options) -> subprocess.CompletedProcess:
        # What is restored keeps the streams: no pipes of ours.
        environment = fake_criu.install(self.fake, **options.pop("plan", {}))
        errors = self.base / "errors"
        with errors.open("w", encoding="utf-8") as file:
            done = subprocess.run(self.command(*self.arguments(*flags)), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=file, env=environment, timeout=waiting.DEADLINE, check=False, **options)
        return subprocess.CompletedProcess(done.args, done.returncode, "", errors.read_text(encoding="utf-8"))

    def fails_without_trace(self, done: subprocess.CompletedProcess, says: str) -> None:
        self.fails(done, 1, says)
        self.assert_nothing_left()

    def test_a_container_is_made_in_criu_s_order(self):
        hooked = self.base / "images/hooked"
        self.config["hooks"] = {"createRuntime": [{"path": "/bin/sh", "args": ["sh", "-c", f"cat > {hooked}"]}]}
        self.config["mounts"].append({"destination": "/data", "type": "bind", "source": str(self.images), "options": ["bind"]})
        self.write_config()
        done = self.restore("--detach", "--pid-file", str(self.images / "pid"), "--shell-job", "--lsm-profile", "apparmor:x")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.points(), list(fake_criu.RESTORE_POINTS[:5]))
        state = self.state()
        self.assertEqual(state["status"], "running")
        self.assertEqual((self.images / "pid").read_text(), str(state["pid"]))
        self.assertEqual(json.loads(hooked.read_text())["pid"], state["pid"])
        options = self.request()["options"]
        for number, value in {"6": 1, "7": 1, "10": "restore.log", "13": str(self.rootfs.resolve()), "26": 1, "34": 3,
                              "38": 0x40000000, "50": 1, "53": "apparmor:x"}.items():
            self.assertEqual(options[number], [value], number)
        self.assertIn(f"mnt[/data]:{self.images}", options["37"])
        self.assertIn("mnt[/dev/null]:/dev/null", options["37"])
        self.assertTrue((self.rootfs / "data").is_dir(), "the place of a mount")
        # criu was in the container's cgroups, and was told of them.
        self.assertIn(f"/{self.base.name}/c", self.request()["cgroups"])
        self.assertTrue(any(f"/{self.base.name}/c" in root for root in options["25"]))
        self.fails(self.restore("--detach"), 1, "container with given ID already exists: c")

    def test_the_foreground_waits_and_deletes(self):
        go = self.base / "fake/go"
        environment = fake_criu.install(self.fake, task=f"while ! [ -e {go} ]; do sleep 0.01; done; exit 5")
        with subprocess.Popen(self.command(*self.arguments()), stdin=subprocess.DEVNULL, env=environment) as process:
            waiting.until(lambda: (self.root / "c/state.json").exists() and self.state()["status"] == "running", "it runs")
            go.touch()
            self.assertEqual(process.wait(waiting.DEADLINE), 5)
        self.assert_nothing_left()

    def test_the_terminal_goes_to_the_console_socket(self):
        self.config["process"]["terminal"] = True
        self.write_config()
        path = self.base / "fake.sock"
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            listener.bind(str(path))
            listener.listen()
            done = self.restore("--detach", "--console-socket", str(path), plan={"points": fake_criu.RESTORE_POINTS})
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            connection, _ = listener.accept()
            name, fds, _, _ = socket.recv_fds(connection, 100, 1)
            connection.close()
        self.assertEqual(name, b"/dev/ptmx")
        self.assertTrue(os.isatty(fds[0]))
        os.close(fds[0])
        self.ok("delete", "--force", "c")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            path.unlink()
            listener.bind(str(path))
            listener.listen()
            done = self.restore("--detach", "--console-socket", str(path))
        path.unlink()
        self.fails_without_trace(done, "criu brought no terminal back")

    def test_pipes_are_taken_over(self):
        (self.images / "descriptors.json").write_text('["/dev/null", "pipe:[71]", "pipe:[72]"]')
        self.assertEqual(self.restore("--detach").returncode, 0)
        self.assertEqual(self.request()["options"]["27"], ["\n\tpipe:[71]\x10\x01", "\n\tpipe:[72]\x10\x02"])

    def test_nothing_is_left_when_criu_fails(self):
        self.fails_without_trace(self.restore(plan={"error": "no such page"}),
                                 "restore failed: criu cannot restore the container: Error (criu/x.c:1): no such page "
                                 f"(its log is {self.images}/restore.log)")

    def test_nothing_is_left_when_criu_dies(self):
        for point in ("setup-namespaces", "post-restore"):
            with self.subTest(point=point):
                done = self.restore(plan={"dies_at": point})
                self.fails_without_trace(done, "criu ended before it answered, with exit code 3")

    def test_nothing_is_left_when_a_hook_fails(self):
        self.config["hooks"] = {"createRuntime": [{"path": "/bin/sh", "args": ["sh", "-c", "echo no; exit 4"]}]}
        self.write_config()
        self.fails_without_trace(self.restore(), "createRuntime")
        self.assertEqual([line["success"] for line in self.asked() if "point" in line], [True, True, False])

    def test_nothing_is_left_when_there_is_no_criu(self):
        done = self.runtime(*self.arguments(), env=os.environ | {"PATH": str(self.base)})
        self.fails_without_trace(done, "which is not in PATH")

    def test_an_old_criu_is_refused(self):
        self.fails_without_trace(self.restore(plan={"version": [3, 11, 0]}), "is version 3.11, and 3.15 or newer is needed")
        self.fails_without_trace(self.restore("--lsm-profile", "apparmor:x", plan={"version": [3, 15, 0]}),
                                 "--lsm-profile and --lsm-mount-context need criu 3.16; this one is 3.15")

    def test_what_is_no_checkpoint_is_told(self):
        (self.images / "descriptors.json").unlink()
        self.fails_without_trace(self.restore(), "has no checkpoint of a container")
        self.images.rmdir()
        self.fails_without_trace(self.restore(), str(self.images))
        self.fails_without_trace(self.restore("--no-pivot"), "--no-pivot is not supported")

    def test_what_criu_cannot_tell_apart_is_refused(self):
        self.config["linux"]["namespaces"] = [entry for entry in self.config["linux"]["namespaces"] if entry["type"] != "mount"]
        self.write_config()
        self.fails_without_trace(self.restore(), "it has no mount namespace of its own")

    def test_one_that_is_killed_leaves_what_delete_force_removes(self):
        marker = self.images / "in-hook"
        self.config["hooks"] = {"createRuntime": [{"path": "/bin/sh", "args": ["sh", "-c", f"touch {marker}; sleep 1000"]}]}
        self.write_config()
        process = subprocess.Popen(self.command(*self.arguments("--detach")), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=fake_criu.install(self.fake),
                                   start_new_session=True)
        waiting.until(marker.exists, "the hook runs")
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        subprocess.run(["pkill", "-KILL", "-s", str(process.pid)], check=False)  # the hook, which is nobody's now
        self.ok("delete", "--force", "c")
        self.assert_nothing_left()

    def test_a_bind_whose_source_is_gone_is_named(self):
        self.config["mounts"].append({"destination": "/data", "type": "bind", "source": "/nowhere", "options": ["bind"]})
        self.write_config()
        self.fails_without_trace(self.restore(), "/nowhere")


if __name__ == "__main__":
    main()
