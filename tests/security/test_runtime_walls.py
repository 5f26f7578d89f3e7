"""Ways out that a spec, its caller or its image could open in berth-runtime itself."""

import os
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "util"))

import elf
import waiting
from bundle import CGROUPS, RUNTIME, RuntimeTest, main

V1 = not (CGROUPS / "cgroup.controllers").exists()
ARCH = "SCMP_ARCH_X86_64"
NO_CAPABILITIES = "\n".join(f"Cap{name}:\t0000000000000000" for name in ("Inh", "Prm", "Eff", "Bnd", "Amb"))


class Streams(RuntimeTest):
    """A closed stream of the caller must not become a descriptor of the runtime's."""

    def links(self, redirection: str, verb: str) -> list[str]:
        out = self.rootfs / "out"
        out.unlink(missing_ok=True)
        self.write_config("sh", "-c", "links=$(for i in 0 1 2; do readlink /proc/1/fd/$i; done); "
                                      "echo \"$links\" > /out.new; mv /out.new /out")
        shell = f'exec "$0" --root "$1" {verb} --bundle "$2" c {redirection}'
        done = subprocess.run(["sh", "-c", shell, RUNTIME, str(self.root), str(self.base)], check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              timeout=waiting.DEADLINE)
        self.assertEqual(done.returncode, 0)
        if verb == "create":
            self.ok("start", "c")
        if verb != "run":
            waiting.until(out.exists, "the workload has written")
            self.wait_for_status("stopped")
            self.ok("delete", "c")
        return out.read_text().split()

    def test_a_closed_stream_is_dev_null(self):
        for verb in ("run", "run -d", "create"):
            for redirection in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
                with self.subTest(verb=verb, redirection=redirection):
                    self.assertEqual(self.links(redirection, verb), ["/dev/null"] * 3)

    def test_a_preserved_descriptor_that_is_not_open_is_refused(self):
        self.write_config("true")
        self.fails(self.runtime("run", "--bundle", str(self.base), "--preserve-fds", "2", "c"), 1,
                   "descriptor 3 is to be preserved, but the caller has not opened it")


class Namespaces(RuntimeTest):
    def test_a_mount_namespace_that_is_joined_keeps_its_root(self):
        """Pivoting there would replace the host's root."""
        before = os.stat("/")
        self.namespace("mount")["path"] = "/proc/self/ns/mnt"
        self.assertEqual(self.output("ls /..").split(), sorted(os.listdir(self.rootfs)))
        after = os.stat("/")
        self.assertEqual((before.st_dev, before.st_ino), (after.st_dev, after.st_ino))

    def test_a_sysctl_of_a_joined_namespace_that_is_the_runtimes_own(self):
        for kind, name, file in (("ipc", "kernel.msgmax", "ipc"), ("network", "net.ipv4.ip_forward", "net"),
                                 ("uts", "kernel.domainname", "uts")):
            with self.subTest(kind):
                self.setUp()
                self.config["hostname"] = ""
                self.namespace(kind)["path"] = f"/proc/self/ns/{file}"
                self.config["linux"]["sysctl"] = {name: "1"}
                self.fails(self.run_args("true"), 1, f"linux.sysctl '{name}' needs a namespace of its own")

    def test_a_sysctl_of_a_new_namespace_is_set(self):
        self.config["linux"]["sysctl"] = {"kernel.msgmax": "7777"}
        self.assertEqual(self.output("cat /proc/sys/kernel/msgmax"), "7777")


class Capabilities(RuntimeTest):
    def test_a_spec_without_capabilities_gives_none(self):
        for uid in (0, 1000):
            for no_new_privileges in (False, True):
                with self.subTest(uid=uid, no_new_privileges=no_new_privileges):
                    self.config["process"].pop("capabilities", None)
                    self.config["process"]["user"] = {"uid": uid, "gid": uid}
                    self.config["process"]["noNewPrivileges"] = no_new_privileges
                    self.assertEqual(self.output("grep ^Cap /proc/self/status"), NO_CAPABILITIES)

    def test_loading_the_filter_leaves_no_capability_behind(self):
        """Without no_new_privs a filter needs CAP_SYS_ADMIN up to the exec."""
        self.config["process"]["noNewPrivileges"] = False
        self.config["linux"]["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "architectures": [ARCH]}
        for uid, effective in ((0, "00000000000000a0"), (1000, "0" * 16)):
            self.config["process"]["user"] = {"uid": uid, "gid": uid}
            sets = {kind: ["CAP_KILL", "CAP_SETUID"] for kind in ("bounding", "permitted", "effective")}
            self.config["process"]["capabilities"] = sets
            shown = self.output("grep -E '^(Cap(Prm|Eff)|Seccomp:)' /proc/self/status")
            self.assertEqual(shown.split("\n"), [f"CapPrm:\t{effective}", f"CapEff:\t{effective}", "Seccomp:\t2"])


class Devices(RuntimeTest):
    """Nothing may be opened but the nodes every container has, whatever the spec leaves out."""

    SCRIPT = """
        mknod /tmp/kmsg c 1 11 && (cat /tmp/kmsg 2>&1 | head -c 80; true)
        mknod /tmp/null c 1 3 && echo x > /tmp/null && echo null works
        rm -f /tmp/kmsg /tmp/null"""

    def setUp(self) -> None:
        super().setUp()
        sets = {kind: ["CAP_MKNOD", "CAP_SYSLOG", "CAP_SYS_ADMIN"] for kind in ("bounding", "permitted", "effective")}
        self.config["process"]["capabilities"] = sets

    def check_is_shut(self) -> None:
        shown = self.output(self.SCRIPT)
        self.assertIn("Operation not permitted", shown)
        self.assertIn("null works", shown)

    def test_a_spec_without_rules(self):
        for rules in (None, []):
            self.config["linux"]["resources"] = {} if rules is None else {"devices": rules}
            self.check_is_shut()

    def test_a_rule_for_all_types_with_numbers_is_not_one_for_everything(self):
        self.config["linux"]["resources"] = {"devices": [
            {"allow": False, "access": "rwm"}, {"allow": True, "type": "a", "major": 1, "minor": 5, "access": "rwm"},
            {"allow": True, "type": "a", "access": "m"}]}
        self.check_is_shut()

    def test_a_rule_may_open_a_device(self):
        self.config["linux"]["resources"] = {"devices": [
            {"allow": True, "type": "c", "major": 1, "minor": 11, "access": "r"}]}
        self.assertNotIn("not permitted", self.output("mknod /tmp/kmsg c 1 11; head -c 1 /tmp/kmsg > /dev/null; "
                                                      "rm /tmp/kmsg"))

    @unittest.skipUnless(V1, "cgroup v2 can")
    def test_a_hole_in_a_rule_is_refused(self):
        self.config["linux"]["resources"] = {"devices": [
            {"allow": True, "type": "c", "access": "rwm"},
            {"allow": False, "type": "c", "major": 1, "minor": 11, "access": "r"}]}
        self.fails(self.run_args("true"), 1, "to deny 'c 1:11 r' takes a part out of a wider rule before it")

    def test_a_rule_without_access_is_refused(self):
        self.config["linux"]["resources"] = {"devices": [{"allow": True, "type": "c"}]}
        self.fails(self.run_args("true"), 1, "linux.resources.devices[0].access must be given")


class ProcMounts(RuntimeTest):
    def refused(self, destination: str, kind: str, source: str, options: list[str], says: str) -> None:
        self.setUp()
        self.config["mounts"] = [mount for mount in self.config["mounts"] if mount["destination"] != "/proc"]
        self.config["mounts"].append({"destination": destination, "type": kind, "source": source, "options": options})
        self.fails(self.run_args("true"), 1, says)

    def test_a_bind_is_no_proc_whatever_its_type_says(self):
        fake = self.base / "fake"
        fake.mkdir(exist_ok=True)
        for destination in ("/proc", "/proc/", "//proc/."):
            for kind, source, options in (("proc", str(fake), ["bind"]), ("proc", str(fake), ["rbind", "ro"]),
                                          ("bind", str(fake), []), ("tmpfs", "/proc", [])):
                self.refused(destination, kind, source, options, "only a proc file system can")

    def test_one_table_says_what_may_be_covered(self):
        self.refused("/proc/self", "tmpfs", "tmpfs", [], "it is inside /proc")
        (self.base / "faked").write_text("faked\n")
        for target in ("/proc/uptime", "/proc//uptime", "/proc/./uptime"):
            self.setUp()
            self.config["mounts"].append({"destination": target, "type": "bind", "source": str(self.base / "faked"),
                                          "options": ["bind"]})
            self.assertEqual(self.output("cat /proc/uptime"), "faked", target)


class OwnProgram(RuntimeTest):
    """CVE-2019-5736: what is executed must not be the runtime's own file, by whatever way."""

    def setUp(self) -> None:
        super().setUp()
        self.made: list[Path] = []

    def tearDown(self) -> None:
        for path in self.made:
            path.unlink()
        super().tearDown()

    def put(self, name: str, text: bytes) -> str:
        path = self.rootfs / "bin" / name
        path.write_bytes(text)
        path.chmod(0o755)
        self.made.append(path)
        return f"/bin/{name}"

    def link(self, name: str, target: str) -> str:
        path = self.rootfs / "bin" / name
        path.symlink_to(target)
        self.made.append(path)
        return f"/bin/{name}"

    def test_links_scripts_and_interpreters_that_lead_to_it(self):
        ways = ["/proc/self/exe", "/proc/1/exe", self.link("door", "/proc/self/exe"), self.link("door2", "door"),
                self.put("script", b"#!/proc/self/exe\n"), self.put("script2", b"#! /bin/script -x\n"),
                self.put("script3", b"#!/bin/door\n"), self.put("elf", elf.asking_for("/proc/self/exe")),
                self.put("elf2", elf.asking_for("/bin/door"))]
        for way in ways:
            with self.subTest(way):
                self.fails(self.run_args(way, "--version"), 126, f'exec: "{way}": permission denied')

    def test_a_script_that_only_the_kernel_may_read(self):
        hidden = self.put("hidden", b"#!/proc/self/exe\n")
        (self.rootfs / "bin/hidden").chmod(0o111)
        self.config["process"]["user"] = {"uid": 1000, "gid": 1000}
        self.fails(self.run_args(hidden), 126, f'exec: "{hidden}": permission denied')

    def test_the_file_itself_in_the_image(self):
        """A bundle may bind it there."""
        self.put("runtime", b"")
        self.config["mounts"].append({"destination": "/bin/runtime", "type": "bind", "source": RUNTIME,
                                      "options": ["bind", "ro"]})
        for way in ("/bin/runtime", self.link("linked", "runtime"), self.put("script4", b"#!/bin/runtime\n"),
                    self.put("elf3", elf.asking_for("/bin/runtime"))):
            with self.subTest(way):
                self.fails(self.run_args(way, "--version"), 126, "leads to the runtime's own program")

    def test_a_start_hook(self):
        self.put("runtime", b"")
        self.config["mounts"].append({"destination": "/bin/runtime", "type": "bind", "source": RUNTIME,
                                      "options": ["bind", "ro"]})
        for way, says in (("/bin/runtime", "hook 0 leads to the runtime's own program"),
                          (self.link("door", "/proc/self/exe"), "hook 0: Permission denied")):
            self.config["hooks"] = {"startContainer": [{"path": way}]}
            self.assertIn(says, self.run_args("true").stderr)

    def test_scripts_run_as_the_kernel_runs_them(self):
        show = self.put("show", b'#!/bin/sh\nfor word in "$0" "$@"; do echo "[$word]"; done\n')
        self.assertEqual(self.run_args(show, "a", "b c").stdout, "[/bin/show]\n[a]\n[b c]\n")
        outer = self.put("outer", b"#!/bin/show  one  two \n")
        self.assertEqual(self.run_args(outer, "x").stdout, "[/bin/show]\n[one  two]\n[/bin/outer]\n[x]\n")
        self.fails(self.run_args(self.put("lost", b"#!/no/such\n")), 127, "executable file not found")
        self.fails(self.run_args(self.put("empty", b"#!\n")), 126, "exec format error")
        self.run_fails_in_a_loop(self.put("loop", b"#!/bin/loop\n"))

    def run_fails_in_a_loop(self, path: str) -> None:
        done = self.run_args(path)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("symbolic links", done.stderr)


class StartHooks(RuntimeTest):
    """They are programs of the image: as confined as the workload."""

    def setUp(self) -> None:
        super().setUp()
        self.hook = self.rootfs / "bin" / "hook"
        self.hook.write_text('#!/bin/sh\nexec > /hook.out 2>&1\ncat; echo; '
                             'grep -E "^(Cap(Eff|Bnd)|NoNewPrivs|Seccomp:)" /proc/self/status\n'
                             'for fd in /proc/self/fd/*; do readlink $fd; done\nmkdir /made && echo made; true\n')
        self.hook.chmod(0o755)
        self.config["hooks"] = {"startContainer": [{"path": "/bin/hook"}]}

    def tearDown(self) -> None:
        self.hook.unlink()
        (self.rootfs / "hook.out").unlink(missing_ok=True)
        if (self.rootfs / "made").exists():
            (self.rootfs / "made").rmdir()
        super().tearDown()

    def test_they_get_the_workloads_walls_and_the_created_state(self):
        self.config["process"]["capabilities"] = {}
        self.config["process"]["noNewPrivileges"] = True
        self.config["linux"]["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "architectures": [ARCH], "syscalls": [
            {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1}]}
        self.assertEqual(self.run_args("true").returncode, 0)
        shown = (self.rootfs / "hook.out").read_text()
        self.assertIn('"status":"created"', shown)
        self.assertIn('"id":"c"', shown)
        for line in ("CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"):
            self.assertIn(line, shown)
        self.assertIn("Operation not permitted", shown)
        self.assertNotIn("\nmade", shown)
        links = {line for line in shown.split("\n") if line.startswith(("/", "pipe:", "socket:", "anon_inode:"))}
        links = {link for link in links if not link.startswith("/proc/")}  # what the loop itself has open
        self.assertLessEqual(links, {"/hook.out", "/memfd:state (deleted)"}, shown)

    def test_a_failing_one_ends_the_start(self):
        self.hook.write_text("#!/bin/sh\nexit 3\n")
        done = self.run_args("echo", "ran")
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(done.stdout, "")
        self.assertIn("startContainer hook 0 failed with status 3", done.stderr)


class Seccomp(RuntimeTest):
    """The filter may refuse anything: nothing but the exec comes after it."""

    def profile(self, *names: str, action: str = "SCMP_ACT_KILL_PROCESS") -> None:
        self.config["linux"]["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "architectures": [ARCH], "syscalls": [
            {"names": list(names), "action": action}]}

    def test_what_the_runtime_itself_calls_may_be_refused(self):
        for no_new_privileges in (True, False):
            self.config["process"]["noNewPrivileges"] = no_new_privileges
            self.profile("lstat", "newfstatat", "sendmsg", "capset", "openat2", "close_range")
            self.assertEqual(self.run_args("/bin/true").returncode, 0)

    def test_an_exec_that_fails_behind_it_is_told(self):
        broken = self.rootfs / "bin" / "broken"
        broken.write_bytes(b"not a program")
        broken.chmod(0o755)
        try:
            for name in ("sendmsg", "write"):
                self.profile(name)
                self.fails(self.run_args("/bin/broken"), 126, 'exec: "/bin/broken": exec format error')
                self.assertEqual(self.create("/bin/broken").returncode, 0)
                self.fails(self.runtime("start", "c"), 126, 'exec: "/bin/broken": exec format error')
                self.wait_for_status("stopped")
                self.ok("delete", "c")
        finally:
            broken.unlink()

    def test_an_exec_that_the_filter_refuses_is_told(self):
        self.profile("execve", "execveat", action="SCMP_ACT_ERRNO")
        done = self.run_args("/bin/true")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn('exec: "/bin/true"', done.stderr)


if __name__ == "__main__":
    main()
