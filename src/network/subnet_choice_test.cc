#include "network/subnet_choice.h"

#include <gtest/gtest.h>

namespace berth::network {
namespace {

Subnet subnet(const char* text) {
  return parse_cidr(text)->subnet();
}

TEST(ChooseSubnet, TakesTheFirstThatIsFree) {
  EXPECT_EQ(to_string(*choose_subnet({})), "172.17.0.0/16");
  const std::vector<Subnet> taken{subnet("172.17.0.1/16"), subnet("172.18.4.0/24"),
                                  subnet("10.0.0.0/8")};
  EXPECT_EQ(to_string(*choose_subnet(taken)), "172.19.0.0/16");
}

TEST(ChooseSubnet, GoesOnTo192168) {
  const std::vector<Subnet> taken{subnet("172.16.0.0/12"), subnet("192.168.1.0/24")};
  EXPECT_EQ(to_string(*choose_subnet(taken)), "192.168.16.0/20");
}

TEST(ChooseSubnet, SaysWhatToDoWhenNothingIsFree) {
  const std::vector<Subnet> taken{subnet("172.16.0.0/12"), subnet("192.168.0.0/16")};
  const auto none = choose_subnet(taken);
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().kind(), ErrorKind::kExhausted);
  EXPECT_NE(none.error().message().find("10.88.0.1/24"), std::string::npos);
}

}  // namespace
}  // namespace berth::network
