#include "api/http/exchange.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <utility>

namespace berth::http {
namespace {

namespace asio = boost::asio;

struct Phrase {
  int status;
  std::string_view text;
};

constexpr std::array kPhrases = {
    Phrase{101, "UPGRADED"},
    Phrase{200, "OK"},
    Phrase{201, "Created"},
    Phrase{204, "No Content"},
    Phrase{304, "Not Modified"},
    Phrase{400, "Bad Request"},
    Phrase{403, "Forbidden"},
    Phrase{404, "Not Found"},
    Phrase{408, "Request Timeout"},
    Phrase{409, "Conflict"},
    Phrase{413, "Content Too Large"},
    Phrase{415, "Unsupported Media Type"},
    Phrase{431, "Request Header Fields Too Large"},
    Phrase{500, "Internal Server Error"},
    Phrase{501, "Not Implemented"},
    Phrase{503, "Service Unavailable"},
    Phrase{507, "Insufficient Storage"},
};

// RFC 9110 section 5.6.7. Not by strftime, which would drag in the locale.
std::string http_date() {
  static constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t seconds = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT",
                     kDays[static_cast<std::size_t>(parts.tm_wday)], parts.tm_mday,
                     kMonths[static_cast<std::size_t>(parts.tm_mon)], parts.tm_year + 1900,
                     parts.tm_hour, parts.tm_min, parts.tm_sec);
}

bool has_no_body(int status) {
  return status == 204 || status == 304;
}

}  // namespace

std::string_view reason_phrase(int status) {
  const auto found = std::ranges::find(kPhrases, status, &Phrase::status);
  return found == kPhrases.end() ? "Unknown" : found->text;
}

Exchange::Exchange(Connection& connection, RequestReader& body, Head head)
    : connection_(connection), body_(body), head_(std::move(head)) {}

void Exchange::add_field(std::string_view name, std::string_view value) {
  fields_ += fmt::format("{}: {}\r\n", name, value);
}

std::string Exchange::head_text(int status, std::string_view content_type,
                                std::string_view framing) const {
  std::string text = fmt::format("HTTP/1.1 {} {}\r\n{}", status, reason_phrase(status), fields_);
  if (!content_type.empty()) text += fmt::format("Content-Type: {}\r\n", content_type);
  text += framing;
  return text + "\r\n";
}

asio::awaitable<Result<void>> Exchange::reply(int status, std::string_view content_type,
                                              std::string_view body) {
  if (state_ != State::kOpen)
    co_return fail(ErrorKind::kInternal, "a second answer to one request");
  // What is left of the request's body would be taken for the next request.
  if (!body_.at_end()) head_.keep_alive = false;
  std::string framing = fmt::format("Date: {}\r\n", http_date());
  if (!has_no_body(status)) framing += fmt::format("Content-Length: {}\r\n", body.size());
  if (!head_.keep_alive) {
    framing += "Connection: close\r\n";
  } else if (head_.http_1_0) {
    framing += "Connection: keep-alive\r\n";
  }
  std::string text = head_text(status, has_no_body(status) ? "" : content_type, framing);
  if (!has_no_body(status) && head_.method != "HEAD") text += body;
  state_ = State::kDone;
  auto written = co_await connection_.write(text, kReplyDeadline);
  if (!written.ok()) head_.keep_alive = false;
  co_return written;
}

asio::awaitable<Result<void>> Exchange::begin_stream(int status, std::string_view content_type) {
  if (state_ != State::kOpen)
    co_return fail(ErrorKind::kInternal, "a second answer to one request");
  state_ = State::kStreaming;
  chunked_ = !head_.http_1_0;
  if (!chunked_ || !body_.at_end()) head_.keep_alive = false;
  std::string framing = fmt::format("Date: {}\r\n", http_date());
  if (chunked_) framing += "Transfer-Encoding: chunked\r\n";
  if (!head_.keep_alive) framing += "Connection: close\r\n";
  const std::string text = head_text(status, content_type, framing);
  co_return co_await connection_.write(text, kReplyDeadline);
}

asio::awaitable<Result<void>> Exchange::write(std::string_view piece) {
  if (state_ != State::kStreaming) co_return fail(ErrorKind::kInternal, "no stream to write to");
  if (piece.empty()) co_return Result<void>();  // an empty chunk would be the end
  if (!chunked_) co_return co_await connection_.write(piece, {});
  std::string chunk = fmt::format("{:x}\r\n", piece.size());
  chunk += piece;
  chunk += "\r\n";
  co_return co_await connection_.write(chunk, {});
}

asio::awaitable<Result<void>> Exchange::end_stream() {
  if (state_ != State::kStreaming) co_return fail(ErrorKind::kInternal, "no stream to end");
  state_ = State::kDone;
  if (!chunked_) co_return Result<void>();
  auto written = co_await connection_.write("0\r\n\r\n", kReplyDeadline);
  if (!written.ok()) head_.keep_alive = false;
  co_return written;
}

asio::awaitable<Result<void>> Exchange::upgrade(std::string_view content_type) {
  if (state_ != State::kOpen)
    co_return fail(ErrorKind::kInternal, "a second answer to one request");
  state_ = State::kUpgraded;
  const std::string text =
      head_.upgrade ? head_text(101, content_type, "Connection: Upgrade\r\nUpgrade: tcp\r\n")
                    : head_text(200, content_type, "");
  co_return co_await connection_.write(text, kReplyDeadline);
}

}  // namespace berth::http
