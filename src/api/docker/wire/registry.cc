#include "api/docker/wire/registry.h"

#include <charconv>

namespace berth::docker {
namespace {

OrderedJson platform_json(const image::Platform& platform) {
  OrderedJson json = {{"architecture", platform.architecture}, {"os", platform.os}};
  if (!platform.variant.empty()) json["variant"] = platform.variant;
  return json;
}

Result<std::optional<bool>> optional_flag(const Filters& filters, std::string_view key) {
  if (!filters.has(key)) return std::optional<bool>();
  return std::optional<bool>(TRY(filters.flag(key, false)));
}

}  // namespace

OrderedJson distribution_json(const image::Distribution& distribution, bool with_manifest) {
  OrderedJson platforms = OrderedJson::array();
  for (const image::Platform& platform : distribution.platforms)
    platforms.push_back(platform_json(platform));
  OrderedJson json = {{"Descriptor",
                       {{"mediaType", distribution.descriptor.media_type},
                        {"digest", distribution.descriptor.digest},
                        {"size", distribution.descriptor.size}}},
                      {"Platforms", std::move(platforms)}};
  if (with_manifest) json["Manifest"] = distribution.text;
  return json;
}

Result<SearchFilter> SearchFilter::create(const Filters& filters) {
  TRY(filters.accept_only({"is-automated", "is-official", "stars"}));
  SearchFilter filter;
  filter.is_official = TRY(optional_flag(filters, "is-official"));
  filter.is_automated = TRY(optional_flag(filters, "is-automated"));
  for (const std::string& text : filters.get("stars")) {
    std::int64_t stars = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), stars);
    if (error != std::errc() || end != text.data() + text.size())
      return fail(ErrorKind::kInvalid, "invalid filter 'stars=[{}]'", text);
    filter.stars = std::max(filter.stars, stars);
  }
  return filter;
}

bool SearchFilter::matches(const image::SearchResult& result) const {
  return result.stars >= stars && is_official.value_or(result.is_official) == result.is_official &&
         is_automated.value_or(result.is_automated) == result.is_automated;
}

OrderedJson search_json(const std::vector<image::SearchResult>& results,
                        const SearchFilter& filter) {
  OrderedJson list = OrderedJson::array();
  for (const image::SearchResult& result : results)
    if (filter.matches(result))
      list.push_back({{"star_count", result.stars},
                      {"is_official", result.is_official},
                      {"name", result.name},
                      {"is_automated", result.is_automated},
                      {"description", result.description}});
  return list;
}

}  // namespace berth::docker
