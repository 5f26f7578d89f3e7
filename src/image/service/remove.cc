#include <algorithm>

#include "base/log.h"
#include "image/load/unpack.h"
#include "image/service/image_service_impl.h"

namespace berth::image {
namespace {

constexpr std::string_view kLayerPrefix = "sha256:";
constexpr std::size_t kBriefDigits = 12;
/// Of a removal that others keep from happening by giving the image names.
constexpr int kMaxAttempts = 16;

std::string brief(const std::string& id) {
  return id.substr(kLayerPrefix.size(), kBriefDigits);
}

/// A name as it was written into its row: MUST hold for every row, but a damaged one must not stop
/// a removal.
std::string familiar(const std::string& name) {
  const auto reference = Reference::parse(name);
  return reference.ok() ? reference->familiar() : name;
}

std::string repository_of(const std::string& name) {
  const auto reference = Reference::parse(name);
  return reference.ok() ? reference->repository() : name;
}

bool is_tag(const std::string& name) {
  return name.find('@') == std::string::npos;
}

/// "repo@sha256:..." says where an image came from. Alone, without a tag of that repository, it
/// holds nothing.
std::vector<std::string> names_without(const ImageRecord& record, const std::string& name) {
  std::vector<std::string> left;
  std::ranges::copy_if(record.names, std::back_inserter(left),
                       [&](const std::string& other) { return other != name; });
  return std::ranges::any_of(left, is_tag) ? left : std::vector<std::string>();
}

bool in_several_repositories(const ImageRecord& record) {
  if (std::ranges::count_if(record.names, is_tag) > 1) return true;
  return std::ranges::any_of(record.names, [&](const std::string& name) {
    return repository_of(name) != repository_of(record.names.front());
  });
}

}  // namespace

ImageServiceImpl::Pins::~Pins() {
  const std::lock_guard lock(owner_.garbage_mutex_);
  for (const std::string& name : names_) owner_.pinned_.erase(owner_.pinned_.find(name));
}

void ImageServiceImpl::Pins::add(const std::string& name) {
  const std::lock_guard lock(owner_.garbage_mutex_);
  owner_.pinned_.insert(name);
  names_.push_back(name);
}

Result<RemoveResult> ImageServiceImpl::remove(
    std::string_view reference, bool force,
    const std::function<bool(const std::string& id)>& in_use) {
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    if (auto removed = TRY(try_remove(reference, force, in_use))) return std::move(*removed);
  }
  return fail(ErrorKind::kConflict, "image {} is being named and removed at once", reference);
}

Result<std::optional<RemoveResult>> ImageServiceImpl::try_remove(
    std::string_view reference, bool force,
    const std::function<bool(const std::string& id)>& in_use) {
  const Resolved found = TRY(resolve(reference));
  const ImageRecord& record = found.record;
  if (!found.name.empty() && !names_without(record, found.name).empty())
    return std::optional(TRY(untag(found.name)));
  if (found.name.empty() && !force && in_several_repositories(record)) {
    return fail(ErrorKind::kConflict,
                "conflict: unable to delete {} (must be forced) - image is referenced in multiple "
                "repositories",
                brief(record.id));
  }
  if (!force && in_use && in_use(record.id)) {
    if (found.name.empty()) {
      return fail(
          ErrorKind::kConflict,
          "conflict: unable to delete {} (must be forced) - image is being used by a container",
          brief(record.id));
    }
    return fail(
        ErrorKind::kConflict,
        "conflict: unable to remove repository reference \"{}\" (must force) - a container is "
        "using its referenced image {}",
        reference, brief(record.id));
  }
  return remove_image(record);
}

Result<RemoveResult> ImageServiceImpl::untag(const std::string& name) {
  TRY(images_.remove_names({name}));
  return RemoveResult{{familiar(name)}, {}};
}

Result<std::optional<RemoveResult>> ImageServiceImpl::remove_image(const ImageRecord& record) {
  if (!TRY(images_.remove(record))) return std::optional<RemoveResult>();
  RemoveResult result;
  for (const std::string& name : record.names) result.untagged.push_back(familiar(name));
  result.deleted.push_back(record.id);
  // The image is gone; what is left of it on disk is only garbage if this fails.
  auto layers = sweep(false);
  if (!layers.ok()) {
    log::warning("image {}: {}", record.id, layers.error().message());
    return std::optional(std::move(result));
  }
  result.deleted.insert(result.deleted.end(), layers->begin(), layers->end());
  return std::optional(std::move(result));
}

Result<std::vector<std::string>> ImageServiceImpl::sweep(bool unfinished_too) {
  const std::lock_guard lock(garbage_mutex_);
  left_over_ = true;  // until this has gone well
  std::set<std::string> needed(pinned_.begin(), pinned_.end());
  for (const ImageRecord& record : TRY(images_.list())) {
    needed.insert({record.id, record.manifest, record.top});
    needed.insert(record.blobs.begin(), record.blobs.end());
  }
  Swept swept = TRY(sweep_layers(needed, unfinished_too));
  for (const BlobInfo& blob : TRY(content_.list())) {
    if (!needed.contains(blob.digest.str())) TRY(content_.remove(blob.digest));
  }
  left_over_ = swept.left_over;
  return std::move(swept.layers);
}

Result<ImageServiceImpl::Swept> ImageServiceImpl::sweep_layers(const std::set<std::string>& needed,
                                                               bool unfinished_too) {
  Swept swept;
  std::set<std::string> of_images;  // layers that an image or a load in progress has
  std::set<std::string> parents;    // of what stays
  // Children come after their parents in the list: from the end, a chain goes in one pass.
  auto snapshots = TRY(snapshots_->list());
  std::ranges::reverse(snapshots);
  for (const SnapshotInfo& snapshot : snapshots) {
    const bool layer =
        snapshot.kind == SnapshotKind::kCommitted && snapshot.key.starts_with(kLayerPrefix);
    const bool unfinished = unfinished_too && snapshot.key.starts_with(kUnpackPrefix);
    const bool of_image = needed.contains(snapshot.key) || of_images.contains(snapshot.key);
    if (of_image) of_images.insert(snapshot.parent);
    bool stays = (!layer && !unfinished) || of_image || parents.contains(snapshot.key);
    if (!stays) {
      auto gone = snapshots_->remove(snapshot.key);
      if (!gone.ok() && gone.error().kind() != ErrorKind::kConflict) return std::move(gone).error();
      stays = !gone.ok();  // a container began to use it just now
    }
    if (stays) {
      parents.insert(snapshot.parent);
      swept.left_over |= layer && !of_image;
    } else if (layer) {
      TRY(images_.forget_layer(snapshot.key));
      swept.layers.push_back(snapshot.key);
    }
  }
  return swept;
}

Result<void> ImageServiceImpl::collect_garbage() {
  if (left_over_) TRY(sweep(false));
  return {};
}

void ImageServiceImpl::sweep_after_failure() {
  if (const auto swept = sweep(false); !swept.ok()) {
    log::warning("clean up after a failed load: {}", swept.error().message());
  }
}

}  // namespace berth::image
