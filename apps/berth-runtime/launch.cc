#include "berth-runtime/launch.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "base/clock.h"
#include "base/scope_exit.h"
#include "base/strong_id.h"
#include "sys/file.h"
#include "sys/socket.h"

namespace berth::runtime {
namespace {

Result<std::string> absolute(const std::string& path) {
  char resolved[PATH_MAX];
  if (!::realpath(path.empty() ? "." : path.c_str(), resolved))
    return fail_errno("cannot find the bundle '{}'", path);
  return std::string(resolved);
}

// The directory may be one that others can write to: the temporary file is never one of theirs.
Result<void> write_pid_file(const std::string& path, pid_t pid) {
  const std::string temporary = fmt::format("{}.{}", path, random_hex(16));
  const UniqueFd file =
      TRY(sys::open_file(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0666));
  ScopeExit remove([&] { ::unlink(temporary.c_str()); });
  TRY(sys::write_all(file.get(), fmt::format("{}", pid)).context(temporary));
  if (::rename(temporary.c_str(), path.c_str()) != 0)
    return fail_errno("cannot write the pid file {}", path);
  remove.cancel();
  return {};
}

Result<UniqueFd> connect_console(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return fail(ErrorKind::kInvalid, "the path of the console socket is over {} bytes",
                sizeof address.sun_path - 1);
  std::memcpy(address.sun_path, path.data(), path.size());
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.valid() ||
      ::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    return fail_errno("cannot connect to the console socket {}", path);
  return socket;
}

Result<void> check(const LaunchOptions& options, bool terminal, bool detached) {
  if (options.no_pivot)
    return fail(ErrorKind::kUnsupported,
                "--no-pivot is not supported: without pivot_root the host's mounts stay in reach");
  if (terminal && detached && options.console_socket.empty())
    return fail(ErrorKind::kInvalid,
                "cannot allocate tty if runtime will detach without setting console socket");
  if (!options.console_socket.empty() && (!terminal || !detached))
    return fail(ErrorKind::kInvalid,
                "cannot use console socket if runtime will not detach or allocate tty");
  return {};
}

constexpr unsigned kMaxPreserved = 1024;

std::optional<unsigned> parse_count(std::string_view text) {
  unsigned count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size() || count > kMaxPreserved)
    return std::nullopt;
  return count;
}

// Sockets a service manager opened for us are for the workload: sd_listen_fds(3). As runc, only if
// they are meant for this very process, and then as if meant for the container's first.
unsigned take_activated(container::Process& process) {
  const char* pid = ::getenv("LISTEN_PID");
  const char* fds = ::getenv("LISTEN_FDS");
  if (!pid || !fds || fmt::format("{}", ::getpid()) != pid) return 0;
  const unsigned count = parse_count(fds).value_or(0);
  if (count == 0) return 0;
  process.env.push_back(fmt::format("LISTEN_FDS={}", count));
  process.env.emplace_back("LISTEN_PID=1");
  return count;
}

Result<unsigned> preserved_count(const std::string& text, container::Process& process) {
  const unsigned activated = take_activated(process);
  if (text.empty()) return activated;
  const auto count = parse_count(text);
  if (!count)
    return fail(ErrorKind::kInvalid, "--preserve-fds must be a number up to {}, not '{}'",
                kMaxPreserved, text);
  return activated + *count;
}

Record record_of(const std::string& id, const std::string& bundle, const container::Spec& spec) {
  Record record;
  record.id = id;
  record.bundle = bundle;
  record.rootfs = spec.root.path.starts_with('/') ? spec.root.path : bundle + "/" + spec.root.path;
  record.program = spec.process.args.empty() ? std::string() : spec.process.args[0];
  record.created = format_rfc3339(now());
  record.creating = true;
  return record;
}

// The terminal goes to whoever listens there, and is ours no more.
Result<void> hand_over_console(const UniqueFd& socket, UniqueFd& console) {
  if (!socket.valid()) return {};
  const int fds[] = {console.get()};
  TRY(sys::send_message(socket.get(), "/dev/ptmx", fds)
          .context("cannot send the terminal to the console socket"));
  console.reset();
  return {};
}

}  // namespace

void add_launch_flags(Flags& flags, LaunchOptions& options) {
  flags.add("bundle", 'b', &options.bundle);
  flags.add("pid-file", 0, &options.pid_file);
  flags.add("console-socket", 0, &options.console_socket);
  flags.add("preserve-fds", 0, &options.preserve_fds);
  flags.add("no-pivot", 0, &options.no_pivot);
  flags.add("no-new-keyring", 0, &options.no_new_keyring);
  flags.add("no-subreaper", 0, &options.ignored);
}

Result<container::Spec> load_spec(const std::string& bundle) {
  const std::string path = bundle + "/config.json";
  const std::string text = TRY(sys::read_file(path, container::kMaxSpecBytes));
  return container::parse_spec(text).context(path);
}

Result<std::string> single_id(const std::vector<std::string>& arguments, std::string_view verb) {
  if (arguments.size() != 1)
    return fail(ErrorKind::kInvalid, "{} needs exactly one argument, the container's id", verb);
  TRY(container::check_id(arguments[0]));
  return arguments[0];
}

Result<Launched> launch(const Globals& globals, const LaunchOptions& options, const std::string& id,
                        bool start_remotely) {
  const std::string bundle = TRY(absolute(options.bundle));
  container::Spec spec = TRY(load_spec(bundle));
  const bool terminal = spec.process.terminal;
  TRY(check(options, terminal, options.detach || start_remotely));

  container::CreateOptions create;
  create.id = id;
  create.bundle = bundle;
  create.systemd_cgroup = globals.systemd_cgroup;
  create.new_keyring = !options.no_new_keyring;
  create.preserved_fds = TRY(preserved_count(options.preserve_fds, spec.process));
  for (int i = 0; i < 3 && !terminal; ++i) create.stdio[i] = i;
  UniqueFd console_socket;
  if (!options.console_socket.empty())
    console_socket = TRY(connect_console(options.console_socket));

  const Store store(globals.root);
  TRY(store.reserve(id));
  ScopeExit forget([&] { (void)store.forget(id); });
  UniqueFd start_socket;
  if (start_remotely) {
    start_socket = TRY(store.listen_for_start(id));
    create.start_socket = start_socket.get();
  }
  Launched launched;
  Record& record = launched.record;
  record = record_of(id, bundle, spec);
  create.on_begun = [&](pid_t pid, const std::vector<std::string>& cgroups) -> Result<void> {
    record.pid = pid;
    record.start_time = pid == 0 ? 0 : start_time_of(pid).value_or(0);
    record.cgroups = cgroups;
    return store.save(record);
  };
  launched.container = TRY(container::Container::create(std::move(spec), create));

  TRY(store.complete(record));
  if (!options.pid_file.empty()) TRY(write_pid_file(options.pid_file, record.pid));
  ScopeExit remove_pid_file([&] {
    if (!options.pid_file.empty()) ::unlink(options.pid_file.c_str());
  });
  launched.console = launched.container->take_console();
  TRY(hand_over_console(console_socket, launched.console));
  remove_pid_file.cancel();
  forget.cancel();
  return launched;
}

}  // namespace berth::runtime
