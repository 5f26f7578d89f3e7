"""A stand-in for criu that speaks its protocol (`criu swrk FD`) and does what a plan says, for the conversation with it and its
failures. install() puts one into a directory for PATH; what was asked of it is read with asked()."""

import ctypes
import json
import os
import signal
import socket
import sys
from pathlib import Path

DUMP, RESTORE, PRE_DUMP, NOTIFY, FEATURE_CHECK, VERSION = 1, 2, 4, 6, 9, 10
CLONE_PARENT, SYS_CLONE = 0x8000, 56
DUMP_POINTS = ("pre-dump", "network-lock", "network-unlock", "post-dump")
RESTORE_POINTS = ("pre-restore", "network-lock", "setup-namespaces", "post-setup-namespaces", "post-restore",
                  "orphan-pts-master", "network-unlock", "pre-resume")
WITH_PID = ("setup-namespaces", "post-restore")


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7f | 0x80])
        value >>= 7
    return out + bytes([value])


def field(number: int, value) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def fields(data: bytes) -> dict[int, list]:
    def take() -> int:
        nonlocal data
        value = shift = 0
        while True:
            byte, data = data[0], data[1:]
            value |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                return value
    found: dict[int, list] = {}
    while data:
        key = take()
        value = take()
        if key & 7 == 2:
            value, data = data[:value], data[value:]
        found.setdefault(key >> 3, []).append(value)
    return found


def install(directory: Path, **plan) -> dict[str, str]:
    """The environment in which this criu is the one in PATH. A plan may have:
    version     [3, 17, 1]
    features    {1: memory tracking, 2: lazy pages}
    points      the notifications to send, in order
    answer      bytes in hexadecimal, instead of an answer to the dump or restore
    error       the dump or restore fails, with this in criu's log
    dies_at     ends without a word at this notification, after it was answered; what it restored holds the conversation open
    task        what the restored process runs, for a shell"""
    directory.mkdir(exist_ok=True)
    program = directory / "criu"
    program.write_text(f"#!/bin/sh\nexec {sys.executable} -B {Path(__file__).resolve()} \"$@\"\n")
    program.chmod(0o755)
    (directory / "asked").write_text("")
    return os.environ | {"PATH": f"{directory}:{os.environ['PATH']}", "FAKE_CRIU": json.dumps(plan | {"base": str(directory)})}


def asked(directory: Path) -> list[dict]:
    return [json.loads(line) for line in (directory / "asked").read_text().splitlines()]


class Criu:
    def __init__(self, plan: dict, connection: socket.socket):
        self.plan, self.connection = plan, connection
        self.task = 0

    def note(self, **what) -> None:
        with open(Path(self.plan["base"]) / "asked", "a", encoding="utf-8") as file:
            file.write(json.dumps(what) + "\n")

    def answer(self, kind: int, success: bool, *more: bytes) -> None:
        self.connection.send(field(1, kind) + field(2, int(success)) + b"".join(more))

    def options(self, request: dict[int, list]) -> dict[str, list]:
        def plain(value):
            return value if isinstance(value, int) else value.decode(errors="backslashreplace")
        found = fields(request[2][0]) if 2 in request else {}
        return {str(number): [plain(value) for value in values] for number, values in found.items()}

    def notify(self, point: str) -> bool:
        body = field(1, point) + (field(2, self.task) if point in WITH_PID else b"")
        message = field(1, NOTIFY) + field(2, 1) + field(5, body)
        passed = []
        if point == "orphan-pts-master":
            passed = [os.openpty()[0]]
        socket.send_fds(self.connection, [message], passed)
        reply = fields(self.connection.recv(65536))
        self.note(point=point, success=bool(reply[3][0]))
        if self.plan.get("dies_at") == point:
            os._exit(3)
        return bool(reply[3][0])

    def start_task(self) -> None:
        # As criu does for rst_sibling: a child of the runtime, not of this process.
        self.task = ctypes.CDLL(None).syscall(SYS_CLONE, CLONE_PARENT | signal.SIGCHLD, 0, 0, 0, 0)
        if self.task == 0:
            os.set_inheritable(self.connection.fileno(), "dies_at" in self.plan)
            os.execv("/bin/busybox", ["sh", "-c", self.plan.get("task", "while :; do sleep 1000; done")])

    def work(self, kind: int, request: dict[int, list]) -> None:
        options = self.options(request)
        groups = Path("/proc/self/cgroup").read_text(encoding="utf-8")
        self.note(kind=kind, options=options, cgroups=groups)
        log = Path(f"/proc/{os.getppid()}/fd/{options.get('17', options['1'])[0]}") / options["10"][0]
        log.write_text("(00.1) Warn: nothing\n")
        if "answer" in self.plan:
            self.connection.send(bytes.fromhex(self.plan["answer"]))
            return
        if kind == RESTORE:
            self.start_task()
        points = self.plan.get("points", RESTORE_POINTS[:5] if kind == RESTORE else DUMP_POINTS)
        success = all(self.notify(point) for point in points)
        if "error" in self.plan:
            log.write_text(f"(00.1) Error (criu/x.c:1): {self.plan['error']}\n(00.2) Error (criu/y.c:2): Dumping FAILED.\n")
            success = False
        if kind == DUMP and success and "3" not in options:
            os.kill(options["2"][0], signal.SIGKILL)
        if kind == RESTORE and not success:
            os.kill(self.task, signal.SIGKILL)
        self.answer(kind, success, field(4, field(1, self.task)) if self.task else b"")

    def run(self) -> None:
        while data := self.connection.recv(65536):
            request = fields(data)
            kind = request[1][0]
            if kind == VERSION:
                major, minor, sublevel = self.plan.get("version", (3, 17, 1))
                self.answer(kind, True, field(10, field(1, major) + field(2, minor) + field(4, sublevel)))
            elif kind == FEATURE_CHECK:
                features = self.plan.get("features", {"1": 1, "2": 1})
                self.answer(kind, True, field(8, b"".join(field(int(name), value) for name, value in features.items())))
            else:
                self.work(kind, request)


if __name__ == "__main__":
    Criu(json.loads(os.environ["FAKE_CRIU"]), socket.socket(fileno=int(sys.argv[2]))).run()
