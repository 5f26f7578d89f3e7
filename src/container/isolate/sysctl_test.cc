#include "container/isolate/sysctl.h"

#include <gtest/gtest.h>

namespace berth::container {
namespace {

std::string path_of(const std::string& name) {
  Spec spec;
  spec.linux_.sysctl = {{name, "1"}};
  const SysctlPlan plan = plan_sysctl(spec);
  EXPECT_EQ(plan.entries.size(), 1U);
  EXPECT_EQ(plan.entries[0].name, name);
  EXPECT_EQ(plan.entries[0].value, "1");
  return plan.entries[0].file;
}

TEST(SysctlPlan, DotsSeparateUnlessASlashComesFirst) {
  EXPECT_EQ(path_of("net.ipv4.ip_forward"), "sys/net/ipv4/ip_forward");
  EXPECT_EQ(path_of("net/ipv4/ip_forward"), "sys/net/ipv4/ip_forward");
  EXPECT_EQ(path_of("net/ipv4/conf/eth0.1/forwarding"), "sys/net/ipv4/conf/eth0.1/forwarding");
  EXPECT_EQ(path_of("net.ipv4.conf.eth0/1.forwarding"), "sys/net/ipv4/conf/eth0.1/forwarding");
}

}  // namespace
}  // namespace berth::container
