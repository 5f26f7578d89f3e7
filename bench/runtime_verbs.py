#!/usr/bin/env python3
"""What engines ask of a runtime, beside crun and runc, with dockerd's default config.json: create, start and delete of a
container; exec into one; the peak of memory of each verb; whether a container of 1 MiB starts.
"""

import itertools
import os
import re
import subprocess
from pathlib import Path

import harness

harness.use_test_tools()
import isolation
import runtime_bundle
from runtime_bundle import Bundle, Runtime

SMALL = 1 << 20


def verbs(runtime: Runtime) -> set[str]:
    shown = subprocess.run([runtime.argv[0], "--help"], capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"^ +([a-z]+) ", shown, re.M))


def measure_lives(bundle: Bundle, runtimes: list[Runtime], rounds: int) -> list[harness.Result]:
    numbers = itertools.count()

    def contender(runtime: Runtime) -> harness.Contender:
        return harness.Contender(runtime.name, lambda: runtime_bundle.life(
            runtime, bundle.base, f"life-{os.getpid()}-{next(numbers)}", harness.run_program))
    return harness.measure([contender(runtime) for runtime in runtimes], rounds)


def measure_exec(bundle: Bundle, runtimes: list[Runtime], rounds: int) -> list[harness.Result]:
    name = f"exec-{os.getpid()}"
    for runtime in runtimes:
        directory = bundle.write(bundle.base / f"exec-{Path(runtime.argv[0]).name}", args=["/bin/sleep", "100000"],
                                 cgroup=f"/berth-bench-{Path(runtime.argv[0]).name}")
        harness.run_program(runtime.verb("run", "--detach", "--bundle", str(directory), name))
    try:
        return harness.measure([harness.Contender(runtime.name, lambda argv=runtime.verb("exec", name, "/bin/true"):
                                                  harness.run_program(argv)) for runtime in runtimes], rounds)
    finally:
        for runtime in runtimes:
            harness.run_program(runtime.verb("delete", "--force", name))


def peaks(programs: Path, bundle: Bundle, runtime: Runtime) -> dict[str, int]:
    """KiB by verb; of `create` the runtime alone, not what it leaves running."""
    spawn = str(programs / "bench_spawn")
    name = f"peak-{os.getpid()}"
    found = {}

    def peak(verb: str, *words: str) -> None:
        done = subprocess.run([spawn, "peak", *runtime.verb(*words)], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{runtime.name} {' '.join(words)}: {done.stderr}")
        found[verb] = int(done.stdout)
    directory = bundle.write(bundle.base / "peak", args=["/bin/sleep", "100000"])
    peak("run", "run", "--bundle", str(bundle.base), name)
    # The container would keep the pipe of errors open.
    peak_without_pipe = subprocess.run([spawn, "peak", *runtime.verb("create", "--bundle", str(directory), name)],
                                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                       text=True, check=True)
    found["create"] = int(peak_without_pipe.stdout)
    peak("start", "start", name)
    peak("state", "state", name)
    if "exec" in verbs(runtime):
        peak("exec", "exec", name, "/bin/true")
    peak("delete", "delete", "--force", name)
    return found


def starts_small(bundle: Bundle, runtime: Runtime) -> bool:
    directory = bundle.write(bundle.base / "small", memory=SMALL)
    done = subprocess.run(runtime.verb("run", "--bundle", str(directory), f"small-{os.getpid()}"),
                          stdin=subprocess.DEVNULL, capture_output=True, check=False)
    subprocess.run(runtime.verb("delete", "--force", f"small-{os.getpid()}"), capture_output=True, check=False)
    return done.returncode == 0


def main() -> None:
    arguments = harness.arguments(__doc__, rounds=50)
    isolation.enter()
    saved = {}
    with runtime_bundle.prepared(arguments.bin) as (bundle, runtimes):
        lives = measure_lives(bundle, runtimes, arguments.rounds)
        saved["lives"] = harness.as_json(lives)
        execs = measure_exec(bundle, runtimes, arguments.rounds) if "exec" in verbs(runtimes[0]) else None
        memory = {runtime.name: peaks(arguments.bin, bundle, runtime) for runtime in runtimes}
        small = {runtime.name: starts_small(bundle, runtime) for runtime in runtimes}
    print(harness.table("create, start, delete of true", lives))
    if execs:
        saved["exec"] = harness.as_json(execs)
        print(harness.table("exec of true", execs))
    print("peak of memory, MiB")
    for name, by_verb in memory.items():
        print(f"  {name:34}" + "".join(f"  {verb} {kib / 1024:.2f}" for verb, kib in by_verb.items()))
    print("a container of 1 MiB starts: " + ", ".join(f"{name}: {'yes' if ok else 'no'}" for name, ok in small.items()))
    for peer, limit in (("crun", 0.5), ("runc", 0.2)):
        harness.promise(f"create, start, delete beside {peer}", harness.ratio(lives, peer), limit)
        if execs:
            harness.promise(f"exec beside {peer}", harness.ratio(execs, peer), limit)
    own = runtimes[0].name
    harness.promise("peak of memory of the runtime", max(memory[own].values()) / 1024, 2, " MiB")
    harness.promise("containers of 1 MiB that do not start", 0 if small[own] else 1, 0, "")
    harness.save("runtime_verbs", {**saved, "peak_kib": memory, "starts_in_1_mib": small})
    harness.finish()


if __name__ == "__main__":
    main()
