#include "berth-runtime/report.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "container/spec/json_writer.h"

namespace berth::runtime {
namespace {

// One program, one log: the sink of base/log has no state of its own.
struct Log {
  int fd = STDERR_FILENO;
  bool json = false;
};
Log& current_log() {
  static Log log;
  return log;
}

std::string_view runc_level(log::Level level) {
  return level == log::Level::kWarning ? "warning" : log::to_string(level);
}

std::string quoted(std::string_view text) {
  container::JsonWriter out;
  out.write(text);
  return out.take();
}

void write_line(log::Level level, std::string_view message) {
  const Log& log = current_log();
  std::string line;
  if (log.json)
    line = fmt::format("{{\"level\":\"{}\",\"msg\":{},\"time\":\"{}\"}}\n", runc_level(level),
                       quoted(message), format_rfc3339(now()));
  else
    line = fmt::format("time=\"{}\" level={} msg={}\n", format_rfc3339(now()), runc_level(level),
                       quoted(message));
  // There is nobody left to tell if the log cannot be written.
  (void)!::write(log.fd, line.data(), line.size());
}

}  // namespace

Result<void> open_log(const LogOptions& options) {
  Log& log = current_log();
  if (options.format != "text" && options.format != "json")
    return fail(ErrorKind::kInvalid, "--log-format must be text or json, not '{}'", options.format);
  log.json = options.format == "json";
  if (!options.file.empty()) {
    // Open until the program ends.
    log.fd = ::open(options.file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (log.fd < 0) {
      log.fd = STDERR_FILENO;
      return fail_errno("cannot open the log {}", options.file);
    }
  }
  log::set_sink(write_line);
  log::set_threshold(options.debug ? log::Level::kDebug : log::Level::kInfo);
  return {};
}

void report(const Error& error) {
  if (current_log().fd != STDERR_FILENO || current_log().json) log::error("{}", error.message());
  fmt::print(stderr, "berth-runtime: {}\n", error.message());
}

}  // namespace berth::runtime
