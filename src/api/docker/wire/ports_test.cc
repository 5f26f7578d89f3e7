#include "api/docker/wire/ports.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::docker {
namespace {

using network::PortBinding;
using network::Protocol;

Json parse(std::string_view text) {
  return *parse_json(text);
}

TEST(ContainerPort, IsANumberAndAProtocol) {
  EXPECT_EQ(parse_container_port("80")->port, 80);
  EXPECT_EQ(parse_container_port("80")->protocol, Protocol::kTcp);
  EXPECT_EQ(parse_container_port("53/udp")->protocol, Protocol::kUdp);
  EXPECT_EQ(parse_container_port("65535/sctp")->port, 65535);
  for (const char* bad : {"", "/tcp", "0", "0/tcp", "65536", "-1", "80/", "80/TCP", "80/icmp",
                          "80/tcp/udp", "80-90", " 80", "80 ", "+80", "0x50"})
    EXPECT_EQ(parse_container_port(bad).error().kind(), ErrorKind::kInvalid) << bad;
}

TEST(PortBindings, AreReadFromDockersMap) {
  const auto ports = parse_port_bindings(parse(
      R"({"53/udp":[{"HostIp":"0.0.0.0","HostPort":"5353"},{"HostIp":"127.0.0.1"}],"80":null,"81/tcp":[]})"));
  ASSERT_TRUE(ports.ok()) << ports.error().message();
  EXPECT_EQ(*ports, (std::vector<PortBinding>{{Protocol::kUdp, 53, "", 5353},
                                              {Protocol::kUdp, 53, "127.0.0.1", 0},
                                              {Protocol::kTcp, 80, "", 0},
                                              {Protocol::kTcp, 81, "", 0}}));
}

TEST(PortBindings, ThatMakeNoSenseAreInvalid) {
  for (const char* bad :
       {"[]", "7", R"({"x":null})", R"({"80":7})", R"({"80":{}})", R"({"80":[7]})",
        R"({"80":[{"HostPort":80}]})", R"({"80":[{"HostPort":"65536"}]})",
        R"({"80":[{"HostPort":"x"}]})", R"({"80":[{"HostIp":1}]})"})
    EXPECT_EQ(parse_port_bindings(parse(bad)).error().kind(), ErrorKind::kInvalid) << bad;
  const auto range = parse_port_bindings(parse(R"({"80":[{"HostPort":"8000-8010"}]})"));
  EXPECT_EQ(range.error().kind(), ErrorKind::kUnsupported);
  EXPECT_THAT(range.error().message(), ::testing::HasSubstr("'8000-8010'"));
}

TEST(PortBindings, WithoutEndAreRefused) {
  Json many = Json::object();
  for (int i = 0; i < 5000; ++i) many["80"].push_back({{"HostPort", ""}});
  EXPECT_EQ(parse_port_bindings(many).error().kind(), ErrorKind::kExhausted);
}

TEST(PortBindings, AreShownAsTheyWereAskedFor) {
  const std::vector<PortBinding> ports = {{Protocol::kTcp, 80, "", 0},
                                          {Protocol::kTcp, 80, "127.0.0.1", 8080},
                                          {Protocol::kUdp, 53, "", 53}};
  EXPECT_EQ(dump_json(port_bindings_json(ports)),
            R"({"80/tcp":[{"HostIp":"","HostPort":""},{"HostIp":"127.0.0.1","HostPort":"8080"}],)"
            R"("53/udp":[{"HostIp":"","HostPort":"53"}]})");
  EXPECT_EQ(dump_json(port_bindings_json({})), "{}");
}

engine::WorkloadView running() {
  engine::WorkloadView view;
  view.config.exposed_ports = {"80/tcp", "443/tcp"};
  network::Endpoint endpoint;
  endpoint.ports = {{Protocol::kTcp, 80, "", 8080}};
  view.status.endpoint = endpoint;
  return view;
}

TEST(OpenPorts, AreThoseOfTheEndpointAndNullForTheMerelyExposed) {
  EXPECT_EQ(dump_json(open_ports_json(running())),
            R"({"80/tcp":[{"HostIp":"0.0.0.0","HostPort":"8080"}],"443/tcp":null})");
  EXPECT_EQ(dump_json(port_list_json(running())),
            R"([{"IP":"0.0.0.0","PrivatePort":80,"PublicPort":8080,"Type":"tcp"},)"
            R"({"PrivatePort":443,"Type":"tcp"}])");
}

TEST(OpenPorts, OfWhatDoesNotRunAreNone) {
  engine::WorkloadView view = running();
  view.status.endpoint.reset();
  EXPECT_EQ(dump_json(open_ports_json(view)), "{}");
  EXPECT_EQ(dump_json(port_list_json(view)), "[]");
}

}  // namespace
}  // namespace berth::docker
