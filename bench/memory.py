#!/usr/bin/env python3
"""Memory: the idle engine, and what a running container adds beside its own workload.

Berth: RSS of berthd; private memory of the container's berth-holder, clean pages included. Docker: RSS of dockerd and
containerd; private memory of the container's shim. Each over CONTAINERS containers that sleep. What a container adds is its
keeper's private memory and its share of the growth of the daemons.
"""

import statistics
from pathlib import Path

import harness

harness.use_test_tools()
import images
import isolation
from docker_peer import Docker
from engine import Engine

IMAGE = "busybox:latest"
CONTAINERS = 20


def rss(pid: int) -> float:
    """Resident MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"process {pid} has no memory of its own")


def private(pid: int) -> float:
    """MiB that nobody else shares: what ends with this process."""
    rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(row.split()[1]) for row in rows if row.startswith("Private_")) / 1024


def processes(name: str) -> list[int]:
    """By the name of the program's file: comm is cut at 15 characters."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and Path(entry / "exe").readlink().name == name:
                found.append(int(entry.name))
        except OSError:
            pass
    return found


def measure(run_one, idle: list[str], keeper: str) -> dict[str, float]:
    """Figures of one engine: `idle` names its daemons, `keeper` the process it has per container."""
    result = {f"{name}, idle": sum(rss(pid) for pid in processes(name)) for name in idle}
    for _ in range(CONTAINERS):
        run_one()
    keepers = processes(keeper)
    if len(keepers) != CONTAINERS:
        raise RuntimeError(f"{len(keepers)} processes of {keeper} for {CONTAINERS} containers")
    result[f"{keeper}, each"] = statistics.median(private(pid) for pid in keepers)
    for name in idle:
        result[f"{name}, with {CONTAINERS} containers"] = sum(rss(pid) for pid in processes(name))
    growth = sum(result[f"{name}, with {CONTAINERS} containers"] - result[f"{name}, idle"] for name in idle)
    result[f"a container adds ({keeper} + daemons)"] = result[f"{keeper}, each"] + max(growth, 0) / CONTAINERS
    return result


def main() -> None:
    harness.arguments(__doc__, rounds=1)
    isolation.enter()
    command = ["run", "-d", IMAGE, "sleep", "1000"]
    with Engine() as engine:
        # A first container and its end make the engine load what it will keep.
        engine.load(images.busybox_image(IMAGE))
        engine.ok("run", "--rm", IMAGE, "true")
        own = measure(lambda: engine.ok(*command), ["berthd"], "berth-holder")
    with Docker() as docker:
        docker.ok("load", stdin=images.busybox_image(IMAGE))
        docker.ok("run", "--rm", IMAGE, "true")
        peer = measure(lambda: docker.ok(*command), ["dockerd", "containerd"], "containerd-shim-runc-v2")
        title = docker.version()
    print(f"memory, MiB (Berth, then {title})")
    for name, value in (own | peer).items():
        print(f"  {name:44}{value:>9.2f}")
    harness.promise("berthd idle", own["berthd, idle"], 15, " MiB")
    harness.promise("a running container adds", own["a container adds (berth-holder + daemons)"], 1, " MiB")
    harness.save("memory", {"berth_mib": own, "docker_mib": peer, "docker": title})
    harness.finish()


if __name__ == "__main__":
    main()
