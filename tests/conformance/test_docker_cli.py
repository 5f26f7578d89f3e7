"""The unmodified docker command line against berthd: what it prints, and the exit codes that docker gives."""

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import tarfile
import termios
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "util"))

import images
import waiting
from berth_testing import IMAGE, EngineTest, main

DOCKER = shutil.which("docker")


class DockerTest(EngineTest):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        # No plug-ins and no context of the user's: DOCKER_HOST alone decides.
        config = cls.engine.base / "docker-config"
        config.mkdir()
        os.environ["DOCKER_CONFIG"] = str(config)
        os.environ.pop("DOCKER_CONTEXT", None)

    def docker(self, *arguments: str, **options) -> subprocess.CompletedProcess:
        return self.engine.berth(*arguments, program=DOCKER, **options)

    def ok(self, *arguments: str, **options) -> str:
        done = self.docker(*arguments, **options)
        self.assertEqual(done.returncode, 0, f"docker {' '.join(arguments)}: {done.stderr}")
        return done.stdout.rstrip("\n")

    def fails(self, *arguments: str, code: int, says: str, **options) -> None:
        done = self.docker(*arguments, **options)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertIn(says.lower(), done.stderr.lower())

    def follow(self, *arguments: str, **options) -> subprocess.Popen:
        process = self.engine.popen(*arguments, program=DOCKER, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                    **options)
        self.addCleanup(lambda: (process.kill(), process.communicate()))
        return process

    def state(self, name: str) -> dict:
        return json.loads(self.ok("inspect", name))[0]["State"]


class System(DockerTest):
    def test_version_shows_both_sides(self):
        shown = self.ok("version")
        self.assertIn("Client:", shown)
        self.assertIn("Server:", shown)
        self.assertRegex(self.ok("version", "--format", "{{.Server.Version}}"), r"^\d+\.\d+")
        self.assertRegex(self.ok("version", "--format", "{{.Server.APIVersion}}"), r"^1\.\d+$")

    def test_info_counts(self):
        self.ok("run", "-d", IMAGE, "sleep", "1000")
        shown = json.loads(self.ok("info", "--format", "{{json .}}"))
        self.assertEqual((shown["Containers"], shown["ContainersRunning"], shown["Images"]), (1, 1, 1))
        self.assertFalse(shown.get("ServerErrors"))
        self.assertIn("Server Version", self.ok("info"))

    def test_events_tell_a_life(self):
        name = "told"
        self.docker("run", "--name", name, IMAGE, "sh", "-c", "exit 3")
        self.ok("rm", name)
        watcher = self.follow("events", "--since", "1h", "--filter", f"container={name}", "--format", "{{.Action}}")
        shown = waiting.read_until(watcher.stdout, b"destroy\n").decode()
        order = [word for word in shown.split() if word in ("create", "start", "die", "destroy")]
        self.assertEqual(order, ["create", "start", "die", "destroy"])


    def past_events(self, filters: tuple[str, ...], form: str) -> list[str]:
        """What has been told until now. Durations ("0s") are cut to whole seconds by the client."""
        wanted = [word for each in filters for word in ("--filter", each)]
        shown = self.ok("events", "--since", "10m", "--until", f"{time.time():.9f}", *wanted, "--format", form)
        return shown.split("\n") if shown else []

    def test_events_of_a_time_that_is_over(self):
        self.docker("run", "--name", "past", IMAGE, "sh", "-c", "exit 3")

        def actions(*filters: str) -> list[str]:
            return self.past_events(filters, "{{.Action}}")
        life = ["create", "attach", "start", "die"]
        self.assertEqual(actions("container=past"), life)
        # An image without a tag stands for each of its tags.
        for image in ("busybox", "busybox:latest"):
            self.assertEqual(actions("container=past", f"image={image}"), life)
        self.assertEqual(actions("container=past", "event=die", "type=container"), ["die"])
        self.assertEqual(actions("container=past", "image=other"), [])
        self.assertEqual(self.past_events(("container=past", "event=die"), '{{index .Actor.Attributes "exitCode"}}'),
                         ["3"])

    def test_events_of_an_image_bear_its_id(self):
        identity = self.ok("import", "-", "told:1", stdin=images.busybox_rootfs())
        self.ok("tag", "told:1", "told:2")
        self.ok("rmi", "told:1", "told:2")
        rows = self.past_events(("image=told",), '{{.Action}} {{.Actor.ID}} {{index .Actor.Attributes "name"}}')
        self.assertEqual(rows, [f"{action} {identity} {name}" for action, name in (
            ("import", "told:1"), ("tag", "told:2"), ("untag", "told:1"), ("untag", "told:2"))])
        self.assertEqual(self.past_events((f"image={identity}",), "{{.Action}}")[-1], "delete")


class Images(DockerTest):
    def test_load_prints_what_docker_prints(self):
        self.assertIn("Loaded image: loaded:1", self.ok("load", stdin=images.busybox_image("loaded:1")))
        archive = self.engine.base / "oci.tar"
        archive.write_bytes(images.oci_archive("loaded:2", [images.busybox_rootfs()]))
        self.assertIn("Loaded image: loaded:2", self.ok("load", "-i", str(archive)))
        self.ok("rmi", "loaded:1", "loaded:2")

    def test_a_damaged_archive_is_an_error(self):
        self.fails("load", code=1, says="", stdin=images.busybox_image("damaged:1")[:100_000])
        self.assertNotIn("damaged", self.ok("images"))

    def test_import_images_inspect_rmi(self):
        identity = self.ok("import", "-m", "made by hand", "-c", 'CMD ["/bin/echo", "hi"]', "-", "made:1",
                           stdin=images.busybox_rootfs())
        self.assertRegex(identity, "^sha256:[0-9a-f]{64}$")
        self.assertRegex(self.ok("images"), rf"made +1 +{identity[7:19]} ")
        self.assertEqual(self.ok("images", "-q", "--no-trunc", "made:1"), identity)
        self.assertEqual(json.loads(self.ok("image", "inspect", "made:1"))[0]["Id"], identity)
        self.assertEqual(self.ok("run", "--rm", "made:1"), "hi")
        self.assertIn("Untagged: made:1", self.ok("rmi", "made:1"))

    def test_import_of_a_file(self):
        archive = self.engine.base / "rootfs.tar"
        archive.write_bytes(images.busybox_rootfs())
        self.assertRegex(self.ok("import", str(archive), "made:2"), "^sha256:[0-9a-f]{64}$")
        self.assertEqual(self.ok("run", "--rm", "made:2", "/bin/echo", "hi"), "hi")
        self.ok("rmi", "made:2")

    def test_images_filters_and_formats(self):
        self.ok("tag", IMAGE, "other:3")
        self.assertEqual(self.ok("images", "--format", "{{.Repository}}:{{.Tag}}", "other"), "other:3")
        self.assertEqual(self.ok("images", "-q", "--filter", "reference=oth*"), self.ok("images", "-q", IMAGE))
        self.ok("rmi", "other:3")

    def test_an_unknown_image(self):
        self.fails("rmi", "never-seen", code=1, says="no such image: never-seen")
        self.fails("run", "--rm", "--pull", "never", "never-seen", code=125, says="no such image: never-seen")


class Run(DockerTest):
    def test_foreground(self):
        done = self.docker("run", "--rm", IMAGE, "sh", "-c", "echo out; echo err >&2; exit 7")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (7, "out\n", "err\n"))
        waiting.until(lambda: not self.ok("ps", "-aq"), "--rm removes it")

    def test_fifty_short_runs_lose_no_byte(self):
        for number in range(50):
            self.assertEqual(self.ok("run", "--rm", IMAGE, "echo", str(number)), str(number))

    def test_standard_input(self):
        self.assertEqual(self.ok("run", "--rm", "-i", IMAGE, "cat", stdin=b"through\n"), "through")
        data = os.urandom(3 << 20)
        self.assertEqual(self.ok("run", "--rm", "-i", IMAGE, "wc", "-c", stdin=data), str(len(data)))

    def test_detached(self):
        identity = self.ok("run", "-d", "--name", "back", IMAGE, "sleep", "1000")
        self.assertRegex(identity, "^[0-9a-f]{64}$")
        self.assertTrue(self.state("back")["Running"])

    def test_exit_codes(self):
        self.fails("run", "--rm", "--no-such-flag", IMAGE, code=125, says="unknown flag")
        self.fails("run", "--rm", "--network", "nowhere", IMAGE, "true", code=125, says="not found")
        self.fails("run", "--rm", IMAGE, "/etc/not-executable", code=126, says="permission denied")
        self.fails("run", "--rm", IMAGE, "no-such-program", code=127, says="executable file not found in $PATH")
        self.ok("create", "--name", "twin", IMAGE)
        self.fails("run", "--name", "twin", IMAGE, code=125, says='the container name "/twin" is already in use')

    def test_the_exit_code_of_a_signal_is_128_and_its_number(self):
        for name, code in (("KILL", 137), ("TERM", 143)):
            # The first process of a container is spared by what it does not handle, so its child is sent the signal.
            script = f"sh -c 'kill -{name} $$'; exit $?"
            self.assertEqual(self.docker("run", "--rm", IMAGE, "sh", "-c", script).returncode, code)
        client = self.follow("run", "--name", "shot", IMAGE, "sh", "-c", "echo up; exec sleep 1000")
        waiting.read_until(client.stdout, b"up\n")
        self.ok("kill", "shot")
        self.assertEqual(client.wait(waiting.DEADLINE), 137)
        self.assertEqual(self.ok("wait", "shot"), "137")

    def test_rm_of_a_detached_container(self):
        identity = self.ok("run", "-d", "--rm", IMAGE, "sh", "-c", "echo up; exec sleep 1000")
        self.assertEqual(self.ok("ps", "-q", "--no-trunc"), identity)
        self.ok("stop", "-t", "0", identity)
        waiting.until(lambda: not self.ok("ps", "-aq"), "--rm removes it")

    def test_limits_that_this_host_cannot_give(self):
        cpus = len(os.sched_getaffinity(0))
        for wanted in ("0.001", str(cpus + 1)):
            self.fails("run", "--rm", "--cpus", wanted, IMAGE, "true", code=125,
                       says=f"range of cpus is from 0.01 to {cpus}.00, as there are only {cpus} cpus available")
        self.fails("run", "--rm", "--memory", "5m", IMAGE, "true", code=125, says="Minimum memory limit allowed is 6MB")
        self.fails("run", "--rm", "--memory", "64m", "--memory-swap", "32m", IMAGE, "true", code=125,
                   says="Minimum memoryswap limit should be larger than memory limit, see usage")
        self.ok("run", "--rm", "--cpus", "0.01", "--memory", "64m", "--memory-swap", "64m", IMAGE, "true")

    def test_options_without_effect_are_refused(self):
        self.fails("run", "--rm", "--log-opt", "max-size=1m", IMAGE, "true", code=125,
                   says="--log-opt max-size is not supported yet")
        self.fails("run", "--rm", "--log-opt", "max-sise=1m", IMAGE, "true", code=125,
                   says="unknown log opt 'max-sise' for json-file log driver")

    def test_flags_reach_the_workload(self):
        self.assertEqual(
            self.ok("run", "--rm", "-e", "A=1", "-w", "/tmp", "-u", "user", "--hostname", "box", IMAGE, "sh", "-c",
                    "echo $A $(pwd) $(id -un) $(hostname)"), "1 /tmp user box")

    def test_a_published_port(self):
        self.ok("run", "-d", "--name", "web", "-p", "127.0.0.1:18060:80", IMAGE, "sh", "-c",
                "echo up > /tmp/x; exec httpd -f -h /tmp")
        self.assertEqual(self.ok("port", "web"), "80/tcp -> 127.0.0.1:18060")
        fetch = ["curl", "-sf", "http://127.0.0.1:18060/x"]
        waiting.until(lambda: subprocess.run(fetch, capture_output=True, check=False).stdout == b"up\n", "it serves")

    def test_signals_are_passed_on(self):
        client = self.follow("run", "--name", "proxied", IMAGE, "sh", "-c",
                             "trap 'exit 11' TERM; echo up; while :; do usleep 1000; done")
        waiting.read_until(client.stdout, b"up\n")
        client.send_signal(signal.SIGTERM)
        self.assertEqual(client.wait(waiting.DEADLINE), 11)


class Terminal(DockerTest):
    """docker run -it with a terminal on this side."""

    def run_on_a_terminal(self, *arguments: str, rows: int = 24, columns: int = 80) -> tuple[subprocess.Popen, int]:
        ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (rows, columns))
        process = self.engine.popen(*arguments, program=DOCKER, stdin=theirs, stdout=theirs, stderr=theirs,
                                    start_new_session=True)
        self.addCleanup(lambda: (process.kill(), process.wait(), os.close(ours), os.close(theirs)))
        return process, ours

    def test_the_workload_has_a_terminal_of_our_size(self):
        process, terminal = self.run_on_a_terminal("run", "--rm", "-it", IMAGE, "sh", rows=33, columns=111)
        # The size is set by a request of its own after the start, so ask until it is there.
        os.write(terminal, b"until [ \"$(stty size)\" = '33 111' ]; do usleep 1000; done; tty; exit 5\n")
        self.assertIn(b"/dev/pts/0", waiting.read_until(terminal, b"/dev/pts/0\r\n"))
        self.assertEqual(process.wait(waiting.DEADLINE), 5)

    def test_the_size_is_there_before_the_first_instruction(self):
        for _ in range(10):
            process, terminal = self.run_on_a_terminal("run", "--rm", "-t", IMAGE, "stty", "size", rows=33, columns=111)
            self.assertEqual(waiting.read_until(terminal, b"\n").strip(), b"33 111")
            self.assertEqual(process.wait(waiting.DEADLINE), 0)

    def test_a_resize_reaches_the_workload(self):
        process, terminal = self.run_on_a_terminal("run", "--rm", "-it", IMAGE, "sh")
        os.write(terminal, b"until [ \"$(stty size)\" = '24 80' ]; do usleep 1000; done; echo re''ady\n")
        waiting.read_until(terminal, b"ready\r\n")
        termios.tcsetwinsize(terminal, (50, 132))
        process.send_signal(signal.SIGWINCH)
        os.write(terminal, b"until [ \"$(stty size)\" = '50 132' ]; do usleep 1000; done; exit 9\n")
        self.assertEqual(process.wait(waiting.DEADLINE), 9)

    def test_control_c_interrupts_the_workload(self):
        process, terminal = self.run_on_a_terminal("run", "--rm", "-it", IMAGE, "sh", "-c",
                                                   "trap 'exit 12' INT; echo up; while :; do usleep 1000; done")
        waiting.read_until(terminal, b"up\r\n")
        os.write(terminal, b"\x03")
        self.assertEqual(process.wait(waiting.DEADLINE), 12)

    def test_detach_keys_leave_it_running(self):
        process, terminal = self.run_on_a_terminal("run", "-it", "--name", "left", IMAGE, "sh")
        os.write(terminal, b"echo re''ady\n")
        waiting.read_until(terminal, b"ready\r\n")
        os.write(terminal, b"\x10\x11")  # ctrl-p ctrl-q
        process.wait(waiting.DEADLINE)
        self.assertTrue(self.state("left")["Running"])
        again, terminal = self.run_on_a_terminal("attach", "left", rows=40, columns=100)
        os.write(terminal, b"until [ \"$(stty size)\" = '40 100' ]; do usleep 1000; done; exit 4\n")
        self.assertEqual(again.wait(waiting.DEADLINE), 4)

    def test_detach_keys_of_ones_own(self):
        process, terminal = self.run_on_a_terminal("run", "-it", "--detach-keys", "ctrl-a,d", "--name", "left", IMAGE,
                                                   "sh")
        os.write(terminal, b"echo re''ady\n")
        waiting.read_until(terminal, b"ready\r\n")
        os.write(terminal, b"\x01d")
        process.wait(waiting.DEADLINE)
        self.assertTrue(self.state("left")["Running"])

    def test_i_without_a_terminal_is_refused_with_t(self):
        self.fails("run", "--rm", "-it", IMAGE, "true", code=1, says="not a tty")


class Lifecycle(DockerTest):
    def test_ps_logs_stop_start_kill_rm(self):
        self.ok("run", "-d", "--name", "one", IMAGE, "sh", "-c", "echo hello; exec sleep 1000")
        self.assertRegex(self.ok("ps"), r"busybox(:latest)? +\"sh -c 'echo hello; .* Up .* one")
        waiting.until(lambda: self.ok("logs", "one") == "hello", "the log has the line")
        self.assertEqual(self.ok("stop", "-t", "0", "one"), "one")
        self.assertEqual(self.ok("ps", "-q"), "")
        self.assertIn("Exited (137)", self.ok("ps", "-a"))
        self.assertEqual(self.ok("start", "one"), "one")
        self.assertEqual(self.ok("kill", "one"), "one")
        self.assertEqual(self.ok("wait", "one"), "137")
        self.assertEqual(self.ok("rm", "one"), "one")
        self.fails("inspect", "one", code=1, says="no such object: one")

    def test_stop_asks_and_kill_sends_what_it_is_told(self):
        script = "trap 'exit 7' TERM; trap 'exit 8' HUP; echo ready; while :; do usleep 1000; done"
        for verb, code in ((("stop",), 7), (("kill", "-s", "HUP"), 8), (("kill", "--signal", "SIGHUP"), 8),
                           (("kill", "-s", "1"), 8)):
            name = self.ok("run", "-d", IMAGE, "sh", "-c", script)
            waiting.until(lambda: self.ok("logs", name) == "ready", "its traps are set")
            self.assertEqual(self.ok(*verb, name), name)
            self.assertEqual(self.ok("wait", name), str(code))

    def test_create_start_and_rename(self):
        identity = self.ok("create", "--name", "made", IMAGE, "sh", "-c", "echo hi; exit 4")
        self.assertEqual(self.state("made")["Status"], "created")
        done = self.docker("start", "-a", "made")
        self.assertEqual((done.returncode, done.stdout), (4, "hi\n"))
        self.ok("rename", "made", "renamed")
        self.assertEqual(self.ok("ps", "-aq", "--no-trunc", "--filter", "name=renamed"), identity)

    def test_ps_filters_and_formats(self):
        identity = self.ok("run", "-d", "--name", "up", "--label", "role=web", "-p", "127.0.0.1:18061:80", IMAGE,
                           "sleep", "1000")
        self.docker("run", "--name", "down", IMAGE, "sh", "-c", "exit 3")
        for wanted, names in (
                ("status=running", ["up"]), ("status=exited", ["down"]), ("exited=3", ["down"]), ("exited=4", []),
                ("name=^/up$", ["up"]), (f"id={identity[:12]}", ["up"]), ("label=role=web", ["up"]),
                ("label=role=db", []), ("ancestor=busybox", ["down", "up"]), ("network=bridge", ["down", "up"]),
                ("before=down", ["up"]), ("since=up", ["down"]), ("publish=18061", ["up"]),
                ("publish=18000-18100/tcp", ["up"]), ("publish=18061/udp", []), ("publish=80", []),
                ("expose=80", ["up"]), ("expose=1-79", [])):
            shown = self.ok("ps", "-a", "--filter", wanted, "--format", "{{.Names}}")
            self.assertEqual(sorted(shown.split()), names, wanted)
        self.fails("ps", "--filter", "publish=http", code=1, says="publish=http")
        self.assertRegex(self.ok("ps", "--format", "{{.ID}} {{.Image}} {{.Ports}} {{.Label \"role\"}} {{.State}}"),
                         rf"^{identity[:12]} busybox(:latest)? 127\.0\.0\.1:18061->80/tcp web running$")
        self.assertEqual(self.ok("ps", "-lq", "--no-trunc"), self.ok("ps", "-aqn", "1", "--no-trunc"))
        self.assertEqual({json.loads(row)["Names"] for row in self.ok("ps", "-a", "--format", "json").split("\n")},
                         {"up", "down"})

    def test_inspect_formats(self):
        identity = self.ok("run", "-d", "--name", "seen", "--hostname", "box", "-p", "127.0.0.1:18062:80", IMAGE,
                           "sleep", "1000")
        self.assertEqual(self.ok("inspect", "-f", "{{.Id}} {{.State.Status}} {{.Config.Hostname}}", "seen"),
                         f"{identity} running box")
        self.assertEqual(json.loads(self.ok("inspect", "-f", "{{json .NetworkSettings.Ports}}", "seen")),
                         {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "18062"}]})
        address = self.ok("inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", "seen")
        self.assertTrue(address.startswith("10.213."), address)
        self.assertEqual(self.ok("inspect", "--type", "image", "-f", "{{index .RepoTags 0}}", IMAGE), IMAGE)

    def test_logs_select(self):
        name = self.ok("run", "-d", IMAGE, "sh", "-c", "echo one; usleep 20000; echo two; usleep 20000; echo three")
        self.ok("wait", name)
        self.assertEqual(self.ok("logs", "--tail", "2", name), "two\nthree")
        self.assertEqual(self.ok("logs", "-n", "0", name), "")
        stamped = [line.split(" ") for line in self.ok("logs", "-t", name).split("\n")]
        self.assertEqual([text for _, text in stamped], ["one", "two", "three"])
        for stamp, _ in stamped:
            self.assertRegex(stamp, r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$")
        self.assertEqual(self.ok("logs", "--since", stamped[1][0], name), "two\nthree")
        self.assertEqual(self.ok("logs", "--until", stamped[1][0], name), "one\ntwo")
        self.assertEqual(self.ok("logs", "--since", "10m", name), "one\ntwo\nthree")
        self.assertEqual(self.ok("logs", "--since", stamped[1][0], "--tail", "1", name), "three")

    def test_logs_follow_to_the_end(self):
        self.ok("run", "-d", "--name", "chatty", IMAGE, "sh", "-c",
                "echo first; trap 'echo last; exit' TERM; while :; do usleep 1000; done")
        follower = self.follow("logs", "-f", "chatty")
        waiting.read_until(follower.stdout, b"first\n")
        self.ok("stop", "chatty")
        self.assertEqual(follower.communicate(timeout=waiting.DEADLINE)[0], b"last\n")

    def test_attach(self):
        self.ok("run", "-d", "-i", "--name", "open", IMAGE, "sh", "-c", "read x; echo got $x; exit 6")
        attached = self.follow("attach", "open", stdin=subprocess.PIPE)
        attached.stdin.write(b"this\n")
        attached.stdin.flush()
        waiting.read_until(attached.stdout, b"got this\n")
        self.assertEqual(attached.wait(waiting.DEADLINE), 6)

    def test_diff_and_export(self):
        name = self.ok("run", "-d", IMAGE, "sh", "-c",
                       "echo text > /root/file; rm /etc/group; echo up; exec sleep 1000")
        waiting.until(lambda: self.ok("logs", name) == "up", "it is up")
        self.assertEqual(self.ok("diff", name), "C /etc\nD /etc/group\nC /root\nA /root/file")
        archive = self.engine.base / "export.tar"
        self.ok("export", "-o", str(archive), name)
        with tarfile.open(archive) as tar:
            self.assertEqual(tar.extractfile("root/file").read(), b"text\n")
            self.assertNotIn("etc/group", tar.getnames())

    def test_commit_and_history(self):
        name = self.ok("run", "-d", IMAGE, "sh", "-c", "echo text > /root/file; echo up; exec sleep 1000")
        waiting.until(lambda: self.ok("logs", name) == "up", "it is up")
        identity = self.ok("commit", "-a", "Jane", "-m", "why", "-c", 'CMD ["cat", "/root/file"]', "-c", "ENV A=b", name,
                           "made:1")
        self.assertRegex(identity, "^sha256:[0-9a-f]{64}$")
        self.assertTrue(self.state(name)["Running"])
        self.assertEqual(self.ok("run", "--rm", "made:1"), "text")
        made = json.loads(self.ok("inspect", "made:1"))[0]
        self.assertEqual((made["Author"], made["Comment"]), ("Jane", "why"))
        self.assertIn("A=b", made["Config"]["Env"])
        rows = self.ok("history", "--format", "{{.ID}}|{{.CreatedBy}}|{{.Size}}|{{.Comment}}", "made:1").split("\n")
        self.assertEqual(rows[0], f"{identity[7:19]}|sh -c echo text > /root/file; echo up; exec …|5B|why")
        self.assertTrue(rows[1].startswith("<missing>|layer 0|"), rows)
        self.assertRegex(self.ok("history", "made:1"), r"IMAGE +CREATED +CREATED BY +SIZE +COMMENT\n")
        without = self.ok("commit", "--pause=false", name)
        self.assertEqual(self.ok("images", "-q", "--no-trunc", "--filter", "dangling=true"), without)
        self.ok("rmi", "made:1", without)

    def test_prune_and_df(self):
        self.ok("run", "--name", "one", IMAGE, "sh", "-c", "echo text > /root/file")
        identity = self.ok("commit", "one")
        shown = {json.loads(row)["Type"]: json.loads(row) for row in
                 self.ok("system", "df", "--format", "json").split("\n")}
        self.assertEqual((shown["Images"]["TotalCount"], shown["Images"]["Active"]), ("2", "1"))
        self.assertEqual((shown["Containers"]["TotalCount"], shown["Containers"]["Active"]), ("1", "0"))
        self.assertIn("Images space usage:", self.ok("system", "df", "-v"))
        shown = self.ok("image", "prune", "-f")
        self.assertIn(f"deleted: {identity}", shown)
        self.assertRegex(shown, r"Total reclaimed space: 1\.\d+kB")  # its blobs, and 5 bytes
        self.assertIn("Deleted Containers:", self.ok("container", "prune", "-f"))
        self.assertEqual(self.ok("ps", "-aq"), "")
        self.assertEqual(self.ok("image", "prune", "-af", "--filter", "label=absent"), "Total reclaimed space: 0B")

    def test_errors_of_each_verb(self):
        for verb in ("start", "stop", "kill", "rm", "logs", "wait", "diff", "export", "commit"):
            self.fails(verb, "nobody", code=1, says="no such container: nobody")

    def test_rm_wants_force_while_it_runs(self):
        self.ok("run", "-d", "--name", "busy", IMAGE, "sleep", "1000")
        self.fails("rm", "busy", code=1, says="running")
        self.ok("rm", "-f", "busy")

    def test_it_all_works_for_a_daemon_that_was_killed(self):
        self.ok("run", "-d", "--name", "older", IMAGE, "sh", "-c", "echo before; exec sleep 1000")
        self.engine.kill()
        self.engine.start()
        self.assertIn("older", self.ok("ps"))
        self.ok("stop", "-t", "0", "older")
        self.assertEqual(self.ok("wait", "older"), "137")


if __name__ == "__main__":
    if DOCKER is None:
        print("skipped: no docker command line on PATH")
        sys.exit(77)
    main()
