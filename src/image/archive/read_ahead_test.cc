#include "image/archive/read_ahead.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>

#include "image/archive/tar_builder_testing.h"

namespace berth::image {
namespace {

// Counts from 0, in reads of odd sizes; then an error, or the end.
class Counting final : public ByteSource {
 public:
  Counting(std::size_t size, bool fails) : size_(size), fails_(fails) {}
  Result<std::size_t> read(std::span<std::byte> into) override {
    ++reads;
    if (at_ == size_) {
      if (fails_) return fail(ErrorKind::kCorrupt, "broken");
      return 0;
    }
    const std::size_t count = std::min({into.size(), size_ - at_, std::size_t{77'777}});
    for (std::size_t i = 0; i < count; ++i) into[i] = static_cast<std::byte>((at_ + i) % 251);
    at_ += count;
    return count;
  }
  std::atomic<int> reads = 0;

 private:
  std::size_t size_;
  bool fails_;
  std::size_t at_ = 0;
};

std::size_t check_all(ByteSource& source, std::size_t step, std::optional<Error>* error) {
  std::vector<std::byte> buffer(step);
  std::size_t at = 0;
  for (;;) {
    const auto got = source.read(buffer);
    if (!got.ok()) {
      *error = got.error();
      return at;
    }
    if (*got == 0) return at;
    for (std::size_t i = 0; i < *got; ++i)
      if (buffer[i] != static_cast<std::byte>((at + i) % 251)) return SIZE_MAX;
    at += *got;
  }
}

TEST(ReadAhead, BytesComeInOrderWhateverTheSteps) {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, ReadAhead::kChunk, std::size_t{5'000'000}})
    for (const std::size_t step : {std::size_t{1000}, std::size_t{65536}, std::size_t{1 << 20}}) {
      Counting source(size, false);
      ReadAhead ahead(source);
      std::optional<Error> error;
      EXPECT_EQ(check_all(ahead, step, &error), size);
      EXPECT_FALSE(error.has_value());
      std::byte more[8];
      EXPECT_EQ(*ahead.read(more), 0U) << "the end stays the end";
    }
}

TEST(ReadAhead, AnErrorComesBehindWhatWasRead) {
  Counting source(3'000'000, true);
  ReadAhead ahead(source);
  std::optional<Error> error;
  EXPECT_EQ(check_all(ahead, 4096, &error), 3'000'000U);
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->kind(), ErrorKind::kCorrupt);
}

TEST(ReadAhead, IsBoundedAndCanBeAbandoned) {
  Counting source(100'000'000, false);
  {
    ReadAhead ahead(source);
    std::byte one[1];
    ASSERT_TRUE(ahead.read(one).ok());
  }
  EXPECT_LE(source.reads, static_cast<int>(ReadAhead::kChunks) + 1);
}

}  // namespace
}  // namespace berth::image
