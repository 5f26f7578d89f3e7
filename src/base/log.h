// Log: a level, a line, a sink. Lean enough for the static programs; a daemon installs a sink of
// its own in main(). Thread-safe: the sink is set once before threads start, and must itself be
// safe to call from any thread. Never called between clone and exec.
#pragma once

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace berth::log {

enum class Level { kDebug, kInfo, kWarning, kError };

std::string_view to_string(Level level);

/// Receives every line at or above the threshold. The default writes "time level message" to
/// standard error.
using Sink = void (*)(Level level, std::string_view message);

void set_sink(Sink sink);
void set_threshold(Level level);
bool enabled(Level level);
void write(Level level, std::string_view message);

template <typename... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kDebug))
    write(Level::kDebug, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kInfo)) write(Level::kInfo, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void warning(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kWarning))
    write(Level::kWarning, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kError))
    write(Level::kError, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace berth::log
