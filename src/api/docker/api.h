// Api: Docker's Engine API over an engine. It translates between Docker's words and the engine's
// and decides nothing. Event-loop thread only. Must live as long as requests are under way.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>

#include "api/docker/request.h"
#include "api/http/exchange.h"
#include "engine/engine.h"

namespace berth::docker {

class Api {
 public:
  /// `product_version` is what /version and the Server field say.
  Api(engine::Engine& engine, std::string product_version);

  /// Answers one request, whatever it is. To be the handler of an http::Server.
  boost::asio::awaitable<void> handle(http::Exchange& exchange);

 private:
  boost::asio::awaitable<Result<void>> dispatch(http::Exchange& exchange);
  boost::asio::awaitable<void> answer_error(http::Exchange& exchange, const Error& error);

  Services services_;
  std::string server_field_;
};

}  // namespace berth::docker
