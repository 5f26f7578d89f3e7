#include "network/driver_testsuite.h"

#include <algorithm>
#include <set>

#include "base/scope_exit.h"
#include "network/ipv4.h"
#include "network/sysctl.h"
#include "sys/netlink_route.h"
#include "sys/netns.h"

namespace berth::network {

// Linked into the unit tests too, which instantiate nothing.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(DriverSuite);

namespace {

EndpointOptions with_port(std::uint16_t host_port) {
  EndpointOptions options;
  options.ports = {{Protocol::kTcp, 80, "", host_port}};
  return options;
}

EndpointOptions with_address(const std::string& address) {
  EndpointOptions options;
  options.address = address;
  return options;
}

std::vector<sys::Link> links_in(int netns) {
  auto route = sys::RouteSocket::open_in(netns);
  EXPECT_TRUE(route.ok());
  auto links = route->links();
  EXPECT_TRUE(links.ok());
  // Some kernels put down tunnel devices of their own into every namespace; they have no address
  // and are down.
  std::erase_if(*links, [](const sys::Link& link) { return (link.flags & IFF_UP) == 0; });
  return std::move(*links);
}

std::set<std::string> addresses_in(int netns) {
  auto route = sys::RouteSocket::open_in(netns);
  EXPECT_TRUE(route.ok());
  std::set<std::string> texts;
  const auto addresses = route->addresses();
  EXPECT_TRUE(addresses.ok());
  for (const auto& entry : *addresses) {
    texts.insert(fmt::format("{}/{}", to_string(Ipv4::from_network_order(entry.address)),
                             entry.prefix_length));
  }
  return texts;
}

}  // namespace

void DriverSuite::SetUp() {
  // A host that forwards already: what turning it on leaves behind (forwarding.h) is
  // traffic_root_test's business.
  ASSERT_TRUE(write_sysctl("net/ipv4/ip_forward", "1").ok());
  rig_ = GetParam().make();
  before_ = world_.state();
  const auto created = driver().create_network(network());
  ASSERT_TRUE(created.ok()) << created.error().message();
}

void DriverSuite::restart() {
  rig_.reset();
  rig_ = GetParam().make();
  const auto created = driver().create_network(network());
  ASSERT_TRUE(created.ok()) << created.error().message();
}

Result<DriverSuite::Connected> DriverSuite::connect(const EndpointOptions& options, bool prepared) {
  Connected result;
  result.endpoint.id = random_id<EndpointId>();
  result.endpoint.network = network().id;
  TRY(driver().create_endpoint(network(), options, result.endpoint));
  ScopeExit undo([&] {
    EXPECT_TRUE(driver().leave(network(), result.endpoint).ok());
    EXPECT_TRUE(driver().delete_endpoint(network(), result.endpoint).ok());
  });
  if (driver().has_sandbox()) {
    Sandbox sandbox = TRY(Sandbox::create());
    if (prepared) TRY(driver().prepare(network(), sandbox));
    TRY(driver().join(network(), result.endpoint, sandbox));
    result.sandbox = std::move(sandbox).release();
  }
  TRY(driver().program_external(network(), result.endpoint));
  undo.cancel();
  return result;
}

void DriverSuite::disconnect(const Endpoint& endpoint) {
  EXPECT_TRUE(driver().revoke_external(network(), endpoint).ok());
  EXPECT_TRUE(driver().leave(network(), endpoint).ok());
  EXPECT_TRUE(driver().delete_endpoint(network(), endpoint).ok());
}

TEST_P(DriverSuite, ANetworkThatIsCreatedAgainIsTheSame) {
  const HostState once = world_.state();
  EXPECT_TRUE(driver().create_network(network()).ok());
  EXPECT_EQ(world_.state(), once);
}

TEST_P(DriverSuite, ANetworkThatIsDeletedLeavesNothing) {
  EXPECT_TRUE(driver().delete_network(network()).ok());
  EXPECT_TRUE(world_.wait_for_state(before_));
}

TEST_P(DriverSuite, ASandboxHoldsWhatItsEndpointSays) {
  auto connected = connect();
  ASSERT_TRUE(connected.ok()) << connected.error().message();
  const Endpoint& endpoint = connected->endpoint;
  EXPECT_EQ(!endpoint.address.empty(), GetParam().has_addresses);
  EXPECT_EQ(!endpoint.interface.empty(), GetParam().has_addresses);
  EXPECT_EQ(!endpoint.host_link.empty(), GetParam().has_addresses);
  EXPECT_EQ(connected->sandbox.valid(), driver().has_sandbox());
  if (!driver().has_sandbox()) return;
  const auto links = links_in(connected->sandbox.get());
  const auto addresses = addresses_in(connected->sandbox.get());
  EXPECT_TRUE(addresses.contains("127.0.0.1/8"));
  EXPECT_EQ(links.size(), GetParam().has_addresses ? 2U : 1U);
  if (!GetParam().has_addresses) return;
  EXPECT_TRUE(addresses.contains(fmt::format("{}/{}", endpoint.address, endpoint.prefix_length)));
  const auto interface = std::ranges::find(links, endpoint.interface, &sys::Link::name);
  ASSERT_NE(interface, links.end());
  EXPECT_EQ(sys::format_mac(interface->mac), endpoint.mac);
}

TEST_P(DriverSuite, APreparedSandboxIsAsGoodAsAFreshOne) {
  auto fresh = connect();
  auto prepared = connect({}, true);
  ASSERT_TRUE(fresh.ok() && prepared.ok());
  if (!driver().has_sandbox()) return;
  EXPECT_EQ(links_in(prepared->sandbox.get()).size(), links_in(fresh->sandbox.get()).size());
  EXPECT_EQ(addresses_in(prepared->sandbox.get()).size(),
            addresses_in(fresh->sandbox.get()).size());
}

TEST_P(DriverSuite, EndpointsDoNotShareAnAddress) {
  auto a = connect();
  auto b = connect();
  ASSERT_TRUE(a.ok() && b.ok());
  if (!GetParam().has_addresses) return;
  EXPECT_NE(a->endpoint.address, b->endpoint.address);
  EXPECT_NE(a->endpoint.mac, b->endpoint.mac);
  EXPECT_NE(a->endpoint.host_link, b->endpoint.host_link);
  EXPECT_EQ(connect(with_address(a->endpoint.address)).error().kind(), ErrorKind::kConflict);
  disconnect(a->endpoint);
  EXPECT_TRUE(connect(with_address(a->endpoint.address)).ok())
      << "a released address can be asked for";
}

TEST_P(DriverSuite, AnAddressThatTheNetworkDoesNotHaveIsRefused) {
  EXPECT_EQ(connect(with_address("203.0.113.9")).error().kind(), ErrorKind::kInvalid);
}

TEST_P(DriverSuite, PortsArePublishedOrLeftOut) {
  auto connected = connect(with_port(0));
  ASSERT_TRUE(connected.ok()) << connected.error().message();
  for (const PortBinding& port : connected->endpoint.ports) {
    EXPECT_NE(port.host_port, 0);
    EXPECT_EQ(connect(with_port(port.host_port)).error().kind(), ErrorKind::kConflict);
  }
  EXPECT_EQ(connected->endpoint.ports.empty(), !GetParam().has_addresses);
  disconnect(connected->endpoint);
  for (const PortBinding& port : connected->endpoint.ports)
    EXPECT_TRUE(connect(with_port(port.host_port)).ok());
}

TEST_P(DriverSuite, AnEndpointLeavesNothing) {
  const HostState idle = world_.state();
  {
    auto connected = connect(with_port(0));
    ASSERT_TRUE(connected.ok()) << connected.error().message();
    disconnect(connected->endpoint);
    // Also with the sandbox still alive.
    driver().run_deferred();
    EXPECT_EQ(world_.state(), idle);
  }
  {
    auto connected = connect(with_port(0));
    ASSERT_TRUE(connected.ok());
    disconnect(connected->endpoint);
  }
  EXPECT_TRUE(world_.wait_for_state(idle)) << "without a sandbox the kernel removes the rest";
}

TEST_P(DriverSuite, UndoingTwiceIsFine) {
  const HostState idle = world_.state();
  auto connected = connect(with_port(0));
  ASSERT_TRUE(connected.ok());
  disconnect(connected->endpoint);
  disconnect(connected->endpoint);
  driver().run_deferred();
  disconnect(connected->endpoint);
  driver().run_deferred();
  EXPECT_EQ(world_.state(), idle);
}

TEST_P(DriverSuite, AnotherProcessAdoptsWhatLivesAndRemovesTheRest) {
  const HostState idle = world_.state();
  auto kept = connect(with_port(0));
  auto lost = connect(with_port(0));
  ASSERT_TRUE(kept.ok() && lost.ok());
  restart();
  ASSERT_TRUE(driver().adopt(network(), kept->endpoint).ok());
  ASSERT_TRUE(driver().remove_unclaimed(network(), std::span(&kept->endpoint, 1)).ok());
  driver().run_deferred();

  if (GetParam().has_addresses) {
    const HostState now = world_.state();
    EXPECT_TRUE(now.contains("link " + kept->endpoint.host_link));
    EXPECT_FALSE(now.contains("link " + lost->endpoint.host_link));
    EXPECT_EQ(connect(with_address(kept->endpoint.address)).error().kind(), ErrorKind::kConflict);
    EXPECT_EQ(connect(with_port(kept->endpoint.ports.front().host_port)).error().kind(),
              ErrorKind::kConflict);
  }
  // An adopted endpoint goes like any other. What `lost` had published is the firewall's to remove.
  disconnect(kept->endpoint);
  (void)driver().revoke_external(network(), lost->endpoint);
  driver().run_deferred();
  EXPECT_EQ(world_.state(), idle);
}

}  // namespace berth::network
