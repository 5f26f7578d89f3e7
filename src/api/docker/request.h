// What a route's handler is given: the services it works with, and the request after routing.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>

#include "api/docker/api_version.h"
#include "api/docker/query.h"
#include "api/http/exchange.h"
#include "base/result.h"
#include "engine/engine.h"

namespace berth::docker {

struct Services {
  engine::Engine& engine;
  std::string product_version;  // "0.1.0"
};

struct Request {
  ApiVersion version = kMaxApiVersion;
  std::string name;  // the {name} of the route's pattern, decoded
  Query query;
};

/// Answers one request. An error that is returned before the answer has begun becomes the answer;
/// later it cuts the connection, so that no client takes half an answer for a whole one.
using Handler = boost::asio::awaitable<Result<void>> (*)(Services&, Request&, http::Exchange&);

}  // namespace berth::docker
