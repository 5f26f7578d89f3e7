"""`berth run`: what each flag does, seen from inside the container, and the exit codes that docker gives."""

import hashlib
import os
import shutil
import socket
import sys
import tempfile
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "util"))

import waiting
from berth_testing import IMAGE, EngineTest, main


class RunTest(EngineTest):
    def run_in(self, *arguments: str, flags: tuple[str, ...] = ()) -> str:
        return self.engine.ok("run", "--rm", *flags, IMAGE, *arguments)

    def sh(self, script: str, *flags: str) -> str:
        return self.run_in("sh", "-c", script, flags=flags)


class OutputAndExitCodes(RunTest):
    def test_both_streams_come_back_apart(self):
        done = self.engine.berth("run", "--rm", IMAGE, "sh", "-c", "echo out; echo err >&2")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "out\n", "err\n"))

    def test_the_exit_code_is_the_workloads(self):
        for code in (0, 1, 42, 255):
            self.assertEqual(self.engine.berth("run", "--rm", IMAGE, "sh", "-c", f"exit {code}").returncode, code)

    def test_a_signal_is_128_and_its_number(self):
        self.assertEqual(self.engine.berth("run", "--rm", IMAGE, "sh", "-c",
                                           "sh -c 'kill -9 $$'; exit $?").returncode, 137)

    def test_large_output_is_complete(self):
        done = self.engine.berth("run", "--rm", IMAGE, "seq", "1", "200000")
        self.assertEqual(done.stdout.split("\n")[:-1], [str(n) for n in range(1, 200001)])

    def test_standard_input_reaches_the_workload_and_ends(self):
        data = bytes(range(256)) * 4096
        done = self.engine.berth("run", "--rm", "-i", IMAGE, "sha256sum", stdin=data)
        self.assertEqual(done.stdout.split()[0], hashlib.sha256(data).hexdigest())

    def test_without_i_standard_input_is_empty(self):
        self.assertEqual(self.engine.berth("run", "--rm", IMAGE, "cat", stdin=b"unseen").stdout, "")

    def test_the_images_command_is_the_default(self):
        self.assertEqual(self.engine.ok("run", "--rm", "-i", IMAGE, stdin=b"echo from the shell\n"), "from the shell")

    def test_entrypoint_replaces_the_images(self):
        self.assertEqual(self.run_in("a", "b", flags=("--entrypoint", "echo")), "a b")

    def test_a_missing_program_is_127(self):
        self.fails("run", "--rm", IMAGE, "no-such-program", code=127, says="no-such-program")
        self.fails("run", "--rm", IMAGE, "/bin/no-such-program", code=127, says="no such file or directory")

    def test_a_program_that_is_not_executable_is_126(self):
        self.fails("run", "--rm", IMAGE, "/etc/not-executable", code=126, says="permission denied")
        self.fails("run", "--rm", IMAGE, "/etc", code=126, says="/etc")

    def test_rm_leaves_no_container(self):
        self.engine.ok("run", "--rm", "--name", "gone", IMAGE, "true")
        waiting.until(lambda: not self.engine.ok("ps", "-aq"), "the container is removed")

    def test_without_rm_the_container_stays(self):
        self.engine.berth("run", "--name", "kept", IMAGE, "sh", "-c", "exit 3")
        state = self.engine.inspect("kept")["State"]
        self.assertEqual((state["Status"], state["ExitCode"], state["Running"]), ("exited", 3, False))

    def test_d_prints_the_id_and_returns_while_it_runs(self):
        identity = self.engine.ok("run", "-d", "--name", "back", IMAGE, "sleep", "1000")
        self.assertRegex(identity, "^[0-9a-f]{64}$")
        self.assertTrue(self.engine.is_running("back"))
        self.assertEqual(self.engine.inspect("back")["Id"], identity)

    def test_a_name_is_taken_once(self):
        self.engine.ok("create", "--name", "taken", IMAGE, "true")
        self.fails("run", "--name", "taken", IMAGE, "true", code=125, says='"/taken" is already in use')
        self.assertEqual(len(self.engine.ok("ps", "-aq").split()), 1)


class Configuration(RunTest):
    def test_e_adds_to_and_replaces_the_images_environment(self):
        shown = self.run_in("env", flags=("-e", "A=1", "-e", "FROM_IMAGE=no", "-e", "EMPTY=")).split("\n")
        for line in ("A=1", "FROM_IMAGE=no", "EMPTY=", "PATH=/bin"):
            self.assertIn(line, shown)
        self.assertNotIn("FROM_IMAGE=yes", shown)

    def test_e_without_a_value_takes_the_callers(self):
        os.environ["BERTH_PASSED_ON"] = "value"
        self.addCleanup(os.environ.pop, "BERTH_PASSED_ON")
        self.assertEqual(self.sh("echo $BERTH_PASSED_ON", "-e", "BERTH_PASSED_ON"), "value")

    def test_w_is_made_and_entered(self):
        self.assertEqual(self.run_in("pwd", flags=("-w", "/not/there/yet")), "/not/there/yet")

    def test_u_by_name_and_number(self):
        self.assertEqual(self.sh("id -u; id -g; id -G; echo $HOME", "-u", "user"), "1000\n1000\n1000 2000\n/home")
        self.assertEqual(self.sh("id -u; id -g", "-u", "12:34"), "12\n34")
        self.assertEqual(self.sh("id -u; id -g", "-u", "user:extra"), "1000\n2000")

    def test_an_unknown_user_is_refused(self):
        done = self.engine.berth("run", "--rm", "-u", "nobody-here", IMAGE, "true")
        self.assertIn(done.returncode, (125, 126))
        self.assertIn("nobody-here", done.stderr)

    def test_hostname(self):
        self.assertEqual(self.sh("hostname; grep -c box /etc/hosts; cat /etc/hostname", "--hostname", "box"),
                         "box\n1\nbox")

    def test_the_hostname_is_the_short_id_by_default(self):
        identity = self.engine.ok("run", "-d", IMAGE, "hostname")
        self.engine.ok("wait", identity)
        self.assertEqual(self.engine.ok("logs", identity), identity[:12])

    def test_read_only(self):
        self.assertEqual(self.sh("touch /x 2>/dev/null || echo refused", "--read-only"), "refused")


class Volumes(RunTest):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="volume-")
        self.addCleanup(shutil.rmtree, self.directory)

    def test_a_bind_shows_the_hosts_files_and_takes_writes(self):
        with open(f"{self.directory}/in", "w", encoding="utf-8") as file:
            file.write("from the host\n")
        self.assertEqual(self.sh("cat /v/in; echo back > /v/out", "-v", f"{self.directory}:/v"), "from the host")
        with open(f"{self.directory}/out", encoding="utf-8") as file:
            self.assertEqual(file.read(), "back\n")

    def test_a_read_only_bind_refuses_writes(self):
        self.assertEqual(self.sh("echo x 2>/dev/null > /v/out || echo refused", "-v", f"{self.directory}:/v:ro"),
                         "refused")
        self.assertEqual(os.listdir(self.directory), [])

    def test_a_single_file_can_be_bound(self):
        path = f"{self.directory}/file"
        with open(path, "w", encoding="utf-8") as file:
            file.write("one file\n")
        self.assertEqual(self.run_in("cat", "/etc/passwd", flags=("-v", f"{path}:/etc/passwd:ro")), "one file")

    def test_a_missing_source_is_made(self):
        self.sh("touch /v/x", "-v", f"{self.directory}/new/deep:/v")
        self.assertEqual(os.listdir(f"{self.directory}/new/deep"), ["x"])

    def test_a_named_volume_outlives_its_container(self):
        self.sh("echo kept > /v/file", "-v", "data:/v")
        self.assertEqual(self.run_in("cat", "/v/file", flags=("-v", "data:/v")), "kept")


class Limits(RunTest):
    """What the kernel enforces, read from the control groups the workload is in."""

    def cgroup(self, name: str, v1: str, v2: str) -> str:
        pid = self.engine.inspect(name)["State"]["Pid"]
        with open(f"/proc/{pid}/cgroup", encoding="ascii") as file:
            rows = [line.strip().split(":", 2) for line in file]
        controller, leaf = v1.split("/")
        for _, controllers, path in rows:
            if controller in controllers.split(","):
                file = f"/sys/fs/cgroup/{controller}{path}/{leaf}"
                break
        else:
            file = "/sys/fs/cgroup" + next(path for _, names, path in rows if not names) + "/" + v2
        with open(file, encoding="ascii") as value:
            return value.read().strip()

    def start(self, *flags: str) -> str:
        return self.engine.ok("run", "-d", *flags, IMAGE, "sleep", "1000")

    def test_memory(self):
        name = self.start("--memory", "64m")
        self.assertEqual(self.cgroup(name, "memory/memory.limit_in_bytes", "memory.max"), str(64 << 20))
        self.assertEqual(self.engine.inspect(name)["HostConfig"]["Memory"], 64 << 20)

    def test_pids(self):
        name = self.start("--pids-limit", "33")
        self.assertEqual(self.cgroup(name, "pids/pids.max", "pids.max"), "33")

    def test_cpus(self):
        name = self.start("--cpus", "0.5")
        quota = self.cgroup(name, "cpu/cpu.cfs_quota_us", "cpu.max").split()
        self.assertEqual(quota[0], "50000")

    def test_cpuset(self):
        self.assertEqual(self.engine.ok("run", "--rm", "--cpuset-cpus", "0", IMAGE, "grep", "Cpus_allowed_list",
                                        "/proc/self/status"), "Cpus_allowed_list:\t0")

    def test_more_memory_than_the_limit_is_137_and_named_in_inspect(self):
        done = self.engine.berth("run", "--name", "greedy", "--memory", "16m", "--memory-swap", "16m", IMAGE,
                                 "sh", "-c", "exec dd if=/dev/zero of=/dev/null bs=64M count=4")
        self.assertEqual(done.returncode, 137)
        self.assertTrue(self.engine.inspect("greedy")["State"]["OOMKilled"])

    def test_a_fork_bomb_stops_at_the_limit(self):
        done = self.engine.berth("run", "--rm", "--pids-limit", "4", IMAGE, "sh", "-c",
                                 "for i in 1 2 3 4 5 6 7 8 9; do sleep 100 & echo started; done; echo went on")
        self.assertEqual(done.stdout.split(), ["started"] * 3)  # and the shell itself is the fourth
        self.assertIn("can't fork", done.stderr)
        self.assertNotEqual(done.returncode, 0)

    def fails_to_start(self, *flags: str, says: str) -> None:
        self.fails("run", "--rm", *flags, IMAGE, "true", code=125, says=says)

    def test_limits_that_make_no_sense_are_refused(self):
        self.fails_to_start("--memory", "1k", says="minimum memory limit")
        self.fails_to_start("--memory", "lots", says="invalid")
        self.fails_to_start("--cpus", "-1", says="cpu")


class Walls(RunTest):
    def test_the_workload_is_alone_in_its_namespaces(self):
        self.assertEqual(self.sh("echo $$; ls -d /proc/[0-9]* | wc -l").split("\n")[0], "1")
        for kind in ("pid", "net", "mnt", "uts", "ipc"):
            self.assertNotEqual(self.run_in("readlink", f"/proc/self/ns/{kind}"), os.readlink(f"/proc/self/ns/{kind}"))

    def test_the_root_is_the_images(self):
        self.assertEqual(self.run_in("cat", "/etc/group").split("\n")[-1], "extra:x:2000:user")

    def test_the_kernels_doors_are_shut(self):
        for script in ("echo x > /proc/sys/kernel/hostname", "echo b > /proc/sysrq-trigger", "mount -t tmpfs x /mnt",
                       "mknod /tmp/disk b 8 0 && cat /tmp/disk"):
            self.assertEqual(self.sh(f"({script}) >/dev/null 2>&1 || echo refused"), "refused", script)
        self.assertEqual(self.sh("cat /proc/kcore 2>/dev/null | wc -c"), "0")

    def test_capabilities_are_dockers_default_set(self):
        shown = self.run_in("grep", "-E", "^(Cap|Seccomp:)", "/proc/self/status").split("\n")
        sets = {"Inh": 0, "Prm": 0xa80425fb, "Eff": 0xa80425fb, "Bnd": 0xa80425fb, "Amb": 0}
        self.assertEqual(shown, [f"Cap{name}:\t{value:016x}" for name, value in sets.items()] + ["Seccomp:\t2"])


class Network(RunTest):
    def test_an_address_and_a_default_route(self):
        self.assertRegex(self.sh("ip -4 addr show eth0"), r"inet 10\.213\.")
        self.assertIn("default via", self.sh("ip route"))

    def test_none_has_only_loopback(self):
        self.assertEqual(self.sh("ls /sys/class/net", "--network", "none"), "lo")

    def test_host_shares_the_hosts(self):
        self.assertEqual(self.run_in("readlink", "/proc/self/ns/net", flags=("--network", "host")),
                         os.readlink("/proc/self/ns/net"))

    def test_containers_reach_one_another(self):
        self.engine.ok("run", "-d", "--name", "server", IMAGE, "sh", "-c", "echo found > /tmp/x; httpd -f -h /tmp")
        address = self.engine.inspect("server")["NetworkSettings"]["IPAddress"]
        self.assertTrue(address.startswith("10.213."))
        script = f"until wget -q -O - http://{address}/x; do usleep 10000; done"
        self.assertEqual(self.engine.ok("run", "--rm", IMAGE, "sh", "-c", script), "found")

    def test_a_published_port_answers_on_the_host(self):
        self.engine.ok("run", "-d", "-p", "127.0.0.1:18080:80", IMAGE, "sh", "-c",
                       "echo published > /tmp/x; exec httpd -f -h /tmp")
        self.assertEqual(self.fetch("http://127.0.0.1:18080/x"), "published\n")

    def test_a_port_of_the_engines_choice_is_shown(self):
        name = self.engine.ok("run", "-d", "-p", "80", IMAGE, "sh", "-c", "echo x > /tmp/x; exec httpd -f -h /tmp")
        port = self.engine.inspect(name)["NetworkSettings"]["Ports"]["80/tcp"][0]["HostPort"]
        self.assertEqual(self.fetch(f"http://127.0.0.1:{port}/x"), "x\n")
        self.assertIn("->80/tcp", self.engine.ok("ps"))

    def test_a_published_port_is_free_again_after_rm(self):
        for _ in range(2):
            name = self.engine.ok("run", "-d", "-p", "127.0.0.1:18081:80", IMAGE, "sleep", "1000")
            self.engine.ok("rm", "-f", name)
        with socket.create_server(("127.0.0.1", 18081)):
            pass

    def fetch(self, url: str) -> str:
        def attempt():
            try:
                with urllib.request.urlopen(url, timeout=waiting.DEADLINE) as answer:
                    return answer.read().decode()
            except OSError:
                return None  # the server in the container is not listening yet
        return waiting.until(attempt, f"{url} answers")


if __name__ == "__main__":
    main()
