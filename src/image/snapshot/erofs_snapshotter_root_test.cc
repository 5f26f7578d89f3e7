#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/archive/tar_builder_testing.h"
#include "image/load/unpack.h"
#include "image/snapshot/erofs_snapshotter.h"
#include "image/snapshot/mounted_testing.h"
#include "image/snapshot/tree_testing.h"
#include "image/snapshot/volume_testing.h"
#include "sys/dir.h"
#include "sys/erofs_mount.h"
#include "sys/file.h"
#include "sys/temp_dir_testing.h"

namespace berth::image {
namespace {

class ErofsSnapshotterTest : public ::testing::Test {
 protected:
  void SetUp() override { reopen(); }
  void reopen() {
    snapshotter_.reset();
    database_.reset();
    database_ = MUST(Database::open(dir_.path() + "/metadata.db"));
    auto opened = open_erofs_snapshotter(dir_.path() + "/s", *database_);
    if (!opened.ok() && opened.error().kind() == ErrorKind::kUnsupported)
      GTEST_SKIP() << opened.error().message();
    snapshotter_ = MUST(std::move(opened));
  }
  std::string unpack(const std::string& parent, TarBuilder& tar) {
    StringSource source(tar.finish());
    return MUST(unpack_layer(*snapshotter_, parent, source)).key;
  }
  void layer(const std::string& name, const std::string& parent, TarBuilder& tar) {
    MUST(snapshotter_->commit(name, unpack(parent, tar)));
  }
  UniqueFd view(std::string_view key) {
    return MUST(mount_detached(MUST(snapshotter_->mounts(key))));
  }
  std::string path(const std::string& rest) const { return dir_.path() + "/s/" + rest; }

  sys::TempDir dir_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<Snapshotter> snapshotter_;
};

TEST_F(ErofsSnapshotterTest, ACommittedSnapshotIsOneFile) {
  TarBuilder tar;
  tar.directory("d").file("d/f", "1");
  layer("base", "", tar);
  MUST(snapshotter_->prepare("work", "base"));
  write(view("work").get(), "g", "2");
  MUST(snapshotter_->commit("top", "work"));
  for (const char* number : {"1", "2"}) {
    EXPECT_EQ(names(MUST(sys::open_dir(path(number))).get()), Names{"layer"});
  }
  EXPECT_EQ(read(view("top").get(), "g"), "2");
  EXPECT_EQ(read(view("top").get(), "d/f"), "1");
}

TEST_F(ErofsSnapshotterTest, AnUnpackedLayerIsSeenBeforeItIsCommitted) {
  TarBuilder tar;
  tar.file("f", "1");
  const std::string key = unpack("", tar);
  EXPECT_EQ(read(view(key).get(), "f"), "1");
  EXPECT_EQ(MUST(snapshotter_->usage(key)).inodes, 2U);
  EXPECT_EQ(sys::open_at(view(key).get(), "g", O_WRONLY | O_CREAT, 0600).error().os_errno(), EROFS);
  reopen();
  MUST(snapshotter_->commit("done", key));
  EXPECT_EQ(read(view("done").get(), "f"), "1");
}

TEST_F(ErofsSnapshotterTest, WhatACrashLeftOfACommitDoesNoHarm) {
  MUST(snapshotter_->prepare("work", ""));
  write(view("work").get(), "f", "1");
  // Of one that did not get to its row: what it wrote is old by the time of the next.
  MUST(sys::write_file_atomic(MUST(sys::open_dir(path("1"))).get(), "new-0123", "half"));
  MUST(sys::write_file_atomic(MUST(sys::open_dir(path("1"))).get(), "layer", "old"));
  reopen();
  write(view("work").get(), "g", "2");
  MUST(snapshotter_->commit("done", "work"));
  EXPECT_EQ(read(view("done").get(), "g"), "2");
  EXPECT_EQ(names(MUST(sys::open_dir(path("1"))).get()), Names{"layer"});
  // Of one that did, and died before it cleared away.
  MUST(sys::make_dirs(path("1/fs/left")));
  reopen();
  EXPECT_EQ(names(MUST(sys::open_dir(path("1"))).get()), Names{"layer"});
}

TEST_F(ErofsSnapshotterTest, LayersCanBeMountedByWayOfLoopDevices) {
  if (::access("/dev/loop-control", F_OK) != 0) GTEST_SKIP() << "this host has no loop devices";
  TarBuilder base;
  base.directory("d", {.mode = 0700, .uid = 5}).file("d/old", "1").file("d/f", "1");
  layer("base", "", base);
  TarBuilder top;
  top.file("d/.wh.old", "").file("d/g", "2");
  layer("top", "base", top);
  MUST(snapshotter_->prepare("work", "top"));
  for (const char* key : {"base", "top", "work"}) {
    const auto spec = MUST(snapshotter_->mounts(key)).front();
    const UniqueFd loop = MUST(sys::mount_erofs_detached(spec, sys::ErofsMethod::kLoop));
    EXPECT_EQ(describe_tree(MUST(sys::open_dir_at(loop.get(), ".")).get()),
              describe_tree(MUST(sys::open_dir_at(view(key).get(), ".")).get()));
  }
  EXPECT_EQ(names(view("work").get(), "d"), (Names{"f", "g"}));
}

TEST_F(ErofsSnapshotterTest, AMountOutlivesItsSnapshot) {
  TarBuilder tar;
  tar.file("f", std::string(10000, 'x'));
  layer("base", "", tar);
  const UniqueFd tree = view("base");
  MUST(snapshotter_->remove("base"));
  EXPECT_EQ(read(tree.get(), "f"), std::string(10000, 'x'));
}

TEST_F(ErofsSnapshotterTest, AFullDiskIsSaid) {
  auto made = Volume::make(dir_.path(), "ext4", 16U << 20);
  if (!made.ok() && made.error().kind() == ErrorKind::kUnsupported)
    GTEST_SKIP() << made.error().message();
  const auto volume = MUST(std::move(made));
  const auto database = MUST(Database::open(volume->path() + "/metadata.db"));
  const auto snapshots = MUST(open_erofs_snapshotter(volume->path() + "/s", *database));
  TarBuilder tar;
  tar.file("large", std::string(20U << 20, 'x'));
  StringSource source(tar.finish());
  const auto unpacked = unpack_layer(*snapshots, "", source);
  ASSERT_FALSE(unpacked.ok());
  EXPECT_EQ(unpacked.error().kind(), ErrorKind::kExhausted) << unpacked.error().message();
  EXPECT_TRUE(MUST(snapshots->list()).empty());
  EXPECT_TRUE(names(MUST(sys::open_dir(volume->path() + "/s")).get()).empty());
}

TEST_F(ErofsSnapshotterTest, SaysWhatToUseWhereItCannotWork) {
  const auto opened = open_erofs_snapshotter(dir_.path() + "/a:b", *database_);
  EXPECT_EQ(opened.error().kind(), ErrorKind::kInvalid);
  auto made = Volume::make(dir_.path(), "overlay", 0);
  if (!made.ok() && made.error().kind() == ErrorKind::kUnsupported)
    GTEST_SKIP() << made.error().message();
  const auto volume = MUST(std::move(made));
  const auto refused = open_erofs_snapshotter(volume->path() + "/s", *database_);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind(), ErrorKind::kUnsupported);
  EXPECT_NE(refused.error().message().find("vfs"), std::string::npos) << refused.error().message();
}

}  // namespace
}  // namespace berth::image
