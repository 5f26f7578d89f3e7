// berth-runtime exec [flags] <id> <command> [args]: a further process in a container.
#include "container/runtime/exec.h"

#include <signal.h>

#include <algorithm>
#include <charconv>

#include "berth-runtime/exit_code.h"
#include "berth-runtime/foreground.h"
#include "berth-runtime/launch.h"
#include "container/cgroup/sub_cgroups.h"
#include "container/runtime/state.h"
#include "sys/file.h"
#include "sys/process.h"

namespace berth::runtime {
namespace {

constexpr int kExitExecFailed = 255;  // as runc, which callers tell from the process's own code

struct ExecFlags {
  HandoverOptions handover;
  std::string cwd;
  std::vector<std::string> env;
  bool tty = false;
  std::string user;
  std::vector<std::string> additional_gids;
  std::string process;
  bool detach = false;
  bool no_new_privs = false;
  std::vector<std::string> capabilities;
  std::vector<std::string> cgroups;
  bool ignore_paused = false;
  bool ignored = false;  // --no-subreaper: nothing changes by it here
};

void add_flags(Flags& flags, ExecFlags& values) {
  add_handover_flags(flags, values.handover);
  flags.add("cwd", 0, &values.cwd);
  flags.add("env", 'e', &values.env);
  flags.add("tty", 't', &values.tty);
  flags.add("user", 'u', &values.user);
  flags.add("additional-gids", 'g', &values.additional_gids);
  flags.add("process", 'p', &values.process);
  flags.add("detach", 'd', &values.detach);
  flags.add("no-new-privs", 0, &values.no_new_privs);
  flags.add("cap", 'c', &values.capabilities);
  flags.add("cgroup", 0, &values.cgroups);
  flags.add("ignore-paused", 0, &values.ignore_paused);
  flags.add("no-subreaper", 0, &values.ignored);
}

Result<std::uint32_t> parse_id(std::string_view text, std::string_view what) {
  std::uint32_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size())
    return fail(ErrorKind::kInvalid, "{} must be a number, not '{}'", what, text);
  return id;
}

Result<void> set_user(const ExecFlags& flags, container::User& user) {
  if (!flags.user.empty()) {
    const auto colon = flags.user.find(':');
    user.uid = TRY(parse_id(std::string_view(flags.user).substr(0, colon), "the user"));
    if (colon != std::string::npos)
      user.gid = TRY(parse_id(std::string_view(flags.user).substr(colon + 1), "the group"));
  }
  for (const std::string& gid : flags.additional_gids)
    user.additional_gids.push_back(TRY(parse_id(gid, "an additional group")));
  return {};
}

// Not into the inheritable set: what is there would be granted by the file capabilities of any
// program of the image (CVE-2022-29162).
void add_capabilities(const std::vector<std::string>& names, container::Process& process) {
  if (names.empty()) return;
  container::Capabilities& sets =
      process.capabilities ? *process.capabilities : process.capabilities.emplace();
  for (auto* set : {&sets.bounding, &sets.effective, &sets.permitted})
    for (const std::string& name : names)
      if (std::ranges::find(*set, name) == set->end()) set->push_back(name);
}

// What config.json says of the first process, but for what the flags say; or the file of --process.
Result<void> describe_process(const ExecFlags& flags, Words command, container::Process& process) {
  if (!flags.process.empty()) {
    const std::string json = TRY(sys::read_file(flags.process, container::kMaxSpecBytes));
    process = TRY(container::parse_process(json).context(flags.process));
    return {};
  }
  if (command.empty()) return fail(ErrorKind::kInvalid, "exec: process args cannot be empty");
  process.args.assign(command.begin(), command.end());
  process.terminal = flags.tty;
  process.console_size.reset();
  if (!flags.cwd.empty()) process.cwd = flags.cwd;
  process.env.insert(process.env.end(), flags.env.begin(), flags.env.end());
  if (flags.no_new_privs) process.no_new_privileges = true;
  add_capabilities(flags.capabilities, process);
  return set_user(flags, process.user);
}

// Opened first, compared then: from here on the descriptor means the container's first process.
Result<UniqueFd> open_running(const Store& store, const Record& record, bool ignore_paused) {
  auto init = sys::open_pidfd(record.pid);
  switch (store.status(record)) {
    case Status::kCreated:
    case Status::kRunning:
      return TRY(std::move(init));
    case Status::kPaused:
      if (ignore_paused) return TRY(std::move(init));
      return fail(ErrorKind::kConflict,
                  "cannot exec in a paused container (use --ignore-paused to override)");
    case Status::kCreating:
      return fail(ErrorKind::kConflict, "cannot exec in a container that is still being created");
    default:
      return fail(ErrorKind::kConflict, "cannot exec in a stopped container");
  }
}

Result<int> exec_in(const Globals& globals, const ExecFlags& flags, const std::string& id,
                    Words command) {
  const Store store(globals.root);
  const Record record = TRY(store.load(id));
  const UniqueFd init = TRY(open_running(store, record, flags.ignore_paused));
  container::Spec spec = TRY(store.spec(id));
  TRY(describe_process(flags, command, spec.process));
  const bool terminal = spec.process.terminal;
  const Handover handover = TRY(Handover::open(flags.handover, terminal, flags.detach));

  container::ExecOptions options;
  options.id = id;
  options.init = init.get();
  options.init_pid = record.pid;
  options.state = container::to_json(container::OciState{.id = id,
                                                         .status = "running",
                                                         .pid = record.pid,
                                                         .bundle = record.bundle,
                                                         .annotations = spec.annotations});
  options.cgroups = TRY(container::sub_cgroups(record.cgroups, flags.cgroups));
  options.preserved_fds = TRY(handover.preserved_fds(spec.process));
  for (int i = 0; i < 3 && !terminal; ++i) options.stdio[i] = i;
  // Signals from here on are for the process, once there is one.
  Foreground foreground;
  if (!flags.detach) TRY(foreground.catch_signals());
  container::Executed executed = TRY(container::exec(spec, options));
  if (auto given = handover.give(executed.pid, executed.pidfd.get(), executed.console);
      !given.ok()) {
    (void)sys::signal_process(executed.pidfd.get(), SIGKILL);
    return std::move(given).error();
  }
  if (flags.detach) return 0;
  return foreground.wait(executed.pidfd.get(), executed.console.get());
}

}  // namespace

Result<int> exec(const Globals& globals, Words words) {
  ExecFlags values;
  Flags flags;
  add_flags(flags, values);
  const auto arguments = TRY(flags.parse(words, true));
  if (arguments.empty())
    return fail(ErrorKind::kInvalid, "exec needs the container's id and a command");
  TRY(container::check_id(arguments[0]));
  auto code = exec_in(globals, values, arguments[0], Words(arguments).subspan(1));
  if (code.ok()) return code;
  report(std::move(code).error().context("exec failed"));
  return kExitExecFailed;
}

}  // namespace berth::runtime
