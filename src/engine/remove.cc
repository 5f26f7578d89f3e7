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

}  // namespace

Task<> EngineImpl::remove(std::string reference, bool force, bool volumes) {
  CO_TRY(const Entry workload, registry_.find(reference));
  WorkloadStatus& status = workload->view.status;
  const auto being_removed = [&] {
    return fail(ErrorKind::kConflict, "removal of container {} is already in progress", reference);
  };
  if (status.state == WorkloadState::kRemoving) co_return being_removed();
  if (status.state == WorkloadState::kRunning) {
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
  if (status.state == WorkloadState::kStarting)
    co_return fail(ErrorKind::kConflict, "container {} is being started", reference);
  while (workload->settling) co_await workload->changed.wait();
  if (workload->removed) co_return Result<void>();  // --rm was quicker
  if (status.state == WorkloadState::kRemoving) co_return being_removed();
  co_return co_await remove_entry(workload, volumes);
}

Task<> EngineImpl::remove_entry(Entry workload, bool volumes) {
  const WorkloadState before = std::exchange(workload->view.status.state, WorkloadState::kRemoving);
  workload->pending_attach.clear();
  auto take_away = [this, volumes, view = workload->view]() -> Result<void> {
    TRY(records_->erase(view.id));
    return remove_data(view, volumes);
  };
  if (auto taken = co_await offload(pool_, take_away); !taken.ok()) {
    workload->view.status.state = before;
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

Result<void> EngineImpl::remove_data(const WorkloadView& view, bool volumes) {
  remove_run_dir(view.id);
  auto snapshot = images_->snapshots().remove(snapshot_key(view.id));
  if (!snapshot.ok() && snapshot.error().kind() != ErrorKind::kNotFound)
    return std::move(snapshot).error();
  TRY(remove_below(layout_.workloads(), view.id.str()));
  if (!volumes) return {};
  for (const MountPoint& point : view.mounts) {
    if (point.kind == MountKind::kVolume) TRY(volumes_.remove_if_anonymous(point.name));
  }
  return {};
}

void EngineImpl::remove_run_dir(const WorkloadId& id) {
  // On a file system that a reboot empties: what stays is swept at the next start.
  if (auto removed = remove_below(layout_.runs(), id.str()); !removed.ok())
    log::warning("{}", removed.error().message());
}

}  // namespace berth::engine
