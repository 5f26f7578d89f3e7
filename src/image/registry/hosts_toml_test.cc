#include "image/registry/hosts_toml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::image {
namespace {

using Client = RegistryHost::Client;
using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kFile = "/etc/certs.d/reg.example/hosts.toml";

std::vector<RegistryHost> parse(std::string_view text, std::string_view domain = "reg.example") {
  auto hosts = parse_hosts_toml(text, kFile, domain);
  EXPECT_TRUE(hosts.ok()) << text << "\n" << hosts.error().message();
  return hosts.ok() ? *hosts : std::vector<RegistryHost>();
}

std::vector<std::string> addresses(std::string_view text, std::string_view domain = "reg.example") {
  std::vector<std::string> all;
  for (const RegistryHost& host : parse(text, domain)) all.push_back(host.address);
  return all;
}

std::string wrong(std::string_view text) {
  const auto hosts = parse_hosts_toml(text, kFile, "reg.example");
  return hosts.ok() ? "nothing is wrong with it" : hosts.error().message();
}

TEST(HostsToml, OfNothingIsTheRegistry) {
  EXPECT_THAT(parse(""), ElementsAre(default_host("reg.example")));
  EXPECT_THAT(parse("", "127.0.0.1:5000"), ElementsAre(default_host("127.0.0.1:5000")));
}

TEST(HostsToml, AsksInTheOrderOfTheFileAndTheRegistryLast) {
  constexpr std::string_view kText = R"(
[host."https://z.example"]
[host."https://m.example:8443/"]
[host."https://a.example"]
[host."https://z.example".header]
  x-one = "1"
)";
  EXPECT_THAT(addresses(kText), ElementsAre("https://z.example/v2", "https://m.example:8443/v2",
                                            "https://a.example/v2", "https://reg.example/v2"));
  EXPECT_THAT(addresses("server = 'https://other.example'\nhost.\"b\" = {}\nhost.\"a\" = {}"),
              ElementsAre("https://b/v2", "https://a/v2", "https://other.example/v2"));
}

TEST(HostsToml, TakesCommentsInAnyLanguage) {
  EXPECT_THAT(addresses("\ufeff# f\u00fcr alle\n \t# \u4e2d\r\nserver = 'a'\n"),
              ElementsAre("https://a/v2"));
}

TEST(HostsToml, CompletesAddresses) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"mirror.example", "https://mirror.example/v2"},
      {"mirror.example:5000", "https://mirror.example:5000/v2"},
      {"http://10.0.0.1:5000", "http://10.0.0.1:5000/v2"},
      {"https://[::1]:5000/", "https://[::1]:5000/v2"},
      {"https://m.example/cache", "https://m.example/cache/v2"},
      {"https://m.example/cache/v2/", "https://m.example/cache/v2"},
      {"https://docker.io", "https://registry-1.docker.io/v2"}};
  for (const auto& [given, whole] : cases)
    EXPECT_EQ(parse(fmt::format("server = '{}'", given)).back().address, whole);
  EXPECT_EQ(parse("server = 'https://m.example/api'\noverride_path = true").back().address,
            "https://m.example/api");
  EXPECT_THAT(addresses("", "docker.io"), ElementsAre("https://registry-1.docker.io/v2"));
}

TEST(HostsToml, TrustsWithEverythingUnlessItSays) {
  const auto hosts = parse(R"(
capabilities = ["resolve"]
[host.a]
[host.b]
  capabilities = ["pull", "resolve"]
[host.c]
  capabilities = []
)");
  std::string all;
  for (const RegistryHost& host : hosts)
    all += fmt::format("{:d}{:d}{:d} ", host.pulls, host.resolves, host.pushes);
  EXPECT_EQ(all, "111 110 111 010 ");
}

TEST(HostsToml, HasPathsFromItsOwnDirectory) {
  const RegistryHost host = parse("ca = 'a.pem'\nclient = '/abs/client.pem'").back();
  EXPECT_THAT(host.authorities, ElementsAre("/etc/certs.d/reg.example/a.pem"));
  EXPECT_THAT(host.clients, ElementsAre(Client{"/abs/client.pem", ""}));
  const RegistryHost lists =
      parse("ca = ['/a', '/b']\nclient = ['/c', ['d.cert', 'd.key'], ['/e', '']]").back();
  EXPECT_THAT(lists.authorities, ElementsAre("/a", "/b"));
  EXPECT_THAT(lists.clients, ElementsAre(Client{"/c", ""},
                                         Client{"/etc/certs.d/reg.example/d.cert",
                                                "/etc/certs.d/reg.example/d.key"},
                                         Client{"/e", ""}));
}

TEST(HostsToml, TakesTheRest) {
  const RegistryHost host = parse(R"(
[host."http://m"]
  skip_verify = true
  dial_timeout = "1m1.5s"
  proxy = "socks5h://proxy.example:1080/"
  [host."http://m".header]
    Authorization = "Basic eA=="
    x-two = ["a", "b"]
)")
                                .front();
  EXPECT_TRUE(host.skip_verify);
  EXPECT_EQ(host.connect_timeout, milliseconds(61'500));
  EXPECT_EQ(host.proxy, "socks5h://proxy.example:1080");
  EXPECT_THAT(host.fields, testing::UnorderedElementsAre(
                               testing::Pair("Authorization", "Basic eA=="),
                               testing::Pair("x-two", "a"), testing::Pair("x-two", "b")));
}

TEST(HostsToml, KnowsGosDurations) {
  const std::pair<const char*, milliseconds> cases[] = {
      {"1s", milliseconds(1000)},   {"250ms", milliseconds(250)},  {"0.5s", milliseconds(500)},
      {"2m", milliseconds(120000)}, {"1h", milliseconds(3600000)}, {"10ns", milliseconds(1)},
      {"5us", milliseconds(1)}};
  for (const auto& [text, duration] : cases)
    EXPECT_EQ(parse(fmt::format("dial_timeout = '{}'", text)).back().connect_timeout, duration)
        << text;
  for (const char* text : {"", "1", "s", "1x", "-1s", "0s", "2h", "1s ", "1..5s", "1e3s", "nans"})
    EXPECT_THAT(wrong(fmt::format("dial_timeout = '{}'", text)), HasSubstr("hosts.toml:1: '"))
        << text;
}

TEST(HostsToml, SaysWhereAndWhatIsWrong) {
  const std::pair<std::string, std::string> cases[] = {
      {"\nserver = ", ":2: "},
      {std::string("\n[\0", 3), ":2: there is a control character"},
      {"\n[.a]", ":2: "},
      {"\n\ns\u00e4rver = 'a'", ":3: characters that are not ASCII"},
      {"server = 'a' # \u00e4", ":1: characters that are not ASCII"},
      {"server = 5", ":1: 'server' is not a text"},
      {"server = 'ftp://x'", ":1: 'ftp://x' is no address of a server"},
      {"[host.'https://u:p@x']", "'https://u:p@x' is no address of a server"},
      {"[host.'https://x?a']", "'https://x?a' is no address of a server"},
      {"[host.'https://']", "'https://' is no address of a server"},
      {"host = 1", ":1: 'host' is not a table"},
      {"[host]\na = 1", ":2: host 'a' is not a table"},
      {"[host.a]\n\ncapabilities = ['pul']", ":3: the capability 'pul' is none of"},
      {"[host.a]\ncapabilites = ['pull']", ":2: the key 'capabilites' is not known"},
      {"[host.a]\nserver = 'b'", ":2: the key 'server' is not known"},
      {"skip_verify = 'yes'", ":1: 'skip_verify' is neither true nor false"},
      {"override_path = 1", ":1: 'override_path' is neither true nor false"},
      {"ca = [1]", ":1: 'ca' is not a text"},
      {"client = [['a']]", ":1: a pair of 'client' is not a certificate and its key"},
      {"client = [['a', 'b', 'c']]", ":1: a pair of 'client'"},
      {"header = 'x'", ":1: 'header' is not a table"},
      {"[header]\n'a b' = 'x'", ":2: 'a b' is no name of a header"},
      {"[header]\na = \"x\\r\\nb: c\"", ":2: 'a' has a control character"},
      {"proxy = 'http://x/path'", ":1: 'http://x/path' is no address of a proxy"},
      {"proxy = 'ftp://x'", ":1: 'ftp://x' is no address of a proxy"}};
  for (const auto& [text, says] : cases) {
    EXPECT_THAT(wrong(text), testing::StartsWith(kFile)) << text;
    EXPECT_THAT(wrong(text), HasSubstr(says)) << text;
  }
}

TEST(HostsToml, HasItsLimits) {
  std::string many;
  for (std::size_t i = 0; i <= kMaxMirrors; ++i) many += fmt::format("[host.'m{}']\n", i);
  EXPECT_THAT(wrong(many), HasSubstr("there are more than 64 hosts"));
  EXPECT_THAT(wrong(std::string(kMaxHostsToml + 1, ' ')), HasSubstr("is over 262144 bytes"));
}

}  // namespace
}  // namespace berth::image
