"""Registries on loopback: Debian's docker-registry, with TLS and passwords if asked, and one of our own that misbehaves on
command. `push()` brings an image into either."""

import base64
import crypt
import gzip
import hashlib
import http.server
import json
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import urllib.parse
import urllib.request
from pathlib import Path

import images
import waiting

PROGRAM = "docker-registry"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def missing() -> str:
    return "" if shutil.which(PROGRAM) else f"{PROGRAM} is not installed (tools/setup test installs it)"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Image:
    """An image as a registry holds it: blobs and a manifest. `layers` are plain tars."""

    def __init__(self, layers: list[bytes], compress=gzip.compress, media_type: str = LAYER, **config):
        self.config = images.config_of(layers, **config)
        self.layers = [compress(layer) for layer in layers]
        self.blobs = {images.digest(blob): blob for blob in (self.config, *self.layers)}
        self.manifest = manifest_of(self.config, self.layers, media_type)

    @property
    def digest(self) -> str:
        return images.digest(self.manifest)

    @property
    def id(self) -> str:
        return images.digest(self.config)


def descriptor(data: bytes, media_type: str, **more) -> dict:
    return {"mediaType": media_type, "digest": images.digest(data), "size": len(data), **more}


def sha512(data: bytes) -> str:
    return "sha512:" + hashlib.sha512(data).hexdigest()


def is_digest_of(digest: str, data: bytes) -> bool:
    return digest in (images.digest(data), sha512(data))


def manifest_of(config: bytes, layers: list[bytes], media_type: str) -> bytes:
    return json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": descriptor(config, CONFIG),
                       "layers": [descriptor(layer, media_type) for layer in layers]}).encode()


def index_of(**by_architecture: Image) -> bytes:
    """An index with a manifest for each architecture, and what build tools put beside them."""
    entries = [descriptor(image.manifest, MANIFEST, platform={"os": "linux", "architecture": name})
               for name, image in by_architecture.items()]
    entries.insert(0, {"mediaType": MANIFEST, "digest": "sha256:" + "0" * 64, "size": 1,
                       "platform": {"os": "unknown", "architecture": "unknown"},
                       "annotations": {"vnd.docker.reference.type": "attestation-manifest"}})
    return json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}).encode()


class DebianRegistry:
    """`with DebianRegistry() as registry:`. `password`: whom it lets in; `tls`: encrypted, by a certificate of its own."""

    USER = "someone"

    def __init__(self, password: str = "", tls: bool = False, address: str = "127.0.0.1"):
        self.base = Path(tempfile.mkdtemp(prefix="registry-", dir="/var/tmp"))
        self.port = free_port()
        self.address = address
        self.host = f"{address}:{self.port}"
        self.password = password
        self.tls = tls
        self.process: subprocess.Popen | None = None

    def __enter__(self) -> "DebianRegistry":
        config = {"version": 0.1, "storage": {"filesystem": {"rootdirectory": str(self.base / "blobs")},
                                              "delete": {"enabled": True}},
                  "http": {"addr": self.host}, "log": {"level": "warn"}}
        if self.password:
            hashed = crypt.crypt(self.password, crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16))
            (self.base / "htpasswd").write_text(f"{self.USER}:{hashed}\n")
            config["auth"] = {"htpasswd": {"realm": "here", "path": str(self.base / "htpasswd")}}
        if self.tls:
            self.make_certificate()
            config["http"]["tls"] = {"certificate": str(self.base / "ca.crt"), "key": str(self.base / "tls.key")}
        (self.base / "config.yml").write_text(json.dumps(config))  # JSON is YAML
        with open(self.base / "log", "wb") as log:
            self.process = subprocess.Popen([PROGRAM, "serve", str(self.base / "config.yml")],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        waiting.until(self.answers, "the registry answers")
        return self

    def __exit__(self, *_) -> None:
        self.process.terminate()
        self.process.wait(waiting.DEADLINE)
        shutil.rmtree(self.base)

    def make_certificate(self) -> None:
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=registry",
                        "-addext", f"subjectAltName=IP:{self.address}", "-keyout", str(self.base / "tls.key"), "-out",
                        str(self.base / "ca.crt")], check=True, capture_output=True)

    def answers(self) -> bool:
        try:
            self.send("GET", "/v2/")
            return True
        except OSError:
            return False

    def send(self, method: str, path: str, data: bytes | None = None, kind: str = "application/octet-stream", **fields):
        context = ssl.create_default_context(cafile=self.base / "ca.crt") if self.tls else None
        url = path if "://" in path else f"http{'s' if self.tls else ''}://{self.host}{path}"
        request = urllib.request.Request(url, data, {"Content-Type": kind, **fields}, method=method)
        if self.password:
            pair = base64.b64encode(f"{self.USER}:{self.password}".encode()).decode()
            request.add_header("Authorization", f"Basic {pair}")
        return urllib.request.urlopen(request, timeout=waiting.DEADLINE, context=context)

    def push(self, repository: str, tag: str, image: Image) -> str:
        """Returns the name to pull it by."""
        for digest, blob in image.blobs.items():
            where = self.send("POST", f"/v2/{repository}/blobs/uploads/", b"").headers["Location"]
            self.send("PUT", f"{where}{'&' if '?' in where else '?'}digest={digest}", blob)
        self.put_manifest(repository, tag, image.manifest, MANIFEST)
        return f"{self.host}/{repository}:{tag}"

    def put_manifest(self, repository: str, tag: str, text: bytes, kind: str) -> None:
        self.send("PUT", f"/v2/{repository}/manifests/{tag}", text, kind)


class Misbehaving:
    """A registry in this process. `answer(request)` may take a request over: it gets the handler and returns True if it
    has answered. Everything else is served from `blobs` and `manifests`, and what is pushed is put there. Requests are kept
    in `log`."""

    def __init__(self, answer=lambda handler: False):
        self.answer = answer
        self.blobs: dict[str, bytes] = {}
        self.manifests: dict[str, bytes] = {}
        self.uploads: dict[str, bytes] = {}
        self.log: list[tuple[str, str, dict[str, str]]] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.log.append((self.command, self.path, dict(self.headers)))
                if not outer.answer(self):
                    outer.serve(self)

            do_HEAD = do_POST = do_PATCH = do_PUT = do_GET

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.host = f"127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self) -> "Misbehaving":
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self.server.shutdown()
        self.server.server_close()

    def push(self, repository: str, tag: str, image: Image) -> str:
        self.blobs |= image.blobs
        self.manifests |= {f"{repository}/{tag}": image.manifest, f"{repository}/{image.digest}": image.manifest}
        return f"{self.host}/{repository}:{tag}"

    def requests(self, part: str) -> list[dict[str, str]]:
        """The fields of each request whose path has `part` in it."""
        return [fields for _, path, fields in self.log if part in path]

    def serve(self, handler) -> None:
        if "/blobs/uploads/" in handler.path:
            return self.take(handler)
        path = handler.path.partition("?")[0]
        if handler.command == "PUT":
            self.manifests[path.removeprefix("/v2/").replace("/manifests/", "/")] = body_of(handler)
            return reply(handler, 201, b"")
        if found := re.fullmatch(r"/v2/(.+)/manifests/([^/]+)", path):
            text = self.manifests.get(f"{found[1]}/{found[2]}")
            kind = INDEX if text and b'"manifests"' in text else MANIFEST
            return reply(handler, 200, text, kind) if text else refuse(handler, 404, "MANIFEST_UNKNOWN", "manifest unknown")
        if found := re.fullmatch(r"/v2/.+/blobs/(sha(?:256|512):[0-9a-f]+)", path):
            blob = self.blobs.get(found[1])
            if blob is None:
                return refuse(handler, 404, "BLOB_UNKNOWN", "blob unknown to registry")
            if begin := re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", "")):
                return reply(handler, 206, blob[int(begin[1]):], "application/octet-stream")
            return reply(handler, 200, blob, "application/octet-stream")
        return refuse(handler, 404, "NOT_FOUND", "no such path")

    def take(self, handler) -> bool:
        """An upload: begun, continued, asked for, ended."""
        path, _, query = handler.path.partition("?")
        name = path.rpartition("/")[2]
        if handler.command == "POST":
            body_of(handler)
            name = str(len(self.uploads))
            self.uploads[name] = b""
            return reply(handler, 202, b"", Location=f"{path}{name}?state=0")
        if name not in self.uploads:
            body_of(handler)
            return refuse(handler, 404, "BLOB_UPLOAD_UNKNOWN", "upload unknown")
        if handler.command == "PATCH":
            begin = int(handler.headers.get("Content-Range", "0-").partition("-")[0])
            self.uploads[name] = self.uploads[name][:begin] + body_of(handler)
        if handler.command == "PUT":
            blob = self.uploads.pop(name) + body_of(handler)
            claimed = urllib.parse.unquote(query.partition("digest=")[2])
            if not is_digest_of(claimed, blob):
                return refuse(handler, 400, "DIGEST_INVALID", "provided digest did not match uploaded content")
            self.blobs[claimed] = blob
            return reply(handler, 201, b"")
        return reply(handler, 202 if handler.command == "PATCH" else 204, b"", Location=f"{path}?state=1",
                     Range=f"0-{max(len(self.uploads[name]) - 1, 0)}")


def reply(handler, status: int, body: bytes, kind: str = "application/json", **fields) -> bool:
    handler.send_response(status)
    for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **fields}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    if handler.command != "HEAD":
        handler.wfile.write(body)
    return True


def body_of(handler, most: int | None = None) -> bytes:
    """What the request brings; at most so many bytes of it."""
    size = int(handler.headers.get("Content-Length", "0"))
    return handler.rfile.read(size if most is None else min(size, most))


def refuse(handler, status: int, code: str, message: str, **fields) -> bool:
    return reply(handler, status, json.dumps({"errors": [{"code": code, "message": message}]}).encode(), **fields)


def cut(handler, body: bytes, after: int) -> bool:
    """Says it will send all of `body`, sends `after` bytes, and hangs up."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body[:after])
    handler.wfile.flush()
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)
    return True


def auth_field(username: str, password: str) -> str:
    """X-Registry-Auth."""
    return base64.urlsafe_b64encode(json.dumps({"username": username, "password": password}).encode()).decode()
