// Both managers on directories that stand for the hierarchies.
#include "container/cgroup/manager.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "container/cgroup/fake_tree_testing.h"
#include "container/cgroup/v1.h"
#include "container/cgroup/v2.h"

namespace berth::container {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(CgroupPath, IsBelowTheEnginesOwnUnlessAbsolute) {
  EXPECT_EQ(cgroup_path_of("", "id"), "berth/id");
  EXPECT_EQ(cgroup_path_of("/", "id"), "berth/id");
  EXPECT_EQ(cgroup_path_of("//", "id"), "berth/id");
  EXPECT_EQ(cgroup_path_of("/a/b", "id"), "a/b");
  EXPECT_EQ(cgroup_path_of("//a", "id"), "a");
  EXPECT_EQ(cgroup_path_of("a/b", "id"), "berth/a/b");
  EXPECT_EQ(cgroup_path_of("a/", "id"), "berth/a");
  EXPECT_EQ(cgroup_path_of("/a//", "id"), "a");
}

class V1Test : public ::testing::Test {
 protected:
  V1Test() {
    layout_.version = CgroupVersion::kV1;
    add("cpu,cpuacct", {"cpu", "cpuacct"}, {"cpu", "cpuacct"});
    add("cpuset", {"cpuset"});
    add("memory", {"memory"});
    add("devices", {"devices"});
    add("freezer", {"freezer"});
    add("pids", {"pids"});
  }
  void add(const std::string& name, std::vector<std::string> controllers,
           std::vector<std::string> links = {}) {
    tree_.make(name);
    layout_.hierarchies.push_back(
        {name, tree_.path(name), std::move(controllers), std::move(links)});
  }
  std::unique_ptr<CgroupManager> open(const Resources& resources = {}) {
    auto manager = open_cgroups(layout_, "berth/x", resources);
    EXPECT_TRUE(manager.ok()) << manager.error().message();
    return std::move(*manager);
  }

  FakeTree tree_;
  CgroupLayout layout_;
};

TEST_F(V1Test, UsesTheHierarchiesThatCountAndGuard) {
  const auto manager = open();
  ASSERT_TRUE(manager->create(0).ok());
  EXPECT_THAT(manager->paths(),
              ElementsAre(tree_.path("cpu,cpuacct/berth/x"), tree_.path("memory/berth/x"),
                          tree_.path("devices/berth/x"), tree_.path("pids/berth/x")));
  for (const std::string& path : manager->paths()) EXPECT_TRUE(std::filesystem::exists(path));
  EXPECT_FALSE(tree_.has("cpuset/berth"));
  EXPECT_EQ(manager->version(), CgroupVersion::kV1);
  EXPECT_EQ(manager->clone_directory(), -1);
}

TEST_F(V1Test, UsesTheHierarchyOfALimitThatIsAskedFor) {
  Resources resources;
  resources.cpu.cpus = "0";
  const auto manager = open(resources);
  ASSERT_TRUE(manager->create(0).ok());
  EXPECT_TRUE(tree_.has("cpuset/berth/x"));
}

TEST_F(V1Test, ALimitWithoutItsControllerIsUnsupported) {
  Resources resources;
  resources.hugepage_limits = {{"2MB", 1}};
  const auto manager = open_cgroups(layout_, "berth/x", resources);
  ASSERT_FALSE(manager.ok());
  EXPECT_EQ(manager.error().kind(), ErrorKind::kUnsupported);
  EXPECT_THAT(manager.error().message(), HasSubstr("no 'hugetlb' cgroup controller"));
  EXPECT_THAT(manager.error().message(), HasSubstr("hugetlb.2MB.limit_in_bytes"));
}

TEST_F(V1Test, ACgroupWithProcessesIsAConflictAndNothingNewIsLeft) {
  tree_.put("devices/berth/x/cgroup.procs", "77\n");
  const auto manager = open();
  const auto created = manager->create(0);
  ASSERT_FALSE(created.ok());
  EXPECT_EQ(created.error().kind(), ErrorKind::kConflict);
  EXPECT_THAT(created.error().message(), HasSubstr(tree_.path("devices/berth/x")));
  EXPECT_FALSE(tree_.has("memory/berth/x"));
  EXPECT_FALSE(tree_.has("pids/berth/x"));
  EXPECT_TRUE(tree_.has("devices/berth/x/cgroup.procs"));
  EXPECT_TRUE(manager->paths().empty());
}

TEST_F(V1Test, AnEmptyCgroupIsTakenOver) {
  tree_.put("memory/berth/x/cgroup.procs", "");
  EXPECT_TRUE(open()->create(0).ok());
}

TEST_F(V1Test, LimitsGoIntoTheirHierarchies) {
  Resources resources;
  resources.memory.limit = 4096;
  resources.cpu.shares = 2;
  resources.cpu.cpus = "0-1";
  resources.devices = {{.allow = false, .type = "a", .major = {}, .minor = {}, .access = "rwm"}};
  const auto manager = open(resources);
  ASSERT_TRUE(manager->create(0).ok());
  tree_.put("memory/berth/x/memory.limit_in_bytes", "");
  tree_.put("cpu,cpuacct/berth/x/cpu.shares", "");
  tree_.put("cpuset/berth/x/cpuset.cpus", "");
  tree_.put("cpuset/berth/x/cpuset.mems", "\n");
  tree_.put("cpuset/berth/cpuset.mems", "0\n");
  tree_.put("devices/berth/x/devices.deny", "");
  const auto applied = manager->apply(resources);
  ASSERT_TRUE(applied.ok()) << applied.error().message();
  EXPECT_EQ(tree_.get("memory/berth/x/memory.limit_in_bytes"), "4096");
  EXPECT_EQ(tree_.get("cpu,cpuacct/berth/x/cpu.shares"), "2");
  EXPECT_EQ(tree_.get("cpuset/berth/x/cpuset.cpus"), "0-1");
  EXPECT_THAT(tree_.get("cpuset/berth/x/cpuset.mems"), StartsWith("0"))
      << "what the cpuset was born without comes from its parent";
  EXPECT_EQ(tree_.get("devices/berth/x/devices.deny"), "a");
}

TEST_F(V1Test, AFileThatTheKernelLacksIsUnsupported) {
  Resources resources;
  resources.cpu.burst = 1;
  const auto manager = open(resources);
  ASSERT_TRUE(manager->create(0).ok());
  const auto applied = manager->apply(resources);
  EXPECT_EQ(applied.error().kind(), ErrorKind::kUnsupported);
  EXPECT_THAT(applied.error().message(), HasSubstr("cpu.cfs_burst_us"));
}

TEST_F(V1Test, EntrancesAreTheTaskFilesOfAll) {
  const auto manager = open();
  ASSERT_TRUE(manager->create(0).ok());
  for (const std::string& path : manager->paths()) std::ofstream(path + "/tasks");
  auto entrances = manager->entrances();
  ASSERT_TRUE(entrances.ok()) << entrances.error().message();
  ASSERT_EQ(entrances->size(), manager->paths().size());
  for (const UniqueFd& entrance : *entrances) EXPECT_EQ(::write(entrance.get(), "0", 1), 1);
  EXPECT_EQ(tree_.get("pids/berth/x/tasks"), "0");
}

TEST_F(V1Test, StatsAreWhatTheFilesSay) {
  const auto manager = open();
  ASSERT_TRUE(manager->create(0).ok());
  tree_.put("memory/berth/x/memory.usage_in_bytes", "4096\n");
  tree_.put("cpu,cpuacct/berth/x/cpuacct.usage", "123456789\n");
  const auto stats = manager->stats();
  ASSERT_TRUE(stats.ok());
  EXPECT_EQ(stats->memory_bytes, 4096U);
  EXPECT_EQ(stats->cpu_nanoseconds, 123456789U);
  EXPECT_EQ(stats->pids, std::nullopt);
}

TEST_F(V1Test, FreezingMakesTheFreezersCgroupAndMovesEveryProcess) {
  const auto manager = open();
  ASSERT_TRUE(manager->create(0).ok());
  EXPECT_TRUE(manager->freeze(false).ok()) << "what was never frozen runs";
  EXPECT_FALSE(tree_.has("freezer/berth/x"));
  tree_.put("cpu,cpuacct/berth/x/cgroup.procs", "12\n");
  tree_.put("freezer/cgroup.procs", "");
  tree_.put("freezer/berth/x/cgroup.procs", "12\n");
  tree_.put("freezer/berth/x/freezer.state", "");
  ASSERT_TRUE(manager->freeze(true).ok());
  EXPECT_EQ(tree_.get("freezer/berth/x/freezer.state"), "FROZEN");
  ASSERT_TRUE(manager->freeze(false).ok());
  EXPECT_EQ(tree_.get("freezer/berth/x/freezer.state"), "THAWED");
}

TEST_F(V1Test, DestroyingRemovesAllAndMayBeRepeated) {
  const auto manager = open();
  ASSERT_TRUE(manager->create(0).ok());
  EXPECT_TRUE(manager->destroy().ok());
  for (const std::string& path : manager->paths()) EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_TRUE(tree_.has("memory/berth")) << "others may use it";
  EXPECT_TRUE(manager->destroy().ok());
}

TEST_F(V1Test, IsTakenOverByItsPaths) {
  const auto manager = open();
  ASSERT_TRUE(manager->create(0).ok());
  const auto adopted = adopt_cgroups(manager->paths());
  ASSERT_TRUE(adopted.ok());
  tree_.put("cpu,cpuacct/berth/x/cpuacct.usage", "5\n");
  tree_.put("pids/berth/x/pids.current", "6\n");
  EXPECT_EQ((*adopted)->stats()->cpu_nanoseconds, 5U);
  EXPECT_EQ((*adopted)->stats()->pids, 6U);
  EXPECT_EQ((*adopted)->paths(), manager->paths());
}

// An id is any word, the name of a controller as well.
TEST_F(V1Test, IsTakenOverWhateverTheContainerIsCalled) {
  auto manager = open_cgroups(layout_, "berth/memory", {});
  ASSERT_TRUE(manager.ok());
  ASSERT_TRUE((*manager)->create(0).ok());
  tree_.put("memory/berth/memory/memory.usage_in_bytes", "7\n");
  const auto adopted = adopt_cgroups((*manager)->paths());
  ASSERT_TRUE(adopted.ok());
  EXPECT_EQ((*adopted)->stats()->memory_bytes, 7U);
}

TEST_F(V1Test, PathsThatAreGoneAreNoError) {
  const auto adopted = adopt_cgroups({tree_.path("memory/berth/x"), tree_.path("pids/berth/x")});
  ASSERT_TRUE(adopted.ok());
  EXPECT_TRUE((*adopted)->processes()->empty());
  EXPECT_TRUE((*adopted)->destroy().ok());
}

class V2Test : public ::testing::Test {
 protected:
  V2Test() {
    tree_.put("cgroup.controllers", "cpuset cpu io memory pids\n");
    tree_.put("cgroup.subtree_control", "cpuset cpu io memory\n");
    layout_.version = CgroupVersion::kV2;
    layout_.hierarchies.push_back({{}, tree_.path(""), {}, {}});
    layout_.hierarchies[0].path.pop_back();
    manager_ = std::move(*open_cgroups(layout_, "x", {}));
  }

  FakeTree tree_;
  CgroupLayout layout_;
  std::unique_ptr<CgroupManager> manager_;
};

TEST_F(V2Test, IsOneDirectoryToCloneInto) {
  ASSERT_TRUE(manager_->create(0).ok());
  EXPECT_THAT(manager_->paths(), ElementsAre(tree_.path("x")));
  struct stat directory{}, seen{};
  ASSERT_EQ(::stat(tree_.path("x").c_str(), &directory), 0);
  ASSERT_EQ(::fstat(manager_->clone_directory(), &seen), 0);
  EXPECT_EQ(seen.st_ino, directory.st_ino);
  EXPECT_TRUE(manager_->entrances()->empty());
  EXPECT_EQ(manager_->version(), CgroupVersion::kV2);
}

TEST_F(V2Test, EnablesTheControllersThatItsParentLacks) {
  ASSERT_TRUE(manager_->create(0).ok());
  EXPECT_THAT(tree_.get("cgroup.subtree_control"), StartsWith("+pids"));
}

TEST_F(V2Test, EnablesNothingThatIsThere) {
  tree_.put("cgroup.subtree_control", "cpuset cpu io memory pids\n");
  ASSERT_TRUE(manager_->create(0).ok());
  EXPECT_EQ(tree_.get("cgroup.subtree_control"), "cpuset cpu io memory pids\n");
}

TEST_F(V2Test, LeavesNothingBehindIfItCannotBeMade) {
  ASSERT_EQ(::unlink(tree_.path("cgroup.controllers").c_str()), 0);
  EXPECT_FALSE(manager_->create(0).ok());
  EXPECT_FALSE(tree_.has("x"));
  EXPECT_EQ(manager_->clone_directory(), -1);
}

TEST_F(V2Test, ACgroupWithProcessesIsAConflict) {
  tree_.put("x/cgroup.procs", "1\n");
  EXPECT_EQ(manager_->create(0).error().kind(), ErrorKind::kConflict);
}

TEST_F(V2Test, LimitsGoIntoFilesAndTheMissingOneIsNamed) {
  ASSERT_TRUE(manager_->create(0).ok());
  tree_.put("x/memory.max", "");
  Resources resources;
  resources.memory.limit = 4096;
  ASSERT_TRUE(manager_->apply(resources).ok());
  EXPECT_EQ(tree_.get("x/memory.max"), "4096");
  resources.pids.limit = 3;
  const auto applied = manager_->apply(resources);
  EXPECT_EQ(applied.error().kind(), ErrorKind::kUnsupported);
  EXPECT_THAT(applied.error().message(), HasSubstr("the 'pids' cgroup controller"));
}

TEST_F(V2Test, StatsAreWhatTheFilesSay) {
  ASSERT_TRUE(manager_->create(0).ok());
  tree_.put("x/cpu.stat", "usage_usec 12\nuser_usec 8\n");
  tree_.put("x/memory.current", "4096\n");
  const auto stats = manager_->stats();
  ASSERT_TRUE(stats.ok());
  EXPECT_EQ(stats->cpu_nanoseconds, 12000U);
  EXPECT_EQ(stats->memory_bytes, 4096U);
  EXPECT_EQ(stats->pids, std::nullopt);
}

TEST_F(V2Test, FreezingWaitsUntilTheKernelSaysSo) {
  ASSERT_TRUE(manager_->create(0).ok());
  tree_.put("x/cgroup.freeze", "");
  tree_.put("x/cgroup.events", "populated 1\nfrozen 1\n");
  ASSERT_TRUE(manager_->freeze(true).ok());
  EXPECT_EQ(tree_.get("x/cgroup.freeze"), "1");
  tree_.put("x/cgroup.events", "populated 1\nfrozen 0\n");
  ASSERT_TRUE(manager_->freeze(false).ok());
  EXPECT_EQ(tree_.get("x/cgroup.freeze"), "0");
}

TEST_F(V2Test, DestroyingRemovesItAndMayBeRepeated) {
  ASSERT_TRUE(manager_->create(0).ok());
  tree_.make("x/below");
  EXPECT_TRUE(manager_->destroy().ok());
  EXPECT_FALSE(tree_.has("x"));
  EXPECT_TRUE(manager_->destroy().ok());
  EXPECT_TRUE(manager_->processes()->empty());
  EXPECT_TRUE(manager_->stats().ok());
}

TEST_F(V2Test, DestroyingKillsFirst) {
  ASSERT_TRUE(manager_->create(0).ok());
  tree_.put("x/cgroup.kill", "");
  tree_.put("x/cgroup.events", "populated 0\nfrozen 0\n");
  EXPECT_EQ(manager_->destroy().error().kind(), ErrorKind::kConflict) << "its files are real here";
  EXPECT_EQ(tree_.get("x/cgroup.kill"), "1");
}

TEST_F(V2Test, APathThatIsGoneIsNoError) {
  const auto adopted = CgroupV2::adopt(tree_.path("gone"));
  ASSERT_TRUE(adopted.ok());
  EXPECT_TRUE((*adopted)->processes()->empty());
  EXPECT_TRUE((*adopted)->destroy().ok());
}

TEST(SharedParent, IsRemovedWhereNothingIsLeft) {
  const FakeTree tree;
  CgroupLayout layout;
  for (const char* name : {"memory", "pids", "cpu"}) {
    tree.make(name);
    layout.hierarchies.push_back({name, tree.path(name), {name}, {}});
  }
  tree.make("memory/berth");
  tree.make("pids/berth/other");
  remove_empty_cgroups(layout, "berth");
  EXPECT_FALSE(tree.has("memory/berth"));
  EXPECT_TRUE(tree.has("pids/berth/other"));
}

TEST(Layout, FindsTheHierarchyOfAController) {
  const CgroupLayout layout{CgroupVersion::kV1,
                            {{"cpu", "/c/cpu", {"cpu", "cpuacct"}, {"cpuacct"}},
                             {"memory", "/c/memory", {"memory"}, {}}}};
  EXPECT_EQ(layout.find("cpuacct"), &layout.hierarchies[0]);
  EXPECT_EQ(layout.find("memory"), &layout.hierarchies[1]);
  EXPECT_EQ(layout.find("cpuset"), nullptr);
}

TEST(Layout, ADirectoryWithoutHierarchiesIsUnsupported) {
  const FakeTree tree;
  tree.make("memory");
  const auto layout = detect_cgroups(tree.path(""));
  EXPECT_EQ(layout.error().kind(), ErrorKind::kUnsupported);
}

}  // namespace
}  // namespace berth::container
