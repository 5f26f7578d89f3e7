#include "container/isolate/sysctl.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "base/unique_fd.h"

namespace berth::container {
namespace {

std::string path_of(const std::string& name) {
  Spec spec;
  spec.linux_.sysctl = {{name, "1"}};
  const SysctlPlan plan = *plan_sysctl(spec, -1);
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

// Joined by a path or a descriptor, it is still the one everything else on the host is in.
TEST(SysctlPlan, ANamespaceThatIsTheRuntimesOwnIsRefused) {
  const auto plan = [](const char* name, Namespace joined, int network = -1) {
    Spec spec;
    spec.linux_.sysctl = {{name, "1"}};
    spec.linux_.namespaces = {std::move(joined)};
    const auto made = plan_sysctl(spec, network);
    return made.ok() ? std::string("ok") : made.error().message();
  };
  constexpr auto kNetwork = NamespaceType::kNetwork;
  const std::string refused = "linux.sysctl 'net.x' needs a namespace of its own";
  EXPECT_EQ(plan("net.x", {kNetwork, ""}), "ok");
  EXPECT_EQ(plan("net.x", {kNetwork, "/proc/self/ns/net"}).substr(0, refused.size()), refused);
  EXPECT_EQ(plan("kernel.msgmax", {NamespaceType::kIpc, "/proc/self/ns/ipc"}).substr(0, 12),
            "linux.sysctl");
  EXPECT_NE(plan("net.x", {kNetwork, "/no/such"}), "ok");
  const UniqueFd own(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(plan("net.x", {kNetwork, ""}, own.get()).substr(0, refused.size()), refused);
  EXPECT_EQ(plan("kernel.msgmax", {NamespaceType::kIpc, ""}, own.get()), "ok");
}

}  // namespace
}  // namespace berth::container
