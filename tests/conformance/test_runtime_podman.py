"""podman with berth-runtime in place of runc (--runtime)."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "util"))

from callers import Podman, main, needs_mount_option
from docker_grammar import IMAGE, DockerGrammar


class UnderPodman(DockerGrammar):
    make = Podman

    def test_podman_asks_for_the_version(self):
        self.assertIn("berth-runtime version", self.caller.ok("info", "--format", "{{.Host.OCIRuntime.Version}}"))

    @needs_mount_option("tmpcopyup")
    def test_a_tmpfs_with_what_the_image_has_there(self):
        shown = self.run_it("--tmpfs", "/etc", IMAGE, "sh", "-c", "mount; cat /etc/passwd").stdout
        self.assertIn("tmpfs on /etc ", shown)
        self.assertIn("root:x:0:0", shown)

    def test_a_tmpfs(self):
        self.assertIn("tmpfs on /x ", self.run_it("--tmpfs", "/x:notmpcopyup", IMAGE, "mount").stdout)

    @needs_mount_option("tmpcopyup")
    def test_a_root_that_is_read_only(self):
        done = self.run_it("--read-only", IMAGE, "sh", "-c", "touch /tmp/x && echo made; touch /x")
        self.assertEqual(done.stdout, "made\n")
        self.assertIn("Read-only file system", done.stderr)

    def test_a_pod_shares_its_namespaces(self):
        self.caller.ok("run", "-d", "--name", "first", "--uts", "private", "--hostname", "shared", IMAGE, "sleep", "1000")
        self.assertEqual(self.run_it("--uts", "container:first", IMAGE, "hostname").stdout, "shared\n")


del DockerGrammar  # the suite itself has no caller

if __name__ == "__main__":
    main(Podman)
