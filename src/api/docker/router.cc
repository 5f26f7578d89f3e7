#include "api/docker/router.h"

#include <algorithm>

namespace berth::docker {
namespace {

// "/v1.43/info" -> "/info" and the version. A first segment that only looks like a version is part
// of the path.
Result<ApiVersion> take_version(std::string_view& path) {
  if (!path.starts_with("/v")) return kMaxApiVersion;
  const std::string_view rest = path.substr(2);
  const std::size_t slash = rest.find('/');
  if (slash == std::string_view::npos) return kMaxApiVersion;
  const auto version = parse_api_version(rest.substr(0, slash));
  if (!version.ok()) return kMaxApiVersion;
  TRY(check_api_version(*version));
  path = rest.substr(slash);
  return *version;
}

// Clients that think of us as a proxy send "http://host/path" (RFC 9112 section 3.2.2).
std::string_view without_authority(std::string_view target) {
  if (!target.starts_with("http://")) return target;
  const std::size_t slash = target.find('/', std::string_view("http://").size());
  return slash == std::string_view::npos ? "/" : target.substr(slash);
}

}  // namespace

bool matches_pattern(std::string_view pattern, std::string_view path, std::string& name) {
  const std::size_t open = pattern.find('{');
  if (open == std::string_view::npos) return pattern == path;
  const std::size_t close = pattern.find('}', open);
  const bool many = pattern[close - 1] == '*';
  const std::string_view before = pattern.substr(0, open);
  const std::string_view after = pattern.substr(close + 1);
  if (path.size() <= before.size() + after.size() || !path.starts_with(before) ||
      !path.ends_with(after))
    return false;
  const std::string_view middle =
      path.substr(before.size(), path.size() - before.size() - after.size());
  if (!many && middle.find('/') != std::string_view::npos) return false;
  name = middle;
  return true;
}

Result<Match> find_route(std::span<const Route> routes, std::string_view method,
                         std::string_view target) {
  target = without_authority(target);
  const std::size_t question = std::min(target.find('?'), target.size());
  const std::string decoded = TRY(percent_decode(target.substr(0, question), false));
  std::string_view path = decoded;
  Match match;
  match.request.version = TRY(take_version(path));
  for (const Route& route : routes) {
    if (route.method == method && matches_pattern(route.pattern, path, match.request.name)) {
      match.route = &route;
      break;
    }
  }
  if (match.route == nullptr) return fail(ErrorKind::kNotFound, "page not found");
  match.request.query = TRY(Query::parse(target.substr(std::min(question + 1, target.size()))));
  return match;
}

}  // namespace berth::docker
