"""The escapes published of other runtimes, tried on berth-runtime, a class each. Where it can be shown, `naive` does
the same to a set-up without the defence, and the attack does what it should."""

import ctypes
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "util"))

import elf
import waiting
from bundle import CGROUPS, RUNTIME, RuntimeTest, main

SLEEP = ("sleep", "1000")
FAILED = 255
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNS = 0x10000000, 0x20000000, 0x00020000
MS_BIND, MS_REC, MS_RDONLY, MS_REMOUNT = 4096, 16384, 1, 32
CAPABILITY_SETS = ("bounding", "effective", "permitted")
LIBC = ctypes.CDLL(None, use_errno=True)


def mount(source: str, target: str, flags: int) -> None:
    if LIBC.mount(source.encode(), target.encode(), None, flags, None) != 0:
        raise OSError(ctypes.get_errno(), f"mount {source} on {target}")


def mount_points() -> list[str]:
    return [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]


class EscapeTest(RuntimeTest):
    def start(self, *args: str) -> int:
        made = self.create(*(args or SLEEP))
        self.assertEqual(made.returncode, 0, made.stderr)
        self.ok("start", "c")
        return self.state()["pid"]

    def exec(self, *words: str) -> subprocess.CompletedProcess:
        return self.runtime("exec", *words)

    def without_mounts(self, *destinations: str) -> None:
        self.config["mounts"] = [one for one in self.config["mounts"] if one["destination"] not in destinations]

    def put(self, name: str, content: bytes | None = None, link: str | None = None) -> Path:
        """A file or a link of the image, gone after the test."""
        path = self.rootfs / name
        self.addCleanup(lambda: path.unlink(missing_ok=True))
        if link is not None:
            path.symlink_to(link)
        else:
            path.write_bytes(content or b"")
            path.chmod(0o755)
        return path

    def replace(self, name: str, link: str) -> None:
        """A directory of the image is a link for the time of the test."""
        path, kept = self.rootfs / name, self.base / f"kept-{name}"
        if path.exists():
            path.rename(kept)
            self.addCleanup(kept.rename, path)
        path.symlink_to(link)
        self.addCleanup(path.unlink)

    def outside(self) -> Path:
        path = self.base / "outside"
        path.mkdir(exist_ok=True)
        return path


class AttachToJoiner(EscapeTest):
    """CVE-2016-9962: a process that enters the container, with descriptors of the host, could be looked into."""

    # Up to the exec there is one descriptor more, the socket on which the runtime hears of it: the kernel shows it
    # for the moment between the new memory and the end of what is close-on-exec.
    WATCH = ("while :; do for fd in /proc/[0-9]*/fd/*; do case $fd in /proc/1/*|*/[012]|*/\\*) ;; "
             "*) [ -S $fd ] || ! [ -e $fd ] || echo $fd >> /seen ;; esac; done; done")

    def setUp(self) -> None:
        super().setUp()
        self.map_ids()
        self.config["process"]["capabilities"] = {kind: ["CAP_SYS_PTRACE"] for kind in CAPABILITY_SETS}
        self.seen = self.put("seen")
        self.seen.chmod(0o666)
        self.pid = self.start("sh", "-c", self.WATCH)

    def naive(self) -> None:
        """Joins the namespaces with a descriptor of the host, and lets itself be looked at."""
        pidfd, child = os.pidfd_open(self.pid), 0
        host = os.open("/", os.O_RDONLY)
        child = os.fork()
        if child == 0:
            LIBC.setns(pidfd, CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS)
            if os.fork() == 0:
                os.setgid(0)
                os.setuid(0)
                LIBC.prctl(4, 1, 0, 0, 0)  # PR_SET_DUMPABLE: what an exec of a helper inside has as its result
                signal.pause()
            os._exit(0)
        os.waitpid(child, 0)
        os.close(host)
        os.close(pidfd)

    def test_nothing_is_seen(self):
        for _ in range(100):
            self.assertEqual(self.exec("c", "true").returncode, 0)
        self.assertEqual(self.seen.read_text(), "")
        self.naive()
        waiting.until(self.seen.read_text, "the naive one is looked into")


class OverwriteRuntime(EscapeTest):
    """CVE-2019-5736: the program that enters the container is run, or written, from inside."""

    def test_what_exec_runs_is_never_the_runtime(self):
        before = hashlib.sha256(Path(RUNTIME).read_bytes()).hexdigest()
        self.put("bin/door", link="/proc/self/exe")
        self.put("bin/script", b"#!/proc/self/exe\n")
        self.put("bin/asking", elf.asking_for("/proc/self/exe"))
        self.start("sh", "-c", "while :; do for exe in /proc/[0-9]*/exe; do : > $exe; done; done 2>/dev/null")
        for way in ("/proc/self/exe", "/proc/1/exe/../exe", "/bin/door", "/bin/script", "/bin/asking"):
            self.assertEqual(self.exec("c", way, "--version").returncode, FAILED, way)
        for _ in range(30):
            self.exec("c", "true")
        self.assertEqual(hashlib.sha256(Path(RUNTIME).read_bytes()).hexdigest(), before)


class CoverProc(EscapeTest):
    """CVE-2019-16884, CVE-2019-19921, CVE-2023-27561, CVE-2023-28642: /proc or /sys where the image wants them."""

    def test_a_mount_over_proc(self):
        fake = self.outside()
        for destination in ("/proc", "/proc/self", "/proc/thread-self/attr"):
            self.setUp()
            self.config["mounts"].append({"destination": destination, "type": "bind", "source": str(fake),
                                          "options": ["bind"]})
            self.assertEqual(self.run_args("true").returncode, 1, destination)

    def test_a_link_in_the_image(self):
        for name in ("proc", "sys"):
            for target in ("/tmp", "/proc/self", str(self.outside())):
                with self.subTest(name=name, target=target):
                    self.replace(name, target)
                    self.fails(self.run_args("true"), 1, f"cannot make the mount point /{name}")
                    self.doCleanups()
        self.assertEqual(list(self.outside().iterdir()), [])


class ExchangeMountPoint(EscapeTest):
    """CVE-2021-30465: another container of a shared volume exchanges a mount point for a link meanwhile."""

    def test_it_stays_inside(self):
        volume, outside = self.base / "volume", self.outside()
        for directory in ("a", "b"):
            (volume / directory).mkdir(parents=True, exist_ok=True)
        swap, target = volume / "b/target", volume / "a/target"
        target.mkdir()
        os.symlink(outside, swap)
        self.config["mounts"] += [
            {"destination": "/shared", "type": "bind", "source": str(volume), "options": ["rbind"]},
            {"destination": "/shared/a/target", "type": "tmpfs", "source": "tmpfs", "options": []}]
        before, stop = mount_points(), threading.Event()

        def exchange():
            while not stop.is_set():
                LIBC.renameat2(-100, str(target).encode(), -100, str(swap).encode(), 2)  # RENAME_EXCHANGE

        racer = threading.Thread(target=exchange)
        racer.start()
        try:
            for _ in range(100):
                done = self.run_script("echo inside > /shared/a/target/file 2>/dev/null; echo; true")
                self.assertIn(done.returncode, (0, 1), done.stderr)
                self.assertEqual(list(outside.iterdir()), [])
                self.assertEqual(mount_points(), before)
        finally:
            stop.set()
            racer.join()

    def test_naive(self):
        """mount(2) by path goes where the link leads."""
        link, outside = self.put("link", link=str(self.outside())), self.outside()
        mount(str(self.base / "rootfs/bin"), str(link), MS_BIND)
        self.assertIn(str(outside), mount_points())
        LIBC.umount2(str(outside).encode(), 0)


class ReleaseAgent(EscapeTest):
    """CVE-2022-0492: a cgroup file system of v1 that can be written runs a program of the host."""

    @unittest.skipIf((CGROUPS / "cgroup.controllers").exists(), "this host has no v1 hierarchies")
    def test_it_cannot_be_set(self):
        for user in (False, True):
            self.setUp()
            if user:
                self.map_ids()
            self.config["process"]["capabilities"] = {kind: ["CAP_SYS_ADMIN", "CAP_DAC_OVERRIDE"]
                                                      for kind in CAPABILITY_SETS}
            shown = self.output("""
                for file in $(find /sys/fs/cgroup -name release_agent -o -name notify_on_release); do
                    (echo 1 > $file) 2>/dev/null && echo "$file was written"
                done; true""")
            self.assertEqual(shown, "")


class InheritableCapabilities(EscapeTest):
    """CVE-2022-29162: capabilities of an exec were inheritable, so files of the image could take them."""

    def test_none_are(self):
        self.start()
        shown = self.exec("--cap", "CAP_SYS_ADMIN", "c", "grep", "Cap", "/proc/self/status").stdout
        fields = dict(line.split(":\t") for line in shown.splitlines())
        self.assertEqual(int(fields["CapInh"], 16), 0)
        self.assertEqual(int(fields["CapAmb"], 16), 0)
        self.assertTrue(int(fields["CapEff"], 16) & 1 << 21)


class WritableCgroups(EscapeTest):
    """CVE-2023-25809: without a cgroup namespace, /sys bound read-only left /sys/fs/cgroup below it writable."""

    def test_a_bind_of_sys_is_read_only_below_too(self):
        (self.base / "config.json").unlink(missing_ok=True)
        subprocess.run([RUNTIME, "spec", "--rootless", "-b", str(self.base)], check=True)
        config = json.loads((self.base / "config.json").read_text())
        self.config["mounts"] = config["mounts"]
        self.config["linux"]["namespaces"] = config["linux"]["namespaces"]
        for name in ("uidMappings", "gidMappings"):
            self.config["linux"][name] = [{"containerID": 0, "hostID": 0, "size": 1}]
        shown = self.output("for file in $(find /sys/fs/cgroup -maxdepth 3 -name cgroup.procs); do "
                            "(: > $file) 2>/dev/null && echo $file; done; true")
        self.assertEqual(shown, "")

    def test_naive(self):
        """MS_RDONLY on a recursive bind is of its top alone."""
        target = self.outside()
        mount("/sys", str(target), MS_BIND | MS_REC)
        mount("", str(target), MS_BIND | MS_REMOUNT | MS_RDONLY)
        try:
            lines = [line.split() for line in Path("/proc/self/mountinfo").read_text().splitlines()]
            below = [fields[5] for fields in lines if fields[4].startswith(f"{target}/fs/cgroup/")]
            if not below:
                self.skipTest("no cgroups are mounted below /sys here")
            self.assertTrue(any(options.startswith("rw") for options in below))
        finally:
            LIBC.umount2(str(target).encode(), 2)


class LeakedDirectory(EscapeTest):
    """CVE-2024-21626: a working directory by way of a descriptor that the runtime had open."""

    def test_run_and_exec(self):
        self.start()
        for fd in range(3, 24):
            self.fails(self.exec("--cwd", f"/proc/self/fd/{fd}", "c", "pwd"), FAILED,
                       f"cannot change into the working directory '/proc/self/fd/{fd}'")
        self.ok("delete", "--force", "c")
        for fd in range(3, 24):
            self.setUp()
            self.config["process"]["cwd"] = f"/proc/self/fd/{fd}"
            self.fails(self.run_args("pwd"), 1, "working directory")

    def test_a_directory_that_the_caller_leaves_open(self):
        self.start()
        host = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
        done = self.runtime("exec", "--preserve-fds", "1", "--cwd", "/proc/self/fd/3", "c", "pwd",
                            preexec_fn=lambda: os.dup2(os.dup2(host, 50), 3), close_fds=False)
        os.close(host)
        self.fails(done, FAILED, "is outside of the container")


class FilesOnTheHost(EscapeTest):
    """CVE-2024-45310: a mount point was made behind a link, outside."""

    def test_nothing_is_made(self):
        outside = self.outside()
        self.put("away", link=str(outside))
        file = self.base / "file"
        file.write_text("")
        self.config["mounts"] += [
            {"destination": "/away/directory", "type": "tmpfs", "source": "tmpfs", "options": []},
            {"destination": "/away/file", "type": "bind", "source": str(file), "options": ["bind"]}]
        self.addCleanup(lambda: shutil.rmtree(self.rootfs / str(outside).split("/")[1],
                                                            ignore_errors=True))
        done = self.run_args("true")
        self.assertIn(done.returncode, (0, 1), done.stderr)
        self.assertEqual(list(outside.iterdir()), [])


class FakeNullDevice(EscapeTest):
    """CVE-2025-31133: paths were masked with the container's own /dev/null, which may be a link."""

    def test_the_mask_is_the_null_device(self):
        devices = self.base / "devices"
        devices.mkdir(exist_ok=True)
        (devices / "null").unlink(missing_ok=True)
        (devices / "null").symlink_to("/proc/sys/kernel/core_pattern")
        self.without_mounts("/dev", "/dev/pts", "/dev/shm", "/dev/mqueue")
        self.config["mounts"].append({"destination": "/dev", "type": "bind", "source": str(devices),
                                      "options": ["bind"]})
        self.config["linux"]["maskedPaths"] = ["/proc/timer_list", "/proc/kcore"]
        before = Path("/proc/sys/kernel/core_pattern").read_text()
        done = self.run_script("stat -c '%t:%T' /proc/kcore; (echo x > /proc/kcore) 2>/dev/null; cat /proc/kcore")
        if done.returncode == 0:
            self.assertEqual(done.stdout.split(), ["1:3"])
        else:
            self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(Path("/proc/sys/kernel/core_pattern").read_text(), before)


class ConsoleLink(EscapeTest):
    """CVE-2025-52565: the terminal was bound over a /dev/console that led elsewhere."""

    def test_it_is_made_inside_dev(self):
        devices = self.base / "console-devices"
        (devices / "pts").mkdir(parents=True, exist_ok=True)
        (devices / "console").unlink(missing_ok=True)
        (devices / "console").symlink_to("/proc/sysrq-trigger")
        self.without_mounts("/dev", "/dev/shm", "/dev/mqueue")
        self.config["mounts"].insert(0, {"destination": "/dev", "type": "bind", "source": str(devices),
                                         "options": ["bind"]})
        self.config["process"]["terminal"] = True
        path = str(self.base / "console.sock")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen()
            self.addCleanup(os.unlink, path)
            made = self.create(*SLEEP, flags=("--console-socket", path))
        if made.returncode == 0:
            points = Path(f"/proc/{self.state()['pid']}/mountinfo").read_text()
            self.assertNotIn("/proc/sysrq-trigger", [line.split()[4] for line in points.splitlines()
                                                     if " - devpts " in line])
        else:
            self.assertIn("cannot cover /dev/console", made.stderr)


class MisdirectedWrites(EscapeTest):
    """CVE-2025-52881: what the runtime writes into /proc went into a file of the image's choice."""

    def test_a_sysctl_reaches_the_kernel_or_nothing(self):
        fake = self.base / "fake-sysctl"
        fake.write_text("untouched")
        for destination in ("/proc/sys/kernel/domainname", "/proc/sys", "/proc/self/attr"):
            self.setUp()
            self.config["linux"]["sysctl"] = {"kernel.domainname": "within"}
            self.config["mounts"].append({"destination": destination, "type": "bind", "source": str(fake),
                                          "options": ["bind"]})
            self.fails(self.run_args("true"), 1, "inside")
            self.assertEqual(fake.read_text(), "untouched")

    def test_a_proc_that_is_none(self):
        self.without_mounts("/proc")
        self.config["mounts"].insert(0, {"destination": "/proc", "type": "tmpfs", "source": "tmpfs", "options": []})
        self.config["linux"]["sysctl"] = {"kernel.domainname": "within"}
        self.fails(self.run_args("true"), 1, "only a proc file system can")


if __name__ == "__main__":
    main()
