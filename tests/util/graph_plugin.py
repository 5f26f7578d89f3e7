"""A storage plugin for tests, as Docker's protocol for graph drivers has them: every layer is a copy of the one below.
It can be told to misbehave: `--fault KIND`, where KIND is a key of FAULTS."""

import argparse
import errno
import json
import os
import shutil
import signal
import socketserver
import stat
import subprocess
import sys
import tarfile
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

MAX_LINKS = 40
XATTR = "SCHILY.xattr."
OVERLAY = ("user.overlay.", "trusted.overlay.", "user.fuseoverlayfs.")


class Refused(Exception):
    """What a caller is told."""


def remove(path: bytes) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


class Unpacker:
    """An archive on top of a copy of the layers below: links are followed if the layer itself brought them, whiteouts
    delete what is not of the layer."""

    def __init__(self, root: bytes):
        self.root = root
        self.kept: set[int] = set()
        self.directories: dict[bytes, float] = {}
        self.size = 0

    def keep(self, path: bytes) -> None:
        self.kept.add(os.lstat(path).st_ino)

    def is_kept(self, path: bytes) -> bool:
        return os.lstat(path).st_ino in self.kept

    def resolve(self, names: list[bytes], make: bool) -> bytes:
        at: list[bytes] = []
        rest = list(names)
        links = 0
        while rest:
            name = rest.pop(0)
            if name in (b"", b"."):
                continue
            if name == b"..":
                at = at[:-1]
                continue
            path = b"/".join([self.root, *at, name])
            there = os.path.lexists(path)
            if there and stat.S_ISDIR(os.lstat(path).st_mode):
                at.append(name)
                continue
            if there and self.is_kept(path):
                if not os.path.islink(path):
                    raise Refused(f"{path!r} is not a directory")
                links += 1
                target = os.readlink(path)
                if links > MAX_LINKS or len(target) > 4000:
                    raise Refused("too many links")
                at = [] if target.startswith(b"/") else at
                rest = target.split(b"/") + rest
                continue
            if not make:
                raise Refused(f"there is no {path!r}")
            if there:
                os.unlink(path)
            os.mkdir(path, 0o755)
            os.chmod(path, 0o755)
            at.append(name)
        return b"/".join([self.root, *at])

    def purge(self, path: bytes) -> None:
        for entry in os.scandir(path):
            self.take_away(entry.path)

    def take_away(self, path: bytes) -> None:
        if not os.path.lexists(path):
            return
        if stat.S_ISDIR(os.lstat(path).st_mode):
            self.purge(path)
            if not self.is_kept(path):
                try:
                    os.rmdir(path)
                except OSError as error:
                    if error.errno != errno.ENOTEMPTY:
                        raise
        elif not self.is_kept(path):
            os.unlink(path)

    def add(self, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        names = [name for name in os.fsencode(member.name).split(b"/") if name not in (b"", b".")]
        if b".." in names:
            raise Refused(f"{member.name!r} leads out of the layer")
        if not names:
            if not member.isdir():
                raise Refused("the root is not a directory")
            self.set_attributes(self.root, member)
            self.directories[self.root] = member.mtime
            return
        parent = self.resolve(names[:-1], True)
        self.keep(parent)
        name = names[-1]
        path = parent + b"/" + name
        if name.startswith(b".wh..wh."):
            if name == b".wh..wh..opq":
                self.purge(parent)
            return
        if name.startswith(b".wh."):
            hidden = name[4:]
            if hidden in (b"", b".", b".."):
                raise Refused("a whiteout of nothing")
            self.take_away(parent + b"/" + hidden)
            return
        self.make(archive, member, path)
        self.keep(path)

    def make(self, archive: tarfile.TarFile, member: tarfile.TarInfo, path: bytes) -> None:
        if member.isdir():
            if not os.path.isdir(path) or os.path.islink(path):
                remove(path)
                os.mkdir(path)
            for name in os.listxattr(path, follow_symlinks=False):
                os.removexattr(path, name, follow_symlinks=False)
            self.directories[path] = member.mtime
            self.set_attributes(path, member)
            return
        if member.islnk():
            names = [name for name in os.fsencode(member.linkname).split(b"/") if name not in (b"", b".")]
            if not names or b".." in names:
                raise Refused("a hard link out of the layer")
            target = self.resolve(names[:-1], False) + b"/" + names[-1]
            if not os.path.lexists(target) or stat.S_ISDIR(os.lstat(target).st_mode) or not self.is_kept(target):
                raise Refused(f"hard link to {target!r}, which is not in the same layer")
            if target != path:
                remove(path)
                os.link(target, path, follow_symlinks=False)
            return
        remove(path)
        if member.issym():
            os.symlink(os.fsencode(member.linkname), path)
        elif member.isfifo():
            os.mkfifo(path)
        elif member.ischr() or member.isblk():
            kind = stat.S_IFCHR if member.ischr() else stat.S_IFBLK
            os.mknod(path, kind | 0o600, os.makedev(member.devmajor, member.devminor))
        else:
            with open(path, "xb") as file:
                for chunk in iter(lambda source=archive.extractfile(member): source.read(1 << 20), b""):
                    if chunk.count(0) == len(chunk):
                        file.seek(len(chunk), os.SEEK_CUR)
                    else:
                        file.write(chunk)
                file.truncate(member.size)
            self.size += member.size
        self.set_attributes(path, member)

    @staticmethod
    def set_attributes(path: bytes, member: tarfile.TarInfo) -> None:
        os.chown(path, member.uid, member.gid, follow_symlinks=False)
        if not member.issym():
            os.chmod(path, member.mode)
        for key, value in member.pax_headers.items():
            name = key.removeprefix(XATTR)
            if name != key and not name.startswith((*OVERLAY, "security.selinux")):
                os.setxattr(path, name, value.encode("utf-8", "surrogateescape"), follow_symlinks=False)
        os.utime(path, ns=(int(member.mtime * 10**9),) * 2, follow_symlinks=False)

    def finish(self) -> None:
        for path, mtime in self.directories.items():
            if os.path.isdir(path):
                os.utime(path, ns=(int(mtime * 10**9),) * 2)


def facts(path: str) -> tuple:
    found = os.lstat(path)
    is_directory = stat.S_ISDIR(found.st_mode)
    attributes = {name: os.getxattr(path, name, follow_symlinks=False)
                  for name in os.listxattr(path, follow_symlinks=False)}
    return (found.st_mode, found.st_uid, found.st_gid, attributes,
            None if is_directory else (found.st_size, found.st_mtime_ns))


def paths_of(root: Path | None) -> dict[str, tuple]:
    found: dict[str, tuple] = {}
    for at, directories, files in os.walk(root) if root else ():
        for name in directories + files:
            path = os.path.join(at, name)
            found["/" + os.path.relpath(path, root)] = facts(path)
    return found


class Layers:
    def __init__(self) -> None:
        self.home = Path("/nonexistent")
        self.shown: dict[str, int] = {}

    def path(self, name: str) -> Path:
        if not name.isalnum():
            raise Refused(f"no such layer: {name}")
        return self.home / name

    def init(self, request: dict) -> dict:
        self.home = Path(request["Home"])
        return {}

    def create(self, request: dict) -> dict:
        path = self.path(request["ID"])
        if request["Parent"]:
            subprocess.run(["cp", "-aT", "--reflink=auto", self.path(request["Parent"]), path], check=True)
        else:
            path.mkdir(mode=0o755)
        return {}

    def remove(self, request: dict) -> dict:
        self.shown.pop(request["ID"], None)
        shutil.rmtree(self.path(request["ID"]))
        return {}

    def get(self, request: dict) -> dict:
        path = self.path(request["ID"])
        if not path.exists():
            raise Refused(f"no such layer: {path.name}")
        self.shown[path.name] = self.shown.get(path.name, 0) + 1
        return {"Dir": str(path)}

    def put(self, request: dict) -> dict:
        count = self.shown.get(request["ID"], 0) - 1
        if count < 0:
            raise Refused("it is not shown")
        self.shown[request["ID"]] = count
        return {}

    def exists(self, request: dict) -> dict:
        return {"Exists": self.path(request["ID"]).exists()}

    def differing(self, request: dict) -> list[tuple[str, int]]:
        tree = paths_of(self.path(request["ID"]))
        base = paths_of(self.path(request["Parent"]) if request["Parent"] else None)
        changed = [(path, 0 if path in base else 1) for path in tree if tree[path] != base.get(path)]
        return changed + [(path, 2) for path in base if path not in tree]

    def changes(self, request: dict) -> dict:
        # JSON is UTF-8, names are not.
        return {"Changes": [{"Path": path.encode(errors="surrogateescape").decode(errors="replace"), "Kind": kind}
                            for path, kind in self.differing(request)]}

    def diff_size(self, request: dict) -> dict:
        root = self.path(request["ID"])
        found = [os.lstat(f"{root}{path}") for path, kind in self.differing(request) if kind != 2]
        return {"Size": sum({status.st_ino: status.st_blocks * 512 for status in found}.values())}

    def status(self, _request: dict) -> dict:
        return {"Status": [["Layers", str(self.home)]]}

    def apply_diff(self, name: str, stream) -> dict:
        unpacker = Unpacker(os.fsencode(self.path(name)))
        try:
            with tarfile.open(fileobj=stream, mode="r|", errorlevel=2) as archive:
                for member in archive:
                    unpacker.add(archive, member)
        except tarfile.ReadError as error:
            if "empty" not in str(error):
                raise
        unpacker.finish()
        while stream.read(1 << 16):
            pass
        return {"Size": unpacker.size}


class Chunked:
    """The body of a request that does not say its length."""

    def __init__(self, source):
        self.source = source
        self.left = 0
        self.done = False

    def read(self, size: int) -> bytes:
        parts = []
        while size > 0 and not self.done:
            if self.left == 0:
                self.left = int(self.source.readline(), 16)
                if self.left == 0:
                    self.source.readline()
                    self.done = True
                    break
            part = self.source.read(min(size, self.left))
            self.left -= len(part)
            size -= len(part)
            parts.append(part)
            if self.left == 0:
                self.source.readline()
        return b"".join(parts)


def answer_nothing(handler, *_):
    handler.connection.close()


FAULTS = {
    "hangs": lambda handler, *_: time.sleep(600),
    "trickles": lambda handler, *_: [handler.wfile.write(b"H" if i == 0 else b"x") or time.sleep(0.1) for i in range(6000)],
    "dies": lambda handler, *_: os.kill(os.getpid(), signal.SIGKILL),
    "floods": lambda handler, *_: handler.flood(),
    "no-json": lambda handler, *_: handler.reply(200, b"<html>"),
    "deep": lambda handler, *_: handler.reply(200, b"[" * 100000),
    "list": lambda handler, *_: handler.reply(200, b"[]"),
    "status": lambda handler, *_: handler.reply(500, b"broken inside"),
    "unknown": lambda handler, *_: handler.reply(404, b"404 page not found"),
    "says": lambda handler, *_: handler.reply(200, json.dumps({"Err": "the pool is full"}).encode()),
    "long": lambda handler, *_: handler.reply(200, json.dumps({"Err": "x" * 100000}).encode()),
    "relative": lambda handler, *_: handler.reply(200, b'{"Dir": "etc"}'),
    "root": lambda handler, *_: handler.reply(200, b'{"Dir": "//"}'),
    "up": lambda handler, *_: handler.reply(200, b'{"Dir": "/var/../etc"}'),
    "number": lambda handler, *_: handler.reply(200, b'{"Dir": 7, "Size": "7", "Exists": 7, "Implements": 7}'),
    "negative": lambda handler, *_: handler.reply(200, b'{"Size": -1}'),
    "huge": lambda handler, *_: handler.reply(200, b'{"Size": 9223372036854775807}'),
    "closes": answer_nothing,
}
UNREAD = ("hangs", "dies", "closes")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    layers: Layers
    faults: dict[str, str]

    def reply(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/vnd.docker.plugins.v1.2+json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def flood(self) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            while True:
                self.wfile.write(b"[" * 65536)
        except OSError:
            self.close_connection = True

    def do_POST(self) -> None:
        url = urlsplit(self.path)
        method = url.path.strip("/").removeprefix("GraphDriver.")
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = Chunked(self.rfile)
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if method in self.faults:
            # Or what it answers may be lost with the connection.
            while self.faults[method] not in UNREAD and isinstance(body, Chunked) and body.read(1 << 16):
                pass
            FAULTS[self.faults[method]](self)
            self.close_connection = True
            return
        layers = self.layers
        calls = {"Init": layers.init, "Create": layers.create, "CreateReadWrite": layers.create, "Remove": layers.remove,
                 "Get": layers.get, "Put": layers.put, "Exists": layers.exists, "Status": layers.status,
                 "Changes": layers.changes, "DiffSize": layers.diff_size}
        try:
            if method == "Plugin.Activate":
                answer = {"Implements": ["GraphDriver"]}
            elif method == "ApplyDiff":
                answer = layers.apply_diff(parse_qs(url.query)["id"][0], body)
            elif method in calls:
                answer = calls[method](json.loads(body))
            else:
                self.reply(404, b"404 page not found")
                return
        except (Refused, OSError, subprocess.SubprocessError, tarfile.TarError) as error:
            answer = {"Err": str(error)}
        self.reply(200, json.dumps({"Err": "", **answer}).encode())

    def log_message(self, *_args) -> None:
        """Says nothing."""


class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 64

    def get_request(self):
        connection, _ = super().get_request()
        return connection, ("plugin", 0)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("socket")
    parser.add_argument("--fault", action="append", default=[], metavar="METHOD=KIND")
    arguments = parser.parse_args()
    os.umask(0o022)
    Handler.layers = Layers()
    Handler.faults = dict(fault.split("=") for fault in arguments.fault)
    with Server(arguments.socket, Handler) as server:
        print("listening", flush=True)
        server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
