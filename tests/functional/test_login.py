"""berth login and logout: asked of the registry, remembered where docker looks."""

import base64
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "util"))

import images
import registry
from berth_testing import EngineTest, main
from engine import BIN
from registry import DebianRegistry, Misbehaving, refuse, reply


class LoginTest(EngineTest):
    def setUp(self) -> None:
        super().setUp()
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.config = Path(self.directory.name, "docker", "config.json")

    def berth(self, *words: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess:
        return subprocess.run([str(BIN / "berth"), *words], env={**self.engine.environment(), "DOCKER_CONFIG":
                              str(self.config.parent), **environment}, input=stdin, capture_output=True, text=True, check=False)

    def login(self, host: str, user: str, password: str, **environment: str) -> subprocess.CompletedProcess:
        return self.berth("login", "-u", user, "--password-stdin", host, stdin=password + "\n", **environment)


@unittest.skipIf(registry.missing(), registry.missing())
class ToDebians(LoginTest):
    def test_who_logged_in_may_push_and_pull_until_the_logout(self):
        with DebianRegistry(password="secret") as server:
            name = f"{server.host}/mine:1"
            self.engine.ok("load", stdin=images.docker_archive(name, [images.busybox_rootfs()]))
            self.addCleanup(self.engine.ok, "rmi", "-f", name)
            self.assertNotEqual(self.berth("push", name).returncode, 0)
            done = self.login(server.host, server.USER, "secret")
            self.assertEqual((done.returncode, done.stdout), (0, "Login Succeeded\n"), done.stderr)
            self.assertIn(f"stored unencrypted in {self.config}", done.stderr)
            self.assertEqual(self.config.stat().st_mode & 0o777, 0o600)
            pair = json.loads(self.config.read_text())["auths"][server.host]["auth"]
            self.assertEqual(base64.b64decode(pair).decode(), f"{server.USER}:secret")
            self.assertEqual(self.berth("push", name).returncode, 0)
            self.assertEqual(self.berth("logout", server.host).stdout, f"Removing login credentials for {server.host}\n")
            self.assertEqual(json.loads(self.config.read_text())["auths"], {})
            self.assertEqual(self.berth("logout", server.host).stdout, f"Not logged in to {server.host}\n")
            self.assertNotEqual(self.berth("push", name).returncode, 0)

    def test_a_wrong_password_is_not_remembered(self):
        with DebianRegistry(password="secret", tls=True) as server:
            done = self.login(server.host, server.USER, "wrong")
            self.assertEqual(done.returncode, 1)
            self.assertIn("unauthorized: incorrect username or password", done.stderr)
            self.assertFalse(self.config.exists())
            self.assertEqual(self.login(server.host, server.USER, "secret").returncode, 0)

    def test_a_helper_is_told_instead_of_the_file(self):
        helper = Path(self.directory.name, "docker-credential-test")
        told = Path(self.directory.name, "told")
        helper.write_text(f"#!/bin/sh\necho \"$1\" >> {told}\ncat >> {told}\n")
        helper.chmod(0o755)
        self.config.parent.mkdir()
        self.config.write_text('{"credsStore": "test"}')
        path = f"{self.directory.name}:{os.environ['PATH']}"
        with DebianRegistry(password="secret") as server:
            done = self.login(server.host, server.USER, "secret", PATH=path)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            verb, secret = told.read_text().split("\n", 1)
            self.assertEqual((verb, json.loads(secret)),
                             ("store", {"ServerURL": server.host, "Username": server.USER, "Secret": "secret"}))
            told.unlink()
            self.assertEqual(self.berth("logout", server.host, PATH=path).returncode, 0)
            self.assertEqual(told.read_text(), f"erase\n{server.host}")
        self.assertEqual(self.config.read_text(), '{"credsStore": "test"}')


class ToOthers(LoginTest):
    def test_a_token_server_is_asked_for_nothing_but_who_it_is(self):
        def answer(handler) -> bool:
            if handler.path.startswith("/token"):
                me = "Basic " + base64.b64encode(b"me:secret").decode()
                if handler.headers.get("Authorization") != me:
                    return refuse(handler, 401, "UNAUTHORIZED", "who?")
                return reply(handler, 200, b'{"token": "t"}')
            if handler.headers.get("Authorization") == "Bearer t":
                return reply(handler, 200, b"{}")
            return refuse(handler, 401, "UNAUTHORIZED", "who?",
                          WWW_Authenticate=f'Bearer realm="http://{server.host}/token",service="s"')

        server = Misbehaving(answer)
        with server:
            self.assertEqual(self.login(server.host, "me", "secret").returncode, 0)
            self.assertEqual(self.login(server.host, "me", "wrong").returncode, 1)
            self.assertEqual({path for _, path, _ in server.log if "token" in path}, {"/token?service=s"})

    def test_what_is_no_registry(self):
        with Misbehaving() as server:
            self.assertIn("is no registry", self.login(server.host, "a", "b").stderr)
        self.assertIn("is no address of a registry", self.login("no_such/place", "a", "b").stderr)

    def test_flags_that_do_not_go_together(self):
        self.assertIn("Must provide --username", self.berth("login", "--password-stdin").stderr)
        self.assertIn("mutually exclusive", self.berth("login", "-p", "x", "--password-stdin").stderr)
        self.assertIn("non TTY device", self.berth("login", "-u", "x").stderr)
        self.assertIn("Password Required", self.berth("login", "-u", "x", "--password-stdin").stderr)

    def test_a_file_that_is_damaged_stays_as_it_is(self):
        self.config.parent.mkdir()
        self.config.write_text("{broken")
        with Misbehaving(lambda handler: reply(handler, 200, b"{}")) as server:
            done = self.login(server.host, "me", "secret")
        self.assertEqual(done.returncode, 1)
        self.assertIn(str(self.config), done.stderr)
        self.assertEqual(self.config.read_text(), "{broken")


if __name__ == "__main__":
    main()
