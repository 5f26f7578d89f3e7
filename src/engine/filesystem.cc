// What a workload's file system has become: changes, export, commit. The layers are looked into
// where they are; neither the workload nor its mounts are needed, nor disturbed.
#include <algorithm>
#include <array>

#include "base/scope_exit.h"
#include "engine/engine_impl.h"
#include "engine/freezer.h"
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

Task<> EngineImpl::export_filesystem(std::string reference, ByteSink& sink, std::stop_source stop) {
  CO_TRY(const Entry workload, readable(reference));
  const Reading reading(workload);
  workload->exports.push_back(stop);
  const ScopeExit over([&] { std::erase(workload->exports, stop); });
  auto write = [this, &sink, key = snapshot_key(workload->view.id)]() -> Result<void> {
    const UniqueFd root = TRY(image::open_whole(images_->snapshots(), key));
    return image::write_tree(root.get(), sink);
  };
  auto written = co_await offload(exports_, write);
  if (written.ok()) publish(*workload, "export");
  co_return std::move(written).context("export container " + workload->view.id.str());
}

Task<std::string> EngineImpl::commit(std::string reference, CommitOptions options) {
  CO_TRY(const Entry workload, readable(reference));
  const Reading reading(workload);
  const WorkloadView& view = workload->view;
  image::ImageService::CommitOptions wanted{
      .snapshot = snapshot_key(view.id),
      .base = view.image_id,
      .reference = options.reference,
      .author = options.author,
      .comment = options.comment,
      .created_by = fmt::format("{}", fmt::join(view.config.cmd, " ")),
      .config = std::move(options.config),
      .is_mount_point = is_mount_point};
  while (workload->committing) co_await workload->changed.wait();
  workload->committing = true;
  const ScopeExit over([&] {
    workload->frozen.reset();
    workload->committing = false;
    workload->changed.notify_all();
  });
  if (options.pause && view.status.state == WorkloadState::kRunning) {
    auto freeze = [run_dir = layout_.run_dir(view.id)] { return Frozen::freeze(run_dir); };
    auto frozen = co_await offload(uploads_, freeze);
    if (frozen.ok()) {
      workload->frozen = std::make_shared<Frozen>(std::move(*frozen));
    } else if (frozen.error().kind() != ErrorKind::kNotFound) {  // it has just ended
      co_return std::move(frozen).error().context("pause it (--pause=false commits as it runs)");
    }
  }
  auto make = [this, &wanted] { return images_->commit(wanted); };
  auto made = co_await offload(uploads_, make);
  CO_TRY(const std::string id, std::move(made).context("commit container " + view.id.str()));
  publish(*workload, "commit",
          {{"comment", options.comment}, {"imageID", id}, {"imageRef", options.reference}});
  co_await count_images();
  co_return id;
}

}  // namespace berth::engine
