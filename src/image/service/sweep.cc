// What nothing refers to any more, and how it goes.
#include <algorithm>

#include "base/log.h"
#include "image/load/unpack.h"
#include "image/service/image_service_impl.h"

namespace berth::image {
namespace {

constexpr std::string_view kLayerPrefix = "sha256:";

}  // namespace

ImageServiceImpl::Maker::Maker(ImageServiceImpl& owner) : owner_(owner) {
  const std::lock_guard lock(owner_.garbage_mutex_);
  ++owner_.makers_;
}

ImageServiceImpl::Maker::~Maker() {
  const std::lock_guard lock(owner_.garbage_mutex_);
  --owner_.makers_;
}

ImageServiceImpl::Pins::~Pins() {
  const std::lock_guard lock(owner_.garbage_mutex_);
  for (const std::string& name : names_) owner_.pinned_.erase(owner_.pinned_.find(name));
}

void ImageServiceImpl::Pins::add(const std::string& name) {
  const std::lock_guard lock(owner_.garbage_mutex_);
  owner_.pinned_.insert(name);
  names_.push_back(name);
}

Result<ImageServiceImpl::Swept> ImageServiceImpl::sweep(bool unfinished_too) {
  const std::lock_guard lock(garbage_mutex_);
  return sweep_locked(unfinished_too);
}

Result<ImageServiceImpl::Swept> ImageServiceImpl::sweep_locked(bool unfinished_too) {
  left_over_ = true;  // until this has gone well
  const Garbage garbage = TRY(find_garbage());
  Swept swept;
  bool left_over = garbage.left_over;
  const auto remove = [&](const std::string& key) -> Result<bool> {
    auto removed = snapshots_->set_aside(key);
    if (removed.ok() || removed.error().kind() == ErrorKind::kNotFound) return true;
    if (removed.error().kind() != ErrorKind::kConflict) return std::move(removed).error();
    left_over = true;  // a container began to use it just now
    return false;
  };
  for (const std::string& key : garbage.unfinished)
    if (unfinished_too) TRY(remove(key));
  for (const std::string& key : garbage.layers) {
    if (!TRY(remove(key))) continue;
    swept.bytes += TRY(images_.layer_size(key));
    TRY(images_.forget_layer(key));
    swept.layers.push_back(key);
  }
  for (const std::string& chain_id : garbage.sizes) TRY(images_.forget_layer(chain_id));
  for (const BlobInfo& blob : garbage.blobs) {
    TRY(content_.remove(blob.digest));
    swept.bytes += static_cast<std::int64_t>(blob.size);
  }
  left_over_ = left_over;
  cleaner_.wake();
  return swept;
}

Result<ImageServiceImpl::Garbage> ImageServiceImpl::find_garbage() const {
  std::set<std::string> needed(pinned_.begin(), pinned_.end());
  for (const ImageRecord& record : TRY(images_.list())) {
    needed.insert({record.id, record.manifest, record.top});
    needed.insert(record.blobs.begin(), record.blobs.end());
  }
  Garbage garbage = TRY(find_garbage_layers(needed));
  for (const BlobInfo& blob : TRY(content_.list()))
    if (!needed.contains(blob.digest.str())) garbage.blobs.push_back(blob);
  return garbage;
}

Result<ImageServiceImpl::Garbage> ImageServiceImpl::find_garbage_layers(
    const std::set<std::string>& needed) const {
  Garbage garbage;
  std::set<std::string> of_images;  // layers that an image or a load in progress has
  std::set<std::string> parents;    // of what stays
  std::set<std::string> keys;
  // Before the snapshots: a layer's size is there before its snapshot is.
  const auto sizes = TRY(images_.layer_sizes());
  // Children come after their parents in the list: from the end, a chain goes in one pass.
  auto snapshots = TRY(snapshots_->list());
  std::ranges::reverse(snapshots);
  for (const SnapshotInfo& snapshot : snapshots) {
    keys.insert(snapshot.key);
    const bool layer =
        snapshot.kind == SnapshotKind::kCommitted && snapshot.key.starts_with(kLayerPrefix);
    const bool unfinished = snapshot.key.starts_with(kUnpackPrefix);
    const bool of_image = needed.contains(snapshot.key) || of_images.contains(snapshot.key);
    if (of_image) of_images.insert(snapshot.parent);
    if (unfinished) garbage.unfinished.push_back(snapshot.key);
    if ((layer || unfinished) && !of_image && !parents.contains(snapshot.key)) {
      if (layer) garbage.layers.push_back(snapshot.key);
      continue;
    }
    parents.insert(snapshot.parent);
    garbage.left_over |= layer && !of_image;
  }
  for (const auto& [chain_id, bytes] : sizes)
    if (!keys.contains(chain_id) && !needed.contains(chain_id)) garbage.sizes.push_back(chain_id);
  return garbage;
}

Result<void> ImageServiceImpl::collect_garbage() {
  if (left_over_) TRY(sweep(false));
  return {};
}

void ImageServiceImpl::sweep_after_failure() {
  if (const auto swept = sweep(false); !swept.ok()) {
    log::warning("clean up after a failed load: {}", swept.error().message());
  }
  cleaner_.wait();  // who has filled the disk may try again
}

}  // namespace berth::image
