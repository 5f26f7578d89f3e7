// A large image looks under every driver as GNU tar unpacks it: thousands of files with modes,
// owners, times, attributes, links and odd names, in layers that hide, empty and replace.
#include <sys/stat.h>

#include <cstdlib>
#include <map>
#include <random>

#include "image/archive/tar_builder_testing.h"
#include "image/load/unpack.h"
#include "image/snapshot/mounted_testing.h"
#include "image/snapshot/snapshotter_testsuite.h"
#include "image/snapshot/tree_testing.h"
#include "sys/dir.h"
#include "sys/file.h"

namespace berth::image {
namespace {

constexpr int kDirectories = 40;
constexpr int kFilesEach = 50;

/// A layer, and what tar(1) has to be told as it knows no whiteouts.
struct GeneratedLayer {
  TarBuilder tar = {};
  std::vector<std::string> removed = {};
  std::vector<std::string> emptied = {};
};

/// The same bytes every time: what fails once fails again.
class Generator {
 public:
  NodeOptions options(mode_t mode) {
    NodeOptions options{.mode = mode};
    options.uid = pick(3) == 0 ? 100'000 + pick(70'000) : pick(50);
    options.gid = pick(3) == 0 ? 1'000'000 + pick(9) : pick(50);
    // Before 1970, and after 2038.
    options.mtime = pick(40) == 0   ? -5
                    : pick(40) == 1 ? 4'000'000'000
                                    : 1'000'000'000 + pick(1 << 29);
    if (pick(7) == 0) options.xattrs.emplace_back("user.note", std::string(1 + pick(90), 'n'));
    if (pick(23) == 0) options.xattrs.emplace_back("user.empty", "");
    return options;
  }
  std::string content() {
    std::string text(pick(9) == 0 ? 4096U * (1 + pick(5)) : pick(6000), '\0');
    for (char& c : text) c = static_cast<char>('a' + pick(8));
    return text;
  }
  mode_t file_mode() {
    constexpr mode_t kModes[] = {0644, 0600, 0755, 04755, 02711, 0444, 0};
    return kModes[pick(std::size(kModes))];
  }
  NodeOptions directory() {
    constexpr mode_t kModes[] = {0755, 0700, 01777, 02775, 0555};
    NodeOptions made = options(kModes[pick(std::size(kModes))]);
    made.xattrs.clear();  // of one that is listed again, tar(1) keeps them
    return made;
  }
  unsigned pick(std::size_t below) { return static_cast<unsigned>(random_() % below); }

 private:
  std::mt19937 random_{1};
};

std::string directory_name(int i) {
  return i < 10 ? fmt::format("d{}", i) : fmt::format("d{}/sub{}", i % 10, i);
}

void fill_directory(Generator& generate, TarBuilder& tar, int i, int first) {
  const std::string dir = directory_name(i);
  tar.directory(dir, generate.directory());
  for (int k = first; k < first + kFilesEach; ++k) {
    const std::string path = fmt::format("{}/f{}", dir, k);
    tar.file(path, generate.content(), generate.options(generate.file_mode()));
    if (k % 11 == 0) tar.hardlink(path + ".link", path);
    if (k % 13 == 0) tar.hardlink(fmt::format("d0/of-{}-{}", i, k), path);
    if (k % 17 == 0) {
      NodeOptions options = generate.options(0777);
      options.xattrs.clear();  // a symbolic link has no user's
      tar.symlink(path + ".sym", k % 2 == 0 ? "../d0" : "nowhere/at/all", options);
    }
  }
}

void make_base(Generator& generate, GeneratedLayer& layer) {
  layer.tar.directory("./", generate.directory());
  for (int i = 0; i < kDirectories; ++i) fill_directory(generate, layer.tar, i, 0);
  NodeOptions noted{.mode = 0751};
  noted.xattrs = {{"user.note", "odd"}, {"user.zero", std::string(1, '\0')}};
  layer.tar.directory("odd", noted)
      .device("odd/null", S_IFCHR, 1, 3)
      .device("odd/block", S_IFBLK, 259, 7)
      .fifo("odd/pipe")
      .sparse("odd/sparse", 1 << 20, "end")
      .symlink("odd/long", std::string(3000, 'l'));
  for (const std::string& name :
       {std::string("new\nline"), std::string("\xff\xfe"), std::string("n\xcc\x81"),
        std::string(" "), std::string("-rf"), std::string("a,b:c\\d\"e"), std::string("lost+found"),
        std::string("lost+found-2"), std::string("...")}) {
    layer.tar.file("odd/" + name, name, generate.options(0644));
  }
  layer.tar.directory("odd/" + std::string(255, 'x'), noted)
      .file("odd/" + std::string(255, 'x') + "/" + std::string(255, 'y'), "long", {});
}

/// Each directory where something changes is listed, as layers that are made of changes have it.
void make_changes(Generator& generate, GeneratedLayer& layer, int round) {
  layer.tar.directory("./", generate.directory());
  for (int i = 0; i < 10; ++i) layer.tar.directory(directory_name(i), generate.directory());
  for (int i = round; i < kDirectories; i += 3) {
    const std::string dir = directory_name(i);
    layer.removed.push_back(dir + "/f1");
    layer.tar.directory(dir, generate.directory()).file(dir + "/.wh.f1", "");
    layer.tar.file(dir + "/f2", generate.content(), generate.options(0600));
    layer.removed.push_back(dir + "/f3");  // a directory in place of a file
    layer.tar.directory(dir + "/f3", generate.directory()).file(dir + "/f3/x", "in place", {});
  }
  // Of those that are not among the above, in either round.
  const std::string emptied = directory_name(11 + 3 * round);
  layer.emptied.push_back(emptied);
  layer.tar.directory(emptied).file(emptied + "/.wh..wh..opq", "");
  fill_directory(generate, layer.tar, 11 + 3 * round, 1000);
  const std::string gone = directory_name(20 + 3 * round);
  const auto slash = gone.find('/');
  layer.removed.push_back(gone);
  layer.tar.file(gone.substr(0, slash) + "/.wh." + gone.substr(slash + 1), "");
  const std::string replaced = directory_name(32 + 3 * round);  // a file in place of a directory
  layer.removed.push_back(replaced);
  layer.tar.file(replaced, "file", generate.options(0644));
}

/// What tar(1) makes of a layer on top of the tree `root`.
void unpack_with_tar(const sys::TempDir& dir, int root, const GeneratedLayer& layer,
                     const std::string& bytes) {
  const auto parent_of = [&](const std::string& path) {
    const auto slash = path.rfind('/');
    return MUST(sys::open_beneath(root, slash == std::string::npos ? "." : path.substr(0, slash),
                                  O_RDONLY | O_DIRECTORY));
  };
  for (const std::string& path : layer.removed) {
    MUST(sys::remove_tree(parent_of(path).get(), path.substr(path.rfind('/') + 1)));
  }
  for (const std::string& path : layer.emptied) {
    const UniqueFd emptied = MUST(sys::open_beneath(root, path, O_RDONLY | O_DIRECTORY));
    for (const auto& entry : MUST(sys::list_dir(emptied.get()))) {
      MUST(sys::remove_tree(emptied.get(), entry.name));
    }
  }
  MUST(sys::write_file_atomic(dir.fd(), "layer.tar", bytes));
  const std::string command = fmt::format(
      "LC_ALL=C tar --warning=none --delay-directory-restore -x -p --same-owner --numeric-owner "
      "--xattrs --xattrs-include='*' "
      "--exclude='.wh.*' -C {0}/reference -f {0}/layer.tar",
      dir.path());
  ASSERT_EQ(std::system(command.c_str()), 0);
}

}  // namespace

TEST_P(SnapshotterSuite, ThousandsOfFilesLookAsTarUnpacksThem) {
  if (!has_program("tar")) GTEST_SKIP() << "tar is not installed";
  const UniqueFd reference = MUST(sys::make_dir_at(dir_.fd(), "reference"));
  Generator generate;
  std::string parent;
  for (int i = 0; i < 3; ++i) {
    GeneratedLayer layer;
    i == 0 ? make_base(generate, layer) : make_changes(generate, layer, i - 1);
    const std::string bytes = layer.tar.finish();
    ASSERT_NO_FATAL_FAILURE(unpack_with_tar(dir_, reference.get(), layer, bytes));
    StringSource source(bytes);
    const UnpackedLayer unpacked = MUST(unpack_layer(*snapshotter_, parent, source));
    parent = fmt::format("layer-{}", i);
    MUST(snapshotter_->commit(parent, unpacked.key));
  }
  const auto expected = describe_nodes(reference.get());
  EXPECT_GT(expected.size(), 2000U);
  const auto compare = [&](std::string_view key) {
    const auto shown = describe_nodes(view(key).get());
    int differences = 0;
    for (const auto& [path, text] : expected) {
      const auto found = shown.find(path);
      if (found != shown.end() && found->second == text) continue;
      EXPECT_EQ(found == shown.end() ? "(absent)" : found->second, text) << key << ": " << path;
      if (++differences == 10) break;
    }
    for (const auto& [path, text] : shown) EXPECT_TRUE(expected.contains(path)) << path << text;
  };
  compare(parent);
  MUST(snapshotter_->prepare("container", parent));
  compare("container");
}

}  // namespace berth::image
