#include "container/isolate/protect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "container/isolate/rootfs.h"

namespace berth::container {
namespace {

using ::testing::ElementsAre;

TEST(ProtectPlan, KeepsTheOrderOfTheSpec) {
  Spec spec;
  spec.linux_.masked_paths = {"/proc/kcore", "/sys/firmware"};
  spec.linux_.readonly_paths = {"/proc/sys", "/proc/bus"};
  const ProtectPlan plan = plan_protect(spec);
  EXPECT_THAT(plan.masked, ElementsAre("/proc/kcore", "/sys/firmware"));
  EXPECT_THAT(plan.read_only, ElementsAre("/proc/sys", "/proc/bus"));
}

TEST(ProtectPlan, OfTheDefaultSpecCoversWhatTellsOfTheHost) {
  const ProtectPlan plan = plan_protect(default_spec());
  EXPECT_THAT(plan.masked, ::testing::IsSupersetOf({"/proc/kcore", "/proc/keys", "/sys/firmware"}));
  EXPECT_THAT(plan.read_only, ::testing::IsSupersetOf({"/proc/sys", "/proc/sysrq-trigger"}));
}

TEST(RootfsPlan, IsInTheBundleUnlessAbsolute) {
  Spec spec = default_spec();
  spec.root = {.path = "r", .readonly = true};
  EXPECT_EQ(plan_rootfs(spec, "/b", {})->path, "/b/r");
  EXPECT_TRUE(plan_rootfs(spec, "/b", {})->readonly);
  spec.root.path = "/r";
  EXPECT_EQ(plan_rootfs(spec, "/b", {})->path, "/r");
}

TEST(RootfsPlan, AnErrorNamesTheMountOfTheRoot) {
  const Spec spec = default_spec();
  const std::vector<sys::MountSpec> mounts = {{"overlay", "overlay", {}}, {"bind", "", {}}};
  EXPECT_THAT(plan_rootfs(spec, "/b", mounts).error().message(),
              ::testing::HasSubstr("root mount 1: a bind mount needs a source"));
}

}  // namespace
}  // namespace berth::container
