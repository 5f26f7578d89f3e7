#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>

#include "image/snapshot/btrfs_snapshotter.h"
#include "image/snapshot/devicemapper_snapshotter.h"
#include "image/snapshot/erofs_snapshotter.h"
#include "image/snapshot/fuse_overlay_snapshotter.h"
#include "image/snapshot/native_snapshotter.h"
#include "image/snapshot/overlay_snapshotter.h"
#include "image/snapshot/snapshotter_testsuite.h"
#include "image/snapshot/tree_testing.h"
#include "sys/dir.h"
#include "sys/file.h"
#include "sys/overlay_mount.h"

namespace berth::image {
namespace {

SnapshotterCase fuse_overlayfs(const std::string& file_system) {
  return {.name = "fuse-overlayfs",
          .layers = 128,
          .copies_parents = false,
          .open = open_fuse_overlay_snapshotter,
          .file_system = file_system,
          .programs = {"fuse-overlayfs"},
          .counts_links = false};
}

constexpr ThinPoolOptions kSmallPool{
    .data = 4ULL << 30, .metadata = 64U << 20, .device = 256U << 20};

INSTANTIATE_TEST_SUITE_P(
    Drivers, SnapshotterSuite,
    ::testing::Values(
        SnapshotterCase{.name = "overlay2",
                        .layers = 128,
                        .copies_parents = false,
                        .open = open_overlay_snapshotter},
        SnapshotterCase{.name = "btrfs",
                        .layers = 128,
                        .copies_parents = false,
                        .open = open_btrfs_snapshotter,
                        .file_system = "btrfs",
                        .volume_bytes = 1U << 30},
        SnapshotterCase{.name = "erofs",
                        .layers = 128,
                        .copies_parents = false,
                        .open = open_erofs_snapshotter,
                        .tells_holes = false},
        SnapshotterCase{.name = "devicemapper",
                        .layers = 40,
                        .copies_parents = false,
                        .open =
                            [](const std::string& root, Database& database) {
                              return open_devicemapper_snapshotter(root, database, kSmallPool);
                            },
                        .may_be_missing = true},
        // On what a container has for a root as well, which can hold no overlay.
        fuse_overlayfs(""), fuse_overlayfs("overlay"),
        // It copies every layer below, and flushes it: a few show what there is.
        SnapshotterCase{
            .name = "vfs", .layers = 12, .copies_parents = true, .open = open_native_snapshotter}),
    [](const auto& instance) {
      std::string name = instance.param.name;
      std::erase(name, '-');  // not in the name of a test
      return instance.param.file_system.empty() ? name : name + "_on_" + instance.param.file_system;
    });

TEST(OverlaySnapshotter, SaysWhatToDoWhereTheFileSystemCannotHoldLayers) {
  const sys::TempDir dir;
  const auto database = MUST(Database::open(dir.path() + "/metadata.db"));
  for (const char* sub : {"lower", "upper", "work"}) MUST(sys::make_dir_at(dir.fd(), sub));
  // An overlay is no upper layer for another one.
  const UniqueFd overlay = MUST(sys::mount_overlay_detached(
      {"overlay",
       "overlay",
       {"lowerdir=" + dir.path() + "/lower", "upperdir=" + dir.path() + "/upper",
        "workdir=" + dir.path() + "/work"}}));
  const std::string inside = fmt::format("/proc/self/fd/{}/store", overlay.get());
  const auto opened = open_overlay_snapshotter(inside, *database);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().kind(), ErrorKind::kUnsupported);
  EXPECT_NE(opened.error().message().find("use the vfs storage driver"), std::string::npos);
  EXPECT_TRUE(MUST(sys::list_dir(MUST(sys::open_dir(inside)).get())).empty());
  EXPECT_EQ(open_overlay_snapshotter(dir.path() + "/a:b", *database).error().kind(),
            ErrorKind::kInvalid);
}

/// An overlay of 128 layers in `dir`, each with a file of its own.
sys::MountSpec many_layers(const sys::TempDir& dir, const std::string& prefix) {
  std::string lowers;
  for (int i = 0; i < 128; ++i) {
    const std::string name = fmt::format("{}{}", prefix, i);
    const UniqueFd layer = MUST(sys::make_dir_at(dir.fd(), name));
    write(layer.get(), fmt::format("f{}", i), "x");
    write(layer.get(), "last", std::to_string(i));
    lowers += fmt::format("{}{}/{}", lowers.empty() ? "" : ":", dir.path(), name);
  }
  for (const char* sub : {"upper", "work"}) MUST(sys::make_dir_at(dir.fd(), sub));
  return {"overlay",
          "overlay",
          {"index=off", "lowerdir=" + lowers, "upperdir=" + dir.path() + "/upper",
           "workdir=" + dir.path() + "/work"}};
}

TEST(OverlayMount, TheClassicCallShowsTheSame) {
  const sys::TempDir dir;
  sys::MountSpec spec = many_layers(dir, "");
  {
    const UniqueFd tree = MUST(sys::mount_overlay_detached(spec, sys::OverlayMethod::kClassic));
    EXPECT_EQ(names(tree.get()).size(), 129U);
    EXPECT_EQ(read(tree.get(), "last"), "0");
    write(tree.get(), "new", "1");
  }
  EXPECT_EQ(read(dir.fd(), "upper/new"), "1");
  spec.options = {spec.options[1], "ro"};
  const UniqueFd frozen = MUST(sys::mount_overlay_detached(spec, sys::OverlayMethod::kClassic));
  EXPECT_EQ(sys::open_at(frozen.get(), "other", O_WRONLY | O_CREAT, 0600).error().os_errno(),
            EROFS);
}

TEST(OverlayMount, TheClassicCallRefusesWhatDoesNotFit) {
  if (::sysconf(_SC_PAGESIZE) > 4096)
    GTEST_SKIP() << "a page of this host takes any image's layers";
  const sys::TempDir dir;
  const auto mounted = sys::mount_overlay_detached(many_layers(dir, std::string(40, 'x')),
                                                   sys::OverlayMethod::kClassic);
  ASSERT_FALSE(mounted.ok());
  EXPECT_EQ(mounted.error().kind(), ErrorKind::kInvalid);
  EXPECT_NE(mounted.error().message().find("bytes of options"), std::string::npos);
}

}  // namespace
}  // namespace berth::image
