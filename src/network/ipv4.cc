#include "network/ipv4.h"

#include <arpa/inet.h>

#include <charconv>

namespace berth::network {

in_addr Ipv4::network_order() const {
  return in_addr{htonl(value)};
}
Ipv4 Ipv4::from_network_order(in_addr address) {
  return Ipv4{ntohl(address.s_addr)};
}

Result<Ipv4> parse_ipv4(std::string_view text) {
  in_addr address{};
  // inet_pton takes only the four-number form, and no leading zeros that others would read as
  // octal.
  if (text.find('\0') != text.npos ||
      ::inet_pton(AF_INET, std::string(text).c_str(), &address) != 1) {
    return fail(ErrorKind::kInvalid, "'{}' is no IPv4 address: write it as 172.17.0.2", text);
  }
  return Ipv4::from_network_order(address);
}

std::string to_string(Ipv4 address) {
  return fmt::format("{}.{}.{}.{}", address.value >> 24, address.value >> 16 & 255,
                     address.value >> 8 & 255, address.value & 255);
}

std::uint32_t Subnet::mask() const {
  return prefix_length == 0 ? 0 : ~std::uint32_t{0} << (32 - prefix_length);
}

bool Subnet::overlaps(const Subnet& other) const {
  return contains(other.base) || other.contains(base);
}

Subnet subnet_of(Ipv4 address, int prefix_length) {
  Subnet subnet{address, prefix_length};
  subnet.base.value &= subnet.mask();
  return subnet;
}

std::string to_string(const Subnet& subnet) {
  return fmt::format("{}/{}", to_string(subnet.base), subnet.prefix_length);
}

Result<Cidr> parse_cidr(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash != text.npos) {
    const Result<Ipv4> address = parse_ipv4(text.substr(0, slash));
    const std::string_view digits = text.substr(slash + 1);
    int prefix_length = -1;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), prefix_length);
    if (address.ok() && error == std::errc{} && end == digits.data() + digits.size() &&
        prefix_length >= 0 && prefix_length <= 32) {
      return Cidr{*address, prefix_length};
    }
  }
  return fail(ErrorKind::kInvalid,
              "'{}' is no IPv4 address with a prefix length: write it as 10.88.0.1/24", text);
}

}  // namespace berth::network
