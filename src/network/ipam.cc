#include "network/ipam.h"

#include <utility>

namespace berth::network {
namespace {

constexpr int kLargestPool = 8;
constexpr int kSmallestPool = 30;

}  // namespace

Result<AddressPool> AddressPool::create(const Subnet& subnet, Ipv4 gateway) {
  if (subnet.prefix_length < kLargestPool || subnet.prefix_length > kSmallestPool) {
    return fail(ErrorKind::kInvalid, "subnet {}: the prefix length must be between {} and {}",
                to_string(subnet), kLargestPool, kSmallestPool);
  }
  if (!subnet.contains(gateway) || gateway == subnet.base || gateway == subnet.last()) {
    return fail(ErrorKind::kInvalid, "gateway {} is no host address of subnet {}",
                to_string(gateway), to_string(subnet));
  }
  return AddressPool(subnet, gateway);
}

AddressPool::AddressPool(const Subnet& subnet, Ipv4 gateway)
    : subnet_(subnet), gateway_(gateway), bitmap_(size() / 64 + 1) {
  mark(0);
  mark(size());
  mark(gateway.value - subnet.base.value);
}

bool AddressPool::usable(Ipv4 address) const {
  return subnet_.contains(address) && address != subnet_.base && address != subnet_.last() &&
         address != gateway_;
}

Result<Ipv4> AddressPool::allocate() {
  for (std::uint32_t step = 1; step <= size(); ++step) {
    const std::uint32_t offset = (last_ + step) % (size() + 1);
    if (taken(offset)) continue;
    mark(offset);
    last_ = offset;
    return Ipv4{subnet_.base.value + offset};
  }
  return fail(ErrorKind::kExhausted,
              "no free address is left in subnet {} ({} in use): remove containers that are not "
              "needed, or use a network "
              "with a larger subnet",
              to_string(subnet_), size() - 2);
}

Result<void> AddressPool::reserve(Ipv4 address) {
  if (!usable(address)) {
    return fail(ErrorKind::kInvalid,
                "address {} cannot be given to a container: choose a free one of subnet {}",
                to_string(address), to_string(subnet_));
  }
  if (taken(address.value - subnet_.base.value)) {
    return fail(ErrorKind::kConflict,
                "address {} is in use already: choose another one of subnet {}", to_string(address),
                to_string(subnet_));
  }
  mark(address.value - subnet_.base.value);
  return {};
}

void AddressPool::release(Ipv4 address) {
  if (!usable(address)) return;
  const std::uint32_t offset = address.value - subnet_.base.value;
  bitmap_[offset / 64] &= ~(std::uint64_t{1} << offset % 64);
}

Result<void> Ipam::add_pool(const NetworkId& network, const Subnet& subnet, Ipv4 gateway) {
  const std::scoped_lock lock(mutex_);
  const auto existing = pools_.find(network);
  if (existing != pools_.end() && existing->second.subnet() == subnet) return {};
  pools_.insert_or_assign(network, TRY(AddressPool::create(subnet, gateway)));
  return {};
}

void Ipam::remove_pool(const NetworkId& network) {
  const std::scoped_lock lock(mutex_);
  pools_.erase(network);
}

Result<Ipv4> Ipam::allocate(const NetworkId& network, std::string_view wanted) {
  const std::scoped_lock lock(mutex_);
  const auto pool = pools_.find(network);
  if (pool == pools_.end())
    return fail(ErrorKind::kNotFound, "network {} has no address pool", network.brief());
  if (wanted.empty()) return pool->second.allocate();
  const Ipv4 address = TRY(parse_ipv4(wanted));
  TRY(pool->second.reserve(address));
  return address;
}

void Ipam::release(const NetworkId& network, Ipv4 address) {
  const std::scoped_lock lock(mutex_);
  const auto pool = pools_.find(network);
  if (pool != pools_.end()) pool->second.release(address);
}

}  // namespace berth::network
