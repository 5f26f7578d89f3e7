#include "berth/client/registry_auth.h"

#include <nettle/base64.h>

#include "base/json.h"
#include "berth/client/docker_config.h"

namespace berth::cli {
namespace {

/// What helpers give as the name where the secret is a token.
/// Of all passwords together: a request's head is not to be refused for those that it does not
/// need.
constexpr std::size_t kMaxConfigField = 32U << 10;
constexpr std::string_view kTokenUser = "<token>";

std::string encode(const std::string& text) {
  std::string encoded(BASE64_ENCODE_RAW_LENGTH(text.size()), '\0');
  ::base64_encode_raw(encoded.data(), text.size(),
                      reinterpret_cast<const std::uint8_t*>(text.data()));
  for (char& c : encoded) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return encoded;
}

Result<std::string> decode(std::string_view text) {
  base64_decode_ctx context;
  ::base64_decode_init(&context);
  std::string decoded(BASE64_DECODE_LENGTH(text.size()), '\0');
  std::size_t size = decoded.size();
  if (::base64_decode_update(&context, &size, reinterpret_cast<std::uint8_t*>(decoded.data()),
                             text.size(), text.data()) == 0 ||
      ::base64_decode_final(&context) == 0)
    return fail(ErrorKind::kInvalid, "it is no base64");
  decoded.resize(size);
  return decoded;
}

Json entry_of(const std::string& user, const std::string& secret, bool token) {
  return token ? Json{{"identitytoken", secret}} : Json{{"username", user}, {"password", secret}};
}

Result<std::string> from_helper(const std::string& answer) {
  const Json json = TRY(parse_json(answer).context("the credential helper's answer"));
  const std::string user = TRY(get_string(json, "Username"));
  const std::string secret = TRY(get_string(json, "Secret"));
  return secret.empty() ? std::string()
                        : encode(dump_json(entry_of(user, secret, user == kTokenUser)));
}

/// Null: the file has no password.
Result<Json> from_entry(const Json& entry) {
  const std::string token = TRY(get_string(entry, "identitytoken"));
  if (!token.empty()) return entry_of({}, token, true);
  const std::string auth = TRY(get_string(entry, "auth"));
  if (auth.empty()) return Json();
  const std::string pair = TRY(decode(auth).context("auth"));
  const auto colon = pair.find(':');
  if (colon == std::string::npos) return fail(ErrorKind::kInvalid, "auth has no password");
  return entry_of(pair.substr(0, colon), pair.substr(colon + 1), false);
}

/// The host of "https://old.example/v1/", which older clients wrote.
std::string host_of(std::string_view key) {
  if (const auto scheme = key.find("://"); scheme != std::string_view::npos)
    key.remove_prefix(scheme + 3);
  return std::string(key.substr(0, key.find('/')));
}

// Older clients wrote whole addresses as keys.
const Json* find_entry(const Json& auths, const std::string& key) {
  for (const std::string& name : {key, "https://" + key, "http://" + key, "https://" + key + "/v1/",
                                  "https://" + key + "/v2/"})
    if (const Json* entry = find_member(auths, name)) return entry;
  return nullptr;
}

}  // namespace

std::string registry_key(std::string_view reference) {
  const auto slash = reference.find('/');
  const std::string_view first = reference.substr(0, slash);
  // A first part that can be no host is a part of Docker Hub's name: the reference grammar.
  const bool is_host =
      slash != std::string_view::npos &&
      (first.find_first_of(".:") != std::string_view::npos || first == "localhost");
  if (!is_host || first == "docker.io" || first == "index.docker.io") return std::string(kHubKey);
  return std::string(first);
}

Result<std::string> registry_auth_from(std::string_view config, const std::string& key,
                                       Result<std::string> (*ask)(const std::string&,
                                                                  const std::string&)) {
  const Json root = TRY(parse_json(config));
  const std::string helper = TRY(helper_for(root, key));
  if (!helper.empty()) {
    std::string found = TRY(from_helper(TRY(ask(helper, key))));
    if (!found.empty()) return found;
  }
  const Json* auths = find_member(root, "auths");
  const Json* entry = auths == nullptr ? nullptr : find_entry(*auths, key);
  if (entry == nullptr) return std::string();
  const Json found = TRY(from_entry(*entry).context("auths: " + key));
  return found.is_null() ? std::string() : encode(dump_json(found));
}

Result<std::string> registry_config_from(std::string_view config) {
  const Json root = TRY(parse_json(config));
  const Json* auths = find_member(root, "auths");
  if (auths == nullptr || !auths->is_object()) return std::string();
  Json all = Json::object();
  for (const auto& [key, entry] : auths->items()) {
    // What cannot be read is not in the way of what has nothing to do with it.
    auto found = from_entry(entry);
    if (found.ok() && !found->is_null()) all[host_of(key)] = std::move(*found);
  }
  std::string text = all.empty() ? std::string() : encode(dump_json(all));
  return text.size() <= kMaxConfigField ? text : std::string();
}

Result<std::string> registry_config() {
  const std::string text = TRY(read_docker_config());
  if (text.empty()) return std::string();
  return registry_config_from(text).context(docker_config_path());
}

Result<std::string> registry_auth(std::string_view reference) {
  const std::string text = TRY(read_docker_config());
  if (text.empty()) return std::string();
  const auto ask = [](const std::string& helper, const std::string& key) {
    return run_helper(helper, "get", key);
  };
  return registry_auth_from(text, registry_key(reference), ask).context(docker_config_path());
}

}  // namespace berth::cli
