"""berth-runtime's verbs for containers that are there: list, ps, pause, resume, update, events, and features and spec."""

import json
import os
import shutil
import signal
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "util"))

import waiting
from bundle import CGROUPS, RUNTIME, RuntimeTest, main

SLEEP = ("sleep", "1000")
COUNT = ("sh", "-c", "i=0; while :; do i=$((i + 1)); echo $i > /count; done")
MIB = 1 << 20
V1 = (CGROUPS / "memory/memory.limit_in_bytes").exists()


class ControlTest(RuntimeTest):
    def start(self, *args: str) -> int:
        """A container that runs; its init's pid."""
        self.assertEqual(self.create(*args).returncode, 0)
        self.ok("start", "c")
        return self.state()["pid"]

    def file(self, name: str, controller: str = "") -> Path:
        """A file of the container's cgroup, of v1 or v2."""
        return CGROUPS / (controller if V1 else "") / self.base.name / "c" / name

    def value(self, name: str, controller: str = "") -> str:
        return self.file(name, controller).read_text().strip()


class List(ControlTest):
    def test_a_table_as_runcs(self):
        pid = self.start(*SLEEP)
        head, row = self.runtime("list").stdout.splitlines()
        self.assertEqual(head.split(), ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"])
        self.assertEqual(row.split(), ["c", str(pid), "running", str(self.base), self.state()["created"], "root"])
        for word, title in (("running", "STATUS"), (str(self.base), "BUNDLE"), ("root", "OWNER")):
            self.assertEqual(row.rindex(word) if title == "OWNER" else row.index(word), head.index(title))
        self.assertEqual(head.index("PID"), 12)

    def test_ids_and_json(self):
        self.config["annotations"] = {"a": "b"}
        self.start(*SLEEP)
        self.assertEqual(self.ok("list", "-q"), "c")
        expected = dict(self.state(), owner="root")
        self.assertEqual(json.loads(self.ok("list", "--format", "json")), [expected])
        self.assertEqual(json.loads(self.ok("list", "-f=json")), [expected])
        self.fails(self.runtime("list", "--format", "yaml"), 1, "invalid format option")

    def test_no_container_is_an_empty_table(self):
        self.root.mkdir(exist_ok=True)
        self.assertEqual(len(self.ok("list").splitlines()), 1)
        self.assertEqual(self.ok("list", "--format", "json"), "null")
        self.assertEqual(self.ok("list", "--quiet"), "")

    def test_what_is_damaged_or_half_made_hides_no_other(self):
        self.start(*SLEEP)
        other = {"b": None, "d": "{", "e": '{"id":"c"}', "f": '{"id":"f","pid":"x"}'}
        for name, text in other.items():
            (self.root / name).mkdir()
            if text:
                (self.root / name / "state.json").write_text(text)
        (self.root / "file").write_text("")
        try:
            done = self.runtime("list", "--quiet")
            self.assertEqual((done.returncode, done.stdout), (0, "c\n"))
            for name in other:
                self.assertIn(f"load container {name}: ", done.stderr)
        finally:
            for name in other:
                shutil.rmtree(self.root / name)
            (self.root / "file").unlink()

    def test_each_status(self):
        self.create(*SLEEP)
        statuses = []
        for verb in (("start", "c"), ("pause", "c"), ("kill", "c", "KILL"), None):
            statuses.append(self.ok("list").splitlines()[1].split()[2])
            if verb:
                self.ok(*verb)
                if verb[0] == "kill":
                    self.wait_for_status("stopped")
        self.assertEqual(statuses, ["created", "running", "paused", "stopped"])
        self.assertEqual(self.ok("list").splitlines()[1].split()[1], "0")


class Ps(ControlTest):
    def test_the_processes_of_the_container_only(self):
        pid = self.start("sh", "-c", "sleep 1000 & sleep 1001 & wait")
        processes = waiting.until(lambda: (found := json.loads(self.ok("ps", "--format", "json", "c")))
                                  and len(found) == 3 and found, "three processes")
        self.assertIn(pid, processes)
        lines = self.ok("ps", "c").splitlines()
        column = lines[0].split().index("PID")
        self.assertEqual(sorted(int(line.split()[column]) for line in lines[1:]), processes)
        self.assertIn("sleep 1001", "\n".join(lines))

    def test_options_are_those_of_ps(self):
        pid = self.start(*SLEEP)
        lines = self.ok("ps", "c", "-o", "pid,args", "-e").splitlines()
        self.assertEqual([line.split() for line in lines], [["PID", "COMMAND"], [str(pid), "sleep", "1000"]])
        self.fails(self.runtime("ps", "c", "-o", "args", "-e"), 1, "couldn't find PID field in ps output")
        self.fails(self.runtime("ps", "c", "--no-such-option"), 1, "exit status 1: ")

    def test_a_host_without_ps(self):
        self.start(*SLEEP)
        done = self.runtime("ps", "c", env={"PATH": "/nonexistent"})
        self.fails(done, 1, 'exec: "ps": executable file not found in $PATH')


class Pause(ControlTest):
    def count(self) -> str:
        return (self.rootfs / "count").read_text()

    def test_everything_stops_and_goes_on(self):
        pid = self.start(*COUNT)
        waiting.until((self.rootfs / "count").exists, "it counts")
        self.ok("pause", "c")
        self.assertEqual(self.state()["status"], "paused")
        self.assertEqual(self.state()["pid"], pid)
        ticks = Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[11:13]
        self.assertEqual(self.count(), self.count())
        self.ok("kill", "c", "0")
        self.assertEqual(Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[11:13], ticks)
        self.ok("resume", "c")
        self.assertEqual(self.state()["status"], "running")
        before = self.count()
        waiting.until(lambda: self.count() not in ("", before), "it counts again")
        (self.rootfs / "count").unlink(missing_ok=True)

    def test_again_and_again_with_new_processes(self):
        pid = self.start("sh", "-c", "while :; do sh -c :; done")
        for _ in range(10):
            self.ok("pause", "c")
            states = [Path(f"/proc/{inside}/stat").read_text().split(")")[1].split()[0]
                      for inside in json.loads(self.ok("ps", "--format", "json", "c"))]
            self.assertNotIn("R", states)
            self.ok("resume", "c")
        self.assertEqual(self.state()["pid"], pid)

    def test_only_what_runs_is_paused_and_only_what_is_paused_resumes(self):
        self.create(*SLEEP)
        self.fails(self.runtime("resume", "c"), 1, "container not paused")
        self.ok("start", "c")
        self.fails(self.runtime("resume", "c"), 1, "container not paused")
        self.ok("pause", "c")
        self.fails(self.runtime("pause", "c"), 1, "container not running")
        self.fails(self.runtime("start", "c"), 1, "cannot start a container in the paused state")
        self.fails(self.runtime("delete", "c"), 1, "cannot delete container c that is not stopped: paused")
        self.ok("kill", "c", "KILL")
        self.wait_for_status("stopped")
        self.fails(self.runtime("pause", "c"), 1, "container not running")
        self.fails(self.runtime("resume", "c"), 1, "container not paused")
        for verb in ("pause", "resume"):
            self.fails(self.runtime(verb, "nobody"), 1, "container does not exist: nobody")

    def test_a_created_one_is_created_again_afterwards(self):
        self.create(*SLEEP)
        self.ok("pause", "c")
        self.assertEqual(self.state()["status"], "paused")
        self.ok("resume", "c")
        self.assertEqual(self.state()["status"], "created")
        self.ok("start", "c")
        self.assertEqual(self.state()["status"], "running")

    def test_not_while_it_is_made(self):
        marker = self.base / "marker"
        self.config["hooks"] = {"createRuntime": [{"path": "/bin/sh", "args": [
            "sh", "-c", f"echo $$ > {marker}.new; mv {marker}.new {marker}; exec sleep 1000"]}]}
        self.write_config(*SLEEP)
        with subprocess.Popen(self.command("create", "--bundle", str(self.base), "c"), stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as creating:
            waiting.until(marker.exists, "the hook runs")
            for verb in ("pause", "update"):
                self.fails(self.runtime(verb, "c"), 1, f"cannot {verb} a container that is still being created")
            self.fails(self.runtime("resume", "c"), 1, "container not paused")
            creating.kill()
        os.kill(int(marker.read_text()), signal.SIGKILL)
        marker.unlink()

    def test_kill_ends_a_paused_one_and_other_signals_wait(self):
        for words in (("c", "KILL"), ("--all", "c", "KILL")):
            pid = self.start(*SLEEP)
            self.ok("pause", "c")
            self.ok("kill", *words)
            self.wait_for_status("stopped")
            self.assertFalse(Path(f"/proc/{pid}/exe").exists())
            self.ok("delete", "c")
        self.start("sh", "-c", "trap 'exit 3' TERM; touch /ready; while :; do sleep 0.01; done")
        waiting.until((self.rootfs / "ready").exists, "the trap is set")
        (self.rootfs / "ready").unlink()
        self.ok("pause", "c")
        self.ok("kill", "c", "TERM")
        self.assertEqual(self.state()["status"], "paused")
        self.ok("resume", "c")
        self.wait_for_status("stopped")

    def test_delete_force_thaws_what_it_kills(self):
        pid = self.start(*COUNT)
        self.ok("pause", "c")
        self.ok("delete", "--force", "c")
        self.assertFalse(Path(f"/proc/{pid}/exe").exists())
        self.assertEqual(self.groups(f"{self.base.name}/c"), [])

    def test_run_ends_with_what_was_paused_and_killed(self):
        self.write_config(*SLEEP)
        with subprocess.Popen(self.command("run", "--bundle", str(self.base), "c"), stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL) as running:
            waiting.until(lambda: self.root.exists() and "running" in self.runtime("list").stdout, "it runs")
            self.ok("pause", "c")
            self.ok("kill", "c", "KILL")
            self.assertEqual(running.wait(waiting.DEADLINE), 137)
        self.assertEqual(self.groups(f"{self.base.name}/c"), [])


class Kill(ControlTest):
    def test_realtime_signals(self):
        self.start(*SLEEP)
        self.ok("kill", "c", "SIGRTMAX-3")
        self.assertEqual(self.state()["status"], "running", "init ignores what it has no handler for")
        self.fails(self.runtime("kill", "c", "SIGRTMIN+99"), 1, 'unknown signal "SIGRTMIN+99"')

    def test_shared_pids_all_end_with_init(self):
        self.config["linux"]["namespaces"] = [n for n in self.config["linux"]["namespaces"] if n["type"] != "pid"]
        self.start("sh", "-c", "sleep 1000 & sleep 1001 & wait")
        pids = waiting.until(lambda: (found := json.loads(self.ok("ps", "--format", "json", "c")))
                             and len(found) == 3 and found, "three processes")
        self.ok("kill", "c", "KILL")
        self.wait_for_status("stopped")
        for pid in pids:
            waiting.until(lambda pid=pid: not Path(f"/proc/{pid}/exe").exists(), f"{pid} is gone")

    def test_several_are_deleted_and_one_that_stays_does_not_keep_the_others(self):
        self.start(*SLEEP)
        for name in ("d", "e"):
            self.config["linux"]["cgroupsPath"] = f"/{self.base.name}/{name}"
            self.write_config("true")
            self.ok("run", "--keep", "--bundle", str(self.base), name)
        done = self.runtime("delete", "d", "c", "nobody", "e")
        self.fails(done, 1, "cannot delete container c that is not stopped: running")
        self.assertIn("container does not exist: nobody", done.stderr)
        self.assertEqual([entry.name for entry in self.root.iterdir()], ["c"])
        self.assertEqual(self.groups(f"{self.base.name}/d"), [])
        self.fails(self.runtime("delete"), 1, "delete needs the ids")


@unittest.skipUnless(V1, "reads and writes the files of cgroup v1; v2 is in test_pure_v2.py")
class Update(ControlTest):
    def limits(self) -> tuple[int, int]:
        return tuple(int(self.value(f"memory.{kind}limit_in_bytes", "memory")) for kind in ("", "memsw."))

    def test_memory_and_swap_grow_and_shrink_together(self):
        self.config["linux"]["resources"]["memory"] = {"limit": 32 * MIB, "swap": 32 * MIB}
        self.start(*SLEEP)
        for size in (64, 256, 16, 128):
            self.ok("update", "--memory", f"{size}m", "--memory-swap", f"{size * 2}M", "c")
            self.assertEqual(self.limits(), (size * MIB, 2 * size * MIB))
        self.ok("update", "--memory", "-1", "c")
        self.assertGreater(min(self.limits()), 1 << 60)

    def test_what_is_not_given_stays(self):
        self.config["linux"]["resources"]["memory"] = {"limit": 32 * MIB, "swap": 64 * MIB}
        self.config["linux"]["resources"]["cpu"] = {"shares": 512, "quota": 50000, "period": 100000}
        self.start(*SLEEP)
        self.ok("update", "--pids-limit", "77", "c")
        self.assertEqual(self.limits(), (32 * MIB, 64 * MIB))
        self.assertEqual(self.value("cpu.shares", "cpu"), "512")
        self.assertEqual(self.value("pids.max", "pids"), "77")
        self.ok("update", "--cpu-period", "20000", "c")
        self.assertEqual((self.value("cpu.cfs_period_us", "cpu"), self.value("cpu.cfs_quota_us", "cpu")),
                         ("20000", "50000"))
        self.ok("update", "--cpu-quota", "-1", "--pids-limit", "-1", "c")
        self.assertEqual((self.value("cpu.cfs_quota_us", "cpu"), self.value("pids.max", "pids")), ("-1", "max"))

    def test_a_failure_names_the_limit_and_changes_nothing(self):
        self.config["linux"]["resources"]["memory"] = {"limit": 32 * MIB, "swap": 64 * MIB}
        self.start(*SLEEP)
        done = self.runtime("update", "--memory", "16m", "--pids-limit", "5", "--cpuset-cpus", "4096", "c")
        self.fails(done, 1, "cpuset.cpus")
        self.assertEqual(self.limits(), (32 * MIB, 64 * MIB))
        self.assertEqual(self.value("pids.max", "pids"), "max")
        done = self.runtime("update", "--memory", "128m", "c")
        self.fails(done, 1, f"the memory limit is above that of memory and swap together, {64 * MIB}")
        self.assertEqual(self.limits(), (32 * MIB, 64 * MIB))

    def test_a_limit_below_what_is_used(self):
        self.start("sh", "-c", "dd if=/dev/zero of=/dev/shm/file bs=1M count=20 2>/dev/null; touch /ready; sleep 1000")
        waiting.until((self.rootfs / "ready").exists, "the memory is used")
        (self.rootfs / "ready").unlink()
        before = self.limits()
        self.fails(self.runtime("update", "--memory", "4m", "--memory-swap", "4m", "c"), 1,
                   "unable to set memory limit to 4194304 (current usage: ")
        self.assertEqual(self.limits(), before)

    def test_limits_of_controllers_that_were_not_used_before(self):
        pid = self.start("sh", "-c", "sleep 1000 & wait")
        self.ok("update", "--cpu-share", "256", "--cpuset-cpus", "0", "--blkio-weight", "200", "c")
        groups = Path(f"/proc/{pid}/cgroup").read_text()
        for controller in ("cpu", "cpuset", "blkio"):
            self.assertRegex(groups, rf":{controller}:/{self.base.name}/c\n")
        self.assertIn("Cpus_allowed_list:\t0\n", Path(f"/proc/{pid}/status").read_text())
        self.assertEqual(self.value("cpu.shares", "cpu"), "256")
        weights = [self.file(name, "blkio") for name in ("blkio.weight", "blkio.bfq.weight")]
        self.assertIn("200", [weight.read_text().split()[-1] for weight in weights if weight.exists()])
        self.ok("delete", "--force", "c")
        self.assertEqual(self.groups(f"{self.base.name}/c"), [])

    def test_resources_come_from_a_file_or_standard_input(self):
        self.start(*SLEEP)
        file = self.base / "resources.json"
        file.write_text(json.dumps({"memory": {"limit": 64 * MIB, "kernel": 1}, "devices": [
            {"allow": True, "access": "rwm"}], "pids": {"limit": 9}}))
        devices = self.value("devices.list", "devices")
        self.ok("update", "--resources", str(file), "--memory", "1g", "c")
        self.assertEqual(self.limits()[0], 64 * MIB, "with a file the other flags do not count")
        self.assertEqual(self.value("pids.max", "pids"), "9")
        self.assertEqual(self.value("devices.list", "devices"), devices)
        subprocess.run(self.command("update", "-r", "-", "c"), input=b'{"cpu": {"shares": 99}}', check=True,
                       timeout=waiting.DEADLINE)
        self.assertEqual(self.value("cpu.shares", "cpu"), "99")
        for text, says in (('{"memory": {"limit": "x"}}', "memory.limit must be a whole number"), ("{", "line 1"),
                           ('{"unified": {"memory.max": "1"}}', "needs cgroup v2"),
                           ('{"rdma": {"mlx5_1": {"hcaHandles": 3}}}', "no 'rdma' cgroup controller")):
            file.write_text(text)
            self.fails(self.runtime("update", "-r", str(file), "c"), 1, says)

    def test_devices_are_kept(self):
        self.config["linux"]["resources"]["devices"].append(
            {"allow": True, "type": "c", "major": 10, "minor": 229, "access": "rwm"})
        self.start(*SLEEP)
        devices = self.value("devices.list", "devices")
        self.assertIn("c 10:229 rwm", devices)
        self.ok("update", "--memory", "64m", "--cpu-share", "300", "c")
        self.assertEqual(self.value("devices.list", "devices"), devices)

    def test_values_that_are_none_and_a_container_that_has_ended(self):
        self.start(*SLEEP)
        for flag, value in (("--memory", "x"), ("--memory-swap", "-2"), ("--cpu-share", "many"), ("--cpu-quota", "1.5"),
                            ("--blkio-weight", "-1"), ("--pids-limit", "9x"), ("--cpu-idle", "yes")):
            self.fails(self.runtime("update", flag, value, "c"), 1, f"invalid value for {flag[2:]}: ")
        self.fails(self.runtime("update", "--l3-cache-schema", "L3:0=f", "c"), 1, "need a container with linux.intelRdt")
        self.fails(self.runtime("update", "--mem-bw-schema", "MB:0=5", "c"), 1,
                   "need a container with linux.intelRdt")
        done = self.runtime("update", "--kernel-memory", "1m", "c")
        self.assertEqual(done.returncode, 0)
        self.assertIn("Kernel memory settings are ignored", done.stderr)
        self.ok("kill", "c", "KILL")
        self.wait_for_status("stopped")
        self.fails(self.runtime("update", "--memory", "64m", "c"), 1, "container not running")

    def test_while_it_is_paused(self):
        self.start(*SLEEP)
        self.ok("pause", "c")
        self.ok("update", "--memory", "64m", "--cpu-share", "300", "c")
        self.assertEqual(self.limits()[0], 64 * MIB)
        self.ok("resume", "c")


def keys_of(value, path: str = "") -> set[str]:
    """Where there is what in a JSON value; numbers of pages and block devices apart."""
    if isinstance(value, dict):
        return {path} | {key for name, member in value.items() for key in keys_of(member, f"{path}.{name}")
                         if not path.endswith(".raw")}
    return {path}


class Events(ControlTest):
    def test_stats_once(self):
        self.config["linux"]["resources"]["pids"] = {"limit": 55}
        pid = self.start(*COUNT)
        waiting.until((self.rootfs / "count").exists, "it works")
        event = json.loads(self.ok("events", "--stats", "c"))
        self.assertEqual((event["type"], event["id"]), ("stats", "c"))
        data = event["data"]
        self.assertEqual(data["pids"], {"current": 1, "limit": 55})
        self.assertGreater(data["cpu"]["usage"]["total"], 0)
        self.assertGreater(data["memory"]["usage"]["usage"], 0)
        self.assertTrue(data["memory"]["raw"])
        self.assertEqual((data["intel_rdt"], data["network_interfaces"]), ({}, None))
        self.assertEqual(self.state()["pid"], pid)
        (self.rootfs / "count").unlink()

    @unittest.skipUnless(shutil.which("runc"), "runc is not installed")
    def test_every_number_that_runc_gives_is_there(self):
        self.config["linux"]["resources"]["cpu"] = {"shares": 512, "cpus": "0"}
        self.config["linux"]["cgroupsPath"] = f"/{self.base.name}/c"
        self.config["linux"]["seccomp"] = None
        self.config["linux"]["namespaces"] = [n for n in self.config["linux"]["namespaces"] if n["type"] != "cgroup"]
        # Both leave out the numbers that are 0, so each has pages of a file that nobody read before.
        written = self.rootfs / "written"
        self.start("sh", "-c", "head -c 4m /dev/zero > /cache; : > /written; exec sleep 1000")
        waiting.until(written.exists, "the file is there")
        ours = keys_of(json.loads(self.ok("events", "--stats", "c")))
        self.ok("delete", "--force", "c")
        (self.rootfs / "cache").unlink()
        written.unlink()
        runc = ["runc", "--root", str(self.base / "runc-state")]
        try:
            done = subprocess.run([*runc, "run", "--detach", "--bundle", str(self.base), "r"], check=False, text=True,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self.assertEqual(done.returncode, 0)
            waiting.until(written.exists, "the file is there")
            theirs = keys_of(json.loads(subprocess.run([*runc, "events", "--stats", "r"], check=True,
                                                       capture_output=True).stdout))
        finally:
            subprocess.run([*runc, "delete", "--force", "r"], check=False, capture_output=True)
            shutil.rmtree(self.base / "runc-state", ignore_errors=True)
        # runc joins every hierarchy; here the numbers of block devices are for those who limit them.
        self.assertEqual({key for key in theirs - ours if ".blkio" not in key and ".hugetlb" not in key}, set())

    def test_again_and_again_until_it_ends(self):
        self.start(*SLEEP)
        command = self.command("events", "--interval", "20ms", "c")
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as events:
            seen = [json.loads(events.stdout.readline()) for _ in range(3)]
            self.assertEqual([event["type"] for event in seen], ["stats"] * 3)
            self.ok("kill", "c", "KILL")
            self.assertEqual(events.wait(waiting.DEADLINE), 0)

    def test_memory_runs_out(self):
        self.config["linux"]["resources"]["memory"] = {"limit": 16 * MIB, "swap": 16 * MIB}
        fifo = self.rootfs / "go"
        os.mkfifo(fifo)
        self.start("sh", "-c", "read x < /go; head -c 200m /dev/zero | tail -n 1 > /dev/null; sleep 1000")
        with subprocess.Popen(self.command("events", "--interval", "20ms", "c"), stdout=subprocess.PIPE, text=True) as events:
            self.assertEqual(json.loads(events.stdout.readline())["type"], "stats", "it watches")
            fifo.write_text("x\n")
            told = waiting.until(lambda: (event := json.loads(events.stdout.readline()))["type"] == "oom" and event, "oom")
            self.assertEqual(told, {"type": "oom", "id": "c"})
            # Unless the kernel took init: which process goes is its choice.
            self.runtime("kill", "c", "KILL")
            events.stdout.read()
            self.assertEqual(events.wait(waiting.DEADLINE), 0)
        fifo.unlink()

    def test_what_does_not_run_has_no_events(self):
        self.start(*SLEEP)
        self.fails(self.runtime("events", "--interval", "0s", "c"), 1, "duration interval must be greater than 0")
        self.fails(self.runtime("events", "--interval", "soon", "c"), 1, "--interval must be a time")
        self.ok("kill", "c", "KILL")
        self.wait_for_status("stopped")
        for flags in ((), ("--stats",)):
            self.fails(self.runtime("events", *flags, "c"), 1, "container with id c is not running")


class Features(ControlTest):
    def test_have_the_specifications_shape(self):
        features = json.loads(self.ok("features"))
        self.assertEqual(features["ociVersionMin"], "1.0.0")
        self.assertEqual(features["hooks"], ["prestart", "createRuntime", "createContainer", "startContainer",
                                             "poststart", "poststop"])
        self.assertIn("rnosuid", features["mountOptions"])
        self.assertIn("time", features["linux"]["namespaces"])
        self.assertIn("CAP_BPF", features["linux"]["capabilities"])
        self.assertIn("SCMP_ARCH_X86_64", features["linux"]["seccomp"]["archs"])

    def test_every_mount_option_is_taken_by_a_mount(self):
        options = json.loads(self.ok("features"))["mountOptions"]
        propagation = {"private", "shared", "slave", "unbindable"}
        for word in options:
            bind = word in ("bind", "rbind", "idmap") or word.removeprefix("r") in propagation or word.startswith("r")
            mount = {"destination": "/mnt", "type": "none" if bind else "tmpfs",
                     "source": str(self.base) if bind else "tmpfs",
                     "options": ["bind", word] if bind else [word]}
            if word in ("idmap", "ridmap"):
                mount["uidMappings"] = mount["gidMappings"] = [{"containerID": 0, "hostID": 1, "size": 1}]
            there = [{**mount, "options": ["bind"]}] if word == "remount" else []
            self.config["mounts"] = [*self.default["mounts"], *there, mount]
            done = self.run_args("true")
            self.assertEqual(done.returncode, 0, f"{word}: {done.stderr}")

    def test_what_is_not_there_is_refused(self):
        features = json.loads(self.ok("features"))["linux"]
        self.assertTrue(features["cgroup"]["systemd"])
        if not Path("/run/systemd/system").is_dir():
            self.setUp()
            self.write_config("true")
            self.fails(self.runtime("--systemd-cgroup", "run", "--bundle", str(self.base), "c"), 1,
                       "systemd is not running on this host")


class Spec(ControlTest):
    def written(self, *flags: str, **options) -> dict:
        with_flags = self.base / "spec"
        with_flags.mkdir()
        try:
            self.ok("spec", "--bundle", str(with_flags), *flags, **options)
            return json.loads((with_flags / "config.json").read_text())
        finally:
            shutil.rmtree(with_flags)

    def test_rootless_is_runcs(self):
        spec, plain = self.written("--rootless"), self.written()
        kinds = [entry["type"] for entry in spec["linux"]["namespaces"]]
        self.assertEqual(kinds[-1], "user")
        self.assertNotIn("network", kinds)
        self.assertEqual("cgroup" in kinds, not V1)
        mapping = [{"containerID": 0, "hostID": os.geteuid(), "size": 1}]
        self.assertEqual((spec["linux"]["uidMappings"], spec["linux"]["gidMappings"]), (mapping, mapping))
        self.assertNotIn("resources", spec["linux"])
        mounts = {mount["destination"]: mount for mount in spec["mounts"]}
        self.assertEqual(mounts["/sys"], {"destination": "/sys", "type": "none", "source": "/sys",
                                          "options": ["rbind", "nosuid", "noexec", "nodev", "ro"]})
        self.assertEqual([mount["destination"] for mount in plain["mounts"]], list(mounts))
        self.assertFalse([option for mount in spec["mounts"] for option in mount["options"] if "id=" in option])

    def test_the_ids_are_the_callers(self):
        directory = self.base / "of-nobody"
        directory.mkdir()
        os.chown(directory, 65534, 65534)
        os.chmod(self.base, 0o755)
        program = directory / "berth-runtime"
        shutil.copy(RUNTIME, program)
        done = subprocess.run([str(program), "spec", "--rootless"], cwd=directory, user=65534, group=65533,
                              extra_groups=[], check=False, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        section = json.loads((directory / "config.json").read_text())["linux"]
        self.assertEqual(section["uidMappings"][0]["hostID"], 65534)
        self.assertEqual(section["gidMappings"][0]["hostID"], 65533)
        shutil.rmtree(directory)

    def test_a_file_that_is_there_stays(self):
        self.write_config("true")
        self.fails(self.runtime("spec", "-b", str(self.base)), 1,
                   f"File {self.base}/config.json exists. Remove it first")
        self.fails(self.runtime("spec", "-b", "/no/such"), 1, "/no/such/config.json")


class Help(ControlTest):
    def test_each_verb_names_its_flags_and_does_nothing(self):
        verbs = [line.split()[0] for line in self.ok("--help").splitlines() if line.startswith("  ") and line[2] != " "
                 and not line.strip().startswith("-")]
        self.assertIn("update", verbs)
        for verb in verbs:
            self.assertTrue(self.ok(verb, "--help").startswith(f"usage: berth-runtime {verb} "))
        self.assertIn("-r, --resources FILE", self.ok("update", "-h"))
        self.assertIn("--log-format", self.ok("--help"))
        self.start(*SLEEP)
        self.assertIn("PID", self.ok("ps", "c", "-A"), "what follows the id is for ps")


if __name__ == "__main__":
    main()
