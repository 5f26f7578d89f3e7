#include "base/strong_id.h"

#include <gtest/gtest.h>

#include <set>
#include <type_traits>
#include <unordered_set>

namespace berth {
namespace {

using AppleId = StrongId<struct AppleTag>;
using PearId = StrongId<struct PearTag>;

static_assert(!std::is_convertible_v<AppleId, PearId> && !std::is_constructible_v<PearId, AppleId>);
static_assert(!std::is_convertible_v<std::string, AppleId>);

TEST(StrongId, ComparesHashesAndShortens) {
  const AppleId a("aaaaaaaaaaaaaaaa"), b("bb");
  EXPECT_NE(a, b);
  EXPECT_LT(a, b);
  EXPECT_EQ(a.brief(), "aaaaaaaaaaaa");
  EXPECT_EQ(b.brief(), "bb");
  EXPECT_TRUE(AppleId().empty());
  EXPECT_TRUE((std::unordered_set<AppleId>{a, b}.contains(AppleId("bb"))));
}

TEST(StrongId, RandomIdsAre64HexDigitsAndDiffer) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const auto id = random_id<AppleId>();
    EXPECT_EQ(id.str().size(), 64U);
    EXPECT_EQ(id.str().find_first_not_of("0123456789abcdef"), std::string::npos);
    EXPECT_TRUE(seen.insert(id.str()).second);
  }
}

TEST(StrongId, RandomHexHasTheLengthAskedFor) {
  EXPECT_EQ(random_hex(0).size(), 0U);
  EXPECT_EQ(random_hex(12).size(), 12U);
  EXPECT_EQ(random_hex(128).size(), 128U);
}

}  // namespace
}  // namespace berth
