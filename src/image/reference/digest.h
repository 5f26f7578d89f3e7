// Digest: the name of a blob, an algorithm and a hash of its bytes ("sha256:<64 hex>").
// Source: image-spec descriptor.md "Digests".
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "base/result.h"

namespace berth::image {

class Digest {
 public:
  /// "sha256:<64 lower-case hex>" or "sha512:<128 lower-case hex>"; anything else is kInvalid. It
  /// is therefore safe as a file name once the colon is gone.
  static Result<Digest> parse(std::string_view text);
  /// From the lower-case hex digits that a hasher made, 64 or 128.
  static Digest of_hex(std::string_view hex);

  const std::string& str() const { return text_; }
  std::string_view algorithm() const { return std::string_view(text_).substr(0, 6); }
  std::string_view hex() const { return std::string_view(text_).substr(7); }

  friend auto operator<=>(const Digest&, const Digest&) = default;

 private:
  explicit Digest(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

/// True for a non-empty string of 0-9 and a-f.
bool is_lower_hex(std::string_view text);

}  // namespace berth::image
