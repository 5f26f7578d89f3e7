#!/usr/bin/env python3
"""`berth-runtime run` of `true` beside crun and runc: one bundle, five namespaces, a cgroup, the default seccomp profile.

The floor is util-linux's unshare with the same five namespaces and nothing else: no root file system, no cgroup, no
seccomp, no state. The second table is BATCH runs in a row without a pause, so that each also pays for what the one before
left the kernel to do.
"""

import itertools
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from io import BytesIO
from pathlib import Path

import harness

harness.use_test_tools()
import images
import isolation

NAMESPACES = {"pid", "mount", "uts", "ipc", "network"}
BATCH = 10
HUGETLB = Path("/sys/fs/cgroup/hugetlb")


def make_bundle(directory: Path, runtime: str) -> None:
    """The runtime's own `spec`, cut to what is compared: one bundle for all."""
    with tarfile.open(fileobj=BytesIO(images.busybox_rootfs())) as tar:
        tar.extractall(directory / "rootfs")
    subprocess.run([runtime, "spec", "--seccomp"], cwd=directory, check=True)
    config = json.loads((directory / "config.json").read_text())
    config["ociVersion"] = "1.0.2"  # an older crun refuses newer ones
    config["process"]["args"] = ["/bin/true"]
    config["process"]["terminal"] = False
    linux = config["linux"]
    linux["namespaces"] = [entry for entry in linux["namespaces"] if entry["type"] in NAMESPACES]
    if {entry["type"] for entry in linux["namespaces"]} != NAMESPACES or not linux.get("seccomp"):
        sys.exit("runtime_run: `berth-runtime spec` lacks one of the five namespaces or the seccomp profile")
    linux["cgroupsPath"] = "/berth-bench"
    (directory / "config.json").write_text(json.dumps(config))


def contender(name: str, argv: list[str], bundle: Path) -> harness.Contender:
    numbers = itertools.count()
    return harness.Contender(name, lambda: harness.run_program(
        [*argv, "run", "--bundle", str(bundle), f"bench-{os.getpid()}-{next(numbers)}"]))


def batch(one: harness.Contender) -> harness.Contender:
    def run_batch() -> None:
        for _ in range(BATCH):
            one.once()
    return harness.Contender(one.name, run_batch)


def version(program: str) -> str:
    first = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.split("\n")[0]
    return first.replace(" version", "")


def main() -> None:
    arguments = harness.arguments(__doc__, rounds=100)
    isolation.enter()
    runtime = str(arguments.bin / "berth-runtime")
    base = Path(tempfile.mkdtemp(prefix="runtime-run-", dir="/var/tmp"))
    made_hugetlb = False
    try:
        # crun refuses a host where one controller is on v2 while the others are on v1. The mount is in our own
        # namespace and ends with it.
        unified = Path("/sys/fs/cgroup/unified/cgroup.controllers")
        if unified.exists() and "hugetlb" in unified.read_text() and not HUGETLB.exists():
            HUGETLB.mkdir()
            made_hugetlb = True
            subprocess.run(["mount", "-t", "cgroup", "-o", "hugetlb", "cgroup", str(HUGETLB)], check=True)
        make_bundle(base, runtime)
        contenders = [contender("berth-runtime", [runtime, "--root", str(base / "berth")], base)]
        for peer in ("crun", "runc"):
            if path := shutil.which(peer, path="/usr/bin:/usr/sbin:/usr/local/bin:/usr/local/sbin"):
                contenders.append(contender(version(path), [path, "--root", str(base / peer)], base))
        contenders.append(harness.Contender("floor: unshare, 5 namespaces", lambda: harness.run_program(
            ["/usr/bin/unshare", "--pid", "--fork", "--mount", "--uts", "--ipc", "--net", "/bin/busybox", "true"])))
        results = harness.measure(contenders, arguments.rounds)
        batches = harness.measure([batch(one) for one in contenders], max(arguments.rounds // BATCH, 3))
    finally:
        if made_hugetlb:
            subprocess.run(["umount", str(HUGETLB)], check=False)
            HUGETLB.rmdir()
        shutil.rmtree(base)
    print(harness.table("run of true: 5 namespaces, cgroup, seccomp", results))
    print(harness.table(f"the same, {BATCH} in a row, each", batches, scale=1000.0 / BATCH))
    for peer, limit in (("crun", 0.6), ("runc", 0.25)):
        harness.promise(f"berth-runtime run beside {peer}", harness.ratio(results, peer), limit)
    harness.save("runtime_run", {"results": harness.as_json(results), "in_a_row": harness.as_json(batches)})
    harness.finish()


if __name__ == "__main__":
    main()
