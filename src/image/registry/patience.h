// Patience: how often one thing is tried: what a whole transfer is given, whatever its steps, so
// that the tries of its parts do not multiply. Tries that bring something do not count. Pauses
// grow, or are what the registry asks for (Retry-After). Not thread-safe.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>

#include "base/error.h"

namespace berth::image {

class Patience {
 public:
  static constexpr int kTries = 5;
  static constexpr std::chrono::milliseconds kFirstPause{200};
  static constexpr std::chrono::seconds kLongestPause{30};

  /// After a try that failed: waits, and says whether to try again. False at once: that was the
  /// last one, or `stop` was requested; also if it is while this waits. `retry_after`: the value of
  /// the field, or empty.
  bool again(const std::stop_token& stop, const std::string& retry_after = {});
  /// Something was gained: the count begins anew.
  void gained() { failed_ = 0; }

  /// What again() would wait for.
  std::chrono::milliseconds pause(const std::string& retry_after = {}) const;

 private:
  int failed_ = 0;
};

/// Whether the same request may well succeed later: kInternal without an errno, a connection that
/// broke. Not if there is none, or the registry was silent until the deadline.
bool is_transient(const Error& error);
/// The same of an answer: 429 and 5xx.
bool is_transient(int status);

}  // namespace berth::image
