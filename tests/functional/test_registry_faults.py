"""Registries that refuse, break off, are silent, or are behind a proxy: how often each is asked, and what is said."""

import contextlib
import os
import select
import shutil
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "util"))

import images
import registry
import waiting
from berth_testing import main
from image_testing import layer
from pulling import PullTest
from registry import DebianRegistry, Misbehaving, body_of, cut, refuse, reply

TRIES = 5


class FaultsTest(PullTest):
    flags = ("--registry-timeout", "2")

    def setUp(self) -> None:
        super().setUp()
        self.server = Misbehaving()
        self.server.__enter__()
        self.addCleanup(self.server.__exit__)
        self.there = self.image()
        self.name = self.server.push("x", "t", self.there)
        self.digest = images.digest(self.there.layers[0])

    def answer(self, part: str, answer) -> None:
        """To requests whose path has `part` in it."""
        self.server.log.clear()
        self.server.answer = lambda handler: part in handler.path and answer(handler)

    def tearDown(self) -> None:
        # What had arrived of a layer is taken up, and gone.
        self.server.answer = lambda handler: False
        self.works(self.name)
        super().tearDown()


class Refused(FaultsTest):
    def test_is_final_and_says_why(self):
        for part, status, says in (("/manifests/", 401, "pull access denied for"), ("/manifests/", 403, "pull access denied for"),
                                   ("/manifests/", 404, "not found: no thing: there is none"), ("/manifests/", 400, "answers 400"),
                                   (self.there.id, 403, "does not give"), (self.digest, 401, "does not give"),
                                   (self.digest, 403, "no thing: there is none"), (self.digest, 404, "the registry lacks"),
                                   (self.digest, 410, "answers 410")):
            with self.subTest(part=part, status=status):
                self.answer(part, lambda handler: refuse(handler, status, "NO_THING", "there is none"))
                self.fails(self.name, says)
                self.assertEqual(len(self.server.requests(part)), 1)

    def test_for_now_is_asked_again_some_times(self):
        for part in ("/manifests/", self.there.id, self.digest):
            for status in (500, 503, 429):
                with self.subTest(part=part, status=status):
                    self.answer(part, lambda handler: refuse(handler, status, "NOT_NOW", "later"))
                    begin = time.monotonic()
                    self.fails(self.name, "not now: later")
                    self.assertEqual(len(self.server.requests(part)), TRIES)
                    self.assertGreater(time.monotonic() - begin, 0.2 + 0.4 + 0.8 + 1.6)

    def test_a_pause_that_is_asked_for_is_made(self):
        times = []

        def answer(handler) -> bool:
            times.append(time.monotonic())
            return len(times) == 1 and refuse(handler, 429, "TOOMANYREQUESTS", "wait", Retry_After="2")

        self.answer("/manifests/", answer)
        self.works(self.name)
        self.assertGreaterEqual(times[1] - times[0], 2)

    def test_what_is_no_manifest(self):
        for text, says in ((b"<html>Log in to this network</html>", "the manifest"), (b'{"schemaVersion": 2}', "neither an index nor"),
                           (self.there.manifest.replace(registry.LAYER.encode(), b"application/x-odd"), "layers of type 'application/x-odd'")):
            self.answer("/manifests/", lambda handler: reply(handler, 200, text, "text/html"))
            self.fails(self.name, says)


class BrokenOff(FaultsTest):
    def test_once_is_made_good(self):
        for part, whole in (("/manifests/", self.there.manifest), (self.there.id, self.there.config),
                            (self.digest, self.there.layers[0])):
            with self.subTest(part=part):
                broken = []

                def answer(handler) -> bool:
                    broken.append(handler.path)
                    return len(broken) == 1 and cut(handler, whole, len(whole) // 2)

                self.answer(part, answer)
                self.works(self.name)
                self.assertEqual(len(broken), 2)
                self.engine.ok("rmi", "-f", self.name)

    def test_always_is_given_up(self):
        for part, whole in (("/manifests/", self.there.manifest), (self.there.id, self.there.config),
                            (self.digest, self.there.layers[0])):
            with self.subTest(part=part):
                self.answer(part, lambda handler: cut(handler, whole, 0))
                self.fails(self.name, "")
                self.assertEqual(len(self.server.requests(part)), TRIES)

    def test_a_push_has_one_bound(self):
        for after in (0, 1 << 10):
            with self.subTest(after=after):
                self.engine.ok("tag", "busybox:latest", f"{self.server.host}/pushed:t")

                def answer(handler) -> bool:
                    if handler.command != "PATCH":
                        return False
                    body_of(handler, after)
                    self.server.uploads.clear()  # and it knows of none when it is asked
                    handler.close_connection = True
                    handler.connection.shutdown(socket.SHUT_RDWR)
                    return True

                self.answer("/uploads/", answer)
                done = self.engine.berth("push", f"{self.server.host}/pushed:t")
                self.assertNotEqual(done.returncode, 0)
                patches = [path for method, path, _ in self.server.log if method == "PATCH"]
                self.assertLessEqual(len(patches), TRIES)
                self.assertGreater(len(patches), 1)


class Silent(FaultsTest):
    def setUp(self) -> None:
        super().setUp()
        self.held = threading.Event()

    def tearDown(self) -> None:
        self.held.set()
        super().tearDown()

    def test_until_the_deadline(self):
        for part in ("/manifests/", self.there.id, self.digest):
            with self.subTest(part=part):
                self.answer(part, lambda handler: self.held.wait(waiting.DEADLINE))
                begin = time.monotonic()
                self.fails(self.name, "too slow")
                self.assertLess(time.monotonic() - begin, 10)
                self.assertEqual(len(self.server.requests(part)), 1)

    def test_after_a_part_the_rest_is_asked_for(self):
        blob = self.there.layers[0]
        asked = []

        def answer(handler) -> bool:
            asked.append(handler.headers.get("Range"))
            if len(asked) > 1:
                return False
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(blob)))
            handler.end_headers()
            handler.wfile.write(blob[:1000])
            handler.wfile.flush()
            return self.held.wait(waiting.DEADLINE)

        self.answer(self.digest, answer)
        self.works(self.name)
        self.assertEqual(asked, [None, "bytes=1000-"])


class Proxy(socketserver.ThreadingTCPServer):
    """Passes on what comes, to `host` in whatever name: `asked` has the first line of each request."""

    daemon_threads = True

    def __init__(self):
        self.asked: list[str] = []
        self.host = ("127.0.0.1", 0)
        super().__init__(("127.0.0.1", 0), self.Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            head = self.request.recv(1 << 16)
            self.server.asked.append(head.split(b"\r\n")[0].decode())
            with socket.create_connection(self.server.host) as there:
                if head.startswith(b"CONNECT "):
                    self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                else:
                    there.sendall(head.replace(b" http://mirror.example/", b" /", 1))
                ends = {self.request: there, there: self.request}
                with contextlib.suppress(ConnectionError):
                    while True:
                        for one in select.select(list(ends), [], [])[0]:
                            data = one.recv(1 << 16)
                            if not data:
                                return
                            ends[one].sendall(data)


class BehindAProxy(PullTest):
    ADDRESS = "192.0.2.7"
    DIRECT = "198.51.100.7"

    @classmethod
    def setUpClass(cls) -> None:
        cls.proxy = Proxy()
        cls.addClassCleanup(cls.proxy.server_close)
        cls.addClassCleanup(cls.proxy.shutdown)
        cls.certificates = Path(tempfile.mkdtemp(prefix="certs-"))
        cls.addClassCleanup(shutil.rmtree, cls.certificates)
        cls.flags = ("--certs-dir", str(cls.certificates))
        for address in (cls.ADDRESS, cls.DIRECT):
            subprocess.run(["ip", "address", "add", f"{address}/32", "dev", "lo"], check=True)
            cls.addClassCleanup(subprocess.run, ["ip", "address", "del", f"{address}/32", "dev", "lo"], check=True)
        address = "http://127.0.0.1:%d" % cls.proxy.server_address[1]
        with mock.patch.dict(os.environ, {"HTTP_PROXY": address, "HTTPS_PROXY": address, "NO_PROXY": "198.51.100.0/24"}):
            super().setUpClass()

    def setUp(self) -> None:
        super().setUp()
        self.proxy.asked.clear()

    def with_tls(self, address: str) -> DebianRegistry:
        server = DebianRegistry(tls=True, address=address)
        server.__enter__()
        self.addCleanup(server.__exit__)
        directory = self.certificates / server.host
        directory.mkdir()
        self.addCleanup(shutil.rmtree, directory)
        shutil.copy(server.base / "ca.crt", directory / "ca.crt")
        return server

    @unittest.skipIf(registry.missing(), registry.missing())
    def test_https_goes_through_it(self):
        server = self.with_tls(self.ADDRESS)
        self.proxy.host = (self.ADDRESS, server.port)
        self.works(server.push("x", "t", self.image()))
        self.assertEqual(set(self.proxy.asked), {f"CONNECT {server.host} HTTP/1.1"})

    @unittest.skipIf(registry.missing(), registry.missing())
    def test_not_to_whom_no_proxy_names(self):
        server = self.with_tls(self.DIRECT)
        self.works(server.push("x", "t", self.image()))
        self.assertEqual(self.proxy.asked, [])

    def test_http_goes_through_it_but_not_to_this_machine(self):
        with Misbehaving() as server:
            name = server.push("x", "t", self.image())
            self.works(name)
            self.assertEqual(self.proxy.asked, [])
            self.engine.ok("rmi", "-f", name)
            directory = self.certificates / server.host
            directory.mkdir()
            self.addCleanup(shutil.rmtree, directory)
            (directory / "hosts.toml").write_text('[host."http://mirror.example"]\n')
            self.proxy.host = ("127.0.0.1", server.server.server_address[1])
            self.works(name)
            self.assertTrue(self.proxy.asked[0].startswith("GET http://mirror.example/v2/x/manifests/t"), self.proxy.asked)


if __name__ == "__main__":
    main()
