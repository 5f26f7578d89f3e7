#include "api/docker/wire/network.h"

#include "api/docker/wire/ports.h"

namespace berth::docker {
namespace {

using engine::WorkloadView;
using network::Endpoint;
using network::NetworkInfo;

OrderedJson endpoint_json(const WorkloadView& view, const Endpoint& endpoint) {
  OrderedJson json;
  json["IPAMConfig"] = nullptr;
  if (!view.config.static_address.empty())
    json["IPAMConfig"] = {{"IPv4Address", view.config.static_address}};
  json["Links"] = nullptr;
  json["Aliases"] = nullptr;
  json["MacAddress"] = endpoint.mac;
  json["DriverOpts"] = nullptr;
  json["NetworkID"] = endpoint.network.str();
  json["EndpointID"] = endpoint.id.str();
  json["Gateway"] = endpoint.gateway;
  json["IPAddress"] = endpoint.address;
  json["IPPrefixLen"] = endpoint.prefix_length;
  json["IPv6Gateway"] = "";
  json["GlobalIPv6Address"] = "";
  json["GlobalIPv6PrefixLen"] = 0;
  json["DNSNames"] = nullptr;
  return json;
}

OrderedJson members_json(const NetworkInfo& network, const std::vector<WorkloadView>& members) {
  OrderedJson containers = OrderedJson::object();
  for (const WorkloadView& view : members) {
    if (!view.status.endpoint || view.status.endpoint->network != network.id) continue;
    const Endpoint& endpoint = *view.status.endpoint;
    const std::string address =
        endpoint.address.empty() ? ""
                                 : fmt::format("{}/{}", endpoint.address, endpoint.prefix_length);
    containers[view.id.str()] = {{"Name", view.name},
                                 {"EndpointID", endpoint.id.str()},
                                 {"MacAddress", endpoint.mac},
                                 {"IPv4Address", address},
                                 {"IPv6Address", ""}};
  }
  return containers;
}

}  // namespace

OrderedJson endpoints_json(const WorkloadView& view) {
  Endpoint none;
  none.network_name = view.config.network_mode;
  const Endpoint& endpoint = view.status.endpoint ? *view.status.endpoint : none;
  return {{endpoint.network_name, endpoint_json(view, endpoint)}};
}

OrderedJson network_settings_json(const WorkloadView& view) {
  const Endpoint endpoint = view.status.endpoint.value_or(Endpoint());
  OrderedJson json;
  json["Bridge"] = "";
  json["SandboxID"] = "";
  json["SandboxKey"] = view.status.pid > 0 ? fmt::format("/proc/{}/ns/net", view.status.pid) : "";
  json["Ports"] = open_ports_json(view);
  json["HairpinMode"] = false;
  json["LinkLocalIPv6Address"] = "";
  json["LinkLocalIPv6PrefixLen"] = 0;
  json["SecondaryIPAddresses"] = nullptr;
  json["SecondaryIPv6Addresses"] = nullptr;
  json["EndpointID"] = endpoint.id.str();
  json["Gateway"] = endpoint.gateway;
  json["GlobalIPv6Address"] = "";
  json["GlobalIPv6PrefixLen"] = 0;
  json["IPAddress"] = endpoint.address;
  json["IPPrefixLen"] = endpoint.prefix_length;
  json["IPv6Gateway"] = "";
  json["MacAddress"] = endpoint.mac;
  json["Networks"] = endpoints_json(view);
  return json;
}

OrderedJson network_json(const NetworkInfo& network, const std::vector<WorkloadView>* members) {
  OrderedJson json;
  json["Name"] = network.name;
  json["Id"] = network.id.str();
  json["Created"] = network.created;
  json["Scope"] = "local";
  json["Driver"] = network.driver;
  json["EnableIPv4"] = true;
  json["EnableIPv6"] = false;
  OrderedJson pools = OrderedJson::array();
  if (!network.subnet.empty())
    pools.push_back({{"Subnet", network.subnet}, {"Gateway", network.gateway}});
  json["IPAM"] = {{"Driver", "default"}, {"Options", nullptr}, {"Config", pools}};
  json["Internal"] = network.internal;
  json["Attachable"] = false;
  json["Ingress"] = false;
  json["ConfigFrom"] = {{"Network", ""}};
  json["ConfigOnly"] = false;
  json["Containers"] = members == nullptr ? OrderedJson::object() : members_json(network, *members);
  json["Options"] = network.options;
  json["Labels"] = OrderedJson::object();
  return json;
}

}  // namespace berth::docker
