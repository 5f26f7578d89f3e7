"""A virtual machine whose first process is systemd: Debian's own, as it is installed here, with a target that holds the test
alone. No message bus runs in it: what talks to systemd does so over its private socket."""

import shutil
import tempfile
from pathlib import Path

import guest

SYSTEMD = Path("/lib/systemd/systemd")
PROGRAMS = (SYSTEMD, Path("/usr/bin/systemctl"))

# pivot_root does not work on the first root file system (pivot_root(2)), and systemd takes a machine with an initial one for
# what it is: so what is here moves to a second one.
INIT = """#!/usr/bin/busybox sh
/usr/bin/busybox mkdir /machine
/usr/bin/busybox mount -t tmpfs -o mode=755 tmpfs /machine
for name in bin sbin lib lib64 etc files test usr; do /usr/bin/busybox mv /$name /machine/; done
exec /machine/usr/bin/busybox switch_root /machine /lib/systemd/systemd
"""
UNITS = {
    "default.target": "[Unit]\nDefaultDependencies=no\nRequires=test.service\n",
    "test.service": """[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
TimeoutStartSec=infinity
StandardOutput=tty
StandardError=tty
TTYPath=/dev/console
Environment=PATH=/usr/bin
ExecStart=/test
""",
}
TEST = """#!/usr/bin/busybox sh
/usr/bin/busybox --install -s /usr/bin 2> /dev/null
echo GUEST-BEGINS
sh /files/script 2>&1
echo GUEST-ENDS
poweroff -f
"""
USERS = {"passwd": "root:x:0:0::/:/bin/sh\nuser:x:1000:1000::/:/bin/sh\n", "group": "root:x:0:\nuser:x:1000:\n",
         "machine-id": "0123456789abcdef0123456789abcdef\n"}


def missing() -> str:
    """Why no such machine can be started; empty if one can."""
    for program in PROGRAMS:
        if not program.exists():
            return f"{program} is not installed (the package systemd has it)"
    return guest.missing()


def _plant(tree: Path, programs: tuple[str, ...]) -> None:
    for name in ("bin", "sbin", "lib", "lib64"):
        (tree / "usr" / name).mkdir(parents=True)
        (tree / name).symlink_to(f"usr/{name}")
    shutil.copy("/bin/busybox", tree / "usr/bin/busybox")
    guest.put_programs(tree, *map(str, PROGRAMS), *programs)


def run(script: str, files: dict[str, Path], command_line: str = "", units: dict[str, str] | None = None,
        user_units: dict[str, str] | None = None, programs: tuple[str, ...] = ()) -> str:
    """Boots, runs `script` as a service with busybox's sh, and returns what it printed. `files` are put below /files, `units`
    beside the test's own; `user_units` are those of every user's manager; `programs` come with the libraries they need."""
    with tempfile.TemporaryDirectory(prefix="guest-") as directory:
        tree = Path(directory)
        guest.put(tree, files)
        (tree / "files/script").write_text(script)
        _plant(tree, programs)
        guest.write_program(tree / "init", INIT)
        guest.write_program(tree / "test", TEST)
        for manager, texts in (("system", UNITS | (units or {})), ("user", user_units or {})):
            (tree / "etc/systemd" / manager).mkdir(parents=True)
            for name, text in texts.items():
                (tree / "etc/systemd" / manager / name).write_text(text)
        for name, text in USERS.items():
            (tree / "etc" / name).write_text(text)
        return guest.boot(tree, command_line)
