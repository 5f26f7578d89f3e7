#include "berth/client/registry_login.h"

#include <gtest/gtest.h>

#include "berth/client/registry_auth.h"

namespace berth::cli {
namespace {

TEST(RegistryLogin, WhatStandsForARegistry) {
  EXPECT_EQ(registry_key_of_server(""), "https://index.docker.io/v1/");
  EXPECT_EQ(registry_key_of_server("https://index.docker.io/v1/"), "https://index.docker.io/v1/");
  EXPECT_EQ(registry_key_of_server("localhost:5000"), "localhost:5000");
  EXPECT_EQ(registry_key_of_server("https://reg.example/v2/"), "reg.example");
  EXPECT_EQ(registry_key_of_server("reg.example"), registry_key("reg.example/a"));
}

TEST(RegistryLogin, WhatElseIsInTheFileStays) {
  const std::string with = MUST(config_with_login(R"({"psFormat":"x","auths":{"a":{"auth":"b"}}})",
                                                  "reg.example", "me", "p:w"));
  EXPECT_EQ(with,
            "{\n\t\"psFormat\": \"x\",\n\t\"auths\": {\n\t\t\"a\": {\n\t\t\t\"auth\": "
            "\"b\"\n\t\t},\n\t\t\"reg.example\": {\n\t\t\t\"auth\": \"bWU6cDp3\"\n\t\t}\n\t}\n}\n");
  const std::string without = MUST(config_with_login(with, "reg.example", "", ""));
  EXPECT_EQ(without.find("reg.example"), std::string::npos);
  EXPECT_NE(without.find("psFormat"), std::string::npos);
}

TEST(RegistryLogin, AFileThatIsNoneIsNotOverwritten) {
  EXPECT_EQ(config_with_login("[]", "a", "b", "c").error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(config_with_login(R"({"auths":1})", "a", "b", "c").error().kind(), ErrorKind::kInvalid);
  EXPECT_FALSE(config_with_login("{", "a", "b", "c").ok());
  EXPECT_TRUE(config_with_login("", "a", "b", "c").ok());
}

}  // namespace
}  // namespace berth::cli
