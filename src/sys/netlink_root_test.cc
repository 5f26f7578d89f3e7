#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>

#include "sys/netlink_route.h"
#include "sys/netns.h"

namespace berth::sys {
namespace {

ino_t inode_of(int fd) {
  struct stat status{};
  EXPECT_EQ(::fstat(fd, &status), 0);
  return status.st_ino;
}

class NamespaceTest : public testing::Test {
 protected:
  void SetUp() override {
    auto made = create_network_namespace();
    ASSERT_TRUE(made.ok()) << made.error().message();
    netns_ = std::move(*made);
    auto opened = RouteSocket::open_in(netns_.get());
    ASSERT_TRUE(opened.ok()) << opened.error().message();
    route_.emplace(std::move(*opened));
  }

  UniqueFd netns_;
  std::optional<RouteSocket> route_;
};

TEST_F(NamespaceTest, TheCallerStaysWhereItWas) {
  const auto here = current_network_namespace();
  ASSERT_TRUE(here.ok());
  EXPECT_NE(inode_of(here->get()), inode_of(netns_.get()));
  ino_t inside = 0;
  ASSERT_TRUE(run_in_network_namespace(netns_.get(), [&]() -> Result<void> {
                inside = inode_of(TRY(current_network_namespace()).get());
                return {};
              }).ok());
  EXPECT_EQ(inside, inode_of(netns_.get()));
  const auto after = current_network_namespace();
  EXPECT_EQ(inode_of(here->get()), inode_of(after->get()));
}

TEST_F(NamespaceTest, AFreshOneHasOnlyLoopbackAndNoAddress) {
  const auto links = route_->links();
  ASSERT_TRUE(links.ok());
  EXPECT_TRUE(std::ranges::any_of(*links, [](const Link& link) { return link.name == "lo"; }));
  EXPECT_TRUE(
      std::ranges::none_of(*links, [](const Link& link) { return (link.flags & IFF_UP) != 0; }));
  EXPECT_TRUE(route_->addresses()->empty());
}

TEST_F(NamespaceTest, AVethPeerStartsLifeInTheOtherNamespace) {
  auto other = create_network_namespace();
  ASSERT_TRUE(other.ok());
  ASSERT_TRUE(route_->add_bridge({.name = "br0", .group = 7, .mtu = 1400}).ok());
  const auto bridge = route_->link("br0");
  ASSERT_TRUE(bridge.ok());
  EXPECT_EQ(bridge->kind, "bridge");
  EXPECT_EQ(bridge->group, 7U);
  EXPECT_EQ(bridge->mtu, 1400U);
  ASSERT_TRUE(route_->set_up(*bridge).ok());

  const auto made = route_->add_veth({.name = "veth0",
                                      .group = 7,
                                      .mtu = 1400,
                                      .master = bridge->index,
                                      .peer_name = "eth0",
                                      .peer_netns = other->get()});
  ASSERT_TRUE(made.ok()) << made.error().message();
  const auto port = route_->link("veth0");
  ASSERT_TRUE(port.ok());
  EXPECT_EQ(port->master, bridge->index);
  EXPECT_TRUE(route_->set_hairpin(*port).ok());
  EXPECT_TRUE(route_->set_up(*port).ok());
  EXPECT_TRUE(route_->allow_loopback_addresses(*bridge).ok());

  auto inside = RouteSocket::open_in(other->get());
  ASSERT_TRUE(inside.ok());
  const auto eth0 = inside->link("eth0");
  ASSERT_TRUE(eth0.ok());
  EXPECT_TRUE(inside->disable_ipv6_autoconfiguration(*eth0).ok());
  ASSERT_TRUE(inside->set_up(*eth0).ok());
  EXPECT_NE(inside->link("eth0")->flags & IFF_UP, 0U);

  InterfacePlan plan{.mac = MacAddress{2, 0, 0, 0, 0, 9},
                     .prefix_length = 24,
                     .gateway = in_addr{::inet_addr("10.9.0.1")}};
  plan.address.s_addr = ::inet_addr("10.9.0.2");
  const auto assigned = inside->assign(*eth0, plan);
  ASSERT_TRUE(assigned.ok()) << assigned.error().message();
  EXPECT_EQ(inside->link("eth0")->mac, *plan.mac);
  ASSERT_EQ(inside->addresses()->size(), 1U);
  EXPECT_EQ(inside->addresses()->front().address.s_addr, plan.address.s_addr);
  const auto routes = inside->routes();
  ASSERT_TRUE(routes.ok());
  EXPECT_TRUE(std::ranges::any_of(
      *routes, [](const Route& r) { return r.prefix_length == 0 && r.via_gateway; }));

  // A second time: the first request of the batch that fails is the one that is named.
  const auto again = inside->assign(*eth0, plan);
  ASSERT_FALSE(again.ok());
  EXPECT_NE(again.error().message().find("10.9.0.2/24"), std::string::npos)
      << again.error().message();
}

TEST_F(NamespaceTest, AGroupOfLinksGoesAtOnce) {
  for (const char* name : {"a0", "b0", "c0"}) {
    ASSERT_TRUE(
        route_->add_veth({.name = name, .group = 5, .peer_name = std::string(name) + "p"}).ok());
  }
  ASSERT_TRUE(route_->set_group(*route_->link("a0"), 6).ok());
  ASSERT_TRUE(route_->remove_group(5).ok());
  ASSERT_TRUE(route_->remove_group(5).ok());
  EXPECT_TRUE(route_->link("a0").ok());
  EXPECT_FALSE(route_->link("b0").ok());
  EXPECT_FALSE(route_->link("c0p").ok());
  EXPECT_TRUE(route_->remove_link(*route_->link("a0")).ok());
}

}  // namespace
}  // namespace berth::sys
