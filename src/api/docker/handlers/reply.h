// The two answers that most handlers give.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "api/http/exchange.h"
#include "base/json.h"
#include "base/result.h"

namespace berth::docker {

/// JSON with Docker's closing newline.
boost::asio::awaitable<Result<void>> reply_json(http::Exchange& exchange, int status,
                                                const OrderedJson& body);
/// A status without a body: 204, 304.
boost::asio::awaitable<Result<void>> reply_empty(http::Exchange& exchange, int status);

}  // namespace berth::docker
