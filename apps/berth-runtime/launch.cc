#include "berth-runtime/launch.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <climits>
#include <cstdlib>
#include <cstring>

#include "base/clock.h"
#include "base/scope_exit.h"
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

Result<void> write_pid_file(const std::string& path, pid_t pid) {
  if (path.empty()) return {};
  const std::string temporary = path + ".new";
  {
    const UniqueFd file = TRY(sys::open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0666));
    TRY(sys::write_all(file.get(), fmt::format("{}", pid)).context(temporary));
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0)
    return fail_errno("cannot write the pid file {}", path);
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

Result<unsigned> preserved_count(const std::string& text) {
  unsigned count = 0;
  if (text.empty()) return count;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size() || count > 1024)
    return fail(ErrorKind::kInvalid, "--preserve-fds must be a number up to 1024, not '{}'", text);
  return count;
}

}  // namespace

void add_launch_flags(Flags& flags, LaunchOptions& options) {
  flags.add("bundle", 'b', &options.bundle);
  flags.add("pid-file", 0, &options.pid_file);
  flags.add("console-socket", 0, &options.console_socket);
  flags.add("preserve-fds", 0, &options.preserve_fds);
  flags.add("no-pivot", 0, &options.no_pivot);
  flags.add("no-new-keyring", 0, &options.ignored);
  flags.add("no-subreaper", 0, &options.ignored);
}

Result<container::Spec> load_spec(const std::string& bundle) {
  const std::string path = bundle + "/config.json";
  const std::string text = TRY(sys::read_file(path, container::kMaxSpecBytes));
  return container::parse_spec(text).context(path);
}

Result<std::string> single_id(const std::vector<std::string>& arguments, std::string_view verb) {
  if (arguments.size() == 1) return arguments[0];
  return fail(ErrorKind::kInvalid, "{} needs exactly one argument, the container's id", verb);
}

Result<Launched> launch(const Globals& globals, const LaunchOptions& options, const std::string& id,
                        bool start_remotely) {
  const std::string bundle = TRY(absolute(options.bundle));
  const container::Spec spec = TRY(load_spec(bundle));
  const bool terminal = spec.process.terminal;
  TRY(check(options, terminal, options.detach || start_remotely));
  UniqueFd console_socket;
  if (!options.console_socket.empty())
    console_socket = TRY(connect_console(options.console_socket));

  TRY(container::check_id(id));
  const Store store(globals.root);
  TRY(store.reserve(id));
  ScopeExit forget([&] { (void)store.forget(id); });

  container::CreateOptions create;
  create.id = id;
  create.bundle = bundle;
  create.systemd_cgroup = globals.systemd_cgroup;
  create.preserved_fds = TRY(preserved_count(options.preserve_fds));
  for (int i = 0; i < 3 && !terminal; ++i) create.stdio[i] = i;
  UniqueFd start_socket;
  if (start_remotely) {
    start_socket = TRY(store.listen_for_start(id));
    create.start_socket = start_socket.get();
  }
  Launched launched;
  launched.container = TRY(container::Container::create(spec, create));

  Record& record = launched.record;
  record.id = id;
  record.bundle = bundle;
  record.rootfs = spec.root.path.starts_with('/') ? spec.root.path : bundle + "/" + spec.root.path;
  record.program = spec.process.args[0];
  record.created = format_rfc3339(now());
  record.pid = launched.container->pid();
  record.start_time = start_time_of(record.pid).value_or(0);
  record.cgroups = launched.container->cgroup_paths();
  TRY(store.save(record));
  TRY(write_pid_file(options.pid_file, record.pid));
  launched.console = launched.container->take_console();
  if (console_socket.valid()) {
    const int fds[] = {launched.console.get()};
    TRY(sys::send_message(console_socket.get(), "/dev/ptmx", fds)
            .context("cannot send the terminal to the console socket"));
    launched.console.reset();
  }
  forget.cancel();
  return launched;
}

}  // namespace berth::runtime
