#!/usr/bin/env python3
"""COUNT containers created, started and deleted, AT_ONCE at a time, beside one at a time, on one core both.

One that fails ends the bench. What is left behind is looked for afterwards: cgroups, mounts, records, processes.
"""

import itertools
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import harness

harness.use_test_tools()
import isolation
import runtime_bundle
from hoststate import CGROUPS, HostState
from runtime_bundle import Bundle, Runtime

COUNT = 500
AT_ONCE = 16
GROUP = "berth-bench-many"


def lives(runtime: Runtime, bundles: list[Path], count: int) -> float:
    """Seconds a container, with as many at a time as there are bundles: each has a cgroup of its own."""
    free = list(bundles)
    numbers = itertools.count()

    def one(_: int) -> None:
        directory = free.pop()
        runtime_bundle.life(runtime, directory, f"many-{os.getpid()}-{next(numbers)}", harness.run_program)
        free.append(directory)
    begin = time.perf_counter()
    with ThreadPoolExecutor(len(bundles)) as pool:
        list(pool.map(one, range(count)))
    return (time.perf_counter() - begin) / count


def left_behind(before: HostState, base: Path) -> str:
    groups = [str(group) for mount in (CGROUPS, *CGROUPS.glob("*")) if (mount / GROUP).is_dir()
              for group in (mount / GROUP).iterdir() if group.is_dir()]
    records = [str(record) for root in ("berth", "crun", "runc") if (base / root).is_dir()
               for record in (base / root).iterdir() if "many-" in record.name]
    return "\n".join([before.difference(HostState.look()), *groups, *records]).strip()


def remove_parents() -> None:
    for mount in (CGROUPS, *CGROUPS.glob("*")):
        if (mount / GROUP).is_dir():
            (mount / GROUP).rmdir()


def measure(bundle: Bundle, runtime: Runtime, count: int) -> tuple[float, float]:
    """(one at a time, AT_ONCE at a time), in rounds that take turns."""
    bundles = [bundle.write(bundle.base / f"many-{i}", cgroup=f"/{GROUP}/{i}") for i in range(AT_ONCE)]
    rounds = 5
    alone, together = [], []
    for _ in range(rounds):
        alone.append(lives(runtime, bundles[:1], count // rounds))
        together.append(lives(runtime, bundles, count // rounds))
    return sum(alone) / rounds, sum(together) / rounds


def main() -> None:
    arguments = harness.arguments(__doc__, rounds=COUNT)
    isolation.enter()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    saved = {}
    with runtime_bundle.prepared(arguments.bin) as (bundle, runtimes):
        print(f"{arguments.rounds} containers on one core, each")
        for runtime in runtimes:
            lives(runtime, [bundle.base], 3)
            before = HostState.take()
            alone, together = measure(bundle, runtime, arguments.rounds)
            if runtime is runtimes[0]:
                before.wait_until_equal()
                leaks = left_behind(before, bundle.base)
                harness.promise(f"things left behind {leaks}", len(leaks.splitlines()), 0, "")
                harness.promise(f"{AT_ONCE} at a time beside one at a time", together / alone, 1.5)
            remove_parents()
            saved[runtime.name] = {"alone_s": alone, "together_s": together}
            print(f"  {runtime.name:34}{alone * 1000:8.2f} ms one at a time{together * 1000:8.2f} ms {AT_ONCE} at a time"
                  f"{together / alone:8.2f}x", flush=True)
    harness.save("runtime_many", saved)
    harness.finish()


if __name__ == "__main__":
    main()
