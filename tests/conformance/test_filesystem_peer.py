"""diff, export, commit and history beside Docker's own daemon: the same containers, and what both say of them."""

import contextlib
import io
import json
import os
import sys
import tarfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "util"))

import docker_peer
import images
from berth_testing import IMAGE, EngineTest, main

# What each does to the file system of busybox.
SCRIPTS = {
    "nothing": "true",
    "added": "mkdir -p /a/b/c; echo x > /a/b/c/d; echo y > /root/e",
    "changed": "echo x >> /etc/passwd; chmod 600 /etc/group; touch /etc/not-executable",
    "deleted": "rm /etc/group; rm -r /mnt; mkdir /var/x; rmdir /var/x",
    "made anew": "rm -r /home; mkdir /home; rm -r /etc; mkdir /etc; echo n > /etc/new",
    "kinds": "cd /root; mkfifo p; ln -s p l; echo > f; ln f h; mknod n c 1 3; rm /etc/not-executable;"
             "mkdir /etc/not-executable; rm -r /mnt; echo > /mnt",
    "opened only": "exec 3>>/etc/passwd",
    "attributes": "chmod 700 /var; chown 5:6 /home; chmod 4755 /etc/passwd",
    "order": "cd /root; mkdir a a/b a-b a.b; echo > a/b/c; echo > a-b/c; echo > ab",
}
FLAGS = {"mounts": ("-v", "/data/volume", "--tmpfs", "/run/t")}


class BesideDocker(EngineTest):
    maxDiff = None

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.peer = docker_peer.Docker()
        try:
            cls.peer.__enter__()
        except RuntimeError as why:
            cls.engine.close()
            raise unittest.SkipTest(f"dockerd does not run here: {why}") from None
        cls.peer.ok("load", stdin=images.busybox_image(IMAGE))

    @classmethod
    def tearDownClass(cls) -> None:
        # What dockerd leaves on the host is not compared.
        cls.peer.__exit__()
        cls.engine.close()

    def tearDown(self) -> None:
        self.peer.run("rm", "-f", "-v", "one")
        super().tearDown()

    @contextlib.contextmanager
    def each(self, name: str, *command: str):
        """Gives it to both, which make a container "one", for a test of this name."""
        with self.subTest(name):
            try:
                self.engine.ok(*command)
                self.peer.ok(*command)
                yield
            finally:
                self.engine.berth("rm", "-f", "-v", "one")
                self.peer.run("rm", "-f", "-v", "one")

    def each_script(self, name: str, script: str, *flags: str):
        return self.each(name, "run", "--name", "one", *flags, IMAGE, "sh", "-c", script)

    def test_diff(self):
        for name, script in {**SCRIPTS, "mounts": "true"}.items():
            with self.each_script(name, script, *FLAGS.get(name, ())):
                # Docker makes /etc/mtab in every root.
                peer = [line for line in self.peer.ok("diff", "one").split("\n") if line != "D /etc/mtab"]
                self.assertEqual(self.engine.ok("diff", "one").split("\n"), sorted(peer, key=lambda line: line[2:]))

    @staticmethod
    def entries(archive: bytes) -> dict[str, tuple]:
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            return {member.name: (member.type, oct(member.mode & 0o7777), member.uid, member.gid, member.linkname,
                                  member.size, member.devmajor, member.devminor) for member in tar}

    def test_export(self):
        for name, script in SCRIPTS.items():
            with self.each_script(name, script):
                paths = [self.engine.base / "own.tar", self.engine.base / "peer.tar"]
                self.engine.ok("export", "-o", str(paths[0]), "one")
                self.peer.ok("export", "-o", str(paths[1]), "one")
                own, peer = (self.entries(path.read_bytes()) for path in paths)
                # What an engine makes to mount something on.
                for made in (".dockerenv", "dev/console", "dev/pts", "dev/shm", "etc/mtab", "etc/hostname", "etc/hosts",
                             "etc/resolv.conf"):
                    peer.pop(made, None)
                    own.pop(made, None)
                self.assertEqual(dict(own.items() - peer.items()), dict(peer.items() - own.items()))

    def committed(self, ask, *flags: str) -> dict:
        ask("commit", "-a", "Jane", "-m", "why", *flags, "one", "made:1")
        made = json.loads(ask("inspect", "made:1"))[0]
        config = {key: made["Config"].get(key) or None for key in (
            "User", "ExposedPorts", "Env", "Cmd", "Volumes", "WorkingDir", "Entrypoint", "Labels", "StopSignal")}
        config["Env"] = sorted(config["Env"])
        history = ask("history", "--no-trunc", "--format", "{{.CreatedBy}}|{{.Size}}|{{.Comment}}", "made:1")
        seen = {"config": config, "author": made["Author"],
                "comment": made["Comment"], "layers": len(made["RootFS"]["Layers"]), "history": history,
                "os": made["Os"], "architecture": made["Architecture"]}
        ask("rmi", "made:1")
        return seen

    def test_commit(self):
        own_way = ("-e", "OWN=1", "-w", "/tmp", "-u", "user", "--label", "l=1", "--stop-signal", "INT", "--expose", "81")
        changes = ("-c", "ENV OWN=2 MORE=3", "-c", "WORKDIR sub", "-c", "EXPOSE 80", "-c", "LABEL m=2", "-c",
                   'ENTRYPOINT ["/bin/echo"]', "-c", "VOLUME /v", "-c", "USER 1:2")
        for name, flags, wanted in (("plain", (), ()), ("own", own_way, ()), ("changes", own_way, changes),
                                    ("command", (), ("-c", 'CMD ["a", "b"]', "-c", 'ENTRYPOINT ["c"]')),
                                    ("shell", ("--entrypoint", "/bin/sh"), ("-c", "CMD echo $A"))):
            with self.each(name, "create", "--name", "one", *flags, IMAGE, "sh", "-c", "true"):
                self.assertEqual(self.committed(self.engine.ok, *wanted), self.committed(self.peer.ok, *wanted))

    def test_a_commits_layer(self):
        for name, script in SCRIPTS.items():
            with self.each_script(name, script):
                trees = []
                for ask in (self.engine.ok, self.peer.ok):
                    ask("commit", "one", "made:1")
                    shown = ask("run", "--rm", "made:1", "sh", "-c",
                                "find / -xdev ! -path '/dev/*' ! -path '/etc/host*' ! -path /etc/resolv.conf ! -path /etc/mtab "
                                "! -path /.dockerenv | sort | while read -r n; do stat -c '%n %F %a %u:%g %h' $n; done")
                    trees.append([line for line in shown.split("\n") if not line.startswith(
                        ("/dev ", "/proc ", "/sys ", "/ ", "/etc ")) and " directory " not in line])
                    ask("rmi", "made:1")
                self.assertEqual(*trees)


if __name__ == "__main__":
    if not os.path.exists(docker_peer.SERVER) or docker_peer.client() is None:
        print("skipped: no dockerd to compare with")
        sys.exit(77)
    main()
