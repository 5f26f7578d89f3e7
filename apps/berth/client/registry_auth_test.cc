#include "berth/client/registry_auth.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nettle/base64.h>

#include "base/json.h"

namespace berth::cli {
namespace {

using ::testing::HasSubstr;

Result<std::string> no_helper(const std::string& helper, const std::string&) {
  return fail(ErrorKind::kNotFound, "no helper {}", helper);
}
Result<std::string> knows(const std::string& helper, const std::string& key) {
  return "{\"ServerURL\":\"" + key + "\",\"Username\":\"" +
         (helper == "tokens" ? "<token>" : helper) + "\",\"Secret\":\"s\"}";
}
Result<std::string> knows_nobody(const std::string&, const std::string&) {
  return std::string("{}");
}

Json decoded(const Result<std::string>& field) {
  EXPECT_TRUE(field.ok()) << field.error().message();
  std::string text = *field;
  for (char& c : text) c = c == '-' ? '+' : c == '_' ? '/' : c;
  base64_decode_ctx context;
  ::base64_decode_init(&context);
  std::string bytes(BASE64_DECODE_LENGTH(text.size()), '\0');
  std::size_t size = bytes.size();
  EXPECT_EQ(::base64_decode_update(&context, &size, reinterpret_cast<std::uint8_t*>(bytes.data()),
                                   text.size(), text.data()),
            1);
  bytes.resize(size);
  return *parse_json(bytes);
}

TEST(RegistryKey, IsTheHostOrDockerHub) {
  for (const char* hub : {"busybox", "library/busybox:1", "docker.io/library/busybox", "a/b/c"})
    EXPECT_EQ(registry_key(hub), "https://index.docker.io/v1/") << hub;
  EXPECT_EQ(registry_key("quay.io/a/b:1"), "quay.io");
  EXPECT_EQ(registry_key("127.0.0.1:5000/a"), "127.0.0.1:5000");
  EXPECT_EQ(registry_key("localhost/a"), "localhost");
}

TEST(RegistryAuth, IsFoundInTheFile) {
  const char* config = R"({"auths":{"quay.io":{"auth":"bWU6c2U6Y3JldA=="},
      "https://old.example/v1/":{"identitytoken":"t"},"empty.example":{}}})";
  EXPECT_EQ(decoded(registry_auth_from(config, "quay.io", no_helper)),
            (Json{{"username", "me"}, {"password", "se:cret"}}));
  EXPECT_EQ(decoded(registry_auth_from(config, "old.example", no_helper)),
            (Json{{"identitytoken", "t"}}));
  for (const char* nobody : {"empty.example", "other.example"})
    EXPECT_EQ(*registry_auth_from(config, nobody, no_helper), "") << nobody;
  EXPECT_EQ(*registry_auth_from("{}", "quay.io", no_helper), "");
}

TEST(RegistryConfig, HasWhomTheFileItselfKnows) {
  EXPECT_EQ(decoded(registry_config_from(
                R"({"auths":{"quay.io":{"auth":"bWU6c2U6Y3JldA=="},"empty.example":{},
                    "https://old.example/v1/":{"identitytoken":"t"}}})")),
            (Json{{"quay.io", {{"username", "me"}, {"password", "se:cret"}}},
                  {"old.example", {{"identitytoken", "t"}}}}));
  EXPECT_EQ(*registry_config_from(R"({"auths":{"quay.io":{}},"credsStore":"x"})"), "");
  EXPECT_EQ(*registry_config_from("{}"), "");
}

TEST(RegistryConfig, LeavesOutWhatItCannotReadAndAllThatIsTooMuch) {
  EXPECT_EQ(decoded(registry_config_from(
                R"({"auths":{"x":{"auth":"%%"},"quay.io":{"auth":"bWU6c2U6Y3JldA=="}}})")),
            (Json{{"quay.io", {{"username", "me"}, {"password", "se:cret"}}}}));
  Json many = Json::object();
  for (int i = 0; i < 40; ++i)
    many[fmt::format("host{}", i)] = {{"identitytoken", std::string(1000, 't')}};
  EXPECT_EQ(*registry_config_from(Json{{"auths", many}}.dump()), "");
  EXPECT_FALSE(registry_config_from("{").ok());
}

TEST(RegistryAuth, IsAskedOfAHelper) {
  const char* config = R"({"credsStore":"store","credHelpers":{"quay.io":"tokens"},
      "auths":{"x.example":{"auth":"bWU6cA=="}}})";
  EXPECT_EQ(decoded(registry_auth_from(config, "x.example", knows)),
            (Json{{"username", "store"}, {"password", "s"}}));
  EXPECT_EQ(decoded(registry_auth_from(config, "quay.io", knows)), (Json{{"identitytoken", "s"}}));
  EXPECT_EQ(decoded(registry_auth_from(config, "x.example", knows_nobody)),
            (Json{{"username", "me"}, {"password", "p"}}));
}

TEST(RegistryAuth, WhatIsWrongIsSaid) {
  EXPECT_FALSE(registry_auth_from("{", "x", no_helper).ok());
  EXPECT_THAT(registry_auth_from(R"({"credsStore":"../../bin/sh"})", "x", knows).error().message(),
              HasSubstr("not the name of a credential helper"));
  EXPECT_THAT(registry_auth_from(R"({"auths":{"x":{"auth":"%%"}}})", "x", knows).error().message(),
              HasSubstr("auths: x: auth: it is no base64"));
  EXPECT_EQ(registry_auth_from(R"({"credsStore":"none"})", "x", no_helper).error().kind(),
            ErrorKind::kNotFound);
}

}  // namespace
}  // namespace berth::cli
