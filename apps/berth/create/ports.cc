#include "berth/create/ports.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <optional>

namespace berth::cli {
namespace {

constexpr std::array<std::string_view, 3> kProtocols = {"tcp", "udp", "sctp"};

struct Range {
  std::uint16_t first = 0;
  std::uint16_t last = 0;
  std::size_t size() const { return static_cast<std::size_t>(last - first) + 1; }
};

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

std::optional<Range> parse_range(std::string_view text) {
  const auto dash = text.find('-');
  const auto first = parse_port(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : parse_port(text.substr(dash + 1));
  if (!first || !last || *last < *first) return std::nullopt;
  return Range{*first, *last};
}

bool is_address(const std::string& text) {
  std::array<unsigned char, 16> ignored{};
  return ::inet_pton(AF_INET, text.c_str(), ignored.data()) == 1 ||
         ::inet_pton(AF_INET6, text.c_str(), ignored.data()) == 1;
}

// The protocol behind the slash, taken off `text`.
Result<std::string> take_protocol(std::string_view& text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return std::string("tcp");
  std::string protocol(text.substr(slash + 1));
  text = text.substr(0, slash);
  std::ranges::transform(protocol, protocol.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (std::ranges::find(kProtocols, protocol) == kProtocols.end())
    return fail(ErrorKind::kInvalid, "invalid proto: {}", protocol);
  return protocol;
}

// "target=80,published=8080,protocol=udp,mode=host" as the short form.
Result<std::string> short_form(std::string_view text) {
  std::string target;
  std::string published;
  std::string protocol = "tcp";
  for (std::string_view rest = text; !rest.empty();) {
    const auto comma = rest.find(',');
    const std::string_view field = rest.substr(0, comma);
    rest = comma == std::string_view::npos ? "" : rest.substr(comma + 1);
    const auto equals = field.find('=');
    const std::string_view key = field.substr(0, equals);
    const std::string_view value = equals == std::string_view::npos ? "" : field.substr(equals + 1);
    if (key == "target") {
      target = value;
    } else if (key == "published") {
      published = value;
    } else if (key == "protocol") {
      protocol = value;
    } else if (key != "mode") {
      return fail(ErrorKind::kInvalid, "invalid field '{}' in '{}'", key, text);
    }
  }
  return fmt::format("{}{}{}/{}", published, published.empty() ? "" : ":", target, protocol);
}

}  // namespace

std::string PublishedPort::key() const {
  return fmt::format("{}/{}", container_port, protocol);
}

Result<std::vector<PublishedPort>> parse_publish(std::string_view text) {
  if (text.find('=') != std::string_view::npos) {
    const std::string converted = TRY(short_form(text));
    return parse_publish(converted);
  }
  std::string_view rest = text;
  const std::string protocol = TRY(take_protocol(rest));

  const auto last_colon = rest.rfind(':');
  const std::string_view container =
      last_colon == std::string_view::npos ? rest : rest.substr(last_colon + 1);
  std::string_view host = last_colon == std::string_view::npos ? "" : rest.substr(0, last_colon);
  std::string address;
  // What is left of the host port is an address, IPv6 in brackets or not: "[::1]:80", "::1:80".
  if (const auto colon = host.rfind(':'); colon != std::string_view::npos) {
    address = host.substr(0, colon);
    host.remove_prefix(colon + 1);
    if (address.starts_with('[') && address.ends_with(']'))
      address = address.substr(1, address.size() - 2);
    if (!address.empty() && !is_address(address))
      return fail(ErrorKind::kInvalid, "invalid IP address: {}", address);
  }
  if (container.empty()) return fail(ErrorKind::kInvalid, "no port specified: {}<empty>", text);
  const auto inside = parse_range(container);
  if (!inside) return fail(ErrorKind::kInvalid, "invalid containerPort: {}", container);
  std::optional<Range> outside;
  if (!host.empty()) {
    outside = parse_range(host);
    if (!outside) return fail(ErrorKind::kInvalid, "invalid hostPort: {}", host);
    // One port inside may take any of a range outside; otherwise the two go in step.
    if (inside->size() != 1 && inside->size() != outside->size())
      return fail(ErrorKind::kInvalid,
                  "invalid ranges specified for container and host Ports: {} and {}", container,
                  host);
  }

  std::vector<PublishedPort> ports;
  for (std::size_t i = 0; i < inside->size(); ++i) {
    PublishedPort port;
    port.container_port = static_cast<std::uint16_t>(inside->first + i);
    port.protocol = protocol;
    port.host_ip = address;
    if (outside)
      port.host_port =
          inside->size() == 1 ? std::string(host) : fmt::format("{}", outside->first + i);
    ports.push_back(std::move(port));
  }
  return ports;
}

Result<std::vector<std::string>> parse_expose(std::string_view text) {
  std::string_view rest = text;
  const std::string protocol = TRY(take_protocol(rest));
  const auto range = parse_range(rest);
  if (!range) return fail(ErrorKind::kInvalid, "invalid range format for --expose: {}", text);
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < range->size(); ++i)
    keys.push_back(fmt::format("{}/{}", range->first + i, protocol));
  return keys;
}

}  // namespace berth::cli
