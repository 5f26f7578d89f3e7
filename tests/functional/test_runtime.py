"""berth-runtime's verbs, as an engine in runc's place would use them."""

import array
import ctypes
import json
import os
import random
import shlex
import signal
import socket
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "util"))

import waiting
from bundle import CGROUPS, RuntimeTest, main

SLEEP = ("sleep", "1000")
KEYCTL, JOIN_SESSION_KEYRING, GET_KEYRING_ID, SESSION_KEYRING = 250, 1, 0, -3  # keyctl(2), which libc has not


class Verbs(RuntimeTest):
    def test_a_life_from_create_to_delete(self):
        self.config["annotations"] = {"a": "b"}
        self.assertEqual(self.create(*SLEEP).returncode, 0)
        created = self.state()
        self.assertEqual(created["status"], "created")
        self.assertEqual((created["id"], created["bundle"], created["annotations"]), ("c", str(self.base), {"a": "b"}))
        self.assertEqual(Path(f"/proc/{created['pid']}/exe").resolve().name, "berth-runtime")
        self.ok("start", "c")
        running = self.state()
        self.assertEqual((running["status"], running["pid"]), ("running", created["pid"]))
        self.assertEqual(Path(f"/proc/{created['pid']}/cmdline").read_bytes(), b"sleep\x001000\x00")
        self.fails(self.runtime("delete", "c"), 1, "that is not stopped: running")
        self.ok("kill", "c", "KILL")
        stopped = self.wait_for_status("stopped")
        self.assertEqual(stopped["pid"], 0)
        self.fails(self.runtime("kill", "c"), 1, "container not running")
        self.ok("delete", "c")
        self.fails(self.runtime("state", "c"), 1, "container does not exist: c")
        self.assertEqual(list(self.root.iterdir()), [])

    def test_start_works_once(self):
        self.create(*SLEEP)
        self.ok("start", "c")
        self.fails(self.runtime("start", "c"), 1, "already running")
        self.ok("kill", "c", "9")
        self.wait_for_status("stopped")
        self.fails(self.runtime("start", "c"), 1, "has stopped")

    def test_an_id_is_taken_once(self):
        self.create(*SLEEP)
        self.fails(self.create(*SLEEP), 1, "container with given ID already exists: c")
        self.assertEqual(self.state()["status"], "created")

    def test_a_container_that_is_not_there(self):
        for verb in ("state", "start", "kill", "delete"):
            self.fails(self.runtime(verb, "nobody"), 1, "container does not exist: nobody")
        self.ok("delete", "--force", "nobody")

    def test_an_id_is_no_path(self):
        victim = self.base / "victim"
        victim.mkdir()
        (victim / "state.json").write_text("x")
        self.root.mkdir(exist_ok=True)
        self.write_config("true")
        for name in ("../victim", "", ".", "..", "a/b", "a b"):
            for verb in (("state",), ("start",), ("kill",), ("kill", "--all"), ("delete",), ("delete", "--force"),
                         ("create", "--bundle", str(self.base)), ("run", "--bundle", str(self.base))):
                self.fails(self.runtime(*verb, name), 1, f"'{name}' is not a container id")
        self.assertTrue((victim / "state.json").exists())

    def test_a_record_that_cannot_be_read_is_not_thrown_away(self):
        self.create(*SLEEP)
        record = self.root / "c" / "state.json"
        text = record.read_text()
        record.write_text("{")
        self.assertEqual(self.runtime("delete", "--force", "c").returncode, 1)
        record.write_text(text)
        self.assertEqual(self.state()["status"], "created")

    def test_delete_force_ends_what_runs(self):
        self.create(*SLEEP)
        pid = self.state()["pid"]
        self.ok("start", "c")
        self.assertNotEqual(self.groups(f"{self.base.name}/c"), [])
        self.ok("delete", "--force", "c")
        self.assertFalse(Path(f"/proc/{pid}/exe").exists())

    def test_a_created_container_may_be_deleted(self):
        self.create(*SLEEP)
        self.ok("delete", "c")
        self.assertEqual(list(self.root.iterdir()), [])

    def test_signals_by_name_and_number(self):
        for words in (("TERM",), ("SIGKILL",), ("9",), ("kill",)):
            self.create("sh", "-c", "trap 'exit 3' TERM; while :; do sleep 0.01; done")
            self.ok("start", "c")
            self.ok("kill", "c", *words)
            if words == ("TERM",):
                self.runtime("kill", "c", "KILL")  # the trap may not have been set yet
            self.wait_for_status("stopped")
            self.ok("delete", "c")
        self.create(*SLEEP)
        self.fails(self.runtime("kill", "c", "NOTHING"), 1, 'unknown signal "NOTHING"')

    def test_a_created_container_ends_on_a_signal(self):
        """The first process of a pid namespace ignores what it has no handler for."""
        for name in ("TERM", "INT", "HUP"):
            self.create(*SLEEP)
            self.ok("kill", "c", name)
            self.wait_for_status("stopped")
            self.ok("delete", "c")

    def test_kill_all_reaches_every_process(self):
        self.create("sh", "-c", "sleep 1000 & sleep 1001 & touch /ready; wait")
        self.ok("start", "c")
        ready = self.rootfs / "ready"
        waiting.until(ready.exists, "the processes run")
        ready.unlink()
        group = next(group for group in self.groups(f"{self.base.name}/c") if (group / "cgroup.procs").read_text())
        processes = group / "cgroup.procs"
        waiting.until(lambda: len(processes.read_text().split()) == 3, "touch has ended")
        pids = processes.read_text().split()
        self.ok("kill", "--all", "c", "KILL")
        self.wait_for_status("stopped")
        for pid in pids:
            waiting.until(lambda pid=pid: not Path(f"/proc/{pid}/exe").exists(), f"{pid} is gone")

    def test_create_tells_what_cannot_start(self):
        self.fails(self.create("no-such-program"), 1, 'exec: "no-such-program": executable file not found in $PATH')
        self.fails(self.create("/etc/passwd"), 1, 'exec: "/etc/passwd": permission denied')
        self.assertEqual(list(self.root.iterdir()), [])

    def test_run_has_the_workloads_exit_code(self):
        self.assertEqual(self.run_script("exit 7").returncode, 7)
        self.assertEqual(self.run_script("kill -KILL $$; exec sleep 1000 & kill -9 $!; wait $!").returncode, 137)
        self.fails(self.run_args("no-such-program"), 127, "executable file not found in $PATH")
        self.fails(self.run_args("/etc/passwd"), 126, "permission denied")
        self.assertEqual(list(self.root.iterdir()), [])

    def test_a_signal_to_run_is_the_workloads(self):
        self.write_config("sh", "-c", "trap 'exit 5' TERM; touch /ready; while :; do sleep 0.01; done")
        command = self.command("run", "--bundle", str(self.base), "c")
        with subprocess.Popen(command, stdin=subprocess.DEVNULL) as running:
            ready = self.rootfs / "ready"
            waiting.until(ready.exists, "the workload runs")
            ready.unlink()
            running.terminate()
            self.assertEqual(running.wait(waiting.DEADLINE), 5)


class Flags(RuntimeTest):
    def test_pid_file(self):
        directory = self.base / "pids"
        directory.mkdir()
        target = self.base / "target"
        target.write_text("mine")
        (directory / "pid.new").symlink_to(target)
        self.create(*SLEEP, flags=("--pid-file", str(directory / "pid")))
        self.assertEqual((directory / "pid").read_text(), str(self.state()["pid"]))
        self.assertEqual(sorted(entry.name for entry in directory.iterdir()), ["pid", "pid.new"])
        self.assertEqual(target.read_text(), "mine")

    def test_a_pid_file_that_cannot_be_written_leaves_nothing(self):
        (self.base / "taken").mkdir(exist_ok=True)
        self.fails(self.create(*SLEEP, flags=("--pid-file", str(self.base / "taken"))), 1, "cannot write the pid file")
        self.assertEqual(list(self.root.iterdir()), [])
        self.assertEqual([entry.name for entry in self.base.iterdir() if entry.name.startswith("taken.")], [])

    def test_console_socket(self):
        self.config["process"]["terminal"] = True
        path = str(self.base / "console.sock")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen()
            listener.settimeout(waiting.DEADLINE)
            self.assertEqual(self.create("sh", "-c", "test -t 0 && echo terminal; exit 4",
                                         flags=("--console-socket", path)).returncode, 0)
            connection, _ = listener.accept()
            with connection:
                _, ancillary, _, _ = connection.recvmsg(64, socket.CMSG_SPACE(4))
        os.unlink(path)
        master = array.array("i", ancillary[0][2])[0]
        self.assertTrue(os.isatty(master))
        self.ok("start", "c")
        self.assertIn(b"terminal", os.read(master, 100))
        os.close(master)
        self.wait_for_status("stopped")
        self.fails(self.create("true"), 1, "without setting console socket")

    def test_preserved_descriptors(self):
        reading, writing = os.pipe()
        self.write_config("sh", "-c", "echo through >&3; ls /proc/self/fd")
        done = self.runtime("run", "--bundle", str(self.base), "--preserve-fds", "1", "c",
                            preexec_fn=lambda: os.dup2(writing, 3), close_fds=False)
        os.close(writing)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(os.read(reading, 100), b"through\n")
        os.close(reading)
        self.assertEqual(done.stdout.split()[:4], ["0", "1", "2", "3"])

    def activated(self, pid: str) -> list[str]:
        script = f'exec 3</dev/null; export LISTEN_FDS=1 LISTEN_PID={pid}; exec "$@"'
        self.write_config("sh", "-c", "env | grep LISTEN; readlink /proc/1/fd/3; true")
        done = subprocess.run(["sh", "-c", script, "sh", *self.command("run", "--bundle", str(self.base), "c")],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True,
                              timeout=waiting.DEADLINE)
        return done.stdout.split()

    def test_sockets_of_a_service_manager(self):
        self.assertEqual(self.activated("$$"), ["LISTEN_FDS=1", "LISTEN_PID=1", "/dev/null"])
        self.assertEqual(self.activated("1"), [])

    def session_keyring(self, *flags: str) -> int:
        """What the session keyring is inside, asked by this very Python."""
        self.config["mounts"].append({"destination": "/host", "type": "bind", "source": "/",
                                      "options": ["rbind", "ro"]})
        sets = {kind: ["CAP_SYS_CHROOT"] for kind in ("bounding", "permitted", "effective")}
        self.config["process"]["capabilities"] = sets
        self.write_config("chroot", "/host", sys.executable, "-c",
                          f"import ctypes; print(ctypes.CDLL(None).syscall({KEYCTL}, {GET_KEYRING_ID}, "
                          f"{SESSION_KEYRING}, 0))")
        return int(self.ok("run", *flags, "--bundle", str(self.base), "c", cwd="/"))

    def test_no_new_keyring(self):
        libc = ctypes.CDLL(None)
        libc.syscall(KEYCTL, JOIN_SESSION_KEYRING, None)
        own = libc.syscall(KEYCTL, GET_KEYRING_ID, SESSION_KEYRING, 0)
        if own < 0:
            self.skipTest("this kernel has no keyrings")
        self.assertEqual(self.session_keyring("--no-new-keyring"), own)
        self.setUp()
        self.assertNotEqual(self.session_keyring(), own)


class Rlimits(RuntimeTest):
    def test_few_descriptors_are_the_workloads_limit_not_the_runtimes(self):
        self.config["process"]["rlimits"] = [{"type": "RLIMIT_NOFILE", "soft": 6, "hard": 6}]
        self.config["linux"]["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW"}
        self.assertEqual(self.output("ulimit -n"), "6")
        self.assertEqual(self.create(*SLEEP).returncode, 0)
        self.ok("start", "c")
        self.assertEqual(self.state()["status"], "running")


class Killed(RuntimeTest):
    """A create that is killed leaves what `delete --force` finds, and no process."""

    def test_in_a_hook(self):
        marker = self.base / "marker"
        self.config["hooks"] = {"createRuntime": [{"path": "/bin/sh", "args": [
            "sh", "-c", f"echo $$ > {marker}.new; mv {marker}.new {marker}; exec sleep 1000"]}]}
        self.write_config(*SLEEP)
        with subprocess.Popen(self.command("create", "--bundle", str(self.base), "c"), stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as creating:
            waiting.until(marker.exists, "the hook runs")
            state = self.state()
            self.assertEqual(state["status"], "creating")
            self.assertTrue(Path(f"/proc/{state['pid']}").exists())
            self.fails(self.runtime("start", "c"), 1, "still being created")
            self.fails(self.runtime("delete", "c"), 1, "that is not stopped: creating")
            creating.kill()
        os.kill(int(marker.read_text()), signal.SIGKILL)
        marker.unlink()
        self.ok("delete", "--force", "c")
        self.assertFalse(Path(f"/proc/{state['pid']}/exe").exists())
        self.assertEqual(self.groups(f"{self.base.name}/c"), [])

    def test_at_any_moment(self):
        for i in range(40):
            self.write_config(*SLEEP)
            with subprocess.Popen(self.command("create", "--bundle", str(self.base), "c"), stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as creating:
                try:
                    creating.wait(random.Random(i).uniform(0, 0.02))
                except subprocess.TimeoutExpired:
                    creating.kill()
            done = self.runtime("state", "c")
            if creating.returncode == 0:
                self.assertEqual(json.loads(done.stdout)["status"], "created")
            elif done.returncode == 0:
                self.wait_for_end(json.loads(done.stdout)["pid"])
            self.ok("delete", "--force", "c")
            self.assertEqual(self.groups(f"{self.base.name}/c"), [])
            self.assertEqual(list(self.root.iterdir()) if self.root.exists() else [], [])

    def wait_for_end(self, pid: int) -> None:
        """Init ends by itself: unless it was released, in which case the create was as good as done."""
        waiting.until(lambda: pid == 0 or not Path(f"/proc/{pid}/exe").exists() or self.state()["status"] == "created",
                      "init ends with the create that made it")


def ignore_every_signal() -> None:
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())


class Hooks(RuntimeTest):
    def test_they_and_the_workload_start_with_no_signal_blocked_or_ignored(self):
        out = self.base / "signals"
        show = ["grep", "-E", "Sig(Blk|Ign)", "/proc/self/status"]
        hook = {"path": "/bin/sh", "args": ["sh", "-c", f"{shlex.join(show)} >> {out}"]}
        self.config["hooks"] = {phase: [hook] for phase in ("prestart", "createContainer", "poststart", "poststop")}
        self.write_config(*show)
        command = self.command("run", "--bundle", str(self.base), "c")
        done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, timeout=waiting.DEADLINE,
                              text=True, stdout=subprocess.PIPE, preexec_fn=ignore_every_signal)
        self.assertEqual(done.returncode, 0)
        clean = ["SigBlk:\t0000000000000000", "SigIgn:\t0000000000000000"]
        self.assertEqual(out.read_text().splitlines(), clean * 4)
        self.assertEqual(done.stdout.splitlines(), clean)


class Namespaces(RuntimeTest):
    KINDS = {"pid": "pid", "network": "net", "ipc": "ipc", "uts": "uts", "cgroup": "cgroup", "time": "time"}

    def test_each_kind_is_joined_by_its_path(self):
        self.namespace("time")
        self.create(*SLEEP)
        self.ok("start", "c")
        pid = self.state()["pid"]
        for kind, name in self.KINDS.items():
            with self.subTest(kind):
                self.setUp()
                self.config["linux"]["cgroupsPath"] += "2"
                if kind == "uts":
                    self.config["hostname"] = ""
                self.namespace(kind)["path"] = f"/proc/{pid}/ns/{name}"
                self.write_config("readlink", f"/proc/self/ns/{name}")
                shown = self.ok("run", "--bundle", str(self.base), "c2")
                self.assertEqual(shown, os.readlink(f"/proc/{pid}/ns/{name}"))
                self.assertNotEqual(shown, os.readlink(f"/proc/self/ns/{name}"))

    def test_a_path_that_is_another_kind(self):
        self.namespace("ipc")["path"] = "/proc/self/ns/uts"
        self.fails(self.run_args("true"), 1, "'/proc/self/ns/uts' is not a ipc namespace")
        self.namespace("ipc")["path"] = "/no/such"
        self.fails(self.run_args("true"), 1, "cannot open the ipc namespace '/no/such'")

    def test_a_user_namespace_with_maps(self):
        self.map_ids()
        self.config["process"]["cwd"] = "/"
        shown = self.output("id -u; cat /proc/self/uid_map /proc/self/gid_map").split()
        self.assertEqual(shown, ["0"] + ["0", "100000", "65536"] * 2)

    def test_time_offsets(self):
        for user in (False, True):
            with self.subTest(user=user):
                self.setUp()
                if user:
                    self.map_ids()
                self.namespace("time")
                self.config["linux"]["timeOffsets"] = {"boottime": {"secs": 1000000, "nanosecs": 0}}
                self.assertGreater(float(self.output("cat /proc/uptime").split()[0]), 1000000)


class Limits(RuntimeTest):
    @unittest.skipUnless((CGROUPS / "cpuset/cpuset.cpus").exists() or (CGROUPS / "cpuset.cpus.effective").exists(),
                         "this host has no cpusets")
    def test_cpus_in_a_nested_cgroup(self):
        self.config["linux"]["cgroupsPath"] = f"/{self.base.name}/c/d"
        self.config["linux"]["resources"]["cpu"] = {"cpus": "0"}
        self.assertEqual(self.output("grep Cpus_allowed_list /proc/self/status"), "Cpus_allowed_list:\t0")
        for parent in self.groups(f"{self.base.name}/c"):
            parent.rmdir()

    @unittest.skipUnless((CGROUPS / "pids/tasks").exists(), "needs the pids controller of cgroup v1")
    def test_no_thread_left(self):
        group = CGROUPS / "pids" / f"{self.base.name}-full"
        group.mkdir()
        (group / "pids.max").write_text("1")
        try:
            self.write_config("true")
            done = self.runtime("run", "--bundle", str(self.base), "c",
                                preexec_fn=lambda: (group / "tasks").write_text("0"))
            self.fails(done, 1, "cannot start a thread to make the network namespace")
            self.assertEqual(list(self.root.iterdir()), [])
        finally:
            waiting.until(lambda: not (group / "tasks").read_text(), "the cgroup is empty")
            group.rmdir()


if __name__ == "__main__":
    main()
