// Credentials: who a user is to a registry, as Docker's clients send it along: the field
// X-Registry-Auth, base64url of JSON. Source: Docker Engine API, "Authentication".
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace berth::image {

struct Credentials {
  std::string username = {};
  std::string password = {};
  std::string identity_token = {};  // an OAuth refresh token in the password's place
  std::string registry_token = {};  // a bearer token, used as it is

  bool empty() const {
    return username.empty() && identity_token.empty() && registry_token.empty();
  }
  /// "Basic ...".
  std::string basic() const;
};

/// Of the field's value; an empty one is nobody. kInvalid: it is no base64, or no such JSON.
Result<Credentials> parse_registry_auth(std::string_view value);

/// Several users', by the registries' hosts: mirrors have their own.
using CredentialsByHost = std::map<std::string, Credentials>;

/// Of the value of X-Registry-Config, base64url of JSON, as Docker's clients send it with builds;
/// an empty one is nobody. Errors as above.
Result<CredentialsByHost> parse_registry_config(std::string_view value);

}  // namespace berth::image
