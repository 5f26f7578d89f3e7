#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "base/scope_exit.h"
#include "base/strong_id.h"
#include "image/snapshot/devicemapper_snapshotter.h"
#include "image/snapshot/mounted_testing.h"
#include "image/snapshot/tree_testing.h"
#include "sys/dir.h"
#include "sys/file.h"
#include "sys/loop_device.h"
#include "sys/temp_dir_testing.h"

namespace berth::image {
namespace {

constexpr ThinPoolOptions kSmallPool{
    .data = 256U << 20, .metadata = 16U << 20, .device = 64U << 20};

class DevicemapperSnapshotterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    database_ = MUST(Database::open(dir_.path() + "/metadata.db"));
    auto opened = open();
    if (!opened.ok() && opened.error().kind() == ErrorKind::kUnsupported)
      GTEST_SKIP() << opened.error().message();
    snapshotter_ = MUST(std::move(opened));
  }
  Result<std::unique_ptr<Snapshotter>> open() {
    return open_devicemapper_snapshotter(dir_.path() + "/s", *database_, kSmallPool);
  }
  void close() {
    snapshotter_.reset();
    database_.reset();
  }
  void reopen() {
    close();
    database_ = MUST(Database::open(dir_.path() + "/metadata.db"));
    snapshotter_ = MUST(open());
  }
  UniqueFd view(std::string_view key) {
    return MUST(mount_detached(MUST(snapshotter_->mounts(key))));
  }
  std::string path(const std::string& rest) const { return dir_.path() + "/" + rest; }
  /// Does `work` in a process that dies of it, as the engine may at any moment.
  template <typename Work>
  void die_after(Work work) {
    close();
    const pid_t child = ::fork();
    if (child == 0) {
      database_ = MUST(Database::open(dir_.path() + "/metadata.db"));
      snapshotter_ = MUST(open());
      work();
      ::kill(::getpid(), SIGKILL);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    database_ = MUST(Database::open(dir_.path() + "/metadata.db"));
    snapshotter_ = MUST(open());
  }
  /// Whether a device of the pool of this test is there.
  bool has_device(const std::string& suffix) const {
    struct stat st{};
    EXPECT_EQ(::stat(path("pool").c_str(), &st), 0);
    const auto mapper = MUST(sys::DeviceMapper::open());
    return MUST(mapper.find(fmt::format("berth-{:x}-{:x}{}", st.st_dev, st.st_ino, suffix)))
        .has_value();
  }
  std::string pool_status() const {
    struct stat st{};
    EXPECT_EQ(::stat(path("pool").c_str(), &st), 0);
    const auto mapper = MUST(sys::DeviceMapper::open());
    return MUST(mapper.status(fmt::format("berth-{:x}-{:x}", st.st_dev, st.st_ino))).parameters;
  }

  sys::TempDir dir_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<Snapshotter> snapshotter_;
};

TEST_F(DevicemapperSnapshotterTest, NothingIsLeftOnTheHostWhenItCloses) {
  MUST(snapshotter_->prepare("a", ""));
  write(view("a").get(), "f", "1");
  EXPECT_TRUE(has_device(""));
  close();
  for (int i = 0; i < 100 && has_device(""); ++i) ::usleep(20'000);
  EXPECT_FALSE(has_device(""));
  reopen();
  EXPECT_EQ(read(view("a").get(), "f"), "1");
}

TEST_F(DevicemapperSnapshotterTest, AMountOutlivesTheObjectAndTheNextFindsIt) {
  MUST(snapshotter_->prepare("a", ""));
  const UniqueFd tree = view("a");
  reopen();
  write(tree.get(), "f", "1");
  EXPECT_EQ(read(view("a").get(), "f"), "1");
  const auto removed = snapshotter_->remove("a");  // the device that resists goes later
  EXPECT_TRUE(removed.ok());
  EXPECT_EQ(names(MUST(sys::open_dir(path("s"))).get()).size(), 1U);
  EXPECT_EQ(read(tree.get(), "f"), "1");
}

TEST_F(DevicemapperSnapshotterTest, AKilledEngineLeavesWhatTheNextGoesOnWith) {
  die_after([&] {
    MUST(snapshotter_->prepare("base", ""));
    write(view("base").get(), "f", "1");
    MUST(snapshotter_->commit("done", "base"));
    MUST(snapshotter_->prepare("top", "done"));
    write(view("top").get(), "g", "2");
  });
  EXPECT_EQ(read(view("done").get(), "f"), "1");
  EXPECT_EQ(read(view("top").get(), "f"), "1");
  MUST(snapshotter_->commit("over", "top"));
  EXPECT_EQ(read(view("over").get(), "g"), "2");
}

TEST_F(DevicemapperSnapshotterTest, WhatIsHalfDoneIsUndone) {
  const auto store = MUST(sys::open_dir(path("s")));
  std::string device;
  die_after([&] {
    MUST(snapshotter_->prepare("a", ""));
    // As if there had been no time for its row.
    ASSERT_EQ(::renameat(store.get(), "1", store.get(), "new-01"), 0);
  });
  // The row's was made again, and the other is gone: its number is free of a device.
  EXPECT_EQ(names(store.get()), Names{"1"});
  MUST(snapshotter_->remove("a"));
  // A number that was written down and never used.
  MUST(sys::make_dirs(path("s/new-02")));
  MUST(sys::write_file_atomic(MUST(sys::open_dir(path("s/new-02"))).get(), "device", "4000 1"));
  MUST(sys::make_dirs(path("s/new-03")));  // and one that was not even that
  reopen();
  EXPECT_TRUE(names(store.get()).empty());
}

TEST_F(DevicemapperSnapshotterTest, ABaseThatIsHalfMadeIsMadeAnew) {
  close();
  const UniqueFd pool = MUST(sys::open_dir(path("pool")));
  ASSERT_EQ(::renameat(pool.get(), "base", pool.get(), "new"), 0);
  reopen();
  EXPECT_EQ(names(pool.get()), (Names{"base", "data", "metadata"}));
  MUST(snapshotter_->prepare("a", ""));
  EXPECT_EQ(names(view("a").get()), Names{});
}

TEST_F(DevicemapperSnapshotterTest, ABaseIsMadeByWhoIgnoresTheEndsOfItsChildren) {
  close();
  const UniqueFd pool = MUST(sys::open_dir(path("pool")));
  ASSERT_EQ(::renameat(pool.get(), "base", pool.get(), "new"), 0);
  const auto before = ::signal(SIGCHLD, SIG_IGN);  // as the engine does
  reopen();
  ::signal(SIGCHLD, before);
  MUST(snapshotter_->prepare("a", ""));
  EXPECT_EQ(names(view("a").get()), Names{});
}

TEST_F(DevicemapperSnapshotterTest, NumbersAreGivenOnce) {
  const auto transaction = [&] { return std::stoi(pool_status()); };
  const int before = transaction();
  for (int i = 0; i < 3; ++i) {
    MUST(snapshotter_->prepare("a", ""));
    MUST(snapshotter_->remove("a"));
  }
  EXPECT_EQ(transaction(), before + 3);
  reopen();
  EXPECT_EQ(transaction(), before + 3);
}

TEST_F(DevicemapperSnapshotterTest, AContainerCannotGetBeyondItsSize) {
  MUST(snapshotter_->prepare("a", ""));
  const UniqueFd tree = view("a");
  const UniqueFd file = MUST(sys::open_at(tree.get(), "f", O_WRONLY | O_CREAT, 0600));
  const std::string megabyte(1 << 20, 'x');
  Result<void> written;
  for (int i = 0; i < 100 && written.ok(); ++i) written = sys::write_all(file.get(), megabyte);
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().os_errno(), ENOSPC);
}

TEST_F(DevicemapperSnapshotterTest, APoolOfSomebodyElseIsUsedAndStays) {
  close();
  const auto mapper = MUST(sys::DeviceMapper::open());
  const std::string name = "test-" + random_hex(8);
  const auto volume = [&](const char* file, off_t bytes) {
    const UniqueFd fd = MUST(sys::open_at(dir_.fd(), file, O_RDWR | O_CREAT, 0600));
    EXPECT_EQ(::ftruncate(fd.get(), bytes), 0);
    return MUST(sys::attach_loop(fd.get(), false));
  };
  {
    const auto data = volume("data", 256 << 20);
    const auto metadata = volume("metadata", 16 << 20);
    MUST(mapper.create(name, {.type = "thin-pool",
                              .bytes = 256U << 20,
                              .parameters = fmt::format("{} {} 128 0", metadata.path, data.path)}));
  }
  const ScopeExit undo([&] { MUST(mapper.remove(name)); });
  const ThinPoolOptions options{.device = 64U << 20, .existing = name};
  const std::string root = path("other/s");
  const auto database = MUST(Database::open(path("other.db")));
  const auto open_other = [&](const ThinPoolOptions& with) {
    return open_devicemapper_snapshotter(root, *database, with);
  };
  auto other = MUST(open_other(options));
  MUST(other->prepare("a", ""));
  write(MUST(mount_detached(MUST(other->mounts("a")))).get(), "f", "1");
  other.reset();
  EXPECT_TRUE(MUST(mapper.find(name)).has_value());
  // The size of its file systems is what it was.
  other = MUST(open_other({.device = 16U << 20, .existing = name}));
  EXPECT_EQ(read(MUST(mount_detached(MUST(other->mounts("a")))).get(), "f"), "1");
  MUST(other->remove("a"));
  other.reset();
  EXPECT_EQ(open_other({.existing = "none-of-that-name"}).error().kind(), ErrorKind::kNotFound);
}

}  // namespace
}  // namespace berth::image
