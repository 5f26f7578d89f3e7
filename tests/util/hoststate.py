"""HostState: all that a workload may leave behind on a host, as a value that can be compared."""

import json
import os
import subprocess
import time
from collections import Counter
from dataclasses import dataclass, fields
from pathlib import Path

import waiting

CGROUPS = Path("/sys/fs/cgroup")
PARENT_GROUP = "berth"  # shared by the engines of a host; it stays
SETTLED_SECONDS = 0.05  # two looks so far apart that see the same: nothing is under way any more


def _mounts() -> frozenset[str]:
    """Mount point, type and source of each mount; ids change and say nothing."""
    lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    return frozenset(f"{line.split()[4]} {' '.join(line.split(' - ')[1].split()[:2])}" for line in lines)


def _processes() -> dict[int, str]:
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                found[int(entry.name)] = (entry / "comm").read_text(encoding="utf-8").strip()
            except OSError:
                pass  # it ended while we looked
    return found


def _namespaces(kind: str, pids) -> frozenset[str]:
    """The namespaces that processes live in or hold open as a descriptor."""
    found = set()
    for pid in pids:
        try:
            found.add(os.readlink(f"/proc/{pid}/ns/{kind}"))
            for fd in os.listdir(f"/proc/{pid}/fd"):
                target = os.readlink(f"/proc/{pid}/fd/{fd}")
                if target.startswith(f"{kind}:["):
                    found.add(target)
        except OSError:
            pass
    return frozenset(found)


def _links() -> frozenset[str]:
    shown = subprocess.run(["ip", "-j", "link"], capture_output=True, text=True, check=True).stdout
    return frozenset(link["ifname"] for link in json.loads(shown))


def _is_busy(group: Path) -> bool:
    """Whether a process lives in this cgroup. cgroup.procs leaves out processes of other pid namespaces; cgroup v2 says
    so in cgroup.events, and of v1 the pids controller counts them, under the same path in its own hierarchy."""
    if (group / "cgroup.procs").read_text(encoding="ascii"):
        return True
    events = group / "cgroup.events"
    if events.exists():
        return "populated 1" in events.read_text(encoding="ascii")
    counter = CGROUPS.joinpath("pids", *group.relative_to(CGROUPS).parts[1:], "pids.current")
    return counter.exists() and counter.read_text(encoding="ascii").strip() != "0"


def _empty_cgroups() -> frozenset[str]:
    """Directories without a process: the form in which a cgroup is left behind. Those with processes belong to the
    processes, which are compared for themselves. Only what is below the parent of all workloads counts: the tree is the
    whole host's, and others (a login, a service) come and go in it."""
    found = set()
    for hierarchy in (CGROUPS, *CGROUPS.iterdir()):
        for directory, _, _ in os.walk(hierarchy / PARENT_GROUP, topdown=False):
            group = Path(directory)
            try:
                if group != hierarchy / PARENT_GROUP and not _is_busy(group):
                    found.add(str(group.relative_to(CGROUPS)))
            except OSError:
                pass  # gone while we looked
    return frozenset(found)


def _rules() -> str:
    return subprocess.run(["nft", "-s", "list", "ruleset"], capture_output=True, text=True, check=True).stdout


def _files(directories) -> frozenset[str]:
    found = set()
    for directory in directories:
        for path, names, files in os.walk(directory):
            found.update(os.path.relpath(os.path.join(path, name), directory) for name in names + files)
    return frozenset(found)


@dataclass(frozen=True)
class HostState:
    """A daemon restarts and a prepared sandbox replaces one that was used, with new ids: processes are counted by name,
    network namespaces and links are counted, and fewer is fine: a pool may be filling up."""

    mounts: frozenset[str]
    processes: Counter
    network_namespaces: int
    pid_namespaces: frozenset[str]
    links: int
    cgroups: frozenset[str]
    rules: str
    files: frozenset[str]
    forwarding: str  # net.ipv4.ip_forward

    @staticmethod
    def take(directories=("/tmp", "/run"), deadline: float = waiting.DEADLINE) -> "HostState":
        """The state once it lasts: a pool that is filling up, or an end that is being cleared away behind one's back,
        would make a baseline that nothing is ever equal to again."""
        end, state = time.monotonic() + deadline, HostState.look(directories)
        while True:
            time.sleep(SETTLED_SECONDS)
            later = HostState.look(directories)
            if later == state:
                return state
            if time.monotonic() > end:
                raise AssertionError(f"the host does not settle:\n{state.difference(later)}")
            state = later

    @staticmethod
    def look(directories=("/tmp", "/run")) -> "HostState":
        """The state at this moment."""
        processes = _processes()
        return HostState(
            mounts=_mounts(), processes=Counter(processes.values()),
            network_namespaces=len(_namespaces("net", processes)), pid_namespaces=_namespaces("pid", processes),
            links=len(_links()), cgroups=_empty_cgroups(), rules=_rules(), files=_files(directories),
            forwarding=Path("/proc/sys/net/ipv4/ip_forward").read_text(encoding="ascii").strip())

    def difference(self, later: "HostState") -> str:
        """What is there later and was not before; of mounts, rules and files also what has gone. Empty if nothing."""
        lines = []
        for field in fields(self):
            before, after = getattr(self, field.name), getattr(later, field.name)
            if isinstance(before, int):
                if after > before:
                    lines.append(f"{field.name}: {before} before, {after} after")
            elif isinstance(before, str):
                if after != before:
                    lines.append(f"{field.name}: before\n{before}\nafter\n{after}")
            else:
                lines += [f"{field.name}: + {item}" for item in sorted(after - before)]
                if field.name in ("mounts", "files"):
                    lines += [f"{field.name}: - {item}" for item in sorted(before - after)]
        return "\n".join(lines)

    def wait_until_equal(self, take=None, deadline: float = waiting.DEADLINE) -> None:
        """The kernel and the engine undo some things behind one's back; waits until they have."""
        take = take or HostState.look
        last = ""

        def equal() -> bool:
            nonlocal last
            last = self.difference(take())
            return not last

        try:
            waiting.until(equal, "nothing is left behind", deadline)
        except waiting.Deadline:
            raise AssertionError(f"left behind:\n{last}") from None
