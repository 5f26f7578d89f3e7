#include <gtest/gtest.h>

#include "sys/netlink_route.h"

namespace berth::sys {
namespace {

TEST(MacAddressText, GoesThereAndBack) {
  const auto mac = parse_mac("02:42:AC:11:00:fe");
  ASSERT_TRUE(mac.ok());
  EXPECT_EQ(format_mac(*mac), "02:42:ac:11:00:fe");
}

TEST(MacAddressText, RefusesWhatNoInterfaceCanHave) {
  for (const char* bad : {"", "02:42", "02:42:ac:11:00:0g", "02-42-ac-11-00-02",
                          "01:00:5e:00:00:01", "00:00:00:00:00:00", "02:42:ac:11:00:02:03"}) {
    EXPECT_EQ(parse_mac(bad).error().kind(), ErrorKind::kInvalid) << bad;
  }
}

TEST(RouteSocket, FindsTheLoopbackLink) {
  auto socket = RouteSocket::open();
  ASSERT_TRUE(socket.ok());
  auto lo = socket->link("lo");
  ASSERT_TRUE(lo.ok()) << lo.error().message();
  EXPECT_NE(lo->flags & IFF_LOOPBACK, 0U);
}

TEST(RouteSocket, AnErrorNamesTheLink) {
  auto socket = RouteSocket::open();
  ASSERT_TRUE(socket.ok());
  const auto missing = socket->link("nosuchlink0");
  EXPECT_EQ(missing.error().kind(), ErrorKind::kNotFound);
  EXPECT_NE(missing.error().message().find("nosuchlink0"), std::string::npos);
  EXPECT_EQ(socket->add_bridge({.name = "much-too-long-a-name"}).error().kind(),
            ErrorKind::kInvalid);
}

}  // namespace
}  // namespace berth::sys
