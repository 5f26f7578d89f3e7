#include "engine/record.h"

#include <gtest/gtest.h>

namespace berth::engine {
namespace {

WorkloadView sample() {
  WorkloadView view;
  view.id = random_id<WorkloadId>();
  view.name = "web";
  view.created = now();
  view.image_id = "sha256:aa";
  view.path = "nginx";
  view.args = {"-g", "daemon off;"};
  view.config.image = "nginx";
  view.config.entrypoint = {"nginx"};
  view.config.stop_timeout = 3;
  view.config.rows = 24;
  view.config.columns = 80;
  view.config.ports = {{.protocol = network::Protocol::kUdp,
                        .container_port = 53,
                        .host_ip = "",
                        .host_port = 5353}};
  view.config.mounts = {{.kind = MountKind::kTmpfs,
                         .source = {},
                         .target = "/run",
                         .options = {"size=1m"},
                         .spelled = {}}};
  view.config.resources.memory = 64 << 20;
  view.status.state = WorkloadState::kExited;
  view.status.exit_code = 3;
  view.status.finished_at = now();
  view.status.pid = 4711;
  return view;
}

TEST(Record, KeepsWhatOutlivesAStart) {
  const WorkloadView before = sample();
  const auto after = record_from_json(record_to_json(before));
  ASSERT_TRUE(after.ok()) << after.error().message();
  EXPECT_EQ(after->id, before.id);
  EXPECT_EQ(after->config.rows, 24);
  EXPECT_EQ(after->config.columns, 80);
  EXPECT_EQ(after->name, "web");
  EXPECT_EQ(after->created, before.created);
  EXPECT_EQ(after->args, before.args);
  EXPECT_EQ(after->config.entrypoint, before.config.entrypoint);
  EXPECT_EQ(after->config.stop_timeout, 3);
  EXPECT_EQ(after->config.ports, before.config.ports);
  ASSERT_EQ(after->config.mounts.size(), 1U);
  EXPECT_EQ(after->config.mounts[0].kind, MountKind::kTmpfs);
  EXPECT_EQ(after->config.resources.memory, 64 << 20);
  EXPECT_EQ(after->status.state, WorkloadState::kExited);
  EXPECT_EQ(after->status.exit_code, 3);
  EXPECT_EQ(after->status.finished_at, before.status.finished_at);
  EXPECT_FALSE(after->status.started_at);
}

TEST(Record, ForgetsThePidOfARun) {
  EXPECT_EQ(record_from_json(record_to_json(sample()))->status.pid, 0);
}

TEST(Record, MissingMembersTakeDefaultsAndUnknownOnesAreIgnored) {
  const auto view =
      record_from_json(R"({"id":"ab","name":"x","config":{"tty":true,"from_the_future":1}})");
  ASSERT_TRUE(view.ok()) << view.error().message();
  EXPECT_TRUE(view->config.tty);
  EXPECT_EQ(view->config.shm_size, 64 << 20);
}

TEST(Record, DamageIsCorruptAndNamesTheMember) {
  const auto view = record_from_json(R"({"id":"ab","name":7})");
  ASSERT_FALSE(view.ok());
  EXPECT_EQ(view.error().kind(), ErrorKind::kCorrupt);
  EXPECT_FALSE(record_from_json("{").ok());
}

TEST(Record, EndpointSurvives) {
  network::Endpoint endpoint;
  endpoint.id = random_id<network::EndpointId>();
  endpoint.address = "172.17.0.2";
  endpoint.prefix_length = 16;
  endpoint.ports = {{.container_port = 80, .host_ip = "127.0.0.1", .host_port = 8080}};
  const auto after = endpoint_from_json(endpoint_to_json(endpoint));
  ASSERT_TRUE(after.ok());
  EXPECT_EQ(after->id, endpoint.id);
  EXPECT_EQ(after->ports, endpoint.ports);
  EXPECT_EQ(after->prefix_length, 16);
}

}  // namespace
}  // namespace berth::engine
