#include "api/http/address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/un.h>

namespace berth::http {
namespace {

using ::testing::HasSubstr;

Error error_of(std::string_view text) {
  auto address = parse_address(text);
  return address.ok() ? Error(ErrorKind::kInternal, "it was accepted") : address.error();
}

TEST(Address, OfAUnixSocketIsAPath) {
  const auto address = parse_address("unix:///run/berth/berth.sock");
  ASSERT_TRUE(address.ok());
  EXPECT_EQ(address->kind, Address::Kind::kUnix);
  EXPECT_EQ(address->path, "/run/berth/berth.sock");
}

TEST(Address, OfTcpIsALoopbackHostAndAPort) {
  struct Row {
    const char* text;
    const char* host;
    std::uint16_t port;
  };
  for (const Row& row :
       {Row{"tcp://127.0.0.1:2375", "127.0.0.1", 2375},
        Row{"tcp://127.255.0.9:0", "127.255.0.9", 0},
        Row{"tcp://localhost:65535", "localhost", 65535}, Row{"tcp://[::1]:1", "::1", 1}}) {
    const auto address = parse_address(row.text);
    ASSERT_TRUE(address.ok()) << row.text;
    EXPECT_EQ(address->kind, Address::Kind::kTcp);
    EXPECT_EQ(address->host, row.host);
    EXPECT_EQ(address->port, row.port);
  }
}

TEST(Address, IsWrittenAsItIsRead) {
  for (const char* text :
       {"unix:///a", "tcp://127.0.0.1:2375", "tcp://[::1]:1", "tcp://localhost:0"})
    EXPECT_EQ(parse_address(text)->text(), text);
}

TEST(Address, OthersCouldReachIsForbidden) {
  for (const char* text : {"tcp://0.0.0.0:1", "tcp://:2375", "tcp://192.168.0.1:1", "tcp://[::]:1",
                           "tcp://128.0.0.1:1", "tcp://example.org:1", "tcp://127.0.0.1.evil.org:1",
                           "tcp://[::ffff:10.0.0.1]:1", "tcp://127.1:1"}) {
    const Error error = error_of(text);
    EXPECT_EQ(error.kind(), ErrorKind::kPermission) << text;
    EXPECT_THAT(error.message(), HasSubstr("ssh tunnel"));
  }
}

TEST(Address, ThatIsNoneIsInvalid) {
  const std::string longest(sizeof(sockaddr_un::sun_path) - 2, 'a');
  EXPECT_TRUE(parse_address("unix:///" + longest).ok());
  const std::pair<std::string, const char*> rows[] = {
      {"", "write unix:///PATH or tcp://HOST:PORT"},
      {"/run/x", "write unix:///PATH or tcp://HOST:PORT"},
      {"http://127.0.0.1:1", "write unix:///PATH or tcp://HOST:PORT"},
      {"unix://", "needs an absolute path"},
      {"unix://run/x", "needs an absolute path"},
      {"unix:///" + longest + "a", "has at most"},
      {"tcp://127.0.0.1", "write tcp://HOST:PORT"},
      {"tcp://127.0.0.1:", "'' is no port"},
      {"tcp://127.0.0.1:65536", "'65536' is no port"},
      {"tcp://127.0.0.1:-1", "'-1' is no port"},
      {"tcp://127.0.0.1:1x", "'1x' is no port"},
      {std::string("unix:///a\0b", 11), "a null byte"}};
  for (const auto& [text, says] : rows) {
    const Error error = error_of(text);
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid) << text;
    EXPECT_THAT(error.message(), HasSubstr(says));
  }
}

}  // namespace
}  // namespace berth::http
