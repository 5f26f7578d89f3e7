#include "api/http/request_reader.h"

#include <algorithm>
#include <array>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <utility>

namespace berth::http {
namespace {

namespace asio = boost::asio;
namespace beast_http = boost::beast::http;
using Parser = beast_http::request_parser<beast_http::buffer_body>;

// A chunk's size line and extensions, or the trailer: beyond this no client means well.
constexpr std::size_t kMaxChunkHead = 16U << 10;

Error reset() {
  return Error::from_errno(ECONNRESET,
                           "the client closed the connection in the middle of a request");
}

std::string_view view(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

Head head_of(const Parser& parser) {
  const auto& message = parser.get();
  Head head;
  head.method = view(message.method_string());
  head.target = view(message.target());
  head.http_1_0 = message.version() < 11;
  head.keep_alive = parser.keep_alive();
  head.upgrade = parser.upgrade();
  head.chunked = parser.chunked();
  if (const auto length = parser.content_length()) head.content_length = *length;
  head.expect_continue =
      boost::beast::iequals(message[beast_http::field::expect], "100-continue") && !head.http_1_0;
  for (const auto& field : message)
    head.fields.emplace_back(view(field.name_string()), view(field.value()));
  return head;
}

}  // namespace

std::string_view Head::field(std::string_view name) const {
  for (const auto& [key, value] : fields) {
    if (boost::beast::iequals({key.data(), key.size()}, {name.data(), name.size()})) return value;
  }
  return {};
}

struct RequestReader::State {
  Parser parser;
  std::uint64_t left = 0;  // of a body with a length
  bool chunked = false;
  bool owes_continue = false;
  std::string carry;  // part of a chunk's head that has been taken but is not complete yet
};

RequestReader::RequestReader(Connection& connection) : connection_(connection) {}
RequestReader::~RequestReader() = default;

asio::awaitable<Result<std::optional<Head>>> RequestReader::read_head() {
  std::string text;
  {
    // Nothing is allocated while the connection is idle.
    char first;
    const auto ready = co_await connection_.peek({&first, 1}, kIdleDeadline);
    if (!ready.ok() || *ready == 0) co_return std::optional<Head>();
  }
  const auto deadline = std::chrono::steady_clock::now() + kHeadDeadline;
  constexpr std::string_view kEnd = "\r\n\r\n";
  for (bool complete = false; !complete;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0)
      co_return Error::from_errno(ETIMEDOUT, "the request's head did not arrive in time");
    if (text.size() >= kMaxHeadBytes)
      co_return fail(ErrorKind::kExhausted, "request header is longer than {} bytes",
                     kMaxHeadBytes);
    const std::size_t had = text.size();
    text.resize(had + std::min<std::size_t>(4096, kMaxHeadBytes - had));
    auto peeked = co_await connection_.peek(std::span(text).subspan(had), left);
    CO_TRY(const std::size_t count, std::move(peeked));
    if (count == 0) co_return reset();
    text.resize(had + count);
    const std::size_t end = text.find(kEnd, had < 3 ? 0 : had - 3);
    if (end != std::string::npos) {
      text.resize(end + kEnd.size());
      complete = true;
    }
    CO_TRY_VOID(connection_.consume(text.size() - had));
  }

  state_ = std::make_unique<State>();
  Parser& parser = state_->parser;
  parser.header_limit(static_cast<std::uint32_t>(kMaxHeadBytes));
  parser.body_limit(boost::none);  // bodies are capped by those who read them
  boost::system::error_code error;
  parser.put(asio::buffer(text), error);
  if (error || !parser.is_header_done())
    co_return fail(ErrorKind::kInvalid, "malformed HTTP request: {}",
                   error ? error.message() : "incomplete header");
  Head head = head_of(parser);
  state_->chunked = head.chunked;
  state_->left = head.content_length.value_or(0);
  state_->owes_continue = head.expect_continue && (head.chunked || state_->left > 0);
  co_return std::optional<Head>(std::move(head));
}

bool RequestReader::at_end() const {
  if (!state_) return true;
  return state_->chunked ? state_->parser.is_done() : state_->left == 0;
}

asio::awaitable<Result<std::size_t>> RequestReader::read_body(std::span<char> into) {
  if (at_end()) co_return std::size_t{0};
  if (std::exchange(state_->owes_continue, false)) {
    auto sent = co_await connection_.write("HTTP/1.1 100 Continue\r\n\r\n", kReplyDeadline);
    CO_TRY_VOID(std::move(sent));
  }
  if (state_->chunked) co_return co_await read_chunked(into);
  co_return co_await read_sized(into);
}

asio::awaitable<Result<std::size_t>> RequestReader::read_sized(std::span<char> into) {
  const auto wanted = std::min<std::uint64_t>(into.size(), state_->left);
  auto got = co_await connection_.read(into.first(static_cast<std::size_t>(wanted)), kBodyDeadline);
  CO_TRY(const std::size_t count, std::move(got));
  if (count == 0) co_return reset();
  state_->left -= count;
  co_return count;
}

asio::awaitable<Result<std::size_t>> RequestReader::read_chunked(std::span<char> into) {
  State& state = *state_;
  while (!state.parser.is_done()) {
    std::string input = std::move(state.carry);
    state.carry.clear();
    const std::size_t carried = input.size();
    // A little more than what is asked for, so that a whole chunk and its frame fit.
    input.resize(carried + std::min<std::size_t>(into.size() + 64, 64U << 10));
    auto peeked = co_await connection_.peek(std::span(input).subspan(carried), kBodyDeadline);
    CO_TRY(const std::size_t count, std::move(peeked));
    if (count == 0) co_return reset();
    input.resize(carried + count);

    auto& body = state.parser.get().body();
    body.data = into.data();
    body.size = into.size();
    body.more = true;
    boost::system::error_code error;
    const std::size_t used = state.parser.put(asio::buffer(input), error);
    if (error && error != beast_http::error::need_buffer && error != beast_http::error::need_more)
      co_return fail(ErrorKind::kInvalid, "malformed chunked request body: {}", error.message());
    const std::size_t written = into.size() - body.size;
    if (used >= carried) {
      CO_TRY_VOID(connection_.consume(used - carried));
    } else {
      state.carry = input.substr(used, carried - used);
    }
    if (written > 0) co_return written;
    if (used == 0) {
      // Half a chunk's head: it is ours in any case, so it is taken, and joined with what comes
      // next.
      if (input.size() > kMaxChunkHead)
        co_return fail(ErrorKind::kInvalid,
                       "malformed chunked request body: a chunk header is too long");
      CO_TRY_VOID(connection_.consume(count));
      state.carry = std::move(input);
    }
  }
  co_return std::size_t{0};
}

asio::awaitable<Result<std::string>> RequestReader::read_all(std::size_t cap) {
  if (state_ && !state_->chunked && state_->left > cap)
    co_return fail(ErrorKind::kExhausted, "request body is longer than {} bytes", cap);
  std::string body;
  while (!at_end()) {
    const std::size_t had = body.size();
    if (had > cap)
      co_return fail(ErrorKind::kExhausted, "request body is longer than {} bytes", cap);
    body.resize(had + std::min<std::size_t>(64U << 10, cap + 1 - had));
    auto got = co_await read_body(std::span(body).subspan(had));
    CO_TRY(const std::size_t count, std::move(got));
    body.resize(had + count);
  }
  if (body.size() > cap)
    co_return fail(ErrorKind::kExhausted, "request body is longer than {} bytes", cap);
  co_return body;
}

}  // namespace berth::http
