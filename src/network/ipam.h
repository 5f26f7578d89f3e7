// IPAM: which address of which network is taken. Addresses are handed out in turn rather than
// lowest first, so that one that was just freed rests as long as possible: caches and connection
// tracking may still know its last owner. Nothing is stored: after a restart the endpoints that are
// adopted say what is taken.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <vector>

#include "base/result.h"
#include "network/cnm.h"
#include "network/ipv4.h"

namespace berth::network {

/// The addresses of one subnet: a bitmap. The network's own, its broadcast and the gateway are
/// never handed out. Not thread-safe.
class AddressPool {
 public:
  /// Below /8 a bitmap would take megabytes, above /30 there is nothing to hand out.
  static Result<AddressPool> create(const Subnet& subnet, Ipv4 gateway);

  /// The next free address after the one handed out last. kExhausted when there is none.
  Result<Ipv4> allocate();
  /// Takes a given address. kInvalid if it is not of this pool, kConflict if taken.
  Result<void> reserve(Ipv4 address);
  /// Gives an address back; one that is not taken is fine.
  void release(Ipv4 address);

  const Subnet& subnet() const { return subnet_; }

 private:
  AddressPool(const Subnet& subnet, Ipv4 gateway);
  std::uint32_t size() const { return ~subnet_.mask(); }  // offset of the broadcast address
  bool taken(std::uint32_t offset) const { return (bitmap_[offset / 64] >> offset % 64 & 1) != 0; }
  void mark(std::uint32_t offset) { bitmap_[offset / 64] |= std::uint64_t{1} << offset % 64; }
  bool usable(Ipv4 address) const;

  Subnet subnet_;
  Ipv4 gateway_;
  std::uint32_t last_ = 0;  // offset handed out last
  std::vector<std::uint64_t> bitmap_;
};

/// The pools of every network. Thread-safe.
class Ipam {
 public:
  /// Adds a pool, or does nothing if the network has this very one already.
  Result<void> add_pool(const NetworkId& network, const Subnet& subnet, Ipv4 gateway);
  void remove_pool(const NetworkId& network);

  /// `wanted` empty: the next free one.
  Result<Ipv4> allocate(const NetworkId& network, std::string_view wanted);
  void release(const NetworkId& network, Ipv4 address);

 private:
  std::mutex mutex_;
  std::map<NetworkId, AddressPool> pools_;  // GUARDED_BY(mutex_)
};

}  // namespace berth::network
