// What differs between a snapshot and the one it is based on, of every driver the same: as a list,
// and as a layer that makes the same tree again.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstring>

#include "image/archive/decompress.h"
#include "image/archive/produced_source.h"
#include "image/archive/tar_reader.h"
#include "image/changes/changes.h"
#include "image/changes/tree_archive.h"
#include "image/load/unpack.h"
#include "image/snapshot/mounted_testing.h"
#include "image/snapshot/snapshotter_testsuite.h"
#include "image/snapshot/tree_testing.h"
#include "sys/dir.h"
#include "sys/file.h"

namespace berth::image {
namespace {

bool no_mount_points(std::string_view) {
  return false;
}

std::string listed(const Snapshotter& snapshots, const std::string& key,
                   const IsMountPoint& is_mount_point = no_mount_points) {
  std::string text;
  for (const Change& change : MUST(snapshot_changes(snapshots, key, is_mount_point, 1000)))
    text += fmt::format("{} {}\n", "CAD"[static_cast<int>(change.kind)], change.path);
  return text;
}

void set_note(int root, const std::string& path, std::string_view value) {
  const UniqueFd fd = MUST(sys::open_at(root, path, O_RDONLY));
  ASSERT_EQ(::fsetxattr(fd.get(), "user.note", value.data(), value.size(), 0), 0);
}

void set_time(int root, const std::string& path, std::int64_t seconds) {
  const timespec times[2] = {{seconds, 0}, {seconds, 0}};
  ASSERT_EQ(::utimensat(root, path.c_str(), times, AT_SYMLINK_NOFOLLOW), 0);
}

void make_socket(int root, const std::string& path) {
  const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  const std::string full = fmt::format("/proc/self/fd/{}/{}", root, path);
  std::memcpy(static_cast<char*>(address.sun_path), full.c_str(), full.size() + 1);
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
}

void fill_base(int root) {
  make_dir(root, "etc");
  write(root, "etc/a", "1");
  write(root, "etc/b", "1");
  write(root, "etc/same", "1");
  make_dir(root, "gone");
  write(root, "gone/f", "1");
  make_dir(root, "anew");
  write(root, "anew/kept", "1");
  write(root, "anew/lost", "1");
  make_dir(root, "anew/sub");
  write(root, "anew/sub/lost", "1");
  make_dir(root, "still");
  write(root, "still/f", "1");
  make_dir(root, "becomes-file");
  write(root, "becomes-file/f", "1");
  write(root, "becomes-dir", "1");
  make_dir(root, "attributes");
  write(root, "attributes/mode", "1");
  write(root, "attributes/note", "1");
  for (const char* path : {"anew/kept", "still/f", "etc/same"}) set_time(root, path, 1'000'000'000);
}

void change_all(int root) {
  write(root, "etc/a", "22");
  ASSERT_EQ(::unlinkat(root, "etc/b", 0), 0);
  write(root, "etc/new", "1");
  ASSERT_EQ(::linkat(root, "etc/new", root, "etc/new-too", 0), 0);
  ASSERT_EQ(::symlinkat("a", root, "etc/link"), 0);
  ASSERT_EQ(::mkfifoat(root, "pipe", 0600), 0);
  ASSERT_EQ(::mknodat(root, "null", S_IFCHR | 0666, makedev(1, 3)), 0);
  MUST(sys::remove_tree(root, "gone"));
  MUST(sys::remove_tree(root, "anew"));
  make_dir(root, "anew");
  write(root, "anew/kept", "1");
  set_time(root, "anew/kept", 1'000'000'000);
  make_dir(root, "anew/sub");
  write(root, "anew/sub/n\nl", "1");
  // Opened to be written to, and not written to.
  MUST(sys::open_at(root, "still/f", O_WRONLY | O_APPEND));
  MUST(sys::remove_tree(root, "becomes-file"));
  write(root, "becomes-file", "1");
  ASSERT_EQ(::unlinkat(root, "becomes-dir", 0), 0);
  make_dir(root, "becomes-dir");
  write(root, "becomes-dir/f", "1");
  ASSERT_EQ(::fchmodat(root, "attributes/mode", 0600, 0), 0);
  set_note(root, "attributes/note", "n");
  ASSERT_EQ(::fchownat(root, "attributes", 5, 6, 0), 0);
}

constexpr const char* kAll =
    "C /anew\n"
    "D /anew/lost\n"
    "C /anew/sub\n"
    "D /anew/sub/lost\n"
    "A /anew/sub/n\nl\n"
    "C /attributes\n"
    "C /attributes/mode\n"
    "C /attributes/note\n"
    "C /becomes-dir\n"
    "A /becomes-dir/f\n"
    "C /becomes-file\n"
    "C /etc\n"
    "C /etc/a\n"
    "D /etc/b\n"
    "A /etc/link\n"
    "A /etc/new\n"
    "A /etc/new-too\n"
    "D /gone\n"
    "A /null\n"
    "A /pipe\n";

TEST_P(SnapshotterSuite, ChangesAreListed) {
  layer("base", "", fill_base);
  {
    const UniqueFd tree = MUST(mount_detached(MUST(snapshotter_->prepare("work", "base"))));
    EXPECT_EQ(listed(*snapshotter_, "work"), "");
    change_all(tree.get());
    EXPECT_EQ(listed(*snapshotter_, "work"), kAll);  // also while it is in use
  }
  EXPECT_EQ(listed(*snapshotter_, "work"), kAll);
}

TEST_P(SnapshotterSuite, ChangesAreAgainstAllLayersTogether) {
  layer("base", "", fill_base);
  layer("second", "base", [](int root) {
    MUST(sys::remove_tree(root, "gone"));
    write(root, "etc/b", "second");
  });
  const UniqueFd tree = MUST(mount_detached(MUST(snapshotter_->prepare("work", "second"))));
  make_dir(tree.get(), "gone");
  write(tree.get(), "gone/f", "1");
  ASSERT_EQ(::unlinkat(tree.get(), "etc/b", 0), 0);
  EXPECT_EQ(listed(*snapshotter_, "work"), "C /etc\nD /etc/b\nA /gone\nA /gone/f\n");
}

TEST_P(SnapshotterSuite, ChangesOfASnapshotThatIsBasedOnNothingAreAllOfIt) {
  const UniqueFd tree = MUST(mount_detached(MUST(snapshotter_->prepare("work", ""))));
  write(tree.get(), "f", "1");
  make_dir(tree.get(), "d");
  make_dir(tree.get(), "d/e");
  EXPECT_EQ(listed(*snapshotter_, "work"), "A /d\nA /d/e\nA /f\n");
  EXPECT_EQ(snapshot_changes(*snapshotter_, "work", no_mount_points, 2).error().kind(),
            ErrorKind::kExhausted);
  EXPECT_EQ(snapshot_changes(*snapshotter_, "none", no_mount_points, 2).error().kind(),
            ErrorKind::kNotFound);
}

TEST_P(SnapshotterSuite, MountPointsAreNoChanges) {
  layer("base", "", [](int root) { write(root, "f", ""); });
  const UniqueFd tree = MUST(mount_detached(MUST(snapshotter_->prepare("work", "base"))));
  const auto is_mount_point = [](std::string_view path) {
    return path == "dev" || path == "etc" || path == "etc/hosts";
  };
  make_dir(tree.get(), "dev");
  make_dir(tree.get(), "etc");
  write(tree.get(), "etc/hosts", "");
  EXPECT_EQ(listed(*snapshotter_, "work", is_mount_point), "");
  write(tree.get(), "etc/own", "");
  EXPECT_EQ(listed(*snapshotter_, "work", is_mount_point), "C /etc\nA /etc/own\n");
  write(tree.get(), "etc/hosts", "not empty");
  EXPECT_EQ(listed(*snapshotter_, "work", is_mount_point), "C /etc\nA /etc/hosts\nA /etc/own\n");
}

TEST_P(SnapshotterSuite, ADeepTreeIsWalkedToItsEnd) {
  layer("base", "", [](int root) { make_dir(root, "d"); });
  const UniqueFd tree = MUST(mount_detached(MUST(snapshotter_->prepare("work", "base"))));
  std::string path = "d";
  for (int i = 0; i < 100; ++i) {
    path += "/d";
    make_dir(tree.get(), path);
  }
  write(tree.get(), path + "/f", "");
  write(tree.get(), "d/z", "");
  const auto changes = MUST(snapshot_changes(*snapshotter_, "work", no_mount_points, 1000));
  EXPECT_EQ(changes.size(), 103U);
  EXPECT_EQ(changes.back().path, "/d/z");
}

TEST_P(SnapshotterSuite, ALayerOfTheChangesMakesTheSameTree) {
  layer("base", "", fill_base);
  const UniqueFd tree = MUST(mount_detached(MUST(snapshotter_->prepare("work", "base"))));
  change_all(tree.get());
  ASSERT_EQ(::fchmodat(tree.get(), ".", 0711, 0), 0);
  make_socket(tree.get(), "etc/socket");
  ASSERT_EQ(::unlinkat(tree.get(), "etc/same", 0), 0);
  make_socket(tree.get(), "etc/same");
  LayerContent content;
  ProducedSource source([&](ByteSink& sink) -> Result<void> {
    content = TRY(write_layer(TRY(open_trees(*snapshotter_, "work")), no_mount_points, sink));
    return {};
  });
  const UnpackedLayer unpacked = MUST(unpack_layer(*snapshotter_, "base", source));
  EXPECT_GT(content.changes, 0U);
  MUST(snapshotter_->commit("made", unpacked.key));
  // Sockets are nothing that lasts.
  for (const char* path : {"etc/socket", "etc/same"}) ASSERT_EQ(::unlinkat(tree.get(), path, 0), 0);
  const UniqueFd made = view("made");
  EXPECT_EQ(describe_tree(made.get()), describe_tree(tree.get()));
  EXPECT_EQ(stat_of(made.get(), "etc/new").st_ino, stat_of(made.get(), "etc/new-too").st_ino);
}

TEST_P(SnapshotterSuite, NothingChangedMakesNoLayer) {
  layer("base", "", fill_base);
  MUST(snapshotter_->prepare("work", "base"));
  LayerContent content{.changes = 1};
  ProducedSource source([&](ByteSink& sink) -> Result<void> {
    content = TRY(write_layer(TRY(open_trees(*snapshotter_, "work")), no_mount_points, sink));
    return {};
  });
  TarReader reader = MUST(TarReader::open(source));
  TarEntry entry;
  EXPECT_FALSE(MUST(reader.next(entry)));
  MUST(drain(source));  // behind its end there is what write_layer() returned
  EXPECT_EQ(content.changes, 0U);
}

TEST_P(SnapshotterSuite, ANameThatWouldHideAnotherIsNoPartOfALayer) {
  if (GetParam().name == "fuse-overlayfs") GTEST_SKIP() << "no such name can be made there";
  layer("base", "", fill_base);
  const UniqueFd tree = MUST(mount_detached(MUST(snapshotter_->prepare("work", "base"))));
  write(tree.get(), "etc/.wh.a", "");
  EXPECT_EQ(listed(*snapshotter_, "work"), "C /etc\nA /etc/.wh.a\n");
  ProducedSource source([&](ByteSink& sink) -> Result<void> {
    TRY(write_layer(TRY(open_trees(*snapshotter_, "work")), no_mount_points, sink));
    return {};
  });
  const auto refused = unpack_layer(*snapshotter_, "base", source);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message().find("'.wh.'"), std::string::npos);
}

TEST_P(SnapshotterSuite, AWholeTreeIsWrittenAndMadeAgain) {
  layer("base", "", fill_base);
  layer("second", "base", change_all);
  const UniqueFd tree = MUST(mount_detached(MUST(snapshotter_->prepare("work", "second"))));
  write(tree.get(), "etc/a", "333");
  ASSERT_EQ(::unlinkat(tree.get(), "null", 0), 0);
  make_socket(tree.get(), "socket");
  ProducedSource source([&](ByteSink& sink) -> Result<void> {
    const UniqueFd root = TRY(open_whole(*snapshotter_, "work"));
    return write_tree(root.get(), sink);
  });
  const UnpackedLayer unpacked = MUST(unpack_layer(*snapshotter_, "", source));
  MUST(snapshotter_->commit("made", unpacked.key));
  ASSERT_EQ(::unlinkat(tree.get(), "socket", 0), 0);
  // The root itself is nothing that an archive of it has.
  ASSERT_EQ(::fchmodat(tree.get(), ".", 0755, 0), 0);
  const UniqueFd made = view("made");
  EXPECT_EQ(describe_tree(made.get()), describe_tree(tree.get()));
  EXPECT_EQ(stat_of(made.get(), "etc/new").st_ino, stat_of(made.get(), "etc/new-too").st_ino);
}

}  // namespace
}  // namespace berth::image
