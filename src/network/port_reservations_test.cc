#include "network/port_reservations.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace berth::network {
namespace {

UniqueFd tcp_socket() {
  return UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

TEST(PortReservations, PicksAPortWhereNoneIsNamed) {
  PortReservations reservations;
  PortBinding ports[] = {{Protocol::kTcp, 80, "127.0.0.1", 0},
                         {Protocol::kUdp, 53, "127.0.0.1", 0}};
  ASSERT_TRUE(reservations.reserve(ports).ok());
  EXPECT_NE(ports[0].host_port, 0);
  EXPECT_NE(ports[1].host_port, 0);
}

TEST(PortReservations, APortOfThisEngineIsAllocated) {
  PortReservations reservations;
  PortBinding first[] = {{Protocol::kTcp, 80, "127.0.0.1", 0}};
  ASSERT_TRUE(reservations.reserve(first).ok());
  PortBinding second[] = {{Protocol::kTcp, 81, "", 0},
                          {Protocol::kTcp, 81, "", first[0].host_port}};
  const auto refused = reservations.reserve(second);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind(), ErrorKind::kConflict);
  EXPECT_EQ(
      refused.error().message(),
      fmt::format("Bind for 0.0.0.0:{} failed: port is already allocated", first[0].host_port));
  // All or none: the port that was picked for the first of the two is free again.
  PortBinding again[] = {{Protocol::kTcp, 81, "", second[0].host_port}};
  EXPECT_TRUE(reservations.reserve(again).ok());
  reservations.release(first);
  reservations.release(first);
  EXPECT_TRUE(reservations.reserve(first).ok());
}

TEST(PortReservations, APortOfAnotherProcessIsInUse) {
  const UniqueFd server = tcp_socket();
  sockaddr_in at = loopback(0);
  socklen_t size = sizeof at;
  ASSERT_EQ(::bind(server.get(), reinterpret_cast<sockaddr*>(&at), size), 0);
  ASSERT_EQ(::listen(server.get(), 1), 0);
  ASSERT_EQ(::getsockname(server.get(), reinterpret_cast<sockaddr*>(&at), &size), 0);
  PortReservations reservations;
  PortBinding port[] = {{Protocol::kTcp, 80, "", ntohs(at.sin_port)}};
  const auto refused = reservations.reserve(port);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind(), ErrorKind::kConflict);
  EXPECT_TRUE(refused.error().message().ends_with("/tcp: address already in use"))
      << refused.error().message();
}

TEST(PortReservations, KeepsServersOffAndServesNobody) {
  PortReservations reservations;
  PortBinding port[] = {{Protocol::kTcp, 80, "127.0.0.1", 0}};
  ASSERT_TRUE(reservations.reserve(port).ok());
  const sockaddr_in at = loopback(port[0].host_port);
  const UniqueFd server = tcp_socket();
  const int on = 1;
  ASSERT_EQ(::setsockopt(server.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
  EXPECT_NE(::bind(server.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
  // The connection request is dropped rather than answered: a socket that does not wait stays in
  // progress.
  const UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  EXPECT_NE(::connect(client.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
  EXPECT_EQ(errno, EINPROGRESS);
}

TEST(PortReservations, SaysWhatAnAddressMustBe) {
  PortReservations reservations;
  PortBinding v6[] = {{Protocol::kTcp, 80, "::1", 0}};
  EXPECT_EQ(reservations.reserve(v6).error().kind(), ErrorKind::kUnsupported);
  PortBinding name[] = {{Protocol::kTcp, 80, "localhost", 0}};
  EXPECT_EQ(reservations.reserve(name).error().kind(), ErrorKind::kInvalid);
}

}  // namespace
}  // namespace berth::network
