#include "holder/framing.h"

#include <gtest/gtest.h>

namespace berth::holder {
namespace {

std::string_view text(const std::array<char, kFrameHeaderSize>& header) {
  return {header.data(), header.size()};
}

TEST(Framing, HeaderNamesTheStreamAndTheLengthBigEndian) {
  EXPECT_EQ(text(frame_header(StreamKind::kStdout, 5)), std::string_view("\1\0\0\0\0\0\0\5", 8));
  EXPECT_EQ(text(frame_header(StreamKind::kStderr, 0x01020304)),
            std::string_view("\2\0\0\0\1\2\3\4", 8));
  EXPECT_EQ(text(frame_header(StreamKind::kStdout, 0xffff)),
            std::string_view("\1\0\0\0\0\0\xff\xff", 8));
}

TEST(Framing, StreamsHaveTheNamesOfTheLog) {
  EXPECT_EQ(to_string(StreamKind::kStdin), "stdin");
  EXPECT_EQ(to_string(StreamKind::kStdout), "stdout");
  EXPECT_EQ(to_string(StreamKind::kStderr), "stderr");
}

}  // namespace
}  // namespace berth::holder
