"""What a test of berth-runtime alone starts from: `from bundle import RuntimeTest, main`.

    class Run(RuntimeTest):
        def test_the_exit_code_comes_back(self):
            self.assertEqual(self.run_script("exit 7").returncode, 7)
"""

import copy
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest
from io import BytesIO
from pathlib import Path

import images
import isolation
import waiting
from engine import BIN

__all__ = ["RUNTIME", "RuntimeTest", "main"]

RUNTIME = str(BIN / "berth-runtime")
SKIPPED = 77
CGROUPS = Path("/sys/fs/cgroup")


class RuntimeTest(unittest.TestCase):
    """A bundle of busybox, and a runtime with a root of its own. Each test ends without containers and cgroups."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.base = Path(tempfile.mkdtemp(prefix="runtime-"))
        cls.rootfs = cls.base / "rootfs"
        with tarfile.open(fileobj=BytesIO(images.busybox_rootfs())) as tar:
            tar.extractall(cls.rootfs)
        subprocess.run([RUNTIME, "spec"], cwd=cls.base, check=True)
        cls.default = json.loads((cls.base / "config.json").read_text())
        cls.default["process"]["terminal"] = False
        cls.default["root"]["readonly"] = False
        cls.default["linux"]["cgroupsPath"] = f"/{cls.base.name}/c"

    @classmethod
    def tearDownClass(cls) -> None:
        shutil.rmtree(cls.base)
        for parent in cls.groups(cls.base.name):
            parent.rmdir()

    def setUp(self) -> None:
        self.config = copy.deepcopy(self.default)

    def tearDown(self) -> None:
        left = [entry.name for entry in self.root.iterdir()] if self.root.exists() else []
        for name in left:
            self.runtime("delete", "--force", name)
        self.assertEqual(self.groups(f"{self.base.name}/c"), [], "cgroups are left")

    @property
    def root(self) -> Path:
        return self.base / "state"

    @classmethod
    def groups(cls, path: str) -> list[Path]:
        """The directories of a cgroup, one for each hierarchy."""
        return [group for mount in (CGROUPS, *CGROUPS.glob("*")) if (group := mount / path).is_dir()]

    def write_config(self, *args: str) -> None:
        if args:
            self.config["process"]["args"] = list(args)
        (self.base / "config.json").write_text(json.dumps(self.config))

    def command(self, *arguments: str) -> list[str]:
        return [RUNTIME, "--root", str(self.root), *arguments]

    def runtime(self, *arguments: str, **options) -> subprocess.CompletedProcess:
        options.setdefault("timeout", waiting.DEADLINE)
        options.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run(self.command(*arguments), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              check=False, **options)

    def ok(self, *arguments: str, **options) -> str:
        done = self.runtime(*arguments, **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.strip()

    def run_args(self, *args: str, **options) -> subprocess.CompletedProcess:
        self.write_config(*args)
        return self.runtime("run", "--bundle", str(self.base), "c", **options)

    def run_script(self, script: str, **options) -> subprocess.CompletedProcess:
        return self.run_args("sh", "-c", script, **options)

    def output(self, script: str, **options) -> str:
        done = self.run_script(script, **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.strip()

    def fails(self, done: subprocess.CompletedProcess, code: int, says: str) -> None:
        """It ended with this code and one sentence on standard error that has `says` in it."""
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertIn(says, done.stderr)

    def create(self, *args: str, flags: tuple[str, ...] = (), **options) -> subprocess.CompletedProcess:
        """`create`, whose container keeps the streams: so they are not pipes of ours."""
        self.write_config(*args)
        with tempfile.TemporaryFile("w+") as errors:
            done = subprocess.run(self.command("create", "--bundle", str(self.base), *flags, "c"), check=False,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors,
                                  timeout=waiting.DEADLINE, **options)
            errors.seek(0)
            return subprocess.CompletedProcess(done.args, done.returncode, "", errors.read())

    def state(self, name: str = "c") -> dict:
        return json.loads(self.ok("state", name))

    def wait_for_status(self, status: str) -> dict:
        def attempt():
            state = self.state()
            return state if state["status"] == status else None
        return waiting.until(attempt, f"the container is {status}")

    def namespace(self, kind: str) -> dict:
        """The entry of the config, made if there is none."""
        entries = self.config["linux"]["namespaces"]
        for entry in entries:
            if entry["type"] == kind:
                return entry
        entries.append({"type": kind})
        return entries[-1]

    def map_ids(self) -> None:
        """A user namespace whose root is nobody outside."""
        self.namespace("user")
        for name in ("uidMappings", "gidMappings"):
            self.config["linux"][name] = [{"containerID": 0, "hostID": 100000, "size": 65536}]
        os.chmod(self.base, 0o755)
        self.config["mounts"] = [mount for mount in self.config["mounts"] if mount["type"] != "cgroup"]


def main() -> None:
    """unittest.main() in a world of its own; exits with SKIPPED where the tests cannot run at all."""
    if os.geteuid() != 0:
        print("skipped: needs root")
        sys.exit(SKIPPED)
    if not Path(RUNTIME).exists():
        print(f"skipped: {RUNTIME} is not built")
        sys.exit(SKIPPED)
    isolation.enter()
    sys.exit(0 if unittest.main(exit=False).result.wasSuccessful() else 1)
