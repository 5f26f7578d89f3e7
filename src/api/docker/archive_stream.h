// An archive as an answer: written by a thread of the engine while the event loop sends it.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <stop_token>
#include <string_view>

#include "api/http/exchange.h"
#include "base/byte_sink.h"
#include "engine/engine.h"

namespace berth::docker {

/// Starts the work that writes to `sink`; `stop`: whoever requests it wants the archive no more.
using ArchiveProducer = std::function<engine::Task<>(ByteSink& sink, std::stop_source stop)>;

/// Answers with what `produce` writes. What goes wrong before the first byte is an answer of its
/// own; later it cuts the connection. A client that goes ends the work, too.
boost::asio::awaitable<Result<void>> stream_archive(http::Exchange& exchange,
                                                    ArchiveProducer produce,
                                                    std::string_view media_type);

}  // namespace berth::docker
