"""Blobs and manifests that sha512 names: pulled, pushed, saved and loaded as they came."""

import io
import json
import os
import subprocess
import sys
import tarfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "util"))

import images
import registry
from berth_testing import BIN, main
from image_testing import layer
from pulling import PullTest
from registry import DebianRegistry, Misbehaving, reply, sha512


class Sha512(PullTest):
    def setUp(self) -> None:
        super().setUp()
        self.server = Misbehaving()
        self.server.__enter__()
        self.addCleanup(self.server.__exit__)
        self.there = self.image(layer("big", os.urandom(1 << 20)))
        text = self.there.manifest.decode()
        for digest, blob in list(self.there.blobs.items()):
            text = text.replace(digest, sha512(blob))
            self.there.blobs[sha512(blob)] = self.there.blobs.pop(digest)
        self.there.manifest = text.encode()
        self.name = self.server.push("x", "t", self.there)
        self.pinned = sha512(self.there.manifest)
        self.server.manifests[f"x/{self.pinned}"] = self.there.manifest

    def test_is_pulled_and_pushed_as_it_came(self):
        self.works(self.name)
        self.assertEqual(self.runs(self.name, "wc", "-c", "/big"), f"{1 << 20} /big")
        self.assertEqual(json.loads(self.engine.ok("image", "inspect", self.name))[0]["Id"], images.digest(self.there.config))
        self.works(self.name)  # and nothing is fetched twice
        self.assertEqual(len(self.server.requests(sha512(self.there.layers[1]))), 1)
        with Misbehaving() as other:
            self.engine.ok("tag", self.name, f"{other.host}/y:t")
            self.engine.ok("push", f"{other.host}/y:t")
            self.assertEqual(other.manifests["y/t"], self.there.manifest)
            self.assertEqual(other.blobs, self.there.blobs)

    def test_by_an_index_and_by_digest(self):
        entry = {"mediaType": registry.MANIFEST, "digest": self.pinned, "size": len(self.there.manifest),
                 "platform": {"os": "linux", "architecture": "amd64"}}
        self.server.manifests["x/i"] = json.dumps({"schemaVersion": 2, "mediaType": registry.INDEX, "manifests": [entry]}).encode()
        self.works(f"{self.server.host}/x:i")
        name = f"{self.server.host}/x@{self.pinned}"
        self.works(name)
        self.assertEqual(self.runs(name, "echo", "ok"), "ok")

    def test_wrong_bytes_are_found(self):
        for part, says in ((sha512(self.there.layers[0]), "what arrived is sha512:"), (sha512(self.there.config), "what arrived for"),
                           (self.pinned, "in the place of")):
            with self.subTest(part=part):
                whole = self.there.blobs.get(part, self.there.manifest)
                self.server.answer = lambda handler: part in handler.path and reply(handler, 200, whole[:-1] + bytes([whole[-1] ^ 1]))
                self.fails(f"{self.server.host}/x@{self.pinned}", says)
        self.server.answer = lambda handler: False
        self.works(self.name)

    def test_is_saved_and_loaded(self):
        self.works(self.name)
        saved = subprocess.run([str(BIN / "berth"), "save", self.name], env=self.engine.environment(), capture_output=True,
                               check=True).stdout
        with tarfile.open(fileobj=io.BytesIO(saved)) as archive:
            names = archive.getnames()
            (listed,) = json.load(archive.extractfile("manifest.json"))
        for blob in self.there.blobs:
            self.assertIn("blobs/" + blob.replace(":", "/"), names)
        self.assertEqual(listed["Layers"], ["blobs/" + sha512(blob).replace(":", "/") for blob in self.there.layers])
        self.engine.ok("rmi", "-f", self.name)
        blobs = next((self.engine.root / "image").rglob("blobs/sha512"))
        self.assertEqual(list(blobs.iterdir()), [], "a removal leaves nothing")
        self.engine.ok("load", stdin=saved)
        self.assertEqual(self.runs(self.name, "wc", "-c", "/big"), f"{1 << 20} /big")
        damaged = saved.replace(self.there.layers[1][1000:1100], bytes(100))
        self.assertIn("has the digest sha512:", self.engine.berth("load", stdin=damaged).stderr)

    @unittest.skipIf(registry.missing(), registry.missing())
    def test_from_debians(self):
        with DebianRegistry() as server:
            name = server.push("x", "t", self.there)
            self.works(name)
            self.assertEqual(self.runs(name, "wc", "-c", "/big"), f"{1 << 20} /big")


if __name__ == "__main__":
    main()
