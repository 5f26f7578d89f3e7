"""Image archives made with nothing but Python: a busybox root file system in an OCI layout or a docker-archive."""

import gzip
import hashlib
import io
import json
import subprocess
import tarfile
from functools import cache

BUSYBOX = "/bin/busybox"


def add_file(tar: tarfile.TarFile, name: str, data: bytes, mode: int = 0o644) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(data), mode
    tar.addfile(info, io.BytesIO(data))


def add_entry(tar: tarfile.TarFile, name: str, kind: bytes, link: str = "", mode: int = 0o755) -> None:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = kind, link, mode
    tar.addfile(info)


def tar_of(fill) -> bytes:
    """The tar that `fill(tar)` fills."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        fill(tar)
    return buffer.getvalue()


@cache
def busybox_rootfs() -> bytes:
    """A root file system of Debian's busybox-static: one program and a link for each of its names."""
    with open(BUSYBOX, "rb") as program:
        data = program.read()
    names = subprocess.run([BUSYBOX, "--list"], capture_output=True, text=True, check=True).stdout.split()

    def fill(tar: tarfile.TarFile) -> None:
        for directory in ("bin", "etc", "proc", "sys", "dev", "root", "var", "home", "mnt"):
            add_entry(tar, directory, tarfile.DIRTYPE)
        add_entry(tar, "tmp", tarfile.DIRTYPE, mode=0o1777)
        add_file(tar, "bin/busybox", data, 0o755)
        for name in names:
            if name != "busybox":
                add_entry(tar, f"bin/{name}", tarfile.SYMTYPE, "busybox")
        add_file(tar, "etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home:/bin/sh\n")
        add_file(tar, "etc/group", b"root:x:0:\nuser:x:1000:\nextra:x:2000:user\n")
        add_file(tar, "etc/not-executable", b"text\n")
    return tar_of(fill)


def digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def config_of(layers: list[bytes], **config) -> bytes:
    """An image config for these uncompressed layers; `config` adds to or replaces its "config" object."""
    return config_with([digest(layer) for layer in layers], **config)


def config_with(diff_ids: list[str], **config) -> bytes:
    """The same for layers that are known by their digests."""
    run = {"Cmd": ["/bin/sh"], "Env": ["PATH=/bin", "FROM_IMAGE=yes"], **config}
    return json.dumps({
        "architecture": "amd64", "os": "linux", "created": "2024-01-02T03:04:05Z", "config": run,
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
        "history": [{"created": "2024-01-02T03:04:05Z", "created_by": f"layer {i}"} for i in range(len(diff_ids))],
    }).encode()


def docker_archive(tag: str | None, layers: list[bytes], **config) -> bytes:
    """What `docker save` writes: manifest.json, a config and the layers as plain tars."""
    image = config_of(layers, **config)
    names = [f"{hashlib.sha256(layer).hexdigest()}/layer.tar" for layer in layers]
    manifest = [{"Config": f"{digest(image)[7:]}.json", "RepoTags": [tag] if tag else None, "Layers": names}]

    def fill(tar: tarfile.TarFile) -> None:
        for name, layer in dict(zip(names, layers)).items():
            add_file(tar, name, layer)
        add_file(tar, f"{digest(image)[7:]}.json", image)
        add_file(tar, "manifest.json", json.dumps(manifest).encode())
    return tar_of(fill)


def oci_archive(tag: str | None, layers: list[bytes], compress=gzip.compress,
                tamper=lambda name, data: data, **config) -> bytes:
    """An OCI image layout as a tar. `tamper(name, bytes)` may damage a file after its digest was taken."""
    suffix = "+gzip" if compress else ""
    blobs: dict[str, bytes] = {}

    def blob(data: bytes, media_type: str) -> dict:
        blobs[digest(data)] = data
        return {"mediaType": media_type, "digest": digest(data), "size": len(data)}

    manifest = {
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": blob(config_of(layers, **config), "application/vnd.oci.image.config.v1+json"),
        "layers": [blob(compress(layer) if compress else layer, "application/vnd.oci.image.layer.v1.tar" + suffix)
                   for layer in layers],
    }
    top = blob(json.dumps(manifest).encode(), manifest["mediaType"])
    if tag:
        top["annotations"] = {"org.opencontainers.image.ref.name": tag, "io.containerd.image.name": tag}
    files = {"oci-layout": json.dumps({"imageLayoutVersion": "1.0.0"}).encode(),
             "index.json": json.dumps({"schemaVersion": 2, "manifests": [top]}).encode()}
    files |= {"blobs/sha256/" + name[7:]: data for name, data in blobs.items()}
    return tar_of(lambda tar: [add_file(tar, name, tamper(name, data)) for name, data in files.items()])


def busybox_image(tag: str = "busybox:latest", **config) -> bytes:
    """A docker-archive of one layer: busybox."""
    return docker_archive(tag, [busybox_rootfs()], **config)
