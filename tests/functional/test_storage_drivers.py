"""Storage drivers by name: a container's root is the image's, its changes are its own and last, and nothing stays behind;
those that cannot work here say so."""

import os
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "util"))

import images
import waiting
from berth_testing import Engine, EngineTest, main
from hoststate import HostState

LAYERED = "layered:latest"


def layered_image() -> bytes:
    def second(tar: tarfile.TarFile) -> None:
        images.add_file(tar, "etc/passwd", b"root:x:0:0::/:/bin/sh\nuser:x:1234:5678::/:/bin/sh\n")
        images.add_file(tar, "data/old", b"old\n")
        images.add_file(tar, "data/kept", b"kept\n")

    def third(tar: tarfile.TarFile) -> None:
        images.add_file(tar, "data/.wh.old", b"")
        images.add_file(tar, "data/new", b"new\n")
    return images.docker_archive(LAYERED, [images.busybox_rootfs(), images.tar_of(second), images.tar_of(third)])


class Drivers:
    """The tests of one driver; mixed into a class that names it."""

    driver: str

    def run_in(self, script: str, *flags: str) -> str:
        return self.engine.ok("run", "--rm", *flags, LAYERED, "sh", "-c", script)

    def test_info_has_its_name(self):
        self.assertEqual(self.engine.api("GET", "/info")[1]["Driver"], self.driver)

    def test_layers_are_seen_together(self):
        self.assertEqual(self.run_in("ls /data; cat /data/new"), "kept\nnew\nnew")

    def test_a_user_is_found_in_the_image(self):
        self.assertEqual(self.run_in("id -u; id -g", "--user", "user"), "1234\n5678")

    def test_changes_are_the_containers_own_and_outlive_its_end(self):
        script = "cat /mine 2>/dev/null; echo mine >/mine; rm -f /data/kept; mkdir -p /data/d; ls /data"
        self.engine.ok("run", "--name", "box", LAYERED, "sh", "-c", script)
        self.assertEqual(self.engine.ok("start", "-a", "box"), "mine\nd\nnew")
        self.assertEqual(self.run_in("ls / /data | grep -c -e mine -e kept"), "1")

    def test_set_user_ids_devices_and_links_work(self):
        script = ("cp /bin/busybox /b && ln /b /c && chmod 4755 /b && stat -c '%a %h' /c && mkfifo /p && ln -s b /l && "
                  "mv /data /moved && cat /moved/new && echo x >/dev/null && echo done")
        self.assertEqual(self.run_in(script), "4755 2\nnew\ndone")

    def test_many_files_can_be_made_and_removed(self):
        script = "mkdir /m && for i in $(seq 500); do echo $i >/m/$i; done && ls /m | wc -l && rm -r /m && ls -d /m"
        done = self.engine.berth("run", "--rm", LAYERED, "sh", "-c", script)
        self.assertEqual(done.stdout.strip(), "500")
        self.assertIn("No such file", done.stderr)

    def test_a_root_that_is_read_only_is(self):
        self.assertEqual(self.run_in("echo x >/f 2>/dev/null || cat /data/new", "--read-only"), "new")

    def test_containers_go_on_when_the_engine_is_killed(self):
        script = "trap 'cat /data/new >/seen && exit 7' TERM; echo ready; while :; do sleep 0.1; done"
        self.engine.ok("run", "-d", "--name", "box", LAYERED, "sh", "-c", script)
        waiting.until(lambda: self.engine.ok("logs", "box") == "ready", "the trap is set")
        self.engine.kill()
        self.engine.start()
        self.assertTrue(self.engine.is_running("box"))
        self.engine.ok("kill", "-s", "TERM", "box")
        self.assertEqual(self.engine.ok("wait", "box"), "7")

    def test_nothing_is_left_on_the_host(self):
        before = HostState.take()
        self.run_in("echo x >/f")
        self.engine.ok("run", "-d", "--name", "box", LAYERED, "sleep", "1000")
        self.engine.ok("rm", "-f", "box")
        before.wait_until_equal()


class DriverTest(EngineTest):
    root: str | None = None

    @classmethod
    def setUpClass(cls) -> None:
        cls.before = HostState.take()
        cls.make_place()
        cls.engine = Engine(*cls.flags, root=cls.root).start()
        cls.engine.load(layered_image())

    @classmethod
    def tearDownClass(cls) -> None:
        cls.engine.close()
        cls.remove_place()
        cls.before.wait_until_equal()

    @classmethod
    def make_place(cls) -> None:
        """What the driver stands on."""

    @classmethod
    def remove_place(cls) -> None:
        """Undoes make_place()."""


class Overlay2(Drivers, DriverTest):
    driver = "overlay2"
    flags = ("--storage-driver", driver)


class Erofs(Drivers, DriverTest):
    driver = "erofs"
    flags = ("--storage-driver", driver)

    def test_an_image_is_sealed_files(self):
        store = Path(self.engine.base, "root/image/erofs/s")
        layers = [path for path in store.iterdir() if (path / "layer").exists()]
        self.assertEqual(len(layers), 3)
        for path in layers:
            self.assertEqual([entry.name for entry in path.iterdir()], ["layer"])
            if shutil.which("fsck.erofs"):
                subprocess.run(["fsck.erofs", path / "layer"], check=True, capture_output=True)

    def test_a_commit_is_one_more(self):
        self.engine.ok("run", "--name", "box", LAYERED, "sh", "-c", "rm /data/kept; echo mine >/data/mine")
        self.engine.ok("commit", "box", "more:latest")
        self.engine.ok("rm", "box")
        self.assertEqual(self.engine.ok("run", "--rm", "more:latest", "sh", "-c", "ls /data; cat /data/mine"),
                         "mine\nnew\nmine")
        self.engine.ok("rmi", "more:latest")


class Vfs(Drivers, DriverTest):
    driver = "vfs"
    flags = ("--storage-driver", driver)


@unittest.skipUnless(shutil.which("fuse-overlayfs"), "fuse-overlayfs is not installed")
class FuseOverlayfs(Drivers, DriverTest):
    driver = "fuse-overlayfs"
    flags = ("--storage-driver", driver)

    def servers(self) -> list[int]:
        found = subprocess.run(["pgrep", "-x", "fuse-overlayfs"], capture_output=True, text=True, check=False)
        return [int(pid) for pid in found.stdout.split()]

    def test_a_program_that_dies_takes_the_files_and_not_the_engine(self):
        script = "trap 'cat /data/new || exit 8' TERM; echo ready; while :; do read -t 1 line; done"
        self.engine.ok("run", "-di", "--name", "box", LAYERED, "sh", "-c", script)
        waiting.until(lambda: self.engine.ok("logs", "box") == "ready", "the trap is set")
        (server,) = self.servers()
        os.kill(server, signal.SIGKILL)
        self.engine.ok("kill", "-s", "TERM", "box")
        self.assertEqual(self.engine.ok("wait", "box"), "8")
        self.engine.ok("start", "box")
        waiting.until(lambda: len(self.servers()) == 1, "another program serves the root")
        self.assertTrue(self.engine.is_running("box"))

    def test_an_image_of_many_layers_runs(self):
        def one(number: int) -> bytes:
            return images.tar_of(lambda tar: images.add_file(tar, f"many/{number}", b""))
        layers = [images.busybox_rootfs(), *(one(number) for number in range(120))]
        self.engine.load(images.docker_archive("many:latest", layers))
        self.assertEqual(self.engine.ok("run", "--rm", "many:latest", "sh", "-c", "ls /many | wc -l"), "120")
        self.engine.ok("rmi", "many:latest")


@unittest.skipUnless(shutil.which("mkfs.btrfs"), "mkfs.btrfs is not installed")
class Btrfs(Drivers, DriverTest):
    driver = "btrfs"
    flags = ("--storage-driver", driver)

    @classmethod
    def make_place(cls) -> None:
        cls.base = Path(tempfile.mkdtemp())
        with open(cls.base / "volume", "wb") as volume:
            volume.truncate(1 << 30)
        (cls.base / "mounted").mkdir()
        subprocess.run(["mkfs.btrfs", "-q", cls.base / "volume"], check=True, capture_output=True)
        subprocess.run(["mount", "-n", "-o", "loop", cls.base / "volume", cls.base / "mounted"], check=True)
        cls.root = str(cls.base / "mounted/root")

    @classmethod
    def remove_place(cls) -> None:
        subprocess.run(["umount", "-n", cls.base / "mounted"], check=True)
        shutil.rmtree(cls.base)

    def test_a_containers_subvolumes_go_with_it(self):
        self.engine.ok("run", "-d", "--name", "box", LAYERED, "sleep", "1000")
        found = list((self.base / "mounted/root").glob("image/btrfs/s/*/fs/data/kept"))
        for path in found:
            if subprocess.run(["btrfs", "subvolume", "create", path.parent / "mine"], capture_output=True,
                              check=False).returncode == 0:
                break
        else:
            self.fail("no subvolume can be written to")
        self.engine.ok("rm", "-f", "box")
        self.assertFalse((path.parent / "mine").exists())


class Plugin(Drivers, DriverTest):
    """A plugin as Docker's graph drivers are: a program of its own behind a socket."""
    driver = f"berth-test-{os.getpid()}"
    flags = ("--storage-driver", driver)
    places = Path("/run/docker/plugins")

    @classmethod
    def make_place(cls) -> None:
        cls.socket = cls.places / f"{cls.driver}.sock"
        cls.made = [path for path in (cls.places, cls.places.parent) if not path.exists()]
        cls.places.mkdir(parents=True, exist_ok=True)
        cls.start_plugin()

    @classmethod
    def start_plugin(cls) -> None:
        program = Path(__file__).resolve().parents[1] / "util/graph_plugin.py"
        cls.plugin = subprocess.Popen([sys.executable, "-B", program, cls.socket], stdout=subprocess.PIPE)
        cls.plugin.stdout.readline()

    @classmethod
    def stop_plugin(cls) -> None:
        cls.plugin.kill()
        cls.plugin.wait()
        cls.plugin.stdout.close()
        cls.socket.unlink()

    @classmethod
    def remove_place(cls) -> None:
        cls.stop_plugin()
        for path in cls.made:
            path.rmdir()

    def test_what_a_container_changed_is_told_and_committed(self):
        self.engine.ok("run", "--name", "box", LAYERED, "sh", "-c", "rm /data/kept; echo mine >/data/mine")
        self.assertEqual(sorted(self.engine.ok("diff", "box").splitlines()), ["A /data/mine", "C /data", "D /data/kept"])
        self.engine.ok("commit", "box", "more:latest")
        self.engine.ok("rm", "box")
        self.assertEqual(self.engine.ok("run", "--rm", "more:latest", "ls", "/data"), "mine\nnew")
        self.engine.ok("rmi", "more:latest")

    def test_one_that_is_gone_is_named_and_one_that_is_back_goes_on(self):
        self.stop_plugin()
        done = self.engine.berth("run", "--rm", LAYERED, "true")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(f"storage plugin {self.driver}", done.stderr)
        self.start_plugin()
        # It has to be told where its layers are.
        self.engine.stop()
        self.engine.start()
        self.assertEqual(self.run_in("cat /data/new"), "new")


class Refused(unittest.TestCase):
    def says(self, driver: str, *texts: str, options: tuple[str, ...] = ()) -> None:
        engine = Engine("--storage-driver", driver, *options)
        done = subprocess.run(engine.command(), capture_output=True, text=True, timeout=waiting.DEADLINE, check=False)
        self.assertNotEqual(done.returncode, 0)
        for text in texts:
            self.assertIn(text, done.stderr)
        shutil.rmtree(engine.base)

    def test_drivers_of_other_engines(self):
        for name in ("aufs", "overlay", "zfs", "windowsfilter"):
            self.says(name, f"there is no storage driver '{name}'", "overlay2")

    def test_an_unknown_one(self):
        self.says("floppy", "unknown storage driver 'floppy'", "overlay2, btrfs, erofs, fuse-overlayfs, vfs or devicemapper")

    @unittest.skipIf(Path("/dev/mapper/control").exists(), "this kernel has a device mapper")
    def test_devicemapper_without_one(self):
        self.says("devicemapper", "no device mapper", "overlay2")

    def test_options_that_are_another_drivers_or_nobodys(self):
        self.says("overlay2", "dm.basesize is for the devicemapper", options=("--storage-opt", "dm.basesize=1G"))
        self.says("devicemapper", "'1Q' is no size", options=("--storage-opt", "dm.basesize=1Q"))
        self.says("devicemapper", "dm.thinpooldev", options=("--storage-opt", "dm.fs=xfs"))

    def test_btrfs_on_another_file_system(self):
        self.says("btrfs", "not on a btrfs file system", "overlay2")


if __name__ == "__main__":
    main()
