// What registries are asked, through a socket.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/docker/api_server_testing.h"

namespace berth::docker {
namespace {

using testing::HasSubstr;

TEST(RegistryApi, TellsOfAnImageWithoutPullingIt) {
  ApiServer server;
  const Answer plain = Client(server).request("GET", "/distribution/reg.example/a/b:1/json");
  EXPECT_EQ(plain.status, 200);
  EXPECT_EQ(plain.body,
            "{\"Descriptor\":{\"mediaType\":\"application/vnd.oci.image.index.v1+json\","
            "\"digest\":\"sha256:" +
                std::string(64, '1') +
                "\",\"size\":2},"
                "\"Platforms\":[{\"architecture\":\"arm64\",\"os\":\"linux\",\"variant\":"
                "\"v8\"},{\"architecture\":\"amd64\",\"os\":\"linux\"}]}\n");
  const Answer whole = Client(server).request("GET", "/distribution/a/json?manifest=1");
  EXPECT_EQ(whole.json()["Manifest"], "{}");
}

TEST(RegistryApi, SearchesAndFilters) {
  ApiServer server;
  const auto names = [&](const std::string& query) {
    std::string all;
    for (const Json& one : Client(server).request("GET", "/images/search?term=x" + query).json())
      all += one["name"].get<std::string>() + " ";
    return all;
  };
  EXPECT_EQ(names(""), "a/one two ");
  EXPECT_EQ(server.on_loop([](FakeEngine& engine) { return engine.searched; }), "x 25");
  EXPECT_EQ(names("&limit=7&filters={\"stars\":[\"8\"]}"), "two ");
  EXPECT_EQ(server.on_loop([](FakeEngine& engine) { return engine.searched; }), "x 7");
  EXPECT_EQ(names("&filters={\"is-official\":{\"false\":true}}"), "a/one ");
  EXPECT_EQ(names("&filters={\"is-automated\":[\"true\"],\"stars\":[\"10\"]}"), "");
  for (const char* query :
       {"", "?term=x&limit=101", "?term=x&limit=-1", "?term=x&filters={\"stars\":[\"x\"]}",
        "?term=x&filters={\"name\":[\"x\"]}"})
    EXPECT_EQ(Client(server).request("GET", std::string("/images/search") + query).status, 400)
        << query;
}

TEST(RegistryApi, PullsEachTagOfANameWithoutOne) {
  ApiServer server;
  const Answer all = Client(server).request("POST", "/images/create?fromImage=reg.example/many");
  EXPECT_EQ(all.status, 200);
  EXPECT_THAT(all.body, HasSubstr("{\"status\":\"Pulling from many\",\"id\":\"1\"}"));
  EXPECT_THAT(all.body, HasSubstr("{\"status\":\"Pulling from many\",\"id\":\"2\"}"));
  EXPECT_EQ(server.on_loop([](FakeEngine& engine) { return engine.pulled; }), "reg.example/many:2");
  EXPECT_EQ(Client(server).request("POST", "/images/create?fromImage=reg.example/none").status,
            404);
}

}  // namespace
}  // namespace berth::docker
