// ProgressFeed: long work on the engine's threads whose progress streams to a client as lines of
// JSON: pulls and pushes. A client that goes takes its work along.
//
//   handler:   feed, co_spawn(work(feed)), co_await stream_progress(exchange, feed, first line)
//   work:      feed->add(line) ..., feed->end(result)
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "api/http/exchange.h"
#include "api/http/wakeup.h"
#include "base/result.h"

namespace berth::docker {

/// Event-loop thread only.
class ProgressFeed {
 public:
  explicit ProgressFeed(const boost::asio::any_io_executor& loop) : wakeup_(loop) {}

  /// `moves`: tells how far something is, and may be left out where the client is slow.
  void add(std::string line, bool moves = false);
  /// Nothing comes after it.
  void end(Result<void> result);
  /// Requested when the client has gone.
  std::stop_token stop_token() const { return stop_.get_token(); }

 private:
  friend boost::asio::awaitable<Result<void>> stream_progress(http::Exchange& exchange,
                                                              std::shared_ptr<ProgressFeed> feed,
                                                              std::string first);
  boost::asio::awaitable<Result<void>> write_to(http::Exchange& exchange);

  http::Wakeup wakeup_;
  std::deque<std::string> lines_;
  std::stop_source stop_;
  std::optional<Result<void>> result_;
};

/// Answers with `first`, the feed's lines, and the error if there is one; with the error alone if
/// there were no lines, for what is wrong with a name or with who asks is an answer of its own.
/// Returns when the work has ended.
boost::asio::awaitable<Result<void>> stream_progress(http::Exchange& exchange,
                                                     std::shared_ptr<ProgressFeed> feed,
                                                     std::string first);

}  // namespace berth::docker
