#include "container/cgroup/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::container {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Settings = std::vector<CgroupSetting>;

Settings v1(const Resources& resources) {
  auto settings = settings_v1(resources);
  EXPECT_TRUE(settings.ok()) << settings.error().message();
  return settings.ok() ? *settings : Settings();
}

Settings v2(const Resources& resources) {
  auto settings = settings_v2(resources);
  EXPECT_TRUE(settings.ok()) << settings.error().message();
  return settings.ok() ? *settings : Settings();
}

template <typename Version>
Error error_of(Version version, const Resources& resources) {
  auto settings = version(resources);
  return settings.ok() ? Error(ErrorKind::kInternal, "it was accepted") : settings.error();
}

TEST(CgroupSettings, NothingAskedForIsNothingWritten) {
  EXPECT_THAT(v1({}), IsEmpty());
  EXPECT_THAT(v2({}), IsEmpty());
}

TEST(CgroupSettings, ZeroIsNothingAskedFor) {
  const Resources zero{.devices = {},
                       .memory = {.limit = 0,
                                  .reservation = 0,
                                  .swap = 0,
                                  .swappiness = {},
                                  .disable_oom_killer = {}},
                       .cpu = {.shares = 0,
                               .quota = 0,
                               .burst = 0,
                               .period = 0,
                               .realtime_runtime = 0,
                               .realtime_period = 0,
                               .cpus = "",
                               .mems = "",
                               .idle = {}},
                       .pids = {.limit = 0},
                       .block_io = {.weight = 0,
                                    .leaf_weight = 0,
                                    .weight_devices = {},
                                    .read_bps = {},
                                    .write_bps = {},
                                    .read_iops = {},
                                    .write_iops = {}},
                       .hugepage_limits = {},
                       .unified = {}};
  EXPECT_THAT(v1(zero), IsEmpty());
  EXPECT_THAT(v2(zero), IsEmpty());
}

TEST(CgroupSettings, V1WritesTheMemoryLimitBeforeTheOneThatIncludesSwap) {
  Resources resources;
  resources.memory = {.limit = 100,
                      .reservation = 50,
                      .swap = 300,
                      .swappiness = 0,
                      .disable_oom_killer = true,
                      .kernel_tcp = 70};
  EXPECT_EQ(v1(resources), (Settings{{"memory", "memory.limit_in_bytes", "100"},
                                     {"memory", "memory.memsw.limit_in_bytes", "300"},
                                     {"memory", "memory.soft_limit_in_bytes", "50"},
                                     {"memory", "memory.kmem.tcp.limit_in_bytes", "70"},
                                     {"memory", "memory.swappiness", "0"},
                                     {"memory", "memory.oom_control", "1"}}));
}

TEST(CgroupSettings, V1TakesMinusOneForUnlimited) {
  Resources resources;
  resources.memory.limit = -1;
  resources.memory.swap = -1;
  resources.cpu.quota = -1;
  resources.pids.limit = -1;
  EXPECT_EQ(v1(resources), (Settings{{"memory", "memory.limit_in_bytes", "-1"},
                                     {"memory", "memory.memsw.limit_in_bytes", "-1"},
                                     {"cpu", "cpu.cfs_quota_us", "-1"},
                                     {"pids", "pids.max", "max"}}));
}

TEST(CgroupSettings, V1WritesThePeriodBeforeTheQuotaThatItLimits) {
  Resources resources;
  resources.cpu = {.shares = 512,
                   .quota = 20000,
                   .burst = 1000,
                   .period = 50000,
                   .realtime_runtime = 7,
                   .realtime_period = 8,
                   .cpus = "0-1",
                   .mems = "0",
                   .idle = 0};
  EXPECT_EQ(v1(resources), (Settings{{"cpu", "cpu.shares", "512"},
                                     {"cpu", "cpu.cfs_period_us", "50000"},
                                     {"cpu", "cpu.cfs_quota_us", "20000"},
                                     {"cpu", "cpu.cfs_burst_us", "1000"},
                                     {"cpu", "cpu.rt_period_us", "8"},
                                     {"cpu", "cpu.rt_runtime_us", "7"},
                                     {"cpu", "cpu.idle", "0"},
                                     {"cpuset", "cpuset.cpus", "0-1"},
                                     {"cpuset", "cpuset.mems", "0"}}));
}

TEST(CgroupSettings, V1LimitsBlockDevicesOneLineEach) {
  Resources resources;
  resources.block_io.weight = 500;
  resources.block_io.weight_devices = {{8, 0, 10, 20}, {8, 16, {}, {}}};
  resources.block_io.read_bps = {{8, 0, 1}};
  resources.block_io.write_bps = {{8, 1, 2}};
  resources.block_io.read_iops = {{8, 2, 3}};
  resources.block_io.write_iops = {{8, 3, 4}, {8, 4, 5}};
  EXPECT_EQ(v1(resources), (Settings{{"blkio", "blkio.weight", "500"},
                                     {"blkio", "blkio.weight_device", "8:0 10"},
                                     {"blkio", "blkio.leaf_weight_device", "8:0 20"},
                                     {"blkio", "blkio.throttle.read_bps_device", "8:0 1"},
                                     {"blkio", "blkio.throttle.write_bps_device", "8:1 2"},
                                     {"blkio", "blkio.throttle.read_iops_device", "8:2 3"},
                                     {"blkio", "blkio.throttle.write_iops_device", "8:3 4"},
                                     {"blkio", "blkio.throttle.write_iops_device", "8:4 5"}}));
}

TEST(CgroupSettings, HugePagesAreLimitedBySize) {
  Resources resources;
  resources.hugepage_limits = {{"2MB", 0}, {"1GB", 1U << 30}};
  EXPECT_EQ(v1(resources), (Settings{{"hugetlb", "hugetlb.2MB.limit_in_bytes", "0"},
                                     {"hugetlb", "hugetlb.1GB.limit_in_bytes", "1073741824"}}));
  EXPECT_EQ(v2(resources), (Settings{{"hugetlb", "hugetlb.2MB.max", "0"},
                                     {"hugetlb", "hugetlb.1GB.max", "1073741824"}}));
}

TEST(CgroupSettings, RdmaDevicesAreLimitedOneLineEach) {
  Resources resources;
  resources.rdma = {{"mlx5_1", {3, 10000}}, {"rxe3", {{}, 7}}};
  const Settings expected = {{"rdma", "rdma.max", "mlx5_1 hca_handle=3 hca_object=10000"},
                             {"rdma", "rdma.max", "rxe3 hca_object=7"}};
  EXPECT_EQ(v1(resources), expected);
  EXPECT_EQ(v2(resources), expected);
}

TEST(CgroupSettings, PacketsAreMarkedInV1Alone) {
  Resources resources;
  resources.network = {.class_id = 0x100001, .priorities = {{"eth0", 5}, {"eth1", 0}}};
  EXPECT_THAT(v1(resources),
              ElementsAre(CgroupSetting{"net_cls", "net_cls.classid", "1048577"},
                          CgroupSetting{"net_prio", "net_prio.ifpriomap", "eth0 5"},
                          CgroupSetting{"net_prio", "net_prio.ifpriomap", "eth1 0"}));
  EXPECT_THAT(error_of(settings_v2, resources).message(),
              HasSubstr("linux.resources.network needs cgroup v1"));
}

TEST(CgroupSettings, V1HasNoUnifiedFiles) {
  Resources resources;
  resources.unified = {{"memory.high", "1"}};
  const Error error = error_of(settings_v1, resources);
  EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
  EXPECT_THAT(error.message(), HasSubstr("linux.resources.unified"));
}

TEST(CgroupSettings, V2CountsSwapApartFromMemory) {
  Resources resources;
  resources.memory.limit = 100;
  resources.memory.swap = 300;
  resources.memory.reservation = 50;
  EXPECT_EQ(v2(resources), (Settings{{"memory", "memory.max", "100"},
                                     {"memory", "memory.swap.max", "200"},
                                     {"memory", "memory.low", "50"}}));
}

TEST(CgroupSettings, V2ForbidsSwapIfBothLimitsAreTheSame) {
  Resources resources;
  resources.memory.limit = 100;
  resources.memory.swap = 100;
  EXPECT_THAT(v2(resources), ElementsAre(CgroupSetting{"memory", "memory.max", "100"},
                                         CgroupSetting{"memory", "memory.swap.max", "0"}));
}

TEST(CgroupSettings, V2SaysMaxForUnlimited) {
  Resources resources;
  resources.memory.limit = -1;
  resources.memory.swap = -1;
  resources.memory.reservation = -1;
  resources.pids.limit = -1;
  resources.cpu.quota = -1;
  EXPECT_EQ(v2(resources), (Settings{{"memory", "memory.max", "max"},
                                     {"memory", "memory.swap.max", "max"},
                                     {"memory", "memory.low", "max"},
                                     {"cpu", "cpu.max", "max 100000"},
                                     {"pids", "pids.max", "max"}}));
}

TEST(CgroupSettings, V2RefusesASwapLimitThatMakesNoSense) {
  Resources resources;
  resources.memory.swap = 300;
  for (const std::optional<std::int64_t> limit :
       {std::optional<std::int64_t>(), std::optional<std::int64_t>(0),
        std::optional<std::int64_t>(-1)}) {
    resources.memory.limit = limit;
    const Error error = error_of(settings_v2, resources);
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid) << limit.value_or(-7);
    EXPECT_THAT(error.message(), HasSubstr("linux.resources.memory.swap needs memory.limit"));
  }
  resources.memory.limit = 301;
  EXPECT_THAT(error_of(settings_v2, resources).message(), HasSubstr("is below memory.limit"));
}

TEST(CgroupSettings, V2SaysWhatOnlyV1Has) {
  Resources swappiness, oom, realtime, runtime;
  swappiness.memory.swappiness = 60;
  oom.memory.disable_oom_killer = true;
  realtime.cpu.realtime_period = 1;
  runtime.cpu.realtime_runtime = 1;
  for (const auto& [resources, field] :
       {std::pair{swappiness, "memory.swappiness"}, std::pair{oom, "memory.disableOOMKiller"},
        std::pair{realtime, "cpu.realtime"}, std::pair{runtime, "cpu.realtime"}}) {
    const Error error = error_of(settings_v2, resources);
    EXPECT_EQ(error.kind(), ErrorKind::kUnsupported) << field;
    EXPECT_THAT(error.message(), HasSubstr(field));
  }
  Resources off;
  off.memory.disable_oom_killer = false;
  EXPECT_THAT(v2(off), IsEmpty());
}

TEST(CgroupSettings, V2WritesQuotaAndPeriodTogether) {
  Resources resources;
  resources.cpu.quota = 20000;
  EXPECT_EQ(v2(resources), (Settings{{"cpu", "cpu.max", "20000 100000"}}));
  resources.cpu.period = 50000;
  EXPECT_EQ(v2(resources), (Settings{{"cpu", "cpu.max", "20000 50000"}}));
  resources.cpu.quota.reset();
  EXPECT_EQ(v2(resources), (Settings{{"cpu", "cpu.max", "max 50000"}}));
}

TEST(CgroupSettings, V2HasTheOtherLimitsOfACpu) {
  Resources resources;
  resources.cpu.shares = 1024;
  resources.cpu.burst = 9;
  resources.cpu.idle = 1;
  resources.cpu.cpus = "0,2";
  resources.cpu.mems = "1";
  EXPECT_EQ(v2(resources), (Settings{{"cpu", "cpu.weight", "39"},
                                     {"cpu", "cpu.max.burst", "9"},
                                     {"cpu", "cpu.idle", "1"},
                                     {"cpuset", "cpuset.cpus", "0,2"},
                                     {"cpuset", "cpuset.mems", "1"}}));
}

TEST(CgroupSettings, V2LimitsBlockDevicesByWord) {
  Resources resources;
  resources.block_io.weight = 10;
  resources.block_io.weight_devices = {{8, 0, 1000, {}}, {8, 16, {}, 5}};
  resources.block_io.read_bps = {{8, 0, 1}};
  resources.block_io.write_bps = {{8, 1, 2}};
  resources.block_io.read_iops = {{8, 2, 3}};
  resources.block_io.write_iops = {{8, 3, 4}};
  EXPECT_EQ(v2(resources), (Settings{{"io", "io.weight", "1"},
                                     {"io", "io.weight", "8:0 10000"},
                                     {"io", "io.max", "8:0 rbps=1"},
                                     {"io", "io.max", "8:1 wbps=2"},
                                     {"io", "io.max", "8:2 riops=3"},
                                     {"io", "io.max", "8:3 wiops=4"}}));
}

TEST(CgroupSettings, UnifiedFilesComeLastAndNameTheirController) {
  Resources resources;
  resources.pids.limit = 5;
  resources.unified = {{"memory.swap.max", "7"}, {"pids.max", "6"}};
  EXPECT_EQ(v2(resources), (Settings{{"pids", "pids.max", "5"},
                                     {"memory", "memory.swap.max", "7"},
                                     {"pids", "pids.max", "6"}}));
}

TEST(CgroupSettings, SharesSpanTheWholeRangeOfWeights) {
  EXPECT_EQ(weight_of_shares(2), 1U);
  EXPECT_EQ(weight_of_shares(1024), 39U);
  EXPECT_EQ(weight_of_shares(262144), 10000U);
  // The kernel clamps shares the same way.
  EXPECT_EQ(weight_of_shares(0), 1U);
  EXPECT_EQ(weight_of_shares(~std::uint64_t{0}), 10000U);
  std::uint64_t before = 0;
  for (std::uint64_t shares = 2; shares <= 262144; shares += 101) {
    EXPECT_GE(weight_of_shares(shares), before) << shares;
    before = weight_of_shares(shares);
  }
}

TEST(CgroupSettings, BlockWeightsSpanTheWholeRange) {
  EXPECT_EQ(io_weight_of(10), 1U);
  EXPECT_EQ(io_weight_of(500), 4950U);
  EXPECT_EQ(io_weight_of(1000), 10000U);
  EXPECT_EQ(io_weight_of(0), 1U);
  EXPECT_EQ(io_weight_of(65535), 10000U);
}

}  // namespace
}  // namespace berth::container
