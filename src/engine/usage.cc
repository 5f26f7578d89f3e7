// What takes how much room on disk.
#include <algorithm>

#include "base/log.h"
#include "engine/engine_impl.h"
#include "image/snapshot/tree_usage.h"
#include "sys/dir.h"

namespace berth::engine {
namespace {

/// A tree in which files and directories come and go while it is measured is measured again.
constexpr int kMaxAttempts = 3;

template <typename Measure>
Result<std::int64_t> measured(Measure measure) {
  Result<image::SnapshotUsage> usage = measure();
  for (int attempt = 1; attempt < kMaxAttempts && !usage.ok(); ++attempt) usage = measure();
  if (!usage.ok()) return std::move(usage).error();
  return static_cast<std::int64_t>(usage->bytes);
}

Result<std::int64_t> written_by(const image::Snapshotter& snapshots, const WorkloadId& id) {
  return measured([&] { return snapshots.usage(snapshot_key(id)); });
}

Result<std::int64_t> bytes_below(const std::string& directory) {
  return measured([&]() -> Result<image::SnapshotUsage> {
    const UniqueFd opened = TRY(sys::open_dir(directory));
    return image::measure_tree(opened.get());
  });
}

void count_workloads(DiskUsage& usage) {
  for (auto& use : usage.images) {
    for (auto& workload : usage.workloads) {
      if (workload.view.image_id != use.image.id) continue;
      ++use.workloads;
      workload.whole = workload.written + use.image.size;
    }
  }
  for (auto& volume : usage.volumes) {
    for (const auto& workload : usage.workloads) {
      volume.workloads += std::ranges::any_of(workload.view.mounts, [&](const MountPoint& mount) {
        return mount.kind == MountKind::kVolume && mount.name == volume.name;
      });
    }
  }
}

}  // namespace

std::vector<DiskUsage::VolumeUse> EngineImpl::volume_uses() const {
  std::vector<DiskUsage::VolumeUse> uses;
  auto names = volumes_.all();
  const auto anonymous = volumes_.anonymous();
  if (!names.ok() || !anonymous.ok()) return uses;
  std::ranges::sort(*names);
  for (std::string& name : *names) {
    DiskUsage::VolumeUse use{.path = volumes_.data_path(name)};
    use.anonymous = std::ranges::find(*anonymous, name) != anonymous->end();
    auto bytes = bytes_below(use.path);
    if (!bytes.ok()) log::warning("volume {}: {}", name, bytes.error().message());
    use.bytes = std::move(bytes).value_or(-1);
    use.name = std::move(name);
    uses.push_back(std::move(use));
  }
  return uses;
}

Task<DiskUsage> EngineImpl::disk_usage() {
  DiskUsage usage;
  for (const Entry& workload : registry_.all()) usage.workloads.push_back({.view = workload->view});
  auto look = [&]() -> Result<void> {
    auto store = TRY(images_->usage());
    usage.store = store.total;
    for (image::Image& image : TRY(images_->list())) {
      const image::StoreUsage::OfImage& parts = store.images[image.id];
      usage.images.push_back(
          {.image = std::move(image), .size = parts.size, .shared = parts.shared});
    }
    for (auto& use : usage.workloads) {
      auto bytes = written_by(images_->snapshots(), use.view.id);
      if (!bytes.ok())
        log::warning("workload {}: {}", use.view.id.brief(), bytes.error().message());
      use.written = std::move(bytes).value_or(0);
    }
    usage.volumes = volume_uses();
    return {};
  };
  auto looked = co_await offload(uploads_, look);
  CO_TRY_VOID(std::move(looked));
  count_workloads(usage);
  co_return usage;
}

Task<std::int64_t> EngineImpl::written_bytes(std::string reference) {
  CO_TRY(const Entry workload, registry_.find(reference));
  auto measure = [this, id = workload->view.id] { return written_by(images_->snapshots(), id); };
  co_return co_await offload(uploads_, measure);
}

}  // namespace berth::engine
