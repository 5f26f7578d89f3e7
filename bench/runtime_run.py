#!/usr/bin/env python3
"""`berth-runtime run` of `true` beside crun and runc, with dockerd's default config.json (runtime_bundle.py).

The floor is clone3 into the same five namespaces and an exec: no root file system, no cgroup, no seccomp, no state. The
second table is BATCH runs in a row without a pause, so that each also pays for what the one before left the kernel to do.
"""

import itertools
import os
from pathlib import Path

import harness

harness.use_test_tools()
import isolation
import runtime_bundle
from runtime_bundle import Runtime

BATCH = 10


def contender(runtime: Runtime, bundle: Path) -> harness.Contender:
    numbers = itertools.count()
    return harness.Contender(runtime.name, lambda: harness.run_program(
        runtime.verb("run", "--bundle", str(bundle), f"bench-{os.getpid()}-{next(numbers)}")))


def batch(one: harness.Contender) -> harness.Contender:
    def run_batch() -> None:
        for _ in range(BATCH):
            one.once()
    return harness.Contender(one.name, run_batch)


def main() -> None:
    arguments = harness.arguments(__doc__, rounds=100)
    isolation.enter()
    with runtime_bundle.prepared(arguments.bin) as (bundle, runtimes):
        contenders = [contender(runtime, bundle.base) for runtime in runtimes]
        contenders.append(harness.Contender("floor: clone3, 5 namespaces, exec", lambda: harness.run_program(
            [str(arguments.bin / "bench_spawn"), "floor", "/bin/busybox", "true"])))
        results = harness.measure(contenders, arguments.rounds)
        batches = harness.measure([batch(one) for one in contenders], max(arguments.rounds // BATCH, 3))
    print(harness.table("run of true, dockerd's default config.json", results))
    print(harness.table(f"the same, {BATCH} in a row, each", batches, scale=1000.0 / BATCH))
    for peer, limit in (("crun", 0.5), ("runc", 0.2)):
        harness.promise(f"berth-runtime run beside {peer}", harness.ratio(results, peer), limit)
    harness.save("runtime_run", {"results": harness.as_json(results), "in_a_row": harness.as_json(batches)})
    harness.finish()


if __name__ == "__main__":
    main()
