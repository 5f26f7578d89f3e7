#include "image/reference/digest.h"

#include <gtest/gtest.h>

namespace berth::image {
namespace {

const std::string kHex256 = std::string(63, '0') + "f";
const std::string kHex512 = std::string(127, '9') + "a";

TEST(Digest, IsAnAlgorithmAndItsDigits) {
  const auto short_one = Digest::parse("sha256:" + kHex256);
  ASSERT_TRUE(short_one.ok());
  EXPECT_EQ(short_one->algorithm(), "sha256");
  EXPECT_EQ(short_one->hex(), kHex256);
  EXPECT_EQ(short_one->str(), "sha256:" + kHex256);
  const auto long_one = Digest::parse("sha512:" + kHex512);
  ASSERT_TRUE(long_one.ok());
  EXPECT_EQ(long_one->algorithm(), "sha512");
  EXPECT_EQ(long_one->hex(), kHex512);
  EXPECT_EQ(Digest::of_hex(kHex256), *short_one);
}

// It becomes a file name.
TEST(Digest, OfAnyOtherFormIsInvalid) {
  const std::string upper = std::string(63, '0') + "F";
  for (const std::string& bad :
       {std::string(), std::string("sha256"), std::string("sha256:"), kHex256, "sha256:" + upper,
        "SHA256:" + kHex256, "sha256:" + kHex256 + "0", "sha256:" + kHex256.substr(1),
        "sha512:" + kHex256, "sha256:" + kHex512, "md5:" + std::string(32, 'a'),
        "sha256:../" + kHex256.substr(3), "sha256:" + kHex256.substr(1) + "/",
        "sha256:" + kHex256.substr(1) + std::string(1, '\0'), "sha256::" + kHex256.substr(1),
        " sha256:" + kHex256, "sha256:" + kHex256 + "\n"})
    EXPECT_EQ(Digest::parse(bad).error().kind(), ErrorKind::kInvalid) << bad;
}

TEST(Digest, AnErrorDoesNotRepeatTextWithoutEnd) {
  EXPECT_LT(Digest::parse(std::string(100'000, 'x')).error().message().size(), 300U);
}

TEST(LowerHex, IsDigitsAndLettersUpToF) {
  EXPECT_TRUE(is_lower_hex("0123456789abcdef"));
  for (const char* bad : {"", "A", "g", "0x1", "1 ", "-1"}) EXPECT_FALSE(is_lower_hex(bad)) << bad;
}

}  // namespace
}  // namespace berth::image
