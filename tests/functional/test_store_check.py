"""system check: what it says of images that are damaged, with containers at work, and how they become whole again."""

import os
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "util"))
import images
import registry
from berth_testing import IMAGE, EngineTest, main


class StoreCheck(EngineTest):
    def setUp(self) -> None:
        self.store = self.engine.root / "image" / "overlay2"

    def check(self, *flags: str, code: int) -> list[str]:
        done = self.engine.berth("system", "check", *flags)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout.strip().split("\n")

    def all_is_well(self) -> None:
        self.assertIn(": all is well", self.check(code=0)[-1])

    def blob_of_a_layer(self) -> Path:
        return max((self.store / "content/blobs/sha256").iterdir(), key=lambda path: path.stat().st_size)

    def spoil(self, path: Path) -> None:
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)

    def test_nothing_is_wrong_before_during_and_after_the_life_of_a_container(self):
        self.all_is_well()
        self.engine.ok("run", "-d", "--name", "one", IMAGE, "sh", "-c", "echo 1 > /root/f; sleep 1000")
        self.all_is_well()
        self.engine.ok("commit", "one", "made:1")
        self.all_is_well()
        self.engine.ok("rm", "-f", "one")
        self.engine.ok("rmi", "made:1")
        self.all_is_well()

    def test_a_blob_that_is_damaged_is_moved_aside_and_a_load_makes_the_image_whole(self):
        self.engine.ok("run", "-d", "--name", "one", IMAGE, "sleep", "1000")
        blob = self.blob_of_a_layer()
        self.spoil(blob)
        self.assertIn(": all is well", self.check("--quick", code=0)[-1])
        name = f"bad blob: sha256:{blob.name}: "
        found = self.check(code=1)
        self.assertTrue(found[0].startswith(name), found)
        self.assertIn("1 found, 0 repaired", found[-1])
        repaired = self.check("--repair", code=0)
        self.assertTrue(repaired[0].startswith(name) and repaired[0].endswith("(repaired)"), repaired)
        self.all_is_well()
        aside = list((self.engine.root / "image/quarantine").iterdir())
        self.assertEqual([path.name.split(".")[0] for path in aside], [blob.name])
        self.assertTrue(self.engine.is_running("one"))
        self.assertEqual(self.engine.ok("run", "--rm", IMAGE, "echo", "hi"), "hi")
        self.fails("save", "-o", os.devnull, IMAGE, code=1, says="")
        self.engine.load(images.busybox_image(IMAGE))
        self.engine.ok("save", "-o", str(self.engine.base / "saved.tar"), IMAGE)
        self.all_is_well()

    def test_a_layer_without_its_files_stays_while_a_container_needs_it(self):
        self.engine.load(images.docker_archive("lost:1", [images.busybox_rootfs(), images.tar_of(
            lambda tar: images.add_file(tar, "etc/lost", b"1"))]))
        identity = self.engine.ok("images", "-q", "--no-trunc", "lost:1")
        self.engine.ok("create", "--name", "one", "lost:1")
        [tree] = [path.parent.parent for path in self.store.glob("s/*/fs/etc/lost")]
        shutil.rmtree(tree)
        for flags in ([], ["-r"]):
            found = self.check(*flags, code=1)
            self.assertTrue(found[0].startswith("missing tree: sha256:"), found)
            self.assertTrue(found[1].startswith(f"broken image: {identity}: layer "), found)
        self.assertEqual(self.engine.ok("images", "-q", "--no-trunc", "lost:1"), identity)
        self.engine.ok("rm", "one")
        self.assertIn("2 found, 2 repaired", self.check("-r", code=0)[-1])
        self.assertEqual(self.engine.ok("images", "-q", "lost:1"), "")
        self.all_is_well()

    def test_a_pull_makes_an_image_whole_that_a_repair_has_removed(self):
        source = registry.Image([images.busybox_rootfs()], Cmd=["/bin/sh"], Labels={"a": "b"})
        with registry.Misbehaving() as server:  # and does not, here
            server.push("team/app", "1", source)
            name = f"{server.host}/team/app:1"
            self.engine.ok("pull", name)
            (self.store / "content/blobs/sha256" / source.id.removeprefix("sha256:")).unlink()
            self.assertTrue(self.check(code=1)[0].startswith(f"missing blob: {source.id}: the config of "))
            self.check("--repair", code=0)
            self.assertEqual(self.engine.ok("images", "-q", name), "")
            self.engine.ok("pull", name)
            self.assertEqual(self.engine.ok("run", "--rm", name, "echo", "hi"), "hi")
            self.engine.ok("rmi", name)
        self.all_is_well()


if __name__ == "__main__":
    main()
