// Changes and exports, through a socket.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/docker/api_server_testing.h"

namespace berth::docker {
namespace {

class FilesystemApi : public testing::Test {
 protected:
  FilesystemApi() {
    server_.on_loop([&](FakeEngine& engine) {
      engine::WorkloadView view;
      view.id = random_id<engine::WorkloadId>();
      view.name = "told";
      engine.workloads.emplace(view.id.str(), view);
    });
  }

  ApiServer server_;
};

TEST_F(FilesystemApi, ChangesHavePathAndKind) {
  EXPECT_EQ(Client(server_).request("GET", "/containers/told/changes").body, "[]\n");
  server_.on_loop([](FakeEngine& engine) {
    engine.changed = {{"/a\n\"", image::ChangeKind::kModified},
                      {"/b", image::ChangeKind::kDeleted}};
  });
  const Answer answer = Client(server_).request("GET", "/containers/told/changes");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "[{\"Path\":\"/a\\n\\\"\",\"Kind\":0},{\"Path\":\"/b\",\"Kind\":2}]\n");
  EXPECT_EQ(Client(server_).request("GET", "/containers/nobody/changes").status, 404);
}

TEST_F(FilesystemApi, ManyChangesComeWhole) {
  server_.on_loop([](FakeEngine& engine) {
    engine.changed.assign(100'000, {"/some/path", image::ChangeKind::kAdded});
  });
  EXPECT_EQ(Client(server_).request("GET", "/containers/told/changes").json().size(), 100'000U);
}

TEST_F(FilesystemApi, AnExportIsStreamed) {
  server_.on_loop([](FakeEngine& engine) { engine.export_bytes = 5'000'000; });
  const Answer answer = Client(server_).request("GET", "/containers/told/export");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, std::string(5'000'000, 'x'));
  EXPECT_EQ(answer.field("Content-Type"), "application/octet-stream");
  EXPECT_EQ(Client(server_).request("GET", "/containers/nobody/export").status, 404);
}

TEST_F(FilesystemApi, AnErrorBeforeTheFirstByteIsAnAnswer) {
  server_.on_loop([](FakeEngine& engine) {
    engine.export_error = fail(ErrorKind::kConflict, "it is being removed");
  });
  const Answer answer = Client(server_).request("GET", "/containers/told/export");
  EXPECT_EQ(answer.status, 409);
}

TEST_F(FilesystemApi, AnErrorInTheMiddleCutsTheConnection) {
  server_.on_loop([](FakeEngine& engine) {
    engine.export_bytes = 1000;
    engine.export_error = fail(ErrorKind::kInternal, "the disk is broken");
  });
  Client client(server_);
  client.send("GET /containers/told/export HTTP/1.1\r\nHost: test\r\n\r\n");
  EXPECT_THAT(client.receive_head(), testing::HasSubstr("200 OK"));
  EXPECT_EQ(client.receive_chunk().size(), 1000U);
  EXPECT_EQ(client.receive_some(), "");  // no last chunk
}

TEST_F(FilesystemApi, AClientThatGoesEndsItsExport) {
  server_.on_loop([](FakeEngine& engine) { engine.export_bytes = std::size_t{1} << 40; });
  {
    Client client(server_);
    client.send("GET /containers/told/export HTTP/1.1\r\nHost: test\r\n\r\n");
    client.receive_head();
  }
  server_.await([](FakeEngine& engine) { return engine.export_ended; });
}

}  // namespace
}  // namespace berth::docker
