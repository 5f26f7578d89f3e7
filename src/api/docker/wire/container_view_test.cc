// What others see of workloads, images and networks.
#include "api/docker/wire/container_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/docker/wire/image.h"
#include "api/docker/wire/network.h"

namespace berth::docker {
namespace {

using namespace std::chrono_literals;
using engine::WorkloadState;

constexpr WallTime kNow{1'700'000'000s};

engine::WorkloadView view() {
  engine::WorkloadView made;
  made.id = engine::WorkloadId("abc");
  made.name = "web";
  made.created = kNow - 1h;
  made.image_id = "sha256:1";
  made.path = "sh";
  made.args = {"-c", "echo a b"};
  made.config.image = "busybox";
  made.config.network_mode = "bridge";
  made.status.state = WorkloadState::kRunning;
  made.status.pid = 7;
  made.status.started_at = kNow - 5min;
  network::Endpoint endpoint;
  endpoint.id = network::EndpointId("e");
  endpoint.network = network::NetworkId("n");
  endpoint.network_name = "bridge";
  endpoint.address = "172.17.0.2";
  endpoint.prefix_length = 16;
  made.status.endpoint = endpoint;
  return made;
}

TEST(ContainerView, StatusIsASentenceOfItsAge) {
  engine::WorkloadStatus status = view().status;
  EXPECT_EQ(status_text(status, kNow), "Up 5 minutes");
  status.state = WorkloadState::kExited;
  status.exit_code = 137;
  status.finished_at = kNow - 3h;
  EXPECT_EQ(status_text(status, kNow), "Exited (137) 3 hours ago");
  status.finished_at.reset();
  EXPECT_EQ(status_text(status, kNow), "Exited (137) Less than a second ago");
  for (const WorkloadState state : {WorkloadState::kCreated, WorkloadState::kStarting}) {
    status.state = state;
    EXPECT_EQ(status_text(status, kNow), "Created");
  }
  status.state = WorkloadState::kRemoving;
  EXPECT_EQ(status_text(status, kNow), "Removal In Progress");
}

TEST(ContainerView, SummaryIsARowOfPs) {
  const OrderedJson row = container_summary_json(view(), kNow);
  EXPECT_EQ(row["Names"], OrderedJson({"/web"}));
  EXPECT_EQ(row["Command"], "sh -c 'echo a b'");
  EXPECT_EQ(row["Created"], 1'700'000'000 - 3600);
  EXPECT_EQ(row["State"], "running");
  EXPECT_EQ(row["NetworkSettings"]["Networks"]["bridge"]["IPAddress"], "172.17.0.2");
}

TEST(ContainerView, InspectSaysNeverForWhatHasNotHappened) {
  const OrderedJson json = container_inspect_json(view(), "overlay2");
  EXPECT_EQ(json["State"]["Running"], true);
  EXPECT_EQ(json["State"]["StartedAt"], "2023-11-14T22:08:20Z");
  EXPECT_EQ(json["State"]["FinishedAt"], std::string(kZeroTime));
  EXPECT_EQ(json["Name"], "/web");
  EXPECT_EQ(json["Args"], OrderedJson({"-c", "echo a b"}));
  EXPECT_EQ(json["NetworkSettings"]["SandboxKey"], "/proc/7/ns/net");
  EXPECT_EQ(json["GraphDriver"]["Name"], "overlay2");
}

TEST(NetworkView, AWorkloadThatDoesNotRunHasTheNetworkButNoAddress) {
  engine::WorkloadView stopped = view();
  stopped.status.endpoint.reset();
  stopped.status.pid = 0;
  EXPECT_EQ(endpoints_json(stopped)["bridge"]["IPAddress"], "");
  EXPECT_EQ(network_settings_json(stopped)["SandboxKey"], "");
}

TEST(NetworkView, ListsTheMembersOfThatNetworkAlone) {
  network::NetworkInfo network;
  network.id = network::NetworkId("n");
  network.name = "bridge";
  network.subnet = "172.17.0.0/16";
  std::vector<engine::WorkloadView> views = {view(), view()};
  views[1].id = engine::WorkloadId("other");
  views[1].status.endpoint->network = network::NetworkId("m");
  const OrderedJson json = network_json(network, &views);
  EXPECT_EQ(json["Containers"].size(), 1U);
  EXPECT_EQ(json["Containers"]["abc"]["IPv4Address"], "172.17.0.2/16");
  EXPECT_EQ(json["IPAM"]["Config"][0]["Subnet"], "172.17.0.0/16");
  EXPECT_TRUE(network_json(network, nullptr)["Containers"].empty());
  network.subnet.clear();
  EXPECT_TRUE(network_json(network, nullptr)["IPAM"]["Config"].empty());
}

image::Image image() {
  image::Image made;
  made.id = "sha256:1";
  made.repo_tags = {"busybox:latest"};
  made.size = 42;
  made.layer_sizes = {42};
  made.created = kNow;
  made.history = {{.created = kNow, .created_by = "ADD", .comment = "", .empty_layer = false},
                  {.created = kNow, .created_by = "CMD", .comment = "c", .empty_layer = true}};
  return made;
}

TEST(ImageView, HasAVirtualSizeForOlderClients) {
  EXPECT_EQ(image_summary_json(image(), 2, {1, 43})["VirtualSize"], 42);
  EXPECT_FALSE(image_summary_json(image(), 2, {1, 44}).contains("VirtualSize"));
  EXPECT_EQ(image_inspect_json(image(), "vfs", {1, 24})["VirtualSize"], 42);
  EXPECT_FALSE(image_inspect_json(image(), "vfs", {1, 47}).contains("VirtualSize"));
}

TEST(ImageView, HistoryStartsWithTheNewest) {
  const OrderedJson history = image_history_json(image());
  ASSERT_EQ(history.size(), 2U);
  EXPECT_EQ(history[0]["Id"], "sha256:1");
  EXPECT_EQ(history[0]["CreatedBy"], "CMD");
  EXPECT_EQ(history[0]["Size"], 0);
  EXPECT_EQ(history[1]["Id"], "<missing>");
  EXPECT_EQ(history[1]["Size"], 42);
  EXPECT_EQ(history[1]["Tags"], nullptr);
}

TEST(ImageView, ARemovalTellsNamesBeforeImages) {
  EXPECT_EQ(dump_json(image_removal_json({.untagged = {"a:1"}, .deleted = {"sha256:1"}})),
            R"([{"Untagged":"a:1"},{"Deleted":"sha256:1"}])");
}

}  // namespace
}  // namespace berth::docker
