"""berth-runtime checkpoint and restore with a real criu: in a virtual machine with the kernel of Debian 12, which criu's version
there knows; on this host's it may not work."""

import copy
import json
import re
import shutil
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "util"))
import guest
import guest_systemd
from bundle import RUNTIME, RuntimeTest, main

CRIU = shutil.which("criu")
TAR = shutil.which("tar")

# criu opens sockets of every family, locks the network by nftables, and keeps what is on a tmpfs with GNU tar.
MACHINE = """
export PATH=/usr/bin:/bin:/usr/sbin
for module in /files/modules/*; do insmod $module; done
mkdir -p /etc/criu /tmp
echo network-lock nftables > /etc/criu/default.conf
cp /files/berth-runtime /bin/
cd /files/bundle
runtime() { berth-runtime --root /run/berth "$@"; }
cgroups() { find /sys/fs/cgroup -mindepth 2 -type d | sed 's|^|cgroup |'; }
left() { cgroups; find /run/berth -mindepth 1; grep -c . /proc/self/mountinfo | sed 's/^/mounts /'; }
use() { cp /files/$1.json /files/bundle/config.json; }
part() { echo "== $1"; }
await() {
  tries=300
  while ! "$@"; do
    tries=$((tries - 1))
    [ $tries -gt 0 ] || { echo "waited in vain for $*"; return; }
    sleep 0.1
  done
}
moved() { now=$(cat rootfs/count 2> /dev/null); [ -n "$now" ] && [ "$now" != "$from" ]; }
# What the counter has reached once it has moved on.
count() { from=$(cat rootfs/count 2> /dev/null); await moved; echo "count $now"; }
lines() { [ $(grep -c . $1) -ge $2 ]; }
# What is awaited in these must not be what an earlier part left.
empty() { : > /tmp/first.out; : > /tmp/second.out; }
start() { runtime run -d c < /dev/null > /dev/null 2>&1; echo "run $?"; count; }
checkpoint() { runtime checkpoint "$@" c; echo "checkpoint $?"; }
restore() { runtime restore "$@" c < /dev/null > /tmp/said 2>&1; echo "restore $?"; cat /tmp/said; }
"""

PREPARE = """
cp -a /files/host/* /
""" + MACHINE + """
ip link set lo up
mkdir -p /dev/pts
mount -t devpts -o newinstance,ptmxmode=0666 devpts /dev/pts
"""

SCRIPT = PREPARE + """
part check
criu check > /tmp/check 2>&1; echo "check $?"; tail -n 1 /tmp/check
mkdir /run/berth
left > /tmp/left
part detached
use counter
start
checkpoint --image-path /tmp/images
left | diff /tmp/left - && echo "nothing is left"
echo "ended at $(cat rootfs/count)"
restore --detach --image-path /tmp/images --pid-file /tmp/pid
count
runtime state c
echo "pid file $(cat /tmp/pid)"
grep -c . /proc/self/mountinfo | sed 's/^/mounts /' | diff - /tmp/left && echo "no mount of the host"
for f in memory.max pids.max; do echo "$f $(cat /sys/fs/cgroup/berth/c/$f)"; done
grep -c "^$(cat /tmp/pid)$" /sys/fs/cgroup/berth/c/cgroup.procs
runtime exec c sh -c 'echo inside $(cat /data/file); touch /data/no; ip address show lo; readlink /proc/self/ns/time; readlink /proc/1/ns/time'
cat /tmp/hooked; echo
part again
checkpoint --image-path /tmp/again --work-path /tmp/work
echo "log $(ls /tmp/work | grep log) and $(ls /tmp/again | grep -c log)"
restore --detach --image-path /tmp/again --work-path /tmp/work
count
part conflict
restore --detach --image-path /tmp/images
count
runtime delete --force c; echo "delete $?"
left | diff /tmp/left - && echo "nothing is left"
part running
start
checkpoint --leave-running --image-path /tmp/images
count
runtime list -q
part parent
checkpoint --pre-dump --image-path /tmp/first
count
checkpoint --image-path /tmp/second --parent-path ../first
ls -l /tmp/second | grep -o 'parent -> .*'
[ $(cat /tmp/second/pages-*.img | wc -c) -lt $(cat /tmp/first/pages-*.img | wc -c) ] && echo fewer
restore --detach --image-path /tmp/second
count
runtime pause c
part paused
checkpoint --image-path /tmp/paused
restore --detach --image-path /tmp/paused
count
runtime delete --force c; echo "delete $?"
part foreground
use printer
empty
(runtime run c; echo "code $?") 2>&1 | cat > /tmp/first.out &
await lines /tmp/first.out 3
checkpoint --image-path /tmp/streams
wait
tail -n 2 /tmp/first.out
(runtime restore --image-path /tmp/streams c; echo "code $?") 2>&1 | cat > /tmp/second.out &
await lines /tmp/second.out 3
touch rootfs/stop
wait
head -n 1 /tmp/second.out; tail -n 1 /tmp/second.out
left | diff /tmp/left - && echo "nothing is left"
part terminal
use terminal
empty
rm rootfs/stop
(runtime run c; echo "code $?") < /dev/null > /tmp/first.out 2>&1 &
await lines /tmp/first.out 3
checkpoint --image-path /tmp/terminal
wait
tail -n 2 /tmp/first.out
(runtime restore --image-path /tmp/terminal c; echo "code $?") < /dev/null > /tmp/second.out 2>&1 &
await lines /tmp/second.out 3
touch rootfs/stop
wait
head -n 1 /tmp/second.out; tail -n 1 /tmp/second.out
part broken
use counter
rm /tmp/images/core-1.img
restore --detach --image-path /tmp/images
left | diff /tmp/left - && echo "nothing is left"
"""

LEGACY = PREPARE + """
umount /sys/fs/cgroup
mount -t tmpfs tmpfs /sys/fs/cgroup
for name in memory pids devices cpu,cpuacct freezer; do
  mkdir /sys/fs/cgroup/$name
  mount -t cgroup -o $name cgroup /sys/fs/cgroup/$name
done
legacy() {
  part $1
  use $1
  start
  checkpoint --image-path /tmp/$1
  echo "ended at $(cat rootfs/count)"
  restore --detach --image-path /tmp/$1
  count
  cat /sys/fs/cgroup/memory/berth/c/memory.limit_in_bytes
  runtime pause c
  checkpoint --image-path /tmp/$1-paused
  restore --detach --image-path /tmp/$1-paused
  count
  runtime delete --force c; echo "delete $?"
  find /sys/fs/cgroup -mindepth 3 -type d
}
legacy counter
legacy bound
"""

# A container whose cgroups are those of a scope that systemd makes, and of one that it makes for the restore.
SCOPE = MACHINE + """
unit() { systemctl --no-pager show "$@" berth-c.scope; }
members() { find /sys/fs/cgroup -path '*/berth-c.scope/cgroup.procs' -exec cat {} + | sort -u; }
runtime() { berth-runtime --root /run/berth --systemd-cgroup "$@"; }
part scope
use scope
start
checkpoint --image-path /tmp/images
echo "ended at $(cat rootfs/count)"
unit -p LoadState
restore --detach --image-path /tmp/images --pid-file /tmp/pid
count
unit -p ActiveState,Slice,TasksMax
members > /tmp/members
grep -qx $(cat /tmp/pid) /tmp/members && echo "init is a member"
for pid in $(cat /tmp/members); do echo "member $(cat /proc/$pid/comm 2> /dev/null)"; done
runtime exec c cat /proc/1/comm
runtime pause c; echo "pause $?"
runtime resume c; echo "resume $?"
runtime update --pids-limit 30 c; echo "update $?"
unit -p TasksMax
runtime delete --force c; echo "delete $?"
unit -p LoadState
find /sys/fs/cgroup -name 'berth-c*'; ls /run/berth
part cut
use stuck
restore --detach --image-path /tmp/images & cut=$!
await [ -e /run/hooked ]
unit -p ActiveState
busybox killall -9 berth-runtime; wait $cut
runtime delete --force c; echo "delete $?"
unit -p LoadState
find /sys/fs/cgroup -name 'berth-c*'; ls /run/berth
use scope
part broken
rm /tmp/images/core-1.img
restore --detach --image-path /tmp/images
unit -p LoadState
find /sys/fs/cgroup -name 'berth-c*'; ls /run/berth
part taken
berth-runtime --root /run/other --systemd-cgroup run -d other < /dev/null > /dev/null 2>&1; echo "run $?"
restore --detach --image-path /tmp/images
berth-runtime --root /run/other list
"""


def missing() -> str:
    if reason := guest.missing():
        return reason
    if CRIU is None or TAR is None:
        return "criu or tar is not installed (tools/setup test installs them)"
    return "" if guest.MODULES.is_dir() else f"{guest.MODULES} is not there (tools/guest_kernel brings it)"


@unittest.skipIf(missing(), missing())
class GuestTest(RuntimeTest):
    """One machine for all tests of a class: what its script says, by parts."""

    script = ""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        host, bundle, data = cls.base / "host", cls.base / "bundle", cls.base / "data"
        guest.put_programs(host, CRIU, TAR)
        bundle.mkdir()
        data.mkdir()
        (data / "file").write_text("bound")
        cls.rootfs.rename(bundle / "rootfs")
        # A dump may come at any moment, also between the two steps of writing a file.
        counting = "i=0; while :; do i=$((i+1)); echo $i > /next; mv /next /count; sleep 0.1; done"
        printing = "i=0; while ! [ -e /stop ]; do i=$((i+1)); echo line $i; sleep 0.2; done; exit 7"
        files = {"berth-runtime": Path(RUNTIME), "host": host, "bundle": bundle, "data": data, "modules": guest.MODULES,
                 "counter.json": cls.configure("counter", counting), "printer.json": cls.configure("printer", printing),
                 "terminal.json": cls.configure("terminal", printing, terminal=True),
                 "bound.json": cls.configure("bound", counting, without="cgroup"),
                 "scope.json": cls.configure("scope", counting, cgroups="system.slice:berth:c"),
                 "stuck.json": cls.configure("stuck", counting, cgroups="system.slice:berth:c",
                                             hook="touch /run/hooked; exec sleep 1000")}
        cls.console = cls.boot(files)

    @classmethod
    def boot(cls, files: dict[str, Path]) -> str:
        return guest.run(cls.script, files)

    @classmethod
    def configure(cls, name: str, script: str, terminal: bool = False, without: str = "",
                  cgroups: str = "/berth/c", hook: str = "cat > /tmp/hooked") -> Path:
        config = copy.deepcopy(cls.default)
        config["linux"]["namespaces"] = [entry for entry in config["linux"]["namespaces"] if entry["type"] != without]
        config["process"].update(args=["/bin/sh", "-c", script], terminal=terminal)
        config["mounts"].append({"destination": "/data", "type": "bind", "source": "/files/data", "options": ["bind", "ro"]})
        # A place in what is bound, and on a tmpfs.
        config["mounts"].append({"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": []})
        config["mounts"].append({"destination": "/tmp/data", "type": "bind", "source": "/files/data", "options": ["rbind"]})
        config["hooks"] = {"createRuntime": [{"path": "/bin/busybox", "args": ["sh", "-c", hook]}]}
        config["linux"]["cgroupsPath"] = cgroups
        config["linux"]["resources"] = {"memory": {"limit": 64 << 20}, "pids": {"limit": 40}}
        file = cls.base / f"{name}.json"
        file.write_text(json.dumps(config))
        return file

    def part(self, name: str) -> str:
        found = re.search(rf"^== {name}\n(.*?)(?=^== |\Z)", self.console, re.S | re.M)
        self.assertIsNotNone(found, self.console)
        return found[1]

    def counts(self, said: str) -> list[int]:
        return [int(number) for number in re.findall(r"(?m)^count (\d+)$", said)]


class Checkpoint(GuestTest):
    script = SCRIPT

    def test_criu_works_there(self):
        self.assertIn("check 0\nLooks good.", self.part("check"))

    def test_a_container_goes_on_where_it_was(self):
        said = self.part("detached")
        for line in ("run 0", "checkpoint 0", "nothing is left", "restore 0", "no mount of the host"):
            self.assertIn(line + "\n", said)
        before, after = self.counts(said)
        ended = int(re.search(r"ended at (\d+)", said)[1])
        self.assertLessEqual(before, ended)
        # The next number or one soon after it, not 1 again.
        self.assertIn(after, range(ended, ended + 50), said)

    def test_a_restored_container_is_as_it_was_made(self):
        said = self.part("detached")
        pid = re.search(r"pid file (\d+)", said)[1]
        state = json.loads(re.search(r"(?ms)^\{\n.*?^\}$", said)[0])
        self.assertEqual((state["status"], str(state["pid"]), state["bundle"]), ("running", pid, "/files/bundle"))
        self.assertIn("memory.max 67108864\npids.max 40\n1\n", said)
        self.assertIn("inside bound\n", said)
        self.assertRegex(said, "(?i)read-only file system")
        self.assertIn("inet 127.0.0.1/8", said)
        time, same = re.findall(r"time:\[\d+\]", said)
        self.assertEqual(time, same, "a process that joins has the container's clocks")
        hooked = json.loads(re.search(r'(?m)^\{"ociVersion":"[^"]*","id":"c","status":"creating".*?\}', said)[0])
        self.assertEqual(str(hooked["pid"]), pid)

    def test_what_was_restored_can_be_checkpointed(self):
        said = self.part("again")
        self.assertIn("checkpoint 0\nlog dump.log and 0\nrestore 0\n", said)
        self.assertGreater(self.counts(said)[0], self.counts(self.part("detached"))[-1] - 1)

    def test_an_id_that_is_taken_stays_whose_it_is(self):
        said = self.part("conflict")
        self.assertIn("restore 1\n", said)
        self.assertIn("container with given ID already exists: c", said)
        self.assertEqual(len(self.counts(said)), 1)
        self.assertIn("delete 0\nnothing is left\n", said)

    def test_a_container_may_be_left_running(self):
        said = self.part("running")
        self.assertIn("checkpoint 0\n", said)
        first, second = self.counts(said)
        self.assertLess(first, second)
        self.assertTrue(said.endswith("c\n"), said)

    def test_a_dump_after_a_pre_dump_has_what_changed(self):
        said = self.part("parent")
        self.assertEqual(said.count("checkpoint 0"), 2, said)
        self.assertIn("parent -> ../first\nfewer\nrestore 0\n", said)
        first, second = self.counts(said)
        self.assertLess(first, second)

    def test_a_paused_container_can_be_checkpointed(self):
        said = self.part("paused")
        self.assertIn("checkpoint 0\nrestore 0\n", said)
        self.assertIn("delete 0\n", said)

    def check_lines(self, name: str) -> None:
        said = self.part(name).replace("\r", "")
        self.assertIn("checkpoint 0\n", said)
        seen = re.search(r"line (\d+)\ncode (\d+)\nline (\d+)\ncode (\d+)\n", said)
        self.assertIsNotNone(seen, said)
        last, code, first, second_code = seen.groups()
        self.assertEqual((code, int(first), second_code), ("137", int(last) + 1, "7"), said)

    def test_the_foreground_gets_pipes_of_its_own(self):
        self.check_lines("foreground")
        self.assertIn("nothing is left\n", self.part("foreground"))

    def test_a_terminal_comes_back(self):
        self.check_lines("terminal")

    def test_nothing_is_left_of_a_restore_that_fails(self):
        said = self.part("broken")
        self.assertIn("restore 1\n", said)
        self.assertRegex(said, r"restore failed: criu cannot restore the container: Error.*its log is /tmp/images/restore\.log")
        self.assertIn("nothing is left\n", said)


class CgroupsOfVersion1(GuestTest):
    script = LEGACY

    def test_they_are_kept_as_well(self):
        # In a cgroup namespace, and without one: then what the container sees of them is bound.
        for name in ("counter", "bound"):
            with self.subTest(name=name):
                said = self.part(name)
                self.assertEqual((said.count("checkpoint 0\n"), said.count("restore 0\n")), (2, 2), said)
                ended = int(re.search(r"ended at (\d+)", said)[1])
                first, restored, again = self.counts(said)
                self.assertTrue(first <= ended < restored + 1 <= again + 1, said)
                self.assertIn("\n67108864\n", said)
                self.assertTrue(said.endswith("\ndelete 0\n"), said)
                self.assertNotIn("/berth/c", said)


@unittest.skipIf(guest_systemd.missing(), guest_systemd.missing())
class ScopeOfSystemd(GuestTest):
    script = SCOPE
    command_line = ""

    @classmethod
    def boot(cls, files: dict[str, Path]) -> str:
        return guest_systemd.run(cls.script, files, cls.command_line, programs=(CRIU, TAR))

    def test_a_restored_container_is_in_a_scope_of_its_own(self):
        said = self.part("scope")
        first, restored = self.counts(said)
        ended = int(re.search(r"ended at (\d+)", said)[1])
        self.assertTrue(first <= ended < restored + 1, said)
        self.assertIn("checkpoint 0\n", said)
        before, after, *_ = re.findall(r"LoadState=(\S+)", said)
        self.assertEqual((before, after), ("not-found", "not-found"))
        self.assertRegex(said, r"restore 0\ncount \d+\n(Slice=system\.slice|ActiveState=active|TasksMax=40|\n)+init is a member\n")
        self.assertNotIn("member criu", said)
        self.assertNotIn("member berth", said)
        self.assertIn("pause 0\nresume 0\nupdate 0\nTasksMax=30\ndelete 0\n", said)
        self.assertTrue(said.endswith("LoadState=not-found\n"), said)

    def test_nothing_is_left_of_a_restore_that_fails(self):
        said = self.part("broken")
        self.assertIn("restore 1\n", said)
        self.assertTrue(said.endswith("LoadState=not-found\n"), said)

    def test_one_that_is_killed_leaves_what_delete_force_removes(self):
        said = self.part("cut")
        self.assertIn("ActiveState=active\n", said)
        self.assertTrue(said.endswith("delete 0\nLoadState=not-found\n"), said)

    def test_a_scope_that_is_there_stays_whose_it_is(self):
        said = self.part("taken")
        self.assertIn("run 0\nrestore 1\n", said)
        self.assertIn("berth-c.scope", said)
        self.assertRegex(said, r"(?m)^other +\d+ +running ")


class ScopeOfSystemdWithV1(ScopeOfSystemd):
    command_line = "systemd.unified_cgroup_hierarchy=0"


if __name__ == "__main__":
    main()
