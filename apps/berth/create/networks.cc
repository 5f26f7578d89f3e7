#include "berth/create/networks.h"

#include <charconv>

#include "berth/create/pairs.h"

namespace berth::cli {
namespace {

struct NetworkFlag {
  std::string name;
  Json endpoint = Json::object();
};

Result<void> set_field(NetworkFlag& network, const std::string& field) {
  const auto equals = field.find('=');
  if (equals == std::string::npos || equals == 0)
    return fail(ErrorKind::kInvalid, "invalid field {}", field);
  const std::string key = field.substr(0, equals);
  const std::string value = field.substr(equals + 1);
  Json& endpoint = network.endpoint;
  if (key == "name") {
    network.name = value;
  } else if (key == "alias") {
    endpoint["Aliases"].push_back(value);
  } else if (key == "ip") {
    endpoint["IPAMConfig"]["IPv4Address"] = value;
  } else if (key == "ip6") {
    endpoint["IPAMConfig"]["IPv6Address"] = value;
  } else if (key == "link-local-ip") {
    endpoint["IPAMConfig"]["LinkLocalIPs"].push_back(value);
  } else if (key == "mac-address") {
    endpoint["MacAddress"] = value;
  } else if (key == "driver-opt") {
    const auto inner = value.find('=');
    if (inner == std::string::npos || inner == 0)
      return fail(ErrorKind::kInvalid, "invalid key value pair format in driver options");
    endpoint["DriverOpts"][value.substr(0, inner)] = value.substr(inner + 1);
  } else if (key == "gw-priority") {
    int priority = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), priority);
    if (error != std::errc() || end != value.data() + value.size())
      return fail(ErrorKind::kInvalid, "invalid gw-priority ({}): it must be a whole number",
                  value);
    endpoint["GwPriority"] = priority;
  } else {
    return fail(ErrorKind::kInvalid, "invalid field key {}", key);
  }
  return {};
}

Result<NetworkFlag> parse_network(const std::string& text) {
  NetworkFlag network;
  if (text.find('=') == std::string::npos) {
    network.name = text;
    return network;
  }
  for (const auto& field : TRY(split_csv(text))) TRY(set_field(network, field));
  if (network.name.empty()) return fail(ErrorKind::kInvalid, "network name/id is not specified");
  return network;
}

// --ip, --network-alias and their like describe the first network.
void add_flags(Json& endpoint, const CreateOptions& options) {
  for (const auto& alias : options.network_aliases) endpoint["Aliases"].push_back(alias);
  if (!options.links.empty()) endpoint["Links"] = options.links;
  if (!options.ip.empty()) endpoint["IPAMConfig"]["IPv4Address"] = options.ip;
  if (!options.ip6.empty()) endpoint["IPAMConfig"]["IPv6Address"] = options.ip6;
  if (!options.mac_address.empty()) endpoint["MacAddress"] = options.mac_address;
}

}  // namespace

Result<NetworkRequest> parse_networks(const CreateOptions& options) {
  NetworkRequest request{"default", Json::object()};
  const std::vector<std::string> names =
      options.networks.empty() ? std::vector<std::string>{"default"} : options.networks;
  for (std::size_t i = 0; i < names.size(); ++i) {
    auto parsed = parse_network(names[i]);
    if (!parsed.ok()) return invalid_argument("network", names[i], parsed.error().message());
    if (i == 0) {
      request.mode = parsed->name;
      add_flags(parsed->endpoint, options);
    }
    if (request.endpoints.contains(parsed->name))
      return fail(ErrorKind::kInvalid, "network \"{}\" is specified multiple times", parsed->name);
    if (!parsed->endpoint.empty() || names.size() > 1)
      request.endpoints[parsed->name] = std::move(parsed->endpoint);
  }
  return request;
}

}  // namespace berth::cli
