#include "sys/memfd.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace berth::sys {
namespace {

TEST(Memfd, HoldsItsBytesAndCannotBeChanged) {
  const std::string bytes = std::string("a\0b", 3) + std::string(100'000, 'x');
  const auto file = sealed_memfd("test", bytes);
  ASSERT_TRUE(file.ok()) << file.error().message();
  EXPECT_EQ(::write(file->get(), "y", 1), -1);
  EXPECT_EQ(::ftruncate(file->get(), 1), -1);
  EXPECT_EQ(::ftruncate(file->get(), 1'000'000), -1);
  EXPECT_EQ(*read_memfd(file->get(), bytes.size()), bytes);
  EXPECT_EQ(*read_memfd(file->get(), bytes.size()), bytes) << "whatever its offset";
}

TEST(Memfd, BeyondTheCapIsExhausted) {
  const auto file = sealed_memfd("test", "1234");
  EXPECT_TRUE(read_memfd(file->get(), 4).ok());
  EXPECT_EQ(read_memfd(file->get(), 3).error().kind(), ErrorKind::kExhausted);
  EXPECT_EQ(*read_memfd(sealed_memfd("empty", "")->get(), 0), "");
  EXPECT_FALSE(read_memfd(-1, 4).ok());
}

}  // namespace
}  // namespace berth::sys
