"""Runs a test program in a world of its own: new mount, network and pid namespaces with a small init as pid 1.

Whatever the product leaves behind, rightly or wrongly, cannot touch the machine, and other work on the machine cannot
disturb what a test compares: links, mounts, firewall rules, processes, /tmp and /run are all the test's own. Control
groups are not: there is one tree of them for all.
"""

import os
import subprocess
import sys

MARK = "BERTH_TEST_ISOLATED"


def enter() -> None:
    """Returns inside the new world; the process that called waits outside and exits with the same code."""
    if MARK not in os.environ:
        os.environ[MARK] = "1"
        os.execvp("unshare", ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc",
                              sys.executable, "-B", *sys.argv])
    if os.getpid() == 1:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        for directory in ("/tmp", "/run"):
            subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=1777", "tmpfs", directory], check=True)
        _become_init()


def _become_init() -> None:
    """Forks; the child returns, pid 1 stays here to reap orphans, and its end ends everything in the namespace."""
    child = os.fork()
    if child == 0:
        return
    while True:
        pid, status = os.wait()
        if pid == child:
            os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
