"""SCMP_ACT_NOTIFY: an agent on the host answers calls of the workload."""

import errno
import fcntl
import json
import os
import socket
import struct
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "util"))

import waiting
from bundle import RuntimeTest, main
from rootless import RootlessTest

# linux/seccomp.h: struct seccomp_notif and seccomp_notif_resp, and their ioctls.
NOTIF, RESP = "QIIiIQ6Q", "QqiI"
NOTIF_RECV, NOTIF_SEND = 0xC0502100, 0xC0182101
CONTINUE = 1
MKDIR, EXECVE, EXECVEAT = 83, 59, 322


class Agent(threading.Thread):
    """Answers every notification by `answer(call number)`: an errno, or None for "go on"."""

    def __init__(self, path: Path, answer):
        super().__init__(daemon=True)
        self.answer = answer
        self.calls: list[int] = []
        self.state: dict = {}
        self.ended = False  # the connection was closed after the state
        self.path = path
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(str(path))
        self.listener.listen()
        self.listener.settimeout(waiting.DEADLINE)
        self.start()

    def run(self) -> None:
        connection, _ = self.listener.accept()
        connection.settimeout(waiting.DEADLINE)
        text, fds, _, _ = socket.recv_fds(connection, 65536, 4)
        while chunk := connection.recv(65536):
            text += chunk
        self.ended = True
        connection.close()
        self.state = json.loads(text)
        self.seccomp_fds = len(fds)
        while fds:
            request = bytearray(struct.calcsize(NOTIF))
            try:
                fcntl.ioctl(fds[0], NOTIF_RECV, request)
            except OSError:  # ENOENT: nobody is left to ask
                break
            ident, call = struct.unpack(NOTIF, request)[0], struct.unpack(NOTIF, request)[3]
            self.calls.append(call)
            error = self.answer(call)
            reply = struct.pack(RESP, ident, 0, -(error or 0), CONTINUE if error is None else 0)
            try:
                fcntl.ioctl(fds[0], NOTIF_SEND, reply)
            except OSError:
                pass
        for fd in fds:
            os.close(fd)

    def finish(self) -> None:
        self.join(waiting.DEADLINE)
        self.listener.close()
        self.path.unlink()


class SeccompAgent(RuntimeTest):
    def setUp(self) -> None:
        super().setUp()
        self.path = self.base / "agent.sock"
        self.rules("mkdir")

    def rules(self, *names: str) -> None:
        self.config["linux"]["seccomp"] = {
            "defaultAction": "SCMP_ACT_ALLOW", "listenerPath": str(self.path), "listenerMetadata": 'a "b"',
            "flags": ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"],
            "syscalls": [{"names": list(names), "action": "SCMP_ACT_NOTIFY"}]}

    def agent(self, answer) -> Agent:
        agent = Agent(self.path, answer)
        self.addCleanup(agent.finish)
        return agent

    def test_the_agent_answers(self):
        agent = self.agent(lambda call: errno.EXDEV if call == MKDIR else None)
        self.config["annotations"] = {"k": "v"}
        self.assertIn("Invalid cross-device link", self.output("mkdir /made 2>&1; echo goes on"))
        agent.join(waiting.DEADLINE)
        self.assertEqual(set(agent.calls), {MKDIR})
        self.assertFalse((self.rootfs / "made").exists())

    def test_the_state_that_it_is_given(self):
        agent = self.agent(lambda call: None)
        self.config["annotations"] = {"k": "v"}
        self.assertEqual(self.output("mkdir /made; ls -d /made"), "/made")
        agent.join(waiting.DEADLINE)
        state = agent.state
        self.assertEqual(agent.seccomp_fds, 1)
        self.assertEqual((state["fds"], state["metadata"]), (["seccompFd"], 'a "b"'))
        self.assertEqual(state["state"] | {"pid": 0, "ociVersion": ""},
                         {"ociVersion": "", "id": "c", "status": "created", "pid": 0, "bundle": str(self.base),
                          "annotations": {"k": "v"}})
        self.assertEqual(state["pid"], state["state"]["pid"])
        self.assertEqual(state["ociVersion"], state["state"]["ociVersion"])

    def test_the_first_call_it_is_asked_about_may_be_the_exec(self):
        self.rules("execve", "execveat")
        agent = self.agent(lambda call: None)
        self.assertEqual(self.output("echo runs"), "runs")
        agent.join(waiting.DEADLINE)
        self.assertIn(agent.calls[0], (EXECVE, EXECVEAT))

    def test_an_exec_may_be_refused(self):
        self.rules("execve", "execveat")
        self.agent(lambda call: errno.EACCES)
        self.assertNotEqual(self.run_script("echo runs").returncode, 0)

    def test_another_process_may_start_the_container(self):
        self.config["process"]["noNewPrivileges"] = True
        agent = self.agent(lambda call: errno.EPERM)
        done = self.create("sh", "-c", "mkdir /made; sleep 1000")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertFalse(agent.ended, "there is no filter yet")
        self.ok("start", "c")
        waiting.until(lambda: MKDIR in agent.calls or None, "the agent is asked")
        self.assertEqual(agent.state["pid"], self.state()["pid"])
        self.ok("delete", "--force", "c")

    def test_a_process_that_joins_has_a_listener_of_its_own(self):
        first = self.agent(lambda call: None)
        self.create("sleep", "1000")
        self.ok("start", "c")
        waiting.until(lambda: first.state or None, "the first process's agent")
        first.listener.close()
        self.path.unlink()
        second = Agent(self.path, lambda call: errno.EXDEV)
        done = self.runtime("exec", "c", "mkdir", "/made")
        self.assertIn("Invalid cross-device link", done.stderr)
        second.finish()
        self.path.touch()  # for the first to remove
        self.assertEqual((second.state["state"]["status"], second.state["state"]["id"]), ("running", "c"))
        self.assertNotEqual(second.state["pid"], second.state["state"]["pid"])
        self.assertEqual(second.state["state"]["pid"], first.state["pid"])
        self.ok("delete", "--force", "c")

    def test_nothing_of_it_is_left_in_the_workload(self):
        self.agent(lambda call: None)
        self.assertEqual(self.output("ls /proc/self/fd | wc -l"), "4")  # the streams, and that of ls

    def test_a_start_hook_is_not_answered(self):
        self.agent(lambda call: None)
        (self.rootfs / "hook").write_text("#!/bin/sh\nmkdir /by-hook 2>/hook-says\nexit 0\n")
        (self.rootfs / "hook").chmod(0o755)
        self.config["hooks"] = {"startContainer": [{"path": "/hook"}]}
        self.output("true")
        self.assertIn("not implemented", (self.rootfs / "hook-says").read_text())

    def test_without_an_agent_nothing_is_made(self):
        self.fails(self.run_args("true"), 1, "cannot reach the seccomp agent at linux.seccomp.listenerPath")
        self.config["linux"]["seccomp"]["listenerPath"] = ""
        self.fails(self.run_args("true"), 1, "linux.seccomp.listenerPath must be an absolute path")

    def test_an_agent_that_is_not_asked_is_not_looked_for(self):
        self.config["linux"]["seccomp"]["syscalls"] = []
        self.assertEqual(self.run_args("true").returncode, 0)

    def test_a_filter_that_would_keep_the_listener_is_refused(self):
        for action in ("SCMP_ACT_NOTIFY", "SCMP_ACT_ERRNO"):
            self.config["linux"]["seccomp"]["syscalls"].append({"names": ["sendmsg"], "action": action})
            self.fails(self.run_args("true"), 1, "must allow sendmsg")
            self.config["linux"]["seccomp"]["syscalls"].pop()

    def test_an_agent_that_ends_fails_the_start(self):
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(self.path))
        listener.listen()
        self.addCleanup(self.path.unlink)
        self.create("true")
        connection, _ = listener.accept()
        connection.close()
        listener.close()
        self.fails(self.runtime("start", "c"), 1, "cannot give the seccomp agent its listener")


class RootlessAgent(RootlessTest):
    def test_a_process_that_joins_is_named_by_its_number_here(self):
        path = self.base / "agent.sock"
        self.create("sleep", "1000")
        self.ok("start", "c")
        # Of the record, which exec reads: the first process needs no agent.
        kept = self.root / "c" / "config.json"
        config = json.loads(kept.read_text())
        config["linux"]["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": str(path),
                                      "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_NOTIFY"}]}
        kept.write_text(json.dumps(config))
        agent = Agent(path, lambda call: errno.EXDEV)
        path.chmod(0o666)
        executed = self.runtime("exec", "--pid-file", str(self.base / "pid"), "c", "mkdir", "/made")
        self.assertIn("Invalid cross-device link", executed.stderr)
        agent.finish()
        self.assertEqual(agent.state["pid"], int((self.base / "pid").read_text()))
        self.assertEqual(agent.state["state"]["pid"], self.state()["pid"])
        self.ok("delete", "--force", "c")


if __name__ == "__main__":
    main()
