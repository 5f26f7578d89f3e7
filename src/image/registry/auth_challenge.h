// What a registry says when it wants to know who asks: the field WWW-Authenticate. Outside bytes.
// Source: RFC 9110, 11.2 to 11.6.1; the distribution project's token authentication
// (docs/spec/auth/token.md).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace berth::image {

struct AuthChallenge {
  std::string scheme;                             // in lower case: "bearer", "basic"
  std::map<std::string, std::string> parameters;  // names in lower case

  /// Empty if it is not there.
  std::string get(const std::string& name) const;
  friend bool operator==(const AuthChallenge&, const AuthChallenge&) = default;
};

/// Every challenge of the field's value. What is no challenge ends the list.
std::vector<AuthChallenge> parse_challenges(std::string_view value);

}  // namespace berth::image
