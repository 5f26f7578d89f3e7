"""Several engines on one host: each has its own bridge, its own subnet and its own containers."""

import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "util"))
import images
import waiting
from berth_testing import BIN, IMAGE, Engine, HostState, main


class Plain(Engine):
    """Picks its subnet itself, as an engine does that is told nothing."""

    def command(self) -> list[str]:
        return [str(BIN / "berthd"), "--root", str(self.root), "--run", str(self.run), "--host", self.url,
                "--bridge", f"side{self.number}"]


def fetch(port: int) -> bytes:
    return subprocess.run(["curl", "-sf", "-m", "5", f"http://127.0.0.1:{port}/x"], capture_output=True,
                          check=False).stdout


class SideBySide(unittest.TestCase):
    def setUp(self) -> None:
        self.before = HostState.take()
        self.engines = [Plain().start() for _ in range(3)]
        for engine in self.engines:
            engine.load(images.busybox_image(IMAGE))

    def serve(self, engine: Engine, port: int) -> None:
        engine.ok("run", "-d", "--name", "web", "-p", f"127.0.0.1:{port}:80", IMAGE, "sh", "-c",
                  f"echo {port} > /tmp/x; exec httpd -f -h /tmp")
        waiting.until(lambda: fetch(port) == f"{port}\n".encode(), "it serves")

    def test_they_do_not_know_of_one_another(self):
        first, second, third = self.engines
        for port, engine in enumerate(self.engines, 18301):
            self.serve(engine, port)
        addresses = [engine.inspect("web")["NetworkSettings"]["IPAddress"] for engine in self.engines]
        subnets = {".".join(address.split(".")[:2]) for address in addresses}
        self.assertEqual(len(subnets), 3, addresses)
        for engine in self.engines:
            self.assertEqual(engine.ok("ps", "--format", "{{.Names}}"), "web")
        # Neither way around the published port, nor a port that another engine has.
        self.assertNotEqual(second.berth("run", "--rm", IMAGE, "wget", "-q", "-T", "1", "-O", "-",
                                         f"http://{addresses[0]}/x").returncode, 0)
        taken = second.berth("run", "-d", "-p", "127.0.0.1:18301:80", IMAGE, "true")
        self.assertEqual(taken.returncode, 125)
        self.assertIn("address already in use", taken.stderr)
        # One dies, another leaves the host: the third does not notice.
        first.kill()
        second.ok("rm", "-f", "-v", *second.ok("ps", "-aq").split())
        second.close()
        self.assertEqual(fetch(18301), b"18301\n")
        self.assertEqual(fetch(18303), b"18303\n")
        first.start()
        self.assertTrue(first.is_running("web"))
        self.engines.remove(second)
        self.finish()

    def test_a_bridge_belongs_to_the_engine_that_runs_with_it(self):
        first = self.engines[0]
        self.serve(first, 18311)
        other = self.engines[1]
        clash = [*other.command()[:-1], f"side{first.number}"]
        clash[clash.index("--root") + 1] = str(other.base / "another")
        clash[clash.index("--host") + 1] = f"unix://{other.base}/another.sock"
        done = subprocess.run(clash, capture_output=True, text=True, check=False, timeout=waiting.DEADLINE)
        self.assertEqual(done.returncode, 1)
        self.assertIn("name another --bridge", done.stderr)
        done = subprocess.run([*clash, "--teardown"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(fetch(18311), b"18311\n")
        self.finish()

    def finish(self) -> None:
        # The one that turned forwarding on goes last, and turns it off.
        for engine in reversed(self.engines):
            engine.close()
        self.before.wait_until_equal()


if __name__ == "__main__":
    main()
