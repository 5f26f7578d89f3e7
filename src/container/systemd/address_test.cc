#include "container/systemd/address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::container {
namespace {

using Addresses = std::vector<BusAddress>;

BusAddress bus(const char* path, bool abstract = false) {
  return {.path = path, .abstract = abstract, .is_message_bus = true};
}

TEST(ParseAddresses, TakesUnixSocketsOutOfTheList) {
  EXPECT_EQ(*parse_addresses("unix:path=/run/bus"), Addresses{bus("/run/bus")});
  EXPECT_EQ(*parse_addresses("unix:path=/a%20b,guid=00;tcp:host=x;unix:abstract=/tmp/x"),
            (Addresses{bus("/a b"), bus("/tmp/x", true)}));
  EXPECT_EQ(*parse_addresses("unixexec:path=ssh"), Addresses());
  EXPECT_EQ(*parse_addresses("unix:runtime=yes"), Addresses());
}

TEST(ParseAddresses, RefusesWhatIsNoAddress) {
  for (const char* text :
       {"/run/bus", "unix:path", "unix:path=", "unix:path=%zz", "unix:path=%0", "unix:path=a%00"})
    EXPECT_EQ(parse_addresses(text).error().kind(), ErrorKind::kInvalid) << text;
  EXPECT_FALSE(parse_addresses("unix:path=/" + std::string(5000, 'x')).ok());
}

TEST(ManagerAddresses, TheManagersOwnSocketIsFirst) {
  EXPECT_EQ(*manager_addresses({.is_privileged = true}),
            (Addresses{{.path = "/run/systemd/private"}, bus("/run/dbus/system_bus_socket")}));
  EXPECT_EQ(
      *manager_addresses(
          {.is_privileged = true, .runtime_dir = "/run/user/0", .system_address = "unix:path=/s"}),
      (Addresses{{.path = "/run/systemd/private"}, bus("/s")}));
  EXPECT_EQ(*manager_addresses({.runtime_dir = "/run/user/1", .system_address = "unix:path=/s"}),
            (Addresses{{.path = "/run/user/1/systemd/private"}, bus("/run/user/1/bus")}));
  EXPECT_EQ(*manager_addresses({.session_address = "unix:path=/u"}), Addresses{bus("/u")});
}

TEST(ManagerAddresses, AUserWithoutASessionIsTold) {
  const auto none = manager_addresses({});
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().kind(), ErrorKind::kUnsupported);
  EXPECT_THAT(none.error().message(), testing::HasSubstr("XDG_RUNTIME_DIR"));
}

}  // namespace
}  // namespace berth::container
