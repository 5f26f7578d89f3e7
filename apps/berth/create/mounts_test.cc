#include "berth/create/mounts.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace berth::cli {
namespace {

TEST(Volume, PathsNamesAndAnonymousOnes) {
  EXPECT_EQ(parse_volume("/data")->target, "/data");
  EXPECT_EQ(parse_volume("/src:/dst:ro,z")->bind, "/src:/dst:ro,z");
  EXPECT_EQ(parse_volume("name:/dst")->bind, "name:/dst");
  EXPECT_EQ(parse_volume("./sub:/dst")->bind,
            std::filesystem::current_path().string() + "/sub:/dst");
  EXPECT_EQ(parse_volume(".:/dst")->bind, std::filesystem::current_path().string() + ":/dst");
  for (const char* text : {"", ":", "a:", ":/b", "a:b:c:d", "a::ro"})
    EXPECT_FALSE(parse_volume(text).ok()) << text;
}

std::string mount(std::string_view text) {
  const auto parsed = parse_mount(text);
  return parsed.ok() ? dump_json(*parsed) : parsed.error().message();
}

TEST(Mount, EachType) {
  EXPECT_EQ(
      mount("type=bind,src=/a,dst=/b,readonly,bind-propagation=rslave"),
      R"({"BindOptions":{"Propagation":"rslave"},"ReadOnly":true,"Source":"/a","Target":"/b","Type":"bind"})");
  EXPECT_EQ(
      mount("source=v,target=/"
            "b,volume-opt=o=size=1,volume-driver=local,volume-nocopy,volume-label=k"),
      R"({"Source":"v","Target":"/b","Type":"volume","VolumeOptions":{"DriverConfig":{"Name":"local",)"
      R"("Options":{"o":"size=1"}},"Labels":{"k":""},"NoCopy":true}})");
  EXPECT_EQ(mount("type=tmpfs,destination=/t,tmpfs-size=1m,tmpfs-mode=1770"),
            R"({"Target":"/t","TmpfsOptions":{"Mode":1016,"SizeBytes":1048576},"Type":"tmpfs"})");
  EXPECT_EQ(
      mount("type=bind,src=/a,dst=/b,bind-recursive=readonly,ro=false"),
      R"({"BindOptions":{"ReadOnlyForceRecursive":true},"ReadOnly":false,"Source":"/a","Target":"/b","Type":"bind"})");
}

TEST(Mount, MistakesAreNamed) {
  EXPECT_EQ(mount("type=bind,src=/a"), "target is required");
  EXPECT_EQ(mount("type=bind,dst=/a"), "source is required for a bind mount");
  EXPECT_EQ(mount("foo=1"), "unknown option 'foo' in 'foo=1'");
  EXPECT_EQ(mount("target"), "invalid field 'target' must be a key=value pair");
  EXPECT_EQ(mount("target="), "invalid value for 'target': value is empty");
  EXPECT_EQ(mount("type=tmpfs,dst=/t,tmpfs-size=x"), "invalid value for tmpfs-size: x");
  EXPECT_EQ(mount("type=tmpfs,dst=/t,tmpfs-mode=9"), "invalid value for tmpfs-mode: 9");
  EXPECT_EQ(mount("type=bind,src=/a,dst=/b,volume-nocopy"),
            "cannot mix 'volume-*' options with mount type 'bind'");
  EXPECT_EQ(mount("dst=/b,bind-recursive=disabled"),
            "cannot mix 'bind-*' options with mount type 'volume'");
  EXPECT_EQ(mount("dst=/b,ro=maybe"), "invalid value for ro: maybe");
}

}  // namespace
}  // namespace berth::cli
