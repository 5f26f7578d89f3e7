#include "api/docker/wire/disk_usage.h"

#include <gtest/gtest.h>

namespace berth::docker {
namespace {

engine::DiskUsage usage() {
  engine::DiskUsage usage;
  usage.store = 50;
  usage.images.resize(1);
  usage.images[0].image.size = 42;
  usage.images[0].size = 45;
  usage.images[0].shared = 40;
  usage.images[0].workloads = 2;
  usage.workloads.resize(2);
  usage.workloads[1].written = 7;
  usage.workloads[1].whole = 49;
  usage.volumes = {{.name = "v", .path = "/s", .bytes = 5, .workloads = 2, .anonymous = true}};
  return usage;
}

TEST(DiskUsageJson, TellsWhatEverythingWeighs) {
  const OrderedJson json = disk_usage_json(usage(), {}, kMaxApiVersion);
  EXPECT_EQ(json["LayersSize"], 50);
  EXPECT_EQ(json["Images"][0]["Containers"], 2);
  EXPECT_EQ(json["Images"][0]["Size"], 45);
  EXPECT_EQ(json["Images"][0]["SharedSize"], 40);
  EXPECT_EQ(json["Containers"][1]["SizeRw"], 7);
  EXPECT_EQ(json["Containers"][1]["SizeRootFs"], 49);
  EXPECT_EQ(json["Volumes"][0]["UsageData"]["RefCount"], 2);
  EXPECT_EQ(json["Volumes"][0]["UsageData"]["Size"], 5);
  EXPECT_TRUE(json["Volumes"][0]["Labels"].contains("com.docker.volume.anonymous"));
  EXPECT_TRUE(json["BuildCache"].empty());
}

TEST(DiskUsageJson, TellsOnlyOfWhatWasAskedFor) {
  const DiskUsageParts parts = MUST(parse_disk_usage_parts({"volume", "build-cache"}));
  const OrderedJson json = disk_usage_json(usage(), parts, kMaxApiVersion);
  EXPECT_TRUE(json["Images"].is_null());
  EXPECT_TRUE(json["Containers"].is_null());
  EXPECT_EQ(json["Volumes"].size(), 1U);
  EXPECT_TRUE(MUST(parse_disk_usage_parts({})).images);
  EXPECT_EQ(parse_disk_usage_parts({"disk"}).error().kind(), ErrorKind::kInvalid);
}

}  // namespace
}  // namespace berth::docker
