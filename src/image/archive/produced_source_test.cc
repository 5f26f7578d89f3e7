#include "image/archive/produced_source.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <string>

namespace berth::image {
namespace {

Result<std::string> read_all(ByteSource& source) {
  std::string text;
  std::array<std::byte, 1000> buffer;
  for (;;) {
    const std::size_t got = TRY(source.read(buffer));
    if (got == 0) return text;
    text.append(reinterpret_cast<const char*>(buffer.data()), got);
  }
}

TEST(ProducedSource, WhatIsWrittenIsRead) {
  const std::vector<std::byte> piece(300'000, std::byte{'x'});
  ProducedSource source([&](ByteSink& sink) -> Result<void> {
    for (int i = 0; i < 20; ++i) TRY(sink.write(piece));
    return sink.write({});
  });
  EXPECT_EQ(MUST(read_all(source)), std::string(20 * piece.size(), 'x'));
  EXPECT_EQ(MUST(read_all(source)), "");
}

TEST(ProducedSource, AnErrorComesBehindWhatWasWritten) {
  ProducedSource source([](ByteSink& sink) -> Result<void> {
    TRY(sink.write(std::vector<std::byte>(5)));
    return fail(ErrorKind::kCorrupt, "broken");
  });
  std::array<std::byte, 10> buffer;
  EXPECT_EQ(MUST(source.read(buffer)), 5U);
  EXPECT_EQ(source.read(buffer).error().message(), "broken");
  EXPECT_EQ(source.read(buffer).error().message(), "broken");
}

TEST(ProducedSource, AProducerThatIsAheadIsToldThatNobodyReads) {
  std::atomic<bool> refused = false;
  {
    ProducedSource source([&](ByteSink& sink) -> Result<void> {
      const std::vector<std::byte> piece(ProducedSource::kMaxQueued);
      for (;;) {
        if (auto taken = sink.write(piece); !taken.ok()) {
          refused = true;
          return taken;
        }
      }
    });
    std::array<std::byte, 10> buffer;
    EXPECT_EQ(MUST(source.read(buffer)), 10U);
  }
  EXPECT_TRUE(refused);
}

}  // namespace
}  // namespace berth::image
