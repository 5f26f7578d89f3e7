#include "api/docker/wire/mounts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::docker {
namespace {

using engine::MountKind;
using engine::MountRequest;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Result<std::vector<MountRequest>> parse(std::string_view host_config) {
  std::vector<MountRequest> mounts;
  auto parsed = parse_mounts(*parse_json(host_config), mounts);
  if (!parsed.ok()) return std::move(parsed).error();
  return mounts;
}

TEST(Bind, OfAPathMakesItsSource) {
  const auto mount = parse_bind("/a:/b");
  ASSERT_TRUE(mount.ok());
  EXPECT_EQ(mount->kind, MountKind::kBind);
  EXPECT_EQ(mount->source, "/a");
  EXPECT_EQ(mount->target, "/b");
  EXPECT_TRUE(mount->create_source);
  EXPECT_FALSE(mount->read_only);
  EXPECT_EQ(mount->spelled, "/a:/b");
}

TEST(Bind, OfANameIsAVolume) {
  const auto mount = parse_bind("data:/b:ro");
  ASSERT_TRUE(mount.ok());
  EXPECT_EQ(mount->kind, MountKind::kVolume);
  EXPECT_TRUE(mount->read_only);
  EXPECT_FALSE(mount->create_source);
}

TEST(Bind, TakesTheOptionsThatMeanSomething) {
  EXPECT_THAT(parse_bind("/a:/b:ro,rslave,z")->options, ElementsAre("rslave"));
  EXPECT_TRUE(parse_bind("/a:/b:ro,rslave,z")->read_only);
  EXPECT_TRUE(parse_bind("/a:/b:").ok());
  EXPECT_TRUE(parse_bind("/a:/b:rw,nocopy,cached").ok());
}

TEST(Bind, ThatMakesNoSenseIsInvalid) {
  for (const char* bad : {"", ":", "/a", "/a:", ":/b", "/a:b", "/a:/b:ro:x", "/a:/b:sideways",
                          "a/b:/c", "v:/b:rshared"}) {
    const auto mount = parse_bind(bad);
    ASSERT_FALSE(mount.ok()) << bad;
    EXPECT_EQ(mount.error().kind(), ErrorKind::kInvalid) << bad;
    EXPECT_THAT(mount.error().message(), HasSubstr("invalid volume specification"));
  }
}

TEST(Mounts, AreReadFromTheThreeLists) {
  const auto mounts = parse(R"({"Binds":["/a:/b"],
    "Mounts":[{"Type":"bind","Source":"/x","Target":"/y","ReadOnly":true,"BindOptions":{"Propagation":"rslave"}},
              {"Type":"volume","Target":"/v"},
              {"Type":"tmpfs","Target":"/t","TmpfsOptions":{"SizeBytes":64,"Mode":1023}}],
    "Tmpfs":{"/run":"size=1m,ro,,rw"}})");
  ASSERT_TRUE(mounts.ok()) << mounts.error().message();
  ASSERT_EQ(mounts->size(), 5U);
  EXPECT_EQ((*mounts)[1].target, "/y");
  EXPECT_TRUE((*mounts)[1].read_only);
  EXPECT_FALSE((*mounts)[1].create_source) << "--mount does not make it";
  EXPECT_THAT((*mounts)[1].options, ElementsAre("rslave"));
  EXPECT_EQ((*mounts)[2].kind, MountKind::kVolume);
  EXPECT_EQ((*mounts)[2].source, "");
  EXPECT_THAT((*mounts)[3].options, ElementsAre("size=64", "mode=1777"));
  EXPECT_EQ((*mounts)[4].kind, MountKind::kTmpfs);
  EXPECT_TRUE((*mounts)[4].read_only);
  EXPECT_THAT((*mounts)[4].options, ElementsAre("size=1m"));
}

TEST(Mounts, OptionsWithoutEffectAreRefused) {
  for (const char* member : {R"("BindOptions":{"NonRecursive":true})",
                             R"("BindOptions":{"ReadOnlyForceRecursive":true})"}) {
    const auto mounts = parse(
        fmt::format(R"({{"Mounts":[{{"Type":"bind","Source":"/x","Target":"/y",{}}}]}})", member));
    ASSERT_FALSE(mounts.ok()) << member;
    EXPECT_EQ(mounts.error().kind(), ErrorKind::kUnsupported);
  }
  for (const char* member :
       {R"("VolumeOptions":{"DriverConfig":{"Name":"nfs"}})", R"("VolumeOptions":{"Subpath":"a"})"})
    EXPECT_EQ(parse(fmt::format(R"({{"Mounts":[{{"Type":"volume","Target":"/y",{}}}]}})", member))
                  .error()
                  .kind(),
              ErrorKind::kUnsupported);
  EXPECT_EQ(parse(R"({"Mounts":[{"Type":"npipe","Target":"/y"}]})").error().kind(),
            ErrorKind::kUnsupported);
}

TEST(Mounts, ThatMakeNoSenseAreInvalid) {
  for (const char* bad :
       {R"({"Binds":"x"})", R"({"Binds":[7]})", R"({"Mounts":{}})", R"({"Mounts":[7]})",
        R"({"Mounts":[{"Type":"tmpfs","Source":"/x","Target":"/y"}]})",
        R"({"Mounts":[{"Type":"tmpfs","Target":"/y","TmpfsOptions":{"Mode":4096}}]})",
        R"({"Mounts":[{"Type":"bind","Target":"/y","BindOptions":{"Propagation":"up"}}]})",
        R"({"Tmpfs":[]})", R"({"Tmpfs":{"/run":7}})"})
    EXPECT_EQ(parse(bad).error().kind(), ErrorKind::kInvalid) << bad;
  Json many;
  for (int i = 0; i < 1100; ++i) many["Binds"].push_back("/a:/b");
  std::vector<MountRequest> mounts;
  EXPECT_EQ(parse_mounts(many, mounts).error().kind(), ErrorKind::kExhausted);
}

TEST(Mounts, AreShownAsMountPoints) {
  EXPECT_EQ(dump_json(mount_point_json({.kind = MountKind::kVolume,
                                        .name = "v",
                                        .source = "/s",
                                        .destination = "/d",
                                        .read_only = true,
                                        .propagation = ""})),
            R"({"Type":"volume","Name":"v","Source":"/s","Destination":"/d","Driver":"local",)"
            R"("Mode":"ro","RW":false,"Propagation":""})");
  EXPECT_EQ(dump_json(mount_point_json({.kind = MountKind::kBind,
                                        .name = "",
                                        .source = "/s",
                                        .destination = "/d",
                                        .read_only = false,
                                        .propagation = "rprivate"})),
            R"({"Type":"bind","Source":"/s","Destination":"/d","Mode":"","RW":true,)"
            R"("Propagation":"rprivate"})");
}

TEST(Mounts, BindsAreShownAsTheyWereWritten) {
  EXPECT_EQ(dump_json(binds_json({})), "null");
  EXPECT_EQ(dump_json(binds_json({*parse_bind("/a:/b:ro"), {}})), R"(["/a:/b:ro"])");
}

}  // namespace
}  // namespace berth::docker
