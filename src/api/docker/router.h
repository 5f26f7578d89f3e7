// Router: finds the route of a request in the table. Pure: no I/O, no state.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "api/docker/request.h"
#include "base/result.h"

namespace berth::docker {

/// One row. In a pattern, {name} stands for one path segment, {name*} for one or more (image names
/// have slashes).
struct Route {
  std::string_view method;
  std::string_view pattern;
  Handler handler;           // null: Docker has this route, this engine does not yet
  std::string_view refusal;  // what a caller of such a route is told
};

struct Match {
  const Route* route = nullptr;
  Request request;
};

/// True if `path` has the form of `pattern`; `name` is then what stood for {name}.
bool matches_pattern(std::string_view pattern, std::string_view path, std::string& name);

/// Splits a request target into version, path and query, and finds the first row that fits.
/// kNotFound "page not found"; kInvalid for a bad escape or an API version that is not spoken.
Result<Match> find_route(std::span<const Route> routes, std::string_view method,
                         std::string_view target);

}  // namespace berth::docker
