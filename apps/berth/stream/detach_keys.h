// DetachKeys: the sequence of keys that ends an attachment and leaves the workload running.
// "ctrl-p,ctrl-q" if the user names no other. The engine knows it too; it is watched for here so
// that an end by these keys is told apart from the workload's own.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace berth::cli {

class DetachKeys {
 public:
  /// Characters and "ctrl-<letter or one of @ [ \ ] ^ _>", separated by commas; empty: the default.
  static Result<DetachKeys> parse(std::string_view text);

  /// Appends to `out` what of the typed `keys` is for the workload: a sequence half typed is held
  /// back until the next key decides. True once the sequence is complete; the rest of `keys` is
  /// dropped.
  bool feed(std::span<const char> keys, std::string& out);

 private:
  explicit DetachKeys(std::string sequence) : sequence_(std::move(sequence)) {}

  std::string sequence_;
  std::size_t matched_ = 0;
};

}  // namespace berth::cli
