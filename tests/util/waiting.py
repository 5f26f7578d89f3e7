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
