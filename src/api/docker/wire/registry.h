// What registries tell, as Docker's API has it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "api/docker/filters.h"
#include "base/json.h"
#include "image/registry/distribution.h"

namespace berth::docker {

/// `with_manifest`: besides Docker's members, Manifest, the document's text, which no call of
/// Docker gives.
OrderedJson distribution_json(const image::Distribution& distribution, bool with_manifest);

struct SearchFilter {
  std::int64_t stars = 0;  // at least
  std::optional<bool> is_official = {};
  std::optional<bool> is_automated = {};

  static Result<SearchFilter> create(const Filters& filters);
  bool matches(const image::SearchResult& result) const;
};

OrderedJson search_json(const std::vector<image::SearchResult>& results,
                        const SearchFilter& filter);

}  // namespace berth::docker
