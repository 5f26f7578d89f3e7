// Creation: from a request to a record, a writable layer and a directory; nothing runs yet.
#include <sys/stat.h>

#include <algorithm>

#include "base/log.h"
#include "base/scope_exit.h"
#include "engine/config_merge.h"
#include "engine/engine_impl.h"
#include "sys/dir.h"

namespace berth::engine {
namespace {

// A bind's source as it will be mounted: made if the request allows, and there either way.
Result<void> check_bind_source(const MountRequest& request) {
  struct stat status{};
  if (::stat(request.source.c_str(), &status) == 0) return {};
  if (errno != ENOENT) return fail_errno("look at bind source {}", request.source);
  if (!request.create_source) {
    return fail(ErrorKind::kInvalid,
                "invalid mount config for type \"bind\": bind source path does not exist: {}",
                request.source);
  }
  return sys::make_dirs(request.source).context("make bind source");
}

// Resolves every mount the workload asks for, and gives each `volumes` path that has none a volume
// of its own.
// What is in `points` after an error is the caller's to undo.
Result<void> resolve_mounts(const WorkloadConfig& config, Volumes& volumes,
                            std::vector<MountPoint>& points) {
  for (const MountRequest& request : config.mounts) {
    MountPoint point{.kind = request.kind,
                     .name = {},
                     .source = request.source,
                     .destination = request.target,
                     .read_only = request.read_only,
                     .propagation = request.kind == MountKind::kBind ? "rprivate" : ""};
    switch (request.kind) {
      case MountKind::kBind:
        TRY(check_bind_source(request));
        for (const std::string& option : request.options) {
          if (option.ends_with("private") || option.ends_with("slave") ||
              option.ends_with("shared"))
            point.propagation = option;
        }
        break;
      case MountKind::kVolume:
        point.name = request.source.empty() ? TRY(volumes.create_anonymous()) : request.source;
        point.source = TRY(volumes.ensure(point.name));
        break;
      case MountKind::kTmpfs:
        point.source.clear();
        break;
    }
    points.push_back(std::move(point));
  }
  for (const std::string& path : config.volumes) {
    const auto covers = [&](const MountPoint& point) { return point.destination == path; };
    if (std::ranges::any_of(points, covers)) continue;
    MountPoint point{.kind = MountKind::kVolume,
                     .name = TRY(volumes.create_anonymous()),
                     .source = {},
                     .destination = path,
                     .read_only = false,
                     .propagation = {}};
    point.source = volumes.data_path(point.name);
    points.push_back(std::move(point));
  }
  return {};
}

// The volumes that resolve_mounts() made, as against those it found: the former are the anonymous
// ones that the request does not name.
std::vector<std::string> made_volumes(const WorkloadView& view) {
  std::vector<std::string> names;
  for (const MountPoint& point : view.mounts) {
    const bool asked_for =
        std::ranges::any_of(view.config.mounts, [&](const MountRequest& request) {
          return request.kind == MountKind::kVolume && request.source == point.name;
        });
    if (point.kind == MountKind::kVolume && !asked_for) names.push_back(point.name);
  }
  return names;
}

void drop_anonymous_volumes(const std::vector<std::string>& names, Volumes& volumes) {
  for (const std::string& name : names) {
    // What cannot be removed now is swept at the next start.
    if (!volumes.remove_if_anonymous(name).ok()) continue;
  }
}

}  // namespace

Task<CreateResult> EngineImpl::create(std::string name, WorkloadConfig config) {
  const WorkloadId id = random_id<WorkloadId>();
  auto look_up = [&]() -> Result<image::Image> { return images_->find(config.image); };
  auto found = co_await offload(pool_, look_up);
  CO_TRY(const image::Image image, std::move(found));
  // Until the workload is listed, nobody else knows that the image is needed.
  creating_from_.push_back(image.id);
  ScopeExit made_or_not([&] { creating_from_.erase(std::ranges::find(creating_from_, image.id)); });

  merge_image_config(config, image.config);
  CO_TRY_VOID(validate_config(config));
  CO_TRY_VOID(check_network(config));
  if (name.empty()) {
    name = made_up_name();
    while (registry_.name_taken(name)) name = made_up_name() + random_hex(4);
  }
  CO_TRY_VOID(registry_.reserve_name(name, id));
  ScopeExit unreserve([&] { registry_.release_name(name); });

  auto workload = std::make_shared<Workload>(loop_);
  WorkloadView& view = workload->view;
  view.id = id;
  view.name = name;
  view.created = now();
  view.image_id = image.id;
  std::vector<std::string> argv = config.entrypoint.value_or(std::vector<std::string>());
  argv.insert(argv.end(), config.cmd.begin(), config.cmd.end());
  view.path = argv.front();
  view.args.assign(argv.begin() + 1, argv.end());
  if (config.hostname.empty() && config.uts_mode != "host" && config.network_mode != "host")
    config.hostname = std::string(id.brief());
  if (config.network_mode.empty() || config.network_mode == "default")
    config.network_mode = "bridge";
  view.config = std::move(config);
  const std::string state_dir = layout_.state_dir(id);
  if (view.config.log.driver != "none") view.log_path = layout_.log(id);
  view.hostname_path = state_dir + "/hostname";
  view.hosts_path = state_dir + "/hosts";
  view.resolv_conf_path = state_dir + "/resolv.conf";

  auto make = [&, top = image.top_snapshot]() -> Result<void> {
    ScopeExit drop_volumes([&] { drop_anonymous_volumes(made_volumes(view), volumes_); });
    TRY(resolve_mounts(view.config, volumes_, view.mounts));
    ScopeExit drop_data([&] {
      if (const auto dropped = remove_data(view, {}); !dropped.ok())
        log::warning("workload {}: {}", view.id.brief(), dropped.error().message());
    });
    TRY(images_->snapshots().prepare(snapshot_key(view.id), top));
    TRY(sys::make_dirs(state_dir, 0710));
    TRY(sys::make_dirs(layout_.rootfs(view.id), 0755));
    TRY(records_->insert(view));
    drop_volumes.cancel();
    drop_data.cancel();
    return {};
  };
  auto made = co_await offload(pool_, make);
  CO_TRY_VOID(std::move(made));

  unreserve.cancel();
  registry_.add(workload);
  publish(*workload, "create");
  co_return CreateResult{.id = id, .warnings = {}};
}

// A network that does not exist is found out at the start, as in Docker: it may be made until then.
Result<void> EngineImpl::check_network(const WorkloadConfig& config) const {
  const std::string& mode = config.network_mode;
  const auto found = network_->find(mode.empty() || mode == "default" ? "bridge" : mode);
  if (!found.ok()) return {};
  if (!config.static_address.empty() && (found->name == "bridge" || found->driver != "bridge")) {
    return fail(ErrorKind::kInvalid,
                "user specified IP address is supported on user defined networks only, not on '{}'",
                found->name);
  }
  return {};
}

}  // namespace berth::engine
