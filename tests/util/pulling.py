"""PullTest: tests that pull by the API, from whichever registry."""

import json

import images
import registry
from engine import UnixConnection
from image_testing import ImageTest


class PullTest(ImageTest):
    def tearDown(self) -> None:
        super().tearDown()
        self.assertEqual(list(self.engine.root.glob("image/*/downloads/*")), [], "downloads are left")

    def image(self, *layers: bytes, **config) -> registry.Image:
        return registry.Image([images.busybox_rootfs(), *layers], Labels={"from": "a registry"}, **config)

    def pull(self, name: str, credentials: str = "") -> tuple[int, list[dict]]:
        """The status and the lines of the answer."""
        connection = UnixConnection(self.engine.socket)
        fields = {"X-Registry-Auth": credentials} if credentials else {}
        connection.request("POST", f"/images/create?fromImage={name}", headers=fields)
        answer = connection.getresponse()
        lines = [json.loads(line) for line in answer.read().decode().splitlines()]
        connection.close()
        return answer.status, lines

    def fails(self, name: str, says: str, credentials: str = "") -> None:
        status, lines = self.pull(name, credentials)
        text = lines[-1].get("error", lines[-1].get("message", ""))
        self.assertIn(says, text)
        self.assertTrue(status != 200 or "errorDetail" in lines[-1], lines)

    def works(self, name: str, credentials: str = "") -> list[dict]:
        status, lines = self.pull(name, credentials)
        self.assertEqual(status, 200, lines)
        self.assertNotIn("error", lines[-1])
        return lines

    def runs(self, name: str, *command: str) -> str:
        return self.engine.ok("run", "--rm", "--pull", "never", name, *command)
