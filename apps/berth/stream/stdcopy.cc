#include "berth/stream/stdcopy.h"

namespace berth::cli {
namespace {

// What is shown of an error that the engine sends inside the stream.
constexpr std::size_t kMaxErrorText = 4096;

}  // namespace

Result<void> StdcopyDemultiplexer::take_header(std::span<const char>& bytes) {
  const auto piece = bytes.first(std::min(bytes.size(), header_.size() - header_size_));
  std::ranges::copy(piece, header_.begin() + static_cast<std::ptrdiff_t>(header_size_));
  header_size_ += piece.size();
  bytes = bytes.subspan(piece.size());
  if (header_size_ < header_.size()) return {};

  header_size_ = 0;
  stream_ = static_cast<std::uint8_t>(header_[0]);
  if (stream_ > kErrorStream || header_[1] != 0 || header_[2] != 0 || header_[3] != 0)
    return fail(ErrorKind::kCorrupt,
                "the engine sent output in frames that cannot be read (stream {})", stream_);
  for (std::size_t i = 4; i < header_.size(); ++i)
    left_ = left_ << 8U | static_cast<std::uint8_t>(header_[i]);
  return {};
}

Result<void> StdcopyDemultiplexer::collect_error(std::span<const char> piece) {
  error_text_.append(piece.data(), std::min(piece.size(), kMaxErrorText - error_text_.size()));
  if (left_ > 0 && error_text_.size() < kMaxErrorText) return {};
  return fail(ErrorKind::kInternal, "error from daemon in stream: {}", error_text_);
}

}  // namespace berth::cli
