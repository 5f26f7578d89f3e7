#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/btrfs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/strong_id.h"
#include "image/snapshot/btrfs_snapshotter.h"
#include "image/snapshot/btrfs_subvolume.h"
#include "image/snapshot/mounted_testing.h"
#include "image/snapshot/tree_testing.h"
#include "image/snapshot/volume_testing.h"
#include "sys/dir.h"
#include "sys/file.h"
#include "sys/temp_dir_testing.h"

namespace berth::image {
namespace {

/// mkfs.btrfs makes none that is smaller.
constexpr std::uint64_t kSmallest = 120U << 20;

class BtrfsSnapshotterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto made = Volume::make(dir_.path(), "btrfs", kSmallest);
    if (!made.ok() && made.error().kind() == ErrorKind::kUnsupported) {
      GTEST_SKIP() << made.error().message();
    }
    volume_ = MUST(std::move(made));
    reopen();
  }

  void reopen() {
    snapshotter_.reset();
    database_.reset();
    database_ = MUST(Database::open(volume_->path() + "/metadata.db"));
    snapshotter_ = MUST(open_btrfs_snapshotter(root(), *database_));
  }
  std::string root() const { return volume_->path() + "/s"; }
  Names directories() { return names(MUST(sys::open_dir(root())).get()); }
  /// Where the snapshot's subvolume is, whichever way it is mounted elsewhere.
  UniqueFd subvolume(std::string_view key) {
    return MUST(sys::open_dir(MUST(snapshotter_->mounts(key)).front().source));
  }
  void layer(const std::string& name, const std::string& parent,
             const std::function<void(int root)>& fill) {
    MUST(snapshotter_->prepare("making", parent));
    fill(subvolume("making").get());
    MUST(snapshotter_->commit(name, "making"));
  }

  sys::TempDir dir_;
  std::unique_ptr<Volume> volume_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<Snapshotter> snapshotter_;
};

TEST_F(BtrfsSnapshotterTest, ASealedSubvolumeIsReadOnlyWithoutAnyMount) {
  layer("base", "", [](int root) { write(root, "f", "1"); });
  EXPECT_EQ(sys::open_at(subvolume("base").get(), "f", O_WRONLY).error().os_errno(), EROFS);
  // What is based on it is not.
  layer("top", "base", [](int root) { write(root, "f", "2"); });
  EXPECT_EQ(read(subvolume("base").get(), "f"), "1");
}

TEST_F(BtrfsSnapshotterTest, OpeningSealsWhatACrashLeftWritable) {
  layer("base", "", [](int root) { write(root, "f", "1"); });
  std::uint64_t writable = 0;
  ASSERT_EQ(::ioctl(subvolume("base").get(), BTRFS_IOC_SUBVOL_SETFLAGS, &writable), 0);
  ASSERT_TRUE(sys::open_at(subvolume("base").get(), "f", O_WRONLY).ok());
  reopen();
  EXPECT_EQ(sys::open_at(subvolume("base").get(), "f", O_WRONLY).error().os_errno(), EROFS);
}

TEST_F(BtrfsSnapshotterTest, SubvolumesThatAContainerMadeGoWithIt) {
  const auto fill = [](int root) {
    MUST(create_subvolume(root, "mine"));
    make_dir(root, "mine/d");
    const UniqueFd inside = MUST(sys::open_at(root, "mine/d", O_RDONLY | O_DIRECTORY));
    MUST(create_subvolume(inside.get(), "deeper"));
    const UniqueFd deeper = MUST(sys::open_dir_at(inside.get(), "deeper"));
    write(deeper.get(), "f", "1");
    MUST(snapshot_subvolume(deeper.get(), root, "copy"));
    MUST(make_subvolume_read_only(deeper.get()));
    MUST(make_subvolume_read_only(MUST(sys::open_dir_at(root, "mine")).get()));
  };
  MUST(snapshotter_->prepare("a", ""));
  fill(subvolume("a").get());
  MUST(snapshotter_->remove("a"));
  EXPECT_TRUE(directories().empty());
  // And those of a snapshot whose row a crash took.
  const UniqueFd lost = MUST(sys::make_dir_at(MUST(sys::open_dir(root())).get(), "77"));
  MUST(create_subvolume(lost.get(), "fs"));
  fill(MUST(sys::open_dir_at(lost.get(), "fs")).get());
  reopen();
  EXPECT_TRUE(directories().empty());
}

TEST_F(BtrfsSnapshotterTest, UsageIsWhatWasWrittenSinceTheSnapshotWasMade) {
  constexpr std::uint64_t kMiB = 1U << 20;
  layer("base", "", [](int root) {
    write(root, "large", std::string(8 * kMiB, 'x'));
    for (int i = 0; i < 500; ++i) write(root, fmt::format("f{}", i), "");
  });
  layer("top", "base", [](int root) {
    const UniqueFd large = MUST(sys::open_at(root, "large", O_WRONLY));
    const std::string part(kMiB, 'y');
    ASSERT_EQ(::pwrite(large.get(), part.data(), part.size(), 2 * kMiB),
              static_cast<ssize_t>(kMiB));
    ASSERT_EQ(::fchmodat(root, "f7", 0600, 0), 0);
    ASSERT_EQ(::unlinkat(root, "f8", 0), 0);
    write(root, "small", "1");
  });
  EXPECT_GE(MUST(snapshotter_->usage("base")).bytes, 8 * kMiB);
  EXPECT_EQ(MUST(snapshotter_->usage("base")).inodes, 502U);
  const SnapshotUsage top = MUST(snapshotter_->usage("top"));
  EXPECT_GE(top.bytes, kMiB);
  EXPECT_LT(top.bytes, 2 * kMiB);
  EXPECT_EQ(top.inodes, 4U);  // the root, the large file, the one that was chmoded, the new one
}

TEST_F(BtrfsSnapshotterTest, AFullDiskIsSaidAndCanBeFreed) {
  layer("base", "", [](int root) { write(root, "f", "1"); });
  MUST(snapshotter_->prepare("full", "base"));
  {
    const UniqueFd tree = subvolume("full");
    const UniqueFd file = MUST(sys::open_at(tree.get(), "large", O_WRONLY | O_CREAT, 0600));
    const std::string part(1U << 20, 'x');
    auto written = sys::write_all(file.get(), part);
    for (int i = 0; i < 200 && written.ok(); ++i) written = sys::write_all(file.get(), part);
    ASSERT_FALSE(written.ok());
    EXPECT_EQ(written.error().kind(), ErrorKind::kExhausted);
  }
  const auto removed = snapshotter_->remove("full");
  EXPECT_TRUE(removed.ok()) << removed.error().message();
  EXPECT_EQ(directories().size(), 1U);
  layer("after", "base", [](int root) { write(root, "g", "2"); });
}

TEST(BtrfsSnapshotter, SaysWhatToDoOnAnotherFileSystem) {
  const sys::TempDir dir;
  const auto database = MUST(Database::open(dir.path() + "/metadata.db"));
  const UniqueFd memory = MUST(sys::open_dir("/dev/shm"));
  const std::string name = "berth-test-" + random_hex(16);
  const auto opened = open_btrfs_snapshotter("/dev/shm/" + name, *database);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().kind(), ErrorKind::kUnsupported);
  EXPECT_NE(opened.error().message().find("not on a btrfs file system"), std::string::npos);
  EXPECT_NE(opened.error().message().find("use the overlay2"), std::string::npos);
  MUST(sys::remove_tree(memory.get(), name));
}

}  // namespace
}  // namespace berth::image
