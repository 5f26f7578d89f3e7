#include "image/snapshot/driver_options.h"

#include <gtest/gtest.h>

#include <vector>

namespace berth::image {
namespace {

Result<DriverOptions> parse(const std::vector<std::string>& words,
                            std::string_view driver = "devicemapper") {
  return parse_driver_options(driver, words);
}

TEST(DriverOptions, AreWhatIsSaidAndElseTheDefaults) {
  EXPECT_EQ(MUST(parse({}, "")).thin_pool.device, ThinPoolOptions{}.device);
  const auto pool = MUST(parse({"dm.basesize=20G", "dm.loopdatasize=1t", "dm.basesize=512MiB",
                                "dm.loopmetadatasize=1048576"}))
                        .thin_pool;
  EXPECT_EQ(pool.device, 512U << 20);  // the last word counts
  EXPECT_EQ(pool.data, 1ULL << 40);
  EXPECT_EQ(pool.metadata, 1U << 20);
  EXPECT_EQ(MUST(parse({"dm.thinpooldev=/dev/mapper/vg-pool"})).thin_pool.existing, "vg-pool");
  EXPECT_EQ(MUST(parse({"dm.thinpooldev=vg-pool"})).thin_pool.existing, "vg-pool");
}

TEST(DriverOptions, WhatCannotBeIsRefused) {
  for (const char* word :
       {"dm.basesize", "dm.basesize=", "dm.basesize=G", "dm.basesize=0", "dm.basesize=-1",
        "dm.basesize=1X", "dm.basesize=1GG", "dm.basesize=99999999999999999999",
        "dm.basesize=9999999P", "dm.thinpooldev=", "dm.thinpooldev=/dev/sda1", "dm.fs=xfs", "", "=",
        "size=10G"}) {
    const auto parsed = parse({word});
    ASSERT_FALSE(parsed.ok()) << word;
    EXPECT_EQ(parsed.error().kind(), ErrorKind::kInvalid) << word;
  }
  EXPECT_NE(parse({"dm.fs=xfs"}).error().message().find("dm.basesize"), std::string::npos);
  for (const char* driver : {"overlay2", ""}) {
    const auto parsed = parse({"dm.basesize=20G"}, driver);
    ASSERT_FALSE(parsed.ok());
    EXPECT_NE(parsed.error().message().find("devicemapper"), std::string::npos);
  }
}

}  // namespace
}  // namespace berth::image
