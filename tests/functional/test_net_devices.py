"""linux.netDevices: interfaces of the host that a container gets."""

import json
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "util"))

from bundle import RuntimeTest, main


def ip(*words: str) -> str:
    return subprocess.run(["ip", *words], check=True, text=True, stdout=subprocess.PIPE).stdout


def make(name: str, *addresses: str) -> None:
    ip("link", "add", name, "type", "veth", "peer", "name", name + "-peer")
    for address in addresses:
        ip("address", "add", address, "dev", name)


def exists(name: str) -> bool:
    return name in [link["ifname"] for link in json.loads(ip("-j", "link"))]


class NetDevices(RuntimeTest):
    def setUp(self) -> None:
        super().setUp()
        # Both ends go with one, wherever they are; a namespace that ends has removed them, or is about to.
        self.addCleanup(subprocess.run, ["ip", "link", "del", "bx0-peer"], check=False, stderr=subprocess.DEVNULL)

    def inside(self, *words: str) -> list[dict]:
        """What `ip` says in the network namespace of a container that runs with this config."""
        done = self.create("sleep", "1000")
        self.assertEqual(done.returncode, 0, done.stderr)
        said = subprocess.run(["nsenter", f"--net=/proc/{self.state()['pid']}/ns/net", "ip", "-j", *words], check=True,
                              text=True, stdout=subprocess.PIPE).stdout
        self.ok("delete", "--force", "c")
        return json.loads(said)

    def test_an_interface_moves_with_its_addresses(self):
        make("bx0", "192.0.2.5/24", "2001:db8::5/64")
        ip("link", "set", "bx0", "mtu", "1400", "address", "02:00:00:00:00:77")
        self.config["linux"]["netDevices"] = {"bx0": {}}
        (link,) = self.inside("address", "show", "dev", "bx0")
        self.assertIn("UP", link["flags"])
        self.assertEqual((link["mtu"], link["address"]), (1400, "02:00:00:00:00:77"))
        addresses = {(a["local"], a["prefixlen"]) for a in link["addr_info"] if a["scope"] == "global"}
        self.assertEqual(addresses, {("192.0.2.5", 24), ("2001:db8::5", 64)})

    def test_it_is_gone_from_the_host(self):
        make("bx0")
        self.config["linux"]["netDevices"] = {"bx0": {}}
        self.create("sleep", "1000")
        self.assertFalse(exists("bx0"))
        self.ok("delete", "--force", "c")

    def test_it_is_renamed_on_the_way(self):
        make("bx0", "192.0.2.5/24")
        self.config["linux"]["netDevices"] = {"bx0": {"name": "inside0"}}
        (link,) = self.inside("address", "show", "dev", "inside0")
        self.assertEqual(link["addr_info"][0]["local"], "192.0.2.5")
        self.assertIn("UP", link["flags"])

    def test_a_name_may_be_a_pattern(self):
        make("bx0", "192.0.2.5/24")
        self.config["linux"]["netDevices"] = {"bx0": {"name": "eth%d"}}
        (link,) = self.inside("address", "show", "dev", "eth0")
        self.assertEqual(link["addr_info"][0]["local"], "192.0.2.5")

    def test_addresses_of_the_link_alone_stay_behind(self):
        make("bx0", "192.0.2.5/24")
        ip("address", "add", "169.254.7.7/16", "dev", "bx0", "scope", "link")
        self.config["linux"]["netDevices"] = {"bx0": {}}
        (link,) = self.inside("-4", "address", "show", "dev", "bx0")
        self.assertEqual([a["local"] for a in link["addr_info"]], ["192.0.2.5"])

    def test_with_a_user_namespace(self):
        make("bx0", "192.0.2.5/24")
        self.namespace("user")
        self.config["linux"]["uidMappings"] = self.config["linux"]["gidMappings"] = [
            {"containerID": 0, "hostID": 0, "size": 1000}]
        self.config["linux"]["netDevices"] = {"bx0": {}}
        (link,) = self.inside("address", "show", "dev", "bx0")
        self.assertEqual(link["addr_info"][0]["local"], "192.0.2.5")

    def test_what_cannot_be_moved_is_an_error(self):
        self.config["linux"]["netDevices"] = {"nobody0": {}}
        self.fails(self.run_args("true"), 1, "linux.netDevices: cannot find the network interface 'nobody0'")
        make("bx0")
        self.config["linux"]["netDevices"] = {"bx0": {"name": "lo"}}
        self.fails(self.run_args("true"), 1, "into the container as 'lo'")
        self.assertTrue(exists("bx0"))
        self.config["linux"]["namespaces"] = [n for n in self.config["linux"]["namespaces"] if n["type"] != "network"]
        self.fails(self.run_args("true"), 1, "linux.netDevices needs a network namespace")


if __name__ == "__main__":
    if subprocess.run(["ip", "-V"], check=False, stdout=subprocess.DEVNULL).returncode != 0:
        raise unittest.SkipTest("there is no ip(8)")
    main()
