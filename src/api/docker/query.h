// Query: the parameters behind the '?' of a request, decoded once (RFC 3986, and '+' for a space as
// forms have it), and read with the typed getters, which name the parameter that was wrong.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace berth::docker {

/// "%2F" -> "/". kInvalid for a broken escape, and for a null byte, which no name or path may
/// contain.
Result<std::string> percent_decode(std::string_view text, bool plus_is_space);

class Query {
 public:
  /// No client sends more than a dozen; `changes` of an import may repeat.
  static constexpr std::size_t kMaxParameters = 256;

  static Result<Query> parse(std::string_view text);

  /// The first of that name, or "".
  std::string_view get(std::string_view name) const;
  bool has(std::string_view name) const;
  std::vector<std::string> all(std::string_view name) const;

  /// Docker's rule: absent, "", "0", "no", "false" and "none" are false, anything else is true.
  bool flag(std::string_view name, bool fallback = false) const;
  /// kInvalid unless it is a whole decimal number that fits; absent or "": nothing.
  Result<std::optional<std::int64_t>> integer(std::string_view name) const;

 private:
  std::vector<std::pair<std::string, std::string>> parameters_;
};

}  // namespace berth::docker
