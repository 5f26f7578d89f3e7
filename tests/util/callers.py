"""What calls an OCI runtime: dockerd, podman and containerd, each private and with berth-runtime in place of runc.

A test of a caller starts from `from callers import CallerTest, main, needs`. The caller runs in the world of the test
(isolation.py), with its own directories and cgroups, and ends with the test.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
from functools import cache
from pathlib import Path

import images
import isolation
import waiting
from bundle import CGROUPS, RUNTIME, SKIPPED
from docker_peer import SERVER, Docker
from hoststate import HostState

__all__ = ["CallerTest", "Containerd", "Dockerd", "Podman", "main", "needs", "needs_mount_option"]

IMAGE = "docker.io/library/busybox:latest"
GROUP = f"callers-{os.urandom(4).hex()}"  # the parent of all cgroups that a caller asks for
OWN_GROUP = "conmon"  # podman's, for the processes beside its containers; it leaves it there


@cache
def verbs() -> frozenset[str]:
    """Those of berth-runtime, from its own help."""
    shown = subprocess.run([RUNTIME, "--help"], capture_output=True, text=True, check=True).stdout
    return frozenset(re.findall(r"^  ([a-z]+) ", shown, re.M))


def needs(*names: str):
    """A test of what the caller does by way of these verbs."""
    missing = [name for name in names if name not in verbs()]
    return unittest.skipIf(missing, f"berth-runtime has no verb {', '.join(missing)}")


def needs_mount_option(name: str):
    known = "features" in verbs() and name in subprocess.run([RUNTIME, "features"], capture_output=True, text=True,
                                                             check=True).stdout
    return unittest.skipUnless(known, f"berth-runtime has no mount option {name}")


def groups() -> list[Path]:
    """Cgroups of containers that are left, in any hierarchy."""
    return [entry for mount in (CGROUPS, *CGROUPS.glob("*")) if (mount / GROUP).is_dir()
            for entry in (mount / GROUP).iterdir() if entry.is_dir() and entry.name != OWN_GROUP]


def remove_groups() -> None:
    for mount in (CGROUPS, *CGROUPS.glob("*")):
        for group in (mount / GROUP / OWN_GROUP, mount / GROUP):
            if group.is_dir():
                group.rmdir()


class Caller:
    """Starts with start(); close() ends it and removes its files. Runs the same words for all tests."""

    programs: tuple[str, ...] = ()

    def command(self, *arguments: str) -> list[str]:
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        return dict(os.environ)

    def run(self, *arguments: str, stdin: bytes = b"", **options) -> subprocess.CompletedProcess:
        done = subprocess.run(self.command(*arguments), env=self.environment(), input=stdin, capture_output=True,
                              timeout=2 * waiting.DEADLINE, check=False, **options)
        done.stdout, done.stderr = (text.decode(errors="replace") for text in (done.stdout, done.stderr))
        return done

    def ok(self, *arguments: str, **options) -> str:
        done = self.run(*arguments, **options)
        assert done.returncode == 0, f"{' '.join(arguments)}: exit {done.returncode}\n{done.stderr}{done.stdout}"
        return done.stdout.rstrip("\n")


class Dockerd(Caller):
    programs = (SERVER, "/usr/bin/docker", "containerd")

    def __init__(self):
        self.peer = Docker("--add-runtime", f"berth={RUNTIME}", "--default-runtime", "berth",
                           "--cgroup-parent", f"/{GROUP}")

    def start(self) -> None:
        self.peer.__enter__()
        self.ok("load", stdin=images.busybox_image(IMAGE))

    def command(self, *arguments: str) -> list[str]:
        return ["/usr/bin/docker", *arguments]

    def environment(self) -> dict[str, str]:
        return self.peer.environment

    def remove_all(self) -> None:
        if ids := self.ok("ps", "-aq").split():
            self.ok("rm", "-f", *ids)

    def close(self) -> None:
        self.peer.__exit__()


class Podman(Caller):
    programs = ("podman", "conmon")

    def __init__(self):
        self.base = Path(tempfile.mkdtemp(prefix="podman-", dir="/var/tmp"))
        self.flags = ["--root", f"{self.base}/root", "--runroot", f"{self.base}/run", "--tmpdir", f"{self.base}/tmp",
                      "--storage-driver", "vfs", "--cgroup-manager", "cgroupfs", "--events-backend", "file",
                      "--runtime", RUNTIME]

    def start(self) -> None:
        self.ok("load", stdin=images.busybox_image(IMAGE))

    def command(self, *arguments: str) -> list[str]:
        # There is no network to share in the world of a test, and no daemon that would know the parent cgroup.
        if arguments[0] in ("run", "create"):
            arguments = (arguments[0], "--network", "none", "--cgroup-parent", f"/{GROUP}", *arguments[1:])
        return ["podman", *self.flags, *arguments]

    def environment(self) -> dict[str, str]:
        return {**os.environ, "HOME": str(self.base)}

    def remove_all(self) -> None:
        self.ok("rm", "--all", "--force", "--time", "0")

    def cleaners(self) -> list[str]:
        """conmon and the `podman container cleanup` that it starts work on after podman has answered."""
        found = []
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                if self.base.name.encode() in (line := entry.read_bytes()):
                    found.append(line.replace(b"\0", b" ").decode(errors="replace"))
            except OSError:
                pass  # it ended while we looked
        return found

    def close(self) -> None:
        waiting.until(lambda: not self.cleaners(), "what podman started has ended")
        subprocess.run(["umount", "-l", "-R", f"{self.base}/root/vfs"], capture_output=True, check=False)
        shutil.rmtree(self.base)


class Containerd(Caller):
    programs = ("containerd", "ctr")

    def __init__(self):
        self.base = Path(tempfile.mkdtemp(prefix="containerd-", dir="/var/tmp"))
        self.daemon: subprocess.Popen | None = None

    def start(self) -> None:
        (self.base / "config.toml").write_text(
            f'version = 2\nroot = "{self.base}/root"\nstate = "{self.base}/state"\n'
            'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n'
            f'[grpc]\naddress = "{self.base}/grpc"\n[ttrpc]\naddress = "{self.base}/ttrpc"\n', encoding="ascii")
        with open(self.base / "log", "wb") as log:
            self.daemon = subprocess.Popen(["containerd", "--config", f"{self.base}/config.toml"],
                                           stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        pidfd = os.pidfd_open(self.daemon.pid)
        waiting.until(lambda: self.run("version").returncode == 0, "containerd answers", pidfd=pidfd)
        os.close(pidfd)
        archive = self.base / "image.tar"
        archive.write_bytes(images.oci_archive(IMAGE, [images.busybox_rootfs()]))
        self.ok("images", "import", str(archive))

    def command(self, *arguments: str) -> list[str]:
        return ["ctr", "--address", f"{self.base}/grpc", *arguments]

    def container(self, name: str, *words: str, flags: tuple[str, ...] = ()) -> list[str]:
        """The arguments of `ctr run` for one container."""
        return ["run", "--runtime", "io.containerd.runc.v2", "--runc-binary", RUNTIME, "--runc-root",
                f"{self.base}/runc", "--snapshotter", "native", "--cgroup", f"/{GROUP}/{name}", *flags, IMAGE, name,
                *words]

    def remove_all(self) -> None:
        for name in self.ok("tasks", "ls", "-q").split():
            self.run("tasks", "kill", "--signal", "KILL", name)
            self.run("tasks", "delete", "--force", name)
        if names := self.ok("containers", "ls", "-q").split():
            self.ok("containers", "delete", *names)

    def close(self) -> None:
        self.daemon.send_signal(signal.SIGTERM)
        self.daemon.wait(waiting.DEADLINE)
        shutil.rmtree(self.base)


class CallerTest(unittest.TestCase):
    """One caller with the busybox image for all tests of a class. Each test ends without containers and their cgroups;
    when the class is done, mounts and processes are as they were."""

    make: type[Caller]

    @classmethod
    def setUpClass(cls) -> None:
        cls.before = HostState.take(directories=())
        cls.caller = cls.make()
        cls.caller.start()

    @classmethod
    def tearDownClass(cls) -> None:
        cls.caller.close()
        remove_groups()
        waiting.until(lambda: not cls.left_behind(), "mounts and processes are as before")

    @classmethod
    def left_behind(cls) -> str:
        """Bridges and rules of the caller's own go with the network namespace of the test."""
        after = HostState.look(directories=())
        processes = after.processes - cls.before.processes
        return "\n".join([*sorted(after.mounts - cls.before.mounts), *map(str, processes.items()),
                          *sorted(after.pid_namespaces - cls.before.pid_namespaces)])

    def tearDown(self) -> None:
        self.caller.remove_all()
        waiting.until(lambda: not groups(), f"no cgroups are left of {groups()}")


def main(caller: type[Caller]) -> None:
    """unittest.main() in a world of its own; exits with SKIPPED where the tests cannot run at all."""
    missing = [program for program in (RUNTIME, *caller.programs) if not shutil.which(program)]
    if os.geteuid() != 0:
        print("skipped: needs root")
        sys.exit(SKIPPED)
    if missing:
        print(f"skipped: not here: {', '.join(missing)}")
        sys.exit(SKIPPED)
    os.environ["PATH"] = f"/usr/sbin:/sbin:{os.environ['PATH']}"
    isolation.enter()
    sys.exit(0 if unittest.main(exit=False).result.wasSuccessful() else 1)
