// Which controllers a v2 cgroup is given, on a directory that stands for the hierarchy.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "container/cgroup/manager.h"
#include "sys/temp_dir_testing.h"

namespace berth::container {
namespace {

class V2Controllers : public ::testing::Test {
 protected:
  void put(const std::string& file, const std::string& text) const {
    std::filesystem::create_directories(
        std::filesystem::path(directory_.path() + "/" + file).parent_path());
    std::ofstream(directory_.path() + "/" + file) << text;
  }
  /// What is written to the parent's cgroup.subtree_control last, when the leaf already has `leaf`.
  std::string enabled(const std::string& leaf, const Resources& resources) const {
    put("cgroup.controllers", "cpuset cpu io memory pids\n");
    put("cgroup.subtree_control", "");
    put("x/cgroup.controllers", leaf);
    put("x/memory.current", "0\n");
    put("x/cgroup.procs", "");
    CgroupLayout layout;
    layout.version = CgroupVersion::kV2;
    layout.hierarchies.push_back({{}, directory_.path(), {}, {}});
    auto manager = open_cgroups(layout, "x", resources);
    EXPECT_TRUE(manager.ok() && (*manager)->create(0).ok());
    std::ifstream in(directory_.path() + "/cgroup.subtree_control");
    return {std::istreambuf_iterator<char>(in), {}};
  }

  sys::TempDir directory_;
};

TEST_F(V2Controllers, AreLeftAloneWhereNoneIsMissing) {
  EXPECT_EQ(enabled("memory pids\n", {}), "");
  Resources limits;
  limits.cpu.cpus = "0";
  EXPECT_EQ(enabled("cpuset memory pids\n", limits), "");
}

TEST_F(V2Controllers, ThatALimitNeedsAreEnabledThoughMemoryIsThere) {
  Resources limits;
  limits.cpu.cpus = "0";
  EXPECT_NE(enabled("memory pids\n", limits), "");
  limits = {};
  limits.cpu.shares = 512;
  EXPECT_NE(enabled("memory pids\n", limits), "");
  limits = {};
  limits.unified = {{"io.latency", "1"}};
  EXPECT_NE(enabled("memory pids\n", limits), "");
}

}  // namespace
}  // namespace berth::container
