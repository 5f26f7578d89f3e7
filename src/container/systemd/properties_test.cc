#include "container/systemd/properties.h"

#include <gtest/gtest.h>

namespace berth::container {
namespace {

constexpr int kNewest = 255;
using Properties = std::vector<UnitProperty>;

Properties of(CgroupVersion version, const Resources& resources, int systemd_version = kNewest) {
  const auto settings =
      version == CgroupVersion::kV1 ? settings_v1(resources) : settings_v2(resources);
  EXPECT_TRUE(settings.ok());
  auto properties = limit_properties(version, *settings, systemd_version);
  EXPECT_TRUE(properties.ok());
  return properties.ok() ? *properties : Properties();
}

Properties v2_of(std::map<std::string, std::string> unified, int systemd_version = kNewest) {
  Resources resources;
  resources.unified = std::move(unified);
  return of(CgroupVersion::kV2, resources, systemd_version);
}

std::uint64_t u64(std::uint64_t value) {
  return value;
}

TEST(LimitProperties, OfV1) {
  Resources resources;
  resources.memory.limit = 64 << 20;
  resources.cpu.shares = 512;
  resources.cpu.quota = 20000;
  resources.block_io.weight = 300;
  resources.pids.limit = 7;
  EXPECT_EQ(of(CgroupVersion::kV1, resources), (Properties{{"MemoryLimit", u64(64 << 20)},
                                                           {"CPUShares", u64(512)},
                                                           {"TasksMax", u64(7)},
                                                           {"BlockIOWeight", u64(300)},
                                                           {"CPUQuotaPerSecUSec", u64(200000)}}));
}

TEST(LimitProperties, OfV2) {
  Resources resources;
  resources.memory.limit = 64 << 20;
  resources.memory.swap = 96 << 20;
  resources.memory.reservation = 32 << 20;
  resources.cpu.shares = 512;
  resources.cpu.quota = 50000;
  resources.cpu.period = 100000;
  resources.cpu.cpus = "0-1,9";
  resources.cpu.mems = "0";
  resources.block_io.weight = 10;
  resources.pids.limit = -1;
  EXPECT_EQ(of(CgroupVersion::kV2, resources),
            (Properties{{"MemoryMax", u64(64 << 20)},
                        {"MemorySwapMax", u64(32 << 20)},
                        {"MemoryLow", u64(32 << 20)},
                        {"CPUWeight", u64(20)},
                        {"AllowedCPUs", std::vector<std::uint8_t>{3, 2}},
                        {"AllowedMemoryNodes", std::vector<std::uint8_t>{1}},
                        {"TasksMax", UINT64_MAX},
                        {"IOWeight", u64(1)},
                        {"CPUQuotaPeriodUSec", u64(100000)},
                        {"CPUQuotaPerSecUSec", u64(500000)}}));
}

TEST(LimitProperties, FilesByNameAreLimitsToo) {
  EXPECT_EQ(v2_of({{"memory.high", "max"}, {"memory.min", " 4096 "}, {"cpu.max", "max 50000"}}),
            (Properties{{"MemoryHigh", UINT64_MAX},
                        {"MemoryMin", u64(4096)},
                        {"CPUQuotaPeriodUSec", u64(50000)},
                        {"CPUQuotaPerSecUSec", UINT64_MAX}}));
  EXPECT_EQ(v2_of({{"io.max", "8:0 rbps=1"}, {"io.weight", "8:0 5"}, {"hugetlb.2MB.max", "0"}}),
            Properties());
  EXPECT_EQ(v2_of({{"cpu.idle", "1"}, {"cpu.weight", "30"}}), (Properties{{"CPUWeight", u64(0)}}));
}

TEST(LimitProperties, TheLaterOfTwoCounts) {
  Resources resources;
  resources.pids.limit = 7;
  resources.unified["pids.max"] = "9";
  EXPECT_EQ(of(CgroupVersion::kV2, resources), (Properties{{"TasksMax", u64(9)}}));
}

TEST(LimitProperties, AValueOfAnotherFormIsRefused) {
  for (const CgroupSetting& setting :
       {CgroupSetting{"memory", "memory.max", "many"}, CgroupSetting{"cpu", "cpu.max", "1 x"},
        CgroupSetting{"cpuset", "cpuset.cpus", "0-"},
        CgroupSetting{"pids", "pids.max", "99999999999999999999"}}) {
    const auto made = limit_properties(CgroupVersion::kV2, std::span(&setting, 1), kNewest);
    ASSERT_FALSE(made.ok()) << setting.file;
    EXPECT_NE(made.error().message().find(setting.file), std::string::npos);
  }
}

TEST(LimitProperties, AnOlderSystemdIsNotToldWhatItDoesNotKnow) {
  EXPECT_EQ(v2_of({{"cpuset.cpus", "0"}}, 243), Properties());
  EXPECT_EQ(v2_of({{"cpu.max", "10000 20000"}}, 241),
            (Properties{{"CPUQuotaPerSecUSec", u64(500000)}}));
  EXPECT_EQ(v2_of({{"cpu.idle", "1"}}, 251), Properties());
}

DeviceRule rule(bool allow, const char* type, std::optional<std::int64_t> major,
                std::optional<std::int64_t> minor, const char* access) {
  return {.allow = allow, .type = type, .major = major, .minor = minor, .access = access};
}

const DeviceRule kDenyAll = rule(false, "a", {}, {}, "rwm");

TEST(DeviceProperties, EachThingAllowedHasAnEntry) {
  const auto properties =
      device_properties({kDenyAll, rule(true, "c", 1, 3, "rwm"), rule(true, "c", 136, {}, "rw"),
                         rule(true, "b", {}, {}, "m")},
                        kNewest);
  EXPECT_EQ(properties,
            (Properties{{"DevicePolicy", std::string("strict")},
                        {"DeviceAllow",
                         std::vector<DeviceAllowance>{
                             {"/dev/char/1:3", "rwm"}, {"char-136", "rw"}, {"block-*", "m"}}}}));
}

TEST(DeviceProperties, WhatSystemdCannotSayItIsNotAsked) {
  const Properties none = {{"DeviceAllow", std::vector<DeviceAllowance>()},
                           {"DevicePolicy", std::string("auto")}};
  EXPECT_EQ(device_properties({kDenyAll, rule(true, "a", {}, {}, "rwm")}, kNewest), none);
  EXPECT_EQ(device_properties({kDenyAll, rule(true, "c", {}, 3, "rwm")}, kNewest), none);
  EXPECT_EQ(device_properties(
                {kDenyAll, rule(true, "c", 1, {}, "rwm"), rule(false, "c", 1, 3, "r")}, kNewest),
            none);
  EXPECT_EQ(device_properties({kDenyAll, rule(true, "c", 1, 3, "rwm")}, 239), none);
}

TEST(WithWholeQuota, RoundsUpToAHundredthOfACpu) {
  struct Row {
    std::int64_t quota;
    std::uint64_t period;  // 0: the default
    std::int64_t whole;
  };
  constexpr Row kRows[] = {{50000, 100000, 50000}, {33333, 100000, 34000}, {33333, 0, 34000},
                           {1000, 100000, 1000},   {-1, 100000, -1},       {20000, 33333, 20333}};
  for (const Row& row : kRows) {
    Resources resources;
    resources.cpu.quota = row.quota;
    if (row.period != 0) resources.cpu.period = row.period;
    EXPECT_EQ(with_whole_quota(resources).cpu.quota, row.whole) << row.quota;
  }
}

}  // namespace
}  // namespace berth::container
