"""Containers in a user namespace that another one made."""

import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "util"))

from bundle import RuntimeTest, main

IDS = [{"containerID": 0, "hostID": 200000, "size": 1000}]


class Joining(RuntimeTest):
    def setUp(self) -> None:
        super().setUp()
        subprocess.run(["chown", "-R", "200000:200000", str(self.rootfs)], check=True)
        self.addCleanup(subprocess.run, ["chown", "-R", "0:0", str(self.rootfs)], check=True)
        os.chmod(self.base, 0o755)
        self.namespace("user")
        self.config["linux"]["uidMappings"] = self.config["linux"]["gidMappings"] = IDS
        done = self.create("sleep", "1000")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.pid = self.state()["pid"]
        del self.config["linux"]["uidMappings"], self.config["linux"]["gidMappings"]
        self.join("user")
        self.config["linux"]["cgroupsPath"] = f"/{self.base.name}/d"

    def join(self, kind: str, name: str = "") -> None:
        self.namespace(kind)["path"] = f"/proc/{self.pid}/ns/{name or kind}"

    def second(self, script: str) -> str:
        self.write_config("sh", "-c", script)
        return self.ok("run", "--bundle", str(self.base), "d")

    def test_all_else_is_new_and_belongs_to_it(self):
        user = os.readlink(f"/proc/{self.pid}/ns/user")
        said = self.second("readlink /proc/self/ns/user; readlink /proc/self/ns/net; cat /proc/self/uid_map; echo $$;"
                           "id -u")
        lines = said.splitlines()
        self.assertEqual(lines[0], user)
        self.assertNotIn(lines[1], (os.readlink(f"/proc/{self.pid}/ns/net"), os.readlink("/proc/self/ns/net")))
        self.assertEqual(lines[2].split(), ["0", "200000", "1000"])
        self.assertEqual(lines[3:5], ["1", "0"])

    def test_rights_are_those_over_the_new_namespaces(self):
        for kind in ("bounding", "effective", "permitted"):
            self.config["process"]["capabilities"][kind] = ["CAP_SYS_ADMIN", "CAP_NET_ADMIN"]
        self.assertEqual(self.second("hostname other && hostname; ip link set lo down && echo down;"
                                     "mount -t tmpfs x /tmp && echo mounted"), "other\ndown\nmounted")

    def test_its_pid_namespace_may_be_joined_too(self):
        self.join("pid")
        self.assertEqual(self.second("grep NSpid /proc/self/status | wc -w; [ $$ -ne 1 ] && echo second"), "2\nsecond")

    def test_its_network_may_be_joined_too(self):
        self.join("network", "net")
        self.assertEqual(self.second("readlink /proc/self/ns/net"), os.readlink(f"/proc/{self.pid}/ns/net"))

    def test_binds_and_mapped_ids(self):
        source = self.base / "source"
        source.mkdir()
        self.addCleanup(source.rmdir)
        self.config["mounts"].append({"destination": "/m", "type": "none", "source": str(source),
                                      "options": ["bind", "idmap"]})
        self.assertEqual(self.second("stat -c %u:%g /m"), "0:0")

    def test_what_is_no_user_namespace(self):
        self.namespace("user")["path"] = f"/proc/{self.pid}/ns/uts"
        self.write_config("true")
        self.fails(self.runtime("run", "--bundle", str(self.base), "d"), 1, "is not a user namespace")


if __name__ == "__main__":
    main()
