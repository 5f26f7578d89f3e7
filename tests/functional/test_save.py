"""berth save: an archive that is an OCI layout and a docker-archive at once, of blobs as they came."""

import io
import json
import sys
import tarfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "util"))

import gzip
import os
import subprocess

import images
import registry
from berth_testing import IMAGE, main
from engine import BIN, UnixConnection
from image_testing import ImageTest, layer
from registry import Misbehaving


class Save(ImageTest):
    def load(self, name: str, *layers: bytes) -> str:
        self.engine.ok("load", stdin=images.docker_archive(name, [images.busybox_rootfs(), *layers]))
        return json.loads(self.engine.ok("image", "inspect", name))[0]["Id"]

    def save(self, *names: str) -> dict[str, bytes]:
        done = subprocess.run([str(BIN / "berth"), "save", *names], env=self.engine.environment(), capture_output=True,
                              check=True)
        self.archive = done.stdout
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as tar:
            return {member.name: tar.extractfile(member).read() for member in tar}

    def test_what_was_saved_loads_as_what_it_was(self):
        identity = self.load("saved:1", layer("added", b"yes\n"))
        files = self.save("saved:1")
        self.engine.ok("rmi", "saved:1")
        self.assertIn("Loaded image: saved:1", self.engine.ok("load", stdin=self.archive))
        self.assertEqual(json.loads(self.engine.ok("image", "inspect", "saved:1"))[0]["Id"], identity)
        self.assertEqual(self.engine.ok("run", "--rm", "saved:1", "cat", "/added"), "yes")
        self.assertEqual(self.save("saved:1"), files, "the same once more")

    def test_every_name_of_a_blob_is_its_digest_and_all_are_told_of(self):
        self.load("saved:1", layer("a", b"1"))
        self.load("saved:2", layer("b", b"2"))
        files = self.save("saved")
        blobs = {name: data for name, data in files.items() if name.startswith("blobs/")}
        for name, data in blobs.items():
            self.assertEqual(name, "blobs/" + images.digest(data).replace(":", "/"))
        self.assertEqual(json.loads(files["oci-layout"]), {"imageLayoutVersion": "1.0.0"})
        told = set()
        for entry in json.loads(files["index.json"])["manifests"]:
            manifest = json.loads(blobs["blobs/" + entry["digest"].replace(":", "/")])
            told |= {each["digest"] for each in (entry, manifest["config"], *manifest["layers"])}
        self.assertEqual({name.replace("/", ":").removeprefix("blobs:") for name in blobs}, told)
        names = [entry["annotations"]["io.containerd.image.name"] for entry in json.loads(files["index.json"])["manifests"]]
        self.assertEqual(sorted(names), ["docker.io/library/saved:1", "docker.io/library/saved:2"])
        docker = json.loads(files["manifest.json"])
        self.assertEqual(sorted(tag for image in docker for tag in image["RepoTags"]), ["saved:1", "saved:2"])
        self.assertTrue(all(path in files for image in docker for path in (image["Config"], *image["Layers"])))

    def test_by_id_without_a_name(self):
        identity = self.load("saved:1")
        self.assertIsNone(json.loads(self.save(identity)["manifest.json"])[0]["RepoTags"])

    def test_what_was_pulled_is_saved_as_it_came(self):
        with Misbehaving() as server:
            image = registry.Image([images.busybox_rootfs()], compress=lambda data: gzip.compress(data, 2))
            name = server.push("some/where", "1", image)
            self.engine.ok("pull", name)
        files = self.save(name)
        for digest, blob in {**image.blobs, image.digest: image.manifest}.items():
            self.assertEqual(files["blobs/" + digest.replace(":", "/")], blob)

    def test_into_a_file_and_by_dockers_address(self):
        self.load("saved:1")
        target = self.engine.base / "archive.tar"
        self.engine.ok("save", "-o", str(target), "saved:1")
        connection = UnixConnection(self.engine.socket)
        connection.request("GET", "/images/saved:1/get")
        answer = connection.getresponse()
        self.assertEqual((answer.status, answer.getheader("Content-Type")), (200, "application/x-tar"))
        self.assertEqual(answer.read(), target.read_bytes())
        connection.close()

    def test_what_is_not_there_leaves_no_file(self):
        self.load("saved:1")
        target = self.engine.base / "nothing.tar"
        done = self.engine.berth("save", "-o", str(target), "saved:1", "nothing:1")
        self.assertEqual(done.returncode, 1)
        self.assertIn("No such image: nothing:1", done.stderr)
        self.assertFalse(target.exists())

    def test_a_damaged_blob_is_named_and_leaves_no_file(self):
        layers = layer("big", os.urandom(1 << 18))
        self.load("saved:1", layers)
        blobs = next(self.engine.root.glob("*/*/content/blobs/sha256"))
        big = next(file for file in blobs.iterdir() if 1 << 18 < file.stat().st_size < 1 << 19)
        data = bytearray(big.read_bytes())
        data[5000] ^= 1
        big.write_bytes(data)
        target = self.engine.base / "damaged.tar"
        self.assertEqual(self.engine.berth("save", "-o", str(target), "saved:1").returncode, 1)
        self.assertFalse(target.exists())
        self.assertIn(f"blob sha256:{big.name} is damaged on disk", self.engine.log())
        big.unlink()
        done = self.engine.berth("save", "-o", str(target), "saved:1")
        self.assertIn("is here without its blobs: pull or load it again", done.stderr)
        # And that helps.
        self.load("saved:1", layers)
        self.save("saved:1")

    def test_a_committed_container_is_saved_and_pushed(self):
        self.engine.ok("run", "--name", "made", IMAGE, "sh", "-c", "echo made > /made")
        self.engine.ok("commit", "made", "committed:1")
        self.engine.ok("rm", "made")
        with Misbehaving() as server:
            name = f"{server.host}/committed:1"
            self.engine.ok("tag", "committed:1", name)
            self.engine.ok("push", "-q", name)
            self.assertIn("committed/1", server.manifests)
        self.save("committed:1")
        self.engine.ok("rmi", "-f", "committed:1", name)
        self.engine.ok("load", stdin=self.archive)
        self.assertEqual(self.engine.ok("run", "--rm", "committed:1", "cat", "/made"), "made")


if __name__ == "__main__":
    main()
