// RequestReader: reads one request from a connection, byte-exactly: what follows the request stays
// in the socket. One object per request, so that an idle connection holds no buffer. Event-loop
// thread only.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "api/http/connection.h"
#include "api/http/message.h"
#include "base/result.h"

namespace berth::http {

class RequestReader {
 public:
  /// `connection` outlives it.
  explicit RequestReader(Connection& connection);
  ~RequestReader();
  RequestReader(const RequestReader&) = delete;
  RequestReader& operator=(const RequestReader&) = delete;

  /// The head; nothing if the client closed, or stayed silent for kIdleDeadline, before its first
  /// byte. kInvalid: not HTTP/1.x; kExhausted: a head over kMaxHeadBytes; ETIMEDOUT: half a head.
  boost::asio::awaitable<Result<std::optional<Head>>> read_head();

  /// The next bytes of the body, 0 at its end. Sends "100 Continue" first if the client waits for
  /// it. kInvalid: the chunks make no sense; ECONNRESET: the client closed before the end.
  boost::asio::awaitable<Result<std::size_t>> read_body(std::span<char> into);
  /// The whole body. kExhausted if it is longer than `cap`; what it says it will be is checked
  /// first.
  boost::asio::awaitable<Result<std::string>> read_all(std::size_t cap);
  /// True if the body has been read to its end, or there is none.
  bool at_end() const;

 private:
  struct State;  // keeps Beast out of this header
  boost::asio::awaitable<Result<std::size_t>> read_sized(std::span<char> into);
  boost::asio::awaitable<Result<std::size_t>> read_chunked(std::span<char> into);

  Connection& connection_;
  std::unique_ptr<State> state_;
};

}  // namespace berth::http
