"""What a container's file system has become: diff, export, commit; running or not, and while it is being changed."""

import io
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "util"))

import waiting
from berth_testing import IMAGE, EngineTest, main
from small_disk import SmallDiskTest


class FilesystemTest(EngineTest):
    def run_to_end(self, script: str, *flags: str) -> str:
        self.engine.ok("run", "--name", "one", *flags, IMAGE, "sh", "-c", script)
        return "one"

    def diff(self, name: str) -> list[str]:
        shown = self.engine.ok("diff", name)
        return shown.split("\n") if shown else []

    def background(self, script: str) -> str:
        """Runs it until it says "up"."""
        name = self.engine.ok("run", "-d", IMAGE, "sh", "-c", script)
        waiting.until(lambda: "up" in self.engine.ok("logs", name), "it is up")
        return name


class Diff(FilesystemTest):
    def test_a_container_that_did_nothing_has_changed_nothing(self):
        self.engine.ok("create", "--name", "never", IMAGE)
        self.assertEqual(self.diff("never"), [])
        self.assertEqual(self.diff(self.run_to_end("true")), [])
        self.engine.ok("start", "one")
        self.engine.ok("wait", "one")
        self.assertEqual(self.diff("one"), [])

    def test_kinds_and_their_parents(self):
        name = self.run_to_end("echo x >> /etc/passwd; rm /etc/group; mkdir -p /var/a/b; echo > /var/a/b/c; rm -r /home;"
                               "mkdir /home; chmod 700 /mnt")
        self.assertEqual(self.diff(name), ["C /etc", "D /etc/group", "C /etc/passwd", "C /mnt", "C /var", "A /var/a",
                                           "A /var/a/b", "A /var/a/b/c"])

    def test_while_it_runs(self):
        name = self.background("echo > /root/new; echo up; exec sleep 1000")
        self.assertEqual(self.diff(name), ["C /root", "A /root/new"])

    def test_what_is_mounted_is_not_shown_but_where(self):
        name = self.run_to_end("echo > /tmp/in; echo > /data/in; echo > /dev/shm/in", "-v", "/data", "--tmpfs", "/tmp")
        self.assertEqual(self.diff(name), ["A /data"])

    def test_names_of_any_bytes(self):
        name = self.run_to_end(r"cd /root; echo > $(printf 'a\nA forged'); echo > $(printf '\377'); echo > 'b c'")
        self.assertEqual(self.diff(name), ["C /root", "A /root/a\\nA forged", "A /root/b c", "A /root/\ufffd"])
        status, changes = self.engine.api("GET", f"/containers/{name}/changes")
        self.assertEqual(status, 200)
        self.assertIn({"Path": "/root/a\nA forged", "Kind": 1}, changes)

    def test_many(self):
        name = self.run_to_end("cd /root; i=0; while [ $i -lt 20000 ]; do : > $i; i=$((i+1)); done")
        self.assertEqual(len(self.diff(name)), 20001)

    def test_nobody(self):
        self.fails("diff", "nobody", code=1, says="no such container: nobody")


class DiffOfCopies(Diff):
    """The same where a container's layer is a copy of its image."""
    flags = ("--storage-driver", "vfs")


class Export(FilesystemTest):
    def export(self, name: str) -> tarfile.TarFile:
        done = self.engine.popen("export", name, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        out, err = done.communicate(timeout=waiting.DEADLINE)
        self.assertEqual((done.returncode, err), (0, b""))
        return tarfile.open(fileobj=io.BytesIO(out))

    def test_all_of_it(self):
        name = self.run_to_end("echo text > /root/file; ln /root/file /root/hard; ln -s file /root/soft; mkfifo /root/p;"
                               "mknod /root/null c 1 3; chown 1000:2000 /root/file; chmod 4750 /root/file;"
                               "touch -d @1000000000 /root/file; rm -r /home")
        with self.export(name) as tar:
            names = tar.getnames()
            self.assertEqual(len(names), len(set(names)))
            self.assertNotIn("home", names)
            self.assertIn("bin/busybox", names)
            file = tar.getmember("root/file")
            self.assertEqual((file.uid, file.gid, file.mode, file.mtime), (1000, 2000, 0o4750, 1_000_000_000))
            self.assertEqual(tar.extractfile(file).read(), b"text\n")
            hard = tar.getmember("root/hard")
            self.assertTrue(hard.islnk() and hard.linkname == "root/file")
            self.assertTrue(tar.getmember("root/soft").issym() and tar.getmember("root/soft").linkname == "file")
            self.assertTrue(tar.getmember("root/p").isfifo())
            null = tar.getmember("root/null")
            self.assertTrue(null.ischr() and (null.devmajor, null.devminor) == (1, 3))
            self.assertTrue(tar.getmember("etc").isdir())

    def test_of_a_running_container_without_what_is_mounted(self):
        name = self.background("echo > /root/new; echo > /dev/shm/not; echo up; exec sleep 1000")
        with self.export(name) as tar:
            self.assertIn("root/new", tar.getnames())
            self.assertFalse([name for name in tar.getnames() if name.startswith(("proc/", "sys/", "dev/"))])

    def test_it_can_be_imported_again(self):
        name = self.run_to_end("echo again > /root/file")
        path = self.engine.base / "root.tar"
        self.engine.ok("export", "-o", str(path), name)
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        self.engine.ok("import", str(path), "again:1")
        self.assertEqual(self.engine.ok("run", "--rm", "again:1", "/bin/cat", "/root/file"), "again")
        self.engine.ok("rm", name)
        self.engine.ok("rmi", "again:1")

    def test_twice_the_same(self):
        name = self.run_to_end("echo > /root/a; echo > /root/b; mkdir /root/c; echo > /root/c/d")
        first, second = (self.engine.berth("export", name) for _ in range(2))
        self.assertEqual(first.stdout, second.stdout)

    def test_an_export_that_fails_leaves_no_file(self):
        path = self.engine.base / "none.tar"
        self.fails("export", "-o", str(path), "nobody", code=1, says="no such container: nobody")
        self.assertFalse([file for file in self.engine.base.iterdir() if "none.tar" in file.name])

    def test_a_container_that_swaps_directories_for_links_shows_nothing_of_the_host(self):
        secret = self.engine.base / "secret"
        secret.write_text("of the host")
        script = (f"mkdir /root/real /root/real/d; echo > /root/real/d/{secret.name}; echo up;"
                  f"while :; do ln -s {self.engine.base} /root/x; mv -T /root/x /root/swap 2>/dev/null || rm -rf /root/swap;"
                  "rm -f /root/x; cp -r /root/real /root/swap 2>/dev/null; rm -rf /root/swap; done")
        name = self.background(script)
        for _ in range(10):
            with self.export(name) as tar:
                for member in tar:
                    if member.isfile() and member.name.endswith("secret"):
                        self.assertNotIn(b"of the host", tar.extractfile(member).read())

    def test_a_client_that_goes_away_ends_it(self):
        name = self.run_to_end("dd if=/dev/zero of=/root/large bs=1M count=64 2>/dev/null")
        exporting = self.engine.popen("export", name, stdout=subprocess.PIPE)
        exporting.stdout.read(100)
        # While it is being read, it stays.
        self.fails("rm", name, code=1, says="exported")
        exporting.kill()
        exporting.communicate()
        waiting.until(lambda: self.engine.berth("rm", name).returncode == 0, "it can be removed")

    def test_a_removal_by_force_ends_an_export_that_nobody_reads(self):
        name = self.run_to_end("dd if=/dev/zero of=/root/large bs=1M count=64 2>/dev/null")
        exporting = self.engine.popen("export", name, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(lambda: (exporting.kill(), exporting.communicate()))
        exporting.stdout.read(100)
        self.engine.ok("rm", "-f", name)
        exporting.communicate(timeout=waiting.DEADLINE)
        self.assertNotEqual(exporting.returncode, 0)


class Commit(FilesystemTest):
    def tearDown(self) -> None:
        super().tearDown()
        for identity in self.engine.ok("images", "-q", "--no-trunc").split():
            if identity != self.engine.inspect(IMAGE)["Id"]:
                self.engine.ok("rmi", "-f", identity)

    def test_what_has_changed_is_in_the_image(self):
        name = self.run_to_end("echo new > /root/new; rm /etc/group; rm -r /home; mkdir /home; echo in > /home/in;"
                               "ln /root/new /root/hard; ln -s new /root/soft; chmod 700 /mnt; chown 7:8 /root/new;"
                               "touch -d @1000000000 /root/new")
        identity = self.engine.ok("commit", "-a", "Jane", "-m", "a change", name, "made:1")
        self.assertRegex(identity, "^sha256:[0-9a-f]{64}$")
        script = ("cat /root/hard /home/in; test -e /etc/group || echo gone; readlink /root/soft; stat -c %a /mnt;"
                  "stat -c '%u:%g %h %Y' /root/new; cat /etc/passwd | head -n 1")
        self.assertEqual(self.engine.ok("run", "--rm", "made:1", "sh", "-c", script).split("\n"),
                         ["new", "in", "gone", "new", "700", "7:8 2 1000000000", "root:x:0:0:root:/root:/bin/sh"])
        made = self.engine.inspect("made:1")
        self.assertEqual((made["Author"], made["Comment"]), ("Jane", "a change"))
        self.assertEqual(made["RootFS"]["Layers"][:-1], self.engine.inspect(IMAGE)["RootFS"]["Layers"])
        self.assertEqual(self.diff(name), self.diff(name))
        self.assertEqual(self.diff(self.engine.ok("create", "made:1")), [])

    def test_a_running_container_stands_still_meanwhile_and_goes_on(self):
        name = self.background("cd /root; put() { echo $i > t; mv t $1; }; i=0; put a; put b; echo up;"
                               "while :; do i=$((i+1)); put a; put b; done")
        for _ in range(5):
            self.engine.ok("commit", name, "made:still")
            both = self.engine.ok("run", "--rm", "made:still", "sh", "-c", "cat /root/a; cat /root/b").split("\n")
            # Between two writes at most.
            self.assertLessEqual(int(both[0]) - int(both[1]), 1, both)
        waiting.until(lambda: self.diff(name) == ["C /root", "A /root/a", "A /root/b"], "nothing is half way")
        status, running = self.engine.api("GET", f"/containers/{name}/json")
        self.assertTrue(status == 200 and running["State"]["Running"])
        self.engine.ok("commit", "--pause=false", name)
        self.engine.ok("stop", "-t", "0", name)

    def test_changes_to_the_configuration(self):
        self.engine.ok("run", "--name", "one", "-e", "OWN=1", "-w", "/tmp", "-u", "user", "--label", "l=1", IMAGE,
                       "sh", "-c", "true")
        self.engine.ok("commit", "-c", 'CMD ["echo", "hi"]', "-c", "ENV OWN=2 MORE=3", "-c", "WORKDIR sub", "-c",
                       "EXPOSE 80", "-c", "LABEL m=2", "one", "made:2")
        config = self.engine.inspect("made:2")["Config"]
        self.assertEqual(config["Cmd"], ["echo", "hi"])
        self.assertEqual(config["WorkingDir"], "/tmp/sub")
        self.assertEqual(config["User"], "user")
        self.assertEqual(config["Labels"], {"l": "1", "m": "2"})
        self.assertEqual(list(config["ExposedPorts"]), ["80/tcp"])
        self.assertLessEqual({"OWN=2", "MORE=3", "PATH=/bin", "FROM_IMAGE=yes"}, set(config["Env"]))
        self.assertEqual(self.engine.ok("run", "--rm", "-w", "/", "made:2"), "hi")
        # Without changes the container's own command stays.
        self.engine.ok("commit", "one", "made:3")
        self.assertEqual(self.engine.inspect("made:3")["Config"]["Cmd"], ["sh", "-c", "true"])

    def test_a_configuration_in_the_body(self):
        self.run_to_end("true")
        status, made = self.engine.api("POST", "/commit?container=one&repo=made&tag=4", {"Cmd": ["/bin/echo", "body"]})
        self.assertEqual(status, 201)
        self.assertEqual(self.engine.inspect("made:4")["Id"], made["Id"])
        self.assertEqual(self.engine.ok("run", "--rm", "made:4"), "body")

    def test_nothing_changed_makes_no_layer(self):
        self.engine.ok("create", "--name", "one", IMAGE)
        self.engine.ok("commit", "one", "made:same")
        made = self.engine.inspect("made:same")
        self.assertEqual(made["RootFS"], self.engine.inspect(IMAGE)["RootFS"])
        self.assertEqual(self.engine.ok("run", "--rm", "made:same", "echo", "hi"), "hi")

    def test_commits_on_commits(self):
        self.engine.ok("tag", IMAGE, "made:0")
        for number in range(1, 6):
            self.engine.ok("run", "--name", "step", f"made:{number - 1}", "sh", "-c", f"echo {number} >> /root/steps")
            self.engine.ok("commit", "step", f"made:{number}")
            self.engine.ok("rm", "step")
        self.assertEqual(self.engine.ok("run", "--rm", "made:5", "cat", "/root/steps"), "1\n2\n3\n4\n5")
        rows = self.engine.ok("history", "--format", "{{.CreatedBy}} {{.Size}}", "made:5").split("\n")
        self.assertEqual(len(rows), 6)
        self.assertEqual(rows[0], "sh -c echo 5 >> /root/steps 10B")
        self.assertTrue(rows[-1].startswith("layer 0 "), rows)

    def test_a_named_image_gives_up_its_name(self):
        self.run_to_end("echo 1 > /root/x")
        first = self.engine.ok("commit", "one", "made:moving")
        self.engine.ok("start", "one")
        self.engine.ok("wait", "one")
        second = self.engine.ok("commit", "-m", "again", "one", "made:moving")
        self.assertNotEqual(first, second)
        self.assertEqual(self.engine.inspect("made:moving")["Id"], second)
        self.assertEqual(self.engine.inspect(first)["RepoTags"], [])

    def test_what_is_refused(self):
        self.run_to_end("echo > /root/.wh.passwd")
        before = self.engine.ok("images", "-aq")
        self.fails("commit", "one", code=1, says=".wh.")
        self.fails("commit", "one", "Bad:Name:", code=1, says="invalid reference format")
        self.fails("commit", "-c", "RUN x", "one", code=1, says="RUN is not a valid change command")
        self.fails("commit", "nobody", code=1, says="no such container: nobody")
        self.assertEqual(self.engine.ok("images", "-aq"), before)

    def test_the_image_stays_as_long_as_a_container_needs_it(self):
        self.run_to_end("echo 1 > /root/x")
        self.engine.ok("commit", "one", "made:base")
        self.engine.ok("create", "--name", "two", "made:base", "cat", "/root/x")
        self.fails("rmi", "made:base", code=1, says="container")
        self.engine.ok("rmi", "-f", "made:base")
        self.assertEqual(self.engine.ok("start", "-a", "two"), "1")

    def freezer_of(self, name: str) -> Path | None:
        """The state of the container's freezer; nothing where there is no such hierarchy."""
        path = Path("/sys/fs/cgroup/freezer/berth") / self.engine.inspect(name)["Id"] / "freezer.state"
        return path if path.parents[2].exists() else None

    def frozen_by_a_commit(self) -> tuple[str, subprocess.Popen, Path]:
        """A container that stands still, and the commit that goes on meanwhile."""
        name = self.background("dd if=/dev/zero of=/root/big bs=1M count=256 2>/dev/null; echo up; exec sleep 1000")
        state = self.freezer_of(name)
        if state is None:
            self.skipTest("this host has no freezer of cgroups v1")
        committing = self.engine.popen("commit", name, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(lambda: (committing.kill(), committing.communicate()))
        waiting.until(lambda: state.exists() and state.read_text() == "FROZEN\n" or committing.poll() is not None,
                      "it stands still")
        if committing.poll() is not None:
            self.skipTest("the commit was quicker than the look")
        return name, committing, state

    def test_who_stands_still_can_be_killed(self):
        name, committing, _ = self.frozen_by_a_commit()
        self.engine.ok("kill", name)
        self.assertEqual(self.engine.ok("wait", name), "137")
        self.assertEqual(committing.wait(waiting.DEADLINE), 0)

    def test_an_engine_that_is_killed_during_a_commit_leaves_nothing_of_it(self):
        name, _, state = self.frozen_by_a_commit()
        before = self.engine.ok("images", "-aq")
        self.engine.kill()
        self.engine.start()
        self.assertEqual(state.read_text(), "THAWED\n")
        self.assertTrue(self.engine.is_running(name))
        self.assertEqual(self.engine.ok("images", "-aq"), before)
        big = [path for path in self.engine.root.rglob("root/big")]
        self.assertEqual(len(big), 1, big)  # the container's own
        self.engine.ok("commit", name, "made:after")
        self.assertEqual(self.engine.ok("run", "--rm", "made:after", "stat", "-c", "%s", "/root/big"), str(256 << 20))

    def test_an_engine_that_died_in_the_middle_leaves_nobody_frozen(self):
        name = self.background("while :; do date +%s%N > /root/now; echo up; usleep 1000; done")
        self.engine.ok("commit", name)  # makes the cgroup
        groups = Path(f"/proc/{self.engine.inspect(name)['State']['Pid']}/cgroup").read_text(encoding="ascii")
        path = [line.split(":")[2] for line in groups.split("\n") if ":freezer:" in line]
        if not path:
            self.skipTest("this host has no freezer of cgroups v1")
        cgroup = Path(f"/sys/fs/cgroup/freezer{path[0]}/freezer.state")
        cgroup.write_text("FROZEN")
        self.engine.kill()
        self.engine.start()
        self.assertEqual(cgroup.read_text(), "THAWED\n")


class FullDisk(SmallDiskTest):
    def test_a_commit_that_does_not_fit_leaves_nothing(self):
        self.engine.ok("run", "--name", "one", IMAGE, "dd", "if=/dev/zero", "of=/root/big", "bs=1M", "count=8")
        self.fill()
        self.fails("commit", "one", "made:1", code=1, says="no space left")
        self.assertEqual(self.engine.ok("images", "--format", "{{.Repository}}"), "busybox")
        self.assertEqual(self.engine.ok("diff", "one"), "C /root\nA /root/big")
        self.free()
        free = shutil.disk_usage(self.disk).free
        self.engine.ok("commit", "one", "made:1")
        self.assertLess(shutil.disk_usage(self.disk).free, free - (7 << 20))
        self.engine.ok("rm", "one")
        self.engine.ok("rmi", "made:1")
        waiting.until(lambda: shutil.disk_usage(self.disk).free > free, "its files are gone")


class CommitOfCopies(Commit):
    flags = ("--storage-driver", "vfs")


class Room(FilesystemTest):
    """What takes how much, and how it comes back."""

    def df(self) -> dict[str, list[str]]:
        rows = self.engine.ok("system", "df", "--format", "{{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}").split("\n")
        return {row.split("\t")[0]: row.split("\t")[1:] for row in rows}

    def test_layers_are_counted_once(self):
        self.engine.ok("tag", IMAGE, "base:1")
        self.run_to_end("dd if=/dev/zero of=/root/big bs=1M count=3 2>/dev/null", "-v", "data:/data")
        self.engine.ok("commit", "one", "made:big")
        _, usage = self.engine.api("GET", "/system/df")
        images = {image["Id"]: image for image in usage["Images"]}
        base, made = self.engine.inspect(IMAGE), self.engine.inspect("made:big")
        self.assertEqual(made["Size"] - base["Size"], 3 << 20)
        blobs = {path.name: path.stat().st_size for path in (self.engine.root / "image").rglob("blobs/sha256/*")}
        self.assertEqual(usage["LayersSize"], made["Size"] + sum(blobs.values()))
        # One config and one manifest each, and one layer's blob that they share.
        shared = images[made["Id"]]["SharedSize"]
        self.assertEqual(images[base["Id"]]["SharedSize"], shared)
        self.assertEqual(shared, base["Size"] + max(blobs.values()))
        self.assertEqual(usage["LayersSize"], sum(image["Size"] - shared for image in usage["Images"]) + shared)
        self.assertEqual((images[base["Id"]]["Containers"], images[made["Id"]]["Containers"]), (1, 0))
        self.assertGreaterEqual(usage["Containers"][0]["SizeRw"], 3 << 20)
        self.assertEqual([volume["UsageData"]["RefCount"] for volume in usage["Volumes"]], [1])
        self.assertGreaterEqual(usage["Volumes"][0]["UsageData"]["Size"], 0)
        shown = self.df()
        self.assertEqual((shown["Images"][:2], shown["Containers"][:2]), (["2", "1"], ["1", "0"]))
        self.assertIn("SHARED SIZE", self.engine.ok("system", "df", "-v"))
        _, parts = self.engine.api("GET", "/system/df?type=container")
        self.assertEqual((parts["Images"], len(parts["Containers"])), (None, 1))
        self.engine.ok("rm", "one")
        self.engine.ok("rmi", "base:1", "made:big")

    def test_image_prune(self):
        for number in range(3):
            self.engine.ok("run", "--name", "one", IMAGE, "sh", "-c", f"echo {number} > /root/x")
            self.engine.ok("commit", "-c", f"LABEL number={number}", "one", "made:moving")
            self.engine.ok("rm", "one")
        self.engine.ok("create", "--name", "user", "made:moving")
        shown = self.engine.ok("image", "prune", "-f", "--filter", "label=number=0")
        self.assertEqual(shown.count("deleted: "), 2, shown)  # the image and its layer
        freed = re.search(r"Total reclaimed space: (\d+\.?\d*)(k?)B", shown)  # a layer of 2 bytes, and its three blobs
        self.assertTrue(freed and 500 < float(freed[1]) * (1000 if freed[2] else 1) < 10_000, shown)
        self.fails("image", "prune", code=1, says="nothing was removed", stdin=b"n\n")
        self.assertIn("deleted: ", self.engine.ok("image", "prune", stdin=b"y\n"))
        self.assertEqual(self.engine.ok("image", "prune", "-f"), "Total reclaimed space: 0B")
        self.engine.ok("tag", "made:moving", "made:other")
        self.engine.ok("run", "--name", "one", IMAGE, "true")
        self.engine.ok("commit", "one", "made:unused")
        shown = self.engine.ok("image", "prune", "-af", "--filter", "until=1h")
        self.assertNotIn("untagged", shown)
        shown = self.engine.ok("image", "prune", "-af")
        self.assertIn("untagged: made:unused", shown)
        self.assertNotIn("untagged: made:moving", shown)
        self.assertNotIn("untagged: busybox", shown)
        self.engine.ok("rm", "user", "one")
        self.engine.ok("rmi", "made:moving", "made:other")
        self.assertEqual(self.engine.api("POST", "/images/prune?filters=%7B%22color%22%3A%5B%22red%22%5D%7D")[0], 400)

    def test_container_prune(self):
        self.run_to_end("dd if=/dev/zero of=/root/big bs=1M count=2 2>/dev/null")
        identity = self.engine.inspect("one")["Id"]
        running = self.background("echo up; exec sleep 1000")
        shown = self.engine.ok("container", "prune", "-f")
        self.assertIn(f"Deleted Containers:\n{identity}\n", shown)
        self.assertRegex(shown, r"Total reclaimed space: 2\.\d+MB")
        self.assertTrue(self.engine.is_running(running))


if __name__ == "__main__":
    main()
