#include "network/firewall_table.h"

#include <fmt/ranges.h>
#include <netinet/in.h>

#include <algorithm>
#include <vector>

namespace berth::network {
namespace {

// An empty chain whose name tells the layout's version: the kernel can be asked for it, and users
// see it in a listing.
constexpr std::string_view kVersionChain = "layout_1";
constexpr std::size_t kMaxTableName = 64;

// {table} is replaced. `guard` and `forward` only ever drop: what they pass on, other tables still
// judge.
constexpr std::string_view kLayout = R"(
create table ip {table} {{ comment "published ports and bridges of a Berth engine; made and removed by it"; }}
add chain ip {table} layout_1
add set ip {table} bridges {{ type ifname; }}
add set ip {table} homes {{ type ipv4_addr . ifname; flags interval; }}
add set ip {table} subnets {{ type ipv4_addr; flags interval; }}
add set ip {table} masqueraded {{ type ipv4_addr; flags interval; }}
add set ip {table} internal {{ type ifname; }}
add set ip {table} closed {{ type ifname; }}
add map ip {table} ports {{ type inet_proto . inet_service : ipv4_addr . inet_service; }}
add map ip {table} ports_at {{ type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; }}

add chain ip {table} guard {{ type filter hook prerouting priority raw; policy accept; }}
add rule ip {table} guard iifname @bridges ip daddr 127.0.0.0/8 drop comment "route_localnet is for our own replies only"
add rule ip {table} guard ip daddr @subnets ip daddr . iifname != @homes fib daddr type != local drop comment "no way around the published ports"

add chain ip {table} publish
add rule ip {table} publish dnat ip to ip daddr . meta l4proto . th dport map @ports_at
add rule ip {table} publish dnat ip to meta l4proto . th dport map @ports

add chain ip {table} prerouting {{ type nat hook prerouting priority dstnat; policy accept; }}
add rule ip {table} prerouting ip daddr 127.0.0.0/8 return comment "from outside these are martians"
add rule ip {table} prerouting fib daddr type local goto publish

add chain ip {table} output {{ type nat hook output priority -100; policy accept; }}
add rule ip {table} output fib daddr type local goto publish

add chain ip {table} postrouting {{ type nat hook postrouting priority srcnat; policy accept; }}
add rule ip {table} postrouting ip saddr 127.0.0.0/8 oifname @bridges masquerade comment "the host, to a published port on loopback"
add rule ip {table} postrouting ct status dnat ip saddr . oifname @homes masquerade comment "a container, to its own bridge's published port"
add rule ip {table} postrouting ip saddr . oifname @homes return
add rule ip {table} postrouting ip saddr @masqueraded masquerade

add chain ip {table} forward {{ type filter hook forward priority filter; policy accept; }}
add rule ip {table} forward ct state established,related accept
add rule ip {table} forward ip daddr . iifname @homes accept comment "within one bridge"
add rule ip {table} forward iifname @internal drop
add rule ip {table} forward oifname @internal drop
add rule ip {table} forward oifname @bridges ct status dnat accept
add rule ip {table} forward oifname @bridges drop comment "unpublished"
add rule ip {table} forward iifname @closed oifname @closed drop comment "did not forward before ip_forward was turned on"
)";

int protocol_number(Protocol protocol) {
  switch (protocol) {
    case Protocol::kTcp:
      return IPPROTO_TCP;
    case Protocol::kUdp:
      return IPPROTO_UDP;
    case Protocol::kSctp:
      return IPPROTO_SCTP;
  }
  return IPPROTO_TCP;
}

/// One field of an element, as text: a number, an address, a prefix, or an interface name, which is
/// quoted.
std::string field_text(const Json& field) {
  if (field.is_number_integer()) return std::to_string(field.get<std::int64_t>());
  if (field.is_string()) {
    const std::string text = field.get<std::string>();
    return parse_ipv4(text).ok() ? text : interface_key(text);
  }
  if (const Json* prefix = find_member(field, "prefix"); prefix != nullptr) {
    const Json* address = find_member(*prefix, "addr");
    const Json* length = find_member(*prefix, "len");
    if (address != nullptr && length != nullptr)
      return fmt::format("{}/{}", field_text(*address), field_text(*length));
  }
  return field.dump();  // a stranger's element; it is only ever compared
}

std::string side_text(const Json& side) {
  const Json* concatenation = find_member(side, "concat");
  if (concatenation == nullptr) return field_text(side);
  std::vector<std::string> fields;
  for (const Json& field : *concatenation) fields.push_back(field_text(field));
  return fmt::format("{}", fmt::join(fields, " . "));
}

Elements parse_elements(const Json& object, bool is_map) {
  Elements elements;
  const Json* list = find_member(object, "elem");
  if (list == nullptr || !list->is_array()) return elements;
  for (const Json& element : *list) {
    if (!is_map) {
      elements.emplace(side_text(element), "");
    } else if (element.is_array() && element.size() == 2) {
      elements.emplace(side_text(element[0]), side_text(element[1]));
    }
  }
  return elements;
}

std::string element_commands(std::string_view verb, std::string_view table,
                             const TableContent& content, bool values) {
  std::string text;
  for (const auto& [set, elements] : content) {
    if (elements.empty()) continue;
    std::vector<std::string> list;
    list.reserve(elements.size());
    for (const auto& [key, value] : elements) {
      list.push_back(values && !value.empty() ? fmt::format("{} : {}", key, value) : key);
    }
    text += fmt::format("{} element ip {} {} {{ {} }}\n", verb, table, set, fmt::join(list, ", "));
  }
  return text;
}

}  // namespace

Result<void> check_table_name(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto allowed = [&](char c) {
    return letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
  };
  if (name.empty() || name.size() > kMaxTableName || !letter(name.front()) ||
      !std::ranges::all_of(name, allowed)) {
    return fail(
        ErrorKind::kInvalid,
        "'{}' is no name for a firewall table: letters, digits, '_', '-', '.', a letter first",
        name);
  }
  return {};
}

std::string layout_commands(std::string_view table) {
  return fmt::format(kLayout, fmt::arg("table", table));
}

std::string add_commands(std::string_view table, const TableContent& content) {
  return element_commands("add", table, content, true);
}

std::string delete_commands(std::string_view table, const TableContent& content) {
  return element_commands("delete", table, content, false);
}

std::string release_commands(std::string_view table) {
  std::string text;
  for (const char* set : {"bridges", "homes", "subnets", "masqueraded", "internal"})
    text += fmt::format("flush set ip {} {}\n", table, set);
  for (const char* map : {"ports", "ports_at"})
    text += fmt::format("flush map ip {} {}\n", table, map);
  return text;
}

bool is_plain_name(std::string_view interface) {
  return !interface.empty() && std::ranges::all_of(interface, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_-.@+").find(c) != std::string_view::npos;
  });
}

std::string interface_key(std::string_view interface) {
  return fmt::format("\"{}\"", interface);
}

std::string interface_of_key(std::string_view key) {
  return key.size() < 2 ? std::string() : std::string(key.substr(1, key.size() - 2));
}

TableContent bridge_elements(const BridgeRules& rules) {
  const std::string subnet = to_string(rules.subnet);
  TableContent content{{"bridges", {{interface_key(rules.name), ""}}},
                       {"homes", {{fmt::format("{} . {}", subnet, interface_key(rules.name)), ""}}},
                       {"subnets", {{subnet, ""}}}};
  if (rules.masquerade && !rules.internal) content["masqueraded"].emplace(subnet, "");
  if (rules.internal) content["internal"].emplace(interface_key(rules.name), "");
  return content;
}

TableContent port_elements(const PortBinding& port, Ipv4 container) {
  const std::string key = fmt::format("{} . {}", protocol_number(port.protocol), port.host_port);
  const std::string value = fmt::format("{} . {}", to_string(container), port.container_port);
  const Result<Ipv4> at = parse_ipv4(port.host_ip);
  if (!at.ok() || at->value == 0) return {{"ports", {{key, value}}}};
  return {{"ports_at", {{fmt::format("{} . {}", to_string(*at), key), value}}}};
}

Result<TableContent> parse_table(const Json& listing, std::string_view table) {
  TableContent content;
  bool known = false;
  const Json* objects = find_member(listing, "nftables");
  if (objects == nullptr || !objects->is_array())
    return fail(ErrorKind::kCorrupt, "nftables: a listing without objects");
  for (const Json& object : *objects) {
    if (const Json* chain = find_member(object, "chain"); chain != nullptr) {
      const Json* name = find_member(*chain, "name");
      known = known || (name != nullptr && *name == kVersionChain);
    }
    for (const std::string_view kind : {"set", "map"}) {
      const Json* set = find_member(object, kind);
      const Json* name = set != nullptr ? find_member(*set, "name") : nullptr;
      if (name == nullptr || !name->is_string()) continue;
      content.insert_or_assign(name->get<std::string>(), parse_elements(*set, kind == "map"));
    }
  }
  if (!known)
    return fail(ErrorKind::kConflict, "firewall table ip {} has another layout than {}", table,
                kVersionChain);
  return content;
}

TableContent difference(const TableContent& left, const TableContent& right) {
  TableContent result;
  for (const auto& [set, elements] : left) {
    const auto other = right.find(set);
    for (const auto& [key, value] : elements) {
      const bool same =
          other != right.end() && other->second.contains(key) && other->second.at(key) == value;
      if (!same) result[set].emplace(key, value);
    }
  }
  return result;
}

TableContent conflicting(const TableContent& present, const TableContent& wanted) {
  // An interval set refuses an element that overlaps another in part. Its keys start with the
  // subnet.
  const auto subnet = [](std::string_view key) { return parse_cidr(key.substr(0, key.find(' '))); };
  TableContent result;
  for (const auto& [set, elements] : present) {
    const auto other = wanted.find(set);
    if (other == wanted.end()) continue;
    for (const auto& [key, value] : elements) {
      const Result<Cidr> mine = subnet(key);
      const bool clashes = std::ranges::any_of(other->second, [&](const auto& element) {
        const Result<Cidr> theirs = subnet(element.first);
        return element.first == key ||
               (mine.ok() && theirs.ok() && mine->subnet().overlaps(theirs->subnet()));
      });
      if (clashes) result[set].emplace(key, value);
    }
  }
  return result;
}

TableContent without_taken(const TableContent& content, const TableContent& wanted) {
  TableContent result;
  for (const auto& [set, elements] : content) {
    const auto other = wanted.find(set);
    for (const auto& [key, value] : elements) {
      const bool taken =
          other != wanted.end() && other->second.contains(key) && other->second.at(key) != value;
      if (!taken) result[set].emplace(key, value);
    }
  }
  return result;
}

void merge(TableContent& into, const TableContent& more) {
  for (const auto& [set, elements] : more) {
    for (const auto& [key, value] : elements) into[set].insert_or_assign(key, value);
  }
}

void subtract(TableContent& from, const TableContent& less) {
  for (const auto& [set, elements] : less) {
    const auto target = from.find(set);
    if (target == from.end()) continue;
    for (const auto& [key, value] : elements) target->second.erase(key);
  }
}

}  // namespace berth::network
