"""hosts.toml: mirrors before the registry, whom they are trusted with what, and who is told the password."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from base64 import b64encode
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "util"))

import images
import registry
import waiting
from berth_testing import BIN, main
from image_testing import layer
from pulling import PullTest
from registry import Misbehaving, body_of, cut, refuse, reply


class Mirrors(PullTest):
    @classmethod
    def setUpClass(cls) -> None:
        cls.certificates = tempfile.mkdtemp(prefix="certs-")
        cls.addClassCleanup(shutil.rmtree, cls.certificates)
        cls.flags = ("--certs-dir", cls.certificates, "--registry-timeout", "2")
        super().setUpClass()

    def setUp(self) -> None:
        super().setUp()
        self.origin, self.mirror = self.server(), self.server()
        self.big = layer("big", os.urandom(3 << 20))
        self.image_there = self.image(self.big)
        self.name = self.origin.push("some/where", "t", self.image_there)
        self.layer_digest = images.digest(self.image_there.layers[1])
        self.mirror.push("some/where", "t", self.image_there)

    def server(self) -> Misbehaving:
        server = Misbehaving()
        server.__enter__()
        self.addCleanup(server.__exit__)
        return server

    def hosts(self, text: str, directory: str = "") -> Path:
        file = Path(self.certificates, directory or self.origin.host, "hosts.toml")
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        self.addCleanup(shutil.rmtree, file.parent, ignore_errors=True)
        return file

    def mirrored(self, more: str = "") -> None:
        self.hosts(f'[host."http://{self.mirror.host}"]\n{more}')

    def warnings(self) -> str:
        return "\n".join(line for line in self.engine.log().splitlines() if self.mirror.host in line)

    def test_a_mirror_serves_alone(self):
        for directory in (self.origin.host, self.origin.host.replace(":", "_") + "_", "_default"):
            with self.subTest(directory=directory):
                file = self.hosts(f'[host."http://{self.mirror.host}"]\n', directory)
                self.origin.log.clear()
                self.works(self.name)
                self.assertEqual(self.runs(self.name, "wc", "-c", "/big"), f"{3 << 20} /big")
                self.assertEqual(self.origin.log, [])
                self.engine.ok("rmi", "-f", self.name)
                shutil.rmtree(file.parent)
        paths = [path for _, path, _ in self.mirror.log]
        self.assertTrue(all(path.endswith("?ns=" + self.origin.host.replace(":", "%3A")) for path in paths), paths)

    def test_one_that_is_not_trusted_with_tags_gives_the_rest(self):
        self.mirrored('capabilities = ["pull"]')
        self.mirror.manifests = {name: text for name, text in self.mirror.manifests.items() if "sha256:" in name}
        self.works(self.name)
        self.assertEqual([path for _, path, _ in self.origin.log], ["/v2/some/where/manifests/t"])
        self.assertEqual(len(self.mirror.requests(self.layer_digest)), 1)

    def test_what_a_mirror_lacks_comes_from_the_registry(self):
        self.mirrored()
        del self.mirror.blobs[self.layer_digest]
        self.works(self.name)
        self.assertEqual([path.rpartition("/")[2] for _, path, _ in self.origin.log], [self.layer_digest])

    def test_one_that_fails_is_asked_once(self):
        for status in (401, 403, 429, 500, 503):
            with self.subTest(status=status):
                self.mirrored()
                self.mirror.log.clear()
                self.mirror.answer = lambda handler: refuse(handler, status, "NO", "not today", Retry_After="30")
                self.works(self.name)
                self.assertEqual(len(self.mirror.log), 1, self.mirror.log)
                self.assertIn(f"it answers {status}; going on without it", self.warnings())
                self.engine.ok("rmi", "-f", self.name)

    def test_one_that_is_not_there(self):
        self.hosts('[host."http://127.0.0.1:1"]\n')
        self.works(self.name)

    def test_one_that_is_silent(self):
        held = threading.Event()
        self.addCleanup(held.set)
        self.mirrored()
        self.mirror.answer = lambda handler: held.wait(waiting.DEADLINE)
        self.works(self.name)
        self.assertEqual(len(self.mirror.log), 1)

    def test_one_that_breaks_off_is_taken_over(self):
        self.mirrored()
        blob = self.mirror.blobs[self.layer_digest]
        self.mirror.answer = lambda handler: self.layer_digest in handler.path and cut(handler, blob, 1 << 20)
        self.works(self.name)
        self.assertEqual(self.runs(self.name, "wc", "-c", "/big"), f"{3 << 20} /big")
        (fields,) = self.origin.requests(self.layer_digest)
        self.assertGreater(int(fields["Range"][6:-1]), 0)

    def test_one_that_thinks_a_part_is_all(self):
        self.mirrored()
        self.mirror.blobs[self.layer_digest] = self.mirror.blobs[self.layer_digest][:1 << 20]
        self.works(self.name)
        self.assertEqual(self.runs(self.name, "wc", "-c", "/big"), f"{3 << 20} /big")

    def test_wrong_bytes_end_the_use_of_mirrors(self):
        flipped = lambda blob: blob[:-9] + bytes([blob[-9] ^ 1]) + blob[-8:]
        config = images.digest(self.image_there.config)
        for digest in (self.layer_digest, config, images.digest(self.image_there.layers[0])):
            with self.subTest(digest=digest):
                self.mirrored()
                self.mirror.log.clear()
                self.mirror.answer = lambda handler: digest in handler.path and reply(handler, 200, flipped(self.mirror.blobs[digest]))
                self.works(self.name)
                self.assertEqual(self.runs(self.name, "wc", "-c", "/big"), f"{3 << 20} /big")
                self.assertEqual(len(self.mirror.requests(digest)), 1)
                self.assertIn("what came was wrong; going on without it", self.warnings())
                self.engine.ok("rmi", "-f", self.name)

    def test_every_layer_wrong_at_once(self):
        many = self.image(*(layer(f"f{i}", os.urandom(1 << 18)) for i in range(6)))
        name = self.origin.push("many", "t", many)
        self.mirror.push("many", "t", many)
        self.mirrored()
        self.mirror.answer = lambda handler: len(blob := self.mirror.blobs.get(
            handler.path.partition("?")[0].rpartition("/")[2], b"")) > 1 << 17 and reply(handler, 200, bytes(len(blob)))
        self.works(name)

    def test_a_wrong_manifest(self):
        self.mirrored()
        name = f"{self.origin.host}/some/where@{self.image_there.digest}"
        self.mirror.answer = lambda handler: "/manifests/" in handler.path and reply(handler, 200, b'{"schemaVersion": 2}')
        self.works(name)
        self.assertEqual(len(self.mirror.log), 1)

    def test_the_password_is_the_registrys_own(self):
        for server in (self.origin, self.mirror):
            server.answer = lambda handler: "Authorization" not in handler.headers and refuse(
                handler, 401, "UNAUTHORIZED", "who?", WWW_Authenticate='Basic realm="x"')
        self.mirrored()
        self.works(self.name, registry.auth_field("me", "secret"))
        self.assertEqual([fields for _, _, fields in self.mirror.log if "Authorization" in fields], [])
        self.assertTrue(any("Authorization" in fields for _, _, fields in self.origin.log))

    def test_a_mirrors_password_is_the_mirrors_own(self):
        for server, user in ((self.origin, "me"), (self.mirror, "you")):
            server.answer = lambda handler, user=user: handler.headers.get("Authorization") != "Basic " + b64encode(
                f"{user}:secret".encode()).decode() and refuse(handler, 401, "UNAUTHORIZED", "who?", WWW_Authenticate='Basic realm="x"')
        self.mirrored()
        del self.mirror.blobs[self.layer_digest]
        auths = {host: {"auth": b64encode(f"{user}:secret".encode()).decode()}
                 for host, user in ((self.origin.host, "me"), (self.mirror.host, "you"))}
        with tempfile.TemporaryDirectory() as directory:
            Path(directory, "config.json").write_text(json.dumps({"auths": auths}))
            done = subprocess.run([str(BIN / "berth"), "pull", self.name], env={**self.engine.environment(), "DOCKER_CONFIG": directory},
                                  capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([path.rpartition("/")[2] for _, path, fields in self.origin.log if "Authorization" in fields],
                         [self.layer_digest])

    def test_nor_does_another_server_get_it(self):
        self.hosts(f'server = "http://{self.mirror.host}"\n')
        self.mirror.answer = lambda handler: "Authorization" not in handler.headers and refuse(
            handler, 401, "UNAUTHORIZED", "who?", WWW_Authenticate='Basic realm="x"')
        self.fails(self.name, "pull access denied", registry.auth_field("me", "secret"))
        self.assertEqual(self.origin.log, [])

    def test_fields_go_to_whom_they_are_for(self):
        self.mirrored('[host."http://%s".header]\nx-key = ["one", "two"]\nAuthorization = "Basic eDp5"' % self.mirror.host)
        del self.mirror.blobs[self.layer_digest]
        self.works(self.name)
        self.assertTrue(all((fields["x-key"], fields["Authorization"]) == ("one", "Basic eDp5") for _, _, fields in self.mirror.log))
        self.assertFalse(any("x-key" in fields for _, _, fields in self.origin.log))

    def test_a_bad_file_is_not_pulled_past(self):
        file = self.hosts('\n[host."http://x"]\ncapabilities = ["pul"]\n')
        self.fails(self.name, f"{file}:3: the capability 'pul' is none of pull, resolve and push")
        self.hosts('ca = "gone.pem"\n')
        self.fails(self.name, f"{file.parent}/gone.pem")
        self.assertEqual(self.origin.log, [])

    def test_nobody_may_be_asked(self):
        self.hosts(f'capabilities = ["push"]\n[host."http://{self.mirror.host}"]\ncapabilities = ["pull"]\n')
        self.fails(self.name, "its hosts.toml says that the registry is not to be asked")

    def test_another_path(self):
        self.hosts(f'[host."http://{self.mirror.host}/cache/v1"]\noverride_path = true\n')
        seen = []

        def answer(handler) -> bool:
            seen.append(handler.path)
            handler.path = handler.path.replace("/cache/v1/", "/v2/")
            return False

        self.mirror.answer = answer
        self.works(self.name)
        self.assertTrue(all(path.startswith("/cache/v1/some/where/") for path in seen), seen)
        self.assertEqual(self.origin.log, [])

    def test_a_proxy_of_its_own(self):
        self.hosts(f'[host."http://mirror.example"]\nproxy = "http://{self.mirror.host}"\n')

        def answer(handler) -> bool:
            self.assertTrue(handler.path.startswith("http://mirror.example/v2/"), handler.path)
            handler.path = handler.path.removeprefix("http://mirror.example")
            return False

        self.mirror.answer = answer
        self.works(self.name)
        self.assertEqual(self.origin.log, [])

    def test_a_push_goes_to_whom_it_may(self):
        self.works(self.name)
        self.mirrored('capabilities = ["pull", "resolve"]')
        self.mirror.log.clear()
        target = f"{self.origin.host}/other:t"
        self.engine.ok("tag", self.name, target)
        self.engine.ok("push", target)
        self.assertEqual(self.mirror.log, [])
        self.assertIn("other/t", self.origin.manifests)
        self.hosts('capabilities = ["pull"]\n')
        self.assertIn("is not to be pushed to", self.engine.berth("push", target).stderr)


if __name__ == "__main__":
    main()
