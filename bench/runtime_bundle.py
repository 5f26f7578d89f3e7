"""What the benches of OCI runtimes share: one bundle for all, and the runtimes that are compared.

The config.json is what Debian's dockerd 20.10 gives to its runtime for `docker run -m 512m --cpus 1 --pids-limit 512 IMAGE`,
but for the hook that calls dockerd back for its network: five namespaces, 14 capabilities, the mounts with three files of
the engine's, device rules, two sysctls, masked and read-only paths, and the default seccomp profile.
"""

import json
import os
import select
import shutil
import subprocess
import tarfile
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import images
import waiting

HUGETLB = Path("/sys/fs/cgroup/hugetlb")
MEMORY = 512 << 20
CAPABILITIES = [f"CAP_{name}" for name in (
    "CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "MKNOD", "NET_RAW", "SETGID", "SETUID", "SETFCAP", "SETPCAP",
    "NET_BIND_SERVICE", "SYS_CHROOT", "KILL", "AUDIT_WRITE")]
DEVICES = [(1, 5), (1, 3), (1, 9), (1, 8), (5, 0), (5, 1)]
KEPT = ["nosuid", "noexec", "nodev"]


@dataclass
class Runtime:
    name: str
    argv: list[str]  # the program and its --root

    def verb(self, *arguments: str) -> list[str]:
        return [*self.argv, *arguments]


def mounts(files: Path) -> list[dict]:
    def mount(destination: str, kind: str, source: str, options: list[str]) -> dict:
        return {"destination": destination, "type": kind, "source": source, "options": options}
    return [
        mount("/proc", "proc", "proc", KEPT),
        mount("/dev", "tmpfs", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]),
        mount("/dev/pts", "devpts", "devpts",
              ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]),
        mount("/sys", "sysfs", "sysfs", [*KEPT, "ro"]),
        mount("/sys/fs/cgroup", "cgroup", "cgroup", ["ro", *KEPT]),
        mount("/dev/mqueue", "mqueue", "mqueue", KEPT),
        mount("/dev/shm", "tmpfs", "shm", [*KEPT, "mode=1777", "size=67108864"]),
        *(mount(f"/etc/{name}", "bind", str(files / name), ["rbind", "rprivate"])
          for name in ("resolv.conf", "hostname", "hosts"))]


def config(seccomp: dict, files: Path) -> dict:
    return {
        "ociVersion": "1.0.2",
        "process": {
            "user": {"uid": 0, "gid": 0, "additionalGids": [0]}, "args": ["/bin/true"], "cwd": "/",
            "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOSTNAME=bench"],
            "capabilities": {kind: CAPABILITIES for kind in ("bounding", "effective", "permitted")},
            "oomScoreAdj": 0},
        "root": {"path": "rootfs"},
        "hostname": "bench",
        "mounts": mounts(files),
        "linux": {
            "sysctl": {"net.ipv4.ip_unprivileged_port_start": "0", "net.ipv4.ping_group_range": "0 2147483647"},
            "resources": {
                "devices": [{"allow": False, "access": "rwm"},
                            *({"allow": True, "type": "c", "major": major, "minor": minor, "access": "rwm"}
                              for major, minor in DEVICES),
                            {"allow": False, "type": "c", "major": 10, "minor": 229, "access": "rwm"}],
                "memory": {"limit": MEMORY, "swap": 2 * MEMORY, "disableOOMKiller": False},
                "cpu": {"shares": 0, "quota": 100000, "period": 100000},
                "pids": {"limit": 512}, "blockIO": {"weight": 0}},
            "cgroupsPath": "/berth-bench",
            "namespaces": [{"type": kind} for kind in ("mount", "network", "uts", "pid", "ipc")],
            "seccomp": seccomp,
            "maskedPaths": ["/proc/asound", "/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
                            "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware"],
            "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]}}


class Bundle:
    """A directory with the root file system and a config.json; `write` makes a further one beside it."""

    def __init__(self, base: Path, runtime: Path):
        self.base = base
        with tarfile.open(fileobj=BytesIO(images.busybox_rootfs())) as tar:
            tar.extractall(base / "rootfs")
        for name in ("resolv.conf", "hostname", "hosts"):
            (base / "rootfs/etc" / name).touch()
            (base / name).write_text("127.0.0.1 localhost\n", encoding="ascii")
        # Docker's default profile, which is what `spec` has.
        subprocess.run([runtime, "spec", "--seccomp"], cwd=base, check=True)
        self.config = config(json.loads((base / "config.json").read_text())["linux"]["seccomp"], base)
        self.write(base)

    def write(self, directory: Path, **changes) -> Path:
        """`args` and `cgroup` take the place of true and of the one cgroup; `memory` is a limit in bytes."""
        content = json.loads(json.dumps(self.config))
        content["root"]["path"] = str(self.base / "rootfs")
        content["process"]["args"] = changes.get("args", ["/bin/true"])
        content["linux"]["cgroupsPath"] = changes.get("cgroup", "/berth-bench")
        if "memory" in changes:
            content["linux"]["resources"]["memory"] = {"limit": changes["memory"], "swap": changes["memory"]}
        directory.mkdir(exist_ok=True)
        (directory / "config.json").write_text(json.dumps(content), encoding="utf-8")
        return directory


def cgroups_of(controller: str) -> int:
    rows = (line.split() for line in Path("/proc/cgroups").read_text(encoding="ascii").splitlines())
    return next(int(row[2]) for row in rows if row[0] == controller)


@contextmanager
def hugetlb_on_v1():
    """crun refuses a host where one controller is on v2 while the others are on v1. The mount is in our own namespace
    and ends with it."""
    unified = Path("/sys/fs/cgroup/unified/cgroup.controllers")
    wanted = unified.exists() and "hugetlb" in unified.read_text() and not HUGETLB.exists()
    if wanted:
        HUGETLB.mkdir()
        subprocess.run(["mount", "-t", "cgroup", "-o", "hugetlb", "cgroup", str(HUGETLB)], check=True)
    try:
        yield
    finally:
        if wanted:
            # A hierarchy outlives its mount as long as it has a child, also one whose end is still under way; and
            # containerd cannot work where there is one that is not mounted.
            for group in sorted((path for path in HUGETLB.rglob("*") if path.is_dir()), reverse=True):
                group.rmdir()
            waiting.until(lambda: cgroups_of("hugetlb") == 1, "the hierarchy has no children")
            subprocess.run(["umount", str(HUGETLB)], check=True)
            HUGETLB.rmdir()


@contextmanager
def prepared(programs: Path):
    """(bundle, runtimes): berth-runtime first, then the peers that are installed."""
    base = Path(tempfile.mkdtemp(prefix="runtime-", dir="/var/tmp"))
    try:
        runtime = programs / "berth-runtime"
        runtimes = [Runtime("berth-runtime", [str(runtime), "--root", str(base / "berth")])]
        for peer in ("crun", "runc"):
            if path := shutil.which(peer, path="/usr/bin:/usr/sbin:/usr/local/bin:/usr/local/sbin"):
                runtimes.append(Runtime(version(path), [path, "--root", str(base / peer)]))
        with hugetlb_on_v1():
            yield Bundle(base, runtime), runtimes
    finally:
        shutil.rmtree(base)


def version(program: str) -> str:
    first = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.split("\n")[0]
    return first.replace(" version", "")


def life(runtime: Runtime, bundle: Path, name: str, run_program) -> None:
    """create, start, the end of the workload, delete."""
    pid_file = bundle / f"{name}.pid"
    run_program(runtime.verb("create", "--bundle", str(bundle), "--pid-file", str(pid_file), name))
    pidfd = os.pidfd_open(int(pid_file.read_text()))
    try:
        run_program(runtime.verb("start", name))
        wait_readable(pidfd)
    finally:
        os.close(pidfd)
    run_program(runtime.verb("delete", name))
    pid_file.unlink()


def wait_readable(pidfd: int) -> None:
    """Until the process has ended."""
    select.select([pidfd], [], [])
