// The handlers that routes.cc names, one per operation; where each is defined is the heading above
// it.
#pragma once

#include "api/docker/request.h"

namespace berth::docker {

#define BERTH_HANDLER(name)                                                       \
  boost::asio::awaitable<Result<void>> name(Services& services, Request& request, \
                                            http::Exchange& exchange)

// system.cc
BERTH_HANDLER(ping);
BERTH_HANDLER(version);
BERTH_HANDLER(info);
BERTH_HANDLER(auth);

#undef BERTH_HANDLER

}  // namespace berth::docker
