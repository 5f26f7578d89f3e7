#!/usr/bin/env python3
"""Pull and unpack from one registry on this machine: `berth pull` beside `docker pull` and `podman pull`, of (a) one layer of
300 MB, (b) twelve layers with many small files of real Debian trees, (c) the same in zstd, which Debian's docker lacks.

Everybody starts with an empty store and ends with one; only the pull is measured. Sizes are those of the compressed layers.
"""

import gzip
import io
import os
import shutil
import statistics
import subprocess
import tarfile
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import harness

harness.use_test_tools()
import isolation
import registry
from docker_peer import Docker, client
from engine import BIN, Engine

LARGE = 300 << 20   # bytes of the one layer, compressed
SMALL = 25 << 20    # of each of the twelve
TREES = ("/usr/share", "/usr/include", "/usr/lib")  # where files come from
MEMORY = 64  # MiB that a pull may take


def fast_gzip(data: bytes) -> bytes:
    return gzip.compress(data, compresslevel=1)


def zstd(data: bytes) -> bytes:
    return subprocess.run(["zstd", "-c", "-3", "-T2"], input=data, capture_output=True, check=True).stdout


def real_files():
    """Regular files of this machine, small ones of every kind first."""
    for root in TREES:
        for directory, _, names in os.walk(root):
            for name in names:
                path = os.path.join(directory, name)
                try:
                    status = os.lstat(path)
                except OSError:
                    continue
                if os.path.isfile(path) and not os.path.islink(path) and status.st_size < 8 << 20:
                    yield path


def layers(count: int, size: int, files) -> list[bytes]:
    """`count` tars that are about `size` bytes once they are compressed."""
    made = []
    for _ in range(count):
        buffer, packed = io.BytesIO(), 0
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for path in files:
                tar.add(path, recursive=False)
                packed += len(fast_gzip(Path(path).read_bytes()))
                if packed > size:
                    break
        made.append(buffer.getvalue())
    return made


class Podman:
    def __init__(self):
        self.base = tempfile.mkdtemp(prefix="podman-bench-", dir="/var/tmp")
        self.argv = ["/usr/bin/podman", "--root", f"{self.base}/root", "--runroot", f"{self.base}/run", "--tmpdir",
                     f"{self.base}/tmp", "--storage-driver", "overlay", "--cgroup-manager", "cgroupfs",
                     "--events-backend", "file"]

    def close(self) -> None:
        subprocess.run(["umount", "-l", f"{self.base}/root/overlay"], capture_output=True, check=False)
        shutil.rmtree(self.base)


@dataclass
class Puller:
    argv: list[str]
    environment: dict[str, str]
    flags: tuple[str, ...] = ()

    def pull(self, name: str) -> None:
        harness.run_program([*self.argv, "pull", "-q", *self.flags, name], self.environment)

    def forget(self, name: str) -> None:
        harness.run_program([*self.argv, "rmi", "-f", name], self.environment)


def measure(label: str, pullers: dict[str, Puller], name: str, rounds: int) -> list[harness.Result]:
    """Rounds in which each pulls once and forgets; forgetting is not measured."""
    times: dict[str, list[float]] = {contender: [] for contender in pullers}
    for turn in range(rounds + 1):
        for contender, puller in pullers.items():
            os.sync()
            begin = time.perf_counter()
            puller.pull(name)
            if turn > 0:
                times[contender].append(time.perf_counter() - begin)
            puller.forget(name)
    results = [harness.Result(contender, statistics.median(values), min(values), max(values), len(values))
               for contender, values in times.items()]
    print(harness.table(f"{label} (lowest and highest for p10 and p90)", results, unit="s", scale=1.0), flush=True)
    return results


def peak_of(engine: Engine) -> float:
    """MiB that the daemon had resident at most."""
    status = Path(f"/proc/{engine.daemon.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


def main() -> None:
    arguments = harness.arguments(__doc__, rounds=5)
    isolation.enter()
    files = real_files()
    many = layers(12, SMALL, files)
    images = {"b: 12 layers of 25 MB, gzip": registry.Image(many, compress=fast_gzip),
              "c: 12 layers of 25 MB, zstd": registry.Image(many, compress=zstd,
                                                             media_type=registry.LAYER.replace("gzip", "zstd"))}
    images = {"a: one layer of 300 MB, gzip": registry.Image(layers(1, LARGE, files), compress=fast_gzip), **images}
    saved = {}
    podman = Podman()
    engine = Engine(root_parent="/var/tmp")
    with registry.DebianRegistry() as server, engine, Docker() as docker:
        for label, image in images.items():
            name = server.push("bench", label[0], image)
            pullers = {"berth pull": Puller([str(BIN / "berth")], engine.environment())}
            if "zstd" not in label:
                pullers[f"{docker.version()} pull"] = Puller([client()], docker.environment)
            pullers["podman pull"] = Puller(podman.argv, {**os.environ, "HOME": podman.base}, ("--tls-verify=false",))
            results = measure(label, pullers, name, arguments.rounds)
            saved[label[0]] = harness.as_json(results)
            if "zstd" not in label:
                harness.promise(f"{label[0]}: beside docker pull", harness.ratio(results, "docker"), 0.33)
            harness.promise(f"{label[0]}: beside podman pull", harness.ratio(results, "podman"), 0.5)
        peak = peak_of(engine)
    podman.close()
    harness.promise("peak of memory of the engine", peak, MEMORY, " MiB")
    harness.save("pull", {**saved, "peak_mib": peak})
    harness.finish()


if __name__ == "__main__":
    main()
