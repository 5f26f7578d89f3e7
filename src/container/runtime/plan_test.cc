#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "container/runtime/init.h"

namespace berth::container {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Cgroups of one version that nobody makes.
class NoCgroups final : public CgroupManager {
 public:
  explicit NoCgroups(CgroupVersion version) : version_(version) {
    if (version == CgroupVersion::kV2)
      hierarchies_ = {{"", "/c", {}, {}}};
    else
      hierarchies_ = {{"memory", "/c/memory", {"memory"}, {}}, {"pids", "/c/pids", {"pids"}, {}}};
  }
  Result<void> create(pid_t) override { return {}; }
  Result<void> apply(const Resources&) override { return {}; }
  const std::vector<std::string>& paths() const override { return paths_; }
  const std::string& relative() const override { return relative_; }
  const std::vector<Hierarchy>& hierarchies() const override { return hierarchies_; }
  CgroupVersion version() const override { return version_; }
  Result<CgroupStats> stats() const override { return CgroupStats(); }
  Result<std::vector<pid_t>> processes() const override { return std::vector<pid_t>(); }
  Result<void> freeze(bool) override { return {}; }
  Result<void> destroy() override { return {}; }

 private:
  CgroupVersion version_;
  std::vector<Hierarchy> hierarchies_;
  std::string relative_;
  std::vector<std::string> paths_;
};

Mount mount_at(const char* destination, const char* type) {
  Mount mount;
  mount.destination = destination;
  mount.type = type;
  mount.source = type == std::string("bind") ? "/s" : type;
  return mount;
}

Result<std::unique_ptr<InitPlan>> plan(std::vector<Mount> mounts,
                                       CgroupVersion version = CgroupVersion::kV1) {
  Spec spec = default_spec();
  spec.mounts = std::move(mounts);
  CreateOptions options;
  options.bundle = "/bundle";
  return make_plan(spec, options, NoCgroups(version));
}

// The destinations in the order of mounting, with "|" before the first that waits.
std::vector<std::string> order(std::vector<Mount> mounts,
                               CgroupVersion version = CgroupVersion::kV1) {
  auto made = plan(std::move(mounts), version);
  EXPECT_TRUE(made.ok()) << made.error().message();
  std::vector<std::string> out;
  for (std::size_t i = 0; i <= (*made)->mounts.size(); ++i) {
    if (i == (*made)->first_late) out.emplace_back("|");
    if (i < (*made)->mounts.size()) out.push_back((*made)->mounts[i].destination);
  }
  return out;
}

TEST(MountOrder, IsTheSpecs) {
  EXPECT_THAT(order({mount_at("/proc", "proc"), mount_at("/dev", "tmpfs"), mount_at("/a", "bind")}),
              ElementsAre("/proc", "/dev", "/a", "|"));
  EXPECT_THAT(order({mount_at("/mnt", "tmpfs"), mount_at("/mnt/sys", "sysfs"),
                     mount_at("/a", "bind"), mount_at("/mnt", "bind")}),
              ElementsAre("/mnt", "|", "/mnt/sys", "/a", "/mnt"));
}

TEST(MountOrder, SysfsWaitsForTheNetworkNamespace) {
  EXPECT_THAT(order({mount_at("/proc", "proc"), mount_at("/sys", "sysfs")}),
              ElementsAre("/proc", "|", "/sys"));
}

TEST(MountOrder, CgroupsWaitForTheirNamespace) {
  EXPECT_THAT(order({mount_at("/proc", "proc"), mount_at("/x", "cgroup")}),
              ElementsAre("/proc", "|", "/x", "/x/memory", "/x/pids"));
  EXPECT_THAT(order({mount_at("/proc", "proc"), mount_at("/x", "cgroup")}, CgroupVersion::kV2),
              ElementsAre("/proc", "|", "/x"));
  // Mounted before, it would show the cgroups of the whole host.
  EXPECT_THAT(order({mount_at("/proc", "proc"), mount_at("/x", "cgroup2")}, CgroupVersion::kV2),
              ElementsAre("/proc", "|", "/x"));
}

// Whether what is in /dev is made after the mounts that wait.
bool devices_wait(std::vector<Mount> mounts) {
  auto made = plan(std::move(mounts));
  EXPECT_TRUE(made.ok()) << made.error().message();
  return (*made)->devices_wait;
}

TEST(MountOrder, DevicesWaitForADevThatWaits) {
  EXPECT_TRUE(devices_wait({mount_at("/sys", "sysfs"), mount_at("/dev", "tmpfs")}));
  EXPECT_TRUE(devices_wait({mount_at("/sys", "sysfs"), mount_at("//dev/.", "bind")}));
  EXPECT_TRUE(devices_wait({mount_at("/sys", "sysfs"), mount_at("/", "bind")}));
  EXPECT_FALSE(devices_wait({mount_at("/dev", "tmpfs"), mount_at("/sys", "sysfs")}));
  EXPECT_FALSE(devices_wait({mount_at("/sys", "sysfs"), mount_at("/device", "tmpfs")}));
}

TEST(MountOrder, DevicesWaitForTheTerminalsAndForBinds) {
  EXPECT_TRUE(devices_wait({mount_at("/sys", "sysfs"), mount_at("/dev/pts", "devpts")}));
  EXPECT_TRUE(devices_wait({mount_at("/sys", "sysfs"), mount_at("/dev/null", "bind")}));
  EXPECT_FALSE(devices_wait({mount_at("/sys", "sysfs"), mount_at("/dev/shm", "tmpfs")}));
}

TEST(InitPlan, AnErrorNamesTheMountByItsPlaceInTheSpec) {
  std::vector<Mount> mounts = {mount_at("/sys", "sysfs"), mount_at("/a", "tmpfs")};
  mounts[1].options = {"copy-symlink"};
  auto made = plan(mounts);
  ASSERT_FALSE(made.ok());
  EXPECT_THAT(made.error().message(), HasSubstr("mounts[1]: mount option 'copy-symlink'"));
  mounts[1].options.clear();
  mounts[1].uid_mappings = mounts[1].gid_mappings = {{0, 1, 1}};
  made = plan(mounts);
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().kind(), ErrorKind::kInvalid);
  EXPECT_THAT(made.error().message(), HasSubstr("mounts[1]: ids can only be mapped for a bind"));
}

TEST(InitPlan, TakesTheCallersDescriptorsAndHooks) {
  Spec spec = default_spec();
  Hook hook;
  hook.path = "/h";
  spec.hooks.create_runtime = {hook};
  CreateOptions options;
  options.bundle = "/bundle";
  options.stdio[0] = 7;
  options.start_socket = 9;
  options.preserved_fds = 2;
  const auto made = make_plan(spec, options, NoCgroups(CgroupVersion::kV2));
  ASSERT_TRUE(made.ok()) << made.error().message();
  EXPECT_EQ((*made)->stdio[0], 7);
  EXPECT_EQ((*made)->stdio[1], -1);
  EXPECT_EQ((*made)->start_socket, 9);
  EXPECT_EQ((*made)->preserved_fds, 2U);
  EXPECT_TRUE((*made)->runtime_hooks);
  EXPECT_EQ((*made)->rootfs.path, "/bundle/rootfs");
}

}  // namespace
}  // namespace berth::container
