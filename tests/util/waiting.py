"""Waiting for what another process does: always for an event or a condition, never for a while."""

import os
import select
import time
from collections.abc import Callable

DEADLINE = 30.0  # seconds; far beyond what anything takes, so that only a hang meets it
STEP_MS = 10     # how often a condition without an event of its own is looked at


class Deadline(AssertionError):
    """A condition did not come true."""


def until(condition: Callable[[], object], what: str, deadline: float = DEADLINE, pidfd: int | None = None):
    """Returns the first true value of `condition`. Ends early if the process behind `pidfd` ends."""
    poll = select.poll()
    if pidfd is not None:
        poll.register(pidfd, select.POLLIN)
    end = time.monotonic() + deadline
    while True:
        if value := condition():
            return value
        if poll.poll(STEP_MS):
            raise Deadline(f"the process ended while waiting until {what}")
        if time.monotonic() > end:
            raise Deadline(f"waited {deadline:.0f} s in vain until {what}")


def read_until(stream, wanted: bytes, deadline: float = DEADLINE) -> bytes:
    """Reads from a pipe, socket or terminal until `wanted` has been seen; returns all that was read."""
    fd = stream if isinstance(stream, int) else stream.fileno()
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    end, seen = time.monotonic() + deadline, b""
    while wanted not in seen:
        left = end - time.monotonic()
        if left <= 0 or not poll.poll(left * 1000):
            raise Deadline(f"waited {deadline:.0f} s for {wanted!r}, got {seen!r}")
        try:
            data = os.read(fd, 65536)
        except OSError:  # a terminal whose other side is closed reads as EIO
            data = b""
        if not data:
            raise Deadline(f"the stream ended before {wanted!r}, after {seen!r}")
        seen += data
    return seen


class Lines:
    """The lines of a pipe, one at a time. What has arrived of a line that is not whole yet is kept."""

    def __init__(self, stream):
        self._fd = stream.fileno()
        self._buffer = b""

    def arrive(self, deadline: float) -> bool:
        """Whether a whole line is there, or comes before the deadline."""
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        end = time.monotonic() + deadline
        while b"\n" not in self._buffer:
            if not poll.poll(max(0, end - time.monotonic()) * 1000):
                return False
            data = os.read(self._fd, 65536)
            if not data:
                raise Deadline(f"the stream ended after {self._buffer!r}")
            self._buffer += data
        return True

    def next(self, deadline: float = DEADLINE) -> str:
        """The next line, without its newline."""
        if not self.arrive(deadline):
            raise Deadline(f"waited {deadline:.0f} s for a line, got {self._buffer!r}")
        line, self._buffer = self._buffer.split(b"\n", 1)
        return line.decode()
