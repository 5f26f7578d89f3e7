// StdcopyDemultiplexer: takes the stream of a workload without a terminal apart into its standard
// output and error. Each frame has a header of 8 bytes: the stream (0 stdin, 1 stdout, 2 stderr, 3
// an error of the engine), three zero bytes, and the payload's length, big-endian. Docker Engine
// API, "Attach to a container".
//
// Payload is passed on as it arrives and never collected, whatever length a frame claims.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/result.h"

namespace berth::cli {

enum class OutputStream : std::uint8_t { kStdout, kStderr };

class StdcopyDemultiplexer {
 public:
  /// Takes the next bytes of the stream and gives each piece of payload to `sink(OutputStream,
  /// std::span<const char>)`, a callable that returns Result<void>. kCorrupt: no such frames exist;
  /// kInternal: the engine's own error frame, or the sink's error.
  template <typename Sink>
  Result<void> feed(std::span<const char> bytes, Sink&& sink) {
    while (!bytes.empty()) {
      if (left_ == 0) {
        TRY(take_header(bytes));
        continue;
      }
      const auto piece = bytes.first(std::min<std::size_t>(bytes.size(), left_));
      bytes = bytes.subspan(piece.size());
      left_ -= static_cast<std::uint32_t>(piece.size());
      if (stream_ == kErrorStream) {
        TRY(collect_error(piece));
      } else {
        TRY(sink(stream_ == kStderrStream ? OutputStream::kStderr : OutputStream::kStdout, piece));
      }
    }
    return {};
  }

  /// Whether the stream may end here: not in the middle of a frame.
  bool between_frames() const { return left_ == 0 && header_size_ == 0; }

 private:
  static constexpr std::uint8_t kStderrStream = 2;
  static constexpr std::uint8_t kErrorStream = 3;

  Result<void> take_header(std::span<const char>& bytes);
  Result<void> collect_error(std::span<const char> piece);

  std::array<char, 8> header_{};
  std::size_t header_size_ = 0;
  std::uint8_t stream_ = 0;
  std::uint32_t left_ = 0;  // of the payload
  std::string error_text_;
};

}  // namespace berth::cli
