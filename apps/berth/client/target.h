// Target: the path and query of a request, percent-encoded piece by piece, so that no argument of a
// user's can change which route is asked. RFC 3986.
#pragma once

#include <string>
#include <string_view>

namespace berth::cli {

class Target {
 public:
  /// `fixed` is a path of ours, "/containers/json"; it is not encoded.
  explicit Target(std::string_view fixed) : text_(fixed) {}

  /// Adds "/<segment>", encoded. Slashes stay, since image names have them, unless there is a ".."
  /// that they could make act.
  Target& segment(std::string_view segment);
  /// Adds a fixed piece: "/json".
  Target& then(std::string_view fixed) {
    text_ += fixed;
    return *this;
  }
  /// Adds "name=value" to the query.
  Target& query(std::string_view name, std::string_view value);
  /// Adds "name=1" if `value`.
  Target& flag(std::string_view name, bool value) { return value ? query(name, "1") : *this; }
  /// Adds "name=value" unless it is empty.
  Target& maybe(std::string_view name, std::string_view value) {
    return value.empty() ? *this : query(name, value);
  }

  const std::string& str() const { return text_; }

 private:
  std::string text_;
  bool has_query_ = false;
};

}  // namespace berth::cli
