// IPv4 addresses and subnets as values: parsed once at the border, compared and counted as numbers
// afterwards.
#pragma once

#include <netinet/in.h>

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace berth::network {

/// An address in host byte order.
struct Ipv4 {
  std::uint32_t value = 0;

  in_addr network_order() const;
  static Ipv4 from_network_order(in_addr address);
  friend auto operator<=>(const Ipv4&, const Ipv4&) = default;
};

/// "172.17.0.2". Exactly four decimal numbers; kInvalid names the text.
Result<Ipv4> parse_ipv4(std::string_view text);
std::string to_string(Ipv4 address);

/// A block of addresses. Invariant: the bits of `base` below the prefix are zero.
struct Subnet {
  Ipv4 base;
  int prefix_length = 0;

  std::uint32_t mask() const;
  Ipv4 last() const { return Ipv4{base.value | ~mask()}; }
  bool contains(Ipv4 address) const { return (address.value & mask()) == base.value; }
  bool overlaps(const Subnet& other) const;
  friend bool operator==(const Subnet&, const Subnet&) = default;
};

Subnet subnet_of(Ipv4 address, int prefix_length);
std::string to_string(const Subnet& subnet);

/// An address together with the subnet that it is in: "10.88.0.1/24".
struct Cidr {
  Ipv4 address;
  int prefix_length = 0;
  Subnet subnet() const { return subnet_of(address, prefix_length); }
  friend bool operator==(const Cidr&, const Cidr&) = default;
};

/// kInvalid names the text.
Result<Cidr> parse_cidr(std::string_view text);

}  // namespace berth::network
