#include "network/ipv4.h"

#include <gtest/gtest.h>

namespace berth::network {
namespace {

TEST(Ipv4Text, GoesThereAndBack) {
  EXPECT_EQ(to_string(*parse_ipv4("172.17.0.2")), "172.17.0.2");
  EXPECT_EQ(parse_ipv4("1.2.3.4")->value, 0x01020304U);
  for (const char* bad : {"", "1.2.3", "1.2.3.256", "01.2.3.4", "1.2.3.4 ", "::1", "host"}) {
    EXPECT_EQ(parse_ipv4(bad).error().kind(), ErrorKind::kInvalid) << bad;
  }
}

TEST(CidrText, KeepsTheAddressAndKnowsItsSubnet) {
  const auto cidr = parse_cidr("10.88.0.1/24");
  ASSERT_TRUE(cidr.ok());
  EXPECT_EQ(to_string(cidr->address), "10.88.0.1");
  EXPECT_EQ(to_string(cidr->subnet()), "10.88.0.0/24");
  for (const char* bad :
       {"10.88.0.1", "10.88.0.1/", "10.88.0.1/33", "10.88.0.1/-1", "10.88.0.1/2x", "/24"}) {
    EXPECT_EQ(parse_cidr(bad).error().kind(), ErrorKind::kInvalid) << bad;
  }
}

TEST(Subnet, OverlapsIffOneContainsTheOther) {
  const auto subnet = [](const char* text) { return parse_cidr(text)->subnet(); };
  EXPECT_TRUE(subnet("172.17.0.0/16").overlaps(subnet("172.17.4.0/24")));
  EXPECT_TRUE(subnet("172.17.4.0/24").overlaps(subnet("172.16.0.0/12")));
  EXPECT_FALSE(subnet("172.17.0.0/16").overlaps(subnet("172.18.0.0/16")));
  EXPECT_TRUE(subnet("0.0.0.0/0").overlaps(subnet("10.0.0.0/8")));
  EXPECT_EQ(to_string(subnet("172.17.0.0/16").last()), "172.17.255.255");
}

}  // namespace
}  // namespace berth::network
