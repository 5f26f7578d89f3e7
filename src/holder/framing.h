// Docker's stdcopy framing, in which a client without a terminal receives two streams over one
// connection: 8 bytes, [stream, 0, 0, 0, length of the payload, big-endian], then the payload
// (Docker Engine API, "ContainerAttach", "Stream format").
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace berth::holder {

enum class StreamKind : std::uint8_t { kStdin = 0, kStdout = 1, kStderr = 2 };

/// "stdin", "stdout", "stderr": how the log names them.
std::string_view to_string(StreamKind stream);

inline constexpr std::size_t kFrameHeaderSize = 8;

/// The header of a payload of `length` bytes, at most 4 GiB - 1.
std::array<char, kFrameHeaderSize> frame_header(StreamKind stream, std::size_t length);

}  // namespace berth::holder
