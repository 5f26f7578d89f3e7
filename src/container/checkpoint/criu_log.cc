#include "container/checkpoint/criu_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/unique_fd.h"

namespace berth::container {
namespace {

// At the level that is asked for, a log has tens of kilobytes for each task; the error is at the
// end, behind what undoing printed.
constexpr off_t kTail = 64 << 10;
// In an error that goes into a line of somebody else's log.
constexpr std::size_t kMaxQuoted = 400;

std::string tail_of(int fd) {
  struct stat status = {};
  if (::fstat(fd, &status) != 0) return {};
  std::string text(static_cast<std::size_t>(std::min(status.st_size, kTail)), '\0');
  const ssize_t count =
      ::pread(fd, text.data(), text.size(), std::max<off_t>(0, status.st_size - kTail));
  text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return text;
}

// Calls `visit(line)` from the last line to the first until it says true.
template <typename Visit>
void each_line_backwards(std::string_view text, Visit visit) {
  while (!text.empty()) {
    const auto newline = text.rfind('\n');
    const std::string_view line = text.substr(newline + 1);  // npos + 1 is 0
    if (!line.empty() && visit(line)) return;
    text = newline == std::string_view::npos ? std::string_view() : text.substr(0, newline);
  }
}

// "(00.123456) 12: Error (criu/net.c:1): ..." without the time.
std::string quoted(std::string_view line) {
  if (line.starts_with('('))
    if (const auto end = line.find(") "); end != std::string_view::npos)
      line.remove_prefix(end + 2);
  while (line.starts_with(' ')) line.remove_prefix(1);
  return std::string(line.substr(0, kMaxQuoted));
}

}  // namespace

std::string last_line_of(int fd) {
  std::string found;
  each_line_backwards(tail_of(fd), [&](std::string_view line) {
    found = quoted(line);
    return true;
  });
  return found;
}

std::string last_error_in(const std::string& path) {
  const UniqueFd log(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!log.valid()) return {};
  std::string found;
  each_line_backwards(tail_of(log.get()), [&](std::string_view line) {
    if (line.find("Error") == std::string_view::npos) return false;
    const bool says_why = !line.ends_with("FAILED.");
    if (found.empty() || says_why) found = quoted(line);
    return says_why;
  });
  return found;
}

Error with_log(Error error, const std::string& path) {
  if (::access(path.c_str(), F_OK) != 0) return error;
  std::string why = last_error_in(path);
  // criu may have said the same in its answer.
  if (!why.empty() && error.message().find(why) != std::string::npos) why.clear();
  return Error(
      error.kind(),
      fmt::format("{}{}{} (its log is {})", error.message(), why.empty() ? "" : ": ", why, path),
      error.os_errno());
}

}  // namespace berth::container
