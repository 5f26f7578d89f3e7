#include "image/archive/decompress.h"

#include <gtest/gtest.h>

#include <string>

#include "image/archive/tar_builder_testing.h"

namespace berth::image {
namespace {

Result<std::string> unpack(std::string bytes, std::size_t chunk = SIZE_MAX,
                           const DecompressLimits& limits = {}) {
  StringSource from(std::move(bytes), chunk);
  const auto source = TRY(decompress(from, limits));
  std::string all;
  std::vector<std::byte> buffer(777);
  for (;;) {
    const std::size_t got = TRY(source->read(buffer));
    if (got == 0) return all;
    all.append(reinterpret_cast<const char*>(buffer.data()), got);
  }
}

std::string sample() {
  std::string text;
  for (int i = 0; i < 40000; ++i) text += fmt::format("{} ", i * i % 977);
  return text;
}

TEST(Decompress, TellsTheFormatsApartHoweverTheBytesArrive) {
  const std::string text = sample();
  for (const std::size_t chunk : {std::size_t{1}, std::size_t{1000}, SIZE_MAX}) {
    EXPECT_EQ(MUST(unpack(text, chunk)), text);
    EXPECT_EQ(MUST(unpack(gzip(text), chunk)), text);
    EXPECT_EQ(MUST(unpack(zstd(text), chunk)), text);
  }
  EXPECT_EQ(MUST(unpack("")), "");
  EXPECT_EQ(MUST(unpack("a")), "a");
}

TEST(Decompress, JoinsMembersAndFrames) {
  EXPECT_EQ(MUST(unpack(gzip("one ") + gzip("two") + std::string(512, '\0'), 3)), "one two");
  EXPECT_EQ(MUST(unpack(zstd("one ") + zstd("two"), 3)), "one two");
  const std::string skippable("\x50\x2a\x4d\x18\x02\0\0\0xx", 10);
  EXPECT_EQ(MUST(unpack(skippable + zstd("x"))), "x");
}

TEST(Decompress, TruncatedOrDamagedStreamsAreCorrupt) {
  const std::string text = sample();
  for (std::string packed : {gzip(text), zstd(text)}) {
    for (const std::size_t keep : {packed.size() - 1, packed.size() / 2, std::size_t{12}}) {
      EXPECT_EQ(unpack(packed.substr(0, keep)).error().kind(), ErrorKind::kCorrupt) << keep;
    }
    packed[packed.size() / 2] = static_cast<char>(packed[packed.size() / 2] ^ 0x55);
    EXPECT_FALSE(unpack(packed).ok() && MUST(unpack(packed)) == text);
  }
  EXPECT_EQ(unpack(gzip(text) + "garbage").error().kind(), ErrorKind::kCorrupt);
  std::string bad_crc = gzip(text);
  bad_crc[bad_crc.size() - 8] = static_cast<char>(bad_crc[bad_crc.size() - 8] ^ 1);
  EXPECT_EQ(unpack(bad_crc).error().kind(), ErrorKind::kCorrupt);
}

TEST(Decompress, AFailureIsTheLastWord) {
  std::string bad_crc = gzip(sample());
  bad_crc[bad_crc.size() - 6] = static_cast<char>(bad_crc[bad_crc.size() - 6] ^ 1);
  StringSource from(std::move(bad_crc), SIZE_MAX);
  const auto source = MUST(decompress(from, {}));
  std::vector<std::byte> buffer(1U << 20);
  auto got = source->read(buffer);
  while (got.ok() && *got > 0) got = source->read(buffer);
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(source->read(buffer).error().message(), got.error().message());
}

TEST(Decompress, NamesFormatsItDoesNotTake) {
  EXPECT_EQ(unpack("BZh91AY").error().kind(), ErrorKind::kUnsupported);
  EXPECT_EQ(unpack(std::string("\xfd"
                               "7zXZ\0\0",
                               7))
                .error()
                .kind(),
            ErrorKind::kUnsupported);
}

TEST(Decompress, StopsAtItsLimits) {
  const std::string zeros(8U << 20, '\0');
  EXPECT_EQ(unpack(zeros, SIZE_MAX, {.max_bytes = 1000}).error().kind(), ErrorKind::kExhausted);
  const DecompressLimits tight{.free_bytes = 1U << 20, .max_ratio = 200};
  EXPECT_EQ(unpack(zstd(zeros), SIZE_MAX, tight).error().kind(), ErrorKind::kExhausted);
  EXPECT_TRUE(unpack(zeros, SIZE_MAX, tight).ok());
  const std::string text = sample();
  EXPECT_TRUE(unpack(gzip(text), SIZE_MAX, {.free_bytes = 1000, .max_ratio = 200}).ok());
}

}  // namespace
}  // namespace berth::image
