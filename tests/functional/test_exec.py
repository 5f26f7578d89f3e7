"""berth-runtime exec: a further process behind a container's wall."""

import array
import json
import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "util"))

import waiting
from bundle import CGROUPS, RuntimeTest, main

SLEEP = ("sleep", "1000")
FAILED = 255
NAMESPACES = ("cgroup", "ipc", "mnt", "net", "pid", "uts")


def receive_descriptor(listener: socket.socket) -> int:
    connection, _ = listener.accept()
    with connection:
        _, ancillary, _, _ = connection.recvmsg(64, socket.CMSG_SPACE(4))
    return array.array("i", ancillary[0][2])[0]


class ExecTest(RuntimeTest):
    def start(self, *args: str) -> None:
        self.assertEqual(self.create(*(args or SLEEP)).returncode, 0)
        self.ok("start", "c")

    def exec(self, *words: str, **options) -> subprocess.CompletedProcess:
        return self.runtime("exec", *words, **options)

    def detached(self, *words: str) -> None:
        """The process keeps the streams: so they are not pipes of ours."""
        done = subprocess.run(self.command("exec", "-d", *words), check=False, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=waiting.DEADLINE)
        self.assertEqual(done.returncode, 0)

    def inside(self, script: str, *flags: str, **options) -> str:
        return self.ok("exec", *flags, "c", "sh", "-c", script, **options)


class Wall(ExecTest):
    def test_a_null_device_that_is_none_holds_nobody_up(self):
        self.start()
        self.ok("exec", "c", "sh", "-c", "rm /dev/null && mkfifo /dev/null")
        with open("/dev/null", "rb") as null:
            self.assertEqual(self.ok("exec", "c", "echo", "ok", stdin=null), "ok")

    def test_the_namespaces_are_the_containers(self):
        self.namespace("time")
        self.config["linux"]["timeOffsets"] = {"boottime": {"secs": 1_000_000}}
        self.config["hostname"] = "within"
        self.start()
        pid = self.state()["pid"]
        for kind in (*NAMESPACES, "time"):
            self.assertEqual(self.inside(f"readlink /proc/self/ns/{kind}"), os.readlink(f"/proc/{pid}/ns/{kind}"))
        self.assertEqual(self.inside("hostname"), "within")
        self.assertEqual(self.inside("cat /proc/1/cmdline").replace("\0", " ").split(), list(SLEEP))
        self.assertGreater(float(self.inside("cat /proc/uptime").split()[0]), 1_000_000)

    def test_a_user_namespace(self):
        self.map_ids()
        self.config["process"]["rlimits"] = [{"type": "RLIMIT_NOFILE", "soft": 400, "hard": 900}]
        self.start()
        pid = self.state()["pid"]
        self.assertEqual(self.inside("readlink /proc/self/ns/user"), os.readlink(f"/proc/{pid}/ns/user"))
        self.assertEqual(self.inside("cat /proc/self/uid_map").split(), ["0", "100000", "65536"])
        self.assertEqual(self.inside("ulimit -Hn"), "900")

    def test_the_cgroups_are_the_containers(self):
        self.start()
        self.detached("c", *SLEEP)
        groups = self.groups(f"{self.base.name}/c")
        self.assertTrue(groups)
        for group in groups:
            self.assertEqual(len((group / "cgroup.procs").read_text().split()), 2, group)

    def test_the_confinement_is_that_of_the_first_process(self):
        self.config["linux"]["seccomp"] = {
            "defaultAction": "SCMP_ACT_ALLOW",
            "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 95}]}
        self.config["process"]["noNewPrivileges"] = True
        self.config["process"]["oomScoreAdj"] = 321
        self.config["process"]["rlimits"] = [{"type": "RLIMIT_NOFILE", "soft": 99, "hard": 99}]
        self.start()
        fields = "grep -E '^(Cap|Seccomp:|NoNewPrivs|Uid|Gid|Groups)' /proc/{}/status; cat /proc/{}/oom_score_adj"
        self.assertEqual(self.inside(fields.format("self", "self")), self.inside(fields.format(1, 1)))
        self.assertEqual(self.inside("ulimit -n"), "99")
        self.assertIn("Seccomp:\t2", self.inside("cat /proc/self/status"))
        self.assertIn("not supported", self.exec("c", "mkdir", "/tmp/x").stderr)

    def test_it_has_the_streams_and_no_other_descriptor(self):
        self.start()
        self.assertEqual(self.inside("ls /proc/self/fd").split(), ["0", "1", "2", "3"])  # 3: of ls, the directory
        self.assertEqual(self.inside("grep -E 'Sig(Blk|Ign)' /proc/self/status").split()[1::2], ["0" * 16, "0" * 15 + "4"])

    def test_a_container_that_was_not_started_or_has_ended(self):
        self.assertEqual(self.create("true").returncode, 0)
        self.assertEqual(self.inside("echo before"), "before")
        self.ok("start", "c")
        self.wait_for_status("stopped")
        self.fails(self.exec("c", "true"), FAILED, "cannot exec in a stopped container")
        self.fails(self.exec("none", "true"), FAILED, "container does not exist")

    def test_a_bundle_that_changed_or_went_changes_nothing(self):
        self.config["process"]["env"] = ["WHICH=first", "PATH=/bin"]
        self.start()
        self.config["process"]["env"] = ["WHICH=second"]
        self.write_config("true")
        self.assertEqual(self.inside("echo $WHICH"), "first")
        (self.base / "config.json").unlink()
        self.assertEqual(self.inside("echo $WHICH"), "first")


class Flags(ExecTest):
    def test_what_the_process_is(self):
        self.start()
        self.assertEqual(self.inside("pwd", "--cwd", "/tmp"), "/tmp")
        self.assertEqual(self.inside("echo $A$B", "-e", "A=1", "--env", "B=two words"), "1two words")
        self.assertEqual(self.inside("id -u; id -g", "-u", "7:8").split(), ["7", "8"])
        self.assertEqual(self.inside("id -G", "-g", "12", "--additional-gids", "13").split(), ["0", "12", "13"])
        self.assertIn("NoNewPrivs:\t1", self.inside("cat /proc/self/status", "--no-new-privs"))
        self.fails(self.exec("-u", "daemon", "c", "true"), FAILED, "the user must be a number, not 'daemon'")
        self.fails(self.exec("--cwd", "/none", "c", "true"), FAILED, "cannot change into the working directory '/none'")

    def test_a_capability_is_added_and_not_inherited_by_files(self):
        for name in ("bounding", "effective", "permitted"):
            self.config["process"]["capabilities"] = {kind: ["CAP_KILL"] for kind in ("bounding", "effective", "permitted")}
        self.start()
        sets = {line.split(":")[0]: int(line.split()[1], 16)
                for line in self.inside("grep ^Cap /proc/self/status", "--cap", "CAP_NET_ADMIN").splitlines()}
        both = 1 << 5 | 1 << 12
        self.assertEqual(sets, {"CapInh": 0, "CapPrm": both, "CapEff": both, "CapBnd": both, "CapAmb": 0})

    def test_a_file_says_all(self):
        self.start()
        process = {"args": ["sh", "-c", "echo $X; id -u; pwd"], "env": ["X=file", "PATH=/bin"], "cwd": "/tmp",
                   "user": {"uid": 5, "gid": 6}}
        path = self.base / "process.json"
        path.write_text(json.dumps(process))
        self.assertEqual(self.ok("exec", "--process", str(path), "c").split(), ["file", "5", "/tmp"])
        path.write_text('{"args": ["true"]}')
        self.fails(self.exec("-p", str(path), "c"), FAILED, "cwd must be given")
        path.write_text('{"args": [], "cwd": "/"}')
        self.fails(self.exec("-p", str(path), "c"), FAILED, "process.args must name a program")
        self.fails(self.exec("c"), FAILED, "process args cannot be empty")

    def test_exit_codes(self):
        self.start()
        self.assertEqual(self.exec("c", "sh", "-c", "exit 7").returncode, 7)
        self.assertEqual(self.exec("c", "sh", "-c", "kill -9 $$").returncode, 137)
        self.fails(self.exec("c", "none"), FAILED, 'exec failed: exec: "none": executable file not found in $PATH')
        self.fails(self.exec("c", "/etc/passwd"), FAILED, 'exec: "/etc/passwd": permission denied')
        self.assertEqual(self.state()["status"], "running")

    def test_a_failure_behind_the_filter_is_told(self):
        self.config["linux"]["seccomp"] = {
            "defaultAction": "SCMP_ACT_ALLOW",
            "syscalls": [{"names": ["sendmsg", "write", "sendto"], "action": "SCMP_ACT_ERRNO"}]}
        self.start()
        (self.rootfs / "bad").write_text("\x7fELF" + "x" * 200)
        (self.rootfs / "bad").chmod(0o755)
        self.addCleanup((self.rootfs / "bad").unlink)
        self.fails(self.exec("c", "/bad"), FAILED, 'exec: "/bad": exec format error')

    def test_detached_with_a_pid_file_and_a_pidfd(self):
        self.start()
        path = str(self.base / "pidfd.sock")
        self.addCleanup(os.unlink, path)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen()
            listener.settimeout(waiting.DEADLINE)
            file = self.base / "exec.pid"
            self.detached("--pid-file", str(file), "--pidfd-socket", path, "c", *SLEEP)
            pidfd = receive_descriptor(listener)
        pid = int(file.read_text())
        self.assertEqual(Path(f"/proc/{pid}/cmdline").read_text().split("\0")[:2], list(SLEEP))
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        waiting.until(lambda: not Path(f"/proc/{pid}/exe").exists(), "the process of the pidfd is gone")
        os.close(pidfd)

    def test_a_terminal(self):
        self.start()
        path = str(self.base / "console.sock")
        self.addCleanup(os.unlink, path)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen()
            listener.settimeout(waiting.DEADLINE)
            self.ok("exec", "-d", "-t", "--console-socket", path, "-u", "9", "c", "sh", "-c",
                    "test -t 0 && tty && stat -c %u $(tty); sleep 1000")
            master = receive_descriptor(listener)
        shown = b""
        while shown.count(b"\n") < 2:
            shown += os.read(master, 100)
        self.assertEqual(shown.decode().split(), ["/dev/pts/0", "9"])
        os.close(master)
        self.fails(self.exec("-d", "-t", "c", "true"), FAILED, "without setting console socket")

    def test_preserved_descriptors(self):
        self.start()
        reading, writing = os.pipe()
        self.ok("exec", "--preserve-fds", "1", "c", "sh", "-c", "echo through >&3",
                preexec_fn=lambda: os.dup2(writing, 3), close_fds=False)
        os.close(writing)
        self.assertEqual(os.read(reading, 100), b"through\n")
        os.close(reading)
        self.fails(self.exec("--preserve-fds", "2", "c", "true"), FAILED, "descriptor 3 is to be preserved")

    def test_a_sub_cgroup(self):
        self.start()
        groups = self.groups(f"{self.base.name}/c")
        for group in groups:
            (group / "sub").mkdir()
        self.detached("--cgroup", "sub", "c", *SLEEP)
        for group in groups:
            self.assertEqual(len((group / "sub" / "cgroup.procs").read_text().split()), 1, group)
        self.fails(self.exec("--cgroup", "../..", "c", "true"), FAILED, "is not below the container's")
        self.fails(self.exec("--cgroup", "other", "c", "true"), FAILED, "the container has no cgroup")
        if not (CGROUPS / "cgroup.controllers").exists():
            self.ok("exec", "--cgroup", "memory:sub", "c", "true")
            self.fails(self.exec("--cgroup", "nonsense:sub", "c", "true"), FAILED, "controller 'nonsense'")
        self.ok("kill", "c", "KILL")
        self.wait_for_status("stopped")
        for group in groups:
            waiting.until(lambda group=group: not (group / "sub" / "cgroup.procs").read_text(), "all are gone")
            (group / "sub").rmdir()


class Together(ExecTest):
    def test_a_signal_is_the_processs(self):
        self.start()
        ready = self.rootfs / "ready"
        command = self.command("exec", "c", "sh", "-c", "trap 'exit 5' TERM; touch /ready; while :; do sleep 0.01; done")
        with subprocess.Popen(command, stdin=subprocess.DEVNULL) as running:
            waiting.until(ready.exists, "the process runs")
            ready.unlink()
            running.terminate()
            self.assertEqual(running.wait(waiting.DEADLINE), 5)
        self.assertEqual(self.state()["status"], "running")

    def test_many_at_once(self):
        self.start()
        with ThreadPoolExecutor(16) as pool:
            codes = list(pool.map(lambda number: self.exec("c", "sh", "-c", f"exit {number}").returncode, range(64)))
        self.assertEqual(codes, list(range(64)))

    def test_a_container_that_is_deleted_takes_them_along(self):
        self.start()
        self.detached("--pid-file", str(self.base / "pid"), "c", *SLEEP)
        pid = (self.base / "pid").read_text()
        self.ok("delete", "--force", "c")
        self.assertFalse(Path(f"/proc/{pid}/exe").exists())

    def test_one_that_ends_meanwhile(self):
        """Whatever the moment, the answer is the process's code, or a sentence; nothing is left."""
        for _ in range(30):
            self.start()
            with subprocess.Popen(self.command("exec", "c", "true"), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                  text=True) as running:
                self.ok("kill", "c", "KILL")
                _, said = running.communicate(timeout=waiting.DEADLINE)
            self.assertIn(running.returncode, (0, 137, FAILED))
            self.assertEqual(bool(said), running.returncode == FAILED, said)
            self.wait_for_status("stopped")
            self.ok("delete", "c")


if __name__ == "__main__":
    main()
