// berth-runtime kill [--all] <id> [signal]: by name or number, SIGTERM if none is given.
#include <signal.h>
#include <string.h>

#include <algorithm>
#include <charconv>

#include "berth-runtime/launch.h"
#include "container/cgroup/manager.h"
#include "sys/process.h"

namespace berth::runtime {
namespace {

Result<int> parse_signal(std::string text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size() && number > 0 && number < NSIG)
    return number;
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(::toupper(c)); });
  const std::string_view name =
      text.starts_with("SIG") ? std::string_view(text).substr(3) : std::string_view(text);
  for (int i = 1; i < NSIG; ++i)
    if (const char* known = ::sigabbrev_np(i); known && name == known) return i;
  return fail(ErrorKind::kInvalid, "unknown signal \"{}\"", text);
}

}  // namespace

Result<int> kill(const Globals& globals, Words words) {
  bool all = false;
  Flags flags;
  flags.add("all", 'a', &all);
  const auto arguments = TRY(flags.parse(words));
  if (arguments.empty() || arguments.size() > 2)
    return fail(ErrorKind::kInvalid, "kill needs the container's id, and takes a signal");
  TRY(container::check_id(arguments[0]));
  const int signal = TRY(parse_signal(arguments.size() == 2 ? arguments[1] : "TERM"));
  const Store store(globals.root);
  const Record record = TRY(store.load(arguments[0]));
  if (all) {
    TRY(TRY(container::adopt_cgroups(record.cgroups))->signal_all(signal));
    return 0;
  }
  const auto pidfd = sys::open_pidfd(record.pid);
  // Opened first, compared then: from here on the descriptor means the process that was looked at.
  if (!pidfd.ok() || store.status(record) == Status::kStopped)
    return fail(ErrorKind::kConflict, "container not running");
  TRY(sys::signal_process(pidfd->get(), signal));
  return 0;
}

}  // namespace berth::runtime
