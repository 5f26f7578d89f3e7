"""Known ways out of a container, each tried from inside by root with docker's default capabilities."""

import hashlib
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "util"))

import elf
import images
from berth_testing import BIN, IMAGE, EngineTest, HostState, main

MARKER = "/tmp/host-marker"


class EscapeTest(EngineTest):
    @classmethod
    def setUpClass(cls) -> None:
        with open(MARKER, "w", encoding="ascii") as file:
            file.write("host\n")
        super().setUpClass()

    def sh(self, script: str, *flags: str) -> str:
        return self.engine.ok("run", "--rm", *flags, IMAGE, "sh", "-c", script)


class Descriptors(EscapeTest):
    def test_the_workload_inherits_its_three_streams_and_no_more(self):
        """CVE-2024-21626, CVE-2016-9962."""
        shown = self.sh("for fd in /proc/$$/fd/*; do readlink $fd; done; true")
        for target in shown.split("\n"):
            self.assertRegex(target, r"^(pipe|socket):|^/dev/(null|pts)|^$", shown)
        # The shell keeps one more for its terminal or script at the most.
        self.assertLessEqual(len(shown.split("\n")), 4, shown)

    def test_a_working_directory_that_is_a_descriptor_of_the_host(self):
        """CVE-2024-21626: `-w /proc/self/fd/7` started the workload in the host's root."""
        for fd in range(3, 24):
            self.fails("run", "--rm", "-w", f"/proc/self/fd/{fd}", IMAGE, "sh", "-c",
                       f"cat ../../../../../../..{MARKER} ..{MARKER} .{MARKER} 2>/dev/null; exit 0", code=125,
                       says=f"cannot change into the working directory '/proc/self/fd/{fd}'")

    def test_descriptors_of_the_first_process_lead_nowhere(self):
        shown = self.sh(f"for fd in /proc/1/fd/*; do cat $fd/..{MARKER} $fd{MARKER} 2>/dev/null; done; echo end")
        self.assertEqual(shown, "end")


class OwnPrograms(EscapeTest):
    def hashes(self) -> list[str]:
        return [hashlib.sha256((BIN / name).read_bytes()).hexdigest()
                for name in ("berthd", "berth-holder", "berth-runtime")]

    def test_the_program_that_made_the_container_cannot_be_written(self):
        """CVE-2019-5736: /proc/self/exe of the process that enters the container."""
        before = self.hashes()
        self.sh("for exe in /proc/[0-9]*/exe /proc/self/exe; do echo broken > $exe; done 2>/dev/null; true")
        self.assertEqual(self.hashes(), before)

    def test_the_program_that_made_the_container_cannot_be_run(self):
        """CVE-2019-5736: nor as what a link, a script or a program of the image names. Hooks: test_runtime_walls.py."""
        def fill(tar) -> None:
            images.add_entry(tar, "bin/door", images.tarfile.SYMTYPE, "/proc/self/exe")
            images.add_file(tar, "bin/script", b"#!/proc/self/exe\n", 0o755)
            images.add_file(tar, "bin/script2", b"#!/bin/door\n", 0o755)
            images.add_file(tar, "bin/elf", elf.asking_for("/proc/self/exe"), 0o755)
        before = self.hashes()
        self.engine.load(images.docker_archive("door:1", [images.busybox_rootfs(), images.tar_of(fill)]))
        for program in ("/proc/self/exe", "/bin/door", "/bin/script", "/bin/script2", "/bin/elf"):
            self.fails("run", "--rm", "door:1", program, "--version", code=126,
                       says=f'exec: "{program}": permission denied')
        self.engine.ok("rmi", "-f", "door:1")
        self.assertEqual(self.hashes(), before)


class KernelDoors(EscapeTest):
    def test_settings_that_run_programs_on_the_host_are_read_only(self):
        """CVE-2022-0811 (core_pattern), CVE-2022-0492 (release_agent)."""
        self.assertEqual(self.sh("""
            for file in /proc/sys/kernel/core_pattern /proc/sys/kernel/modprobe /proc/sysrq-trigger \
                        $(find /sys/fs/cgroup -name release_agent) $(find /sys/fs/cgroup -name notify_on_release) \
                        /sys/kernel/uevent_helper; do
                (echo '|/tmp/x' > $file) 2>/dev/null && echo "$file was written"
            done
            mkdir -p /tmp/c; mount -t cgroup -o memory x /tmp/c 2>/dev/null && echo mounted
            unshare -m true 2>/dev/null && echo unshared
            true"""), "")

    def test_only_harmless_devices_are_there(self):
        shown = self.sh("find /dev -type b; find /dev -type c").split()
        self.assertEqual(set(shown) - {"/dev/console", "/dev/ptmx", "/dev/pts/ptmx"},
                         {"/dev/full", "/dev/null", "/dev/random", "/dev/tty", "/dev/urandom", "/dev/zero"})

    def test_the_masks_of_proc_cannot_be_covered(self):
        """CVE-2019-16884, CVE-2019-19921: a volume on /proc hides the masks, and the labels with them."""
        directory = self.engine.base / "fake"
        directory.mkdir()
        for target, says in (("/proc", "only a proc file system can"), ("/proc/sys", "it is inside /proc"),
                             ("/proc/self", "it is inside /proc")):
            self.fails("run", "--rm", "-v", f"{directory}:{target}", IMAGE, "true", code=125, says=says)
        os.rmdir(directory)

    def image(self, name: str, link: str, target: str) -> None:
        layer = images.tar_of(lambda tar: images.add_entry(tar, link, images.tarfile.SYMTYPE, target))
        self.engine.load(images.docker_archive(name, [images.busybox_rootfs(), layer]))

    def test_an_image_whose_proc_is_a_link(self):
        """CVE-2019-19921, CVE-2021-30465: the masks and the kernel's settings would be where the image wants them."""
        for number, target in enumerate(("/tmp", "../../../../../tmp", "/proc/self", "/no/such")):
            self.image(f"link:{number}", "proc", target)
            self.fails("run", "--rm", f"link:{number}", "true", code=125,
                       says="cannot make the mount point /proc for proc in the root filesystem")
            self.engine.ok("rmi", "-f", f"link:{number}")

    def test_a_mount_point_that_is_a_link(self):
        """CVE-2021-30465 and its kin: a mount point that the image chose."""
        self.image("link:1", "mnt", "/../../../../tmp")
        volume = self.engine.base / "volume"
        volume.mkdir()
        before = HostState.take()
        # It is resolved inside: the volume is at the container's own /tmp, and nothing of the host's is touched.
        self.assertEqual(self.engine.ok("run", "--rm", "-v", f"{volume}:/mnt/inside", "link:1", "sh", "-c",
                                        "echo x > /tmp/inside/file; ls /mnt/"), "inside")
        self.assertEqual((volume / "file").read_text(), "x\n")
        (volume / "file").unlink()
        before.wait_until_equal()
        self.engine.ok("rmi", "-f", "link:1")

    def test_processes_of_the_host_cannot_be_seen(self):
        """The shell and what it calls are all there is."""
        self.assertLessEqual(int(self.sh("ls -d /proc/[0-9]* | wc -l")), 3)


if __name__ == "__main__":
    main()
