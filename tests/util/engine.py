"""Engine: a private berthd on temporary directories, and the command line and API that reach it."""

import http.client
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

import waiting

BIN = Path(os.environ.get("BERTH_BIN_DIR", Path(__file__).resolve().parents[2] / "build/release/bin")).resolve()
_numbers = itertools.count(1)


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: str, timeout: float = waiting.DEADLINE):
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Engine:
    """Starts with start() or `with`; close() ends the daemon, its workloads and all that it made."""

    def __init__(self, *flags: str, root: str | None = None, root_parent: str | None = None):
        """`root` is used as it is; `root_parent` is where to make a temporary one, the system's own by default."""
        self.base = Path(tempfile.mkdtemp(prefix="berth-", dir=root_parent))
        self.root = Path(root) if root else self.base / "root"
        self.run = self.base / "run"
        self.socket = str(self.base / "berth.sock")
        self.url = f"unix://{self.socket}"
        self.log_path = self.base / "berthd.log"
        self.number = next(_numbers)
        self.flags = flags
        self.daemon: subprocess.Popen | None = None

    def command(self) -> list[str]:
        return [str(BIN / "berthd"), "--root", str(self.root), "--run", str(self.run), "--host", self.url,
                "--bridge", f"bt{self.number}", "--bridge-subnet", f"10.213.{self.number}.1/24", *self.flags]

    def start(self) -> "Engine":
        """Starts the daemon and returns when it answers."""
        assert self.daemon is None
        with open(self.log_path, "ab") as log:
            self.daemon = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        pidfd = os.pidfd_open(self.daemon.pid)
        try:
            waiting.until(self.answers, "berthd answers", pidfd=pidfd)
        except waiting.Deadline as late:
            raise AssertionError(f"{late}; its log:\n{self.log()}") from None
        finally:
            os.close(pidfd)
        return self

    def answers(self) -> bool:
        try:
            return self.api("GET", "/_ping")[0] == 200
        except OSError:
            return False

    def log(self) -> str:
        return self.log_path.read_text(encoding="utf-8", errors="replace") if self.log_path.exists() else ""

    def kill(self) -> None:
        """kill -9, as a crash would."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """A clean end; workloads go on. Returns the exit code."""
        return self._end(signal.SIGTERM)

    def _end(self, sent: signal.Signals) -> int:
        assert self.daemon is not None
        self.daemon.send_signal(sent)
        code = self.daemon.wait(waiting.DEADLINE)
        self.daemon = None
        return code

    def close(self) -> None:
        """Removes every workload, ends the daemon and takes its network and files away."""
        if self.daemon is None or self.daemon.poll() is not None:
            self.daemon = None
            self.start()
        self.remove_all()
        self.stop()
        subprocess.run([*self.command(), "--teardown"], check=True, capture_output=True, timeout=waiting.DEADLINE)
        shutil.rmtree(self.base)

    def __enter__(self) -> "Engine":
        return self.start()

    def __exit__(self, *_) -> None:
        self.close()

    # The command line

    def environment(self) -> dict[str, str]:
        return {**os.environ, "BERTH_HOST": self.url, "DOCKER_HOST": self.url, "LC_ALL": "C.UTF-8"}

    def popen(self, *arguments: str, program: str | None = None, **options) -> subprocess.Popen:
        return subprocess.Popen([program or str(BIN / "berth"), *arguments], env=self.environment(), **options)

    def berth(self, *arguments: str, stdin: bytes = b"", program: str | None = None,
              timeout: float = 2 * waiting.DEADLINE) -> subprocess.CompletedProcess:
        """Runs the command line to its end. Output is text, with bytes that are not UTF-8 replaced."""
        done = subprocess.run([program or str(BIN / "berth"), *arguments], env=self.environment(), input=stdin,
                              capture_output=True, timeout=timeout, check=False)
        done.stdout, done.stderr = (text.decode(errors="replace") for text in (done.stdout, done.stderr))
        return done

    def ok(self, *arguments: str, **options) -> str:
        """Runs the command line, which must succeed; returns its output without the last newline."""
        done = self.berth(*arguments, **options)
        assert done.returncode == 0, f"berth {' '.join(arguments)}: exit {done.returncode}\n{done.stderr}{done.stdout}"
        return done.stdout.rstrip("\n")

    def load(self, archive: bytes) -> str:
        return self.ok("load", stdin=archive)

    def inspect(self, workload: str) -> dict:
        return json.loads(self.ok("inspect", workload))[0]

    def is_running(self, workload: str) -> bool:
        return self.inspect(workload)["State"]["Running"]

    def wait_for_deletions(self) -> None:
        """Files of layers that were removed go behind the answer."""
        waiting.until(lambda: not list(self.root.glob("image/*/s/gone-*")), "what was removed is deleted")

    def remove_all(self) -> None:
        if ids := self.ok("ps", "-aq", "--no-trunc").split():
            self.ok("rm", "-f", *ids)

    # The API

    def api(self, method: str, path: str, body=None, timeout: float = waiting.DEADLINE) -> tuple[int, object]:
        """One request; a JSON answer is returned parsed, another as bytes."""
        connection = UnixConnection(self.socket, timeout)
        try:
            headers = {"Content-Type": "application/json"} if body is not None else {}
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            answer = connection.getresponse()
            data = answer.read()
        finally:
            connection.close()
        is_json = (answer.getheader("Content-Type") or "").startswith("application/json")
        return answer.status, json.loads(data) if is_json and data else data
