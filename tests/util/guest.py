"""A virtual machine for a test: QEMU in software, Debian's cloud kernel, and a root file system in memory whose /test runs as
its only program. What that prints on the console is the answer."""

import os
import re
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

QEMU = "qemu-system-x86_64"
ROOT = Path(__file__).resolve().parents[2]
KERNEL = Path(os.environ.get("BERTH_GUEST_KERNEL", ROOT / "build/guest/vmlinuz"))
MODULES = KERNEL.parent / "modules"  # to be loaded in the order of their names
BOOT_LIMIT = 240  # seconds: a boot in software takes 5 to 30

# pivot_root does not work on the first root file system (pivot_root(2)), so the test gets a second one.
INIT = """#!/bin/busybox sh
/bin/busybox mkdir /root
/bin/busybox mount -t tmpfs -o mode=755 tmpfs /root
for name in bin start test files; do /bin/busybox cp -a /$name /root/; done
exec /bin/busybox switch_root /root /bin/busybox sh /start
"""
START = """
busybox=/bin/busybox
$busybox --install -s /bin
export PATH=/bin
mkdir -p /proc /sys /dev /tmp /run /etc
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs tmpfs /run
mount -t cgroup2 cgroup2 /sys/fs/cgroup
echo GUEST-BEGINS
sh /test 2>&1
echo GUEST-ENDS
poweroff -f
"""


def missing() -> str:
    """Why no machine can be started; empty if one can."""
    if shutil.which(QEMU) is None:
        return f"{QEMU} is not installed (tools/setup test installs it)"
    return "" if KERNEL.exists() else f"{KERNEL} is not there (tools/guest_kernel brings it)"


def put_programs(tree: Path, *programs: str) -> None:
    """Copies programs of this host into the tree, at the same places, with the libraries that they load."""
    for program in programs:
        _put_file(tree, program)
    put_libraries(tree, *programs)


def put_libraries(tree: Path, *programs: str) -> None:
    """The libraries alone."""
    for program in programs:
        listed = subprocess.run(["ldd", program], check=True, text=True, stdout=subprocess.PIPE).stdout
        for file in re.findall(r"(/\S+) \(0x", listed):
            _put_file(tree, file)


def _put_file(tree: Path, file: str) -> None:
    target = tree / file.lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(file, target)


def _member(name: str, mode: int, data: bytes, inode: int) -> bytes:
    """One file of a cpio archive in the format "newc": Documentation/driver-api/early-userspace/buffer-format.rst."""
    encoded = name.encode() + b"\0"
    fields = (inode, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(encoded), 0)
    head = b"070701" + b"".join(b"%08x" % field for field in fields) + encoded
    return head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4)


def archive(tree: Path) -> bytes:
    members = [(path.relative_to(tree).as_posix(), path) for path in sorted(tree.rglob("*"))]
    parts = []
    for number, (name, path) in enumerate(members, 1):
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            data = os.readlink(path).encode()
        else:
            data = path.read_bytes() if stat.S_ISREG(status.st_mode) else b""
        parts.append(_member(name, status.st_mode, data, number))
    return b"".join(parts) + _member("TRAILER!!!", 0, b"", 0)


def put(tree: Path, files: dict[str, Path]) -> None:
    """Copies what a test needs below /files of the machine; directories whole."""
    (tree / "files").mkdir(parents=True)
    for name, source in files.items():
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, tree / "files" / name, **({"symlinks": True} if source.is_dir() else {}))


def write_program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def boot(tree: Path, command_line: str = "") -> str:
    """Boots with `tree` as its first root file system, and returns what was printed between the two marks."""
    with tempfile.TemporaryDirectory(prefix="guest-") as directory:
        initrd = Path(directory) / "initrd"
        initrd.write_bytes(archive(tree))
        machine = subprocess.Popen(
            [QEMU, "-accel", "tcg", "-cpu", "max", "-m", "512", "-nographic", "-no-reboot", "-nic", "none", "-kernel",
             str(KERNEL), "-initrd", str(initrd), "-append", f"console=ttyS0 quiet loglevel=1 panic=-1 {command_line}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            output, errors = machine.communicate(timeout=BOOT_LIMIT)
        except subprocess.TimeoutExpired:
            machine.kill()
            output, errors = machine.communicate()
    console = output.decode(errors="replace").replace("\r", "")
    if "GUEST-ENDS" not in console:
        raise AssertionError(f"the machine did not come to its end:\n{console[-3000:]}\n{errors.decode()}")
    return console.split("GUEST-BEGINS\n", 1)[1].split("GUEST-ENDS", 1)[0]


def run(script: str, files: dict[str, Path]) -> str:
    """Boots, runs `script` with busybox's sh, and returns what it printed. `files` are put below /files."""
    with tempfile.TemporaryDirectory(prefix="guest-") as directory:
        tree = Path(directory)
        put(tree, files)
        (tree / "bin").mkdir()
        shutil.copy("/bin/busybox", tree / "bin/busybox")
        write_program(tree / "init", INIT)
        (tree / "start").write_text(START)
        (tree / "test").write_text(script)
        return boot(tree)
