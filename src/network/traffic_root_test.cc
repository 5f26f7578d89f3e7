// What travels on the default bridge, and what must not: packets between a container, its
// neighbours, its host and the outside. Run with and without br_netfilter's hook, which sends
// bridged packets through the firewall too.
#include <gtest/gtest.h>

#include "network/controller.h"
#include "network/ipv4.h"
#include "network/sysctl.h"
#include "network/world_testing.h"
#include "sys/netlink_route.h"
#include "sys/netns.h"

namespace berth::network {
namespace {

constexpr const char* kBridgeNetfilter = "net/bridge/bridge-nf-call-iptables";

class TrafficTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    // Without the module there is no hook: what "off" means.
    const bool set = write_sysctl(kBridgeNetfilter, GetParam()).ok();
    if (!set && GetParam() == std::string_view("1")) {
      GTEST_SKIP() << "the host has no br_netfilter: " << kBridgeNetfilter << " is missing";
    }
    auto opened = Controller::open(options());
    ASSERT_TRUE(opened.ok()) << opened.error().message();
    controller_ = std::move(*opened);
  }

  Controller::Options options() const {
    Controller::Options options;
    options.state_dir = world_.directory();
    options.pool_size = 0;
    return options;
  }

  Connection connect(std::vector<PortBinding> ports = {}) {
    EndpointOptions wanted;
    wanted.ports = std::move(ports);
    auto made = controller_->connect("bridge", wanted);
    EXPECT_TRUE(made.ok()) << made.error().message();
    return made.ok() ? std::move(*made) : Connection{};
  }

  static void expect_answer(const std::string& answer, int netns, const std::string& address,
                            std::uint16_t port, Protocol protocol = Protocol::kTcp) {
    const auto got = ask(netns, protocol, address, port);
    EXPECT_EQ(got.ok() ? *got : got.error().message(), answer) << address << ":" << port;
  }

  World world_;
  std::unique_ptr<Controller> controller_;
};

INSTANTIATE_TEST_SUITE_P(BridgeNetfilter, TrafficTest, testing::Values("0", "1"),
                         [](const auto& param) { return *param.param == '0' ? "Off" : "On"; });

TEST_P(TrafficTest, ContainerAndHostReachEachOther) {
  const Connection a = connect();
  const Server in_container(a.sandbox.get(), Protocol::kTcp, 80, "container");
  expect_answer("container 172.17.0.1", world_.host(), a.endpoint.address, 80);
  const Server on_host(world_.host(), Protocol::kTcp, 90, "host");
  expect_answer("host " + a.endpoint.address, a.sandbox.get(), a.endpoint.gateway, 90);
}

TEST_P(TrafficTest, NeighboursOnABridgeReachEachOther) {
  const Connection a = connect();
  const Connection b = connect();
  const Server server(a.sandbox.get(), Protocol::kTcp, 80, "a");
  expect_answer("a " + b.endpoint.address, b.sandbox.get(), a.endpoint.address, 80);
}

TEST_P(TrafficTest, AContainerLeavesUnderTheHostsAddress) {
  const Connection a = connect();
  const Server server(world_.outside(), Protocol::kTcp, 80, "outside");
  expect_answer(std::string("outside ") + kHostAddress, a.sandbox.get(), kOutsideAddress, 80);
}

TEST_P(TrafficTest, APublishedPortIsOpenEverywhere) {
  const Connection a = connect({{Protocol::kTcp, 80, "", 8080}});
  const Connection b = connect();
  const Server server(a.sandbox.get(), Protocol::kTcp, 80, "a");
  expect_answer(std::string("a ") + kOutsideAddress, world_.outside(), kHostAddress, 8080);
  expect_answer("a 172.17.0.1", world_.host(), "127.0.0.1", 8080);
  expect_answer("a 172.17.0.1", world_.host(), "127.0.0.2", 8080);
  expect_answer(std::string("a ") + kHostAddress, world_.host(), kHostAddress, 8080);
  expect_answer("a 172.17.0.1", b.sandbox.get(), kHostAddress, 8080);
  expect_answer("a 172.17.0.1", b.sandbox.get(), a.endpoint.gateway, 8080);
  expect_answer("a 172.17.0.1", a.sandbox.get(), kHostAddress,
                8080);  // its own, through the host and back
  expect_answer("a " + b.endpoint.address, b.sandbox.get(), a.endpoint.address, 80);
}

TEST_P(TrafficTest, AnUnpublishedPortIsClosedToTheOutside) {
  const Connection a = connect({{Protocol::kTcp, 80, "", 8080}});
  const Server published(a.sandbox.get(), Protocol::kTcp, 80, "a");
  const Server hidden(a.sandbox.get(), Protocol::kTcp, 81, "hidden");
  EXPECT_TRUE(unreachable(world_.outside(), kHostAddress, 81));
  // A neighbour on the outside network that routes to the bridge through this host does not get
  // around that.
  auto outside = sys::RouteSocket::open_in(world_.outside());
  ASSERT_TRUE(outside.ok());
  ASSERT_TRUE(outside->add_default_route(parse_ipv4(kHostAddress)->network_order()).ok());
  EXPECT_TRUE(unreachable(world_.outside(), a.endpoint.address, 81));
  EXPECT_TRUE(unreachable(world_.outside(), a.endpoint.address, 80));
  // After disconnect() the published one is closed as well, also on loopback.
  ASSERT_TRUE(controller_->disconnect(a.endpoint).ok());
  EXPECT_TRUE(unreachable(world_.outside(), kHostAddress, 8080));
  EXPECT_TRUE(unreachable(world_.host(), "127.0.0.1", 8080));
}

TEST_P(TrafficTest, APortPublishedOnOneAddressIsOpenThereOnly) {
  const Connection a = connect(
      {{Protocol::kTcp, 80, "127.0.0.1", 8080}, {Protocol::kTcp, 80, kSecondHostAddress, 8081}});
  const Server server(a.sandbox.get(), Protocol::kTcp, 80, "a");
  expect_answer("a 172.17.0.1", world_.host(), "127.0.0.1", 8080);
  EXPECT_TRUE(unreachable(world_.outside(), kHostAddress, 8080));
  EXPECT_TRUE(unreachable(world_.host(), kHostAddress, 8080));
  EXPECT_TRUE(reachable(world_.host(), kSecondHostAddress, 8081));
  EXPECT_TRUE(unreachable(world_.host(), kHostAddress, 8081));
}

TEST_P(TrafficTest, LoopbackOfTheHostIsClosedToContainersAndNeighbours) {
  // route_localnet on the bridge would let a container address 127.0.0.1 of the host; the guard
  // does not.
  const Connection a = connect({{Protocol::kTcp, 80, "127.0.0.1", 8080}});
  const Server published(a.sandbox.get(), Protocol::kTcp, 80, "a");
  const Server secret(world_.host(), Protocol::kTcp, 9999, "secret", "127.0.0.1");
  for (const int intruder : {a.sandbox.get(), world_.outside()}) {
    auto route = sys::RouteSocket::open_in(intruder);
    ASSERT_TRUE(route.ok());
    const bool inside = intruder == a.sandbox.get();
    const auto link = route->link("eth0");
    ASSERT_TRUE(link.ok());
    ASSERT_TRUE(route->allow_loopback_addresses(*link).ok());
    // 127.0.0.5 is not local any more once lo is without its own 127.0.0.1/8: it goes out through
    // the gateway.
    const auto lo = route->link("lo");
    ASSERT_TRUE(route->remove_address(*lo, parse_ipv4("127.0.0.1")->network_order(), 8).ok());
    if (!inside) {
      ASSERT_TRUE(route->add_default_route(parse_ipv4(kHostAddress)->network_order()).ok());
    }
    EXPECT_TRUE(unreachable(intruder, "127.0.0.1", 9999));
    EXPECT_TRUE(unreachable(intruder, "127.0.0.1", 8080));
  }
}

TEST_P(TrafficTest, UdpPortsWork) {
  const Connection a = connect({{Protocol::kUdp, 53, "", 5353}});
  const Server server(a.sandbox.get(), Protocol::kUdp, 53, "a");
  expect_answer(std::string("a ") + kOutsideAddress, world_.outside(), kHostAddress, 5353,
                Protocol::kUdp);
  expect_answer("a 172.17.0.1", world_.host(), "127.0.0.1", 5353, Protocol::kUdp);
}

TEST_P(TrafficTest, AUdpClientThatKeepsItsPortFollowsToTheNextContainer) {
  // The kernel remembers a flow for minutes: with unequal ports, and with a client that came before
  // the port was open.
  constexpr std::uint16_t kClientPort = 40000;
  EXPECT_FALSE(ask(world_.outside(), Protocol::kUdp, kHostAddress, 5353, kClientPort,
                   std::chrono::milliseconds(50))
                   .ok());
  for (const std::string greeting : {"first", "second"}) {
    const Connection c = connect({{Protocol::kUdp, 53, "", 5353}});
    const Server server(c.sandbox.get(), Protocol::kUdp, 53, greeting);
    const auto answer = ask(world_.outside(), Protocol::kUdp, kHostAddress, 5353, kClientPort);
    ASSERT_TRUE(answer.ok()) << answer.error().message();
    EXPECT_EQ(*answer, greeting + " " + kOutsideAddress);
    ASSERT_TRUE(controller_->disconnect(c.endpoint).ok());
  }
}

TEST_P(TrafficTest, TwoEnginesOnAHostKeepApart) {
  Controller::Options second = options();
  second.state_dir += "/other";
  second.bridge = "berth1";
  second.table = "berth1";
  auto other = Controller::open(second);
  ASSERT_TRUE(other.ok()) << other.error().message();
  EXPECT_EQ((*other)->find("bridge")->subnet, "172.18.0.0/16");
  const Connection a = connect({{Protocol::kTcp, 80, "", 8080}});
  auto b = (*other)->connect("bridge", {});
  ASSERT_TRUE(b.ok()) << b.error().message();
  const Server server(a.sandbox.get(), Protocol::kTcp, 80, "a");
  EXPECT_TRUE(unreachable(b->sandbox.get(), a.endpoint.address, 80));
  EXPECT_TRUE(reachable(b->sandbox.get(), kHostAddress, 8080));
  const Server outside(world_.outside(), Protocol::kTcp, 80, "outside");
  EXPECT_TRUE(reachable(b->sandbox.get(), kOutsideAddress, 80));
  EXPECT_TRUE((*other)->teardown().ok());
  EXPECT_TRUE(reachable(world_.host(), "127.0.0.1", 8080));
}

TEST_P(TrafficTest, LinksThatDidNotForwardBeforeStillDoNot) {
  // A second network behind the host; the host was no router when the engine came.
  auto beyond = sys::create_network_namespace();
  ASSERT_TRUE(beyond.ok());
  ASSERT_TRUE(controller_->teardown().ok());
  controller_.reset();
  ASSERT_TRUE(write_sysctl("net/ipv4/ip_forward", "0").ok());
  auto host = sys::RouteSocket::open();
  ASSERT_TRUE(
      host->add_veth({.name = "lan", .peer_name = "eth0", .peer_netns = beyond->get()}).ok());
  ASSERT_TRUE(
      host->add_address(*host->link("lan"), parse_ipv4("203.0.113.1")->network_order(), 24).ok());
  ASSERT_TRUE(host->set_up(*host->link("lan")).ok());
  auto inside = sys::RouteSocket::open_in(beyond->get());
  ASSERT_TRUE(
      inside->add_address(*inside->link("eth0"), parse_ipv4("203.0.113.2")->network_order(), 24)
          .ok());
  ASSERT_TRUE(inside->set_up(*inside->link("eth0")).ok());
  ASSERT_TRUE(inside->add_default_route(parse_ipv4("203.0.113.1")->network_order()).ok());
  auto outside = sys::RouteSocket::open_in(world_.outside());
  ASSERT_TRUE(outside->add_default_route(parse_ipv4(kHostAddress)->network_order()).ok());

  auto opened = Controller::open(options());
  ASSERT_TRUE(opened.ok()) << opened.error().message();
  controller_ = std::move(*opened);
  EXPECT_EQ(*read_sysctl("net/ipv4/ip_forward"), "1");
  const Server server(world_.outside(), Protocol::kTcp, 80, "outside");
  EXPECT_TRUE(unreachable(beyond->get(), kOutsideAddress, 80));
  const Connection a = connect();
  EXPECT_TRUE(reachable(a.sandbox.get(), kOutsideAddress, 80));
}

}  // namespace
}  // namespace berth::network
