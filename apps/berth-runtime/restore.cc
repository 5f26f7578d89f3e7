// berth-runtime restore [flags] <id>: makes a container again of what a checkpoint wrote down; in
// the foreground also waits, and deletes.
#include "container/checkpoint/restore.h"

#include <signal.h>
#include <unistd.h>

#include "base/scope_exit.h"
#include "berth-runtime/criu.h"
#include "berth-runtime/foreground.h"
#include "berth-runtime/launch.h"
#include "berth-runtime/remains.h"
#include "container/cgroup/ending.h"
#include "sys/dir.h"
#include "sys/file.h"
#include "sys/process.h"

namespace berth::runtime {
namespace {

constexpr mode_t kDirectoryMode = 0700;

struct RestoreFlags {
  CriuFlags criu;
  std::string bundle;
  HandoverOptions handover;
  std::string lsm_profile;
  std::string lsm_mount_context;
  bool detach = false;
  bool no_pivot = false;
  bool ignored = false;  // --no-subreaper: nothing changes by it here
};

void add_flags(Flags& flags, RestoreFlags& values) {
  flags.add("console-socket", 0, &values.handover.console_socket);
  flags.add("bundle", 'b', &values.bundle);
  flags.add("detach", 'd', &values.detach);
  flags.add("pid-file", 0, &values.handover.pid_file);
  flags.add("no-subreaper", 0, &values.ignored);
  flags.add("no-pivot", 0, &values.no_pivot);
  flags.add("lsm-profile", 0, &values.lsm_profile);
  flags.add("lsm-mount-context", 0, &values.lsm_mount_context);
}

// criu makes a time namespace, in which the clocks go on where they stood, whatever the spec says:
// a process that joins later has to be told of it.
std::string with_time_namespace(container::Spec spec) {
  const bool known = container::find_namespace(spec, container::NamespaceType::kTime) != nullptr;
  if (!known && ::access("/proc/self/ns/time", F_OK) == 0)
    spec.linux_.namespaces.push_back({container::NamespaceType::kTime, {}});
  return container::to_json(spec);
}

struct Revived {
  Record record;
  container::Restored container;
};

void end(const Store& store, const Revived& revived) {
  (void)sys::signal_process(revived.container.pidfd.get(), SIGKILL);
  if (!container::wait_until_ended(revived.container.pidfd.get(), container::kill_deadline()).ok())
    return;
  (void)sys::wait_process(revived.container.pidfd.get());
  (void)remove_remains(store, revived.record);
}

// Makes the container and its record. On error neither is left.
Result<Revived> revive(const Globals& globals, const RestoreFlags& flags,
                       container::RestoreOptions& options) {
  const std::string config = options.bundle + "/config.json";
  const container::Spec spec = TRY(
      container::parse_spec(TRY(sys::read_file(config, container::kMaxSpecBytes))).context(config));
  const bool terminal = spec.process.terminal;
  const Handover handover = TRY(Handover::open(flags.handover, terminal, flags.detach));
  for (int i = 0; i < 3 && (!terminal || options.shell_job); ++i) options.stdio[i] = i;

  const Store store(globals.root);
  TRY(store.reserve(options.id));
  ScopeExit forget([&] { (void)store.forget(options.id); });
  TRY(store.keep_spec(options.id, with_time_namespace(spec)));
  Revived revived;
  Record& record = revived.record;
  record = new_record(options.id, options.bundle, spec);
  options.on_begun = [&](const container::Begun& begun) {
    note(begun, record);
    return store.save(record);
  };
  revived.container = TRY(container::restore(spec, options).context("restore failed"));
  forget.cancel();
  ScopeExit undo([&] { end(store, revived); });
  TRY(store.complete(record));
  if (!flags.handover.console_socket.empty() && !revived.container.console.valid())
    return fail(ErrorKind::kConflict,
                "--console-socket: criu brought no terminal back (a checkpoint with --shell-job "
                "has none of its own)");
  TRY(handover.give(record.pid, revived.container.pidfd.get(), revived.container.console));
  undo.cancel();
  return revived;
}

Result<container::RestoreOptions> options_of(const Globals& globals, const RestoreFlags& flags,
                                             const std::string& id) {
  if (flags.no_pivot)
    return fail(ErrorKind::kUnsupported,
                "--no-pivot is not supported: without pivot_root the host's mounts stay in reach");
  container::RestoreOptions options;
  TRY(take_criu_flags(flags.criu, "restore", options));
  options.id = id;
  options.bundle = TRY(find_bundle(flags.bundle));
  options.lsm_profile = flags.lsm_profile;
  options.lsm_mount_context = flags.lsm_mount_context;
  options.systemd_cgroup = globals.systemd_cgroup;
  if (!options.work_path.empty()) TRY(sys::make_dirs(options.work_path, kDirectoryMode));
  return options;
}

}  // namespace

Result<int> restore(const Globals& globals, Words words) {
  RestoreFlags values;
  Flags flags;
  add_criu_flags(flags, values.criu);
  add_flags(flags, values);
  const std::string id = TRY(single_id(TRY(flags.parse(words)), "restore"));
  container::RestoreOptions options = TRY(options_of(globals, values, id));
  // Signals from here on are for the container, once there is one.
  Foreground foreground;
  if (!values.detach) TRY(foreground.catch_signals());
  const Revived revived = TRY(revive(globals, values, options));
  if (values.detach) return 0;
  const container::Restored& container = revived.container;
  const int code = TRY(foreground.wait(container.pidfd.get(), container.console.get()));
  TRY(remove_remains(Store(globals.root), revived.record));
  return code;
}

}  // namespace berth::runtime
