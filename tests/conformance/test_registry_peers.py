"""What docker, podman and skopeo push to a registry, Berth pulls, runs and pushes again, byte for byte; what Berth pushes, they
pull. And the unmodified docker command line pulls and pushes by way of Berth."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "util"))

import images
import registry
from berth_testing import EngineTest, main
from docker_peer import SERVER, Docker
from engine import BIN
from registry import DebianRegistry

DOCKER = shutil.which("docker")


MANIFESTS = ("application/vnd.docker.distribution.manifest.v2+json", registry.MANIFEST)


def has(*programs: str) -> bool:
    return all(Path(program).exists() or shutil.which(program) for program in programs)


@unittest.skipIf(registry.missing(), registry.missing())
class Pushed(EngineTest):
    """Two layers, the second of which takes something of the first away. What the peers leave on a host is there before the
    engine is."""

    @classmethod
    def setUpClass(cls) -> None:
        upper = images.tar_of(lambda tar: (images.add_file(tar, "added", b"yes\n"),
                                           images.add_file(tar, "etc/.wh.group", b"")))
        cls.archive = images.docker_archive("pushed:1", [images.busybox_rootfs(), upper], Labels={"by": "a peer"})
        cls.server = DebianRegistry()
        cls.server.__enter__()
        cls.addClassCleanup(cls.server.__exit__)
        cls.by_docker = cls.push_by_docker() if has(SERVER, "/usr/bin/docker", "containerd") else None
        if has("podman"):
            cls.push_by_podman()
        super().setUpClass()

    @classmethod
    def name(cls, repository: str) -> str:
        return f"{cls.server.host}/{repository}:1"

    @classmethod
    def push_by_docker(cls) -> dict:
        name = cls.name("docker")
        with Docker() as docker:
            docker.ok("load", stdin=cls.archive)
            docker.ok("tag", "pushed:1", name)
            docker.ok("push", "-q", name)
            return json.loads(docker.ok("image", "inspect", name))[0]

    @classmethod
    def by_podman(cls, *steps: tuple[list[str], bytes]) -> str:
        """Runs podman's commands, each with its input, in a store of their own; what the last one says."""
        base = tempfile.mkdtemp(prefix="podman-", dir="/var/tmp")
        command = ["podman", "--root", f"{base}/root", "--runroot", f"{base}/run", "--tmpdir", f"{base}/tmp",
                   "--storage-driver", "vfs", "--events-backend", "file"]
        options = {"env": {**os.environ, "HOME": base}, "check": True, "capture_output": True}
        said = ""
        try:
            for words, given in steps:
                said = subprocess.run([*command, *words], input=given, **options).stdout.decode().strip()
        finally:
            subprocess.run(["umount", "-l", "-R", f"{base}/root/vfs"], capture_output=True, check=False)
            shutil.rmtree(base)
        return said

    @classmethod
    def push_by_podman(cls) -> None:
        cls.by_podman((["load"], cls.archive),
                      (["push", "-q", "--tls-verify=false", "localhost/pushed:1", cls.name("podman")], b""))

    def pulled(self, repository: str) -> dict:
        """Pulls and runs it; what inspect says."""
        name = self.name(repository)
        self.engine.ok("pull", name)
        self.addCleanup(self.engine.ok, "rmi", "-f", name)
        script = "cat /added; test -e /etc/group || echo group gone"
        self.assertEqual(self.engine.ok("run", "--rm", "--pull", "never", name, "sh", "-c", script), "yes\ngroup gone")
        shown = json.loads(self.engine.ok("image", "inspect", name))[0]
        self.assertEqual(shown["Config"]["Labels"], {"by": "a peer"})
        self.assertIn(f"{self.server.host}/{repository}@{self.manifest_digest(repository)}", shown["RepoDigests"])
        self.pushed_again(repository)
        return shown

    def pushed_again(self, repository: str) -> None:
        again = f"{repository}-again"
        self.engine.ok("tag", self.name(repository), self.name(again))
        self.addCleanup(self.engine.ok, "rmi", "-f", self.name(again))
        self.engine.ok("push", "-q", self.name(again))
        self.assertEqual(self.manifest_digest(again), self.manifest_digest(repository))

    def by_us(self) -> str:
        """An image that we loaded, and therefore wrote the manifest of, in the registry."""
        name = self.name("ours")
        self.engine.ok("load", stdin=self.archive)
        self.addCleanup(self.engine.ok, "rmi", "-f", name)
        self.engine.ok("tag", "pushed:1", name)
        self.engine.ok("rmi", "pushed:1")
        self.engine.ok("push", "-q", name)
        return name

    def manifest_digest(self, repository: str) -> str:
        answer = self.server.send("GET", f"/v2/{repository}/manifests/1", Accept=", ".join(MANIFESTS))
        return images.digest(answer.read())

    def test_by_docker(self):
        if self.by_docker is None:
            self.skipTest("docker is not installed")
        ours = self.pulled("docker")
        for field in ("Id", "RepoDigests", "RootFS", "Architecture"):
            self.assertEqual(ours[field], self.by_docker[field], field)

    @unittest.skipUnless(has("podman"), "podman is not installed")
    def test_by_podman(self):
        self.pulled("podman")

    def skopeo(self, *flags: str, repository: str) -> None:
        with tempfile.NamedTemporaryFile(suffix=".tar") as file:
            Path(file.name).write_bytes(self.archive)
            subprocess.run(["skopeo", "copy", "--quiet", "--dest-tls-verify=false", *flags, f"docker-archive:{file.name}",
                            f"docker://{self.name(repository)}"], check=True, capture_output=True)

    @unittest.skipUnless(has("skopeo"), "skopeo is not installed")
    def test_by_skopeo_in_each_format(self):
        for form, *more in (("v2s2",), ("oci",), ("oci", "--dest-compress-format", "zstd")):
            with self.subTest(form):
                self.skopeo("--format", form, *more, repository=f"skopeo{len(more)}")
                self.pulled(f"skopeo{len(more)}")

    @unittest.skipUnless(has(SERVER, "/usr/bin/docker", "containerd"), "docker is not installed")
    def test_docker_pulls_what_we_push(self):
        name = self.by_us()
        # It would leave a bridge and rules of a firewall behind.
        with Docker("--iptables=false", "--bridge=none") as docker:
            docker.ok("pull", "-q", name)
            theirs = json.loads(docker.ok("image", "inspect", name))[0]
        ours = json.loads(self.engine.ok("image", "inspect", name))[0]
        for field in ("Id", "RootFS"):
            self.assertEqual(ours[field], theirs[field], field)
        self.assertLessEqual(set(theirs["RepoDigests"]), set(ours["RepoDigests"]))

    @unittest.skipUnless(has("podman"), "podman is not installed")
    def test_podman_pulls_what_we_push(self):
        name = self.by_us()
        theirs = self.by_podman((["pull", "-q", "--tls-verify=false", name], b""), (["image", "inspect", name], b""))
        ours = json.loads(self.engine.ok("image", "inspect", name))[0]
        self.assertEqual("sha256:" + json.loads(theirs)[0]["Id"], ours["Id"])

    def saved_by_us(self, name: str) -> bytes:
        self.engine.ok("load", stdin=self.archive)
        self.engine.ok("tag", "pushed:1", name)
        self.addCleanup(self.engine.ok, "rmi", "-f", name)
        self.engine.ok("rmi", "pushed:1")
        self.identity = json.loads(self.engine.ok("image", "inspect", name))[0]["Id"]
        return subprocess.run([str(BIN / "berth"), "save", name], env=self.engine.environment(), capture_output=True,
                              check=True).stdout

    def loads(self, archive: bytes, name: str) -> None:
        self.engine.ok("load", stdin=archive)
        self.addCleanup(self.engine.ok, "rmi", "-f", name)
        self.assertEqual(json.loads(self.engine.ok("image", "inspect", name))[0]["Id"], self.identity)

    @unittest.skipUnless(has(SERVER, "/usr/bin/docker", "containerd"), "docker is not installed")
    def test_docker_loads_what_we_save_and_we_what_it_saves(self):
        archive = self.saved_by_us("saved:docker")
        with Docker("--iptables=false", "--bridge=none") as docker:
            docker.ok("load", stdin=archive)
            self.assertEqual(json.loads(docker.ok("image", "inspect", "saved:docker"))[0]["Id"], self.identity)
            docker.ok("tag", "saved:docker", "theirs:1")
            theirs = docker.run("save", "theirs:1").stdout
        self.loads(theirs, "theirs:1")

    @unittest.skipUnless(has("podman"), "podman is not installed")
    def test_podman_loads_what_we_save_and_we_what_it_saves(self):
        archive = self.saved_by_us("saved:podman")
        for form in ("docker-archive", "oci-archive"):
            with self.subTest(form), tempfile.TemporaryDirectory(dir="/var/tmp") as directory:
                said = self.by_podman((["load"], archive), (["tag", "saved:podman", f"theirs:{form}"], b""),
                                      (["save", "--format", form, "-o", f"{directory}/a", f"theirs:{form}"], b""),
                                      (["image", "inspect", "saved:podman"], b""))
                self.assertEqual("sha256:" + json.loads(said)[0]["Id"], self.identity)
                self.loads(Path(directory, "a").read_bytes(), f"localhost/theirs:{form}")

    @unittest.skipUnless(has("skopeo"), "skopeo is not installed")
    def test_skopeo_reads_what_we_save_as_a_layout(self):
        archive = self.saved_by_us("saved:skopeo")
        with tempfile.TemporaryDirectory(dir="/var/tmp") as directory:
            Path(directory, "a.tar").write_bytes(archive)
            Path(directory, "layout").mkdir()
            with tarfile.open(f"{directory}/a.tar") as tar:
                tar.extractall(f"{directory}/layout", filter="data")
            subprocess.run(["skopeo", "copy", "--quiet", f"oci:{directory}/layout:skopeo", f"dir:{directory}/out"],
                           check=True, capture_output=True)
            self.assertEqual(images.digest(Path(directory, "out/manifest.json").read_bytes()),
                             json.loads(Path(directory, "layout/index.json").read_text())["manifests"][0]["digest"])

    @unittest.skipUnless(DOCKER, "docker is not installed")
    def test_dockers_command_line_logs_in(self):
        with DebianRegistry(password="secret") as server, tempfile.TemporaryDirectory() as directory:
            def login(password: str) -> subprocess.CompletedProcess:
                return subprocess.run([DOCKER, "login", "-u", server.USER, "--password-stdin", server.host], input=password,
                                      env={**self.engine.environment(), "DOCKER_CONFIG": directory}, capture_output=True,
                                      text=True, check=False)
            self.assertIn("unauthorized", login("wrong").stderr)
            self.assertIn("Login Succeeded", login("secret").stdout)

    @unittest.skipUnless(DOCKER, "docker is not installed")
    def test_dockers_command_line_shows_a_push_of_ours(self):
        image = registry.Image([images.busybox_rootfs()], Labels={"by": self.id()})
        name = self.server.push("cli-push", "1", image)
        self.addCleanup(self.engine.ok, "rmi", "-f", name)
        self.engine.ok("pull", name)
        done = self.engine.berth("push", name, program=DOCKER)
        self.assertEqual(done.returncode, 0, done.stderr)
        for line in (f"The push refers to repository [{self.server.host}/cli-push]", "Layer already exists",
                     f"1: digest: {image.digest} size: {len(image.manifest)}"):
            self.assertIn(line, done.stdout)
        missing = self.engine.berth("push", f"{self.server.host}/nothing:1", program=DOCKER)
        self.assertEqual(missing.returncode, 1)
        self.assertIn("An image does not exist locally with the tag", missing.stderr)

    @unittest.skipUnless(DOCKER, "docker is not installed")
    def test_dockers_command_line_shows_a_pull_of_ours(self):
        image = registry.Image([images.busybox_rootfs()], Labels={"by": self.id()})
        name = self.server.push("cli", "1", image)
        self.addCleanup(self.engine.ok, "rmi", "-f", name)
        done = self.engine.berth("pull", name, program=DOCKER)
        self.assertEqual(done.returncode, 0, done.stderr)
        for line in ("1: Pulling from cli", f"Digest: {image.digest}", f"Status: Downloaded newer image for {name}", name):
            self.assertIn(line, done.stdout)
        again = self.engine.berth("pull", "-q", name, program=DOCKER)
        self.assertEqual(again.stdout.strip(), name)
        missing = self.engine.berth("pull", f"{self.server.host}/nothing:1", program=DOCKER)
        self.assertEqual(missing.returncode, 1)
        self.assertIn("manifest for", missing.stderr)


if __name__ == "__main__":
    main()
