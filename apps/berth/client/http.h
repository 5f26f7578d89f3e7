// HttpConnection: one connection to the engine: requests out, answers in, one after the other, kept
// alive between them; or taken over whole once an answer has turned it into a byte stream. HTTP is
// Boost.Beast's, hidden in http.cc since it is heavy to compile. Blocking; one thread.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/byte_source.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace berth::cli {

/// What a whole answer may hold in memory: lists and inspections of a very full engine stay below
/// it.
inline constexpr std::size_t kMaxAnswerBytes = std::size_t{64} << 20;

struct Request {
  std::string_view method = "GET";
  std::string target;
  std::string body;                  // sent as application/json if not empty
  bool upgrade = false;              // ask for the connection itself: "Upgrade: tcp"
  std::string registry_auth = {};    // X-Registry-Auth, if not empty
  std::string registry_config = {};  // X-Registry-Config, if not empty
};

struct ResponseHead {
  unsigned status = 0;
  std::string content_type;
};

struct Response {
  unsigned status = 0;
  std::string body;
};

class HttpConnection {
 public:
  explicit HttpConnection(UniqueFd socket);
  HttpConnection(HttpConnection&& other) noexcept;
  HttpConnection& operator=(HttpConnection&& other) noexcept;
  ~HttpConnection();

  // After any error the connection is of no use. kInternal: the engine went away; kCorrupt: it does
  // not speak HTTP.

  Result<void> send(const Request& request);
  /// Sends the bytes of `body` in chunks as application/x-tar. If the engine stops reading, that is
  /// no error here: its answer says why.
  Result<void> send(const Request& request, ByteSource& body);

  /// The whole answer. kExhausted beyond kMaxAnswerBytes.
  Result<Response> receive();
  /// The status and headers; the body is then read with read_body() to its end, or the connection
  /// taken.
  Result<ResponseHead> receive_head();
  /// The next bytes of the body, as soon as there are any; 0: the end.
  Result<std::size_t> read_body(std::span<char> into);

  /// Whether some of the answer has arrived behind what was read: poll(2) would not tell of it.
  bool has_received() const;

  /// Whether another request can be sent: the last answer has been read whole and did not say
  /// "close".
  bool reusable() const;

  struct Stream {
    UniqueFd socket;
    std::string received;  // what arrived behind the answer's head
  };
  /// Ends HTTP: the connection is a byte stream now.
  Stream take() &&;

  /// Borrowed, for poll(2).
  int fd() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace berth::cli
