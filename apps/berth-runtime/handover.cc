#include "berth-runtime/handover.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "base/scope_exit.h"
#include "base/strong_id.h"
#include "sys/file.h"
#include "sys/socket.h"

namespace berth::runtime {
namespace {

constexpr unsigned kMaxPreserved = 1024;

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

Result<UniqueFd> connect_to(const std::string& path, std::string_view flag) {
  if (path.empty()) return UniqueFd();
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return fail(ErrorKind::kInvalid, "the path of {} is over {} bytes", flag,
                sizeof address.sun_path - 1);
  std::memcpy(address.sun_path, path.data(), path.size());
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.valid() ||
      ::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    return fail_errno("cannot connect to {} {}", flag, path);
  return socket;
}

Result<void> send_to(const UniqueFd& socket, std::string_view name, int fd) {
  if (!socket.valid()) return {};
  const int fds[] = {fd};
  return sys::send_message(socket.get(), name, fds)
      .context(fmt::format("cannot send {} to its socket", name));
}

std::optional<unsigned> parse_count(std::string_view text) {
  unsigned count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size() || count > kMaxPreserved)
    return std::nullopt;
  return count;
}

// As runc, only if they are meant for this very process, and then as if meant for the container's
// first.
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

}  // namespace

void add_handover_flags(Flags& flags, HandoverOptions& options) {
  flags.add("pid-file", 0, &options.pid_file);
  flags.add("console-socket", 0, &options.console_socket);
  flags.add("pidfd-socket", 0, &options.pidfd_socket);
  flags.add("preserve-fds", 0, &options.preserve_fds);
}

Result<Handover> Handover::open(const HandoverOptions& options, bool terminal, bool detached) {
  if (terminal && detached && options.console_socket.empty())
    return fail(ErrorKind::kInvalid,
                "cannot allocate tty if runtime will detach without setting console socket");
  if (!options.console_socket.empty() && (!terminal || !detached))
    return fail(ErrorKind::kInvalid,
                "cannot use console socket if runtime will not detach or allocate tty");
  Handover handover;
  handover.pid_file_ = options.pid_file;
  handover.preserve_fds_ = options.preserve_fds;
  handover.console_socket_ = TRY(connect_to(options.console_socket, "the console socket"));
  handover.pidfd_socket_ = TRY(connect_to(options.pidfd_socket, "the pidfd socket"));
  return handover;
}

Result<unsigned> Handover::preserved_fds(container::Process& process) const {
  const unsigned activated = take_activated(process);
  if (preserve_fds_.empty()) return activated;
  const auto count = parse_count(preserve_fds_);
  if (!count)
    return fail(ErrorKind::kInvalid, "--preserve-fds must be a number up to {}, not '{}'",
                kMaxPreserved, preserve_fds_);
  return activated + *count;
}

Result<void> Handover::give(pid_t pid, int pidfd, UniqueFd& console) const {
  if (!pid_file_.empty()) TRY(write_pid_file(pid_file_, pid));
  ScopeExit remove_pid_file([&] {
    if (!pid_file_.empty()) ::unlink(pid_file_.c_str());
  });
  TRY(send_to(console_socket_, "/dev/ptmx", console.get()));
  if (console_socket_.valid()) console.reset();
  TRY(send_to(pidfd_socket_, "pidfd", pidfd));
  remove_pid_file.cancel();
  return {};
}

}  // namespace berth::runtime
