#!/usr/bin/env python3
"""Pulls and pushes beside docker, podman and containerd, by the same registry on loopback, with layers made of this machine's own
files: one large layer, many small ones, and zstd. A pull ends when the image can be run: downloaded, verified, unpacked. And
commits, of a container that wrote a tree of many files.

One run each, everyone with a new file system of their own: ext4 keeps out of inodes that were deleted within the last minutes, and
looks for others one by one, which would be charged to whoever comes after a removal, be it one of the last bench.
"""

import itertools
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import harness

harness.use_test_tools()
import images
import isolation
import registry
from docker_peer import Docker
from engine import Engine
from registry import DebianRegistry

TREES = ("/usr/share", "/usr/lib", "/usr/include", "/usr/bin")
LARGE = 300 << 20  # compressed
MANY = 12
SMALL = 25 << 20
COMPRESSION = {"gzip": 2.7, "zstd": 3.0}  # about: files of /usr

# Settings of the peers that have to be said: everything else is their default.
PULL_LIMIT_DOCKER = 0.33
PULL_LIMIT_PEER = 0.5
PUSH_LIMIT_DOCKER = 0.5
COMMIT_LIMIT_DOCKER = 0.5
COMMITTED = "/usr/include"
COMMITS = 3
IMAGE = "busybox:latest"
MEMORY_LIMIT = 64
DISK = 16 << 30  # sparse


@dataclass
class Puller:
    name: str
    pull: Callable[[str], None]


def files() -> Iterator[tuple[str, int]]:
    for tree in TREES:
        for directory, directories, names in os.walk(tree):
            directories.sort()
            for name in sorted(names):
                path = os.path.join(directory, name)
                yield path, os.lstat(path).st_size + 512  # a header


def make_layer(base: Path, pool: Iterator[tuple[str, int]], size: int, form: str) -> tuple[bytes, bytes]:
    """The digest of the tar, and the tar compressed to about `size` bytes."""
    paths, total = [], 0
    for path, length in pool:
        paths.append(path)
        total += length
        if total > size * COMPRESSION[form]:
            break
    (base / "list").write_text("\0".join(paths))
    tar = base / "layer.tar"
    subprocess.run(["tar", "--null", "--no-recursion", "-P", "--transform", "s,^/,,", "-cf", str(tar), "-T", str(base / "list")],
                   check=True, capture_output=True)
    compressed = subprocess.run(["gzip", "-nc", str(tar)] if form == "gzip" else ["zstd", "-qc", str(tar)], check=True,
                                stdout=subprocess.PIPE).stdout
    digest = "sha256:" + subprocess.run(["sha256sum", str(tar)], check=True, stdout=subprocess.PIPE, text=True).stdout.split()[0]
    tar.unlink()
    return digest, compressed


class MadeImage:
    """As registry.Image, of layers that are compressed already."""

    def __init__(self, layers: list[tuple[str, bytes]], form: str):
        self.config = images.config_with([digest for digest, _ in layers])
        self.layers = [compressed for _, compressed in layers]
        self.blobs = {images.digest(blob): blob for blob in (self.config, *self.layers)}
        self.manifest = registry.manifest_of(self.config, self.layers, registry.LAYER.replace("gzip", form))


def make_images(base: Path, scale: float) -> dict[str, MadeImage]:
    def pool() -> Iterator[tuple[str, int]]:
        return itertools.cycle(list(files()))

    many = pool()
    return {
        "one layer of 300 MB, gzip": MadeImage([make_layer(base, pool(), int(LARGE * scale), "gzip")], "gzip"),
        "12 layers of 25 MB, gzip": MadeImage([make_layer(base, many, int(SMALL * scale), "gzip") for _ in range(MANY)],
                                              "gzip"),
        "one layer of 300 MB, zstd": MadeImage([make_layer(base, pool(), int(LARGE * scale), "zstd")], "zstd"),
    }


def run(*words: str, **environment: str) -> None:
    done = subprocess.run(words, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.decode()}")


def new_disk(base: Path, name: str) -> str:
    """A file system in a file, mounted in this mount namespace."""
    file, where = base / f"{name}.ext4", base / name
    where.mkdir()
    with open(file, "wb") as disk:
        disk.truncate(DISK)
    run("mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", str(file))
    run("mount", "-o", "loop", str(file), str(where))
    loop = subprocess.run(["findmnt", "-no", "SOURCE", str(where)], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    run("losetup", "--direct-io=on", loop)  # pages are cached once
    return str(where)


def pullers(engine: Engine, docker: Docker, base: Path) -> list[Puller]:
    found = [Puller("berth pull", lambda name: engine.ok("pull", "-q", name, timeout=600) and None),
             Puller(f"{docker.version()} pull", lambda name: docker.ok("pull", "-q", name) and None)]
    if shutil.which("podman"):
        podman = ["podman", "--root", f"{new_disk(base, 'podman')}/root", "--runroot", f"{base}/podman-run", "--tmpdir", f"{base}/podman-tmp",
                  "--storage-driver", "overlay", "--events-backend", "file"]
        found.append(Puller("podman pull", lambda name: run(*podman, "pull", "-q", "--tls-verify=false", name, HOME=str(base))))
    if shutil.which("ctr"):
        ctr = ["ctr", "--address", f"{docker.base}/exec/containerd/containerd.sock", "--namespace", "bench", "images"]
        found.append(Puller("ctr images pull", lambda name: run(*ctr, "pull", "--plain-http", name)))
    return found


def timed(work: Callable[[], None]) -> float:
    os.sync()  # what the one before left to be written is not charged to this one
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def peak_of(engine: Engine) -> float:
    """MiB; counted anew from now on."""
    process = Path("/proc") / str(engine.daemon.pid)
    status = (process / "status").read_text()
    (process / "clear_refs").write_text("5")
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) / 1024


def table(title: str, times: dict[str, list[float]]) -> dict[str, float]:
    results = [harness.Result(name, statistics.median(values), min(values), max(values), len(values))
               for name, values in times.items()]
    print(harness.table(title, results, unit="s", scale=1.0), flush=True)
    return {result.name: results[0].median / result.median for result in results[1:]}


def measure_pulls(everyone: list[Puller], names: dict[str, str], engine: Engine) -> dict:
    saved = {}
    for title, name in names.items():
        times: dict[str, list[float]] = {}
        peak_of(engine)
        for one in everyone:
            try:
                times[one.name] = [timed(lambda: one.pull(name))]
            except RuntimeError as error:
                print(f"  {one.name} does not pull it: {str(error).strip().splitlines()[-1]}")
        peak = peak_of(engine)
        ratios = table(f"pull and unpack, {title}", times)
        print(f"  berthd's peak of memory: {peak:.1f} MiB")
        for other, ratio in ratios.items():
            if other.startswith("docker"):
                harness.promise(f"pull beside docker, {title}", ratio, PULL_LIMIT_DOCKER)
        harness.promise(f"pull beside the fastest other peer, {title}",
                        max((ratio for other, ratio in ratios.items() if not other.startswith("docker")), default=0.0),
                        PULL_LIMIT_PEER)
        harness.promise(f"peak of memory of a pull, {title}", peak, MEMORY_LIMIT, " MiB")
        saved[title] = {"times_s": times, "berth_ratio": ratios, "peak_mib": peak}
    return saved


def measure_pushes(engine: Engine, docker: Docker, name: str) -> dict:
    """To registries that have nothing yet."""
    times: dict[str, list[float]] = {"berth push": [], f"{docker.version()} push": []}
    for which, call in zip(times, (lambda *words: engine.ok(*words, timeout=600), docker.ok)):
        with DebianRegistry() as target:
            there = f"{target.host}/pushed:1"
            call("tag", name, there)
            times[which].append(timed(lambda: call("push", "-q", there) and None))
    ratios = table("push, 12 layers of 25 MB", times)
    harness.promise("push beside docker", next(iter(ratios.values())), PUSH_LIMIT_DOCKER)
    return {"times_s": times, "berth_ratio": ratios}


def measure_commits(engine: Engine, docker: Docker) -> dict:
    engine.load(images.busybox_image(IMAGE))
    docker.ok("load", stdin=images.busybox_image(IMAGE))
    times: dict[str, list[float]] = {"berth commit": [], f"{docker.version()} commit": []}
    for which, call in zip(times, (lambda *words: engine.ok(*words, timeout=600), docker.ok)):
        for number in range(COMMITS):
            name = f"writer{number}"
            call("run", "--name", name, "--network", "none", "-v", f"{COMMITTED}:/from:ro", IMAGE, "sh", "-c",
                 f"cp -a /from /to && echo {number} > /to/number")
            times[which].append(timed(lambda: call("commit", name, f"committed:{number}") and None))
    ratios = table(f"commit, {COMMITTED} of this machine", times)
    harness.promise("commit beside docker", next(iter(ratios.values())), COMMIT_LIMIT_DOCKER)
    return {"times_s": times, "berth_ratio": ratios}


def main() -> None:
    scale = float(os.environ.get("BERTH_BENCH_SCALE", "1"))  # less than 1: whether it works
    harness.arguments(__doc__, rounds=1)
    if reason := registry.missing():
        raise SystemExit(reason)
    isolation.enter()
    base = Path(tempfile.mkdtemp(prefix="bench-registry-", dir="/var/tmp"))
    try:
        made = make_images(base, scale)
        engine = Engine(root_parent=new_disk(base, "berth"))
        docker = Docker("--iptables=false", "--bridge=none", parent=new_disk(base, "docker"))
        with DebianRegistry() as server, engine, docker:
            names = {title: server.push(f"bench{number}", "1", image) for number, (title, image) in enumerate(made.items())}
            pulls = measure_pulls(pullers(engine, docker, base), names, engine)
            pushes = measure_pushes(engine, docker, list(names.values())[1])
            commits = measure_commits(engine, docker)
        harness.save("registry", {"pulls": pulls, "pushes": pushes, "commits": commits})
    finally:
        for disk in base.glob("*.ext4"):
            subprocess.run(["umount", "-R", disk.with_suffix("")], capture_output=True, check=False)
        shutil.rmtree(base)
    harness.finish()


if __name__ == "__main__":
    main()
