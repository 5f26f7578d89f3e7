#include "api/docker/routes.h"

#include <array>

#include "api/docker/handlers/handlers.h"

namespace berth::docker {
namespace {

constexpr auto kRoutes = std::to_array<Route>({
    {"GET", "/_ping", ping, {}},
    {"HEAD", "/_ping", ping, {}},
    {"GET", "/version", version, {}},
    {"GET", "/info", info, {}},
    {"POST", "/auth", auth, {}},
});

}  // namespace

std::span<const Route> routes() {
  return kRoutes;
}

}  // namespace berth::docker
