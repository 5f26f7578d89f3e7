"""What a container's file system has become: diff, export, commit; running or not, and while it is being changed."""

import io
import json
import os
import subprocess
import sys
import tarfile
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "util"))

import images
import waiting
from berth_testing import IMAGE, EngineTest, main


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


if __name__ == "__main__":
    main()
