// berthd: the engine's daemon. Builds the parts, and turns errors into a sentence and an exit code.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "berthd/daemon.h"
#include "berthd/options.h"
#include "berthd/process.h"

namespace {

using namespace berth;

constexpr int kUsage = 125;  // as docker's programs have it

void write_json_line(log::Level level, std::string_view message) {
  const OrderedJson line = {
      {"time", format_rfc3339_fixed(now())}, {"level", log::to_string(level)}, {"msg", message}};
  const std::string text = dump_json(line) + "\n";
  // One write per line keeps lines of several threads apart; a lost log line is not worth an error.
  if (::write(STDERR_FILENO, text.data(), text.size()) < 0) return;
}

int complain(const Error& error, int code) {
  std::fprintf(stderr, "berthd: %s\n", error.message().c_str());
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  daemon::tune_memory();
  daemon::name_proxy();
  auto parsed = daemon::parse_options(std::vector<std::string>(argv + 1, argv + argc));
  if (!parsed.ok()) return complain(parsed.error(), kUsage);
  if (!parsed->options) {
    std::fputs(parsed->text.c_str(), stdout);
    return EXIT_SUCCESS;
  }
  daemon::Options& options = *parsed->options;
  if (::geteuid() != 0) {
    return complain(fail(ErrorKind::kPermission,
                         "it has to run as root: it makes namespaces, mounts and networks"),
                    EXIT_FAILURE);
  }
  log::set_threshold(options.log_level);
  if (options.log_json) log::set_sink(write_json_line);
  const auto result =
      options.teardown ? daemon::teardown(options) : daemon::run(std::move(options));
  return result.ok() ? EXIT_SUCCESS : complain(result.error(), EXIT_FAILURE);
}
