#include <gtest/gtest.h>

#include "image/snapshot/native_snapshotter.h"
#include "image/snapshot/overlay_mount.h"
#include "image/snapshot/overlay_snapshotter.h"
#include "image/snapshot/snapshotter_testsuite.h"
#include "sys/dir.h"

namespace berth::image {
namespace {

// vfs copies every layer below, and flushes it: a few show what there is to show.
INSTANTIATE_TEST_SUITE_P(Drivers, SnapshotterSuite,
                         ::testing::Values(SnapshotterCase{"overlay2", 128,
                                                           open_overlay_snapshotter},
                                           SnapshotterCase{"vfs", 12, open_native_snapshotter}),
                         [](const auto& instance) { return instance.param.name; });

TEST(OverlaySnapshotter, SaysWhatToDoWhereTheFileSystemCannotHoldLayers) {
  const sys::TempDir dir;
  const auto database = MUST(Database::open(dir.path() + "/metadata.db"));
  for (const char* sub : {"lower", "upper", "work"}) MUST(sys::make_dir_at(dir.fd(), sub));
  // An overlay is no upper layer for another one.
  const UniqueFd overlay = MUST(mount_overlay_detached(
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

}  // namespace
}  // namespace berth::image
