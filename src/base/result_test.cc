#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace berth {
namespace {

Result<int> half(int n) {
  if (n % 2 != 0) return fail(ErrorKind::kInvalid, "{} is odd", n);
  return n / 2;
}

Result<int> quarter(int n) {
  const int first = TRY(half(n));
  return TRY(half(first));
}

Result<void> check(int n) {
  TRY(quarter(n));
  return {};
}

TEST(Result, CarriesAValueOrAnError) {
  EXPECT_EQ(*half(4), 2);
  const auto odd = half(3);
  ASSERT_FALSE(odd.ok());
  EXPECT_EQ(odd.error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(odd.error().message(), "3 is odd");
}

TEST(Result, TryReturnsTheFirstError) {
  EXPECT_EQ(*quarter(8), 2);
  EXPECT_EQ(quarter(6).error().message(), "3 is odd");
  EXPECT_TRUE(check(8).ok());
  EXPECT_EQ(check(5).error().message(), "5 is odd");
}

TEST(Result, MovesWhatCannotBeCopied) {
  auto make = []() -> Result<std::unique_ptr<int>> { return std::make_unique<int>(7); };
  auto use = [&]() -> Result<int> {
    const std::unique_ptr<int> p = TRY(make());
    return *p;
  };
  EXPECT_EQ(*use(), 7);
}

TEST(Result, ContextNamesTheLayerAndKeepsKindAndErrno) {
  auto layered = Result<int>(Error::from_errno(ENOENT, "open /x")).context("container c1");
  EXPECT_EQ(layered.error().message(), "container c1: open /x: No such file or directory");
  EXPECT_EQ(layered.error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(layered.error().os_errno(), ENOENT);
}

TEST(ResultDeathTest, MustNamesTheErrorThatCouldNotHappen) {
  EXPECT_DEATH((void)MUST(half(3)), "impossible error: 3 is odd");
}

}  // namespace
}  // namespace berth
