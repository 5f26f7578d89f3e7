"""berth-runtime for a user without privileges."""

import os
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "util"))

import waiting
from bundle import main
from rootless import USER, RootlessTest

SLEEP = ("sleep", "1000")


class OneId(RootlessTest):
    def test_the_user_is_root_inside_and_nobody_else(self):
        shown = self.output("id -u; cat /proc/self/uid_map; cat /proc/self/setgroups; touch /made; stat -c %u /made")
        self.assertEqual(shown.split(), ["0", "0", str(USER), "1", "deny", "0"])
        self.assertEqual(os.stat(self.rootfs / "made").st_uid, USER)
        (self.rootfs / "made").unlink()

    def test_a_bind_that_is_shared(self):
        self.config["mounts"].append({"destination": "/m", "type": "bind", "source": str(self.base),
                                      "options": ["rbind", "rshared"]})
        self.assertIn("rootfs", self.output("ls /m"))

    def test_the_wall(self):
        shown = self.output("echo $$; ls /proc | grep -c '^[0-9]'; (echo x > /proc/sysrq-trigger) 2>/dev/null || echo no; "
                            "hostname; find /sys/fs/cgroup -name cgroup.procs | while read -r file; do "
                            "(: >> $file) 2>/dev/null && echo $file; done; true")
        lines = shown.split()
        self.assertEqual(lines[0], "1")
        self.assertLess(int(lines[1]), 6)
        self.assertEqual(lines[2:], ["no", self.config["hostname"]])

    def test_a_whole_life(self):
        self.assertEqual(self.create(*SLEEP).returncode, 0)
        self.assertEqual(self.state()["status"], "created")
        self.ok("start", "c")
        self.assertEqual(self.state()["status"], "running")
        pid = self.state()["pid"]
        self.assertEqual(self.ok("exec", "c", "readlink", "/proc/self/ns/pid"), os.readlink(f"/proc/{pid}/ns/pid"))
        self.assertEqual(self.ok("exec", "c", "readlink", "/proc/self/ns/user"), os.readlink(f"/proc/{pid}/ns/user"))
        self.assertEqual(self.ok("exec", "c", "cat", "/proc/1/comm"), "busybox")
        self.assertEqual(self.runtime("exec", "c", "sh", "-c", "exit 3").returncode, 3)
        self.fails(self.runtime("exec", "c", "none"), 255, 'exec: "none": executable file not found in $PATH')
        self.ok("kill", "c", "KILL")
        self.wait_for_status("stopped")
        self.ok("delete", "c")
        self.assertEqual(list(self.root.iterdir()), [])

    def test_a_signal_reaches_what_exec_runs(self):
        self.assertEqual(self.create(*SLEEP).returncode, 0)
        self.ok("start", "c")
        ready = self.rootfs / "ready"
        command = self.command("exec", "c", "sh", "-c", "trap 'exit 5' TERM; touch /ready; while :; do sleep 0.01; done")
        with subprocess.Popen(command, stdin=subprocess.DEVNULL) as running:
            waiting.until(ready.exists, "the process runs")
            ready.unlink()
            running.terminate()
            self.assertEqual(running.wait(waiting.DEADLINE), 5)

    def test_what_needs_more_is_refused_with_a_sentence(self):
        self.config["linux"]["resources"] = {"memory": {"limit": 1 << 26}}
        self.fails(self.run_args("true"), 1, "cannot make the cgroup")
        self.setUp()
        self.config["linux"]["uidMappings"][0]["hostID"] = 0
        self.assertNotEqual(self.run_args("true").returncode, 0)
        self.assertFalse(self.root.exists() and list(self.root.iterdir()))


@unittest.skipUnless(shutil.which("newuidmap"), "newuidmap (package uidmap) is not installed")
class SeveralIds(RootlessTest):
    FIRST, COUNT = 300_000, 1000

    def setUp(self) -> None:
        super().setUp()
        # /etc is this test's own: it runs in a mount namespace of its own.
        etc = self.base / "etc"
        if not etc.exists():
            shutil.copytree("/etc", etc, symlinks=True, ignore_dangling_symlinks=True)
            subprocess.run(["mount", "--bind", etc, "/etc"], check=True)
            with open("/etc/passwd", "a", encoding="ascii") as file:
                file.write(f"rootless:x:{USER}:{USER}::/:/bin/sh\n")
            for name in ("subuid", "subgid"):
                Path("/etc", name).write_text(f"rootless:{self.FIRST}:{self.COUNT}\n", encoding="ascii")
        for name in ("uidMappings", "gidMappings"):
            self.config["linux"][name] = [{"containerID": 0, "hostID": USER, "size": 1},
                                          {"containerID": 1, "hostID": self.FIRST, "size": self.COUNT}]

    @classmethod
    def tearDownClass(cls) -> None:
        subprocess.run(["umount", "/etc"], check=False)
        super().tearDownClass()

    def test_they_are_mapped(self):
        self.config["process"]["user"] = {"uid": 7, "gid": 8, "additionalGids": [9]}
        shown = self.output("id -u; id -g; id -G; cat /proc/self/uid_map").split()
        self.assertEqual(shown, ["7", "8", "8", "9", "0", str(USER), "1", "1", str(self.FIRST), str(self.COUNT)])

    def test_ids_of_others_are_refused(self):
        self.config["linux"]["uidMappings"][1]["hostID"] = 1
        self.fails(self.run_args("true"), 1, "newuidmap refuses the mapping")


if __name__ == "__main__":
    main()
