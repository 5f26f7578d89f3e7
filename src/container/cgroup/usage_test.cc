// What the files of both versions say, on directories that stand for the hierarchies.
#include "container/cgroup/usage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "container/cgroup/fake_tree_testing.h"
#include "container/cgroup/freezer.h"
#include "container/cgroup/oom_watch.h"
#include "container/cgroup/v2.h"

namespace berth::container {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class UsageV1 : public ::testing::Test {
 protected:
  Result<Usage> read() {
    auto manager = adopt_cgroups({tree_.path("memory/x"), tree_.path("cpu,cpuacct/x"),
                                  tree_.path("pids/x"), tree_.path("blkio/x")});
    return read_usage(**manager);
  }
  FakeTree tree_;
};

TEST_F(UsageV1, OfTheCpu) {
  tree_.make("memory/x");
  tree_.put("cpu,cpuacct/x/cpu.stat", "nr_periods 3\nnr_throttled 2\nthrottled_time 1000\n");
  tree_.put("cpu,cpuacct/x/cpuacct.usage", "123\n");
  tree_.put("cpu,cpuacct/x/cpuacct.usage_percpu", "100 23 \n");
  tree_.put("cpu,cpuacct/x/cpuacct.usage_all", "cpu user system\n0 90 10\n1 20 3\n");
  tree_.put("cpu,cpuacct/x/cpuacct.stat", "user 2\nsystem 1\n");
  const auto usage = read();
  ASSERT_TRUE(usage.ok());
  EXPECT_EQ(usage->cpu.total, 123U);
  EXPECT_EQ(usage->cpu.user, 20'000'000U) << "ticks of 10 ms";
  EXPECT_EQ(usage->cpu.kernel, 10'000'000U);
  EXPECT_THAT(usage->cpu.per_cpu, ElementsAre(100, 23));
  EXPECT_THAT(usage->cpu.per_cpu_user, ElementsAre(90, 20));
  EXPECT_THAT(usage->cpu.per_cpu_kernel, ElementsAre(10, 3));
  EXPECT_EQ(usage->cpu.periods, 3U);
  EXPECT_EQ(usage->cpu.throttled_periods, 2U);
  EXPECT_EQ(usage->cpu.throttled_time, 1000U);
  EXPECT_FALSE(usage->cpu.pressure.has_value());
}

TEST_F(UsageV1, OfMemoryAndPids) {
  tree_.put("memory/x/memory.usage_in_bytes", "4096\n");
  tree_.put("memory/x/memory.max_usage_in_bytes", "8192\n");
  tree_.put("memory/x/memory.limit_in_bytes", "9000\n");
  tree_.put("memory/x/memory.failcnt", "7\n");
  tree_.put("memory/x/memory.memsw.usage_in_bytes", "5000\n");
  tree_.put("memory/x/memory.stat", "cache 512\nrss 3\n");
  tree_.put("pids/x/pids.current", "4\n");
  tree_.put("pids/x/pids.max", "max\n");
  const auto usage = read();
  ASSERT_TRUE(usage.ok());
  EXPECT_EQ(usage->memory.memory, (MemoryEntry{4096, 8192, 9000, 7}));
  EXPECT_EQ(usage->memory.swap.usage, 5000U);
  EXPECT_EQ(usage->memory.cache, 512U);
  EXPECT_EQ(usage->memory.raw.at("rss"), 3U);
  EXPECT_EQ(usage->pids.current, 4U);
  EXPECT_EQ(usage->pids.limit, 0U) << "none";
}

TEST_F(UsageV1, OfBlockDevicesByWhoeverCounts) {
  tree_.make("memory/x");
  tree_.put("blkio/x/blkio.bfq.io_service_bytes_recursive", "Total 0\n");
  tree_.put("blkio/x/blkio.throttle.io_service_bytes_recursive",
            "8:0 Read 4096\n8:0 Write 1\nTotal 4097\n");
  tree_.put("blkio/x/blkio.throttle.io_serviced_recursive", "8:0 Read 2\n");
  const auto usage = read();
  ASSERT_TRUE(usage.ok());
  EXPECT_THAT(usage->block_io.service_bytes,
              ElementsAre(BlockIoEntry{8, 0, "Read", 4096}, BlockIoEntry{8, 0, "Write", 1}));
  EXPECT_THAT(usage->block_io.serviced, ElementsAre(BlockIoEntry{8, 0, "Read", 2}));
}

TEST_F(UsageV1, OfHierarchiesThatWereEnteredLater) {
  tree_.make("memory/x");
  tree_.put("cpuset/x/cpuset.cpus", "0-2,5\n");
  tree_.put("cpuset/x/cpuset.mems", "0\n");
  tree_.put("cpuset/x/cpuset.sched_relax_domain_level", "-1\n");
  tree_.put("hugetlb/x/hugetlb.2MB.usage_in_bytes", "2097152\n");
  tree_.put("hugetlb/x/hugetlb.2MB.failcnt", "1\n");
  tree_.put("hugetlb/x/hugetlb.2MB.rsvd.usage_in_bytes", "0\n");
  const auto usage = read();
  ASSERT_TRUE(usage.ok());
  EXPECT_THAT(usage->cpuset.cpus, ElementsAre(0, 1, 2, 5));
  EXPECT_EQ(usage->cpuset.sched_relax_domain_level, -1);
  ASSERT_EQ(usage->hugepages.size(), 1U);
  EXPECT_EQ(usage->hugepages.at("2MB").usage, 2097152U);
  EXPECT_EQ(usage->hugepages.at("2MB").failcnt, 1U);
}

TEST_F(UsageV1, OfNothingIsAnError) {
  EXPECT_EQ(read().error().kind(), ErrorKind::kNotFound);
}

TEST_F(UsageV1, TextOfAnotherFormIsNoNumber) {
  tree_.put("memory/x/memory.usage_in_bytes", "12x\n");
  tree_.put("memory/x/memory.stat", "cache\nrss -1\nfile 1 2\n");
  tree_.put("cpuset/x/cpuset.cpus", "0-99999999999\n");
  const auto usage = read();
  ASSERT_TRUE(usage.ok());
  EXPECT_EQ(usage->memory.memory.usage, 0U);
  EXPECT_THAT(usage->memory.raw, IsEmpty());
  EXPECT_THAT(usage->cpuset.cpus, IsEmpty());
}

class UsageV2 : public ::testing::Test {
 protected:
  UsageV2() : manager_({{}, tree_.path("v2"), {}, {}}, "x") {
    tree_.put("v2/cgroup.controllers", "");
    tree_.put("v2/cgroup.subtree_control", "");
    tree_.put("v2/x/cgroup.procs", "");
    tree_.put("v2/x/memory.events", "low 0\nmax 6\noom 1\noom_kill 0\n");
    EXPECT_TRUE(manager_.create(0).ok());
  }
  FakeTree tree_;
  CgroupV2 manager_;
};

TEST_F(UsageV2, IsInV1sUnits) {
  tree_.put("v2/x/cpu.stat",
            "usage_usec 9\nuser_usec 6\nsystem_usec 3\nnr_periods 2\nnr_throttled 1\n"
            "throttled_usec 5\n");
  tree_.put("v2/x/cpu.pressure", "some avg10=1.50 avg60=0.00 avg300=0.25 total=77\n");
  tree_.put("v2/x/memory.current", "4096\n");
  tree_.put("v2/x/memory.peak", "5000\n");
  tree_.put("v2/x/memory.max", "8192\n");
  tree_.put("v2/x/memory.swap.current", "10\n");
  tree_.put("v2/x/memory.swap.max", "max\n");
  tree_.put("v2/x/memory.stat", "anon 1\nfile 512\n");
  tree_.put("v2/x/pids.current", "3\n");
  tree_.put("v2/x/pids.max", "32\n");
  tree_.put("v2/x/io.stat", "8:16 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n");
  tree_.put("v2/x/hugetlb.2MB.current", "2097152\n");
  tree_.put("v2/x/hugetlb.2MB.events", "max 9\n");
  const auto usage = read_usage(manager_);
  ASSERT_TRUE(usage.ok());
  EXPECT_EQ(usage->cpu.total, 9000U);
  EXPECT_EQ(usage->cpu.user, 6000U);
  EXPECT_EQ(usage->cpu.kernel, 3000U);
  EXPECT_EQ(usage->cpu.throttled_time, 5000U);
  ASSERT_TRUE(usage->cpu.pressure.has_value());
  EXPECT_EQ(usage->cpu.pressure->some, (PressureLine{1.5, 0, 0.25, 77}));
  EXPECT_EQ(usage->memory.memory, (MemoryEntry{4096, 5000, 8192, 6}));
  EXPECT_EQ(usage->memory.swap.usage, 4106U) << "memory and swap together";
  EXPECT_EQ(usage->memory.swap.limit, UINT64_MAX);
  EXPECT_EQ(usage->memory.cache, 512U);
  EXPECT_FALSE(usage->memory.pressure.has_value());
  EXPECT_EQ(usage->pids.limit, 32U);
  EXPECT_THAT(usage->block_io.service_bytes,
              ElementsAre(BlockIoEntry{8, 16, "Read", 1}, BlockIoEntry{8, 16, "Write", 2}));
  EXPECT_THAT(usage->block_io.serviced,
              ElementsAre(BlockIoEntry{8, 16, "Read", 3}, BlockIoEntry{8, 16, "Write", 4}));
  EXPECT_EQ(usage->hugepages.at("2MB").failcnt, 9U);
}

TEST_F(UsageV2, AKillForLackOfMemoryIsSeenOnce) {
  auto watch = OomWatch::create(manager_);
  ASSERT_TRUE(watch.ok()) << watch.error().message();
  EXPECT_FALSE(watch->look());
  tree_.put("v2/x/memory.events", "low 0\nmax 6\noom 2\noom_kill 1\n");
  EXPECT_TRUE(watch->look());
  EXPECT_FALSE(watch->look());
}

TEST(Frozen, IsWhatWasSaidOfTheContainerItself) {
  const FakeTree tree;
  EXPECT_FALSE(is_frozen({}));
  EXPECT_FALSE(is_frozen({tree.path("memory/x")})) << "it never was";
  tree.put("freezer/x/freezer.self_freezing", "1\n");
  EXPECT_TRUE(is_frozen({tree.path("memory/x"), tree.path("pids/x")}));
  tree.put("freezer/x/freezer.self_freezing", "0\n");
  EXPECT_FALSE(is_frozen({tree.path("memory/x")}));
  tree.put("v2/x/cgroup.freeze", "1\n");
  EXPECT_TRUE(is_frozen({tree.path("v2/x")}));
  tree.put("v2/x/cgroup.freeze", "0\n");
  EXPECT_FALSE(is_frozen({tree.path("v2/x")}));
}

}  // namespace
}  // namespace berth::container
