#include "network/firewall_table.h"

#include <gtest/gtest.h>

namespace berth::network {
namespace {

const BridgeRules kBridge{.name = "berth0", .subnet = {Ipv4{0xac110000}, 16}};

TEST(FirewallTable, ABridgeIsAFewElements) {
  EXPECT_EQ(add_commands("t", bridge_elements(kBridge)),
            "add element ip t bridges { \"berth0\" }\n"
            "add element ip t homes { 172.17.0.0/16 . \"berth0\" }\n"
            "add element ip t masqueraded { 172.17.0.0/16 }\n"
            "add element ip t subnets { 172.17.0.0/16 }\n");
  BridgeRules internal = kBridge;
  internal.internal = true;
  EXPECT_FALSE(bridge_elements(internal).contains("masqueraded"));
  EXPECT_TRUE(bridge_elements(internal).contains("internal"));
}

TEST(FirewallTable, APortIsOneElementOfTheMapForItsAddress) {
  const Ipv4 container = *parse_ipv4("172.17.0.2");
  const PortBinding tcp{Protocol::kTcp, 80, "", 8080};
  EXPECT_EQ(add_commands("t", port_elements(tcp, container)),
            "add element ip t ports { 6 . 8080 : 172.17.0.2 . 80 }\n");
  EXPECT_EQ(delete_commands("t", port_elements(tcp, container)),
            "delete element ip t ports { 6 . 8080 }\n");
  const PortBinding any{Protocol::kTcp, 80, "0.0.0.0", 8080};
  EXPECT_EQ(port_elements(any, container), port_elements(tcp, container));
  const PortBinding local{Protocol::kUdp, 53, "127.0.0.1", 5353};
  EXPECT_EQ(add_commands("t", port_elements(local, container)),
            "add element ip t ports_at { 127.0.0.1 . 17 . 5353 : 172.17.0.2 . 53 }\n");
}

TEST(FirewallTable, ReadsBackWhatNftLists) {
  const auto listing = parse_json(R"({"nftables": [
    {"metainfo": {"version": "1.0.6"}}, {"table": {"family": "ip", "name": "t"}},
    {"chain": {"family": "ip", "table": "t", "name": "layout_1"}},
    {"set": {"name": "bridges", "table": "t", "elem": ["berth0"]}},
    {"set": {"name": "homes", "elem": [{"concat": [{"prefix": {"addr": "172.17.0.0", "len": 16}}, "berth0"]}]}},
    {"set": {"name": "subnets", "elem": [{"prefix": {"addr": "172.17.0.0", "len": 16}}]}},
    {"set": {"name": "masqueraded", "elem": [{"prefix": {"addr": "172.17.0.0", "len": 16}}]}},
    {"map": {"name": "ports", "elem": [[{"concat": [6, 8080]}, {"concat": ["172.17.0.2", 80]}]]}}]})");
  ASSERT_TRUE(listing.ok());
  const auto content = parse_table(*listing, "t");
  ASSERT_TRUE(content.ok());
  TableContent wanted = bridge_elements(kBridge);
  merge(wanted, port_elements({Protocol::kTcp, 80, "", 8080}, *parse_ipv4("172.17.0.2")));
  EXPECT_TRUE(difference(*content, wanted).empty());
  EXPECT_TRUE(difference(wanted, *content).empty());
}

TEST(FirewallTable, KnowsATableOfAnotherLayout) {
  const auto listing = parse_json(R"({"nftables": [{"chain": {"name": "layout_0"}}]})");
  EXPECT_EQ(parse_table(*listing, "t").error().kind(), ErrorKind::kConflict);
  EXPECT_EQ(parse_table(Json(3), "t").error().kind(), ErrorKind::kCorrupt);
}

TEST(FirewallTable, ADifferenceSeesChangedValues) {
  const TableContent left{{"ports", {{"6 . 1", "a"}, {"6 . 2", "b"}}}};
  const TableContent right{{"ports", {{"6 . 1", "a"}, {"6 . 2", "c"}}}};
  EXPECT_EQ(difference(left, right), (TableContent{{"ports", {{"6 . 2", "b"}}}}));
  TableContent rest = left;
  subtract(rest, right);
  EXPECT_TRUE(rest["ports"].empty());
}

TEST(FirewallTable, AStaleSubnetThatOverlapsIsInTheWay) {
  const TableContent present{{"subnets", {{"172.17.0.0/16", ""}, {"172.18.0.0/16", ""}}},
                             {"ports", {{"6 . 1", "a"}}}};
  const TableContent wanted{{"subnets", {{"172.17.4.0/24", ""}}}, {"ports", {{"6 . 1", "b"}}}};
  EXPECT_EQ(conflicting(present, wanted),
            (TableContent{{"subnets", {{"172.17.0.0/16", ""}}}, {"ports", {{"6 . 1", "a"}}}}));
}

TEST(FirewallTable, NamesGoIntoCommandsOnlyIfHarmless) {
  EXPECT_TRUE(check_table_name("berth-2.x").ok());
  for (const char* bad : {"", "2x", "a b", "a;flush ruleset", "a{", "\"a\""}) {
    EXPECT_EQ(check_table_name(bad).error().kind(), ErrorKind::kInvalid) << bad;
  }
}

}  // namespace
}  // namespace berth::network
