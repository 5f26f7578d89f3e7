#include "network/sandbox.h"

#include <utility>

#include "base/log.h"
#include "network/sysctl.h"
#include "sys/netns.h"

namespace berth::network {
namespace {

/// Runs inside the namespace: /proc/sys/net shows the reader's own.
void relax_inside() {
  struct Setting {
    std::string_view name;
    std::string_view value;
  };
  constexpr Setting kSettings[] = {
      {"net/ipv4/ping_group_range", "0 2147483647"},
      {"net/ipv4/ip_unprivileged_port_start", "0"},
  };
  for (const Setting& setting : kSettings) {
    // A comfort, not a wall: where /proc/sys is read-only the sandbox works without.
    const Result<void> written = write_sysctl(setting.name, setting.value);
    if (!written.ok()) log::debug("sandbox: {}", written.error().message());
  }
}

}  // namespace

Result<Sandbox> Sandbox::create() {
  std::optional<sys::RouteSocket> route;
  UniqueFd netns = TRY(sys::create_network_namespace([&]() -> Result<void> {
                         relax_inside();
                         route.emplace(TRY(sys::RouteSocket::open()));
                         return route->set_up(TRY(route->link("lo")));
                       }).context("sandbox"));
  return Sandbox(std::move(netns), std::move(*route));
}

}  // namespace berth::network
