"""What a registry is asked besides images: all tags, a manifest, a search."""

import json
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "util"))

import images
import registry
from berth_testing import main
from image_testing import layer
from pulling import PullTest
from registry import DebianRegistry, Misbehaving, refuse, reply


class AsksTest(PullTest):
    def setUp(self) -> None:
        super().setUp()
        self.server = Misbehaving()
        self.server.__enter__()
        self.addCleanup(self.server.__exit__)


class AllTags(AsksTest):
    def tags(self, *pages: list[str], link: str = '</v2/many/tags/list?page={}>; rel="next"') -> None:
        def answer(handler) -> bool:
            path, _, query = handler.path.partition("?page=")
            if not path.endswith("/tags/list"):
                return False
            page = int(query or "0")
            fields = {"Link": link.format(page + 1)} if page + 1 < len(pages) else {}
            return reply(handler, 200, json.dumps({"name": "many", "tags": pages[page]}).encode(), **fields)

        self.server.answer = answer

    def names(self) -> list[str]:
        return sorted(name for name in self.engine.ok("images", "--format", "{{.Repository}}:{{.Tag}}").splitlines()
                      if name.startswith(self.server.host))

    def test_page_by_page(self):
        for tag in ("1", "2", "3"):
            self.server.push("many", tag, self.image(layer(tag, b"")))
        self.tags(["1", "2"], ["3"])
        said = self.engine.ok("pull", "-a", f"{self.server.host}/many")
        self.assertEqual(self.names(), [f"{self.server.host}/many:{tag}" for tag in "123"])
        self.assertEqual(said.count("Pulling from many"), 3)
        self.assertEqual(said.splitlines()[-1], f"{self.server.host}/many")

    @unittest.skipIf(registry.missing(), registry.missing())
    def test_from_debians(self):
        with DebianRegistry() as server:
            for tag in ("a", "b"):
                server.push("many", tag, self.image())
            self.assertEqual(self.engine.ok("pull", "-qa", f"{server.host}/many"), f"{server.host}/many")
            self.engine.ok("image", "inspect", f"{server.host}/many:a", f"{server.host}/many:b")

    def test_the_first_that_fails_ends_it(self):
        self.server.push("many", "1", self.image())
        self.tags(["1", "gone"])
        self.assertIn("manifest for", self.engine.berth("pull", "-a", f"{self.server.host}/many").stderr)

    def test_lists_that_are_none(self):
        for answer, says in ((lambda handler: refuse(handler, 404, "NAME_UNKNOWN", "no such thing"), "name unknown: no such thing"),
                             (lambda handler: refuse(handler, 403, "DENIED", "go"), "denied: go"),
                             (lambda handler: reply(handler, 200, b'{"tags": null}'), "has no tags"),
                             (lambda handler: reply(handler, 200, b'{"tags": ["a b"]}'), "a tag"),
                             (lambda handler: reply(handler, 200, b'{"tags": [""]}'), "a tag"),
                             (lambda handler: reply(handler, 200, b"[" * 1000), "the list of tags"),
                             (lambda handler: reply(handler, 200, b'{"tags": []}', Link="<" + handler.path + '>; rel="next"'),
                              "has no end")):
            with self.subTest(says=says):
                self.server.answer = answer
                self.fails(f"{self.server.host}/many", says)

    def test_a_tag_and_all_tags(self):
        done = self.engine.berth("pull", "-a", f"{self.server.host}/many:1")
        self.assertIn("tag can't be used with --all-tags/-a", done.stderr)


class ManifestInspect(AsksTest):
    def test_of_an_image(self):
        image = self.image()
        name = self.server.push("x", "t", image)
        self.assertEqual(json.loads(self.engine.ok("manifest", "inspect", name)), json.loads(image.manifest))
        status, answer = self.engine.api("GET", f"/distribution/{name}/json")
        self.assertEqual(status, 200)
        self.assertEqual(answer, {"Descriptor": {"mediaType": registry.MANIFEST, "digest": image.digest, "size": len(image.manifest)},
                                  "Platforms": [{"architecture": "amd64", "os": "linux"}]})

    def test_of_an_index(self):
        text = registry.index_of(riscv64=self.image(), amd64=self.image())
        self.server.manifests["x/t"] = text
        _, answer = self.engine.api("GET", f"/distribution/{self.server.host}/x:t/json")
        self.assertEqual((answer["Descriptor"]["mediaType"], answer["Descriptor"]["digest"]), (registry.INDEX, images.digest(text)))
        self.assertEqual([platform["architecture"] for platform in answer["Platforms"]], ["unknown", "riscv64", "amd64"])
        self.assertNotIn(self.server.host, self.engine.ok("images"))

    def test_with_a_password(self):
        self.server.answer = lambda handler: "Authorization" not in handler.headers and refuse(
            handler, 401, "UNAUTHORIZED", "who?", WWW_Authenticate='Basic realm="x"')
        name = self.server.push("x", "t", self.image())
        self.assertIn("pull access denied", self.engine.berth("manifest", "inspect", name).stderr)

    def test_what_is_not_there(self):
        status, answer = self.engine.api("GET", f"/distribution/{self.server.host}/x:t/json")
        self.assertEqual(status, 404)
        self.assertIn("not found: manifest unknown", answer["message"])


class Search(AsksTest):
    FOUND = [{"name": "a/one", "description": "the first\nof all " + "x" * 60, "star_count": 7, "is_official": False},
             {"name": "two", "description": "", "star_count": 90, "is_official": True, "is_automated": True}]

    def setUp(self) -> None:
        super().setUp()
        self.server.answer = lambda handler: handler.path.startswith("/v1/search?") and reply(
            handler, 200, json.dumps({"num_results": 2, "results": self.FOUND}).encode())

    def test_shows_the_best_first(self):
        lines = self.engine.ok("search", f"{self.server.host}/some thing").splitlines()
        self.assertEqual(lines[0].split(), ["NAME", "DESCRIPTION", "STARS", "OFFICIAL"])
        self.assertEqual(lines[1].split(), ["two", "90", "[OK]"])
        self.assertIn("the first of all xxx", lines[2])
        self.assertIn("…", lines[2])
        self.assertEqual(self.server.log[-1][1], "/v1/search?q=some%20thing&n=25")

    def test_filters(self):
        term = f"{self.server.host}/x"
        names = lambda *flags: self.engine.ok("search", *flags, "--format", "{{.Name}}", term).split()
        self.assertEqual(names("-f", "stars=8"), ["two"])
        self.assertEqual(names("-f", "is-official=false"), ["a/one"])
        self.assertEqual(names("-f", "is-automated=true"), ["two"])
        self.assertEqual(names("--limit", "3"), ["two", "a/one"])
        self.assertTrue(self.server.log[-1][1].endswith("&n=3"))
        for flags, says in ((("-f", "stars=many"), "invalid filter"), (("-f", "colour=red"), "invalid filter"),
                            (("--limit", "101"), "outside the range of [1, 100]")):
            self.assertIn(says, self.engine.berth("search", *flags, term).stderr)

    def test_the_api_is_dockers(self):
        status, found = self.engine.api("GET", f"/images/search?term={self.server.host}/x")
        self.assertEqual(status, 200)
        self.assertEqual(found[1], {"star_count": 90, "is_official": True, "name": "two", "is_automated": True, "description": ""})
        self.assertEqual(self.engine.api("GET", "/images/search")[0], 400)

    def test_a_registry_that_cannot_search(self):
        self.server.answer = lambda handler: False
        self.assertIn("answers a search with 404", self.engine.berth("search", f"{self.server.host}/x").stderr)
        self.server.answer = lambda handler: reply(handler, 200, b'{"results": [1]}')
        self.assertIn("the search", self.engine.berth("search", f"{self.server.host}/x").stderr)


if __name__ == "__main__":
    main()
