#include "base/log.h"

#include <unistd.h>

#include <atomic>
#include <string>

#include "base/clock.h"

namespace berth::log {
namespace {

void write_to_stderr(Level level, std::string_view message) {
  const std::string line =
      fmt::format("{} {} {}\n", format_rfc3339_fixed(now()), to_string(level), message);
  // One write per line keeps lines of several threads apart; a lost log line is not worth an error.
  if (::write(STDERR_FILENO, line.data(), line.size()) < 0) return;
}

std::atomic<Sink> g_sink = write_to_stderr;
std::atomic<Level> g_threshold = Level::kInfo;

}  // namespace

std::string_view to_string(Level level) {
  switch (level) {
    case Level::kDebug:
      return "debug";
    case Level::kInfo:
      return "info";
    case Level::kWarning:
      return "warning";
    case Level::kError:
      return "error";
  }
  return "error";
}

void set_sink(Sink sink) {
  g_sink = sink;
}

void set_threshold(Level level) {
  g_threshold = level;
}

bool enabled(Level level) {
  return level >= g_threshold.load(std::memory_order_relaxed);
}

void write(Level level, std::string_view message) {
  g_sink.load()(level, message);
}

}  // namespace berth::log
