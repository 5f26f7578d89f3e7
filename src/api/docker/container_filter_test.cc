#include "api/docker/container_filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::docker {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

engine::WorkloadView running(std::string name) {
  engine::WorkloadView view;
  view.id = random_id<engine::WorkloadId>();
  view.name = std::move(name);
  view.status.state = engine::WorkloadState::kRunning;
  view.status.endpoint.emplace();
  return view;
}

engine::WorkloadView publishing(std::string name, network::Protocol protocol,
                                std::uint16_t container, std::uint16_t host) {
  engine::WorkloadView view = running(std::move(name));
  view.status.endpoint->ports = {
      {.protocol = protocol, .container_port = container, .host_ip = "", .host_port = host}};
  return view;
}

std::vector<std::string> selected(std::string_view filters) {
  engine::WorkloadView exposing = running("exposing");
  exposing.config.exposed_ports = {"9000/tcp"};
  const std::vector<engine::WorkloadView> views = {
      publishing("web", network::Protocol::kTcp, 80, 8080),
      publishing("names", network::Protocol::kUdp, 53, 5353), exposing, running("quiet")};
  const auto found =
      select_containers(views, {.all = true, .limit = 0, .filters = *Filters::parse(filters)});
  EXPECT_TRUE(found.ok()) << filters;
  std::vector<std::string> names;
  for (const engine::WorkloadView& view : *found) names.push_back(view.name);
  return names;
}

TEST(ContainerFilter, PublishMeansTheHostsPort) {
  EXPECT_THAT(selected(R"({"publish":["8080"]})"), ElementsAre("web"));
  EXPECT_THAT(selected(R"({"publish":["8080/tcp"]})"), ElementsAre("web"));
  EXPECT_THAT(selected(R"({"publish":["5353/udp"]})"), ElementsAre("names"));
  EXPECT_THAT(selected(R"({"publish":["8000-9000"]})"), ElementsAre("web"));
  for (const char* none : {"80", "8080/udp", "5353", "9000", "8081-9000"})
    EXPECT_THAT(selected(fmt::format(R"({{"publish":["{}"]}})", none)), IsEmpty()) << none;
}

TEST(ContainerFilter, ExposeMeansTheContainersPort) {
  EXPECT_THAT(selected(R"({"expose":["80"]})"), ElementsAre("web"));
  EXPECT_THAT(selected(R"({"expose":["53/udp"]})"), ElementsAre("names"));
  EXPECT_THAT(selected(R"({"expose":["1-65535"]})"), UnorderedElementsAre("web", "exposing"));
  EXPECT_THAT(selected(R"({"expose":["8080"]})"), IsEmpty());
}

TEST(ContainerFilter, EitherOfPublishAndExposeIsEnough) {
  EXPECT_THAT(selected(R"({"publish":["8080"],"expose":["9000"]})"),
              UnorderedElementsAre("web", "exposing"));
}

TEST(ContainerFilter, PortsThatAreNoneAreRefused) {
  for (const char* value : {"", "http", "80:80", "90-80", "65536", "80/", "80/icmp", "-80", "1-"}) {
    const auto filters = Filters::parse(fmt::format(R"({{"publish":["{}"]}})", value));
    const auto found = select_containers({}, {.all = true, .limit = 0, .filters = *filters});
    ASSERT_FALSE(found.ok()) << value;
    EXPECT_EQ(found.error().kind(), ErrorKind::kInvalid);
    EXPECT_THAT(found.error().message(), HasSubstr(fmt::format("publish={}", value)));
  }
}

}  // namespace
}  // namespace berth::docker
