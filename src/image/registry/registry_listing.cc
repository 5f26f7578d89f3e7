// What a registry lists: the tags of a repository. Source: distribution-spec, "Listing Tags"; RFC
// 8288 for the field Link, which leads to the next page.
#include <algorithm>

#include "base/json.h"
#include "image/registry/registry_client.h"
#include "image/registry/registry_error.h"

namespace berth::image {
namespace {

/// No repository has as many tags; a list without an end is an attack.
constexpr std::size_t kMaxTags = 100'000;
constexpr int kMaxPages = 1000;

/// The address of `<ADDRESS>; rel="next"`; empty: there is no such link.
std::string next_of(std::string_view link) {
  const auto begin = link.find('<');
  const auto end = link.find('>', begin);
  if (begin == std::string_view::npos || end == std::string_view::npos) return {};
  const std::string_view parameters = link.substr(end);
  if (parameters.find("rel=\"next\"") == std::string_view::npos &&
      parameters.find("rel=next") == std::string_view::npos)
    return {};
  return std::string(link.substr(begin + 1, end - begin - 1));
}

}  // namespace

Result<std::vector<std::string>> RegistryClient::tags(std::stop_token stop) {
  std::vector<std::string> all;
  RegistryRequest request{.path = "tags/list", .stop = std::move(stop)};
  Patience patience;
  for (int page = 0; page < kMaxPages; ++page) {
    HttpResponse response = TRY(registry().send(request, patience));
    if (response.status == 404)
      return fail(ErrorKind::kNotFound, "repository {} not found: {}", name_.familiar_repository(),
                  reason_of(response));
    if (response.status == 401 || response.status == 403)
      return fail(ErrorKind::kPermission, "pull access denied for {}: {}",
                  name_.familiar_repository(), reason_of(response));
    if (response.status != 200) return answer_to(response, "the tags of " + name_.familiar());
    const std::string text = TRY(response.text(kMaxJsonBytes).context("the list of tags"));
    for (std::string& tag :
         TRY(get_strings(TRY(parse_json(text).context("the list of tags")), "tags"))) {
      // It goes into names and requests.
      TRY(Reference::parse(fmt::format("{}:{}", name_.repository(), tag)).context("a tag"));
      all.push_back(std::move(tag));
    }
    if (all.size() > kMaxTags)
      return fail(ErrorKind::kExhausted, "{} has over {} tags", name_.familiar(), kMaxTags);
    const std::string next = next_of(response.get("link"));
    if (next.empty()) return all;
    request.address = TRY(registry().resolve(next, request.address));
  }
  return fail(ErrorKind::kExhausted, "the list of {}'s tags has no end", name_.familiar());
}

}  // namespace berth::image
