// Authorizer: answers a registry's challenge: with the user's name and password (basic), or with a
// token that its token server gives (bearer). Sources: RFC 7617; the distribution
// project's docs/spec/auth/token.md and oauth.md. Not thread-safe.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "image/registry/auth_challenge.h"
#include "image/registry/credentials.h"
#include "image/registry/http_client.h"

namespace berth::image {

class Authorizer {
 public:
  /// `scopes`: what is to be done, "repository:library/busybox:pull"; none: to log in. Borrows
  /// `http`.
  Authorizer(const HttpClient& http, Credentials credentials, std::vector<std::string> scopes)
      : http_(http), credentials_(std::move(credentials)), scopes_(std::move(scopes)) {}

  /// The value of Authorization for requests; empty: nobody has asked yet.
  const std::string& value() const { return value_; }
  /// Makes value() what answers the challenge of a response to a request to `url`. False: nothing
  /// would, or what was sent already did not. kInvalid: a password would go over a connection that
  /// is not encrypted, while the registry's is.
  Result<bool> answer(const std::string& url, const std::string& challenge);

 private:
  Result<std::string> fetch_token(const AuthChallenge& challenge) const;

  const HttpClient& http_;
  Credentials credentials_;
  std::vector<std::string> scopes_;
  std::string value_;
};

/// As a component of a query: RFC 3986, 2.1.
std::string percent_encode(std::string_view text);

}  // namespace berth::image
