#include "container/cgroup/v1_paths.h"

#include <gtest/gtest.h>

namespace berth::container {
namespace {

TEST(V1Paths, TheFirstDirectoryNamedAfterControllersIsTheHierarchy) {
  EXPECT_TRUE(is_of_controller("/sys/fs/cgroup/cpu,cpuacct/berth/memory", "cpuacct"));
  EXPECT_TRUE(is_of_controller("/sys/fs/cgroup/cpu,cpuacct/berth/memory", "cpu"));
  EXPECT_FALSE(is_of_controller("/sys/fs/cgroup/cpu,cpuacct/berth/memory", "memory"));
  EXPECT_FALSE(is_of_controller("/sys/fs/cgroup/berth", "memory"));
  EXPECT_FALSE(is_of_controller("", "memory"));
}

TEST(V1Paths, APlaceIsTheSameInEveryHierarchy) {
  const auto place = v1_place_of("/sys/fs/cgroup/cpu,cpuacct/berth/memory");
  ASSERT_TRUE(place.has_value());
  EXPECT_EQ(place->root, "/sys/fs/cgroup");
  EXPECT_EQ(place->relative, "berth/memory");
  EXPECT_FALSE(v1_place_of("/sys/fs/cgroup/berth/c").has_value());
  EXPECT_FALSE(v1_place_of("/sys/fs/cgroup/memory").has_value())
      << "a hierarchy's root is nobody's";
  EXPECT_FALSE(v1_place_of("memory/c").has_value());
}

}  // namespace
}  // namespace berth::container
