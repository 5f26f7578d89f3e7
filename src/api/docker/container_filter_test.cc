#include "api/docker/container_filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::docker {
namespace {

using namespace std::chrono_literals;
using engine::WorkloadState;
using engine::WorkloadView;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr WallTime kNow{1'700'000'000s};

// Newest first, as the engine lists them.
std::vector<WorkloadView> views() {
  std::vector<WorkloadView> list(3);
  list[0].id = engine::WorkloadId("aaa1");
  list[0].name = "web";
  list[0].created = kNow - 1h;
  list[0].status.state = WorkloadState::kRunning;
  list[0].config.image = "busybox:latest";
  list[0].config.labels = {{"tier", "front"}};
  list[0].config.network_mode = "net";
  list[0].image_id = "sha256:beef";
  list[1].id = engine::WorkloadId("bbb2");
  list[1].name = "web2";
  list[1].created = kNow - 2h;
  list[1].status.state = WorkloadState::kExited;
  list[1].status.exit_code = 3;
  list[1].config.image = "alpine";
  list[1].mounts = {{.kind = engine::MountKind::kVolume,
                     .name = "data",
                     .source = "/s",
                     .destination = "/d",
                     .read_only = false,
                     .propagation = ""}};
  list[2].id = engine::WorkloadId("ccc3");
  list[2].name = "db";
  list[2].created = kNow - 3h;
  list[2].status.state = WorkloadState::kCreated;
  return list;
}

std::vector<std::string> names_of(const Result<std::vector<WorkloadView>>& selected) {
  if (!selected.ok()) return {"error: " + selected.error().message()};
  std::vector<std::string> names;
  for (const WorkloadView& view : *selected) names.push_back(view.name);
  return names;
}

std::vector<std::string> list(std::string_view filters, bool all = true, std::int64_t limit = 0) {
  return names_of(select_containers(
      views(), {.all = all, .limit = limit, .filters = *Filters::parse(filters)}));
}

TEST(ContainerList, ShowsTheRunningUnlessMoreIsAskedFor) {
  EXPECT_THAT(list("", false), ElementsAre("web"));
  EXPECT_THAT(list(""), ElementsAre("web", "web2", "db"));
  EXPECT_THAT(list("", false, 2), ElementsAre("web", "web2"));
  EXPECT_THAT(list(R"({"status":["exited"]})", false), ElementsAre("web2"));
}

TEST(ContainerList, FiltersByWhatAContainerIs) {
  EXPECT_THAT(list(R"({"id":["bb"]})"), ElementsAre("web2"));
  EXPECT_THAT(list(R"({"label":["tier"]})"), ElementsAre("web"));
  EXPECT_THAT(list(R"({"label":["tier=back"]})"), IsEmpty());
  EXPECT_THAT(list(R"({"exited":["3"]})"), ElementsAre("web2"));
  EXPECT_THAT(list(R"({"exited":["0"]})"), IsEmpty());
  EXPECT_THAT(list(R"({"volume":["data"]})"), ElementsAre("web2"));
  EXPECT_THAT(list(R"({"volume":["/d"]})"), ElementsAre("web2"));
  EXPECT_THAT(list(R"({"network":["net"]})"), ElementsAre("web"));
  EXPECT_THAT(list(R"({"status":["created","running"]})"), ElementsAre("web", "db"));
}

TEST(ContainerList, FiltersByThePartsOfNamesThatUsersWrite) {
  EXPECT_THAT(list(R"({"name":["web"]})"), ElementsAre("web", "web2"));
  EXPECT_THAT(list(R"({"name":["^web$"]})"), ElementsAre("web"));
  EXPECT_THAT(list(R"({"name":["^/web$"]})"), ElementsAre("web"));
  EXPECT_THAT(list(R"({"name":["^/?db"]})"), ElementsAre("db"));
  EXPECT_THAT(list(R"({"name":["2$","db"]})"), ElementsAre("web2", "db"));
}

TEST(ContainerList, FiltersByTheImage) {
  EXPECT_THAT(list(R"({"ancestor":["busybox"]})"), ElementsAre("web"));
  EXPECT_THAT(list(R"({"ancestor":["alpine:latest"]})"), ElementsAre("web2"));
  EXPECT_THAT(list(R"({"ancestor":["beef"]})"), ElementsAre("web"));
  EXPECT_THAT(list(R"({"ancestor":["sha256:be"]})"), ElementsAre("web"));
  EXPECT_THAT(list(R"({"ancestor":["busy"]})"), IsEmpty());
}

TEST(ContainerList, FiltersByAge) {
  EXPECT_THAT(list(R"({"before":["web2"]})"), ElementsAre("db"));
  EXPECT_THAT(list(R"({"since":["bbb"]})"), ElementsAre("web"));
  EXPECT_THAT(list(R"({"since":["nobody"]})"), ElementsAre(HasSubstr("No such container: nobody")));
}

TEST(ContainerList, AKeyWithoutValuesAsksForNothing) {
  for (const char* filters :
       {R"({"name":[]})", R"({"status":{}})", R"({"before":[]})", R"({"exited":[]})"})
    EXPECT_THAT(list(filters), ElementsAre("web", "web2", "db")) << filters;
  EXPECT_THAT(list(R"({"status":[]})", false), ElementsAre("web"));
}

TEST(ContainerList, AFilterThatIsUnknownOrWrongIsTold) {
  EXPECT_THAT(list(R"({"colour":["red"]})"), ElementsAre(HasSubstr("'colour'")));
  EXPECT_THAT(list(R"({"status":["up"]})"), ElementsAre(HasSubstr("(up)")));
  EXPECT_THAT(list(R"({"exited":["x"]})"), ElementsAre(HasSubstr("exited=x")));
}

std::vector<std::string> prune(std::string_view filters) {
  return names_of(select_for_prune(views(), *Filters::parse(filters), kNow));
}

TEST(ContainerPrune, MeansWhatDoesNotRun) {
  EXPECT_THAT(prune(""), ElementsAre("web2", "db"));
  EXPECT_THAT(prune(R"({"until":["150m"]})"), ElementsAre("db"));
  EXPECT_THAT(prune(R"({"until":["2h30m"]})"), ElementsAre("db"));
  EXPECT_THAT(prune(R"({"until":["4h"]})"), IsEmpty());
  EXPECT_THAT(prune(R"({"until":["2023-11-14T19:30:00Z"]})"), ElementsAre("db"));
  EXPECT_THAT(prune(R"({"label":["tier"]})"), IsEmpty());
  EXPECT_THAT(prune(R"({"label!":["tier"]})"), ElementsAre("web2", "db"));
  for (const char* bad : {R"({"until":["soon"]})", R"({"until":["1d"]})", R"({"until":[""]})",
                          R"({"until":["9999999h"]})", R"({"name":["x"]})"})
    EXPECT_THAT(prune(bad), ElementsAre(HasSubstr("error"))) << bad;
}

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
