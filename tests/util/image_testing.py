"""ImageTest: tests that begin with no image but the one all have, and end so."""

import images
from berth_testing import IMAGE, EngineTest


def layer(name: str, data: bytes) -> bytes:
    """One file."""
    return images.tar_of(lambda tar: images.add_file(tar, name, data))


class ImageTest(EngineTest):
    def tearDown(self) -> None:
        super().tearDown()
        for line in self.engine.ok("images", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}").splitlines():
            name, identity = line.split()
            if name != IMAGE:
                self.engine.ok("rmi", "-f", identity if "<none>" in name else name)
