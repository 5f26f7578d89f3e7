#include "image/registry/auth_challenge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::image {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

AuthChallenge bearer(std::map<std::string, std::string> parameters) {
  return {"bearer", std::move(parameters)};
}

TEST(AuthChallenge, IsWhatRegistriesSend) {
  EXPECT_THAT(parse_challenges(
                  R"(Bearer realm="https://auth.docker.io/token",service="registry.docker.io",)"
                  R"(scope="repository:library/busybox:pull,push")"),
              ElementsAre(bearer({{"realm", "https://auth.docker.io/token"},
                                  {"service", "registry.docker.io"},
                                  {"scope", "repository:library/busybox:pull,push"}})));
  EXPECT_THAT(parse_challenges(R"(Basic realm="Registry Realm")"),
              ElementsAre(AuthChallenge{"basic", {{"realm", "Registry Realm"}}}));
}

TEST(AuthChallenge, SeveralMayComeInOneField) {
  EXPECT_THAT(
      parse_challenges(R"(Negotiate, BASIC realm=x, charset="UTF-8", Bearer Realm = "a\"b")"),
      ElementsAre(AuthChallenge{"negotiate", {}},
                  AuthChallenge{"basic", {{"realm", "x"}, {"charset", "UTF-8"}}},
                  bearer({{"realm", "a\"b"}})));
}

TEST(AuthChallenge, WhatIsNoneEndsTheList) {
  EXPECT_THAT(parse_challenges(""), IsEmpty());
  EXPECT_THAT(parse_challenges(" , ,"), IsEmpty());
  EXPECT_THAT(parse_challenges("\"quoted\""), IsEmpty());
  EXPECT_THAT(parse_challenges(R"(Bearer realm="never ends)"),
              ElementsAre(bearer({}), AuthChallenge{"realm", {}}));
  EXPECT_THAT(parse_challenges("Bearer realm=\"x\"\x01 more"),
              ElementsAre(bearer({{"realm", "x"}})));
}

TEST(AuthChallenge, TheFirstOfOneNameCounts) {
  EXPECT_EQ(parse_challenges("Bearer realm=a, realm=b").at(0).get("realm"), "a");
  EXPECT_EQ(parse_challenges("Bearer realm=a").at(0).get("scope"), "");
}

}  // namespace
}  // namespace berth::image
