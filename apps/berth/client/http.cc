#include "berth/client/http.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <limits>

namespace berth::cli {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

constexpr std::size_t kPieceBytes = 64U << 10;
// Head of an answer: ours and Docker's stay below 1 KiB.
constexpr std::uint32_t kMaxHeadBytes = 64U << 10;

// A connected socket as Beast's SyncStream: no event loop is made for a client that asks one thing
// at a time.
class SocketStream {
 public:
  explicit SocketStream(UniqueFd socket) : socket_(std::move(socket)) {}

  template <typename Buffers>
  std::size_t read_some(const Buffers& buffers, beast::error_code& error) {
    const asio::mutable_buffer into = *asio::buffer_sequence_begin(buffers);
    for (;;) {
      const ssize_t got = ::recv(socket_.get(), into.data(), into.size(), 0);
      if (got < 0 && errno == EINTR) continue;
      error = got < 0   ? beast::error_code(errno, boost::system::system_category())
              : got > 0 ? beast::error_code()
                        : beast::error_code(asio::error::eof);
      return got > 0 ? static_cast<std::size_t>(got) : 0;
    }
  }

  template <typename Buffers>
  std::size_t write_some(const Buffers& buffers, beast::error_code& error) {
    // Head and body of a small request leave in one piece.
    std::array<iovec, 8> pieces{};
    std::size_t count = 0;
    for (auto it = asio::buffer_sequence_begin(buffers); it != asio::buffer_sequence_end(buffers);
         ++it) {
      const asio::const_buffer piece = *it;
      if (piece.size() == 0) continue;
      pieces[count++] = {const_cast<void*>(piece.data()), piece.size()};
      if (count == pieces.size()) break;
    }
    error = {};
    if (count == 0) return 0;
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = count;
    for (;;) {
      const ssize_t sent = ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL);
      if (sent >= 0) return static_cast<std::size_t>(sent);
      if (errno == EINTR) continue;
      error = beast::error_code(errno, boost::system::system_category());
      return 0;
    }
  }

  // Beast's wrappers of exceptions ask for these two; nothing here calls them.
  template <typename Buffers>
  std::size_t read_some(const Buffers& buffers) {
    beast::error_code ignored;
    return read_some(buffers, ignored);
  }
  template <typename Buffers>
  std::size_t write_some(const Buffers& buffers) {
    beast::error_code ignored;
    return write_some(buffers, ignored);
  }

  UniqueFd& socket() { return socket_; }

 private:
  UniqueFd socket_;
};

Error lost(const beast::error_code& error) {
  if (error == http::error::end_of_stream || error == http::error::partial_message ||
      error == asio::error::eof || error == asio::error::connection_reset ||
      error == asio::error::broken_pipe)
    return fail(ErrorKind::kInternal, "the engine closed the connection before it had answered");
  if (error.category() == boost::system::system_category())
    return Error::from_errno(error.value(), "talking to the engine");
  return fail(ErrorKind::kCorrupt, "the engine's answer is not HTTP: {}", error.message());
}

template <typename Message>
void fill_head(Message& message, const Request& request) {
  message.version(11);
  message.method_string(request.method);
  message.target(request.target);
  message.set(http::field::host, "localhost");
  message.set(http::field::user_agent, "berth");
  if (!request.registry_config.empty()) message.set("X-Registry-Config", request.registry_config);
  if (!request.registry_auth.empty()) message.set("X-Registry-Auth", request.registry_auth);
  if (request.upgrade) {
    message.set(http::field::connection, "Upgrade");
    message.set(http::field::upgrade, "tcp");
  }
}

}  // namespace

struct HttpConnection::State {
  explicit State(UniqueFd socket) : stream(std::move(socket)) {}

  SocketStream stream;
  beast::flat_buffer buffer;
  std::optional<http::response_parser<http::buffer_body>> parser;  // of the answer being read
};

HttpConnection::HttpConnection(UniqueFd socket)
    : state_(std::make_unique<State>(std::move(socket))) {}
HttpConnection::HttpConnection(HttpConnection&& other) noexcept = default;
HttpConnection& HttpConnection::operator=(HttpConnection&& other) noexcept = default;
HttpConnection::~HttpConnection() = default;

Result<void> HttpConnection::send(const Request& request) {
  http::request<http::string_body> message;
  fill_head(message, request);
  if (!request.body.empty()) {
    message.set(http::field::content_type, "application/json");
    message.body() = request.body;
  }
  // Content-Length: 0 belongs to a POST without a body, too.
  if (request.method != "GET") message.prepare_payload();
  beast::error_code error;
  http::write(state_->stream, message, error);
  if (error) return lost(error);
  return {};
}

Result<void> HttpConnection::send(const Request& request, ByteSource& body) {
  http::request<http::empty_body> message;
  fill_head(message, request);
  message.set(http::field::content_type, "application/x-tar");
  message.chunked(true);
  http::request_serializer<http::empty_body> serializer(message);
  beast::error_code error;
  http::write_header(state_->stream, serializer, error);
  std::string piece(kPieceBytes, '\0');
  while (!error) {
    const std::size_t got = TRY(body.read(std::as_writable_bytes(std::span(piece))));
    if (got == 0) {
      asio::write(state_->stream, http::make_chunk_last(), error);
      break;
    }
    asio::write(state_->stream, http::make_chunk(asio::const_buffer(piece.data(), got)), error);
  }
  if (error == asio::error::broken_pipe || error == asio::error::connection_reset) return {};
  if (error) return lost(error);
  return {};
}

Result<ResponseHead> HttpConnection::receive_head() {
  auto& parser = state_->parser.emplace();
  parser.header_limit(kMaxHeadBytes);
  parser.body_limit(boost::none);
  beast::error_code error;
  http::read_header(state_->stream, state_->buffer, parser, error);
  if (error) return lost(error);
  const auto type = parser.get()[http::field::content_type];
  return ResponseHead{parser.get().result_int(), std::string(type.data(), type.size())};
}

Result<std::size_t> HttpConnection::read_body(std::span<char> into) {
  auto& parser = *state_->parser;
  while (!parser.is_done()) {
    auto& body = parser.get().body();
    body.data = into.data();
    body.size = into.size();
    body.more = true;
    beast::error_code error;
    // read_some: what has arrived is handed on at once, however little it is.
    http::read_some(state_->stream, state_->buffer, parser, error);
    if (error && error != http::error::need_buffer) return lost(error);
    if (const std::size_t got = into.size() - body.size; got > 0) return got;
  }
  return std::size_t{0};
}

Result<Response> HttpConnection::receive() {
  Response response;
  response.status = TRY(receive_head()).status;
  std::array<char, 16384> piece;
  for (;;) {
    const std::size_t got = TRY(read_body(piece));
    if (got == 0) return response;
    if (response.body.size() + got > kMaxAnswerBytes)
      return fail(ErrorKind::kExhausted, "the engine's answer is over the cap of {} bytes",
                  kMaxAnswerBytes);
    response.body.append(piece.data(), got);
  }
}

bool HttpConnection::has_received() const {
  return state_->buffer.size() > 0;
}

bool HttpConnection::reusable() const {
  return state_->parser && state_->parser->is_done() && state_->parser->keep_alive();
}

HttpConnection::Stream HttpConnection::take() && {
  const auto rest = state_->buffer.data();
  return {std::move(state_->stream.socket()),
          std::string(static_cast<const char*>(rest.data()), rest.size())};
}

int HttpConnection::fd() const {
  return state_->stream.socket().get();
}

}  // namespace berth::cli
