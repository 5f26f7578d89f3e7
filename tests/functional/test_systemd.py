"""berth-runtime --systemd-cgroup on a host whose first process is systemd: in a virtual machine, once with cgroups v2 alone, once
with v1 and v2 beside each other."""

import copy
import json
import re
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "util"))
import guest_systemd
from bundle import RUNTIME, RuntimeTest, main

HYBRID = "systemd.unified_cgroup_hierarchy=0"

HELPERS = """
cp /files/berth-runtime /usr/bin/
runtime() { berth-runtime --root /run/berth "$@"; }
use() { cp /files/$1.json /files/bundle/config.json; }
part() { echo "== $1"; }
unit() { systemctl --no-pager show "$@"; }
left() { find /sys/fs/cgroup -name "*$1*" | sed 's|^|left |'; ls /run/berth | sed 's|^|left |'; unit -p LoadState $2; }
wait_stopped() { while runtime state $1 | grep -qE '"(running|paused)"'; do :; done; }
cd /files/bundle
"""

V2 = HELPERS + """
group=/sys/fs/cgroup/system.slice/berth-lives.scope
part run
use limits
runtime --systemd-cgroup run limits; echo "exit $?"
left limits berth-limits.scope
part create
use lives
runtime --systemd-cgroup create lives; echo "exit $?"
unit -p ActiveState,Slice,Delegate,Description,ControlGroup,TimeoutStopUSec,DefaultDependencies berth-lives.scope
unit -p MemoryMax,MemorySwapMax,MemoryLow,CPUWeight,CPUQuotaPerSecUSec,CPUQuotaPeriodUSec,TasksMax berth-lives.scope
unit -p AllowedCPUs,IOWeight,DevicePolicy,DeviceAllow,MemoryAccounting,TasksAccounting berth-lives.scope
cat $group/cgroup.procs | wc -l
cd $group; for f in memory.max memory.swap.max memory.low cpu.max cpu.weight pids.max cpuset.cpus; do echo $f $(cat $f); done
cd /files/bundle
part again
runtime --systemd-cgroup create other; echo "exit $?"
ls /run/berth; unit -p ActiveState berth-lives.scope
part start
runtime start lives; echo "exit $?"
runtime list -q
runtime exec lives sh -c 'echo x > /dev/null && echo null; cat /proc/self/cgroup; mknod /tmp/kmsg c 1 11; head -c 1 /tmp/kmsg'
part update
runtime update --memory 64m --memory-swap 96m --cpu-quota 33333 --cpu-share 1024 --pids-limit 50 lives; echo "exit $?"
unit -p MemoryMax,MemorySwapMax,CPUWeight,CPUQuotaPerSecUSec,TasksMax berth-lives.scope
cd $group; for f in memory.max memory.swap.max cpu.max cpu.weight pids.max; do echo $f $(cat $f); done
cd /files/bundle
runtime update --memory 32m --cpuset-cpus 99 lives; echo "exit $?"
echo after $(cat $group/memory.max); unit -p MemoryMax berth-lives.scope
part pause
runtime pause lives; echo "exit $?"
runtime list; cat $group/cgroup.events
runtime resume lives; echo "exit $?"
runtime ps --format json lives
runtime events --stats lives
part reload
systemctl daemon-reload; cat $group/memory.max $group/cpu.max
part kill
runtime kill lives KILL; echo "exit $?"
wait_stopped lives
runtime delete lives; echo "exit $?"
left lives berth-lives.scope
part forced
use lives
runtime --systemd-cgroup run --detach lives > /dev/null; echo "exit $?"
runtime delete --force lives; echo "exit $?"
left lives berth-lives.scope
part together
use together
runtime --systemd-cgroup run --detach together > /dev/null; echo "exit $?"
runtime delete --force together; echo "exit $?"
left together p-together.scope
part slice
use slice
runtime --systemd-cgroup run --detach slice > /dev/null; echo "exit $?"
unit -p ActiveState,Slice,MemoryMax,TasksMax own-pod.slice; cat /sys/fs/cgroup/own.slice/own-pod.slice/cgroup.procs | wc -l
runtime delete --force slice; echo "exit $?"
left own-pod own-pod.slice
part cut
use hooked
berth-runtime --root /run/berth --systemd-cgroup create hooked & cut=$!
while ! grep -q x /run/hooked 2> /dev/null; do :; done
unit -p ActiveState p-hooked.scope
kill -9 $cut; wait $cut
runtime delete --force hooked; echo "exit $?"
left hooked p-hooked.scope
part refused
use wrong-limit
runtime --systemd-cgroup run c; echo "exit $?"
left wrong p-wrong.scope
use wrong-path
runtime --systemd-cgroup run c; echo "exit $?"
use wrong-property
runtime --systemd-cgroup run c; echo "exit $?"
use unknown-property
runtime --systemd-cgroup run c; echo "exit $?"
left unknown p-unknown.scope
part user
export XDG_RUNTIME_DIR=/run/user/1000
mkdir -p $XDG_RUNTIME_DIR; chown user:user $XDG_RUNTIME_DIR; chmod 700 $XDG_RUNTIME_DIR
cp /files/rootless.json /files/bundle/config.json; chown -R user:user /files/bundle
systemctl start manager.service; echo "exit $?"
systemctl start user-test.service
cat $XDG_RUNTIME_DIR/said
left mine x.scope
"""

USER_SCRIPT = """
group=/sys/fs/cgroup/system.slice/manager.service/user.slice/berth-mine.scope
runtime() { berth-runtime "$@"; }
cd /files/bundle
runtime --systemd-cgroup create mine; echo "exit $?"
runtime start mine; echo "exit $?"
systemctl --user --no-pager show -p ActiveState,Slice,TasksMax berth-mine.scope
cat $group/pids.max; cat $group/cgroup.procs | wc -l
runtime exec mine sh -c 'echo $$ in; cat /proc/self/cgroup'; echo "exit $?"
runtime exec -d --pid-file /run/user/1000/pid mine sleep 1000; grep -c $(cat /run/user/1000/pid) $group/cgroup.procs
runtime update --pids-limit 40 mine; echo "exit $?"
cat $group/pids.max; systemctl --user --no-pager show -p TasksMax berth-mine.scope
runtime delete --force mine; echo "exit $?"
systemctl --user --no-pager show -p LoadState berth-mine.scope; ls -d $group || true
"""

V1 = HELPERS + """
part create
use lives
runtime --systemd-cgroup create lives; echo "exit $?"
unit -p ActiveState,Slice,MemoryLimit,CPUShares,CPUQuotaPerSecUSec,TasksMax,DevicePolicy berth-lives.scope
below=system.slice/berth-lives.scope
cd /sys/fs/cgroup; cat memory/$below/memory.limit_in_bytes cpu/$below/cpu.shares pids/$below/pids.max
for group in memory cpu pids devices systemd unified; do echo $group $(cat $group/$below/cgroup.procs | wc -l); done
cd /files/bundle
part start
runtime start lives; echo "exit $?"
runtime exec -d --pid-file /run/pid lives sleep 1000
for group in memory devices systemd unified; do grep -c $(cat /run/pid) /sys/fs/cgroup/$group/$below/cgroup.procs; done
runtime exec lives sh -c 'echo x > /dev/null && echo null; mknod /tmp/kmsg c 1 11; head -c 1 /tmp/kmsg'
runtime exec lives ls -1 /sys/fs/cgroup
runtime update --memory 64m --cpu-quota 33333 --pids-limit 50 --cpuset-cpus 0 lives; echo "exit $?"
unit -p MemoryLimit,CPUQuotaPerSecUSec,TasksMax berth-lives.scope
cat /sys/fs/cgroup/memory/$below/memory.limit_in_bytes /sys/fs/cgroup/cpu/$below/cpu.cfs_quota_us
runtime pause lives; echo "exit $?"; runtime list
part forced
runtime delete --force lives; echo "exit $?"
left berth-lives berth-lives.scope
"""

# A user's manager as a service like any other: a session would need a bus, PAM and logind.
UNITS = {
    "manager.service": """[Unit]
DefaultDependencies=no
[Service]
Type=notify
User=user
Delegate=yes
Environment=XDG_RUNTIME_DIR=/run/user/1000
ExecStart=/lib/systemd/systemd --user --unit=inside.target
""",
    "user-test.service": """[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
User=user
Environment=XDG_RUNTIME_DIR=/run/user/1000 PATH=/usr/bin
ExecStart=/usr/bin/systemctl --user start inside.service
""",
}
USER_UNITS = {
    "inside.target": "[Unit]\nDefaultDependencies=no\n",
    "inside.service": """[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
Environment=PATH=/usr/bin
StandardOutput=file:/run/user/1000/said
StandardError=inherit
ExecStart=/usr/bin/sh /files/user-script
""",
}


class GuestTest(RuntimeTest):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.files = {"berth-runtime": Path(RUNTIME)}

    @classmethod
    def boot(cls, script: str, command_line: str = "") -> None:
        bundle = cls.base / "bundle"
        bundle.mkdir()
        cls.rootfs.rename(bundle / "rootfs")
        cls.files["bundle"] = bundle
        cls.console = guest_systemd.run(script, cls.files, command_line, UNITS, USER_UNITS)

    @classmethod
    def configure(cls, name: str, path: str, script: str = "sleep 1000 & sleep 1000 & wait", resources: dict | None = None,
                  change=lambda config: None) -> None:
        config = copy.deepcopy(cls.default)
        config["process"]["args"] = ["/bin/sh", "-c", script]
        for kind in ("bounding", "effective", "permitted"):
            config["process"]["capabilities"][kind].append("CAP_MKNOD")
        config["linux"]["cgroupsPath"] = path
        config["linux"]["resources"] = resources or {}
        change(config)
        cls.put(f"{name}.json", json.dumps(config))

    @classmethod
    def put(cls, name: str, text: str) -> None:
        file = cls.base / name
        file.write_text(text)
        cls.files[name] = file

    def part(self, name: str) -> str:
        found = re.search(rf"^== {name}\n(.*?)(?=^== |\Z)", self.console, re.S | re.M)
        self.assertIsNotNone(found, self.console)
        return found[1]

    def has(self, said: str, *lines: str) -> None:
        for line in lines:
            self.assertRegex(said, rf"(?m)^{re.escape(line)}$")

    def is_gone(self, said: str) -> None:
        self.assertNotIn("left ", said)
        self.has(said, "LoadState=not-found")


def annotated(name: str, value: str):
    return lambda config: config.update(annotations={f"org.systemd.property.{name}": value})


@unittest.skipIf(guest_systemd.missing(), guest_systemd.missing())
class PureV2(GuestTest):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.configure("limits", "a-b.slice:berth:limits",
                      "cd /sys/fs/cgroup; for f in memory.max cpu.max pids.max; do echo $f $(cat $f); done; head -n 1 /proc/1/cgroup",
                      {"memory": {"limit": 64 << 20, "swap": 64 << 20}, "pids": {"limit": 32}, "cpu": {"quota": 50000}})
        cls.configure("lives", ":berth:lives", resources={
            "memory": {"limit": 128 << 20, "swap": 160 << 20, "reservation": 16 << 20}, "pids": {"limit": 32},
            "cpu": {"quota": 25000, "period": 50000, "shares": 512, "cpus": "0"}}, change=annotated("TimeoutStopSec", "7"))
        cls.configure("together", ":p:together", change=lambda config: config["linux"].update(
            namespaces=[entry for entry in config["linux"]["namespaces"] if entry["type"] != "pid"]))
        cls.configure("slice", "own.slice:p:own-pod.slice",
                      resources={"memory": {"limit": 64 << 20}, "pids": {"limit": 20}})
        cls.configure("hooked", ":p:hooked", change=lambda config: config.update(hooks={"createRuntime": [
            {"path": "/bin/sh", "args": ["sh", "-c", "echo x > /run/hooked; sleep 1000"]}]}))
        cls.configure("wrong-limit", ":p:wrong", resources={"cpu": {"cpus": "99"}})
        cls.configure("wrong-path", "/berth/c")
        cls.configure("wrong-property", ":p:wrong", change=annotated("TimeoutStopSec", "soon"))
        cls.configure("unknown-property", ":p:unknown", change=annotated("NoSuchThing", "5"))
        cls.configure("rootless", ":berth:mine", resources={"pids": {"limit": 30}}, change=cls.for_a_user)
        cls.put("user-script", USER_SCRIPT)
        cls.boot(V2)

    @staticmethod
    def for_a_user(config: dict) -> None:
        linux = config["linux"]
        linux["namespaces"] = [entry for entry in linux["namespaces"] if entry["type"] != "network"] + [{"type": "user"}]
        linux["uidMappings"] = [{"containerID": 0, "hostID": 1000, "size": 1}]
        linux["gidMappings"] = [{"containerID": 0, "hostID": 1000, "size": 1}]
        config["mounts"] = [mount for mount in config["mounts"] if mount["destination"] not in ("/sys", "/dev/mqueue")]
        for mount in config["mounts"]:
            mount["options"] = [option for option in mount.get("options", []) if not option.startswith("gid=")]

    def test_a_run_is_in_a_scope_of_its_slice(self):
        said = self.part("run")
        self.has(said, "memory.max 67108864", "cpu.max 50000 100000", "pids.max 32", "0::/", "exit 0")
        self.is_gone(said)

    def test_a_created_one_has_its_limits_as_properties_and_in_files(self):
        said = self.part("create")
        self.has(said, "exit 0", "ActiveState=active", "Slice=system.slice", "Delegate=yes", "DefaultDependencies=no",
                 "ControlGroup=/system.slice/berth-lives.scope", "Description=berth container lives", "MemoryMax=134217728",
                 "MemorySwapMax=33554432", "MemoryLow=16777216", "CPUWeight=20", "CPUQuotaPerSecUSec=500ms",
                 "CPUQuotaPeriodUSec=50ms", "TasksMax=32", "AllowedCPUs=0", "DevicePolicy=strict", "MemoryAccounting=yes",
                 "TasksAccounting=yes", "1", "memory.max 134217728", "memory.swap.max 33554432", "memory.low 16777216",
                 "cpu.max 25000 50000", "cpu.weight 20", "pids.max 32", "cpuset.cpus 0")
        self.assertIn("DeviceAllow=/dev/char/1:3 rwm", said)
        self.assertIn("DeviceAllow=char-136 rwm", said)

    def test_an_annotation_is_a_property(self):
        self.has(self.part("create"), "TimeoutStopUSec=7s")

    def test_a_unit_that_exists_is_anothers(self):
        said = self.part("again")
        self.assertIn("the unit berth-lives.scope exists", said)
        self.has(said, "exit 1", "ActiveState=active", "lives")
        self.assertNotIn("other", said.split("exit 1")[1])

    def test_a_process_that_joins_is_in_the_scope_and_behind_its_devices(self):
        said = self.part("start")
        self.has(said, "exit 0", "lives", "null", "0::/")
        self.assertRegex(said, "(?i)operation not permitted")

    def test_an_update_reaches_the_unit_and_the_files(self):
        said = self.part("update")
        self.has(said, "exit 0", "MemoryMax=67108864", "MemorySwapMax=33554432", "CPUWeight=39", "TasksMax=50",
                 "memory.max 67108864", "memory.swap.max 33554432", "cpu.weight 39", "pids.max 50",
                 # 33333 of 50000 are 66.67 hundredths.
                 "CPUQuotaPerSecUSec=670ms", "cpu.max 33500 50000")

    def test_an_update_that_fails_reaches_neither(self):
        self.assertRegex(self.part("update"), r"cpuset.cpus: [^\n]*\nexit 1\nafter 67108864\nMemoryMax=67108864\n")

    def test_the_other_verbs_need_no_flag(self):
        said = self.part("pause")
        self.assertEqual(said.count("exit 0"), 2, said)
        self.assertRegex(said, r"lives +\d+ +paused ")
        self.assertIn("frozen 1\n", said)
        self.assertRegex(said, r"(?m)^\[\d+,\d+,\d+\]$")
        self.assertIn('"type":"stats"', said)

    def test_limits_stay_when_systemd_reads_its_units_anew(self):
        self.has(self.part("reload"), "67108864", "33500 50000")

    def test_the_unit_is_gone_with_the_container(self):
        for name, times in (("kill", 2), ("forced", 2), ("together", 2)):
            said = self.part(name)
            self.assertEqual(said.count("exit 0"), times, said)
            self.is_gone(said)

    def test_a_slice_of_its_own(self):
        said = self.part("slice")
        self.assertEqual(said.count("exit 0"), 2, said)
        self.has(said, "ActiveState=active", "Slice=own.slice", "MemoryMax=67108864", "TasksMax=20", "3")
        self.assertNotIn("left ", said)

    def test_one_that_was_cut_short_leaves_nothing(self):
        said = self.part("cut")
        self.has(said, "ActiveState=active", "exit 0")
        self.is_gone(said)

    def test_what_is_wrong_is_named_and_leaves_nothing(self):
        said = self.part("refused")
        self.assertEqual(said.count("exit 1"), 4, said)
        self.assertIn("cpuset.cpus", said)
        self.assertIn('linux.cgroupsPath has to be "slice:prefix:name"', said)
        self.assertIn("annotation org.systemd.property.TimeoutStopSec", said)
        self.assertIn("NoSuchThing", said)
        self.is_gone(said)

    def test_a_users_own_manager(self):
        said = self.part("user")
        self.has(said, "ActiveState=active", "Slice=user.slice", "TasksMax=30", "30", "TasksMax=40", "40", "0::/",
                 "LoadState=not-found")
        self.assertEqual(said.count("exit 0"), 6, said)
        self.assertRegex(said, r"(?m)^3\n\d+ in$")  # what is in the scope: init and its two; the one that joins is later
        self.has(said, "1")
        self.assertNotIn("left ", said)


@unittest.skipIf(guest_systemd.missing(), guest_systemd.missing())
class Hybrid(GuestTest):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.configure("lives", "", resources={"memory": {"limit": 128 << 20}, "pids": {"limit": 32},
                                              "cpu": {"quota": 50000, "period": 100000, "shares": 512}})
        cls.boot(V1, HYBRID)

    def test_a_created_one_has_its_limits_as_properties_and_in_files(self):
        said = self.part("create")
        self.has(said, "exit 0", "ActiveState=active", "Slice=system.slice", "MemoryLimit=134217728", "CPUShares=512",
                 "CPUQuotaPerSecUSec=500ms", "TasksMax=32", "DevicePolicy=strict", "134217728", "512", "32",
                 *(f"{group} 1" for group in ("memory", "cpu", "pids", "devices", "systemd", "unified")))

    def test_a_process_that_joins_is_in_every_hierarchy(self):
        said = self.part("start")
        self.assertRegex(said, r"(?m)^exit 0\n1\n1\n1\n1\n")
        self.has(said, "null", "systemd", "memory")
        self.assertRegex(said, "(?i)operation not permitted")

    def test_an_update_reaches_the_unit_and_the_files(self):
        said = self.part("start")
        self.has(said, "MemoryLimit=67108864", "CPUQuotaPerSecUSec=340ms", "TasksMax=50", "67108864", "34000")
        self.assertRegex(said, r"lives +\d+ +paused ")

    def test_a_forced_deletion_ends_what_is_paused(self):
        said = self.part("forced")
        self.has(said, "exit 0")
        self.is_gone(said)


if __name__ == "__main__":
    main()
