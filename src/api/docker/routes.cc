#include "api/docker/routes.h"

#include <array>

#include "api/docker/handlers/handlers.h"

namespace berth::docker {
namespace {

constexpr std::string_view kNoExec = "exec is not supported yet";
constexpr std::string_view kNoCopy = "copying to and from containers is not supported yet";
constexpr std::string_view kNoBuild =
    "building images is not supported yet: build elsewhere, and load the result";
constexpr std::string_view kNoVolumes =
    "managing volumes is not supported yet: they come and go with their containers";
constexpr std::string_view kNoNetworks =
    "making and changing networks is not supported yet: use bridge, host or none";
constexpr std::string_view kNoPlugins = "plugins are not supported";
constexpr std::string_view kNoSwarm =
    "This node is not a swarm manager: swarm mode is not supported";

constexpr auto kRoutes = std::to_array<Route>({
    // The engine itself
    {"GET", "/_ping", ping, {}},
    {"HEAD", "/_ping", ping, {}},
    {"GET", "/version", version, {}},
    {"GET", "/info", info, {}},
    {"GET", "/events", events, {}},
    {"GET", "/system/df", disk_usage, {}},
    {"POST", "/system/check", image_check, {}},  // ours
    {"POST", "/auth", auth, {}},

    // Containers
    {"GET", "/containers/json", container_list, {}},
    {"POST", "/containers/create", container_create, {}},
    {"POST", "/containers/prune", container_prune, {}},
    {"GET", "/containers/{name}/json", container_inspect, {}},
    {"GET", "/containers/{name}/logs", container_logs, {}},
    {"GET", "/containers/{name}/top", container_top, {}},
    {"POST", "/containers/{name}/start", container_start, {}},
    {"POST", "/containers/{name}/stop", container_stop, {}},
    {"POST", "/containers/{name}/restart", container_restart, {}},
    {"POST", "/containers/{name}/kill", container_kill, {}},
    {"POST", "/containers/{name}/rename", container_rename, {}},
    {"POST", "/containers/{name}/resize", container_resize, {}},
    {"POST", "/containers/{name}/wait", container_wait, {}},
    {"POST", "/containers/{name}/attach", container_attach, {}},
    {"DELETE", "/containers/{name}", container_remove, {}},
    {"GET", "/containers/{name}/attach/ws", nullptr,
     "attaching by websocket is not supported yet: use attach"},
    {"GET", "/containers/{name}/changes", container_changes, {}},
    {"GET", "/containers/{name}/export", container_export, {}},
    {"GET", "/containers/{name}/stats", nullptr, "statistics are not supported yet"},
    {"POST", "/containers/{name}/update", nullptr, "updating containers is not supported yet"},
    {"POST", "/containers/{name}/pause", nullptr, "pausing containers is not supported yet"},
    {"POST", "/containers/{name}/unpause", nullptr, "pausing containers is not supported yet"},
    {"HEAD", "/containers/{name}/archive", nullptr, kNoCopy},
    {"GET", "/containers/{name}/archive", nullptr, kNoCopy},
    {"PUT", "/containers/{name}/archive", nullptr, kNoCopy},
    {"POST", "/containers/{name}/exec", nullptr, kNoExec},
    {"POST", "/exec/{name}/start", nullptr, kNoExec},
    {"POST", "/exec/{name}/resize", nullptr, kNoExec},
    {"GET", "/exec/{name}/json", nullptr, kNoExec},
    {"POST", "/commit", container_commit, {}},

    // Images. Those without a name come first: "json" could be one.
    {"GET", "/images/json", image_list, {}},
    {"POST", "/images/load", image_load, {}},
    {"POST", "/images/create", image_create, {}},
    {"POST", "/images/prune", image_prune, {}},
    {"GET", "/images/get", image_save, {}},
    {"GET", "/images/search", image_search, {}},
    {"GET", "/images/{name*}/json", image_inspect, {}},
    {"GET", "/images/{name*}/history", image_history, {}},
    {"GET", "/images/{name*}/get", image_save, {}},
    {"POST", "/images/{name*}/tag", image_tag, {}},
    {"POST", "/images/{name*}/push", image_push, {}},
    {"DELETE", "/images/{name*}", image_remove, {}},
    {"GET", "/distribution/{name*}/json", distribution_inspect, {}},
    {"POST", "/build", nullptr, kNoBuild},
    {"POST", "/build/prune", nullptr, kNoBuild},
    {"POST", "/build/cancel", nullptr, kNoBuild},
    {"POST", "/session", nullptr, kNoBuild},
    {"POST", "/grpc", nullptr, kNoBuild},

    // Networks
    {"GET", "/networks", network_list, {}},
    {"GET", "/networks/", network_list, {}},
    {"GET", "/networks/{name}", network_inspect, {}},
    {"POST", "/networks/create", nullptr, kNoNetworks},
    {"POST", "/networks/prune", nullptr, kNoNetworks},
    {"POST", "/networks/{name}/connect", nullptr, kNoNetworks},
    {"POST", "/networks/{name}/disconnect", nullptr, kNoNetworks},
    {"DELETE", "/networks/{name}", nullptr, kNoNetworks},

    // Volumes
    {"GET", "/volumes", nullptr, kNoVolumes},
    {"GET", "/volumes/{name}", nullptr, kNoVolumes},
    {"POST", "/volumes/create", nullptr, kNoVolumes},
    {"POST", "/volumes/prune", nullptr, kNoVolumes},
    {"PUT", "/volumes/{name}", nullptr, kNoVolumes},
    {"DELETE", "/volumes/{name}", nullptr, kNoVolumes},

    // Plugins
    {"GET", "/plugins", nullptr, kNoPlugins},
    {"GET", "/plugins/privileges", nullptr, kNoPlugins},
    {"POST", "/plugins/pull", nullptr, kNoPlugins},
    {"POST", "/plugins/create", nullptr, kNoPlugins},
    {"GET", "/plugins/{name*}/json", nullptr, kNoPlugins},
    {"POST", "/plugins/{name*}/enable", nullptr, kNoPlugins},
    {"POST", "/plugins/{name*}/disable", nullptr, kNoPlugins},
    {"POST", "/plugins/{name*}/upgrade", nullptr, kNoPlugins},
    {"POST", "/plugins/{name*}/push", nullptr, kNoPlugins},
    {"POST", "/plugins/{name*}/set", nullptr, kNoPlugins},
    {"DELETE", "/plugins/{name*}", nullptr, kNoPlugins},

    // Swarm
    {"GET", "/swarm", nullptr, kNoSwarm},
    {"GET", "/swarm/unlockkey", nullptr, kNoSwarm},
    {"POST", "/swarm/{name}", nullptr, kNoSwarm},
    {"GET", "/nodes", nullptr, kNoSwarm},
    {"GET", "/nodes/{name}", nullptr, kNoSwarm},
    {"DELETE", "/nodes/{name}", nullptr, kNoSwarm},
    {"POST", "/nodes/{name}/update", nullptr, kNoSwarm},
    {"GET", "/services", nullptr, kNoSwarm},
    {"GET", "/services/{name}", nullptr, kNoSwarm},
    {"GET", "/services/{name}/logs", nullptr, kNoSwarm},
    {"POST", "/services/create", nullptr, kNoSwarm},
    {"POST", "/services/{name}/update", nullptr, kNoSwarm},
    {"DELETE", "/services/{name}", nullptr, kNoSwarm},
    {"GET", "/tasks", nullptr, kNoSwarm},
    {"GET", "/tasks/{name}", nullptr, kNoSwarm},
    {"GET", "/tasks/{name}/logs", nullptr, kNoSwarm},
    {"GET", "/secrets", nullptr, kNoSwarm},
    {"GET", "/secrets/{name}", nullptr, kNoSwarm},
    {"POST", "/secrets/create", nullptr, kNoSwarm},
    {"POST", "/secrets/{name}/update", nullptr, kNoSwarm},
    {"DELETE", "/secrets/{name}", nullptr, kNoSwarm},
    {"GET", "/configs", nullptr, kNoSwarm},
    {"GET", "/configs/{name}", nullptr, kNoSwarm},
    {"POST", "/configs/create", nullptr, kNoSwarm},
    {"POST", "/configs/{name}/update", nullptr, kNoSwarm},
    {"DELETE", "/configs/{name}", nullptr, kNoSwarm},
});

}  // namespace

std::span<const Route> routes() {
  return kRoutes;
}

}  // namespace berth::docker
