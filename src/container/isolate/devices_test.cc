#include "container/isolate/devices.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace berth::container {
namespace {

const DeviceNode* find(const DevicesPlan& plan, const std::string& path) {
  const DeviceNode* found = nullptr;
  for (const DeviceNode& node : plan.nodes) {
    if (node.path != path) continue;
    EXPECT_EQ(found, nullptr) << path << " is made twice";
    found = &node;
  }
  return found;
}

TEST(DevicesPlan, HasTheDefaultNodes) {
  const DevicesPlan plan = plan_devices({});
  EXPECT_TRUE(plan.wanted);
  EXPECT_FALSE(plan.bind);
  const std::pair<const char*, dev_t> nodes[] = {
      {"/dev/null", ::makedev(1, 3)},    {"/dev/zero", ::makedev(1, 5)},
      {"/dev/full", ::makedev(1, 7)},    {"/dev/random", ::makedev(1, 8)},
      {"/dev/urandom", ::makedev(1, 9)}, {"/dev/tty", ::makedev(5, 0)}};
  EXPECT_EQ(plan.nodes.size(), std::size(nodes));
  for (const auto& [path, number] : nodes) {
    const DeviceNode* node = find(plan, path);
    ASSERT_NE(node, nullptr) << path;
    EXPECT_EQ(node->number, number) << path;
    EXPECT_EQ(node->mode, static_cast<mode_t>(S_IFCHR | 0666)) << path;
  }
}

TEST(DevicesPlan, TheSpecsNodesComeOnTopOrInPlaceOfTheDefaultOnes) {
  Spec spec;
  spec.linux_.devices = {{.type = "b",
                          .path = "/dev/sda",
                          .major = 8,
                          .minor = 1048575,
                          .file_mode = 0600,
                          .uid = 1,
                          .gid = 2},
                         {.type = "u",
                          .path = "/dev/null",
                          .major = 9,
                          .minor = 9,
                          .file_mode = {},
                          .uid = 0,
                          .gid = 0},
                         {.type = "p",
                          .path = "/dev/pipe",
                          .major = 0,
                          .minor = 0,
                          .file_mode = 0,
                          .uid = 0,
                          .gid = 0}};
  const DevicesPlan plan = plan_devices(spec);
  const DeviceNode* disk = find(plan, "/dev/sda");
  ASSERT_NE(disk, nullptr);
  EXPECT_EQ(disk->mode, static_cast<mode_t>(S_IFBLK | 0600));
  EXPECT_EQ(disk->number, ::makedev(8, 1048575));
  EXPECT_EQ(disk->uid, 1U);
  EXPECT_EQ(disk->gid, 2U);
  EXPECT_EQ(find(plan, "/dev/null")->number, ::makedev(9, 9));
  EXPECT_EQ(find(plan, "/dev/null")->mode, static_cast<mode_t>(S_IFCHR | 0666));
  EXPECT_EQ(find(plan, "/dev/pipe")->mode, static_cast<mode_t>(S_IFIFO));
}

TEST(DevicesPlan, LeavesADevOfTheUsersAlone) {
  Spec spec;
  Mount dev;
  dev.destination = "/dev/";
  dev.type = "bind";
  dev.source = "/dev";
  spec.mounts = {dev};
  EXPECT_FALSE(plan_devices(spec).wanted);
  spec.mounts[0].type = "none";
  EXPECT_TRUE(plan_devices(spec).wanted);
  spec.mounts[0].options = {"rbind"};
  EXPECT_FALSE(plan_devices(spec).wanted);
  spec.mounts[0].destination = "/dev/shm";
  EXPECT_TRUE(plan_devices(spec).wanted);
}

TEST(DevicesPlan, BindsTheHostsNodesInAUserNamespace) {
  Spec spec;
  spec.linux_.namespaces = {{NamespaceType::kUser, ""}};
  EXPECT_TRUE(plan_devices(spec).bind);
}

}  // namespace
}  // namespace berth::container
