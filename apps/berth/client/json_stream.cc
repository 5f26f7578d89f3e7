#include "berth/client/json_stream.h"

#include <array>

namespace berth::cli {
namespace {

// A line of progress or an event; labels make the largest ones.
constexpr std::size_t kMaxLineBytes = std::size_t{4} << 20;

}  // namespace

Result<OrderedJson> parse_ordered(std::string_view text, std::size_t max_bytes) {
  // The shared parser first, for its caps and its words; it sorts members, so the text is then read
  // again.
  TRY(parse_json(text, max_bytes));
  OrderedJson value = OrderedJson::parse(text, nullptr, false);
  if (value.is_discarded())
    return fail(ErrorKind::kCorrupt, "the engine's answer is not valid JSON");
  return value;
}

Result<std::optional<OrderedJson>> JsonStream::next() {
  for (;;) {
    const auto newline = buffer_.find('\n');
    if (newline != std::string::npos || ended_) {
      const std::string line = buffer_.substr(0, newline);
      buffer_.erase(0, newline == std::string::npos ? newline : newline + 1);
      if (line.find_first_not_of(" \r\t") != std::string::npos)
        return std::optional(
            TRY(parse_ordered(line, kMaxLineBytes).context("the engine's answer")));
      if (newline == std::string::npos) return std::optional<OrderedJson>();
      continue;
    }
    if (buffer_.size() > kMaxLineBytes)
      return fail(ErrorKind::kCorrupt, "the engine's answer has a line of more than {} bytes",
                  kMaxLineBytes);
    std::array<char, 16384> piece;
    const std::size_t got = TRY(connection_.read_body(piece));
    buffer_.append(piece.data(), got);
    ended_ = got == 0;
  }
}

}  // namespace berth::cli
