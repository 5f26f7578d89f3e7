// Filters: the `filters` parameter of list and prune calls, a JSON object in one of two forms:
//   {"status": ["running"]}            documented
//   {"status": {"running": true}}      what Docker's own client sends
// Values of one key are alternatives; all keys have to match.
#pragma once

#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace berth::docker {

class Filters {
 public:
  static constexpr std::size_t kMaxBytes = 64U << 10;

  /// "" is no filter at all.
  static Result<Filters> parse(std::string_view json);

  /// kInvalid, in Docker's words, if a key is none of `known`.
  Result<void> accept_only(std::initializer_list<std::string_view> known) const;

  bool empty() const { return values_.empty(); }
  /// True if the key has a value: one without any asks for nothing, as in Docker.
  bool has(std::string_view key) const { return !get(key).empty(); }
  /// Empty if the key is absent.
  const std::vector<std::string>& get(std::string_view key) const;

  /// True if the key is absent, or one of its values equals `value`.
  bool matches(std::string_view key, std::string_view value) const;
  /// True if the key is absent, or one of its values occurs in `value`.
  bool matches_part(std::string_view key, std::string_view value) const;
  /// True if each value of the key, "name" or "name=value", is met by `labels`.
  bool matches_labels(std::string_view key, const std::map<std::string, std::string>& labels) const;
  /// A key of one boolean ("dangling"): nothing said: `fallback`.
  Result<bool> flag(std::string_view key, bool fallback) const;

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
};

}  // namespace berth::docker
