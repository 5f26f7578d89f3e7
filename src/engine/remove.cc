// Removal. The record goes first: what a crash leaves behind then belongs to nobody, and the next
// start clears it away.
#include <csignal>

#include "base/log.h"
#include "engine/engine_impl.h"
#include "sys/dir.h"

namespace berth::engine {
namespace {

Result<void> remove_below(const std::string& directory, const std::string& name) {
  const UniqueFd parent = TRY(sys::open_dir(directory));
  return sys::remove_tree(parent.get(), name);
}

/// A removal by force waits for those who look into the file system; any other is told.
Result<void> check_unread(const Workload& workload, bool force) {
  if (force) return {};
  return fail(ErrorKind::kConflict,
              "You cannot remove container {} while it is being exported, committed or compared: "
              "try again when that is through, or force remove",
              workload.view.id.str());
}

}  // namespace

Task<> EngineImpl::remove(std::string reference, bool force, bool volumes) {
  CO_TRY(const Entry workload, registry_.find(reference));
  WorkloadStatus& status = workload->view.status;
  for (;;) {
    co_await at_rest(workload);
    if (workload->removed) co_return Result<void>();  // --rm was quicker
    if (status.state == WorkloadState::kRemoving) {
      co_return fail(ErrorKind::kConflict, "removal of container {} is already in progress",
                     reference);
    }
    if (workload->readers > 0 && status.state != WorkloadState::kRunning) {
      CO_TRY_VOID(check_unread(*workload, force));
      for (std::stop_source& reader : workload->exports) reader.request_stop();
      co_await workload->changed.wait();
      continue;
    }
    if (status.state != WorkloadState::kRunning) break;
    if (!force) {
      co_return fail(ErrorKind::kConflict,
                     "You cannot remove a running container {}. Stop the container before "
                     "attempting removal or "
                     "force remove",
                     workload->view.id.str());
    }
    CO_TRY_VOID(signal(*workload, SIGKILL));
    publish(*workload, "kill", {{"signal", std::to_string(SIGKILL)}});
    if (!co_await ended_within(workload, std::chrono::seconds(30))) {
      co_return fail(ErrorKind::kInternal, "Could not kill running container {}, cannot remove",
                     workload->view.id.str());
    }
  }
  co_return co_await remove_entry(workload, volumes);
}

Task<> EngineImpl::remove_entry(Entry workload, bool volumes) {
  const WorkloadState before = std::exchange(workload->view.status.state, WorkloadState::kRemoving);
  workload->pending_attach.clear();
  workload->removal_failure.clear();
  auto take_away = [this, volumes, view = workload->view,
                    own = own_volumes(workload->view)]() -> Result<void> {
    // Before the record, after which a sweep would take them for remains.
    for (std::size_t i = 0; !volumes && i < own.size(); ++i) TRY(volumes_.keep(own[i]));
    TRY(records_->erase(view.id));
    return remove_data(view, volumes ? own : std::vector<std::string>());
  };
  if (auto taken = co_await offload(pool_, take_away); !taken.ok()) {
    workload->view.status.state = before;
    workload->removal_failure = taken.error().message();
    workload->changed.notify_all();
    co_return std::move(taken).error().context("remove container " + workload->view.id.str());
  }
  registry_.release_name(workload->view.name);
  registry_.remove(workload->view.id);
  workload->removed = true;
  workload->changed.notify_all();
  publish(*workload, "destroy");
  co_return Result<void>();
}

std::vector<std::string> EngineImpl::own_volumes(const WorkloadView& view) const {
  std::vector<std::string> names;
  for (const MountPoint& point : view.mounts)
    if (point.kind == MountKind::kVolume) names.push_back(point.name);
  for (const Entry& other : registry_.all()) {
    if (other->view.id == view.id) continue;
    for (const MountPoint& point : other->view.mounts) std::erase(names, point.name);
  }
  return names;
}

Result<void> EngineImpl::remove_data(const WorkloadView& view,
                                     const std::vector<std::string>& volumes) {
  remove_run_dir(view.id);
  auto snapshot = images_->snapshots().remove(snapshot_key(view.id));
  if (!snapshot.ok() && snapshot.error().kind() != ErrorKind::kNotFound)
    return std::move(snapshot).error();
  // Its image may have gone before it, and left its layers to it.
  if (auto collected = images_->collect_garbage(); !collected.ok())
    log::warning("workload {}: {}", view.id.brief(), collected.error().message());
  TRY(remove_below(layout_.workloads(), view.id.str()));
  for (const std::string& name : volumes) TRY(volumes_.remove_if_anonymous(name));
  return {};
}

void EngineImpl::remove_run_dir(const WorkloadId& id) {
  // On a file system that a reboot empties: what stays is swept at the next start.
  if (auto removed = remove_below(layout_.runs(), id.str()); !removed.ok())
    log::warning("{}", removed.error().message());
}

}  // namespace berth::engine
