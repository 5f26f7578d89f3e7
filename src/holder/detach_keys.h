// The keys with which a person at an attached terminal lets go of it (docker attach --detach-keys).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace berth::holder {

/// More keys than this are nobody's intention; it bounds what is held back while they are typed.
inline constexpr std::size_t kMaxDetachKeys = 16;

/// The bytes of "ctrl-a,x": each part is one character, "ctrl-" with one of @ a..z [ \ ] ^ _, or
/// "DEL". "" is the default, ctrl-p,ctrl-q. kInvalid names the part that is none of these.
Result<std::string> parse_detach_keys(std::string_view text);

/// Looks for the keys in what one client types. Bytes that may yet become the keys are held back.
class DetachMatcher {
 public:
  /// `keys` is not empty.
  explicit DetachMatcher(std::string keys) : keys_(std::move(keys)) {}

  struct Fed {
    std::string input;      // what goes on to the workload, in order, held-back bytes included
    bool detached = false;  // the keys are complete; what came behind them is dropped
  };
  Fed feed(std::string_view typed);

 private:
  std::string keys_;
  std::size_t matched_ = 0;  // how many of keys_ have just been typed
};

}  // namespace berth::holder
