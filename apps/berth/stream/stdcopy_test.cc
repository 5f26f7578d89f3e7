#include "berth/stream/stdcopy.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace berth::cli {
namespace {

std::string frame(int stream, std::string_view payload) {
  std::string out(8, '\0');
  out[0] = static_cast<char>(stream);
  out[6] = static_cast<char>(payload.size() >> 8U);
  out[7] = static_cast<char>(payload.size() & 255U);
  return out + std::string(payload);
}

struct Streams {
  std::string out, err;
  Result<void> feed(StdcopyDemultiplexer& demultiplexer, std::string_view bytes) {
    return demultiplexer.feed(
        bytes, [&](OutputStream stream, std::span<const char> piece) -> Result<void> {
          (stream == OutputStream::kStdout ? out : err).append(piece.data(), piece.size());
          return {};
        });
  }
};

TEST(Stdcopy, FramesGoToTheirStreams) {
  Streams streams;
  StdcopyDemultiplexer demultiplexer;
  EXPECT_TRUE(
      streams.feed(demultiplexer, frame(1, "out") + frame(2, "err") + frame(1, "") + frame(0, "!"))
          .ok());
  EXPECT_EQ(streams.out, "out!");
  EXPECT_EQ(streams.err, "err");
  EXPECT_TRUE(demultiplexer.between_frames());
}

TEST(Stdcopy, BytesMayArriveOneByOne) {
  Streams streams;
  StdcopyDemultiplexer demultiplexer;
  const std::string all = frame(1, "hello") + frame(2, "world");
  for (const char& c : all) EXPECT_TRUE(streams.feed(demultiplexer, {&c, 1}).ok());
  EXPECT_EQ(streams.out + streams.err, "helloworld");
}

TEST(Stdcopy, AHugeLengthIsPassedOnAsItArrives) {
  Streams streams;
  StdcopyDemultiplexer demultiplexer;
  std::string header(8, '\0');
  header[0] = 1;
  header[4] = header[5] = header[6] = header[7] = '\xff';
  EXPECT_TRUE(streams.feed(demultiplexer, header + "a few bytes").ok());
  EXPECT_EQ(streams.out, "a few bytes");
  EXPECT_FALSE(demultiplexer.between_frames());
}

TEST(Stdcopy, OtherStreamsAndPaddingAreCorrupt) {
  for (const std::string& bytes : {frame(4, "x"), frame(255, "x"), std::string("HTTP/1.1 200"),
                                   std::string("\1\0\0\1\0\0\0\0", 8)}) {
    Streams streams;
    StdcopyDemultiplexer demultiplexer;
    const auto result = streams.feed(demultiplexer, bytes);
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().kind(), ErrorKind::kCorrupt);
    EXPECT_EQ(streams.out, "");
  }
}

TEST(Stdcopy, TheEnginesErrorEndsTheStream) {
  Streams streams;
  StdcopyDemultiplexer demultiplexer;
  const auto result =
      streams.feed(demultiplexer, frame(1, "a") + frame(3, "log is gone") + frame(1, "b"));
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().message(), "error from daemon in stream: log is gone");
  EXPECT_EQ(streams.out, "a");
}

TEST(Stdcopy, AnEndlessErrorIsCut) {
  Streams streams;
  StdcopyDemultiplexer demultiplexer;
  std::string header(8, '\0');
  header[0] = 3;
  header[4] = '\x7f';
  ASSERT_TRUE(streams.feed(demultiplexer, header).ok());
  const auto result = streams.feed(demultiplexer, std::string(100000, 'e'));
  ASSERT_FALSE(result.ok());
  EXPECT_LT(result.error().message().size(), 5000U);
}

}  // namespace
}  // namespace berth::cli
