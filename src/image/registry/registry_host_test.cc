#include "image/registry/registry_host.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sys/dir.h"
#include "sys/file.h"
#include "sys/temp_dir_testing.h"

namespace berth::image {
namespace {

using Client = RegistryHost::Client;
using testing::ElementsAre;
using testing::HasSubstr;

class FindHosts : public ::testing::Test {
 protected:
  void write(const std::string& directory, const std::string& name, std::string_view text = "") {
    const std::string path = dir_.path() + "/" + directory;
    MUST(sys::make_dirs(path, 0755));
    MUST(sys::write_file_atomic(MUST(sys::open_dir(path)).get(), name, text));
  }
  std::string mirror_of(const std::string& domain) {
    const auto hosts = find_hosts(dir_.path(), domain);
    return !hosts.ok() ? hosts.error().message() : hosts->size() == 1 ? "" : hosts->front().address;
  }
  sys::TempDir dir_;
};

TEST_F(FindHosts, WithoutADirectoryIsTheRegistryAlone) {
  EXPECT_THAT(MUST(find_hosts(dir_.path(), "reg.example")),
              ElementsAre(default_host("reg.example")));
  EXPECT_THAT(MUST(find_hosts(dir_.path() + "/nowhere", "reg.example")),
              ElementsAre(default_host("reg.example")));
}

TEST_F(FindHosts, TakesTheFirstDirectoryThatThereIs) {
  write("_default", "hosts.toml", "[host.third]");
  EXPECT_EQ(mirror_of("reg.example:5000"), "https://third/v2");
  write("reg.example_5000_", "hosts.toml", "[host.second]");
  EXPECT_EQ(mirror_of("reg.example:5000"), "https://second/v2");
  write("reg.example:5000", "hosts.toml", "[host.first]");
  EXPECT_EQ(mirror_of("reg.example:5000"), "https://first/v2");
  EXPECT_EQ(mirror_of("reg.example"), "https://third/v2");
  // Its certificates are its own matter: the default's mirrors are not.
  write("bare.example", "ca.crt");
  EXPECT_EQ(mirror_of("bare.example"), "");
}

TEST_F(FindHosts, SaysWhichFileIsBad) {
  write("reg.example", "hosts.toml", "[host.a]\nca = 1");
  EXPECT_EQ(mirror_of("reg.example"),
            dir_.path() + "/reg.example/hosts.toml:2: 'ca' is not a text");
  MUST(sys::make_dirs(dir_.path() + "/odd.example/hosts.toml", 0755));
  EXPECT_THAT(mirror_of("odd.example"), HasSubstr("/odd.example/hosts.toml"));
}

TEST_F(FindHosts, KnowsDockersCertificates) {
  for (const char* name : {"b.crt", "a.crt", "me.cert", "me.key", "README"})
    write("reg.example", name);
  const std::string base = dir_.path() + "/reg.example/";
  const auto hosts = MUST(find_hosts(dir_.path(), "reg.example"));
  ASSERT_EQ(hosts.size(), 1U);
  EXPECT_THAT(hosts[0].authorities, ElementsAre(base + "a.crt", base + "b.crt"));
  EXPECT_THAT(hosts[0].clients, ElementsAre(Client{base + "me.cert", base + "me.key"}));
}

TEST_F(FindHosts, NamesTheFileThatAPairLacks) {
  write("a.example", "one.cert");
  write("a.example", "two.key");
  EXPECT_THAT(mirror_of("a.example"), HasSubstr("/a.example/one.key is missing"));
  write("b.example", "two.key");
  EXPECT_THAT(mirror_of("b.example"), HasSubstr("/b.example/two.cert is missing"));
}

TEST(RegistryHost, TakesAddressesApart) {
  EXPECT_EQ(origin_of("https://a.example:5000/v2?x=y"), "https://a.example:5000");
  EXPECT_EQ(origin_of("http://a"), "http://a");
  EXPECT_EQ(origin_of("/path"), "");
  EXPECT_EQ(authority_of("https://[::1]:5000/v2"), "[::1]:5000");
  EXPECT_EQ(authority_of("a.example"), "");
}

}  // namespace
}  // namespace berth::image
