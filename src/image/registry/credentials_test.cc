#include "image/registry/credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "image/registry/authorizer.h"
#include "image/registry/registry_client.h"

namespace berth::image {
namespace {

using ::testing::HasSubstr;

TEST(RegistryConfig, HasCredentialsByHost) {
  // {"a":{"username":"u","password":"p"},"b":{"identitytoken":"t"}}
  const auto all = MUST(parse_registry_config(
      "eyJhIjp7InVzZXJuYW1lIjoidSIsInBhc3N3b3JkIjoicCJ9LCJiIjp7ImlkZW50aXR5dG9rZW4iOiJ0In19"));
  EXPECT_EQ(all.at("a").password, "p");
  EXPECT_EQ(all.at("b").identity_token, "t");
  EXPECT_EQ(all.size(), 2U);
  EXPECT_TRUE(MUST(parse_registry_config("")).empty());
  for (const char* text : {"%%", "W10=", "eyJhIjp7InVzZXJuYW1lIjo1fX0="})
    EXPECT_EQ(parse_registry_config(text).error().kind(), ErrorKind::kInvalid) << text;
}

TEST(RegistryAuth, IsWhatDockersClientsSend) {
  // {"username":"me","password":"se?cret"}
  for (const char* text : {"eyJ1c2VybmFtZSI6Im1lIiwicGFzc3dvcmQiOiJzZT9jcmV0In0=",
                           "eyJ1c2VybmFtZSI6Im1lIiwicGFzc3dvcmQiOiJzZT9jcmV0In0"}) {
    const auto parsed = parse_registry_auth(text);
    ASSERT_TRUE(parsed.ok()) << parsed.error().message();
    EXPECT_EQ(parsed->username, "me");
    EXPECT_EQ(parsed->password, "se?cret");
    EXPECT_EQ(parsed->basic(), "Basic bWU6c2U/Y3JldA==");
  }
  // {"identitytoken":"x>>?"} in both alphabets
  EXPECT_EQ(parse_registry_auth("eyJpZGVudGl0eXRva2VuIjoieD4-PyJ9")->identity_token, "x>>?");
  EXPECT_EQ(parse_registry_auth("eyJpZGVudGl0eXRva2VuIjoieD4+PyJ9")->identity_token, "x>>?");
  EXPECT_TRUE(parse_registry_auth("")->empty());
  EXPECT_TRUE(parse_registry_auth("e30=")->empty());
}

TEST(RegistryAuth, WhatIsNoneIsRefused) {
  // no base64; no JSON; not an object's; a token that would become two fields
  for (const char* text : {"%%%", "e30=x", "bm8=", "eyJ1c2VybmFtZSI6MX0=",
                           "eyJyZWdpc3RyeXRva2VuIjoiYVxyXG5YOiB5In0="}) {
    const auto parsed = parse_registry_auth(text);
    EXPECT_EQ(parsed.error().kind(), ErrorKind::kInvalid) << text;
    EXPECT_THAT(parsed.error().message(), HasSubstr("X-Registry-Auth")) << text;
  }
  EXPECT_EQ(parse_registry_auth(std::string(1 << 17, 'a')).error().kind(), ErrorKind::kExhausted);
}

TEST(Authorizer, AnswersOnlyWhatItCan) {
  const HttpClient http{HttpSettings{}};
  Authorizer nobody(http, {}, {"scope"});
  EXPECT_FALSE(*nobody.answer("https://r", "Basic realm=x"));
  EXPECT_FALSE(*nobody.answer("https://r", "Negotiate"));
  EXPECT_FALSE(*nobody.answer("https://r", ""));

  Authorizer somebody(http, {.username = "me", .password = "p"}, {"scope"});
  EXPECT_TRUE(*somebody.answer("https://r", "Basic realm=x"));
  EXPECT_EQ(somebody.value(), "Basic bWU6cA==");
  EXPECT_FALSE(*somebody.answer("https://r", "Basic realm=x")) << "the same did not help";
  const auto clear = somebody.answer("https://r", "Bearer realm=\"http://elsewhere/token\"");
  EXPECT_THAT(clear.error().message(), HasSubstr("not encrypted"));

  Authorizer token(http, {.registry_token = "t"}, {"scope"});
  EXPECT_TRUE(*token.answer("https://r", "Bearer realm=\"https://elsewhere/token\""));
  EXPECT_EQ(token.value(), "Bearer t");
}

TEST(PercentEncode, LeavesOnlyWhatIsUnreserved) {
  EXPECT_EQ(percent_encode("repository:a/b:pull,push ~"), "repository%3Aa%2Fb%3Apull%2Cpush%20~");
}

TEST(Loopback, IsThisMachineAlone) {
  for (const char* here :
       {"localhost", "localhost:5000", "127.0.0.1:5000", "127.9.9.9", "[::1]:5000"})
    EXPECT_TRUE(is_loopback(here)) << here;
  for (const char* there : {"docker.io", "127.0.0.1.example.com:5000", "localhost.example.com",
                            "[::2]:5000", "10.0.0.1:5000"})
    EXPECT_FALSE(is_loopback(there)) << there;
}

}  // namespace
}  // namespace berth::image
