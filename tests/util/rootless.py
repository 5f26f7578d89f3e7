"""What a test of berth-runtime starts from whose user has no privileges: `from rootless import RootlessTest`."""

import json
import shutil
import subprocess

from bundle import RUNTIME, RuntimeTest

__all__ = ["USER", "RootlessTest"]

USER = 54321


class RootlessTest(RuntimeTest):
    """Everything is the user's: the bundle, the state, a copy of the program where it may be executed."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.program = cls.base / "berth-runtime"
        shutil.copy(RUNTIME, cls.program)
        subprocess.run(["chown", "-R", f"{USER}:{USER}", cls.base], check=True)

    def setUp(self) -> None:
        super().setUp()
        path = self.base / "config.json"
        path.unlink(missing_ok=True)
        self.ok("spec", "--rootless", "--bundle", str(self.base))
        self.config = json.loads(path.read_text())
        self.config["process"]["terminal"] = False
        self.config["root"]["readonly"] = False

    def command(self, *arguments: str) -> list[str]:
        return ["setpriv", "--reuid", str(USER), "--regid", str(USER), "--clear-groups", "--inh-caps=-all",
                str(self.program), "--root", str(self.root), *arguments]

    def write_config(self, *args: str) -> None:
        (self.base / "config.json").unlink(missing_ok=True)
        super().write_config(*args)
