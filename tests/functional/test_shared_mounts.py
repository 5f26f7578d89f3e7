#!/usr/bin/env python3
"""Containers without a mount namespace of their own: in the host's, or in one that they join. What they mount is seen there,
and gone when they are."""

import os
import shutil
import signal
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "util"))
import waiting
from bundle import RuntimeTest, main


def mounts(pid: int | str = "self") -> list[str]:
    """Where something is mounted, and its propagation."""
    lines = Path(f"/proc/{pid}/mountinfo").read_text(encoding="utf-8").splitlines()
    return sorted(f"{fields[4]} {' '.join(fields[6:fields.index('-')])}" for fields in map(str.split, lines))


class SharedTests:
    """What is so in any of them. `where`: a process in it."""

    where: int | str = "self"

    def setUp(self) -> None:
        super().setUp()
        entries = self.config["linux"]["namespaces"]
        entries.remove(self.namespace("mount"))
        self.before = mounts()

    def tearDown(self) -> None:
        super().tearDown()
        self.assertEqual(mounts(), self.before, "mounts are left")

    def below(self) -> list[str]:
        return [mount for mount in mounts(self.where) if mount.startswith(str(self.rootfs))]

    def start(self, *args: str) -> None:
        done = self.create(*args)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.ok("start", "c")

    def test_the_root_is_read_only_if_it_is_to_be(self):
        self.config["root"]["readonly"] = True
        done = self.run_script("touch /x")
        self.assertIn("Read-only", done.stderr)
        (self.rootfs / "x").touch()
        (self.rootfs / "x").unlink()

    def test_a_container_that_cannot_start_leaves_no_mount(self):
        self.fails(self.run_args("/nowhere"), 127, "/nowhere")
        self.config["mounts"].append({"destination": "/mnt", "type": "nosuchfs", "source": "none"})
        self.assertNotEqual(self.run_args("true").returncode, 0)

    def test_a_maker_that_is_killed_leaves_what_delete_force_removes(self):
        self.config["hooks"] = {"createRuntime": [{"path": "/bin/sleep", "args": ["sleep", "1000"]}]}
        self.write_config("sleep", "1000")
        maker = subprocess.Popen(self.command("create", "--bundle", str(self.base), "c"), stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        waiting.until(lambda: any("/proc" in mount for mount in self.below()), "it has mounted")
        os.killpg(maker.pid, signal.SIGKILL)
        maker.wait()
        self.ok("delete", "--force", "c")
        self.assertEqual(self.below(), [])

    def test_a_new_user_namespace_needs_a_new_mount_namespace(self):
        self.map_ids()
        self.fails(self.run_args("true"), 1, "a new user namespace needs a new mount namespace")

    def test_what_it_mounts_is_there_and_private_while_it_lives(self):
        self.create("sleep", "1000")
        below = self.below()
        self.assertIn(f"{self.rootfs} ", below)
        self.assertIn(f"{self.rootfs}/proc ", below)
        self.assertFalse([mount for mount in below if "shared:" in mount], below)
        self.ok("delete", "--force", "c")
        self.assertEqual(self.below(), [])


class TheHosts(SharedTests, RuntimeTest):
    """The test's own."""

    def test_the_namespace_is_the_hosts_and_the_root_the_containers(self):
        said = self.output("readlink /proc/self/ns/mnt; ls /; cat /proc/1/comm; pwd")
        self.assertIn(os.readlink("/proc/self/ns/mnt"), said)
        self.assertIn("busybox" if (self.rootfs / "busybox").exists() else "bin", said)
        self.assertNotIn(self.base.name, said)
        self.assertEqual(self.below(), [])

    def test_nothing_of_it_reaches_a_peer_of_the_hosts_mounts(self):
        peer = self.base / "peer"
        peer.mkdir()
        self.addCleanup(peer.rmdir)
        mount = ["mount", "--bind", str(self.base)]
        subprocess.run([*mount, str(self.base)], check=True)
        subprocess.run(["mount", "--make-shared", str(self.base)], check=True)
        subprocess.run([*mount, str(peer)], check=True)
        shared = mounts()
        self.start("sleep", "1000")
        self.assertEqual([mount for mount in mounts() if f"{peer}/rootfs/" in mount], [])
        self.ok("delete", "--force", "c")
        self.assertEqual(mounts(), shared)
        subprocess.run(["umount", "-l", "-R", str(self.base)], check=True)

    def shared_source(self) -> Path:
        """A shared mount of the host with another one below."""
        source = self.base / "source"
        source.mkdir()
        self.addCleanup(source.rmdir)
        subprocess.run(["mount", "-t", "tmpfs", "host", str(source)], check=True)
        self.addCleanup(subprocess.run, ["umount", "-R", str(source)], check=True)
        subprocess.run(["mount", "--make-shared", str(source)], check=True)
        (source / "below").mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "below", str(source / "below")], check=True)
        self.before = mounts()
        return source

    def test_the_hosts_mounts_below_a_bind_outlive_the_container(self):
        source = self.shared_source()
        kept = self.config["mounts"]
        for words in (("rbind",), ("rbind", "rshared"), ("rbind", "rslave"), ("rbind", "rprivate")):
            for program, starts in (("sleep", True), ("/nowhere", False)):
                with self.subTest(words=words, program=program):
                    self.config["mounts"] = [*kept, {"destination": "/m", "type": "bind", "source": str(source),
                                                     "options": list(words)}]
                    if starts:
                        self.start(program, "1000")
                        self.ok("delete", "--force", "c")
                    else:
                        self.fails(self.run_args(program), 127, program)
                    self.assertEqual(mounts(), self.before)
        self.before = [mount for mount in self.before if not mount.startswith(str(source))]

    def tearDown(self) -> None:
        self.doCleanups()
        super().tearDown()

    def test_a_bundle_that_has_moved(self):
        outer, moved = self.base / "outer", self.base / "moved place"
        shutil.copytree(self.rootfs, outer / "rootfs", symlinks=True)
        self.addCleanup(shutil.rmtree, moved)
        self.config["root"]["path"] = "outer/rootfs"
        self.start("sleep", "1000")
        outer.rename(moved)
        self.assertNotEqual(mounts(), self.before)
        self.ok("delete", "--force", "c")
        self.assertEqual(mounts(), self.before)

    def test_a_root_that_another_mount_covers_keeps_its_record(self):
        self.start("sleep", "1000")
        subprocess.run(["mount", "-t", "tmpfs", "another", str(self.rootfs)], check=True)
        self.fails(self.runtime("delete", "--force", "c"), 1, "another mount covers the container's root")
        subprocess.run(["umount", str(self.rootfs)], check=True)
        self.ok("delete", "--force", "c")

    def test_two_on_one_root_go_in_the_order_of_a_stack(self):
        self.start("sleep", "1000")
        self.config["linux"]["cgroupsPath"] += "2"
        self.write_config("sleep", "1000")
        subprocess.run(self.command("create", "--bundle", str(self.base), "d"), stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        self.fails(self.runtime("delete", "--force", "c"), 1, "another mount covers")
        self.ok("delete", "--force", "d")
        self.ok("delete", "--force", "c")

    def test_another_namespace_is_not_where_it_can_be_deleted(self):
        self.start("sleep", "1000")
        done = subprocess.run(["unshare", "--mount", *self.command("delete", "--force", "c")], text=True, capture_output=True,
                              check=False)
        self.fails(done, 1, "the container's mounts are in another mount namespace")
        self.ok("delete", "--force", "c")

    def test_the_hosts_root_is_none(self):
        self.config["root"]["path"] = "/"
        self.fails(self.run_args("true"), 1, "root.path must not be / in a container without a mount namespace")

    def test_a_root_that_is_a_link(self):
        link = self.base / "link"
        link.symlink_to("rootfs")
        self.addCleanup(link.unlink)
        self.config["root"]["path"] = "link"
        self.assertEqual(self.output("echo ok"), "ok")

    def test_exec_has_the_containers_root(self):
        self.start("sleep", "1000")
        (self.rootfs / "marked").touch()
        self.addCleanup((self.rootfs / "marked").unlink)
        said = self.ok("exec", "c", "sh", "-c", "ls /; readlink /proc/self/ns/mnt; cat /proc/1/cmdline")
        self.assertIn("marked", said)
        self.assertIn("sleep", said)
        self.assertIn(os.readlink("/proc/self/ns/mnt"), said)
        self.ok("delete", "--force", "c")
        self.fails(self.runtime("exec", "c", "true"), 255, "does not exist")

    def test_what_another_mounts_there_is_not_taken(self):
        self.start("sleep", "1000")
        subprocess.run(["umount", "-l", str(self.rootfs)], check=True)
        subprocess.run(["mount", "-t", "tmpfs", "another", str(self.rootfs)], check=True)
        self.ok("delete", "--force", "c")
        subprocess.run(["umount", str(self.rootfs)], check=True)


class Joined(SharedTests, RuntimeTest):
    """One that another process holds."""

    def setUp(self) -> None:
        super().setUp()
        self.holder = subprocess.Popen(["unshare", "--mount", "--propagation", "private", "sleep", "1000"])
        self.addCleanup(self.holder.wait)
        self.addCleanup(self.holder.kill)
        pid = self.holder.pid
        waiting.until(lambda: Path(f"/proc/{pid}/comm").read_text() == "sleep\n", "the holder has its namespace")
        self.namespace("mount")["path"] = f"/proc/{pid}/ns/mnt"
        self.where = pid
        self.there = mounts(pid)

    def tearDown(self) -> None:
        super().tearDown()
        if self.holder.poll() is None:
            self.assertEqual(mounts(self.holder.pid), self.there, "mounts are left in the other namespace")

    def test_the_namespace_is_the_hosts_and_the_root_the_containers(self):
        said = self.output("readlink /proc/self/ns/mnt; ls /")
        self.assertIn(os.readlink(f"/proc/{self.holder.pid}/ns/mnt"), said)
        self.assertEqual(mounts(), self.before)

    def test_exec_has_the_containers_root(self):
        self.start("sleep", "1000")
        said = self.ok("exec", "c", "sh", "-c", "ls /; readlink /proc/self/ns/mnt; cat /proc/1/cmdline")
        self.assertIn(os.readlink(f"/proc/{self.holder.pid}/ns/mnt"), said)
        self.assertIn("sleep", said)
        self.assertNotIn(self.base.name, said)

    def test_others_in_the_namespace_keep_their_root(self):
        self.start("sleep", "1000")
        self.assertEqual(os.readlink(f"/proc/{self.holder.pid}/root"), "/")
        self.assertEqual(os.stat(f"/proc/{self.holder.pid}/root").st_ino, os.stat("/").st_ino)

    def test_a_namespace_that_is_gone_took_the_mounts_along(self):
        self.start("sleep", "1000")
        self.holder.kill()
        self.holder.wait()
        self.ok("delete", "--force", "c")

    def test_a_path_that_is_no_namespace_any_more(self):
        place = self.base / "ns"
        place.symlink_to(f"/proc/{self.holder.pid}/ns/mnt")
        self.addCleanup(place.unlink)
        self.namespace("mount")["path"] = str(place)
        self.start("sleep", "1000")
        place.unlink()
        place.touch()
        self.ok("delete", "--force", "c")
        self.holder.kill()
        self.holder.wait()

    def test_what_is_no_mount_namespace_is_refused(self):
        self.namespace("mount")["path"] = "/proc/self/ns/net"
        self.fails(self.run_args("true"), 1, "is not a mount namespace")


if __name__ == "__main__":
    main()
