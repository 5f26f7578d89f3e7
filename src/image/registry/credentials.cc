#include "image/registry/credentials.h"

#include <nettle/base64.h>

#include <algorithm>

#include "base/json.h"

namespace berth::image {
namespace {

constexpr std::size_t kMaxField = 64U << 10;

// With "-" and "_" or "+" and "/", padded or not: clients differ.
Result<std::string> decode_base64(std::string_view text) {
  std::string usual(text);
  std::ranges::replace(usual, '-', '+');
  std::ranges::replace(usual, '_', '/');
  while (usual.ends_with('=')) usual.pop_back();
  while (usual.size() % 4 != 0) usual += '=';
  base64_decode_ctx context;
  ::base64_decode_init(&context);
  std::string decoded(BASE64_DECODE_LENGTH(usual.size()), '\0');
  std::size_t size = decoded.size();
  if (::base64_decode_update(&context, &size, reinterpret_cast<std::uint8_t*>(decoded.data()),
                             usual.size(), usual.data()) == 0 ||
      ::base64_decode_final(&context) == 0)
    return fail(ErrorKind::kInvalid, "it is no base64");
  decoded.resize(size);
  return decoded;
}

Result<Credentials> parse_credentials(const Json& json) {
  Credentials credentials{.username = TRY(get_string(json, "username")),
                          .password = TRY(get_string(json, "password")),
                          .identity_token = TRY(get_string(json, "identitytoken")),
                          .registry_token = TRY(get_string(json, "registrytoken"))};
  if (credentials.registry_token.find_first_of("\r\n") != std::string::npos)
    return fail(ErrorKind::kInvalid, "the token has a line break");
  return credentials;
}

template <typename Parse>
auto parse_field(std::string_view name, std::string_view value, Parse parse)
    -> decltype(parse(Json())) {
  if (value.size() > kMaxField)
    return fail(ErrorKind::kExhausted, "{} is over {} bytes", name, kMaxField);
  const auto decode = [&]() -> decltype(parse(Json())) {
    return parse(TRY(parse_json(TRY(decode_base64(value)))));
  };
  auto parsed = decode();
  if (!parsed.ok()) return std::move(parsed).error().context(name).with_kind(ErrorKind::kInvalid);
  return parsed;
}

}  // namespace

std::string Credentials::basic() const {
  const std::string pair = username + ":" + password;
  std::string encoded(BASE64_ENCODE_RAW_LENGTH(pair.size()), '\0');
  ::base64_encode_raw(encoded.data(), pair.size(),
                      reinterpret_cast<const std::uint8_t*>(pair.data()));
  return "Basic " + encoded;
}

Result<Credentials> parse_registry_auth(std::string_view value) {
  if (value.empty()) return Credentials();
  return parse_field("X-Registry-Auth", value, parse_credentials);
}

Result<CredentialsByHost> parse_registry_config(std::string_view value) {
  if (value.empty()) return CredentialsByHost();
  return parse_field("X-Registry-Config", value, [](const Json& json) -> Result<CredentialsByHost> {
    CredentialsByHost all;
    if (!json.is_object()) return fail(ErrorKind::kInvalid, "it is not an object");
    for (const auto& [host, entry] : json.items()) all[host] = TRY(parse_credentials(entry));
    return all;
  });
}

}  // namespace berth::image
