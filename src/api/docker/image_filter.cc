#include "api/docker/image_filter.h"

#include <fnmatch.h>

#include <algorithm>

#include "api/docker/until_filter.h"
#include "api/docker/wire/event.h"

namespace berth::docker {
namespace {

using image::Image;

bool fits(const std::string& pattern, const std::string& name) {
  return ::fnmatch(pattern.c_str(), name.c_str(), FNM_PATHNAME) == 0;
}

// The image that `before` or `since` names.
Result<const Image*> find_anchor(const std::vector<Image>& images, const Filters& filters,
                                 std::string_view key) {
  if (filters.get(key).empty()) return nullptr;
  const std::string& wanted = filters.get(key).front();
  for (const Image& image : images) {
    const auto named = [&](const std::string& tag) {
      return tag == wanted || tag == wanted + ":latest";
    };
    if (std::ranges::any_of(image.repo_tags, named) || image.id == wanted ||
        image.id.starts_with("sha256:" + wanted))
      return &image;
  }
  return fail(ErrorKind::kNotFound, "No such image: {}", wanted);
}

// Drops the names that no reference filter fits; false if none is left.
bool keep_references(Image& image, const Filters& filters) {
  if (!filters.has("reference")) return true;
  const auto unwanted = [&](const std::string& name) {
    return std::ranges::none_of(filters.get("reference"), [&](const std::string& pattern) {
      return reference_matches(pattern, name);
    });
  };
  std::erase_if(image.repo_tags, unwanted);
  std::erase_if(image.repo_digests, unwanted);
  return !image.repo_tags.empty() || !image.repo_digests.empty();
}

}  // namespace

bool reference_matches(std::string_view pattern, const std::string& repo_tag) {
  const std::string wanted(pattern);
  const std::size_t at = repo_tag.find('@');
  const std::size_t slash = repo_tag.rfind('/');
  const std::size_t colon = repo_tag.find(':', slash == std::string::npos ? 0 : slash);
  return fits(wanted, repo_tag) || fits(wanted, repo_tag.substr(0, std::min(at, colon)));
}

Result<std::vector<Image>> select_images(std::vector<Image> images, const Filters& filters) {
  TRY(filters.accept_only({"reference", "dangling", "label", "before", "since", "until"}));
  const bool any_dangling = !filters.has("dangling");
  const bool dangling = TRY(filters.flag("dangling", false));
  const Image* before = TRY(find_anchor(images, filters, "before"));
  const Image* since = TRY(find_anchor(images, filters, "since"));
  std::optional<WallTime> until;
  if (!filters.get("until").empty())
    until = TRY(parse_moment("until", filters.get("until").front()));
  std::vector<Image> selected;
  for (const Image& image : images) {
    if (!any_dangling && image.repo_tags.empty() != dangling) continue;
    if (before != nullptr && image.created >= before->created) continue;
    if (since != nullptr && image.created <= since->created) continue;
    if (until && image.created > *until) continue;
    if (!filters.matches_labels("label", image.config.labels)) continue;
    Image kept = image;
    if (keep_references(kept, filters)) selected.push_back(std::move(kept));
  }
  std::ranges::stable_sort(selected, std::ranges::greater(), &Image::created);
  return selected;
}

Result<std::function<bool(const Image&)>> image_prune_selection(const Filters& filters,
                                                                WallTime at) {
  TRY(filters.accept_only({"dangling", "label", "label!", "until"}));
  const bool dangling = TRY(filters.flag("dangling", true));
  WallTime until = at;
  if (!filters.get("until").empty()) until = TRY(parse_until(filters.get("until").front(), at));
  return [=](const Image& image) {
    if (dangling && !image.repo_tags.empty()) return false;
    if (image.created > until) return false;
    if (filters.has("label!") && filters.matches_labels("label!", image.config.labels))
      return false;
    return filters.matches_labels("label", image.config.labels);
  };
}

}  // namespace berth::docker
