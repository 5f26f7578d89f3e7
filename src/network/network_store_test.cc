#include "network/network_store.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace berth::network {
namespace {

class NetworkStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/berth-networks-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    directory_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  void write(const std::string& text) { std::ofstream(directory_ + "/networks.json") << text; }

  std::string directory_;
};

TEST_F(NetworkStoreTest, KeepsEveryField) {
  EXPECT_TRUE(load_networks(directory_)->empty());
  NetworkInfo network{NetworkId("abc"),
                      "bridge",
                      "bridge",
                      "172.17.0.0/16",
                      "172.17.0.1",
                      true,
                      "2024-01-01T00:00:00Z",
                      {{"com.docker.network.bridge.name", "berth0"}}};
  ASSERT_TRUE(save_networks(directory_, {network}).ok());
  const auto loaded = load_networks(directory_);
  ASSERT_TRUE(loaded.ok());
  ASSERT_EQ(loaded->size(), 1U);
  const NetworkInfo& back = loaded->front();
  EXPECT_EQ(back.id, network.id);
  EXPECT_EQ(back.name, network.name);
  EXPECT_EQ(back.driver, network.driver);
  EXPECT_EQ(back.subnet, network.subnet);
  EXPECT_EQ(back.gateway, network.gateway);
  EXPECT_EQ(back.internal, network.internal);
  EXPECT_EQ(back.created, network.created);
  EXPECT_EQ(back.options, network.options);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory_), {}), 1)
      << "no temporary file is left";
}

TEST_F(NetworkStoreTest, SaysWhatIsWrongWithADamagedFile) {
  for (const char* bad :
       {"", "{", "[]", R"({"version":2})", R"({"version":1})",
        R"({"version":1,"networks":[{"id":"a"}]})", R"({"version":1,"networks":[{"id":7}]})"}) {
    write(bad);
    const auto loaded = load_networks(directory_);
    ASSERT_FALSE(loaded.ok()) << bad;
    EXPECT_EQ(loaded.error().kind(), ErrorKind::kCorrupt) << bad;
    EXPECT_NE(loaded.error().message().find("networks.json"), std::string::npos);
  }
}

}  // namespace
}  // namespace berth::network
