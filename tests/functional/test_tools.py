"""The tests' own tools: that a comparison sees what is left behind, and nothing else."""

import os
import sys
import unittest
from dataclasses import replace
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "util"))
import hoststate
import waiting
from berth_testing import HostState, main


class Comparison(unittest.TestCase):
    def test_a_baseline_is_a_state_that_lasts(self):
        one = HostState.look()
        filling = [replace(one, links=one.links + number) for number in (0, 1, 2, 2)]
        with mock.patch.object(HostState, "look", side_effect=filling):
            self.assertEqual(HostState.take().links, one.links + 2)

    def test_a_host_that_does_not_settle_is_an_error(self):
        one = HostState.look()
        restless = (replace(one, links=number) for number in range(1000))
        with mock.patch.object(HostState, "look", side_effect=restless):
            with self.assertRaisesRegex(AssertionError, "links"):
                HostState.take(deadline=0)

    def test_only_cgroups_of_workloads_count(self):
        pids = hoststate.CGROUPS / "pids"
        hierarchy = pids if pids.is_dir() else hoststate.CGROUPS
        parent = hierarchy / hoststate.PARENT_GROUP
        parent.mkdir(exist_ok=True)
        before = HostState.take()
        others, ours = hierarchy / f"somebody-{os.getpid()}.slice", parent / f"left-{os.getpid()}"
        others.mkdir()
        self.addCleanup(others.rmdir)
        self.assertEqual(before.difference(HostState.look()), "")
        ours.mkdir()
        self.addCleanup(ours.rmdir)
        self.assertIn(ours.name, before.difference(HostState.look()))

    def test_forwarding_counts(self):
        switch = Path("/proc/sys/net/ipv4/ip_forward")
        before, value = HostState.take(), switch.read_text(encoding="ascii")
        self.addCleanup(switch.write_text, value, encoding="ascii")
        switch.write_text("1" if value.strip() == "0" else "0", encoding="ascii")
        self.assertIn("forwarding", before.difference(HostState.look()))


class Lines(unittest.TestCase):
    def test_half_a_line_is_kept_for_the_next_time(self):
        ours, theirs = os.pipe()
        self.addCleanup(os.close, theirs)
        with os.fdopen(ours, "rb", buffering=0) as stream:
            lines = waiting.Lines(stream)
            os.write(theirs, b"first\nsec")
            self.assertEqual(lines.next(), "first")
            self.assertFalse(lines.arrive(0))
            os.write(theirs, b"ond\nthird\n")
            self.assertEqual([lines.next(), lines.next()], ["second", "third"])


if __name__ == "__main__":
    main()
