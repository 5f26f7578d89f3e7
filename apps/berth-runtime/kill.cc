// berth-runtime kill [--all] <id> [signal]: by name or number, SIGTERM if none is given.
#include <signal.h>

#include "berth-runtime/launch.h"
#include "berth-runtime/signals.h"
#include "container/cgroup/manager.h"
#include "sys/file.h"
#include "sys/process.h"

namespace berth::runtime {
namespace {

// Whether the end of the process is the end of all others: it is the first of a pid namespace. The
// last number of the line is the pid in the innermost one: proc_pid_status(5).
bool ends_its_namespace(pid_t pid) {
  const auto text = sys::read_file(fmt::format("/proc/{}/status", pid));
  if (!text.ok()) return true;  // there is no process left to ask
  const auto line = text->find("\nNSpid:");
  if (line == std::string::npos) return false;
  const auto end = text->find('\n', line + 1);
  return std::string_view(*text).substr(line, end - line).ends_with("\t1");
}

// Nobody dies frozen on v1.
Result<void> thaw_the_killed(const Record& record, int signal, Status status) {
  if (signal != SIGKILL || status != Status::kPaused) return {};
  return TRY(container::adopt_cgroups(record.cgroups))->freeze(false);
}

Result<void> signal_all(const Record& record, int signal) {
  return TRY(container::adopt_cgroups(record.cgroups))->signal_all(signal);
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
  const auto pidfd = sys::open_pidfd(record.pid);
  // Opened first, compared then: from here on the descriptor means the process that was looked at.
  const Status status = store.status(record);
  if (!all && (!pidfd.ok() || status == Status::kStopped))
    return fail(ErrorKind::kConflict, "container not running");
  // As runc: where the pids are shared, nothing but a word to each ends the rest.
  const bool rest = signal == SIGKILL && !record.creating && !ends_its_namespace(record.pid);
  if (!all) TRY(sys::signal_process(pidfd->get(), signal));
  if (all || rest) TRY(signal_all(record, signal));
  TRY(thaw_the_killed(record, signal, status));
  return 0;
}

}  // namespace berth::runtime
