// Exchange: one request and the one answer to it, as a handler sees them. The answer is either a
// whole one (reply), a stream of unknown length (begin_stream, write..., end_stream), or the end of
// HTTP on this socket (upgrade). Belongs to the event-loop thread and to the coroutine that handles
// the request.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <string>
#include <string_view>

#include "api/http/connection.h"
#include "api/http/message.h"
#include "api/http/request_reader.h"
#include "base/result.h"

namespace berth::http {

class Exchange {
 public:
  /// `connection` and `body` outlive it.
  Exchange(Connection& connection, RequestReader& body, Head head);

  const Head& head() const { return head_; }
  RequestReader& body() { return body_; }
  Connection& connection() { return connection_; }

  /// A field that whatever answer follows carries. Neither part may contain a line break.
  void add_field(std::string_view name, std::string_view value);

  /// The whole answer. `body` is not sent for HEAD, 204 and 304.
  boost::asio::awaitable<Result<void>> reply(int status, std::string_view content_type,
                                             std::string_view body);

  /// Sends the head at once; the body follows in pieces and ends with end_stream(). Streams wait
  /// for slow clients as long as these stay connected. An error from write(): the client has gone.
  boost::asio::awaitable<Result<void>> begin_stream(int status, std::string_view content_type);
  boost::asio::awaitable<Result<void>> write(std::string_view piece);
  boost::asio::awaitable<Result<void>> end_stream();

  /// Ends HTTP: 101 if the client asked for an upgrade to tcp, 200 otherwise. From here on the
  /// connection is the handler's: to write to, and to release, with whatever the client has sent
  /// since still unread in the socket. The request must have no unread body.
  boost::asio::awaitable<Result<void>> upgrade(std::string_view content_type);

  bool answered() const { return state_ != State::kOpen; }
  bool upgraded() const { return state_ == State::kUpgraded; }
  /// The answer is complete, and the connection may carry another request.
  bool reusable() const { return state_ == State::kDone && head_.keep_alive; }

 private:
  enum class State { kOpen, kStreaming, kDone, kUpgraded };
  std::string head_text(int status, std::string_view content_type, std::string_view framing) const;

  Connection& connection_;
  RequestReader& body_;
  Head head_;
  State state_ = State::kOpen;
  bool chunked_ = false;
  std::string fields_;
};

/// What a server does with each request. An answer that is missing at the end is a bug and cuts the
/// connection.
using Handler = std::function<boost::asio::awaitable<void>(Exchange&)>;

/// The phrase that goes with a status, "Not Found".
std::string_view reason_phrase(int status);

}  // namespace berth::http
