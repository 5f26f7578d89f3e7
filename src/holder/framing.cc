#include "holder/framing.h"

namespace berth::holder {

std::string_view to_string(StreamKind stream) {
  constexpr std::array<std::string_view, 3> kNames = {"stdin", "stdout", "stderr"};
  return kNames[static_cast<std::size_t>(stream)];
}

std::array<char, kFrameHeaderSize> frame_header(StreamKind stream, std::size_t length) {
  const auto size = static_cast<std::uint32_t>(length);
  return {static_cast<char>(stream),
          0,
          0,
          0,
          static_cast<char>(size >> 24U),
          static_cast<char>(size >> 16U),
          static_cast<char>(size >> 8U),
          static_cast<char>(size)};
}

}  // namespace berth::holder
