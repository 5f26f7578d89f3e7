"""The mounts of a config.json, as the workload sees them."""

import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "util"))

from bundle import RuntimeTest, main

IDS = [{"containerID": 0, "hostID": 70000, "size": 1000}]


def bind(source: Path, *options: str, **more) -> dict:
    return {"destination": "/m", "type": "none", "source": str(source), "options": list(options), **more}


class Mounts(RuntimeTest):
    def setUp(self) -> None:
        super().setUp()
        self.source = self.base / "source"
        (self.source / "below").mkdir(parents=True, exist_ok=True)
        (self.source / "file").write_text("content\n")
        self.addCleanup(subprocess.run, ["rm", "-rf", str(self.source)], check=True)

    def mount(self, entry: dict) -> None:
        self.config["mounts"].append(entry)

    def options(self, *places: str) -> list[set[str]]:
        """The options of the mounts at these places, in the words of /proc/self/mountinfo."""
        lines = [line.split() for line in self.output("cat /proc/self/mountinfo").splitlines()]
        return [set(next(line[5] for line in reversed(lines) if line[4] == place).split(",")) for place in places]

    def tmpfs_below(self, options: str = "") -> None:
        below = str(self.source / "below")
        subprocess.run(["mount", "-t", "tmpfs", *(["-o", options] if options else []), "x", below], check=True)
        self.addCleanup(subprocess.run, ["umount", below], check=True)


class Options(Mounts):
    def test_recursive_attributes_reach_what_is_below(self):
        self.tmpfs_below()
        words = ["ro", "nosuid", "nodev", "noexec", "noatime", "nodiratime", "nosymfollow"]
        self.mount(bind(self.source, "rbind", *(f"r{word}" for word in words)))
        for place in self.options("/m", "/m/below"):
            self.assertLessEqual(set(words), place)

    def test_attributes_of_a_mount_are_its_own(self):
        self.tmpfs_below()
        self.mount(bind(self.source, "rbind", "ro", "nosuid", "nosymfollow"))
        top, below = self.options("/m", "/m/below")
        self.assertLessEqual({"ro", "nosuid", "nosymfollow"}, top)
        self.assertFalse({"ro", "nosuid", "nosymfollow"} & below)

    def test_recursive_attributes_are_taken_away(self):
        words = {"ro", "nosuid", "nodev", "noexec", "noatime", "nodiratime"}
        self.tmpfs_below(",".join(words))
        self.mount(bind(self.source, "rbind", "rrw", "rsuid", "rdev", "rexec", "ratime", "rdiratime"))
        (below,) = self.options("/m/below")
        self.assertFalse(words & below, below)
        self.assertIn("relatime", below)

    def test_every_recursive_time_of_access(self):
        self.tmpfs_below("noatime")
        for word, seen in (("rrelatime", "relatime"), ("rnostrictatime", "relatime"), ("rstrictatime", None),
                           ("rnoatime", "noatime")):
            self.config["mounts"] = [m for m in self.config["mounts"] if m["destination"] != "/m"]
            self.mount(bind(self.source, "rbind", word))
            for place in self.options("/m", "/m/below"):
                self.assertEqual(place & {"relatime", "noatime"}, {seen} - {None}, word)

    def test_a_link_is_not_followed_with_nosymfollow(self):
        os.symlink("file", self.source / "link")
        self.mount(bind(self.source, "bind", "nosymfollow"))
        self.assertEqual(self.output("cat /m/link 2>/dev/null || cat /m/file"), "content")

    def test_what_is_unknown_goes_to_the_file_system(self):
        self.mount({"destination": "/m", "type": "tmpfs", "source": "tmpfs", "options": ["size=64k", "nr_inodes=7"]})
        self.assertEqual(self.output("stat -f -c '%b %c' /m"), "16 7")
        self.config["mounts"][-1]["options"] = ["no_such_option=1"]
        self.fails(self.run_args("true"), 1, "cannot mount tmpfs on /m")

    def test_propagation(self):
        self.mount(bind(self.source, "rbind", "rslave"))
        self.mount({"destination": "/p", "type": "tmpfs", "source": "tmpfs", "options": ["shared"]})
        self.mount({"destination": "/u", "type": "tmpfs", "source": "tmpfs", "options": ["unbindable"]})
        lines = [line.split() for line in self.output("cat /proc/self/mountinfo").splitlines()]
        fields = {line[4]: " ".join(line[6:line.index("-")]) for line in lines}
        self.assertIn("shared:", fields["/p"])
        self.assertEqual(fields["/u"], "unbindable")
        self.assertNotIn("shared:", fields["/m"])

    def test_every_word_of_propagation_counts(self):
        subprocess.run(["mount", "--bind", str(self.source), str(self.source)], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", str(self.source)], check=True)
        subprocess.run(["mount", "--make-shared", str(self.source)], check=True)
        for words, seen in ((("rslave", "rshared"), {"shared", "master"}), (("rslave",), {"master"}),
                            (("rshared", "private"), set()), (("rprivate", "shared"), {"shared"})):
            self.config["mounts"] = [m for m in self.config["mounts"] if m["destination"] != "/m"]
            self.mount(bind(self.source, "rbind", *words))
            line = self.output("grep ' /m ' /proc/self/mountinfo").split()
            self.assertEqual({field.split(":")[0] for field in line[6:line.index("-")]}, seen, words)

    def test_a_destination_is_below_the_root_with_or_without_its_slash(self):
        self.mount(bind(self.source, "bind") | {"destination": "a/b"})
        self.assertEqual(self.output("cat /a/b/file"), "content")
        self.config["mounts"][-1]["destination"] = "proc/self/attr"
        self.fails(self.run_args("true"), 1, "it is inside /proc")


class Binds(Mounts):
    def test_a_file_on_a_file(self):
        (self.rootfs / "target").write_text("image\n")
        self.mount(bind(self.source / "file", "bind", "ro") | {"destination": "/target"})
        self.mount(bind(self.source / "file", "bind") | {"destination": "/new/target"})
        self.assertEqual(self.output("cat /target /new/target; echo x 2>/dev/null >/target || echo read-only"),
                         "content\ncontent\nread-only")
        self.assertEqual((self.rootfs / "target").read_text(), "image\n")

    def test_a_file_does_not_cover_a_directory(self):
        self.mount(bind(self.source / "file", "bind") | {"destination": "/bin"})
        self.fails(self.run_args("true"), 1, "on /bin")

    def test_remount_changes_the_mount_that_is_there(self):
        self.mount(bind(self.source, "bind"))
        self.mount(bind(self.source, "bind", "remount", "ro", "nosuid"))
        self.assertLessEqual({"ro", "nosuid"}, self.options("/m")[0])
        (self.source / "written").write_text("the source is as it was")

    def test_remount_of_a_file_system(self):
        self.mount({"destination": "/m", "type": "tmpfs", "source": "tmpfs", "options": ["size=64k"]})
        self.mount({"destination": "/m", "type": "tmpfs", "source": "tmpfs",
                    "options": ["remount", "size=128k", "noexec"]})
        self.assertEqual(self.output("stat -f -c %b /m"), "32")
        self.assertIn("noexec", self.options("/m")[0])
        self.config["mounts"][-1]["destination"] = "/bin"
        self.fails(self.run_args("true"), 1, "cannot set the options of the mount of tmpfs on /bin")


class Tmpfs(Mounts):
    def tmpfs(self, *options: str) -> None:
        self.mount({"destination": "/d", "type": "tmpfs", "source": "tmpfs", "options": list(options)})

    def setUp(self) -> None:
        super().setUp()
        self.covered = self.rootfs / "d"
        (self.covered / "e" / "f").mkdir(parents=True)
        (self.covered / "e" / "file").write_text("image\n")
        os.chown(self.covered / "e" / "file", 5, 6)
        os.chmod(self.covered / "e" / "file", 0o4755)
        os.chmod(self.covered / "e", 0o711)
        os.symlink("/proc/self/exe", self.covered / "link")
        os.mkfifo(self.covered / "pipe")
        os.chmod(self.covered / "pipe", 0o620)
        os.utime(self.covered / "e" / "file", (1, 2))
        os.chmod(self.covered, 0o750)
        self.addCleanup(subprocess.run, ["rm", "-rf", str(self.covered)], check=True)

    def test_copy_up_takes_what_it_covers(self):
        self.tmpfs("tmpcopyup", "ro", "nosuid")
        self.assertEqual(self.output("cd /d; cat e/file; stat -c '%n %F %a %u:%g' . e e/f e/file pipe; readlink link;"
                                     "stat -c %Y e/file; stat -f -c %T .; touch x 2>/dev/null || echo read-only"),
                         "image\n. directory 750 0:0\ne directory 711 0:0\ne/f directory 755 0:0\n"
                         "e/file regular file 4755 5:6\npipe fifo 620 0:0\n/proc/self/exe\n2\ntmpfs\nread-only")

    def test_what_is_written_stays_in_the_tmpfs(self):
        self.tmpfs("tmpcopyup")
        self.assertEqual(self.output("rm -r /d/e; echo x >/d/new; ls /d"), "link\nnew\npipe")
        self.assertEqual(sorted(p.name for p in self.covered.iterdir()), ["e", "link", "pipe"])

    def test_capabilities_of_files_are_copied(self):
        value = bytes.fromhex("0100000200040000000000000000000000000000")  # cap_net_bind_service=ep
        os.setxattr(self.covered / "e" / "file", "security.capability", value)
        self.tmpfs("tmpcopyup")
        self.create("sleep", "1000")
        seen = f"/proc/{self.state()['pid']}/root/d/e/file"
        self.assertEqual(os.getxattr(seen, "security.capability"), value)

    def test_more_than_fits_is_an_error(self):
        (self.covered / "large").write_bytes(bytes(100000))
        self.tmpfs("tmpcopyup", "size=64k")
        self.fails(self.run_args("true"), 1, "cannot fill the tmpfs on /d with what it covers")

    def test_deeper_than_the_limit_is_an_error(self):
        path = self.covered / "/".join(["x"] * 110)
        path.mkdir(parents=True)
        self.tmpfs("tmpcopyup")
        self.fails(self.run_args("true"), 1, "cannot fill the tmpfs on /d")

    def test_an_empty_place_is_an_empty_tmpfs(self):
        self.tmpfs("tmpcopyup")
        self.config["mounts"][-1]["destination"] = "/nothing/here"
        self.assertEqual(self.output("ls -A /nothing/here; stat -f -c %T /nothing/here"), "tmpfs")

    def test_a_mode_is_that_of_the_directory_unless_given(self):
        self.tmpfs("nosuid")
        self.assertEqual(self.output("stat -c %a /d; ls -A /d"), "750")
        self.config["mounts"][-1]["options"] = ["mode=1711"]
        self.assertEqual(self.output("stat -c %a /d"), "1711")
        self.config["mounts"][-1] = self.config["mounts"][-1] | {"destination": "/none", "options": ["ro"]}
        self.assertEqual(self.output("stat -c %a /none; touch /none/x 2>/dev/null || echo read-only"),
                         "1777\nread-only")

    def test_other_options_hold_for_what_is_filled(self):
        self.tmpfs("tmpcopyup", "ro", "noatime", "nosuid")
        self.assertLessEqual({"ro", "noatime", "nosuid"}, self.options("/d")[0])

    def test_only_a_tmpfs_copies_up(self):
        self.mount(bind(self.source, "bind", "tmpcopyup"))
        self.fails(self.run_args("true"), 1, "tmpcopyup is for a tmpfs")


class MappedIds(Mounts):
    """Owners of a mount that are not those of its file system. The file belongs to root."""

    def mapped(self, *options: str, **more) -> None:
        self.mount(bind(self.source, *options, **({"uidMappings": IDS, "gidMappings": IDS} | more)))

    def test_owners_are_mapped(self):
        os.chown(self.source / "file", 7, 8)
        self.mapped("bind", "idmap")
        self.assertEqual(self.output("stat -c %u:%g /m /m/file"), "70000:70000\n70007:70008")
        self.assertEqual(os.stat(self.source / "file").st_uid, 7)

    def test_a_new_file_is_mapped_back(self):
        os.chmod(self.source, 0o777)
        self.mapped("bind", "idmap")
        self.config["process"]["user"] = {"uid": 70005, "gid": 70006}
        self.assertEqual(self.output("touch /m/new; stat -c %u:%g /m/new"), "70005:70006")
        made = os.stat(self.source / "new")
        self.assertEqual((made.st_uid, made.st_gid), (5, 6))

    def test_the_option_may_be_left_out(self):
        self.mapped("bind")
        self.assertEqual(self.output("stat -c %u /m/file"), "70000")

    def test_ids_without_a_place_are_nobodys(self):
        os.chown(self.source / "file", 5000, 5000)
        self.mapped("bind", "idmap")
        self.assertEqual(self.output("stat -c %u:%g /m/file"), "65534:65534")

    def test_a_mapping_is_of_one_mount_or_of_all_below(self):
        self.tmpfs_below()
        self.mapped("rbind", "idmap")
        self.assertEqual(self.output("stat -c %u /m /m/below"), "70000\n0")
        self.config["mounts"][-1]["options"] = ["rbind", "ridmap"]
        self.assertEqual(self.output("stat -c %u /m /m/below"), "70000\n70000")

    def test_other_options_hold_too(self):
        self.mapped("bind", "idmap", "ro", "nosuid", "rnodev")
        options = self.options("/m")[0]
        self.assertLessEqual({"ro", "nosuid", "nodev", "idmapped"}, options)

    def test_two_mounts_of_one_mapping_and_one_of_another(self):
        self.mapped("bind", "idmap")
        self.mapped("bind", "idmap")
        self.config["mounts"][-1]["destination"] = "/n"
        other = [{"containerID": 0, "hostID": 9, "size": 1}]
        self.mapped("bind", "idmap", uidMappings=other, gidMappings=other)
        self.config["mounts"][-1]["destination"] = "/o"
        self.assertEqual(self.output("stat -c %u /m /n /o"), "70000\n70000\n9")

    def test_without_a_mapping_that_of_the_user_namespace_is_taken(self):
        self.namespace("user")
        self.config["linux"]["uidMappings"] = self.config["linux"]["gidMappings"] = [
            {"containerID": 0, "hostID": 200000, "size": 1000}]
        os.chown(self.source / "file", 7, 8)
        self.mount(bind(self.source, "bind", "idmap"))
        self.mount(bind(self.source, "bind") | {"destination": "/plain"})
        subprocess.run(["chown", "-R", "200000:200000", str(self.rootfs)], check=True)
        self.addCleanup(subprocess.run, ["chown", "-R", "0:0", str(self.rootfs)], check=True)
        os.chmod(self.base, 0o755)
        self.assertEqual(self.output("stat -c %u:%g /m /m/file /plain/file"), "0:0\n7:8\n65534:65534")

    def test_a_source_that_only_the_hosts_root_reaches(self):
        self.namespace("user")
        self.config["linux"]["uidMappings"] = self.config["linux"]["gidMappings"] = [
            {"containerID": 0, "hostID": 200000, "size": 1000}]
        closed = self.base / "closed"
        (closed / "open").mkdir(parents=True, mode=0o755)
        (closed / "open" / "file").write_text("reached\n")
        closed.chmod(0o700)
        self.addCleanup(subprocess.run, ["rm", "-rf", str(closed)], check=True)
        subprocess.run(["chown", "-R", "200000:200000", str(self.rootfs)], check=True)
        self.addCleanup(subprocess.run, ["chown", "-R", "0:0", str(self.rootfs)], check=True)
        os.chmod(self.base, 0o755)
        self.mount(bind(closed / "open", "bind", "ro"))
        self.assertEqual(self.output("cat /m/file"), "reached")

    def test_what_cannot_be_mapped_is_refused(self):
        self.mount(bind(self.source, "bind", "idmap"))
        self.fails(self.run_args("true"), 1, "idmap needs uidMappings and gidMappings")
        self.config["mounts"][-1] = {"destination": "/m", "type": "tmpfs", "source": "x", "options": ["idmap"],
                                     "uidMappings": IDS, "gidMappings": IDS}
        self.fails(self.run_args("true"), 1, "ids can only be mapped for a bind mount")
        self.config["mounts"][-1] = bind(Path("/proc"), "bind", "idmap", uidMappings=IDS, gidMappings=IDS)
        self.fails(self.run_args("true"), 1, "cannot map the ids of the mount of /proc on /m")
        twice = IDS * 2
        self.config["mounts"][-1] = bind(self.source, "bind", uidMappings=twice, gidMappings=twice)
        self.fails(self.run_args("true"), 1, "uid_map")
        self.config["mounts"][-1] = bind(self.source / "none", "bind", "idmap", uidMappings=IDS, gidMappings=IDS)
        self.fails(self.run_args("true"), 1, "cannot use")


if __name__ == "__main__":
    main()
