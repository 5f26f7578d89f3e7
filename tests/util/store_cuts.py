"""The image store, cut at chosen system calls: what is done to it, where it is cut, and what must be true after that.

The programs of the tests' own do the work: store_workout drives the store as an engine does, cut_calls ends it at its
N-th call that changes a file system.
"""

import dataclasses
import os
import subprocess
import tarfile
from pathlib import Path

import images
import registry
import waiting
from engine import BIN

PROGRAMS = ("store_workout", "cut_calls")
CUT = 137  # SIGKILL


@dataclasses.dataclass(frozen=True)
class Operation:
    """Steps of store_workout, and the names of images that they are about. What the store holds before is `base:1` and
    `spare:1`."""
    name: str
    steps: tuple[str, ...]
    adds: tuple[str, ...] = ()
    removes: tuple[str, ...] = ()
    acknowledged: str = ""  # the word before a name
    heal: tuple[str, ...] = ()  # what brings all of it back, unless the same steps do


def some_files(number: int) -> bytes:
    """A layer with something of each kind in it, some of it to be found in others as well."""
    def fill(tar: tarfile.TarFile) -> None:
        images.add_entry(tar, "dir", tarfile.DIRTYPE, mode=0o750)
        images.add_file(tar, "dir/file", b"%d" % number * 3000)
        images.add_file(tar, "shared", b"%d" % number, 0o4755)
        images.add_file(tar, "one" if number == 1 else f"only{number}", b"x" * 100_000)
        images.add_entry(tar, f"dir/link{number}", tarfile.LNKTYPE, "dir/file")
        images.add_entry(tar, f"sym{number}", tarfile.SYMTYPE, "dir/file")
        if number > 1:
            images.add_file(tar, "dir/.wh.link1" if number == 2 else "dir/.wh.link2", b"")
    return images.tar_of(fill)


class Workout:
    """Archives and a registry that the operations take from, and how to run them."""

    def __init__(self, base: Path):
        self.base = base
        self.server = registry.Misbehaving()  # it does not, here
        self.server.server.handle_error = lambda *_: None  # of clients that are cut
        layers = [some_files(number) for number in (1, 2, 3, 4)]
        for name, tag, which in (("base", "base:1", layers[:1]), ("spare", "spare:1", layers[:2]),
                                 ("new", "new:1", [layers[0], layers[2]])):
            (base / f"{name}.tar").write_bytes(images.docker_archive(tag, which))
        name = self.server.push("team/app", "1", registry.Image([layers[0], layers[1], layers[3]]))
        self.operations = (
            Operation("load", ("load", str(base / "new.tar")), adds=("new:1",), acknowledged="loaded"),
            Operation("pull", ("pull", name), adds=(name,), acknowledged="pulled"),
            Operation("commit", ("commit", "base:1", "made:1"), adds=("made:1",), acknowledged="committed"),
            Operation("gc", ("remove", "spare:1"), removes=("spare:1",), acknowledged="removed",
                      heal=("load", str(base / "spare.tar"))))
        self.digests: dict[str, str] = {}  # of each image's files
        self.listed: list[str] = []  # of a filled store
        self.cuts = 0  # operations that did not come to their end

    def __enter__(self) -> "Workout":
        self.server.__enter__()
        return self

    def __exit__(self, *_) -> None:
        self.server.__exit__()

    @staticmethod
    def command(root: Path, *steps: str) -> list[str]:
        return [str(BIN / "store_workout"), str(root), *steps]

    def run(self, root: Path, *steps: str) -> list[str]:
        """To the end, and well. What it said."""
        done = subprocess.run(self.command(root, *steps), capture_output=True, text=True, check=False,
                              timeout=waiting.DEADLINE)
        assert done.returncode == 0, f"{steps}: exit {done.returncode}: {done.stderr}{done.stdout}"
        return done.stdout.splitlines()

    def fill(self, root: Path) -> None:
        """What is there before an operation."""
        self.listed = self.run(root, "load", str(self.base / "base.tar"), "load", str(self.base / "spare.tar"), "list")[2:]

    def count_calls(self, root: Path, operation: Operation) -> int:
        """Does it all, and says how many calls that takes. The files of its images are what they should be from now on."""
        self.cut(root, operation, 0)
        total = int((self.base / "calls").read_text())
        for line in self.run(root, "list") + self.listed:
            _, name, digest = line.split(" ")
            assert self.digests.setdefault(name, digest) == digest, f"the files of {name} differ from one run to the next"
        return total

    def cut(self, root: Path, operation: Operation, at: int, power: int = 0) -> list[str]:
        """Ends it at that call, 0: never; what it had acknowledged."""
        done = subprocess.run([str(BIN / "cut_calls"), str(at), str(power), str(self.base / "calls"),
                               *self.command(root, *operation.steps)], capture_output=True, text=True, check=False,
                              timeout=waiting.DEADLINE)
        assert done.returncode in (0, CUT) if at else done.returncode == 0, f"exit {done.returncode}: {done.stderr}"
        self.cuts += done.returncode == CUT
        return done.stdout.splitlines()

    def verify(self, root: Path, operation: Operation, acknowledged: list[str]) -> None:
        """Opens the store again: nothing is damaged, what was acknowledged is there, what is listed is whole. Then the same
        operation comes to its end, or what it removed is loaded again, and all of it is there."""
        done = {line.split(" ")[1] for line in acknowledged if line.startswith(operation.acknowledged)}
        stays = {"base:1", "spare:1"} - set(operation.removes)
        listed = self._verify_whole(self.run(root, "check", "list"))
        must = stays | (done & set(operation.adds))
        assert must <= listed, f"of {must} there is only {listed}"
        back = listed & done & set(operation.removes)
        assert not back, f"{back} was removed, and is back"
        listed = self._verify_whole(self.run(root, *(operation.heal or operation.steps), "check", "list"))
        must = stays | set(operation.adds) | set(operation.removes)
        assert must <= listed, f"of {must} there is only {listed} now"
        left = [str(path) for place in ("downloads", "staging", "content/ingest") for path in root.glob(f"*/{place}/*")]
        assert not left, f"{left} is left"

    def _verify_whole(self, said: list[str]) -> set[str]:
        damages = [line for line in said if line.startswith("damage ")]
        assert not damages, damages
        listed = dict(line.split(" ")[1:] for line in said if line.startswith("image "))
        for name, digest in listed.items():
            assert self.digests[name] == digest, f"the files of {name} are not what they were"
        return set(listed)


class EachOperation:
    """Of a test case that has cut_everywhere(name of an operation)."""

    def test_load(self):
        self.cut_everywhere("load")

    def test_pull(self):
        self.cut_everywhere("pull")

    def test_commit(self):
        self.cut_everywhere("commit")

    def test_removal(self):
        self.cut_everywhere("gc")


def spread(total: int, count: int) -> list[int]:
    """`count` of the numbers from 1 to `total`, evenly."""
    return [1 + i * total // count for i in range(count)]


def cuts(total: int, default: int) -> list[int]:
    """Where to cut each operation: BERTH_CUTS says at how many of its calls."""
    return spread(total, min(total, int(os.environ.get("BERTH_CUTS", default))))
