// Updates on directories that stand for the hierarchies. What the kernel itself refuses, and in
// which order it takes limits, is in tests/functional/test_runtime_control.py.
#include "container/cgroup/update.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "container/cgroup/fake_tree_testing.h"
#include "container/cgroup/v2.h"

namespace berth::container {
namespace {

using ::testing::HasSubstr;

// A file that can be read, and whose writing fails, for root as well.
constexpr const char* kRefusing = "/proc/version";

class UpdateV1 : public ::testing::Test {
 protected:
  UpdateV1() {
    tree_.put("memory/x/memory.limit_in_bytes", "4096\n");
    tree_.put("memory/x/memory.memsw.limit_in_bytes", "8192\n");
    tree_.put("memory/x/cgroup.procs", "");
    tree_.put("pids/x/pids.max", "12\n");
    tree_.put("devices/x/devices.deny", "");
  }
  Result<void> update(const Resources& resources) {
    const auto manager =
        adopt_cgroups({tree_.path("memory/x"), tree_.path("pids/x"), tree_.path("devices/x")});
    EXPECT_TRUE(manager.ok());
    return update_cgroups(**manager, resources);
  }

  FakeTree tree_;
};

TEST_F(UpdateV1, ChangesWhatIsGivenAndNothingElse) {
  Resources resources;
  resources.pids.limit = 34;
  resources.devices = {{.allow = false, .type = "a", .major = {}, .minor = {}, .access = "rwm"}};
  const auto updated = update(resources);
  ASSERT_TRUE(updated.ok()) << updated.error().message();
  EXPECT_EQ(tree_.get("pids/x/pids.max"), "34\n");
  EXPECT_EQ(tree_.get("memory/x/memory.limit_in_bytes"), "4096\n");
  EXPECT_EQ(tree_.get("devices/x/devices.deny"), "") << "devices stay as they are";
}

TEST_F(UpdateV1, AFailureLeavesWhatWas) {
  std::filesystem::remove(tree_.path("pids/x/pids.max"));
  std::filesystem::create_symlink(kRefusing, tree_.path("pids/x/pids.max"));
  Resources resources;
  resources.memory.limit = 5000;
  resources.pids.limit = 34;
  const auto updated = update(resources);
  ASSERT_FALSE(updated.ok());
  EXPECT_THAT(updated.error().message(), HasSubstr("pids.max"));
  EXPECT_EQ(tree_.get("memory/x/memory.limit_in_bytes"), "4096\n");
}

TEST_F(UpdateV1, NoLimitOfMemoryIsNoneOfSwapEither) {
  Resources resources;
  resources.memory.limit = -1;
  ASSERT_TRUE(update(resources).ok());
  EXPECT_THAT(tree_.get("memory/x/memory.limit_in_bytes"), ::testing::StartsWith("-1"));
  EXPECT_THAT(tree_.get("memory/x/memory.memsw.limit_in_bytes"), ::testing::StartsWith("-1"));
}

TEST_F(UpdateV1, EntersTheHierarchyOfALimitThatIsNew) {
  tree_.put("memory/x/cgroup.procs", "12\n");
  tree_.put("cpu/cgroup.procs", "");
  tree_.put("cpu/x/cgroup.procs", "");
  tree_.put("cpu/x/cpu.shares", "1024\n");
  Resources resources;
  resources.cpu.shares = 2048;
  const auto updated = update(resources);
  ASSERT_TRUE(updated.ok()) << updated.error().message();
  EXPECT_EQ(tree_.get("cpu/x/cgroup.procs"), "12");
  EXPECT_EQ(tree_.get("cpu/x/cpu.shares"), "2048\n");
}

TEST_F(UpdateV1, AHierarchyThatTheHostLacksIsUnsupported) {
  Resources resources;
  resources.cpu.shares = 2048;
  const auto updated = update(resources);
  ASSERT_FALSE(updated.ok());
  EXPECT_EQ(updated.error().kind(), ErrorKind::kUnsupported);
  EXPECT_THAT(updated.error().message(), HasSubstr("no 'cpu' cgroup controller"));
  EXPECT_FALSE(tree_.has("cpu"));
}

TEST_F(UpdateV1, ALineOfADeviceIsPutBackOrTakenAway) {
  tree_.put("blkio/cgroup.procs", "");
  tree_.put("blkio/x/cgroup.procs", "");
  tree_.put("blkio/x/blkio.throttle.read_bps_device", "8:0 11\n");
  tree_.put("blkio/x/blkio.throttle.write_bps_device", "8:0 1\n");
  std::filesystem::create_symlink(kRefusing, tree_.path("blkio/x/blkio.throttle.read_iops_device"));
  Resources resources;
  resources.block_io.read_bps = {{.major = 8, .minor = 0, .rate = 22}};
  resources.block_io.write_bps = {{.major = 8, .minor = 1, .rate = 5}};
  resources.block_io.read_iops = {{.major = 8, .minor = 0, .rate = 5}};
  EXPECT_FALSE(update(resources).ok());
  EXPECT_EQ(tree_.get("blkio/x/blkio.throttle.read_bps_device"), "8:0 11\n");
  EXPECT_EQ(tree_.get("blkio/x/blkio.throttle.write_bps_device"), "8:1 0\n")
      << "a rate of zero is none";
}

TEST_F(UpdateV1, TheWeightOfBlockDevicesIsThatOfBfq) {
  tree_.put("blkio/cgroup.procs", "");
  tree_.put("blkio/x/cgroup.procs", "");
  tree_.put("blkio/x/blkio.bfq.weight", "100\n");
  Resources resources;
  resources.block_io.weight = 200;
  const auto updated = update(resources);
  ASSERT_TRUE(updated.ok()) << updated.error().message();
  EXPECT_EQ(tree_.get("blkio/x/blkio.bfq.weight"), "200\n");
}

class UpdateV2 : public ::testing::Test {
 protected:
  UpdateV2() : manager_({{}, tree_.path("v2"), {}, {}}, "x") {
    tree_.put("v2/cgroup.controllers", "cpu io memory pids\n");
    tree_.put("v2/cgroup.subtree_control", "memory pids\n");
    tree_.put("v2/x/cgroup.procs", "");
    tree_.put("v2/x/cgroup.controllers", "memory pids\n");
    tree_.put("v2/x/cpu.max", "50000 100000\n");
    tree_.put("v2/x/memory.max", "4096\n");
    tree_.put("v2/x/memory.current", "3000\n");
    tree_.put("v2/x/memory.swap.max", "\n");
    EXPECT_TRUE(manager_.create(0).ok());
  }

  FakeTree tree_;
  CgroupV2 manager_;
};

TEST_F(UpdateV2, APeriodAloneKeepsTheQuota) {
  Resources resources;
  resources.cpu.period = 200000;
  ASSERT_TRUE(update_cgroups(manager_, resources).ok());
  EXPECT_EQ(tree_.get("v2/x/cpu.max"), "50000 200000\n");
  EXPECT_NE(tree_.get("v2/cgroup.subtree_control"), "memory pids\n") << "cpu was missing";
}

TEST_F(UpdateV2, AQuotaAloneKeepsThePeriod) {
  tree_.put("v2/x/cpu.max", "max 300000\n");
  Resources resources;
  resources.cpu.quota = 7000;
  ASSERT_TRUE(update_cgroups(manager_, resources).ok());
  EXPECT_EQ(tree_.get("v2/x/cpu.max").substr(0, 11), "7000 300000");
}

TEST_F(UpdateV2, SwapIsCountedFromTheLimitThatHolds) {
  Resources resources;
  resources.memory.swap = 10000;
  ASSERT_TRUE(update_cgroups(manager_, resources).ok());
  EXPECT_EQ(tree_.get("v2/x/memory.swap.max"), "5904");
  resources.memory.swap = 4000;
  EXPECT_THAT(update_cgroups(manager_, resources).error().message(), HasSubstr("below"));
  tree_.put("v2/x/memory.max", "max\n");
  EXPECT_THAT(update_cgroups(manager_, resources).error().message(),
              HasSubstr("without memory limit"));
}

TEST_F(UpdateV2, ALimitBelowWhatIsUsedIsRefusedIfThatIsAskedFor) {
  Resources resources;
  resources.memory.limit = 2000;
  resources.memory.check_before_update = true;
  const auto refused = update_cgroups(manager_, resources);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().message(), "rejecting memory limit 2000 because of current usage 3000");
  EXPECT_EQ(tree_.get("v2/x/memory.max"), "4096\n");
  resources.memory.limit = 3500;
  EXPECT_TRUE(update_cgroups(manager_, resources).ok());
}

TEST_F(UpdateV2, ZeroTakesABurstAway) {
  tree_.put("v2/x/cpu.max.burst", "9\n");
  Resources resources;
  resources.cpu.burst = 0;
  ASSERT_TRUE(update_cgroups(manager_, resources).ok());
  EXPECT_EQ(tree_.get("v2/x/cpu.max.burst"), "0\n");
}

}  // namespace
}  // namespace berth::container
