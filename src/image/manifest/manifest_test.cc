#include "image/manifest/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::image {
namespace {

using ::testing::HasSubstr;

const std::string kDigest = "sha256:" + std::string(64, 'a');
const std::string kOther = "sha256:" + std::string(64, 'b');

std::string entry(const std::string& digest, const std::string& more) {
  return R"({"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":")" + digest +
         R"(","size":7)" + more + "}";
}

std::string platform(const std::string& os, const std::string& architecture,
                     const std::string& variant = "") {
  return R"(,"platform":{"os":")" + os + R"(","architecture":")" + architecture +
         R"(","variant":")" + variant + R"("})";
}

std::string error_of(std::string_view text) {
  const auto parsed = parse_manifest(text);
  return parsed.ok() ? "" : parsed.error().message();
}

TEST(Manifest, HasAConfigAndLayers) {
  const auto parsed = parse_manifest(
      R"({"schemaVersion":2,"config":)" + entry(kDigest, "") + R"(,"layers":[)" +
      R"({"mediaType":"application/vnd.docker.image.rootfs.diff.tar.gzip","digest":")" + kOther +
      R"(","size":9}]})");
  ASSERT_TRUE(parsed.ok()) << parsed.error().message();
  const auto& manifest = std::get<Manifest>(*parsed);
  EXPECT_EQ(manifest.config.digest, kDigest);
  EXPECT_EQ(manifest.config.size, 7);
  ASSERT_EQ(manifest.layers.size(), 1U);
  EXPECT_EQ(manifest.layers[0].digest, kOther);
}

TEST(Manifest, KnowsWhereForeignLayersAre) {
  const auto with = [](const std::string& urls) {
    return R"({"config":)" + entry(kDigest, "") +
           R"(,"layers":[{"mediaType":"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",)"
           R"("digest":")" +
           kOther + R"(","size":9,"urls":[)" + urls + "]}]}";
  };
  const auto parsed = parse_manifest(with(R"("https://a/x","file:///etc/shadow","http://b")"));
  ASSERT_TRUE(parsed.ok()) << parsed.error().message();
  const Manifest& manifest = std::get<Manifest>(*parsed);
  EXPECT_TRUE(manifest.layers[0].is_foreign());
  EXPECT_EQ(manifest.layers[0].urls, (std::vector<std::string>{"https://a/x", "http://b"}));
  const auto again = parse_manifest(make_manifest(manifest));
  EXPECT_EQ(std::get<Manifest>(*again).layers[0].urls, manifest.layers[0].urls);
  std::string many = R"("http://a")";
  for (std::size_t i = 0; i < kMaxUrls; ++i) many += R"(,"http://a")";
  EXPECT_THAT(error_of(with(many)), HasSubstr("more than 16 urls"));
}

TEST(Manifest, OfAnArtifactIsNoImage) {
  EXPECT_THAT(error_of(R"({"artifactType":"a/b","config":)" + entry(kDigest, "") + "}"),
              HasSubstr("an artifact of type 'a/b', not an image"));
  EXPECT_THAT(error_of(R"({"config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":")" +
                       kDigest + R"("}})"),
              HasSubstr("it is an artifact of type"));
}

TEST(Manifest, WhatIsNoneIsRefused) {
  EXPECT_THAT(error_of("{"), HasSubstr("line 1"));
  EXPECT_THAT(error_of("{}"), HasSubstr("neither an index nor the manifest"));
  EXPECT_THAT(error_of(R"({"schemaVersion":1,"fsLayers":[]})"), HasSubstr("schema 1"));
  EXPECT_THAT(error_of(R"({"manifests":7})"), HasSubstr("manifests is not a list"));
  EXPECT_THAT(error_of(R"({"config":{"digest":"sha256:../../x"}})"), HasSubstr("digest"));
  EXPECT_THAT(error_of(R"({"config":)" + entry(kDigest, "") +
                       R"(,"layers":[{"mediaType":"application/vnd.x.tar+encrypted","digest":")" +
                       kDigest + R"("}]})"),
              HasSubstr("are not understood"));
  std::string many = R"({"config":)" + entry(kDigest, "") + R"(,"layers":[)";
  for (int i = 0; i < 200; ++i) many += (i == 0 ? "" : ",") + entry(kDigest, "");
  EXPECT_THAT(error_of(many + "]}"), HasSubstr("more than 128"));
}

TEST(Index, GivesTheEntryForAPlatform) {
  const auto parsed = parse_manifest(
      R"({"manifests":[)" +
      entry("sha256:" + std::string(64, '0'),
            platform("unknown", "unknown") +
                R"(,"annotations":{"vnd.docker.reference.type":"attestation-manifest"})") +
      "," + entry(kDigest, platform("linux", "arm", "v7")) + "," +
      entry(kOther, platform("linux", "amd64")) + "]}");
  ASSERT_TRUE(parsed.ok()) << parsed.error().message();
  const auto& index = std::get<Index>(*parsed);
  EXPECT_EQ(choose(index, {"linux", "amd64", ""})->digest, kOther);
  EXPECT_EQ(choose(index, {"linux", "arm", ""})->digest, kDigest);
  EXPECT_EQ(choose(index, {"linux", "arm", "v7"})->digest, kDigest);
  const auto none = choose(index, {"linux", "arm", "v6"});
  EXPECT_EQ(none.error().kind(), ErrorKind::kUnsupported);
  EXPECT_EQ(none.error().message(),
            "there is no image for linux/arm/v6, only for linux/arm/v7 linux/amd64");
  EXPECT_THAT(choose(Index{}, {"linux", "amd64", ""}).error().message(),
              HasSubstr("only for nothing"));
}

TEST(Platform, IsReadAndWritten) {
  EXPECT_EQ(Platform::parse("linux/arm/v7")->str(), "linux/arm/v7");
  EXPECT_EQ(*Platform::parse("linux"), (Platform{"linux", "", ""}));
  EXPECT_TRUE((Platform{"linux", "arm64", "v8"}).serves(*Platform::parse("linux")));
  for (const char* bad : {"", "/", "linux/", "linux/arm/v7/x", "linux//v7"})
    EXPECT_FALSE(Platform::parse(bad).ok()) << bad;
}

}  // namespace
}  // namespace berth::image
