"""Images from registries: Debian's docker-registry with and without TLS and passwords, and one that misbehaves."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import unittest
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "util"))

import images
import registry
import waiting
from berth_testing import main
from image_testing import layer
from pulling import PullTest
from registry import DebianRegistry, Misbehaving, cut, refuse, reply


@unittest.skipIf(registry.missing(), registry.missing())
class FromDebians(PullTest):
    def test_run_pulls_what_is_not_there(self):
        with DebianRegistry() as server:
            image = self.image(layer("added", b"by the second layer\n"))
            name = server.push("some/where", "1.0", image)
            done = self.engine.berth("run", "--rm", name, "cat", "/added")
            self.assertEqual(done.stdout, "by the second layer\n", done.stderr)
            self.assertIn("Pull complete", done.stderr)
            self.assertIn(f"Status: Downloaded newer image for {name}", done.stderr)
            shown = json.loads(self.engine.ok("image", "inspect", name))[0]
            self.assertEqual((shown["Id"], shown["RepoDigests"]), (image.id, [f"{server.host}/some/where@{image.digest}"]))
            self.assertIn(f"Status: Image is up to date for {name}", self.engine.ok("pull", name))

    def test_the_lines_are_dockers(self):
        with DebianRegistry() as server:
            image = self.image(layer("a", b"1"))
            lines = self.works(server.push("lines", "t", image))
        self.assertEqual(lines[0], {"status": "Pulling from lines", "id": "t"})
        by_layer = [line for line in lines if line.get("id") == images.digest(image.layers[1])[7:19]]
        self.assertEqual((by_layer[0]["status"], by_layer[-1]["status"]), ("Pulling fs layer", "Pull complete"))
        self.assertIn("Download complete", [line["status"] for line in by_layer])
        self.assertEqual(lines[-2]["status"], f"Digest: {image.digest}")

    def test_by_digest(self):
        with DebianRegistry() as server:
            image = self.image()
            server.push("pinned", "t", image)
            name = f"{server.host}/pinned@{image.digest}"
            self.works(name)
            self.assertEqual(self.runs(name, "echo", "ok"), "ok")
            self.fails(f"{server.host}/pinned@sha256:{'1' * 64}", "not found")

    def test_an_index_gives_the_image_for_this_machine(self):
        with DebianRegistry() as server:
            ours, other = self.image(layer("ours", b"")), self.image(layer("other", b""))
            for image in (ours, other):
                server.push("many", image.digest[7:17], image)
            text = registry.index_of(riscv64=other, amd64=ours).replace(b'"digest": "sha256:' + b"0" * 64, b'"digest": "'
                                                                       + ours.digest.encode())
            server.put_manifest("many", "t", text, registry.INDEX)
            self.works(f"{server.host}/many:t")
            self.assertEqual(self.runs(f"{server.host}/many:t", "ls", "/ours"), "/ours")
            shown = json.loads(self.engine.ok("image", "inspect", f"{server.host}/many:t"))[0]
            self.assertEqual(shown["RepoDigests"], [f"{server.host}/many@{images.digest(text)}"])
            self.works(f"{server.host}/many:t&platform=linux/riscv64")
            self.fails(f"{server.host}/many:t&platform=linux/mips", "there is no image for linux/mips, only for")

    def test_a_registry_that_wants_to_know_who_asks(self):
        with DebianRegistry(password="let me in") as server:
            name = server.push("secret", "t", self.image())
            self.fails(name, "pull access denied for")
            self.fails(name, "pull access denied for", registry.auth_field(DebianRegistry.USER, "wrong"))
            self.works(name, registry.auth_field(DebianRegistry.USER, "let me in"))

    def test_on_this_machine_any_certificate_will_do(self):
        with DebianRegistry(password="p", tls=True) as server:
            self.works(server.push("tls", "t", self.image()), registry.auth_field(DebianRegistry.USER, "p"))
            self.assertEqual(self.runs(f"{server.host}/tls:t", "echo", "ok"), "ok")

    def test_elsewhere_a_certificate_has_to_be_known(self):
        address = "192.0.2.7"
        subprocess.run(["ip", "address", "add", f"{address}/32", "dev", "lo"], check=True)
        self.addCleanup(subprocess.run, ["ip", "address", "del", f"{address}/32", "dev", "lo"], check=True)
        with DebianRegistry(tls=True, address=address) as server:
            name = server.push("tls", "t", self.image())
            self.fails(name, "certificate")
            with self.certificates(server.host) as directory:
                shutil.copy(server.base / "ca.crt", directory / "ca.crt")
                self.works(name)
                (directory / "client.cert").touch()
                self.fails(name, f"{directory}/client.key is missing")
        with DebianRegistry(address=address) as server:
            self.fails(server.push("plain", "t", self.image()), "SSL")

    @contextmanager
    def certificates(self, host: str):
        """The host's directory in docker's certs.d, for the time of the test."""
        with tempfile.TemporaryDirectory() as base:
            for name in ("upper", "work"):
                Path(base, name).mkdir()
            subprocess.run(["/bin/busybox", "mount", "-t", "overlay", "overlay", "-o", f"lowerdir=/etc,upperdir={base}/upper,workdir={base}/work",
                            "/etc"], check=True)
            try:
                directory = Path("/etc/docker/certs.d", host)
                directory.mkdir(parents=True)
                yield directory
            finally:
                subprocess.run(["/bin/busybox", "umount", "-l", "/etc"], check=True)

    def test_zstd_and_plain_layers(self):
        zstd = lambda data: subprocess.run(["zstd", "-c"], input=data, capture_output=True, check=True).stdout
        with DebianRegistry() as server:
            for compress, suffix in ((zstd, "+zstd"), (bytes, "")):
                image = self.image(layer("x", b"x"), compress=compress, media_type=registry.LAYER.replace("+gzip", suffix))
                name = server.push("packed", "t" + suffix.strip("+"), image)
                self.works(name)
                self.assertEqual(self.runs(name, "cat", "/x"), "x")

    def test_what_is_not_there(self):
        with DebianRegistry() as server:
            self.fails(f"{server.host}/nothing:t", "manifest for")
        self.fails(f"{server.host}/nothing:t", "onnect")


class FromOneThatMisbehaves(PullTest):
    def pulled(self, answer, *layers: bytes) -> tuple[Misbehaving, registry.Image, str]:
        server = Misbehaving(answer)
        image = self.image(*layers)
        name = server.push("x", "t", image)
        server.__enter__()
        self.addCleanup(server.__exit__)
        return server, image, name

    def test_a_connection_that_breaks_is_taken_up_where_it_broke(self):
        big = layer("big", os.urandom(3 << 20))
        broken: list[str] = []

        def answer(handler) -> bool:
            blob = server.blobs.get(handler.path.rpartition("/")[2], b"")
            if len(blob) > 1 << 20 and len(broken) < 3 and "Range" not in handler.headers:
                broken.append(handler.path)
                return cut(handler, blob, 1 << 20)
            return False

        server, image, name = self.pulled(answer, big)
        self.works(name)
        self.assertEqual(self.runs(name, "wc", "-c", "/big"), f"{3 << 20} /big")
        ranges = [fields["Range"] for fields in server.requests(images.digest(image.layers[1])) if "Range" in fields]
        self.assertTrue(ranges and int(ranges[0][6:-1]) > 0, ranges)

    def test_one_that_knows_no_ranges_begins_anew(self):
        big = layer("big", os.urandom(3 << 20))
        asked: list[str] = []

        def answer(handler) -> bool:
            blob = server.blobs.get(handler.path.rpartition("/")[2], b"")
            if len(blob) <= 1 << 20:
                return False
            asked.append(handler.path)
            return cut(handler, blob, 1 << 20) if asked.count(handler.path) == 1 else reply(handler, 200, blob)

        server, _, name = self.pulled(answer, big)
        self.works(name)
        self.assertEqual(self.runs(name, "wc", "-c", "/big"), f"{3 << 20} /big")

    def test_a_pull_that_was_killed_goes_on_in_the_next(self):
        big = layer("big", os.urandom(6 << 20))
        held = threading.Event()
        self.addCleanup(held.set)

        def answer(handler) -> bool:
            blob = server.blobs.get(handler.path.rpartition("/")[2], b"")
            if len(blob) < 4 << 20 or "Range" in handler.headers:
                return False
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(blob)))
            handler.end_headers()
            handler.wfile.write(blob[:4 << 20])
            handler.wfile.flush()
            held.wait(waiting.DEADLINE)
            return True

        server, image, name = self.pulled(answer, big)
        client = self.engine.popen("pull", name, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        arrived = lambda: sum(file.stat().st_size for file in self.engine.root.glob("image/*/downloads/*"))
        waiting.until(lambda: arrived() >= 4 << 20, "a part has arrived")
        self.engine.kill()
        client.wait(waiting.DEADLINE)
        self.engine.start()
        self.works(name)
        self.assertEqual(self.runs(name, "wc", "-c", "/big"), f"{6 << 20} /big")
        ranges = [fields["Range"] for fields in server.requests(images.digest(image.layers[1])) if "Range" in fields]
        self.assertEqual(ranges, [f"bytes={4 << 20}-"])

    def test_a_client_that_goes_takes_its_pull_along(self):
        held = threading.Event()
        self.addCleanup(held.set)

        def answer(handler) -> bool:
            if len(server.blobs.get(handler.path.rpartition("/")[2], b"")) < 100000:
                return False
            held.wait(waiting.DEADLINE)
            return refuse(handler, 404, "BLOB_UNKNOWN", "too late")

        server, _, name = self.pulled(answer, layer("big", os.urandom(1 << 18)))
        client = self.engine.popen("pull", name, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        waiting.until(lambda: len(server.requests("/blobs/")) >= 2, "the layer is asked for")
        client.send_signal(signal.SIGKILL)
        client.wait(waiting.DEADLINE)
        held.set()
        waiting.until(lambda: f"{name}" not in self.engine.ok("images"), "nothing comes of it")
        server.answer = lambda handler: False
        self.works(name)

    def test_two_pulls_share_what_is_on_its_way(self):
        both = threading.Barrier(2, timeout=waiting.DEADLINE)
        big = layer("big", os.urandom(2 << 20))

        def answer(handler) -> bool:
            if "/manifests/" in handler.path:
                both.wait()
            return False

        server, image, name = self.pulled(answer, big)
        pulls = [self.engine.popen("pull", name, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for _ in range(2)]
        for pull in pulls:
            _, errors = pull.communicate(timeout=2 * waiting.DEADLINE)
            self.assertEqual(pull.returncode, 0, errors)
        self.assertLessEqual(len(server.requests(images.digest(image.layers[1]))), 2)
        self.assertEqual(self.runs(name, "wc", "-c", "/big"), f"{2 << 20} /big")

    def test_a_server_that_is_busy_is_asked_again(self):
        refusals = {"/manifests/t": [(429, "TOOMANYREQUESTS"), (503, "UNAVAILABLE")], "/blobs/": [(500, "UNKNOWN")]}

        def answer(handler) -> bool:
            for part, left in refusals.items():
                if part in handler.path and left:
                    status, code = left.pop(0)
                    return refuse(handler, status, code, "not now", Retry_After="1")
            return False

        _, _, name = self.pulled(answer)
        self.works(name)

    def test_one_that_stays_busy_is_given_up(self):
        _, _, name = self.pulled(lambda handler: refuse(handler, 429, "TOOMANYREQUESTS", "You have reached your limit"))
        self.fails(name, "toomanyrequests: You have reached your limit")

    def test_bytes_that_are_not_what_was_asked_for(self):
        def flip(handler) -> bool:
            blob = server.blobs.get(handler.path.rpartition("/")[2], b"")
            return len(blob) > 100000 and reply(handler, 200, blob[:-9] + b"x" + blob[-8:])

        server, _, name = self.pulled(flip)
        self.fails(name, "sha256:")
        self.assertNotIn(name, self.engine.ok("images"))
        server.answer = lambda handler: "/manifests/" in handler.path and reply(handler, 200, b'{"schemaVersion": 1}')
        self.fails(name, "schema 1")
        server.answer = lambda handler: "/manifests/" in handler.path and reply(handler, 200, b"no manifest")
        self.fails(name, "the manifest")
        server.answer = lambda handler: "/blobs/" in handler.path and reply(handler, 200, b"{}")
        self.fails(name, "the image's config: what arrived for")

    def test_a_blob_that_is_longer_than_its_manifest_says(self):
        def answer(handler) -> bool:
            blob = server.blobs.get(handler.path.rpartition("/")[2], b"")
            return len(blob) > 100000 and reply(handler, 200, blob + b"more")

        # One layer: what had arrived of another would stay, to be taken up.
        server, _, name = self.pulled(answer)
        self.fails(name, "there is more than")

    def test_a_redirect_does_not_take_the_password_along(self):
        elsewhere = Misbehaving()
        elsewhere.__enter__()
        self.addCleanup(elsewhere.__exit__)

        def answer(handler) -> bool:
            if "Authorization" not in handler.headers:
                return refuse(handler, 401, "UNAUTHORIZED", "who?", WWW_Authenticate='Basic realm="x"')
            if "/blobs/" not in handler.path:
                return False
            return reply(handler, 307, b"", Location=f"http://localhost:{elsewhere.host.rpartition(':')[2]}{handler.path}")

        server, image, name = self.pulled(answer)
        elsewhere.blobs = server.blobs
        self.works(name, registry.auth_field("me", "secret"))
        self.assertTrue(elsewhere.log)
        self.assertEqual([fields for fields in elsewhere.requests("/") if "Authorization" in fields], [])

    def test_nor_does_its_target_get_it_by_asking(self):
        def ask(handler) -> bool:
            realm = f"http://127.0.0.1:{elsewhere.host.rpartition(':')[2]}/token"
            return handler.path.startswith("/token") and reply(handler, 200, b'{"token": "t"}') or refuse(
                handler, 401, "UNAUTHORIZED", "who?", WWW_Authenticate=f'Bearer realm="{realm}"')

        elsewhere = Misbehaving(ask)
        elsewhere.__enter__()
        self.addCleanup(elsewhere.__exit__)

        def answer(handler) -> bool:
            if "Authorization" not in handler.headers:
                return refuse(handler, 401, "UNAUTHORIZED", "who?", WWW_Authenticate='Basic realm="x"')
            return "/blobs/" in handler.path and reply(handler, 307, b"", Location=f"http://{elsewhere.host}{handler.path}")

        _, _, name = self.pulled(answer)
        self.fails(name, "unauthorized: who?", registry.auth_field("me", "secret"))
        self.assertTrue(elsewhere.log)
        self.assertEqual([(path, fields) for _, path, fields in elsewhere.log if path.startswith("/token") or "Authorization" in fields],
                         [])

    def test_a_token_server(self):
        def answer(handler) -> bool:
            if handler.path.startswith("/token?"):
                return reply(handler, 200, json.dumps({"token": "t0k3n"}).encode())
            if handler.headers.get("Authorization") == "Bearer t0k3n":
                return False
            challenge = f'Bearer realm="http://{server.host}/token",service="here",scope="repository:x:pull"'
            return refuse(handler, 401, "UNAUTHORIZED", "authentication required", WWW_Authenticate=challenge)

        server, _, name = self.pulled(answer)
        self.works(name, registry.auth_field("me", "secret"))
        path = next(path for _, path, _ in server.log if path.startswith("/token?"))
        self.assertEqual(path, "/token?service=here&scope=repository%3Ax%3Apull")
        self.assertTrue(server.requests("/token?")[0]["Authorization"].startswith("Basic "))

    def foreign(self, *urls: str) -> tuple[Misbehaving, registry.Image, str]:
        """The registry lacks the layer; its manifest says where it is."""
        server, image, name = self.pulled(lambda handler: False, layer("big", os.urandom(1 << 20)))
        listed = json.loads(image.manifest)
        listed["layers"][1] |= {"mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "urls": list(urls)}
        image.manifest = json.dumps(listed).encode()
        server.push("x", "t", image)
        del server.blobs[images.digest(image.layers[1])]
        return server, image, name

    def test_a_foreign_layer_comes_from_where_its_owner_gives_it_away(self):
        with Misbehaving() as owner, Misbehaving() as other:
            broken = []

            def answer(handler) -> bool:
                broken.append(handler.headers.get("Range"))
                if len(broken) == 1:
                    return cut(handler, data, 1 << 19)
                return reply(handler, 206, data[int(broken[-1][6:-1]):])

            owner.answer = answer
            server, image, name = self.foreign(f"http://{other.host}/gone", f"http://{owner.host}/layer")
            data = image.layers[1]
            self.works(name, registry.auth_field("me", "secret"))
            self.assertEqual(self.runs(name, "wc", "-c", "/big"), f"{1 << 20} /big")
            self.assertEqual(len(broken), 2)
            self.assertFalse(any("Authorization" in fields for _, _, fields in owner.log + other.log))
            # A push leaves it where it is.
            self.engine.ok("tag", name, f"{server.host}/y:t")
            self.engine.ok("push", f"{server.host}/y:t")
            self.assertNotIn(images.digest(data), server.blobs)
            self.assertEqual(server.manifests["y/t"], image.manifest)

    def test_a_foreign_layer_is_what_its_digest_says(self):
        with Misbehaving(lambda handler: reply(handler, 200, bytes(len(data)))) as owner:
            _, image, name = self.foreign(f"http://{owner.host}/layer")
            data = image.layers[1]
            self.fails(name, "sha256:")
            owner.answer = lambda handler: refuse(handler, 404, "X", "x")
            self.fails(name, f"http://{owner.host}/layer answers 404")
            owner.answer = lambda handler: reply(handler, 200, data)
            self.works(name)

    def test_an_artifact_is_no_image(self):
        server, image, name = self.pulled(lambda handler: False)
        server.manifests["x/a"] = json.dumps({"schemaVersion": 2, "mediaType": registry.MANIFEST, "artifactType": "text/recipe",
                                              "config": {"mediaType": "application/vnd.oci.empty.v1+json", "size": 2,
                                                         "digest": images.digest(b"{}")}, "layers": []}).encode()
        self.fails(f"{server.host}/x:a", "it is an artifact of type 'text/recipe', not an image")
        shown = json.loads(self.engine.ok("manifest", "inspect", f"{server.host}/x:a"))
        self.assertEqual(shown["artifactType"], "text/recipe")

    def test_a_password_is_not_sent_in_the_clear_field_by_field(self):
        self.fails("127.0.0.1:1/x", "X-Registry-Auth", "%%%")


if __name__ == "__main__":
    main()
