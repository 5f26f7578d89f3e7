#include "api/docker/api.h"

#include <exception>
#include <utility>

#include "api/docker/errors.h"
#include "api/docker/router.h"
#include "api/docker/routes.h"
#include "base/log.h"

namespace berth::docker {

namespace asio = boost::asio;

Api::Api(engine::Engine& engine, std::string product_version)
    : services_{.engine = engine, .product_version = std::move(product_version)},
      server_field_(fmt::format("Berth/{} (linux)", services_.product_version)) {}

asio::awaitable<void> Api::handle(http::Exchange& exchange) {
  exchange.add_field("Api-Version", to_string(kMaxApiVersion));
  exchange.add_field("Docker-Experimental", "false");
  exchange.add_field("Ostype", "linux");
  exchange.add_field("Server", server_field_);
  Result<void> result;
  try {
    result = co_await dispatch(exchange);
  } catch (const std::exception& thrown) {
    result = fail(ErrorKind::kInternal, "{}", thrown.what());
  }
  if (result.ok()) co_return;
  log::debug("{} {}: {}", exchange.head().method, exchange.head().target, result.error().message());
  if (!exchange.answered()) {
    co_await answer_error(exchange, result.error());
  } else if (!exchange.upgraded()) {
    exchange.connection().abort();
  }
}

asio::awaitable<Result<void>> Api::dispatch(http::Exchange& exchange) {
  CO_TRY(Match match, find_route(routes(), exchange.head().method, exchange.head().target));
  if (match.route->handler == nullptr)
    co_return fail(ErrorKind::kUnsupported, "{}", match.route->refusal);
  co_return co_await match.route->handler(services_, match.request, exchange);
}

asio::awaitable<void> Api::answer_error(http::Exchange& exchange, const Error& error) {
  const int status = http_status(error);
  if (status == 500)
    log::warning("{} {}: {}", exchange.head().method, exchange.head().target, error.message());
  // A client that has gone has no use for it.
  static_cast<void>(
      co_await exchange.reply(status, "application/json", error_body(error.message())));
}

}  // namespace berth::docker
