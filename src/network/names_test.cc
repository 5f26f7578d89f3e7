#include "network/names.h"

#include <gtest/gtest.h>

namespace berth::network {
namespace {

TEST(ResolvConf, IsTheHostsWithoutWhatASandboxCannotReach) {
  EXPECT_EQ(make_resolv_conf("# a comment\n"
                             "nameserver 127.0.0.1\n"
                             "nameserver   10.0.0.53\t\r\n"
                             "nameserver fe80::1%eth0\n"
                             "domain old.example\n"
                             "search one.example two.example\n"
                             "options ndots:2 rotate\n"
                             "options edns0"),
            "nameserver 10.0.0.53\nsearch one.example two.example\noptions ndots:2 rotate edns0\n");
}

TEST(ResolvConf, FallsBackToPublicServers) {
  EXPECT_EQ(make_resolv_conf(""), "nameserver 8.8.8.8\nnameserver 8.8.4.4\n");
  EXPECT_EQ(make_resolv_conf("nameserver 127.0.0.1\n"), "nameserver 8.8.8.8\nnameserver 8.8.4.4\n");
}

TEST(ResolvConf, WhatTheUserNamesWins) {
  const ResolverOptions options{{"127.0.0.1"}, {"."}, {"ndots:0"}};
  EXPECT_EQ(make_resolv_conf("nameserver 10.0.0.53\nsearch example\noptions rotate\n", options),
            "nameserver 127.0.0.1\noptions ndots:0\n");
}

TEST(ResolvConf, ReadsTheServersBehindTheResolvedStub) {
  EXPECT_EQ(resolv_conf_path("nameserver 127.0.0.53\noptions edns0\n"),
            "/run/systemd/resolve/resolv.conf");
  EXPECT_EQ(resolv_conf_path("nameserver 127.0.0.53\nnameserver 10.0.0.1\n"), "/etc/resolv.conf");
  EXPECT_EQ(resolv_conf_path(""), "/etc/resolv.conf");
}

TEST(Hosts, NamesLocalhostAndTheSandbox) {
  const std::string text = make_hosts("172.17.0.2", "web", "", {{"db", "10.0.0.9"}});
  EXPECT_TRUE(text.starts_with("127.0.0.1\tlocalhost\n::1\tlocalhost "));
  EXPECT_TRUE(text.ends_with("10.0.0.9\tdb\n172.17.0.2\tweb\n")) << text;
  EXPECT_TRUE(make_hosts("172.17.0.2", "web", "example.org")
                  .ends_with("172.17.0.2\tweb.example.org web\n"));
  EXPECT_TRUE(make_hosts("", "web").ends_with("ip6-allrouters\n"));
}

TEST(Hostname, IsOneLine) {
  EXPECT_EQ(make_hostname("web"), "web\n");
}

}  // namespace
}  // namespace berth::network
