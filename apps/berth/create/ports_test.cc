#include "berth/create/ports.h"

#include <gtest/gtest.h>

namespace berth::cli {
namespace {

// "ip|host|container/protocol" for each port.
std::vector<std::string> publish(std::string_view text) {
  auto ports = parse_publish(text);
  if (!ports.ok()) return {ports.error().message()};
  std::vector<std::string> out;
  for (const auto& port : *ports)
    out.push_back(port.host_ip + "|" + port.host_port + "|" + port.key());
  return out;
}
using Ports = std::vector<std::string>;

TEST(Publish, EveryForm) {
  EXPECT_EQ(publish("80"), (Ports{"||80/tcp"}));
  EXPECT_EQ(publish("8080:80"), (Ports{"|8080|80/tcp"}));
  EXPECT_EQ(publish("8080:80/UDP"), (Ports{"|8080|80/udp"}));
  EXPECT_EQ(publish("127.0.0.1:8080:80"), (Ports{"127.0.0.1|8080|80/tcp"}));
  EXPECT_EQ(publish("127.0.0.1::80/sctp"), (Ports{"127.0.0.1||80/sctp"}));
  EXPECT_EQ(publish("[::1]:8080:80"), (Ports{"::1|8080|80/tcp"}));
  EXPECT_EQ(publish(":80"), (Ports{"||80/tcp"}));
  EXPECT_EQ(publish("target=80,published=8080,protocol=udp"), (Ports{"|8080|80/udp"}));
}

TEST(Publish, RangesGoInStep) {
  EXPECT_EQ(publish("8000-8002:80-82"), (Ports{"|8000|80/tcp", "|8001|81/tcp", "|8002|82/tcp"}));
  EXPECT_EQ(publish("80-81"), (Ports{"||80/tcp", "||81/tcp"}));
  EXPECT_EQ(publish("8000-8010:80"), (Ports{"|8000-8010|80/tcp"}));
  EXPECT_EQ(parse_publish("0-65535")->size(), 65536U);
}

TEST(Publish, MistakesAreNamed) {
  EXPECT_EQ(publish("8080:"), (Ports{"no port specified: 8080:<empty>"}));
  EXPECT_EQ(publish("x:80"), (Ports{"invalid hostPort: x"}));
  EXPECT_EQ(publish("80:x"), (Ports{"invalid containerPort: x"}));
  EXPECT_EQ(publish("80:70000"), (Ports{"invalid containerPort: 70000"}));
  EXPECT_EQ(publish("80/icmp"), (Ports{"invalid proto: icmp"}));
  EXPECT_EQ(publish("1.2.3:1:80"), (Ports{"invalid IP address: 1.2.3"}));
  EXPECT_EQ(publish("82-80"), (Ports{"invalid containerPort: 82-80"}));
  EXPECT_FALSE(parse_publish("8000-8001:80-82").ok());
  for (const char* text : {"", "/tcp", ":", "::", "-", "80-", "+80", "target=x", "wrong=1"})
    EXPECT_FALSE(parse_publish(text).ok()) << text;
}

TEST(Expose, PortsAndRanges) {
  EXPECT_EQ(*parse_expose("80"), (Ports{"80/tcp"}));
  EXPECT_EQ(*parse_expose("7000-7001/udp"), (Ports{"7000/udp", "7001/udp"}));
  EXPECT_FALSE(parse_expose("http").ok());
}

}  // namespace
}  // namespace berth::cli
