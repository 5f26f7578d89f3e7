"""berth-runtime on a host with cgroups v2 alone, and a kernel of Debian 12: in a virtual machine, since this host may be another."""

import copy
import json
import re
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "util"))
import guest
from bundle import RUNTIME, RuntimeTest, main

SCRIPT = """
cp /files/berth-runtime /bin/
runtime() { berth-runtime --root /run/berth "$@"; }
cgroups() { find /sys/fs/cgroup -mindepth 1 -type d | sed 's|^|cgroup |'; }
use() { cp /files/$1.json /files/bundle/config.json; }
part() { echo "== $1"; }
cd /files/bundle

part limits
use limits
runtime run limits; echo "exit $?"
part devices
use devices
runtime run devices; echo "exit $?"
part pids
use pids
runtime run pids; echo "exit $?"
part memory
use memory
runtime run memory; echo "exit $?"
part afterwards
cgroups
part lives
use lives
runtime create lives; echo "exit $?"
runtime state lives
runtime start lives; echo "exit $?"
cgroups
cat /sys/fs/cgroup/berth/lives/pids.current
runtime kill --all lives KILL; echo "exit $?"
while runtime state lives | grep -q '"running"'; do :; done
runtime delete lives; echo "exit $?"
cgroups
part control
use lives
runtime run --detach ruled > /dev/null; echo "exit $?"
runtime pause ruled; echo "exit $?"
runtime list; cat /sys/fs/cgroup/berth/lives/cgroup.events
runtime resume ruled; echo "exit $?"
runtime list -q
runtime update --memory 64m --memory-swap 96m --cpu-quota 20000 --cpu-share 512 --cpuset-cpus 0 --pids-limit 50 ruled
echo "exit $?"
runtime update --cpu-period 50000 ruled; echo "exit $?"
cd /sys/fs/cgroup/berth/lives
for f in memory.max memory.swap.max cpu.max cpu.weight cpuset.cpus pids.max; do echo $f $(cat $f); done
runtime update --memory 32m --pids-limit 7 --cpuset-cpus 99 ruled; echo "exit $?"
echo after $(cat memory.max pids.max)
cd /files/bundle
runtime events --stats ruled
runtime ps --format json ruled
runtime pause ruled; runtime kill ruled KILL; echo "exit $?"
while runtime state ruled | grep -qE '"(running|paused)"'; do :; done
runtime delete ruled; echo "exit $?"
cgroups
part oom
use greedy
runtime create greedy; (sleep 1; runtime start greedy) & runtime events --interval 1h greedy; echo "exit $?"
runtime delete greedy
part forced
use lives
runtime run --detach forced > /dev/null; echo "exit $?"
runtime delete --force forced; echo "exit $?"
cgroups
"""


@unittest.skipIf(guest.missing(), guest.missing())
class PureV2(RuntimeTest):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.files = {"berth-runtime": Path(RUNTIME)}
        cls.configure("limits", "cat /proc/self/cgroup; cd /sys/fs/cgroup; "
                      "for f in memory.max memory.swap.max cpu.max cpu.weight pids.max; do echo $f $(cat $f); done",
                      {"memory": {"limit": 64 << 20, "swap": 64 << 20}, "pids": {"limit": 32},
                       "cpu": {"quota": 50000, "period": 100000, "shares": 512}})
        cls.configure("devices", "echo x > /dev/null && echo null; mknod /tmp/kmsg c 1 11 && echo made; "
                      "head -c 1 /tmp/kmsg > /dev/null", {"devices": [{"allow": False, "access": "rwm"}]})
        cls.configure("pids", "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 1 & done; echo all; wait",
                      {"pids": {"limit": 6}})
        cls.configure("memory", "head -c 300m /dev/zero | tail -n 1 > /dev/null; echo code $?",
                      {"memory": {"limit": 32 << 20, "swap": 32 << 20}})
        cls.configure("greedy", "head -c 300m /dev/zero | tail -n 1 > /dev/null",
                      {"memory": {"limit": 32 << 20, "swap": 32 << 20}})
        cls.configure("lives", "sleep 1000 & sleep 1000 & wait", {})
        bundle = cls.base / "bundle"
        bundle.mkdir()
        cls.rootfs.rename(bundle / "rootfs")
        cls.files["bundle"] = bundle
        cls.console = guest.run(SCRIPT, cls.files)

    @classmethod
    def configure(cls, name: str, script: str, resources: dict) -> None:
        config = copy.deepcopy(cls.default)
        config["process"]["args"] = ["/bin/sh", "-c", script]
        for kind in ("bounding", "effective", "permitted"):
            config["process"]["capabilities"][kind].append("CAP_MKNOD")
        config["linux"]["cgroupsPath"] = f"/berth/{name}"
        config["linux"]["resources"] = resources
        file = cls.base / f"{name}.json"
        file.write_text(json.dumps(config))
        cls.files[file.name] = file

    def part(self, name: str) -> str:
        found = re.search(rf"^== {name}\n(.*?)(?=^== |\Z)", self.console, re.S | re.M)
        self.assertIsNotNone(found, self.console)
        return found[1]

    def test_limits_are_those_of_the_spec(self):
        said = self.part("limits")
        for line in ("0::/", "memory.max 67108864", "memory.swap.max 0", "cpu.max 50000 100000", "pids.max 32", "exit 0"):
            self.assertIn(line, said)
        # 512 of v1's 2 to 262144 is a fifth of v2's default of 100, as in the runtime specification's conversion.
        self.assertIn("cpu.weight 20", said)

    def test_devices_are_kept_away_by_a_program_of_the_cgroup(self):
        said = self.part("devices")
        self.assertIn("null", said)
        self.assertRegex(said, "(?i)operation not permitted")
        self.assertNotIn("exit 0", said)

    def test_processes_are_counted(self):
        said = self.part("pids")
        self.assertRegex(said, "(?i)can't fork|resource temporarily unavailable")

    def test_memory_ends_the_one_that_takes_too_much(self):
        self.assertRegex(self.part("memory"), "code 137|exit 137|Killed")

    def test_nothing_is_left_of_a_run(self):
        self.assertNotIn("berth/", self.part("afterwards"))

    def test_a_life_by_the_verbs(self):
        said = self.part("lives")
        self.assertIn('"status": "created"', said.replace('":"', '": "'))
        self.assertEqual(said.count("exit 0"), 4, said)
        self.assertIn("cgroup /sys/fs/cgroup/berth/lives\n", said)
        self.assertRegex(said, r"(?m)^[3-9]$")
        self.assertFalse(said.rstrip().endswith("berth/lives"), said)

    def test_it_is_paused_and_updated_and_tells_what_it_uses(self):
        said = self.part("control")
        self.assertEqual(said.count("exit 0"), 7, said)
        self.assertRegex(said, r"ruled +\d+ +paused ")
        self.assertIn("frozen 1\n", said)
        for line in ("memory.max 67108864", "memory.swap.max 33554432", "cpu.max 20000 50000", "cpu.weight 20",
                     "cpuset.cpus 0", "pids.max 50", "after 67108864 50"):
            self.assertIn(line, said)
        self.assertIn("cpuset.cpus: ", said, "the limit that was refused")
        stats = json.loads(re.search(r'^\{"type":"stats".*$', said, re.M)[0])["data"]
        self.assertEqual(stats["memory"]["usage"]["limit"], 64 << 20)
        self.assertEqual(stats["memory"]["swap"]["limit"], 96 << 20)
        self.assertEqual(stats["pids"]["limit"], 50)
        self.assertGreater(stats["cpu"]["usage"]["total"], 0)
        self.assertEqual(len(json.loads(re.search(r"^\[[0-9,]+\]$", said, re.M)[0])), 3)
        self.assertNotIn("berth/lives\n", said.rsplit("exit 0", 1)[1])

    def test_that_memory_runs_out_is_told(self):
        said = self.part("oom")
        self.assertIn('{"type":"oom","id":"greedy"}', said)
        self.assertIn("exit 0", said)

    def test_a_forced_deletion_ends_everything(self):
        said = self.part("forced")
        self.assertEqual(said.count("exit 0"), 2, said)
        self.assertNotIn("berth/forced", said)


if __name__ == "__main__":
    main()
