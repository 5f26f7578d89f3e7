#include "engine/isolation/container_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::engine {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

WorkloadView shell() {
  WorkloadView view;
  view.id = WorkloadId(std::string(64, 'a'));
  view.path = "/bin/sh";
  view.args = {"-c", "true"};
  view.config.hostname = "aaaaaaaaaaaa";
  view.config.network_mode = "bridge";
  view.hostname_path = "/state/hostname";
  view.hosts_path = "/state/hosts";
  view.resolv_conf_path = "/state/resolv.conf";
  return view;
}

container::Spec spec_of(const WorkloadView& view) {
  auto spec = container_spec(
      view,
      {.rootfs = "/state/rootfs", .cgroup_parent = "/berth", .identity = {}, .init_path = {}});
  EXPECT_TRUE(spec.ok()) << spec.error().message();
  return std::move(spec).value();
}

MountPoint point(std::string source, std::string destination, bool read_only = false) {
  MountPoint made;
  made.source = std::move(source);
  made.destination = std::move(destination);
  made.read_only = read_only;
  return made;
}

Identity user(std::uint32_t uid) {
  Identity identity;
  identity.uid = uid;
  return identity;
}

const container::Mount* mount_at(const container::Spec& spec, std::string_view destination) {
  const auto it = std::ranges::find(spec.mounts, destination, &container::Mount::destination);
  return it == spec.mounts.end() ? nullptr : &*it;
}

TEST(ContainerSpec, DefaultWallHasEveryNamespaceAndIsValid) {
  const container::Spec spec = spec_of(shell());
  EXPECT_THAT(spec.process.args, ElementsAre("/bin/sh", "-c", "true"));
  for (const auto type : {container::NamespaceType::kMount, container::NamespaceType::kPid,
                          container::NamespaceType::kNetwork, container::NamespaceType::kUts,
                          container::NamespaceType::kIpc, container::NamespaceType::kCgroup})
    EXPECT_NE(container::find_namespace(spec, type), nullptr);
  EXPECT_TRUE(spec.linux_.seccomp);
  EXPECT_THAT(spec.linux_.masked_paths, Contains("/proc/kcore"));
  EXPECT_THAT(spec.process.capabilities->bounding, SizeIs(14));
  const auto valid = container::validate(spec);
  EXPECT_TRUE(valid.ok()) << valid.error().message();
}

TEST(ContainerSpec, UserWithoutRootHoldsNoCapability) {
  auto spec = container_spec(
      shell(), {.rootfs = "/r", .cgroup_parent = "/b", .identity = user(1000), .init_path = {}});
  ASSERT_TRUE(spec.ok());
  EXPECT_THAT(spec->process.capabilities->effective, IsEmpty());
  EXPECT_THAT(spec->process.capabilities->bounding, SizeIs(14));
}

TEST(ContainerSpec, LimitsBecomeCgroupValues) {
  WorkloadView view = shell();
  view.config.resources.memory = 64 << 20;
  view.config.resources.nano_cpus = 1'500'000'000;
  view.config.resources.pids_limit = 7;
  const container::Resources resources = spec_of(view).linux_.resources;
  EXPECT_EQ(resources.memory.limit, 64 << 20);
  EXPECT_EQ(resources.memory.swap, 128 << 20);
  EXPECT_EQ(resources.cpu.quota, 150'000);
  EXPECT_EQ(resources.cpu.period, 100'000U);
  EXPECT_EQ(resources.pids.limit, 7);
}

TEST(ContainerSpec, LimitsBeyondAllMeasureDoNotWrapAround) {
  constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();
  WorkloadView view = shell();
  view.config.resources.memory = kLargest / 2 + 1;
  view.config.resources.nano_cpus = kLargest;
  view.config.resources.cpu_shares = kLargest;
  const container::Resources resources = spec_of(view).linux_.resources;
  EXPECT_EQ(resources.memory.swap, kLargest);
  EXPECT_EQ(resources.cpu.quota, kLargest / 10'000);
  EXPECT_EQ(resources.cpu.shares, 262'144);
}

TEST(ContainerSpec, OwnVariablesReplaceDefaults) {
  WorkloadView view = shell();
  view.config.env = {"PATH=/own", "EMPTY=", "HOME"};
  const auto env = spec_of(view).process.env;
  EXPECT_THAT(env, Contains("PATH=/own"));
  EXPECT_THAT(env, Contains("EMPTY="));
  EXPECT_THAT(env, Not(Contains(HasSubstr("sbin"))));
  EXPECT_THAT(env, Not(Contains(HasSubstr("HOME"))));
}

TEST(ContainerSpec, OwnMountReplacesADefaultOnTheSamePlaceAndParentsComeFirst) {
  WorkloadView view = shell();
  view.mounts = {point("/h/deep", "/data/deep", true), point("/v/_data", "/data"),
                 point("/h/hosts", "/etc/hosts")};
  const container::Spec spec = spec_of(view);
  EXPECT_EQ(mount_at(spec, "/etc/hosts")->source, "/h/hosts");
  EXPECT_LT(mount_at(spec, "/data"), mount_at(spec, "/data/deep"));
  EXPECT_THAT(mount_at(spec, "/data/deep")->options, Contains("ro"));
}

TEST(ContainerSpec, PrivilegedLiftsTheWallThatItSaysItLifts) {
  WorkloadView view = shell();
  view.config.privileged = true;
  const container::Spec spec = spec_of(view);
  EXPECT_FALSE(spec.linux_.seccomp);
  EXPECT_THAT(spec.linux_.masked_paths, IsEmpty());
  EXPECT_THAT(spec.process.capabilities->effective, SizeIs(41));
  EXPECT_TRUE(spec.linux_.resources.devices.front().allow);
}

TEST(ContainerSpec, UnknownSecurityOptionIsRefusedByName) {
  WorkloadView view = shell();
  view.config.security_options = {"selinux=magic"};
  const auto spec = container_spec(
      view, {.rootfs = "/r", .cgroup_parent = "/b", .identity = {}, .init_path = {}});
  ASSERT_FALSE(spec.ok());
  EXPECT_THAT(spec.error().message(), HasSubstr("selinux=magic"));
}

TEST(EffectiveCapabilities, AddAndDropWithAndWithoutPrefix) {
  EXPECT_THAT(*effective_capabilities(false, {}, {"ALL"}), IsEmpty());
  EXPECT_THAT(*effective_capabilities(false, {"net_admin"}, {"all"}), ElementsAre("CAP_NET_ADMIN"));
  EXPECT_THAT(*effective_capabilities(false, {"ALL"}, {"CAP_SYS_ADMIN"}),
              Not(Contains("CAP_SYS_ADMIN")));
  EXPECT_FALSE(effective_capabilities(false, {"FLY"}, {}).ok());
}

}  // namespace
}  // namespace berth::engine
