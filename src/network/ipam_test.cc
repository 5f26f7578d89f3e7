#include "network/ipam.h"

#include <gtest/gtest.h>

#include <set>

namespace berth::network {
namespace {

AddressPool pool(const char* cidr) {
  const Cidr parsed = *parse_cidr(cidr);
  auto made = AddressPool::create(parsed.subnet(), parsed.address);
  EXPECT_TRUE(made.ok());
  return std::move(*made);
}

TEST(AddressPool, HandsOutInTurnAndSkipsTheGateway) {
  AddressPool addresses = pool("10.1.0.1/24");
  EXPECT_EQ(to_string(*addresses.allocate()), "10.1.0.2");
  EXPECT_EQ(to_string(*addresses.allocate()), "10.1.0.3");
  addresses.release(*parse_ipv4("10.1.0.2"));
  EXPECT_EQ(to_string(*addresses.allocate()), "10.1.0.4") << "a freed address rests";
}

TEST(AddressPool, UsesEveryAddressOnceThenSaysThatItIsExhausted) {
  AddressPool addresses = pool("10.1.0.1/28");
  std::set<std::string> seen;
  for (int i = 0; i < 13; ++i) seen.insert(to_string(*addresses.allocate()));
  EXPECT_EQ(seen.size(), 13U);
  EXPECT_FALSE(seen.contains("10.1.0.0") || seen.contains("10.1.0.1") ||
               seen.contains("10.1.0.15"));
  const auto none = addresses.allocate();
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().kind(), ErrorKind::kExhausted);
  EXPECT_NE(none.error().message().find("10.1.0.0/28 (13 in use)"), std::string::npos)
      << none.error().message();
  addresses.release(*parse_ipv4("10.1.0.9"));
  EXPECT_EQ(to_string(*addresses.allocate()), "10.1.0.9");
}

TEST(AddressPool, ReservesWhatWasAskedFor) {
  AddressPool addresses = pool("10.1.0.1/24");
  EXPECT_TRUE(addresses.reserve(*parse_ipv4("10.1.0.2")).ok());
  EXPECT_EQ(addresses.reserve(*parse_ipv4("10.1.0.2")).error().kind(), ErrorKind::kConflict);
  EXPECT_EQ(to_string(*addresses.allocate()), "10.1.0.3");
  for (const char* bad : {"10.1.0.0", "10.1.0.1", "10.1.0.255", "10.2.0.5"}) {
    EXPECT_EQ(addresses.reserve(*parse_ipv4(bad)).error().kind(), ErrorKind::kInvalid) << bad;
  }
}

TEST(AddressPool, ReleasingTheGatewayOrAStrangerChangesNothing) {
  AddressPool addresses = pool("10.1.0.1/30");
  addresses.release(*parse_ipv4("10.1.0.1"));
  addresses.release(*parse_ipv4("10.9.0.1"));
  EXPECT_EQ(to_string(*addresses.allocate()), "10.1.0.2");
  EXPECT_FALSE(addresses.allocate().ok());
}

TEST(AddressPool, RefusesSubnetsWithoutRoomAndForeignGateways) {
  const Subnet subnet = parse_cidr("10.1.0.0/24")->subnet();
  EXPECT_FALSE(AddressPool::create(subnet, *parse_ipv4("10.2.0.1")).ok());
  EXPECT_FALSE(AddressPool::create(subnet, *parse_ipv4("10.1.0.0")).ok());
  EXPECT_FALSE(
      AddressPool::create(parse_cidr("10.1.0.0/31")->subnet(), *parse_ipv4("10.1.0.1")).ok());
  EXPECT_FALSE(
      AddressPool::create(parse_cidr("0.0.0.0/0")->subnet(), *parse_ipv4("10.1.0.1")).ok());
}

TEST(Ipam, KeepsNetworksApart) {
  Ipam ipam;
  const NetworkId one("one");
  const NetworkId two("two");
  const Cidr cidr = *parse_cidr("10.1.0.1/24");
  ASSERT_TRUE(ipam.add_pool(one, cidr.subnet(), cidr.address).ok());
  ASSERT_TRUE(ipam.add_pool(two, cidr.subnet(), cidr.address).ok());
  EXPECT_EQ(to_string(*ipam.allocate(one, "")), "10.1.0.2");
  EXPECT_EQ(to_string(*ipam.allocate(two, "")), "10.1.0.2");
  ASSERT_TRUE(ipam.add_pool(one, cidr.subnet(), cidr.address).ok());
  EXPECT_EQ(ipam.allocate(one, "10.1.0.2").error().kind(), ErrorKind::kConflict)
      << "the same pool again is the same pool";
  EXPECT_EQ(ipam.allocate(one, "nonsense").error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(ipam.allocate(NetworkId("three"), "").error().kind(), ErrorKind::kNotFound);
}

}  // namespace
}  // namespace berth::network
