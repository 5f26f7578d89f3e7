"""containerd with berth-runtime in place of runc (ctr run --runc-binary)."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "util"))

import waiting
from callers import CallerTest, Containerd, main, needs


class UnderContainerd(CallerTest):
    make = Containerd

    def run_it(self, name: str, *words: str, flags: tuple[str, ...] = (), **options):
        return self.caller.run(*self.caller.container(name, *words, flags=("--rm", *flags)), **options)

    def detached(self, *words: str, flags: tuple[str, ...] = ()) -> None:
        self.caller.ok(*self.caller.container("held", *words, flags=("--detach", *flags)))

    def status(self) -> str:
        rows = dict(line.split()[::2] for line in self.caller.ok("tasks", "ls").splitlines()[1:])
        return rows["held"]

    def test_output_and_exit_codes(self):
        done = self.run_it("out", "sh", "-c", "echo out; echo err >&2; exit 7")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (7, "out\n", "err\n"))

    def test_what_cannot_be_executed_is_named(self):
        done = self.run_it("none", "nosuch")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r'OCI runtime create failed: .*exec: "nosuch": executable file not found in \$PATH')

    def test_a_life(self):
        self.detached("sleep", "1000")
        self.assertEqual(self.status(), "RUNNING")
        self.caller.ok("tasks", "kill", "--signal", "KILL", "held")
        waiting.until(lambda: self.status() == "STOPPED", "it has stopped")
        self.caller.ok("tasks", "delete", "held")

    def test_metrics_have_the_limit(self):
        self.detached("sleep", "1000", flags=("--memory-limit", str(64 << 20)))
        self.assertIn(str(64 << 20), self.caller.ok("tasks", "metrics", "held"))

    def test_the_shim_s_own_root_has_the_container(self):
        self.detached("sleep", "1000")
        record = json.loads((self.caller.base / "runc/default/held/state.json").read_text())
        self.assertEqual(record["id"], "held")

    @needs("ps")
    def test_processes(self):
        self.detached("sleep", "1000")
        pid = self.caller.ok("tasks", "ls").splitlines()[1].split()[1]
        self.assertIn(pid, self.caller.ok("tasks", "ps", "held"))

    @needs("pause", "resume")
    def test_pause(self):
        self.detached("sleep", "1000")
        self.caller.ok("tasks", "pause", "held")
        self.assertEqual(self.status(), "PAUSED")
        self.caller.ok("tasks", "resume", "held")
        self.assertEqual(self.status(), "RUNNING")

    @needs("exec")
    def test_exec(self):
        self.detached("sleep", "1000")
        self.assertEqual(self.caller.ok("tasks", "exec", "--exec-id", "one", "held", "echo", "inside"), "inside")
        done = self.caller.run("tasks", "exec", "--exec-id", "two", "held", "sh", "-c", "exit 5")
        self.assertEqual(done.returncode, 5, done.stderr)
        done = self.caller.run("tasks", "exec", "--exec-id", "three", "held", "nosuch")
        self.assertIn('exec: "nosuch": executable file not found in $PATH', done.stderr)


if __name__ == "__main__":
    main(Containerd)
