// Logs and attach, through a socket.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/docker/api_server_testing.h"
#include "sys/file.h"
#include "sys/temp_dir_testing.h"

namespace berth::docker {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view kRecord =
    R"({"log":"a line\n","stream":"stdout","time":"2024-01-02T03:04:05.000000006Z"})"
    "\n";

class StreamsApi : public testing::Test {
 protected:
  /// A workload that has ended and left this log. Returns its id.
  std::string workload_with_log(std::string_view log) {
    const std::string path = directory_.path() + "/json.log";
    const UniqueFd file = *sys::open_file(path, O_WRONLY | O_CREAT | O_TRUNC);
    EXPECT_TRUE(sys::write_all(file.get(), log).ok());
    return server_.on_loop([&](FakeEngine& engine) {
      engine::WorkloadView view;
      view.id = random_id<engine::WorkloadId>();
      view.name = "told";
      view.status.state = engine::WorkloadState::kExited;
      view.log_path = path;
      engine.workloads.emplace(view.id.str(), view);
      return view.id.str();
    });
  }
  static void ask(Client& client, std::string_view method, std::string_view target) {
    client.send(fmt::format("{} {} HTTP/1.1\r\nHost: test\r\n\r\n", method, target));
  }

  sys::TempDir directory_;
  ApiServer server_;
};

std::string repeated(std::string_view text, std::size_t bytes) {
  std::string all;
  while (all.size() < bytes) all += text;
  return all;
}

TEST_F(StreamsApi, LogsComeWhole) {
  const std::string id = workload_with_log(repeated(kRecord, 300'000));
  const Answer all =
      Client(server_).request("GET", fmt::format("/containers/{}/logs?stdout=1", id));
  EXPECT_EQ(all.status, 200);
  EXPECT_EQ(all.body.size() % 15, 0);  // a header of eight bytes, and the line
  EXPECT_EQ(all.body.size() / 15, (300'000 + kRecord.size() - 1) / kRecord.size());
  const Answer last =
      Client(server_).request("GET", fmt::format("/containers/{}/logs?stdout=1&tail=2", id));
  EXPECT_EQ(last.body.size(), 30);
}

// Many times what is read in one turn of the event loop, and nothing of it wanted.
TEST_F(StreamsApi, OthersAreServedWhileALargeLogIsSearched) {
  const std::string id = workload_with_log(repeated(kRecord, 64U << 20));
  for (const char* wanted : {"since=4000000000", "tail=100000000&since=4000000000"}) {
    Client logs(server_);
    ask(logs, "GET", fmt::format("/containers/{}/logs?stdout=1&{}", id, wanted));
    EXPECT_THAT(logs.receive_head(), HasSubstr(" 200 "));
    EXPECT_EQ(Client(server_).request("GET", "/_ping").status, 200);
    EXPECT_FALSE(logs.has_input()) << "the ping had to wait for the end of the log";
    logs.close();  // which ends the search
  }
}

TEST_F(StreamsApi, OthersAreServedWhileALargeLogGoesToAnAttachedClient) {
  const std::string id = workload_with_log(repeated(kRecord, 64U << 20));
  Client attached(server_);
  // Of a stream that it has not written to.
  ask(attached, "POST", fmt::format("/containers/{}/attach?logs=1&stderr=1", id));
  EXPECT_THAT(attached.receive_head(), StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(Client(server_).request("GET", "/_ping").status, 200);
  EXPECT_FALSE(attached.has_input()) << "the ping had to wait for the end of the log";
}

TEST_F(StreamsApi, DetachKeysThatAreNoneAreRefusedBeforeTheStream) {
  const std::string id = workload_with_log("");
  const auto attach = [&](std::string_view keys) {
    Client client(server_);
    ask(client, "POST",
        fmt::format("/containers/{}/attach?stream=1&stdout=1&detachKeys={}", id, keys));
    return client.receive_head();
  };
  for (const char* keys : {"ctrl-%40%40", "ctrl-1", "esc", "a,,b", "%c3%a9"})
    EXPECT_THAT(attach(keys), StartsWith("HTTP/1.1 400")) << keys;
  for (const char* keys : {"", "ctrl-p,ctrl-q", "ctrl-%5D", "a,b"})
    EXPECT_THAT(attach(keys), StartsWith("HTTP/1.1 200")) << keys;
}

}  // namespace
}  // namespace berth::docker
