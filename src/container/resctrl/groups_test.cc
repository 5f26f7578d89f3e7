// The kernel's files of a group that is made are not there: FakeTree. What the kernel does with
// them needs a processor that has classes.
#include "container/resctrl/groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "container/cgroup/fake_tree_testing.h"
#include "container/resctrl/usage.h"

namespace berth::container {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Resctrl : public ::testing::Test {
 protected:
  Resctrl() {
    tree_.put("tasks", "");
    tree_.put("schemata", "    L3:0=fff\n    MB:0=100\n");
  }
  RdtGroups groups(const IntelRdt& rdt) const { return {rdt, "c1", tree_.path(".")}; }
  Result<void> check(const IntelRdt& rdt) const { return groups(rdt).check(rdt); }

  FakeTree tree_;
};

TEST_F(Resctrl, AClassIsTheContainersOwnUnlessItIsNamed) {
  const std::string at = tree_.path(".");
  EXPECT_THAT(groups({}).own(), ElementsAre(at + "/c1"));
  EXPECT_THAT(groups({.clos_id = "gold"}).own(), IsEmpty());
  EXPECT_EQ(groups({.clos_id = "gold"}).clos(), at + "/gold");
  EXPECT_EQ(groups({.clos_id = "/"}).clos(), at);
  EXPECT_THAT(groups({.enable_monitoring = true}).own(),
              ElementsAre(at + "/c1/mon_groups/c1", at + "/c1"));
  EXPECT_THAT(groups({.clos_id = "/", .enable_monitoring = true}).own(),
              ElementsAre(at + "/mon_groups/c1"));
}

TEST_F(Resctrl, ANamedClassMustExistOrBeDescribed) {
  EXPECT_TRUE(check({.clos_id = "/"}).ok());
  EXPECT_TRUE(check({.clos_id = "gold", .l3_cache_schema = "L3:0=f"}).ok());
  const auto missing = check({.clos_id = "gold"});
  EXPECT_EQ(missing.error().kind(), ErrorKind::kNotFound);
  EXPECT_THAT(missing.error().message(), HasSubstr("closID 'gold' does not exist"));
}

TEST_F(Resctrl, AClassThatExistsKeepsItsValues) {
  tree_.put("gold/schemata", "    L3:0=00f\n    MB:0=20\n");
  EXPECT_TRUE(check({.clos_id = "gold"}).ok());
  EXPECT_TRUE(check({.clos_id = "gold", .l3_cache_schema = "L3:0=f"}).ok());
  for (const IntelRdt& other :
       {IntelRdt{.clos_id = "gold", .l3_cache_schema = "L3:0=ff"},
        IntelRdt{.clos_id = "gold", .mem_bw_schema = "MB:0=30"},
        IntelRdt{.clos_id = "gold", .l3_cache_schema = "L3:0=f", .schemata = {"L2:0=f"}}})
    EXPECT_EQ(check(other).error().kind(), ErrorKind::kConflict);
  const RdtGroups gold = groups({.clos_id = "gold", .l3_cache_schema = "L3:0=f"});
  ASSERT_TRUE(gold.create({.clos_id = "gold", .l3_cache_schema = "L3:0=f"}).ok());
  EXPECT_EQ(tree_.get("gold/schemata"), "    L3:0=00f\n    MB:0=20\n");
}

TEST_F(Resctrl, ADirectoryOfAnothersIsNotTaken) {
  tree_.make("c1");
  const auto taken = check({});
  EXPECT_EQ(taken.error().kind(), ErrorKind::kConflict);
  EXPECT_THAT(taken.error().message(), HasSubstr("exists already"));
}

TEST_F(Resctrl, ProcessesGoIntoTheClassAndTheMonitoringGroup) {
  tree_.make("mon_groups");
  const IntelRdt rdt{.clos_id = "/", .enable_monitoring = true};
  ASSERT_TRUE(groups(rdt).create(rdt).ok());
  tree_.put("mon_groups/c1/tasks", "");
  ASSERT_TRUE(groups(rdt).admit(42).ok());
  EXPECT_EQ(tree_.get("tasks"), "42");
  EXPECT_EQ(tree_.get("mon_groups/c1/tasks"), "42");
}

TEST_F(Resctrl, WhatWasMadeIsRemovedAndNothingElse) {
  tree_.make("gold");
  const RdtGroups own = groups({});
  ASSERT_TRUE(own.create({}).ok());
  EXPECT_TRUE(tree_.has("c1"));
  ASSERT_TRUE(remove_rdt_groups(own.own()).ok());
  EXPECT_FALSE(tree_.has("c1"));
  EXPECT_TRUE(tree_.has("gold"));
  EXPECT_TRUE(remove_rdt_groups(own.own()).ok()) << "gone already";
  tree_.put("c1/task", "");
  EXPECT_FALSE(remove_rdt_groups(own.own()).ok());
}

TEST_F(Resctrl, TheKernelsReasonIsTold) {
  tree_.put("info/last_cmd_status", "mask f00 has non-consecutive 1-bits\n");
  const auto refused = groups({.clos_id = "none"}).write_schemata({"L3:0=f0f"});
  EXPECT_THAT(refused.error().message(), HasSubstr("mask f00 has non-consecutive 1-bits: "));
  tree_.put("gold/schemata", "");
  EXPECT_TRUE(groups({.clos_id = "gold"}).write_schemata({"L3:0=f0"}).ok());
  EXPECT_EQ(tree_.get("gold/schemata"), "L3:0=f0\n");
}

TEST_F(Resctrl, UsageIsWhatTheFilesSay) {
  tree_.put("info/L3/cbm_mask", "fff\n");
  tree_.put("info/L3/min_cbm_bits", "2\n");
  tree_.put("info/L3/num_closids", "16\n");
  tree_.put("gold/schemata", "    L3:0=00f\n    MB:0=20\n");
  tree_.put("gold/mon_data/mon_L3_01/llc_occupancy", "Unavailable\n");
  tree_.put("gold/mon_data/mon_L3_00/llc_occupancy", "4096\n");
  tree_.put("gold/mon_data/mon_L3_00/mbm_total_bytes", "7\n");
  const auto usage = read_rdt_usage(groups({.clos_id = "gold"}));
  ASSERT_TRUE(usage.ok()) << usage.error().message();
  ASSERT_TRUE(usage->l3.has_value());
  EXPECT_EQ(usage->l3->cbm_mask, "fff");
  EXPECT_EQ(usage->l3->num_closids, 16U);
  EXPECT_FALSE(usage->bandwidth.has_value());
  EXPECT_EQ(usage->l3_schema_root, "L3:0=fff");
  EXPECT_EQ(usage->l3_schema, "L3:0=00f");
  EXPECT_EQ(usage->bandwidth_schema, "MB:0=20");
  ASSERT_EQ(usage->monitors.size(), 2U);
  EXPECT_EQ(usage->monitors[0].llc_occupancy, 4096U);
  EXPECT_EQ(usage->monitors[0].mbm_total_bytes, 7U);
  EXPECT_FALSE(usage->monitors[1].llc_occupancy.has_value());
  EXPECT_EQ(read_rdt_usage(groups({.clos_id = "gone"})).error().kind(), ErrorKind::kNotFound);
}

TEST(FindResctrl, IsAMountOrAnErrorThatSaysWhere) {
  const auto mount = find_resctrl();
  if (mount.ok()) {
    EXPECT_EQ(*mount, "/sys/fs/resctrl");
  } else {
    EXPECT_EQ(mount.error().kind(), ErrorKind::kUnsupported);
    EXPECT_THAT(mount.error().message(), HasSubstr("/sys/fs/resctrl"));
  }
}

}  // namespace
}  // namespace berth::container
