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

TEST_F(FilesystemApi, AnExportThatNobodyReadsEndsWhenTheEngineWantsIt) {
  server_.on_loop([](FakeEngine& engine) { engine.export_bytes = std::size_t{1} << 40; });
  Client client(server_);
  client.send("GET /containers/told/export HTTP/1.1\r\nHost: test\r\n\r\n");
  client.receive_head();
  server_.on_loop([](FakeEngine& engine) { engine.export_stop.request_stop(); });
  server_.await([](FakeEngine& engine) { return engine.export_ended; });
}

TEST_F(FilesystemApi, ACommitFillsInWhatIsTheContainers) {
  server_.on_loop([](FakeEngine& engine) {
    engine::WorkloadConfig& config = engine.workloads.begin()->second.config;
    config.cmd = {"run"};
    config.env = {"A=1", "B=2"};
  });
  const Answer answer = Client(server_).request(
      "POST",
      "/commit?container=told&repo=made&tag=1&author=Jane&comment=why&pause=0&changes=ENV+A%3D3",
      "null");
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.json()["Id"], "sha256:" + std::string(64, 'b'));
  server_.on_loop([](FakeEngine& engine) {
    const engine::CommitOptions& options = engine.commit_options;
    EXPECT_EQ(options.reference, "made:1");
    EXPECT_EQ(options.author, "Jane");
    EXPECT_EQ(options.comment, "why");
    EXPECT_FALSE(options.pause);
    EXPECT_EQ(options.config.cmd, std::vector<std::string>{"run"});
    EXPECT_EQ(options.config.env, (std::vector<std::string>{"A=3", "B=2"}));
  });
}

TEST_F(FilesystemApi, ACommitTakesAConfigurationInItsBody) {
  const Answer answer = Client(server_).request("POST", "/commit?container=told",
                                                R"({"Cmd":["x"],"ExposedPorts":{"80/tcp":{}}})");
  EXPECT_EQ(answer.status, 201);
  server_.on_loop([](FakeEngine& engine) {
    EXPECT_TRUE(engine.commit_options.pause);
    EXPECT_EQ(engine.commit_options.reference, "");
    EXPECT_EQ(engine.commit_options.config.cmd, std::vector<std::string>{"x"});
    EXPECT_EQ(engine.commit_options.config.exposed_ports, std::vector<std::string>{"80/tcp"});
  });
}

TEST_F(FilesystemApi, ACommitThatMakesNoSenseIsRefused) {
  const std::tuple<const char*, const char*, int> rows[] = {
      {"/commit?container=nobody", "", 404},
      {"/commit?container=told&tag=1", "", 400},
      {"/commit?container=told&changes=RUN+x", "", 400},
      {"/commit?container=told", "[]", 400},
      {"/commit?container=told", "{", 400},
      {"/commit?container=told", R"({"Cmd":7})", 400}};
  for (const auto& [target, body, status] : rows)
    EXPECT_EQ(Client(server_).request("POST", target, body).status, status) << target << body;
}

TEST_F(FilesystemApi, APruneOfImagesSelectsByFilters) {
  server_.on_loop([](FakeEngine& engine) {
    image::Image named;
    named.id = "sha256:1";
    named.repo_tags = {"a:1"};
    named.size = 10;
    named.config.labels = {{"keep", "yes"}};
    image::Image dangling;
    dangling.id = "sha256:2";
    dangling.size = 7;
    engine.images = {{"a:1", named}, {"", dangling}};
  });
  const auto pruned = [&](const char* filters) {
    return Client(server_).request("POST", fmt::format("/images/prune?filters={}", filters));
  };
  EXPECT_EQ(pruned("").body,
            "{\"ImagesDeleted\":[{\"Deleted\":\"sha256:2\"}],\"SpaceReclaimed\":7}\n");
  EXPECT_EQ(pruned(R"({"dangling":["false"]})").json()["SpaceReclaimed"], 17);
  EXPECT_EQ(pruned(R"({"dangling":["false"],"label":["keep"]})").json()["SpaceReclaimed"], 10);
  EXPECT_EQ(pruned(R"({"dangling":["false"],"label!":["keep=yes"]})").json()["SpaceReclaimed"], 7);
  EXPECT_EQ(pruned(R"({"until":["2001-01-01T00:00:00Z"]})").json()["SpaceReclaimed"], 7);
  EXPECT_TRUE(pruned(R"({"label":["none"]})").json()["ImagesDeleted"].is_null());
  EXPECT_EQ(pruned(R"({"color":["red"]})").status, 400);
}

TEST_F(FilesystemApi, ACheckOfTheImagesTellsWhatItFoundAndWhatOfThatIsRepaired) {
  server_.on_loop([](FakeEngine& engine) {
    engine.check_report = {.damages = {{image::DamageKind::kBadBlob, "sha256:1", "why", true}},
                           .images = 1,
                           .snapshots = 2,
                           .blobs = 3};
  });
  EXPECT_EQ(Client(server_).request("POST", "/system/check?repair=1").body,
            R"({"Images":1,"Snapshots":2,"Blobs":3,"Damages":[{"Kind":"bad blob",)"
            R"("Subject":"sha256:1","Detail":"why","Repaired":true}]})"
            "\n");
  server_.on_loop([](FakeEngine& engine) {
    EXPECT_TRUE(engine.check_options.repair);
    EXPECT_FALSE(engine.check_options.quick);
  });
  EXPECT_EQ(Client(server_).request("POST", "/system/check?quick=true").status, 200);
  server_.on_loop([](FakeEngine& engine) { EXPECT_TRUE(engine.check_options.quick); });
  EXPECT_EQ(Client(server_).request("GET", "/system/check").status, 404);
}

}  // namespace
}  // namespace berth::docker
