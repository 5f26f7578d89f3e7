#include "berth/client/endpoint.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace berth::cli {
namespace {

TEST(Endpoint, UnixSocketsByUrlOrPath) {
  EXPECT_EQ(parse_endpoint("unix:///run/x.sock")->path, "/run/x.sock");
  EXPECT_EQ(parse_endpoint("/run/x.sock")->spelled, "unix:///run/x.sock");
  EXPECT_FALSE(parse_endpoint("unix://run/x.sock").ok());
}

TEST(Endpoint, TcpWithAndWithoutPort) {
  const auto plain = parse_endpoint("tcp://example:1234");
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(plain->host, "example");
  EXPECT_EQ(plain->port, 1234);
  EXPECT_EQ(parse_endpoint("tcp://10.0.0.1")->port, 2375);
  EXPECT_EQ(parse_endpoint("localhost:99")->host, "localhost");
  const auto six = parse_endpoint("tcp://[::1]:2375/path");
  ASSERT_TRUE(six.ok());
  EXPECT_EQ(six->host, "::1");
  EXPECT_EQ(six->port, 2375);
}

TEST(Endpoint, OtherTransportsAreRefusedByName) {
  EXPECT_EQ(parse_endpoint("ssh://me@there").error().kind(), ErrorKind::kUnsupported);
  for (const char* text :
       {"", "tcp://", "tcp://:5", "tcp://h:x", "tcp://h:70000", "tcp://h:", "ftp://x"})
    EXPECT_FALSE(parse_endpoint(text).ok()) << text;
}

TEST(Endpoint, TheFlagComesBeforeTheEnvironment) {
  ::setenv("BERTH_HOST", "unix:///berth", 1);
  ::setenv("DOCKER_HOST", "unix:///docker", 1);
  EXPECT_EQ(choose_endpoint("unix:///flag")->path, "/flag");
  EXPECT_EQ(choose_endpoint("")->path, "/berth");
  ::unsetenv("BERTH_HOST");
  EXPECT_EQ(choose_endpoint("")->path, "/docker");
  ::unsetenv("DOCKER_HOST");
  EXPECT_EQ(choose_endpoint("")->spelled, kDefaultHost);
}

TEST(Endpoint, NamesAreNotResolved) {
  EXPECT_EQ(connect_to(*parse_endpoint("tcp://example:1")).error().kind(), ErrorKind::kUnsupported);
}

TEST(Endpoint, AnAbsentEngineIsNamed) {
  const auto socket = connect_to(*parse_endpoint("unix:///nowhere/at/all.sock"));
  ASSERT_FALSE(socket.ok());
  EXPECT_EQ(
      socket.error().message(),
      "Cannot connect to the Berth engine at unix:///nowhere/at/all.sock: is berthd running?");
}

}  // namespace
}  // namespace berth::cli
