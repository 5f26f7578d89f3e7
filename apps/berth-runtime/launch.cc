#include "berth-runtime/launch.h"

#include <climits>
#include <cstdlib>

#include "base/clock.h"
#include "base/scope_exit.h"
#include "container/checkpoint/descriptors.h"
#include "sys/file.h"

namespace berth::runtime {

Result<std::string> find_bundle(const std::string& path) {
  char resolved[PATH_MAX];
  if (!::realpath(path.empty() ? "." : path.c_str(), resolved))
    return fail_errno("cannot find the bundle '{}'", path);
  return std::string(resolved);
}

Record new_record(const std::string& id, const std::string& bundle, const container::Spec& spec) {
  Record record;
  record.id = id;
  record.bundle = bundle;
  record.rootfs = spec.root.path.starts_with('/') ? spec.root.path : bundle + "/" + spec.root.path;
  record.program = spec.process.args.empty() ? std::string() : spec.process.args[0];
  record.created = format_rfc3339(now());
  record.creating = true;
  if (!spec.process.terminal) record.streams = container::describe_streams();
  return record;
}

void add_launch_flags(Flags& flags, LaunchOptions& options) {
  flags.add("bundle", 'b', &options.bundle);
  add_handover_flags(flags, options.handover);
  flags.add("no-pivot", 0, &options.no_pivot);
  flags.add("no-new-keyring", 0, &options.no_new_keyring);
  flags.add("no-subreaper", 0, &options.ignored);
}

Result<std::string> single_id(const std::vector<std::string>& arguments, std::string_view verb) {
  if (arguments.size() != 1)
    return fail(ErrorKind::kInvalid, "{} needs exactly one argument, the container's id", verb);
  TRY(container::check_id(arguments[0]));
  return arguments[0];
}

void note(const container::Begun& begun, Record& record) {
  record.pid = begun.pid;
  record.start_time = begun.pid == 0 ? 0 : start_time_of(begun.pid).value_or(0);
  record.cgroups = begun.cgroups;
  record.unit = begun.unit;
  record.rdt_groups = begun.rdt_groups;
  record.root = begun.root;
  record.owns_cgroups = begun.owns_cgroups;
}

Result<Launched> launch(const Globals& globals, const LaunchOptions& options, const std::string& id,
                        bool start_remotely) {
  if (options.no_pivot)
    return fail(ErrorKind::kUnsupported,
                "--no-pivot is not supported: without pivot_root the host's mounts stay in reach");
  const std::string bundle = TRY(find_bundle(options.bundle));
  const std::string config = bundle + "/config.json";
  const std::string json = TRY(sys::read_file(config, container::kMaxSpecBytes));
  container::Spec spec = TRY(container::parse_spec(json).context(config));
  const bool terminal = spec.process.terminal;
  const Handover handover =
      TRY(Handover::open(options.handover, terminal, options.detach || start_remotely));

  container::CreateOptions create;
  create.id = id;
  create.bundle = bundle;
  create.systemd_cgroup = globals.systemd_cgroup;
  create.new_keyring = !options.no_new_keyring;
  create.preserved_fds = TRY(handover.preserved_fds(spec.process));
  for (int i = 0; i < 3 && !terminal; ++i) create.stdio[i] = i;

  const Store store(globals.root);
  TRY(store.reserve(id));
  ScopeExit forget([&] { (void)store.forget(id); });
  TRY(store.keep_spec(id, json));
  UniqueFd start_socket;
  if (start_remotely) {
    start_socket = TRY(store.listen_for_start(id));
    create.start_socket = start_socket.get();
  }
  Launched launched;
  Record& record = launched.record;
  record = new_record(id, bundle, spec);
  create.on_begun = [&](const container::Begun& begun) {
    note(begun, record);
    return store.save(record);
  };
  launched.container = TRY(container::Container::create(std::move(spec), create));

  TRY(store.complete(record));
  launched.console = launched.container->take_console();
  TRY(handover.give(record.pid, launched.container->pidfd(), launched.console));
  forget.cancel();
  return launched;
}

}  // namespace berth::runtime
