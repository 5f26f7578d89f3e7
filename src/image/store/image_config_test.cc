#include "image/store/image_config.h"

#include <gtest/gtest.h>

namespace berth::image {
namespace {

const std::string kDigest = "sha256:" + std::string(64, 'a');

TEST(ImageConfig, ReadsWhatDockerWrites) {
  const Image image = MUST(parse_image_config(R"({
    "architecture": "amd64", "os": "linux", "author": "me", "created": "2024-01-02T03:04:05.5Z",
    "config": {"User": "1:2", "ExposedPorts": {"80/tcp": {}}, "Env": ["A=b"], "Entrypoint": ["/e"],
               "Cmd": null, "Volumes": {"/data": {}}, "WorkingDir": "/w", "Labels": {"k": "v"},
               "StopSignal": "SIGINT", "OnBuild": null},
    "rootfs": {"type": "layers", "diff_ids": [")" +
                                              kDigest + R"("]},
    "history": [{"created": "2024-01-02T03:04:05Z", "created_by": "COPY", "comment": "c"},
                {"created": "0001-01-01T00:00:00Z", "empty_layer": true}]})"));
  EXPECT_EQ(image.config.user, "1:2");
  EXPECT_EQ(image.config.exposed_ports, std::vector<std::string>{"80/tcp"});
  EXPECT_EQ(image.config.entrypoint, std::vector<std::string>{"/e"});
  EXPECT_TRUE(image.config.cmd.empty());
  EXPECT_EQ(image.config.volumes, std::vector<std::string>{"/data"});
  EXPECT_EQ(image.config.labels.at("k"), "v");
  EXPECT_EQ(image.config.stop_signal, "SIGINT");
  EXPECT_EQ(image.diff_ids, std::vector<std::string>{kDigest});
  ASSERT_EQ(image.history.size(), 2U);
  EXPECT_TRUE(image.history[1].empty_layer);
  EXPECT_EQ(image.history[1].created, WallTime{});
}

TEST(ImageConfig, RefusesWhatIsNoImage) {
  for (const char* text :
       {"", "[]", "{}", R"({"rootfs":{"type":"other"}})", R"({"rootfs":{"diff_ids":["x"]}})",
        R"({"rootfs":{},"config":{"Cmd":"sh"}})", R"({"rootfs":{},"history":{}})"}) {
    EXPECT_EQ(parse_image_config(text).error().kind(), ErrorKind::kInvalid) << text;
  }
  std::string many = R"({"rootfs":{"diff_ids":[")" + kDigest + "\"";
  for (std::size_t i = 0; i < kMaxLayers; ++i) many += ",\"" + kDigest + "\"";
  EXPECT_EQ(parse_image_config(many + "]}}").error().kind(), ErrorKind::kInvalid);
}

TEST(ImageConfig, WhatIsWrittenReadsTheSame) {
  Image image;
  image.architecture = "amd64";
  image.os = "linux";
  image.created = MUST(parse_rfc3339("2024-01-02T03:04:05Z"));
  image.diff_ids = {kDigest};
  image.config.cmd = {"sh", "-c"};
  image.config.env = {"A=b"};
  image.config.volumes = {"/v"};
  image.history = {{image.created, "by", "comment", true}};
  const Image again = MUST(parse_image_config(make_image_config(image)));
  EXPECT_EQ(again.created, image.created);
  EXPECT_EQ(again.config.cmd, image.config.cmd);
  EXPECT_EQ(again.config.volumes, image.config.volumes);
  EXPECT_EQ(again.history.at(0).created_by, "by");
}

TEST(ImageConfig, ChainIdsFollowTheSpecification) {
  const auto chain = chain_ids({kDigest, kDigest});
  ASSERT_EQ(chain.size(), 2U);
  EXPECT_EQ(chain[0], kDigest);
  // printf 'sha256:aaa... sha256:aaa...' | sha256sum
  EXPECT_EQ(chain[1], "sha256:9d2cc34dc7dc748dba0ed439e6987c2f2c39ec504fa0c1527531d9bc7d0f1052");
  EXPECT_TRUE(chain_ids({}).empty());
}

}  // namespace
}  // namespace berth::image
