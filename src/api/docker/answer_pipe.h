// AnswerPipe: an answer's body as a ByteSink: a pool thread fills it while the event loop sends it
// to the client. Bounded: whichever side is ahead waits for the other. The other direction is
// body_pipe.h.
//
//   pool thread                          event loop
//     write()  -- pieces, at most kMaxQueued -->  next()
//              <------- "there is room" ---------
//
// write() is the one call for other threads.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "api/http/wakeup.h"
#include "base/byte_sink.h"
#include "base/result.h"

namespace berth::docker {

class AnswerPipe final : public ByteSink {
 public:
  static constexpr std::size_t kMaxQueued = 4;  // pieces, as large as the writer makes them

  explicit AnswerPipe(const boost::asio::any_io_executor& loop);

  Result<void> write(std::span<const std::byte> bytes) override;

  /// The next piece; nothing once close() was called and all has been taken, or after abandon().
  boost::asio::awaitable<std::optional<std::string>> next();
  /// What writes has ended.
  void close();
  /// Nobody sends any more: write() fails from now on.
  void abandon();
  /// Returns when close() has been called.
  boost::asio::awaitable<void> closed();

 private:
  std::optional<std::string> take();

  boost::asio::any_io_executor loop_;
  // Calls from the pool thread may arrive after the pipe has gone.
  std::shared_ptr<http::Wakeup> wakeup_;
  bool closed_ = false;  // the loop's

  std::mutex mutex_;
  std::condition_variable room_;
  std::deque<std::string> queue_;  // guarded by mutex_, as is what follows
  bool abandoned_ = false;
};

}  // namespace berth::docker
