// What a container sees of layers that were unpacked, the odd ones above all: every driver shows
// the same.
#include <fcntl.h>

#include "image/archive/tar_builder_testing.h"
#include "image/load/unpack.h"
#include "image/snapshot/mounted_testing.h"
#include "image/snapshot/snapshotter_testsuite.h"
#include "image/snapshot/tree_testing.h"

namespace berth::image {
namespace {

using Fill = void (*)(TarBuilder& tar);

struct LayersCase {
  const char* name;
  std::vector<Fill> layers;  // base first
  const char* tree;  // as describe_tree() says, without the root's line; null: the last is refused
};

const LayersCase kCases[] = {
    {"a file inside a directory that was whited out before",
     {[](TarBuilder& t) { t.directory("d", {.mode = 0700, .uid = 5}).file("d/old", ""); },
      [](TarBuilder& t) { t.file(".wh.d", "").file("d/f", "new"); }},
     "d 755 0:0\n"
     "d/f 644 0:0 file 'new'\n"},
    {"a file inside a directory that is whited out later",
     {[](TarBuilder& t) { t.directory("d", {.mode = 0700, .uid = 5}).file("d/old", ""); },
      [](TarBuilder& t) { t.file("d/f", "new").file(".wh.d", ""); }},
     "d 700 5:0\n"
     "d/f 644 0:0 file 'new'\n"},
    {"a link of a layer below is hidden by a directory",
     {[](TarBuilder& t) {
        t.directory("usr").directory("usr/lib").file("usr/lib/old", "").symlink("lib", "usr/lib");
      },
      [](TarBuilder& t) { t.file("lib/f", "new"); }},
     "lib 755 0:0\n"
     "lib/f 644 0:0 file 'new'\n"
     "usr 755 0:0\n"
     "usr/lib 755 0:0\n"
     "usr/lib/old 644 0:0 file ''\n"},
    {"a whiteout inside a link of a layer below",
     {[](TarBuilder& t) { t.directory("real").file("real/x", "").symlink("link", "real"); },
      [](TarBuilder& t) { t.file("link/.wh.x", ""); }},
     "link 755 0:0\n"
     "real 755 0:0\n"
     "real/x 644 0:0 file ''\n"},
    {"a link of the layer itself is followed to what is below",
     {[](TarBuilder& t) {
        t.directory("usr").directory("usr/lib", {.mode = 0750, .uid = 5}).file("usr/lib/old", "");
      },
      [](TarBuilder& t) { t.symlink("a", "usr/lib").file("a/f", "new"); }},
     "a -> usr/lib\n"
     "usr 755 0:0\n"
     "usr/lib 750 5:0\n"
     "usr/lib/f 644 0:0 file 'new'\n"
     "usr/lib/old 644 0:0 file ''\n"},
    {"a link of the layer to a link of a layer below",
     {[](TarBuilder& t) { t.directory("c").symlink("b", "c"); },
      [](TarBuilder& t) { t.symlink("a", "b").file("a/f", "new"); }},
     "a -> b\n"
     "b 755 0:0\n"
     "b/f 644 0:0 file 'new'\n"
     "c 755 0:0\n"},
    {"links that lead up, out and nowhere stay inside",
     {[](TarBuilder& t) { t.directory("x"); },
      [](TarBuilder& t) {
        t.symlink("x/up", "../../../z").file("x/up/f", "1");
        t.symlink("abs", "/n/m").file("abs/g", "2");
      }},
     "abs -> /n/m\n"
     "n 755 0:0\n"
     "n/m 755 0:0\n"
     "n/m/g 644 0:0 file '2'\n"
     "x 755 0:0\n"
     "x/up -> ../../../z\n"
     "z 755 0:0\n"
     "z/f 644 0:0 file '1'\n"},
    {"links that lead in circles",
     {[](TarBuilder&) {},
      [](TarBuilder& t) { t.symlink("a", "b").symlink("b", "a").file("a/f", ""); }},
     nullptr},
    {"a file of a layer below gives way to a directory",
     {[](TarBuilder& t) { t.file("a", "old"); }, [](TarBuilder& t) { t.file("a/f", "new"); }},
     "a 755 0:0\n"
     "a/f 644 0:0 file 'new'\n"},
    {"a file of the layer itself does not",
     {[](TarBuilder&) {}, [](TarBuilder& t) { t.file("a", "").file("a/f", ""); }},
     nullptr},
    {"an implied directory does not look like one that is gone",
     {[](TarBuilder& t) { t.directory("d", {.mode = 0700, .uid = 5}).file("d/old", ""); },
      [](TarBuilder& t) { t.file(".wh.d", ""); }, [](TarBuilder& t) { t.file("d/f", "new"); }},
     "d 755 0:0\n"
     "d/f 644 0:0 file 'new'\n"},
    {"an implied directory looks like the one that is seen",
     {[](TarBuilder& t) { t.directory("d", {.mode = 0700, .uid = 5}); },
      [](TarBuilder& t) {
        t.file(".wh.d", "")
            .directory("d", {.mode = 0711, .uid = 7, .xattrs = {{"user.note", "x"}}});
      },
      [](TarBuilder& t) { t.file("d/f", "new"); }},
     "d 711 7:0 note=x\n"
     "d/f 644 0:0 file 'new'\n"},
    {"an implied directory below one that a middle layer emptied",
     {[](TarBuilder& t) {
        t.directory("p", {.mode = 0751}).directory("p/q", {.mode = 0700, .uid = 5});
      },
      [](TarBuilder& t) { t.file("p/.wh..wh..opq", ""); },
      [](TarBuilder& t) { t.file("p/q/f", "new"); }},
     "p 751 0:0\n"
     "p/q 755 0:0\n"
     "p/q/f 644 0:0 file 'new'\n"},
    {"an implied directory below one that the layer itself empties",
     {[](TarBuilder& t) {
        t.directory("p", {.mode = 0751}).directory("p/q", {.mode = 0700, .uid = 5});
      },
      [](TarBuilder& t) { t.file("p/.wh..wh..opq", "").file("p/q/f", "new"); }},
     "p 751 0:0\n"
     "p/q 755 0:0\n"
     "p/q/f 644 0:0 file 'new'\n"},
    {"a directory that is listed again has what is listed",
     {[](TarBuilder& t) {
        t.directory("d", {.mode = 0700, .uid = 5, .xattrs = {{"user.note", "x"}}}).file("d/f", "");
      },
      [](TarBuilder& t) { t.directory("d", {.mode = 0755, .uid = 6}); }},
     "d 755 6:0\n"
     "d/f 644 0:0 file ''\n"},
    {"a file and then a directory hide what is below",
     {[](TarBuilder& t) { t.directory("b").file("b/old", ""); },
      [](TarBuilder& t) { t.file("b", "").directory("b"); }},
     "b 755 0:0\n"},
    {"a whiteout after one inside the directory leaves it, empty",
     {[](TarBuilder& t) { t.directory("d", {.mode = 0750}).file("d/x", "").file("d/y", ""); },
      [](TarBuilder& t) { t.file("d/.wh.x", "").file(".wh.d", ""); }},
     "d 750 0:0\n"},
    {"whiteouts inside of what is emptied afterwards",
     {[](TarBuilder& t) { t.directory("d").directory("d/e").file("d/e/x", "").file("d/y", ""); },
      [](TarBuilder& t) {
        t.file("d/e/.wh.x", "").file("d/.wh.y", "").file("d/e/f", "1").file("d/.wh..wh..opq", "");
      }},
     "d 755 0:0\n"
     "d/e 755 0:0\n"
     "d/e/f 644 0:0 file '1'\n"},
    {"an empty root, and whiteouts before and after",
     {[](TarBuilder& t) { t.directory("d", {.mode = 0700}).file("d/x", "").file("y", ""); },
      [](TarBuilder& t) {
        t.file("d/.wh.x", "").file(".wh.y", "").file(".wh..wh..opq", "").file("d/.wh.z", "");
      }},
     "d 700 0:0\n"},
    {"what is new in an emptied root, and what is on top of that",
     {[](TarBuilder& t) { t.directory("d", {.mode = 0700}).file("d/x", "").file("y", ""); },
      [](TarBuilder& t) { t.file(".wh..wh..opq", "").file("d/f", "1").file("z", ""); },
      [](TarBuilder& t) { t.file("d/g", "2").file(".wh.z", ""); }},
     "d 755 0:0\n"
     "d/f 644 0:0 file '1'\n"
     "d/g 644 0:0 file '2'\n"},
    {"whiteouts of what was never there",
     {[](TarBuilder&) {},
      [](TarBuilder& t) {
        t.file(".wh.never", "").file("n/.wh..wh..opq", "").file("m/.wh.x", "");
      }},
     "m 755 0:0\n"
     "n 755 0:0\n"},
    {"a whiteout of a long name, and of one in a directory",
     {[](TarBuilder& t) { t.file(std::string(251, 'n'), "").directory("d").file("d/x", ""); },
      [](TarBuilder& t) { t.file(".wh." + std::string(251, 'n'), "").file("d/.wh.x", ""); },
      [](TarBuilder& t) { t.file("d/y", ""); }},
     "d 755 0:0\n"
     "d/y 644 0:0 file ''\n"},
    {"hard links to marks",
     {[](TarBuilder& t) { t.directory("d").file("d/x", ""); },
      [](TarBuilder& t) { t.file("d/.wh..wh..opq", "").hardlink("h", "d/.wh..wh..opq"); }},
     nullptr},
    {"hard links to the name of a whiteout",
     {[](TarBuilder& t) { t.file("x", ""); },
      [](TarBuilder& t) { t.file(".wh.x", "").hardlink("h", ".wh.x"); }},
     nullptr},
    {"a hard link to a file of a layer below",
     {[](TarBuilder& t) { t.file("f", "below"); }, [](TarBuilder& t) { t.hardlink("h", "f"); }},
     nullptr},
    {"a hard link of a name to itself",
     {[](TarBuilder& t) { t.file("f", "below"); }, [](TarBuilder& t) { t.hardlink("f", "f"); }},
     nullptr},
    {"a hard link through a link of a layer below",
     {[](TarBuilder& t) { t.directory("real").symlink("l", "real"); },
      [](TarBuilder& t) { t.file("real/f", "").hardlink("h", "l/f"); }},
     nullptr},
    {"a hard link through a link of the layer",
     {[](TarBuilder& t) { t.directory("real"); },
      [](TarBuilder& t) { t.symlink("l", "real").file("real/f", "1").hardlink("h", "l/f"); }},
     "h 644 0:0 file '1'\n"
     "l -> real\n"
     "real 755 0:0\n"
     "real/f 644 0:0 file '1'\n"},
};

}  // namespace

TEST_P(SnapshotterSuite, UnpackedLayersLookTheSame) {
  int number = 0;
  const auto unpack = [&](const std::string& parent, Fill fill) -> Result<std::string> {
    TarBuilder tar;
    // Said once: the layers above inherit it.
    if (parent.empty()) tar.directory("./", {.mode = 0711, .xattrs = {{"user.note", "root"}}});
    fill(tar);
    StringSource source(tar.finish());
    const UnpackedLayer layer = TRY(unpack_layer(*snapshotter_, parent, source));
    const std::string name = fmt::format("layer-{}", number++);
    TRY(snapshotter_->commit(name, layer.key));
    return name;
  };
  for (const LayersCase& row : kCases) {
    SCOPED_TRACE(row.name);
    Result<std::string> top = std::string();
    for (const Fill fill : row.layers) {
      if (top.ok()) top = unpack(*top, fill);
    }
    if (row.tree == nullptr) {
      EXPECT_EQ(top.ok() ? "ok" : to_string(top.error().kind()), to_string(ErrorKind::kInvalid));
    } else if (!top.ok()) {
      ADD_FAILURE() << top.error().message();
    } else {
      EXPECT_EQ(describe_tree(view(*top).get()), std::string(". 711 0:0 note=root\n") + row.tree);
    }
  }
}

TEST_P(SnapshotterSuite, NamesOfFullLengthCanBeHidden) {
  const auto unpack = [&](const std::string& name, const std::string& parent,
                          Fill fill) -> Result<void> {
    TarBuilder tar;
    fill(tar);
    StringSource source(tar.finish());
    const UnpackedLayer layer = TRY(unpack_layer(*snapshotter_, parent, source));
    return snapshotter_->commit(name, layer.key);
  };
  MUST(unpack("base", "", [](TarBuilder& t) { t.file(std::string(255, 'n'), "").file("f", ""); }));
  const auto hidden =
      unpack("top", "base", [](TarBuilder& t) { t.file(".wh." + std::string(255, 'n'), ""); });
  if (!hidden.ok() && GetParam().file_system == "overlay") {
    // Neither a file's name with a prefix nor the device: said, and nothing is left.
    EXPECT_EQ(hidden.error().kind(), ErrorKind::kUnsupported);
    EXPECT_EQ(MUST(snapshotter_->list()).size(), 1U);
    return;
  }
  ASSERT_TRUE(hidden.ok()) << hidden.error().message();
  EXPECT_EQ(names(view("top").get()), Names{"f"});
}

}  // namespace berth::image
