// The engine's nftables table as text: a layout that never changes while the table lives, and sets
// and maps whose elements are all that does. Rules cost milliseconds to change (a base chain waits
// for RCU), an element a tenth of one; and a table whose rules stand still can be adopted by the
// next daemon without closing a port. Pure functions.
//
//   bridges      ifname                                      the bridges of this engine
//   homes        subnet . ifname                             a subnet and the bridge it lives
//   behind subnets      subnet                                      the same, without the bridge
//   masqueraded  subnet                                      leaves the host under the host's
//   address internal     ifname                                      bridges without a way out or
//   in closed       ifname                                      host links that did not forward
//   before this engine came ports        protocol . port : address . port            published on
//   every address of the host ports_at     address . protocol . port : address . port  published on
//   one
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "network/cnm.h"
#include "network/ipv4.h"

namespace berth::network {

/// Key -> value of one set or map, as nft's text has them; the value is empty in a set.
using Elements = std::map<std::string, std::string>;
/// Set or map name -> its elements.
using TableContent = std::map<std::string, Elements, std::less<>>;

/// What the firewall knows of a bridge.
struct BridgeRules {
  std::string name;
  Subnet subnet;
  bool masquerade = true;
  bool internal = false;
};

/// Letters, digits, '_', '-' and '.', a letter first, at most 64: what goes into commands unquoted.
/// kInvalid names the text.
Result<void> check_table_name(std::string_view name);

/// Commands that make the table, empty. They fail if it exists.
std::string layout_commands(std::string_view table);
/// Commands that put elements in, and take them out (by key). Empty text where there are none.
std::string add_commands(std::string_view table, const TableContent& content);
std::string delete_commands(std::string_view table, const TableContent& content);

/// Commands that take everything out but what keeps links closed.
std::string release_commands(std::string_view table);

/// The elements that stand for a bridge, and for a published port. The caller has parsed `host_ip`;
/// none: every address.
TableContent bridge_elements(const BridgeRules& rules);
TableContent port_elements(const PortBinding& port, Ipv4 container);
/// An interface name as nft's text wants it. Only for names that is_plain_name() lets through.
std::string interface_key(std::string_view interface);
/// And back.
std::string interface_of_key(std::string_view key);
/// Letters, digits and "_-.@+": such a name can be quoted. The kernel allows stranger ones, quotes
/// among them.
bool is_plain_name(std::string_view interface);

/// What `list table` says. kConflict if the table has another layout than layout_commands() makes.
Result<TableContent> parse_table(const Json& listing, std::string_view table);

/// What is in `left` and not, or with another value, in `right`.
TableContent difference(const TableContent& left, const TableContent& right);
/// What of `present` must go before `wanted` can be added: the same key, or in an interval set an
/// overlapping subnet.
TableContent conflicting(const TableContent& present, const TableContent& wanted);
/// `content` but for the keys that have another value in `wanted`.
TableContent without_taken(const TableContent& content, const TableContent& wanted);
void merge(TableContent& into, const TableContent& more);
void subtract(TableContent& from, const TableContent& less);

}  // namespace berth::network
