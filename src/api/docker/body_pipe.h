// BodyPipe: a request's body as a ByteSource: the event loop fills it from the client's socket
// while a pool thread empties it. Bounded: whichever side is ahead waits for the other.
//
//   event loop                        pool thread
//     pump()  -- chunks, at most kMaxQueued -->  read()
//             <------- "there is room" --------
//
// Made, pumped and destroyed on the event loop; read() is the one call for other threads.
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

#include "api/http/exchange.h"
#include "api/http/wakeup.h"
#include "base/byte_source.h"
#include "base/result.h"

namespace berth::docker {

class BodyPipe final : public ByteSource {
 public:
  static constexpr std::size_t kChunk = 128U << 10;
  static constexpr std::size_t kMaxQueued = 4;  // chunks

  BodyPipe(http::Exchange& exchange, const boost::asio::any_io_executor& loop);

  /// Starts to read the body; once. The pipe must outlive what this starts: see finish().
  void start();
  /// Gives up on what is left of the body, and returns when the loop's side has ended. Before
  /// destruction.
  boost::asio::awaitable<void> finish();

  Result<std::size_t> read(std::span<std::byte> into) override;

 private:
  boost::asio::awaitable<void> pump();
  void push(std::string chunk);
  void end(std::optional<Error> error);
  bool full();

  http::RequestReader& body_;
  http::Connection& connection_;
  boost::asio::any_io_executor loop_;
  // Calls from the pool thread may arrive after the pipe has gone.
  std::shared_ptr<http::Wakeup> room_;
  http::Wakeup pumped_;
  bool pumping_ = false;
  bool abandoned_ = false;

  std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<std::string> queue_;  // guarded by mutex_, as is what follows
  std::size_t offset_ = 0;         // into the first chunk
  bool ended_ = false;
  std::optional<Error> error_;
};

}  // namespace berth::docker
