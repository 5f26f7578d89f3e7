#include "api/docker/handlers/reply.h"

namespace berth::docker {

boost::asio::awaitable<Result<void>> reply_json(http::Exchange& exchange, int status,
                                                const OrderedJson& body) {
  const std::string text = dump_json(body) + "\n";
  co_return co_await exchange.reply(status, "application/json", text);
}

boost::asio::awaitable<Result<void>> reply_empty(http::Exchange& exchange, int status) {
  co_return co_await exchange.reply(status, "", "");
}

}  // namespace berth::docker
