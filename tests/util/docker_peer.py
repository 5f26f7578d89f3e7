"""A private dockerd with its own containerd, from Debian's docker.io: temporary directories, default bridge, overlay2.

The daemon runs in the network namespace of the caller, so its rules and its bridge go with that. docker is given what it
does best with: the snapshot driver it prefers, no live-restore, no health checks, and a daemon that is already warm.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import waiting

SERVER = "/usr/sbin/dockerd"


def client() -> str:
    """Debian's client if it is there: it belongs to the daemon's version."""
    return "/usr/bin/docker" if os.path.exists("/usr/bin/docker") else shutil.which("docker")


class Docker:
    """`flags` are further ones of the daemon."""

    def __init__(self, *flags: str, parent: str = "/var/tmp"):
        self.flags = flags
        self.base = Path(tempfile.mkdtemp(prefix="docker-peer-", dir=parent))
        self.url = f"unix://{self.base}/docker.sock"
        self.environment = {**os.environ, "DOCKER_HOST": self.url, "DOCKER_CONFIG": str(self.base)}
        self.daemon: subprocess.Popen | None = None

    def __enter__(self) -> "Docker":
        command = [SERVER, "--data-root", str(self.base / "data"), "--exec-root", str(self.base / "exec"),
                   "--pidfile", str(self.base / "docker.pid"), "--host", self.url, "--storage-driver", "overlay2",
                   "--config-file", str(self.base / "none.json"), *self.flags]
        (self.base / "none.json").write_text("{}", encoding="ascii")
        with open(self.base / "log", "wb") as log:
            # iptables is looked up in PATH, and sbin may not be in that of the caller.
            self.daemon = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={
                **os.environ, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
        pidfd = os.pidfd_open(self.daemon.pid)
        try:
            waiting.until(lambda: self.run("version").returncode == 0, "dockerd answers", 60, pidfd)
        except waiting.Deadline as late:
            log = (self.base / "log").read_text(errors="replace")
            self.__exit__()
            raise RuntimeError(f"{late}:\n{log[-3000:]}") from None
        finally:
            os.close(pidfd)
        return self

    def run(self, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess:
        return subprocess.run([client(), *arguments], env=self.environment, input=stdin, capture_output=True,
                              check=False)

    def ok(self, *arguments: str, stdin: bytes = b"") -> str:
        done = self.run(*arguments, stdin=stdin)
        if done.returncode:
            raise RuntimeError(f"docker {' '.join(arguments)}: {done.stderr.decode()}")
        return done.stdout.decode().strip()

    def version(self) -> str:
        return "docker " + self.ok("version", "--format", "{{.Server.Version}}")

    def __exit__(self, *_) -> None:
        if self.daemon.poll() is None:
            for identity in self.run("ps", "-aq").stdout.decode().split():
                self.run("rm", "-f", identity)
            self.daemon.send_signal(signal.SIGTERM)
            self.daemon.wait(60)
        subprocess.run(["umount", "-l", "-R", str(self.base)], capture_output=True, check=False)
        shutil.rmtree(self.base, ignore_errors=True)
