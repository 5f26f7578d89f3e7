#include <algorithm>

#include "base/log.h"
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
  return RemoveResult{.untagged = {familiar(name)}, .deleted = {}};
}

Result<std::optional<RemoveResult>> ImageServiceImpl::remove_image(const ImageRecord& record) {
  const Maker maker(*this);  // of garbage
  if (!TRY(images_.remove(record))) return std::optional<RemoveResult>();
  RemoveResult result;
  for (const std::string& name : record.names) result.untagged.push_back(familiar(name));
  result.deleted.push_back(record.id);
  // The image is gone; what is left of it on disk is only garbage if this fails.
  auto swept = sweep(false);
  if (!swept.ok()) {
    log::warning("image {}: {}", record.id, swept.error().message());
    return std::optional(std::move(result));
  }
  result.deleted.insert(result.deleted.end(), swept->layers.begin(), swept->layers.end());
  result.freed = swept->bytes;
  return std::optional(std::move(result));
}

}  // namespace berth::image
