#include "network/firewall.h"

#include <utility>

#include "base/log.h"

namespace berth::network {

Result<std::unique_ptr<Firewall>> Firewall::open(std::string table) {
  TRY(check_table_name(table));
  std::unique_ptr<Firewall> firewall(new Firewall(std::move(table)));
  TRY(firewall->reconcile(false));
  return firewall;
}

Result<void> Firewall::reconcile(bool only) {
  const Result<Json> listing = nft_.list(fmt::format("list table ip {}", table_));
  if (!listing.ok() && listing.error().kind() != ErrorKind::kNotFound) {
    return Error(listing.error()).context("read the firewall table");
  }
  std::string commands;
  if (!listing.ok()) {
    commands = layout_commands(table_) + add_commands(table_, wanted_);
  } else if (Result<TableContent> actual = parse_table(*listing, table_); !actual.ok()) {
    // An older layout. One transaction replaces it; endpoints that are adopted afterwards bring
    // their ports back.
    log::warning("{}: it is replaced", actual.error().message());
    commands = fmt::format("delete table ip {}\n", table_) + layout_commands(table_) +
               add_commands(table_, wanted_);
  } else {
    // What an earlier process closed stays closed: it cannot be found out again.
    merge(wanted_, {{"closed", (*actual)["closed"]}});
    const TableContent missing = difference(wanted_, *actual);
    TableContent surplus = difference(*actual, wanted_);
    // What is left from before may still be claimed, unless it is in the way.
    if (!only) surplus = conflicting(surplus, missing);
    commands = delete_commands(table_, surplus) + add_commands(table_, missing);
  }
  if (commands.empty()) return {};
  return nft_.run(commands).context("program the firewall");
}

Result<void> Firewall::add(const TableContent& content) {
  const std::scoped_lock lock(mutex_);
  merge(wanted_, content);
  if (nft_.run(add_commands(table_, content)).ok()) return {};
  // The table is gone, or an element of an earlier process is in the way.
  Result<void> repaired = reconcile(false);
  if (!repaired.ok()) subtract(wanted_, content);
  return repaired;
}

Result<void> Firewall::add_bridge(const BridgeRules& rules) {
  const std::scoped_lock lock(mutex_);
  merge(wanted_, bridge_elements(rules));
  // Not add(): intervals are looked at before they are added, since an overlap with a stale one
  // would be refused.
  return reconcile(false).context(fmt::format("bridge {}", rules.name));
}

Result<void> Firewall::remove_bridge(const BridgeRules& rules) {
  return drop(bridge_elements(rules)).context(fmt::format("bridge {}", rules.name));
}

Result<void> Firewall::close_forwarding_between(std::span<const std::string> interfaces) {
  TableContent content;
  for (const std::string& interface : interfaces)
    content["closed"].emplace(interface_key(interface), "");
  return content.empty() ? Result<void>() : add(content);
}

Result<void> Firewall::publish(std::span<const PortBinding> ports, Ipv4 container) {
  TableContent content;
  for (const PortBinding& port : ports) merge(content, port_elements(port, container));
  return content.empty() ? Result<void>() : add(content);
}

Result<void> Firewall::revoke(std::span<const PortBinding> ports, Ipv4 container) {
  TableContent content;
  for (const PortBinding& port : ports) merge(content, port_elements(port, container));
  return content.empty() ? Result<void>() : drop(content);
}

Result<void> Firewall::drop(const TableContent& asked) {
  const std::scoped_lock lock(mutex_);
  // A port that was given to somebody else since is theirs.
  const TableContent content = without_taken(asked, wanted_);
  if (content.empty()) return {};
  subtract(wanted_, content);
  const Result<void> done = nft_.run(delete_commands(table_, content));
  if (done.ok() || done.error().kind() != ErrorKind::kNotFound) {
    return Result<void>(done).context("program the firewall");
  }
  // Deleting is all or nothing, and something of it is gone already: look what is left.
  const Result<Json> listing = nft_.list(fmt::format("list table ip {}", table_));
  if (!listing.ok()) return {};
  const TableContent present = TRY(parse_table(*listing, table_));
  const std::string commands =
      delete_commands(table_, difference(present, difference(present, content)));
  if (commands.empty()) return {};
  return nft_.run(commands).context("program the firewall");
}

Result<void> Firewall::remove_unclaimed() {
  const std::scoped_lock lock(mutex_);
  return reconcile(true);
}

Result<std::vector<std::string>> Firewall::closed_by(const std::string& table) {
  std::vector<std::string> names;
  const Result<Json> listing = Nft().list(fmt::format("list table ip {}", table));
  if (!listing.ok() && listing.error().kind() == ErrorKind::kNotFound) return names;
  if (!listing.ok()) return Error(listing.error()).context("read the firewall table");
  const Result<TableContent> content = parse_table(*listing, table);
  if (!content.ok()) return names;  // of another layout
  const auto closed = content->find("closed");
  if (closed == content->end()) return names;
  for (const auto& [key, value] : closed->second) names.push_back(interface_of_key(key));
  return names;
}

Result<void> Firewall::remove(const std::string& table, bool keep_closed) {
  TRY(check_table_name(table));
  Result<void> done =
      Nft().run(keep_closed ? release_commands(table) : fmt::format("delete table ip {}\n", table));
  if (!done.ok() && done.error().kind() == ErrorKind::kNotFound) return {};
  return std::move(done).context("remove the firewall table");
}

void Firewall::release_memory() {
  const std::scoped_lock lock(mutex_);
  nft_.release();
}

}  // namespace berth::network
