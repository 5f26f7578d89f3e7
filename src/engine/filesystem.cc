// What a workload's file system has become: changes, export. The layers are looked into where they
// are; neither the workload nor its mounts are needed, nor disturbed.
#include <algorithm>
#include <array>

#include "engine/engine_impl.h"
#include "image/changes/snapshot_trees.h"
#include "image/changes/tree_archive.h"

namespace berth::engine {
namespace {

/// As many as an image's layer may have entries.
constexpr std::size_t kMaxChanges = 4'000'000;

/// What a start makes in every root file system to mount something on: none of the workload's own.
constexpr auto kMountPoints = std::to_array<std::string_view>(
    {"dev", "etc", "etc/hostname", "etc/hosts", "etc/resolv.conf", "proc", "sys"});

bool is_mount_point(std::string_view path) {
  return std::ranges::find(kMountPoints, path) != kMountPoints.end();
}

}  // namespace

Result<EngineImpl::Entry> EngineImpl::readable(const std::string& reference) const {
  Entry workload = TRY(registry_.find(reference));
  if (workload->removed || workload->view.status.state == WorkloadState::kRemoving)
    return fail(ErrorKind::kConflict, "container {} is being removed", reference);
  return workload;
}

Task<std::vector<image::Change>> EngineImpl::changes(std::string reference) {
  CO_TRY(const Entry workload, readable(reference));
  const Reading reading(workload);
  auto compare = [this, key = snapshot_key(workload->view.id)] {
    return image::snapshot_changes(images_->snapshots(), key, is_mount_point, kMaxChanges);
  };
  auto compared = co_await offload(uploads_, compare);
  co_return std::move(compared).context("changes of container " + workload->view.id.str());
}

Task<> EngineImpl::export_filesystem(std::string reference, ByteSink& sink) {
  CO_TRY(const Entry workload, readable(reference));
  const Reading reading(workload);
  auto write = [this, &sink, key = snapshot_key(workload->view.id)]() -> Result<void> {
    const UniqueFd root = TRY(image::open_whole(images_->snapshots(), key));
    return image::write_tree(root.get(), sink);
  };
  auto written = co_await offload(exports_, write);
  if (written.ok()) publish(*workload, "export");
  co_return std::move(written).context("export container " + workload->view.id.str());
}

}  // namespace berth::engine
