#include "image/registry/patience.h"

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <mutex>

namespace berth::image {

bool Patience::again(const std::stop_token& stop, const std::string& retry_after) {
  const auto wait = pause(retry_after);
  if (++failed_ >= kTries || stop.stop_requested()) return false;
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, wait, [] { return false; });
  return !stop.stop_requested();
}

// Retry-After in seconds (RFC 9110, 10.2.3); its dates are not used by registries.
std::chrono::milliseconds Patience::pause(const std::string& retry_after) const {
  long seconds = 0;
  const char* const end = retry_after.data() + retry_after.size();
  const auto [rest, error] = std::from_chars(retry_after.data(), end, seconds);
  if (error == std::errc::result_out_of_range) return kLongestPause;
  if (error == std::errc() && rest == end && seconds > 0)
    return std::min<std::chrono::seconds>(std::chrono::seconds(seconds), kLongestPause);
  return kFirstPause * (1 << failed_);
}

bool is_transient(const Error& error) {
  return error.kind() == ErrorKind::kInternal && error.os_errno() == 0;
}

bool is_transient(int status) {
  return status == 429 || status >= 500;
}

}  // namespace berth::image
