"""berth push: what a registry is given is what came, byte for byte; what it has is not sent; what breaks goes on."""

import json
import socket
import sys
import unittest
import urllib.error
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "util"))

import gzip
import os

import images
import registry
from berth_testing import main
from engine import UnixConnection
from image_testing import ImageTest, layer
from registry import DebianRegistry, Misbehaving, body_of, refuse, reply


class PushTest(ImageTest):
    def load(self, name: str, *layers: bytes) -> None:
        archive = images.docker_archive(name, [images.busybox_rootfs(), *layers])
        self.engine.ok("load", stdin=archive)

    def push(self, name: str, credentials: str = "", query: str = "") -> tuple[int, list[dict]]:
        """The status and the lines of the answer."""
        connection = UnixConnection(self.engine.socket)
        fields = {"X-Registry-Auth": credentials} if credentials else {}
        connection.request("POST", f"/images/{name}/push{query}", headers=fields)
        answer = connection.getresponse()
        lines = [json.loads(line) for line in answer.read().decode().splitlines()]
        connection.close()
        return answer.status, lines

    def works(self, name: str, credentials: str = "") -> list[dict]:
        repository, _, tag = name.rpartition(":")
        status, lines = self.push(repository, credentials, f"?tag={tag}")
        self.assertEqual(status, 200, lines)
        self.assertNotIn("error", lines[-1])
        return lines

    def fails(self, name: str, says: str, credentials: str = "") -> None:
        repository, _, tag = name.rpartition(":")
        _, lines = self.push(repository, credentials, f"?tag={tag}")
        self.assertIn(says, lines[-1].get("error", lines[-1].get("message", "")))


@unittest.skipIf(registry.missing(), registry.missing())
class ToDebians(PushTest):
    def manifest(self, server: DebianRegistry, repository: str, tag: str) -> bytes:
        return server.send("GET", f"/v2/{repository}/manifests/{tag}", Accept=registry.MANIFEST).read()

    def test_what_came_goes_as_it_came(self):
        """Compressed in ways of which none is ours, under a manifest that is formatted in a way of its own."""
        with DebianRegistry() as here, DebianRegistry() as there:
            image = registry.Image([images.busybox_rootfs(), layer("a", b"1")], compress=lambda data: gzip.compress(data, 1))
            image.manifest = json.dumps(json.loads(image.manifest), indent=7).encode()
            name = here.push("some/where", "1", image)
            target = f"{there.host}/else/where:2"
            self.engine.ok("pull", name)
            self.engine.ok("tag", name, target)
            said = self.engine.ok("push", target)
            self.assertIn(f"The push refers to repository [{there.host}/else/where]", said)
            self.assertIn(f"2: digest: {image.digest} size: {len(image.manifest)}", said)
            self.assertEqual(self.manifest(there, "else/where", "2"), image.manifest)
            for digest, blob in image.blobs.items():
                self.assertEqual(there.send("GET", f"/v2/else/where/blobs/{digest}").read(), blob)
            shown = json.loads(self.engine.ok("image", "inspect", target))[0]
            self.assertIn(f"{there.host}/else/where@{image.digest}", shown["RepoDigests"])

    def test_what_was_loaded_goes_and_comes_back(self):
        with DebianRegistry() as server:
            name = f"{server.host}/loaded:1"
            self.load(name, layer("added", b"by the second layer\n"))
            identity = json.loads(self.engine.ok("image", "inspect", name))[0]["Id"]
            self.works(name)
            self.engine.ok("rmi", "-f", identity)
            self.assertEqual(self.engine.ok("run", "--rm", name, "cat", "/added"), "by the second layer")
            self.assertEqual(json.loads(self.engine.ok("image", "inspect", name))[0]["Id"], identity)

    def test_what_was_imported(self):
        with DebianRegistry() as server:
            name = f"{server.host}/imported:1"
            self.engine.ok("import", "-", name, stdin=images.busybox_rootfs())
            self.works(name)
            self.engine.ok("rmi", "-f", name)
            self.assertEqual(self.engine.ok("run", "--rm", name, "/bin/echo", "back"), "back")

    def test_what_is_there_is_not_sent(self):
        with DebianRegistry() as server:
            name = f"{server.host}/twice:1"
            self.load(name, layer("a", b"1"))
            first = [line.get("status") for line in self.works(name)]
            self.assertEqual(first.count("Pushed"), 2)
            again = [line["status"] for line in self.works(name) if "status" in line]
            self.assertEqual((again.count("Layer already exists"), again.count("Pushed")), (2, 0))
            # In another repository of the registry it is shared.
            other = f"{server.host}/another:1"
            self.engine.ok("tag", name, other)
            shared = [line["status"] for line in self.works(other) if "status" in line]
            self.assertEqual(shared.count("Mounted from twice"), 2, shared)

    def test_the_lines_are_dockers(self):
        with DebianRegistry() as server:
            name = f"{server.host}/lines:1"
            self.load(name)
            lines = self.works(name)
        self.assertEqual(lines[0], {"status": f"The push refers to repository [{server.host}/lines]"})
        self.assertEqual([line["status"] for line in lines if line.get("id")][0], "Preparing")
        self.assertIn("Pushing", [line.get("status") for line in lines])
        self.assertEqual(lines[-1]["aux"]["Tag"], "1")
        self.assertIn(f"1: digest: {lines[-1]['aux']['Digest']} size: {lines[-1]['aux']['Size']}", lines[-2]["status"])

    def test_all_tags(self):
        with DebianRegistry() as server:
            for tag in ("1", "2"):
                self.load(f"{server.host}/many:{tag}", layer(tag, b""))
            self.engine.ok("push", "-q", "-a", f"{server.host}/many")
            tags = json.loads(server.send("GET", "/v2/many/tags/list").read())["tags"]
            self.assertEqual(sorted(tags), ["1", "2"])
            self.assertIn("tag can't be used with --all-tags/-a",
                          self.engine.berth("push", "-a", f"{server.host}/many:1").stderr)

    def test_who_may_push(self):
        with DebianRegistry(password="secret") as server:
            name = f"{server.host}/mine:1"
            self.load(name)
            self.fails(name, "unauthorized")
            self.fails(name, "unauthorized", registry.auth_field(server.USER, "wrong"))
            self.works(name, registry.auth_field(server.USER, "secret"))

    def test_with_tls(self):
        with DebianRegistry(tls=True) as server:
            name = f"{server.host}/private:1"
            self.load(name)
            self.works(name)
            self.assertEqual(server.send("GET", "/v2/private/manifests/1", Accept=registry.MANIFEST).status, 200)

    def test_what_is_not_here(self):
        self.fails("127.0.0.1:1/nothing:1", "An image does not exist locally with the tag: 127.0.0.1:1/nothing")
        self.assertIn("does not exist locally", self.engine.berth("push", "127.0.0.1:1/nothing").stderr)
        status, lines = self.push("a@sha256:" + "0" * 64)
        self.assertEqual((status, lines[0]["message"]), (400, "cannot push a digest reference"))

    def test_a_damaged_blob_is_not_taken_for_whole(self):
        with DebianRegistry() as server:
            name = f"{server.host}/damaged:1"
            self.load(name, layer("big", os.urandom(1 << 18)))
            blobs = sorted(next(self.engine.root.glob("*/*/content/blobs/sha256")).iterdir(), key=lambda file: file.stat().st_mtime)
            big = next(file for file in blobs if 1 << 18 < file.stat().st_size < 1 << 19)
            data = big.read_bytes()
            big.write_bytes(data[:1000] + bytes([data[1000] ^ 1]) + data[1001:])
            self.fails(name, f"the registry does not take sha256:{big.name}")
            with self.assertRaises(urllib.error.HTTPError):
                self.manifest(server, "damaged", "1")
            big.unlink()
            self.fails(name, "pull or load the image again")


class ToOneThatMisbehaves(PushTest):
    def pushed(self, answer, *layers: bytes) -> tuple[Misbehaving, str]:
        server = Misbehaving(answer)
        server.__enter__()
        self.addCleanup(server.__exit__)
        name = f"{server.host}/odd:t"
        self.load(name, *layers)
        return server, name

    def test_a_transfer_that_breaks_goes_on_where_it_broke(self):
        broken = []

        def answer(handler) -> bool:
            size = int(handler.headers.get("Content-Length", "0"))
            if handler.command != "PATCH" or size < 1 << 21 or len(broken) > 2:
                return False
            upload = handler.path.partition("?")[0].rpartition("/")[2]
            begin = int(handler.headers.get("Content-Range", "0-").partition("-")[0])
            server.uploads[upload] = server.uploads[upload][:begin] + body_of(handler, size // 3)
            broken.append(size)
            handler.close_connection = True
            handler.connection.shutdown(socket.SHUT_RDWR)
            return True

        server, name = self.pushed(answer, layer("big", os.urandom(16 << 20)))
        self.works(name)
        self.assertEqual(len(broken), 3)
        self.assertLess(broken[1], broken[0], "it began anew")
        self.assertTrue(all(images.digest(blob) == digest for digest, blob in server.blobs.items()))
        self.assertIn("odd/t", server.manifests)

    def test_an_upload_that_is_lost_begins_anew(self):
        lost = []

        def answer(handler) -> bool:
            if handler.command != "PATCH" or lost:
                return False
            lost.append(server.uploads.pop(handler.path.partition("?")[0].rpartition("/")[2]))
            body_of(handler)
            return refuse(handler, 503, "UNAVAILABLE", "the registry was started anew")

        server, name = self.pushed(answer)
        self.works(name)
        self.assertEqual(len(lost), 1)

    def test_what_is_refused_is_said(self):
        _, name = self.pushed(lambda handler: handler.command == "POST" and (body_of(handler), refuse(
            handler, 403, "DENIED", "requested access to the resource is denied"))[1])
        self.fails(name, "denied: requested access to the resource is denied")

    def test_a_manifest_that_is_refused(self):
        _, name = self.pushed(lambda handler: "/manifests/" in handler.path and (body_of(handler), refuse(
            handler, 400, "MANIFEST_INVALID", "no\u001b[2J"))[1])
        self.fails(name, "manifest invalid: no [2J")

    def test_a_place_elsewhere_is_not_told_who_asks(self):
        elsewhere = Misbehaving()
        elsewhere.__enter__()
        self.addCleanup(elsewhere.__exit__)

        def answer(handler) -> bool:
            if "Authorization" not in handler.headers:
                body_of(handler)
                return refuse(handler, 401, "UNAUTHORIZED", "who?", WWW_Authenticate='Basic realm="x"')
            if handler.command != "POST":
                return False
            name = str(len(elsewhere.uploads))
            elsewhere.uploads[name] = b""
            return reply(handler, 202, b"", Location=f"http://localhost:{elsewhere.host.rpartition(':')[2]}"
                                                     f"/v2/odd/blobs/uploads/{name}")

        _, name = self.pushed(answer)
        self.works(name, registry.auth_field("me", "secret"))
        self.assertGreater(len(elsewhere.log), 0)
        self.assertTrue(all("Authorization" not in fields for _, _, fields in elsewhere.log))


if __name__ == "__main__":
    main()
