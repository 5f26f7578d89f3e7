"""Attributes of the workload's process, as the kernel shows them."""

import ctypes
import os
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "util"))

from bundle import RuntimeTest, main

SCHED = {"SCHED_OTHER": 0, "SCHED_FIFO": 1, "SCHED_RR": 2, "SCHED_BATCH": 3, "SCHED_IDLE": 5, "SCHED_DEADLINE": 6}
RESET_ON_FORK = 0x40000000
IOPRIO_GET, IOPRIO_WHO_PROCESS = 252, 1  # ioprio_get(2), which libc has not


class Attributes(RuntimeTest):
    def running(self) -> int:
        """The pid of a container that runs with this config."""
        done = self.create("sleep", "1000")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.ok("start", "c")
        return self.state()["pid"]

    def refused(self, says: str) -> None:
        self.fails(self.run_args("true"), 1, says)


class Scheduler(Attributes):
    def schedule(self, policy: str, **more) -> None:
        self.config["process"]["scheduler"] = {"policy": policy, **more}

    def test_niceness(self):
        for policy in ("SCHED_OTHER", "SCHED_BATCH"):
            self.schedule(policy, nice=7)
            pid = self.running()
            self.assertEqual(os.sched_getscheduler(pid), SCHED[policy])
            self.assertEqual(os.getpriority(os.PRIO_PROCESS, pid), 7)
            self.ok("delete", "--force", "c")

    def test_idle(self):
        self.schedule("SCHED_IDLE")
        self.assertEqual(os.sched_getscheduler(self.running()), SCHED["SCHED_IDLE"])

    def test_realtime(self):
        for policy in ("SCHED_FIFO", "SCHED_RR"):
            self.schedule(policy, priority=3, flags=["SCHED_FLAG_RESET_ON_FORK"])
            pid = self.running()
            self.assertEqual(os.sched_getscheduler(pid), SCHED[policy] | RESET_ON_FORK)
            self.assertEqual(os.sched_getparam(pid).sched_priority, 3)
            self.ok("delete", "--force", "c")

    def test_deadline(self):
        self.schedule("SCHED_DEADLINE", runtime=1_000_000, deadline=10_000_000, period=10_000_000)
        self.assertEqual(os.sched_getscheduler(self.running()), SCHED["SCHED_DEADLINE"])

    def test_it_is_seen_from_inside(self):
        self.schedule("SCHED_BATCH", nice=5)
        self.assertEqual(self.output("awk '{ print $19, $41 }' /proc/self/stat"), "5 3")

    def test_what_the_kernel_refuses_is_an_error(self):
        self.schedule("SCHED_ISO")
        self.refused("cannot set process.scheduler")
        self.schedule("SCHED_DEADLINE", runtime=2, deadline=1)
        self.refused("cannot set process.scheduler")
        self.schedule("SCHED_NONE")
        self.refused("process.scheduler.policy must be one of SCHED_OTHER")
        self.schedule("SCHED_OTHER", flags=["SCHED_FLAG_NONE"])
        self.refused("process.scheduler.flags[0] must be one of SCHED_FLAG_RESET_ON_FORK")


class Others(Attributes):
    def test_io_priority(self):
        for name, number in (("IOPRIO_CLASS_RT", 1), ("IOPRIO_CLASS_BE", 2), ("IOPRIO_CLASS_IDLE", 3)):
            self.config["process"]["ioPriority"] = {"class": name, "priority": 4}
            pid = self.running()
            self.assertEqual(ctypes.CDLL(None).syscall(IOPRIO_GET, IOPRIO_WHO_PROCESS, pid), number << 13 | 4, name)
            self.ok("delete", "--force", "c")

    def test_personality(self):
        self.config["linux"]["personality"] = {"domain": "LINUX32"}
        self.assertEqual(self.output("uname -m; cat /proc/self/personality"), "i686\n00000008")
        self.config["linux"]["personality"] = {"domain": "LINUX"}
        self.assertEqual(self.output("uname -m"), os.uname().machine)

    def test_memory_policy(self):
        for policy, seen in (({"mode": "MPOL_BIND", "nodes": "0"}, "bind:0"),
                             ({"mode": "MPOL_INTERLEAVE", "nodes": "0"}, "interleave:0"),
                             ({"mode": "MPOL_WEIGHTED_INTERLEAVE", "nodes": "0"}, "weighted interleave:0"),
                             ({"mode": "MPOL_PREFERRED", "nodes": "0"}, "prefer:0"),
                             ({"mode": "MPOL_PREFERRED_MANY", "nodes": "0"}, "prefer (many):0"),
                             ({"mode": "MPOL_LOCAL"}, "local"),
                             ({"mode": "MPOL_DEFAULT"}, "default"),
                             ({"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES"]}, "bind=static:0")):
            self.config["linux"]["memoryPolicy"] = policy
            pages = self.output("head -n 1 /proc/self/numa_maps")
            self.assertTrue(pages.split(" ", 1)[1].startswith(seen + " "), pages)

    def test_nodes_that_the_host_has_not(self):
        self.config["linux"]["memoryPolicy"] = {"mode": "MPOL_BIND", "nodes": "900"}
        self.refused("cannot set linux.memoryPolicy")

    def test_affinity_of_later_processes_is_not_inits(self):
        self.config["process"]["execCPUAffinity"] = {"initial": "0", "final": "0"}
        self.assertEqual(os.sched_getaffinity(self.running()), os.sched_getaffinity(0))

    def test_the_oom_score(self):
        self.config["process"]["oomScoreAdj"] = 123
        self.assertEqual(self.output("cat /proc/self/oom_score_adj"), "123")


class Exec(Attributes):
    """Processes that join have the attributes of the spec's process too."""

    def test_the_scheduler_and_the_personality(self):
        self.config["process"]["scheduler"] = {"policy": "SCHED_BATCH", "nice": 5}
        self.config["linux"]["personality"] = {"domain": "LINUX32"}
        self.running()
        self.assertEqual(self.ok("exec", "c", "sh", "-c", "awk '{ print $19, $41 }' /proc/self/stat; uname -m"),
                         "5 3\ni686")

    def test_where_they_run(self):
        cpu = min(os.sched_getaffinity(0))
        for affinity in ({"final": str(cpu)}, {"initial": str(cpu)}):
            self.config["process"]["execCPUAffinity"] = affinity
            self.running()
            self.assertEqual(self.ok("exec", "c", "grep", "Cpus_allowed_list", "/proc/self/status").split()[1], str(cpu))
            self.ok("delete", "--force", "c")

    def test_a_cpu_that_is_not_there(self):
        self.config["process"]["execCPUAffinity"] = {"final": "8000"}
        self.running()
        self.fails(self.runtime("exec", "c", "true"), 255, "cannot set process.execCPUAffinity")


class Labels(Attributes):
    def test_a_profile_that_no_kernel_module_takes(self):
        if Path("/sys/module/apparmor").exists():
            self.skipTest("this host has AppArmor")
        self.config["process"]["apparmorProfile"] = "docker-default"
        self.refused("process.apparmorProfile is 'docker-default', but AppArmor is not enabled on this host")
        self.config["process"]["apparmorProfile"] = "unconfined"
        self.assertEqual(self.run_args("true").returncode, 0)

    def test_a_profile_is_the_workloads(self):
        if not Path("/sys/module/apparmor").exists():
            self.skipTest("this host has no AppArmor")
        self.config["process"]["apparmorProfile"] = "unconfined"
        self.assertEqual(self.output("cat /proc/self/attr/apparmor/current || cat /proc/self/attr/current"),
                         "unconfined")
        self.config["process"]["apparmorProfile"] = "no-such-profile"
        self.refused("cannot apply process.apparmorProfile")

    def test_a_label_that_no_kernel_module_takes(self):
        if Path("/sys/fs/selinux").exists():
            self.skipTest("this host has SELinux")
        self.config["process"]["selinuxLabel"] = "system_u:system_r:container_t:s0:c1,c2"
        self.refused("process.selinuxLabel is 'system_u:system_r:container_t:s0:c1,c2', but SELinux is not enabled")
        del self.config["process"]["selinuxLabel"]
        self.config["linux"]["mountLabel"] = "system_u:object_r:container_file_t:s0:c1,c2"
        self.refused("linux.mountLabel is 'system_u:object_r:container_file_t:s0:c1,c2', but SELinux is not enabled")


class ClassesOfService(Attributes):
    @unittest.skipIf(Path("/sys/fs/resctrl/schemata").exists(), "this host has resctrl")
    def test_a_host_without_them(self):
        self.config["linux"]["intelRdt"] = {"closID": "gold"}
        self.refused("linux.intelRdt needs the resctrl file system at /sys/fs/resctrl")

    @unittest.skipUnless(Path("/sys/fs/resctrl/schemata").exists(), "this host has no resctrl")
    def test_a_class_of_its_own_comes_and_goes(self):
        self.config["linux"]["intelRdt"] = {}
        self.create("sleep", "1000")
        tasks = Path("/sys/fs/resctrl/c/tasks")
        self.assertIn(str(self.state()["pid"]), tasks.read_text().split())
        self.ok("delete", "--force", "c")
        self.assertFalse(tasks.exists())

    def test_what_is_no_class_is_refused(self):
        self.config["linux"]["intelRdt"] = {"closID": "../cgroup"}
        self.refused("linux.intelRdt.closID must be the name of a directory")


class Environment(Attributes):
    def environment(self, *variables: str) -> list[str]:
        self.config["process"]["env"] = list(variables)
        return self.run_args("/bin/busybox", "env").stdout.splitlines()

    def test_the_last_of_one_name_counts(self):
        self.assertEqual(self.environment("A=1", "B=2", "HOME=/h", "A=3", "A=4", "AA=5"),
                         ["B=2", "HOME=/h", "A=4", "AA=5"])

    def test_an_empty_home_is_found(self):
        (self.rootfs / "etc").mkdir(exist_ok=True)
        passwd = self.rootfs / "etc" / "passwd"
        before = passwd.read_text() if passwd.exists() else None
        passwd.write_text("root:x:0:0:root:/the/home:/bin/sh\n")
        self.addCleanup(passwd.write_text, before or "")
        self.assertEqual(self.environment("A=1", "HOME="), ["A=1", "HOME=/the/home"])
        self.assertEqual(self.environment("HOME=/x", "HOME="), ["HOME=/the/home"])
        self.assertEqual(self.environment("HOME=", "HOME=/x"), ["HOME=/x"])

    def test_a_path_given_twice(self):
        self.config["process"]["env"] = ["PATH=/bin", "PATH=/nowhere"]
        self.fails(self.run_args("sh"), 127, "executable file not found in $PATH")

    def test_what_is_no_variable_is_refused(self):
        self.config["process"]["env"] = ["A"]
        self.refused("process.env[0] must be NAME=value, not 'A'")


if __name__ == "__main__":
    main()
