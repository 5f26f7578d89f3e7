// Firewall: this engine's own nftables table. What it should hold is kept here; changes go to the
// kernel as single atomic transactions of elements. A table that an earlier process left is adopted
// as it is, so no port closes; one that somebody flushed is made anew, complete, at the next
// change. Other tables are never touched. Thread-safe.
#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "network/firewall_table.h"
#include "network/nft.h"

namespace berth::network {

class Firewall {
 public:
  /// Makes or adopts the table `ip <table>` in the calling thread's namespace.
  static Result<std::unique_ptr<Firewall>> open(std::string table);

  Result<void> add_bridge(const BridgeRules& rules);
  Result<void> remove_bridge(const BridgeRules& rules);
  /// The links that an engine closed (close_forwarding_between()) by the table it left, or has.
  /// None without a table.
  static Result<std::vector<std::string>> closed_by(const std::string& table);
  /// Takes the table of an engine that is gone, or is about to go, off the host; without one: fine.
  /// With `keep_closed` it stays, and of its content what keeps links closed.
  static Result<void> remove(const std::string& table, bool keep_closed);

  /// Nothing is forwarded between any two of these host links.
  Result<void> close_forwarding_between(std::span<const std::string> interfaces);

  /// Sends the ports to `container`, all or none of them. Ports have their host_port filled in.
  Result<void> publish(std::span<const PortBinding> ports, Ipv4 container);
  Result<void> revoke(std::span<const PortBinding> ports, Ipv4 container);

  /// Removes what an earlier process left and nobody asked for since.
  Result<void> remove_unclaimed();
  /// Gives the library's memory back; a background thread calls it when nothing changed for a
  /// while.
  void release_memory();

 private:
  explicit Firewall(std::string table) : table_(std::move(table)) {}
  Result<void> add(const TableContent& content);
  /// Takes elements out; those that are gone already, or are somebody else's by now, are fine.
  Result<void> drop(const TableContent& asked);
  /// Makes the kernel hold everything in wanted_; with `only`, nothing else.
  Result<void> reconcile(bool only);

  const std::string table_;
  std::mutex mutex_;
  Nft nft_;              // GUARDED_BY(mutex_)
  TableContent wanted_;  // GUARDED_BY(mutex_)
};

}  // namespace berth::network
