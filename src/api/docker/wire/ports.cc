#include "api/docker/wire/ports.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace berth::docker {
namespace {

using network::PortBinding;
using network::Protocol;

// Bindings of one container: no request in good faith has more, and each costs a rule.
constexpr std::size_t kMaxBindings = 4096;

struct ProtocolName {
  Protocol protocol;
  std::string_view name;
};
constexpr std::array kProtocols = {ProtocolName{Protocol::kTcp, "tcp"},
                                   ProtocolName{Protocol::kUdp, "udp"},
                                   ProtocolName{Protocol::kSctp, "sctp"}};

bool parse_port(std::string_view text, std::uint16_t& port) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return !text.empty() && error == std::errc() && end == text.data() + text.size();
}

std::string key_of(const PortBinding& binding) {
  return fmt::format("{}/{}", binding.container_port, to_string(binding.protocol));
}

// What is published as every address is shown as Docker does.
std::string shown_ip(const PortBinding& binding) {
  return binding.host_ip.empty() ? "0.0.0.0" : binding.host_ip;
}

Result<std::uint16_t> parse_host_port(const std::string& text) {
  std::uint16_t port = 0;
  if (text.empty()) return port;
  if (parse_port(text, port)) return port;
  if (text.find('-') != std::string::npos)
    return fail(ErrorKind::kUnsupported,
                "a range of host ports ('{}') is not supported yet: name one port", text);
  return fail(ErrorKind::kInvalid, "invalid port specification: \"{}\"", text);
}

}  // namespace

std::string_view to_string(Protocol protocol) {
  const auto found = std::ranges::find(kProtocols, protocol, &ProtocolName::protocol);
  return found == kProtocols.end() ? "tcp" : found->name;
}

Result<ContainerPort> parse_container_port(std::string_view text) {
  const std::size_t slash = text.find('/');
  ContainerPort parsed;
  if (!parse_port(text.substr(0, slash), parsed.port) || parsed.port == 0)
    return fail(ErrorKind::kInvalid, "invalid port '{}': write PORT/PROTOCOL", text);
  if (slash == std::string_view::npos) return parsed;
  const auto found = std::ranges::find(kProtocols, text.substr(slash + 1), &ProtocolName::name);
  if (found == kProtocols.end())
    return fail(ErrorKind::kInvalid, "invalid port '{}': the protocol is one of tcp, udp and sctp",
                text);
  parsed.protocol = found->protocol;
  return parsed;
}

Result<std::vector<PortBinding>> parse_port_bindings(const Json& bindings) {
  std::vector<PortBinding> ports;
  if (!bindings.is_object()) return fail(ErrorKind::kInvalid, "PortBindings is not an object");
  for (const auto& [key, list] : bindings.items()) {
    const ContainerPort container = TRY(parse_container_port(key));
    PortBinding binding{
        .protocol = container.protocol, .container_port = container.port, .host_ip = {}};
    if (list.is_null() || (list.is_array() && list.empty())) {
      ports.push_back(binding);
      continue;
    }
    if (!list.is_array())
      return fail(ErrorKind::kInvalid, "PortBindings of '{}' is not a list", key);
    for (const Json& item : list) {
      if (!item.is_object())
        return fail(ErrorKind::kInvalid, "PortBindings of '{}' holds something else", key);
      binding.host_ip = TRY(get_string(item, "HostIp"));
      if (binding.host_ip == "0.0.0.0") binding.host_ip.clear();
      binding.host_port = TRY(parse_host_port(TRY(get_string(item, "HostPort"))));
      ports.push_back(binding);
    }
    if (ports.size() > kMaxBindings)
      return fail(ErrorKind::kExhausted, "more than {} port bindings", kMaxBindings);
  }
  return ports;
}

OrderedJson port_bindings_json(const std::vector<PortBinding>& ports) {
  OrderedJson map = OrderedJson::object();
  for (const PortBinding& binding : ports) {
    map[key_of(binding)].push_back(
        {{"HostIp", binding.host_ip},
         {"HostPort", binding.host_port == 0 ? "" : std::to_string(binding.host_port)}});
  }
  return map;
}

OrderedJson open_ports_json(const engine::WorkloadView& view) {
  OrderedJson map = OrderedJson::object();
  if (!view.status.endpoint) return map;
  for (const std::string& exposed : view.config.exposed_ports) map[exposed] = nullptr;
  for (const PortBinding& binding : view.status.endpoint->ports) {
    map[key_of(binding)].push_back(
        {{"HostIp", shown_ip(binding)}, {"HostPort", std::to_string(binding.host_port)}});
  }
  return map;
}

OrderedJson port_list_json(const engine::WorkloadView& view) {
  OrderedJson list = OrderedJson::array();
  if (!view.status.endpoint) return list;
  const std::vector<PortBinding>& open = view.status.endpoint->ports;
  for (const PortBinding& binding : open) {
    list.push_back({{"IP", shown_ip(binding)},
                    {"PrivatePort", binding.container_port},
                    {"PublicPort", binding.host_port},
                    {"Type", to_string(binding.protocol)}});
  }
  for (const std::string& exposed : view.config.exposed_ports) {
    const auto port = parse_container_port(exposed);
    if (!port.ok()) continue;
    const bool published = std::ranges::any_of(open, [&](const PortBinding& binding) {
      return binding.container_port == port->port && binding.protocol == port->protocol;
    });
    if (!published)
      list.push_back({{"PrivatePort", port->port}, {"Type", to_string(port->protocol)}});
  }
  return list;
}

}  // namespace berth::docker
