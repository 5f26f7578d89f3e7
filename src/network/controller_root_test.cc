// The controller over its three drivers: lifetimes, restarts, conflicts, exhaustion, many at once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <set>
#include <thread>

#include "network/controller.h"
#include "network/firewall.h"
#include "network/nft.h"
#include "network/sysctl.h"
#include "network/world_testing.h"
#include "sys/netlink_route.h"

namespace berth::network {
namespace {

EndpointOptions with_ports(std::vector<PortBinding> ports) {
  EndpointOptions options;
  options.name = "web";
  options.ports = std::move(ports);
  return options;
}

EndpointOptions tcp_port(std::uint16_t host_port) {
  return with_ports({{Protocol::kTcp, 80, "", host_port}});
}

std::size_t open_descriptors() {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}));
}

class ControllerTest : public testing::Test {
 protected:
  void SetUp() override {
    // Otherwise the first engine leaves forwarding on, which the comparisons of host states do not
    // look at anyway.
    ASSERT_TRUE(write_sysctl("net/ipv4/ip_forward", "1").ok());
    options_.state_dir = world_.directory();
    options_.pool_size = 2;
    bare_ = world_.state();
    open();
  }

  void open() {
    auto opened = Controller::open(options_);
    ASSERT_TRUE(opened.ok()) << opened.error().message();
    controller_ = std::move(*opened);
  }
  void open_and_finish() {
    open();
    const auto finished = controller_->finish_adoption();
    ASSERT_TRUE(finished.ok()) << finished.error().message();
  }

  Connection connect(const EndpointOptions& options = {}, std::string_view network = "bridge") {
    auto made = controller_->connect(network, options);
    EXPECT_TRUE(made.ok()) << made.error().message();
    return made.ok() ? std::move(*made) : Connection{};
  }

  World world_;
  HostState bare_;
  Controller::Options options_;
  std::unique_ptr<Controller> controller_;
};

TEST_F(ControllerTest, HasTheThreeDefaultNetworksUnderStableIds) {
  const auto networks = controller_->list();
  ASSERT_EQ(networks.size(), 3U);
  for (const char* name : {"bridge", "host", "none"})
    EXPECT_TRUE(controller_->find(name).ok()) << name;
  EXPECT_EQ(controller_->find("default")->name, "bridge");
  const NetworkId id = controller_->find("bridge")->id;
  EXPECT_EQ(controller_->find(id.str())->name, "bridge");
  EXPECT_EQ(controller_->find(id.brief())->name, "bridge");
  EXPECT_EQ(controller_->find("nope").error().kind(), ErrorKind::kNotFound);
  controller_.reset();
  open();
  EXPECT_EQ(controller_->find("bridge")->id, id);
  EXPECT_EQ(controller_->find("bridge")->subnet, "172.17.0.0/16");
}

TEST_F(ControllerTest, TheHostNetworkHasNoSandboxAndTheNoneNetworkNoInterface) {
  const Connection host = connect(tcp_port(8080), "host");
  EXPECT_FALSE(host.sandbox.valid());
  EXPECT_TRUE(host.endpoint.address.empty());
  EXPECT_TRUE(host.endpoint.ports.empty());
  const Connection none = connect({}, "none");
  EXPECT_TRUE(none.sandbox.valid());
  EXPECT_TRUE(none.endpoint.address.empty());
}

TEST_F(ControllerTest, TeardownLeavesNothing) {
  ASSERT_TRUE(controller_->finish_adoption().ok());
  const Connection connection = connect(tcp_port(0));
  controller_->wait_until_settled();
  EXPECT_NE(world_.state(), bare_);
  ASSERT_TRUE(controller_->teardown().ok());
  EXPECT_TRUE(world_.wait_for_state(bare_));
}

TEST_F(ControllerTest, APortIsGivenOnce) {
  const Connection first = connect(tcp_port(8080));
  const HostState before = world_.state();
  const auto second = controller_->connect("bridge", tcp_port(8080));
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().kind(), ErrorKind::kConflict);
  EXPECT_TRUE(second.error().message().starts_with(
      "driver failed programming external connectivity on endpoint web ("))
      << second.error().message();
  EXPECT_TRUE(second.error().message().ends_with(
      "): Bind for 0.0.0.0:8080 failed: port is already allocated"))
      << second.error().message();
  EXPECT_TRUE(world_.wait_for_state(before)) << "nothing half made stays";
  ASSERT_TRUE(controller_->disconnect(first.endpoint).ok());
  connect(tcp_port(8080));
}

TEST_F(ControllerTest, APortOfAHostProcessIsRefused) {
  const Server server(world_.host(), Protocol::kTcp, 8080, "host");
  const auto refused = controller_->connect("bridge", tcp_port(8080));
  ASSERT_FALSE(refused.ok());
  EXPECT_TRUE(refused.error().message().ends_with(
      "failed to bind host port 0.0.0.0:8080/tcp: address already in use"))
      << refused.error().message();
}

TEST_F(ControllerTest, ASmallSubnetRunsOutAndSaysSo) {
  ASSERT_TRUE(controller_->teardown().ok());
  controller_.reset();
  options_.bridge_subnet = "10.88.0.1/29";
  open();
  std::vector<Connection> all;
  for (int i = 0; i < 5; ++i) all.push_back(connect());
  const HostState before = world_.state();
  const auto more = controller_->connect("bridge", {});
  ASSERT_FALSE(more.ok());
  EXPECT_EQ(more.error().kind(), ErrorKind::kExhausted);
  EXPECT_NE(more.error().message().find("10.88.0.0/29"), std::string::npos)
      << more.error().message();
  EXPECT_EQ(world_.state(), before);
  ASSERT_TRUE(controller_->disconnect(all.front().endpoint).ok());
  EXPECT_EQ(connect().endpoint.address, all.front().endpoint.address);
}

TEST_F(ControllerTest, ASubnetThatTheHostUsesIsAvoidedAlsoLater) {
  ASSERT_TRUE(controller_->teardown().ok());
  controller_.reset();
  auto host = sys::RouteSocket::open();
  const auto uplink = host->link("uplink");
  // Since the last time the host has come to use what the bridge had: a VPN, say.
  ASSERT_TRUE(host->add_address(*uplink, in_addr{htonl(0xac110505)}, 24).ok());
  open();
  EXPECT_EQ(controller_->find("bridge")->subnet, "172.18.0.0/16");
  connect();
}

TEST_F(ControllerTest, ASubnetInUseStaysWhateverTheHostOrTheOperatorWants) {
  ASSERT_TRUE(controller_->finish_adoption().ok());
  const Connection kept = connect(tcp_port(8080));
  const Server server(kept.sandbox.get(), Protocol::kTcp, 80, "kept");
  auto host = sys::RouteSocket::open();
  ASSERT_TRUE(host->add_address(*host->link("uplink"), in_addr{htonl(0xac110505)}, 24).ok());
  controller_.reset();
  options_.in_use = true;
  options_.bridge_subnet = "10.88.0.1/24";
  open();
  EXPECT_EQ(controller_->find("bridge")->subnet, "172.17.0.0/16");
  ASSERT_TRUE(controller_->adopt(kept.endpoint).ok());
  ASSERT_TRUE(controller_->finish_adoption().ok());
  EXPECT_TRUE(reachable(world_.outside(), kHostAddress, 8080));
  controller_.reset();
  options_.in_use = false;
  open();
  EXPECT_EQ(controller_->find("bridge")->subnet, "10.88.0.0/24");
}

TEST_F(ControllerTest, TheBridgeOfARunningEngineIsNobodyElses) {
  const Connection connection = connect(tcp_port(8080));
  const HostState before = world_.state();
  Controller::Options same = options_;
  same.state_dir += "/other";
  const auto second = Controller::open(same);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().kind(), ErrorKind::kConflict);
  EXPECT_EQ(Controller::remove_from_host(options_.bridge, options_.table).error().kind(),
            ErrorKind::kConflict);
  EXPECT_EQ(world_.state(), before);
  controller_.reset();
  EXPECT_TRUE(Controller::remove_from_host(options_.bridge, options_.table).ok());
  EXPECT_TRUE(Controller::remove_from_host(options_.bridge, options_.table).ok()) << "twice";
  EXPECT_TRUE(world_.wait_for_state(bare_));
}

TEST_F(ControllerTest, ForwardingIsAsItWasAfterATeardown) {
  ASSERT_TRUE(controller_->teardown().ok());
  EXPECT_EQ(*read_sysctl("net/ipv4/ip_forward"), "1") << "it was on before the engine came";
  controller_.reset();
  ASSERT_TRUE(write_sysctl("net/ipv4/ip_forward", "0").ok());
  open();
  EXPECT_EQ(*read_sysctl("net/ipv4/ip_forward"), "1");
  controller_.reset();
  open();  // a later process of the same engine
  ASSERT_TRUE(controller_->teardown().ok());
  EXPECT_EQ(*read_sysctl("net/ipv4/ip_forward"), "0");
  EXPECT_TRUE(world_.wait_for_state(bare_));
}

TEST_F(ControllerTest, ForwardingStaysOnForALinkThatCameLaterAndWhatWasClosedStaysClosed) {
  ASSERT_TRUE(controller_->teardown().ok());
  controller_.reset();
  ASSERT_TRUE(write_sysctl("net/ipv4/ip_forward", "0").ok());
  open();
  auto host = sys::RouteSocket::open();
  ASSERT_TRUE(host->add_bridge({.name = "later"}).ok());
  ASSERT_TRUE(controller_->teardown().ok());
  controller_.reset();
  EXPECT_EQ(*read_sysctl("net/ipv4/ip_forward"), "1");
  const auto closed = Firewall::closed_by(options_.table);
  ASSERT_TRUE(closed.ok()) << closed.error().message();
  EXPECT_THAT(*closed, testing::UnorderedElementsAre("lo", "uplink"));
  // Once nobody is there any more who might need it, a teardown takes the rest away.
  ASSERT_TRUE(host->remove_link(*host->link("later")).ok());
  ASSERT_TRUE(Controller::remove_from_host(options_.bridge, options_.table).ok());
  EXPECT_EQ(*read_sysctl("net/ipv4/ip_forward"), "0");
  EXPECT_TRUE(world_.wait_for_state(bare_));
}

TEST_F(ControllerTest, ALinkOfSomebodyElseIsNotTakenOver) {
  auto host = sys::RouteSocket::open();
  ASSERT_TRUE(host->add_bridge({.name = "mine"}).ok());
  options_.bridge = "mine";
  options_.table = "mine";
  options_.state_dir += "/mine";
  const auto refused = Controller::open(options_);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind(), ErrorKind::kConflict);
  EXPECT_TRUE(host->link("mine").ok());
}

TEST_F(ControllerTest, DisconnectingTwiceDoesNotFreeTheNextOnesAddress) {
  const Connection first = connect();
  ASSERT_TRUE(controller_->disconnect(first.endpoint).ok());
  EndpointOptions same;
  same.address = first.endpoint.address;
  const Connection second = connect(same);
  EXPECT_TRUE(controller_->disconnect(first.endpoint).ok());
  EXPECT_EQ(controller_->connect("bridge", same).error().kind(), ErrorKind::kConflict);
}

TEST_F(ControllerTest, ARestartKeepsPortsOpenThroughout) {
  ASSERT_TRUE(controller_->finish_adoption().ok());
  const Connection kept = connect(tcp_port(8080));
  Connection gone = connect(tcp_port(8081));
  const Server server(kept.sandbox.get(), Protocol::kTcp, 80, "kept");
  // Somebody outside asks all the time; every answer must come.
  std::atomic<bool> stop = false;
  std::atomic<int> answers = 0;
  std::string failure;
  std::thread visitor([&] {
    while (!stop) {
      const auto answer = ask(world_.outside(), Protocol::kTcp, kHostAddress, 8080);
      if (!answer.ok()) failure = answer.error().message();
      ++answers;
      answers.notify_all();
    }
  });
  const auto wait_for_another = [&] {
    for (int more = 0; more < 3; ++more) answers.wait(answers.load());
  };
  wait_for_another();
  for (int restart = 0; restart < 3; ++restart) {
    controller_.reset();  // as after kill -9: nothing is undone, the descriptors close
    gone.sandbox.reset();
    wait_for_another();
    open();
    wait_for_another();
    ASSERT_TRUE(controller_->adopt(kept.endpoint).ok());
    ASSERT_TRUE(controller_->adopt(kept.endpoint).ok()) << "adopting twice is adopting";
    wait_for_another();
    ASSERT_TRUE(controller_->finish_adoption().ok());
    wait_for_another();
  }
  stop = true;
  visitor.join();
  EXPECT_EQ(failure, "");
  EXPECT_GT(answers, 0);

  // The adopted one holds its port and address; the other's are free.
  EXPECT_EQ(controller_->connect("bridge", tcp_port(8080)).error().kind(), ErrorKind::kConflict);
  connect(tcp_port(8081));
  EXPECT_TRUE(controller_->disconnect(kept.endpoint).ok());
  EXPECT_TRUE(unreachable(world_.outside(), kHostAddress, 8080));
}

TEST_F(ControllerTest, TheBridgeKeepsItsMacAddressWhateverComesAndGoes) {
  ASSERT_TRUE(controller_->finish_adoption().ok());
  // Otherwise what containers send to the gateway they know is lost until they ask for it again.
  const sys::MacAddress expected = {0x02, 0x42, 172, 17, 0, 1};
  const auto mac = [] { return sys::RouteSocket::open()->link("berth0")->mac; };
  EXPECT_EQ(mac(), expected);
  std::vector<Connection> connections(8);
  for (Connection& connection : connections) {
    connection = connect();
    EXPECT_EQ(mac(), expected);
  }
  for (const Connection& connection : connections) {
    ASSERT_TRUE(controller_->disconnect(connection.endpoint).ok());
    controller_->wait_until_settled();
    EXPECT_EQ(mac(), expected);
  }
}

TEST_F(ControllerTest, FinishingAdoptionRemovesWhatNobodyClaims) {
  controller_->wait_until_settled();
  const HostState idle = world_.state();
  // Its sandbox lives on, as that of a workload whose record was lost.
  const Connection lost = connect(
      with_ports({{Protocol::kTcp, 80, "", 8080}, {Protocol::kUdp, 53, "127.0.0.1", 5353}}));
  options_.pool_size = 0;
  controller_.reset();
  open();
  EXPECT_NE(world_.state(), idle);
  ASSERT_TRUE(controller_->finish_adoption().ok());
  controller_->wait_until_settled();
  EXPECT_EQ(world_.state(), idle);
}

TEST_F(ControllerTest, AFirewallThatWasFlushedComesBackWhole) {
  const Connection a = connect(tcp_port(8080));
  const Server server(a.sandbox.get(), Protocol::kTcp, 80, "a");
  const Server outside(world_.outside(), Protocol::kTcp, 80, "outside");
  ASSERT_TRUE(reachable(world_.host(), "127.0.0.1", 8080));
  Nft nft;
  ASSERT_TRUE(nft.run("flush ruleset").ok());
  EXPECT_TRUE(unreachable(world_.host(), "127.0.0.1", 8080));
  const Connection b = connect(tcp_port(8081));
  EXPECT_TRUE(reachable(world_.host(), "127.0.0.1", 8080));
  EXPECT_TRUE(reachable(b.sandbox.get(), kOutsideAddress, 80));
  // A single element that went missing does not keep the others from being revoked.
  ASSERT_TRUE(nft.run("delete element ip berth ports { 6 . 8080 }").ok());
  EXPECT_TRUE(controller_->disconnect(a.endpoint).ok());
  ASSERT_TRUE(nft.run("flush ruleset").ok());
  EXPECT_TRUE(controller_->disconnect(b.endpoint).ok());
}

TEST_F(ControllerTest, TwoHundredConnectionsLeakNothing) {
  ASSERT_TRUE(controller_->finish_adoption().ok());
  const auto cycle = [&] {
    const Connection connection = connect(tcp_port(0));
    EXPECT_TRUE(controller_->disconnect(connection.endpoint).ok());
  };
  cycle();
  options_.pool_size = 0;
  controller_.reset();
  open_and_finish();
  controller_->wait_until_settled();
  const HostState idle = world_.state();
  cycle();
  const std::size_t descriptors = open_descriptors();
  for (int i = 0; i < 200; ++i) cycle();
  controller_->wait_until_settled();
  EXPECT_TRUE(world_.wait_for_state(idle));
  // Fewer is fine: an idle controller closes what it has not needed for a while.
  EXPECT_LE(open_descriptors(), descriptors);
}

TEST_F(ControllerTest, FiftyAtOnceGetFiftyPlaces) {
  ASSERT_TRUE(controller_->finish_adoption().ok());
  constexpr int kCount = 50;
  std::vector<Connection> connections(kCount);
  {
    std::vector<std::jthread> threads;
    for (Connection& connection : connections) {
      threads.emplace_back([&] { connection = connect(tcp_port(0)); });
    }
  }
  std::set<std::string> addresses;
  std::set<std::uint16_t> ports;
  for (const Connection& connection : connections) {
    ASSERT_TRUE(connection.sandbox.valid());
    addresses.insert(connection.endpoint.address);
    ports.insert(connection.endpoint.ports.front().host_port);
  }
  EXPECT_EQ(addresses.size(), std::size_t{kCount});
  EXPECT_EQ(ports.size(), std::size_t{kCount});
  const Server server(connections.back().sandbox.get(), Protocol::kTcp, 80, "last");
  EXPECT_TRUE(reachable(world_.outside(), kHostAddress,
                        connections.back().endpoint.ports.front().host_port));
  {
    std::vector<std::jthread> threads;
    for (const Connection& connection : connections) {
      threads.emplace_back([&] { EXPECT_TRUE(controller_->disconnect(connection.endpoint).ok()); });
    }
  }
}

TEST_F(ControllerTest, AKilledEngineLeavesNoPreparedSandboxBehind) {
  options_.pool_size = 0;
  controller_.reset();
  open();
  const HostState idle = world_.state();
  options_.pool_size = 3;
  controller_.reset();
  open_and_finish();
  controller_->wait_until_settled();
  EXPECT_NE(world_.state(), idle);
  // Destroying a controller closes descriptors and undoes nothing, which is all that the kernel
  // does for a dead process.
  controller_.reset();
  EXPECT_TRUE(world_.wait_for_state(idle));
}

}  // namespace
}  // namespace berth::network
