"""Debian's dockerd with berth-runtime in place of runc (--add-runtime)."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "util"))

import waiting
from bundle import RUNTIME
from callers import Dockerd, main
from docker_grammar import IMAGE, DockerGrammar


class UnderDockerd(DockerGrammar):
    make = Dockerd
    code_of_missing = 126  # until docker 23

    def test_the_daemon_knows_it(self):
        runtimes = json.loads(self.caller.ok("info", "--format", "{{json .Runtimes}}"))
        self.assertEqual(runtimes["berth"]["path"], RUNTIME)

    def test_a_network_of_its_own(self):
        self.assertIn("eth0", self.run_it(IMAGE, "ip", "-o", "addr").stdout)

    def test_an_init_in_front(self):
        self.assertIn("docker-init", self.run_it("--init", IMAGE, "cat", "/proc/1/cmdline").stdout)

    def test_a_tmpfs(self):
        self.assertIn("tmpfs on /x ", self.run_it("--tmpfs", "/x", IMAGE, "mount").stdout)

    def test_a_root_that_is_read_only(self):
        self.assertIn("Read-only file system", self.run_it("--read-only", IMAGE, "touch", "/x").stderr)

    def test_a_working_directory_is_made(self):
        self.assertEqual(self.run_it("-w", "/made/here", IMAGE, "pwd").stdout, "/made/here\n")

    def test_a_lack_of_memory_is_told(self):
        self.detached("head -c 100m /dev/zero | tail", "-m", "16m")
        self.wait_for_end()
        waiting.until(lambda: self.state()["OOMKilled"], "the daemon has been told")

    def test_namespaces_of_the_host_and_of_another(self):
        self.detached("sleep 1000")
        shown = self.run_it("--pid", "container:held", "--network", "container:held", IMAGE, "ps").stdout
        self.assertIn("sleep 1000", shown)
        self.assertIn("dockerd", self.run_it("--pid", "host", IMAGE, "ps").stdout)


del DockerGrammar  # the suite itself has no caller

if __name__ == "__main__":
    main(Dockerd)
