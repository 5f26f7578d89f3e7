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

}  // namespace

std::string Credentials::basic() const {
  const std::string pair = username + ":" + password;
  std::string encoded(BASE64_ENCODE_RAW_LENGTH(pair.size()), '\0');
  ::base64_encode_raw(encoded.data(), pair.size(),
                      reinterpret_cast<const std::uint8_t*>(pair.data()));
  return "Basic " + encoded;
}

Result<Credentials> parse_registry_auth(std::string_view value) {
  Credentials credentials;
  if (value.empty()) return credentials;
  if (value.size() > kMaxField)
    return fail(ErrorKind::kExhausted, "X-Registry-Auth is over {} bytes", kMaxField);
  const auto parse = [&]() -> Result<void> {
    const Json json = TRY(parse_json(TRY(decode_base64(value))));
    credentials.username = TRY(get_string(json, "username"));
    credentials.password = TRY(get_string(json, "password"));
    credentials.identity_token = TRY(get_string(json, "identitytoken"));
    credentials.registry_token = TRY(get_string(json, "registrytoken"));
    return {};
  };
  if (auto parsed = parse(); !parsed.ok())
    return std::move(parsed).error().context("X-Registry-Auth").with_kind(ErrorKind::kInvalid);
  if (credentials.registry_token.find_first_of("\r\n") != std::string::npos)
    return fail(ErrorKind::kInvalid, "X-Registry-Auth: the token has a line break");
  return credentials;
}

}  // namespace berth::image
