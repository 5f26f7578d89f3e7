#include "holder/client.h"

#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "base/scope_exit.h"
#include "sys/socket.h"

namespace berth::holder {
namespace {

// Where the holder finds its end of the channel: the first descriptor after the standard ones.
constexpr int kChannelFd = 3;

}  // namespace

Result<Spawned> spawn_holder(const std::string& program, const std::string& id,
                             const std::string& run_dir) {
  auto [ours, theirs] = TRY(sys::seqpacket_pair());
  // dup2() onto itself would leave CLOEXEC set: move the channel out of the way first.
  if (theirs.get() == kChannelFd) {
    theirs = UniqueFd(::fcntl(theirs.get(), F_DUPFD_CLOEXEC, kChannelFd + 1));
    if (!theirs.valid()) return fail_errno("duplicate the channel of holder {}", id);
  }

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  ScopeExit destroy_actions([&] { posix_spawn_file_actions_destroy(&actions); });
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  // What a holder has to say goes over the channel; a daemon's own log must not be held open by it.
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, theirs.get(), kChannelFd);
  // A descriptor that some library opened without CLOEXEC must not live on for a container's life.
  posix_spawn_file_actions_addclosefrom_np(&actions, kChannelFd + 1);
  posix_spawn_file_actions_addchdir_np(&actions, "/");

  // A daemon may block or ignore signals; a holder, and what it runs, starts from a clean slate.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  ScopeExit destroy_attributes([&] { posix_spawnattr_destroy(&attributes); });
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

  std::string name = "berth-holder";
  std::string id_argument = id;
  std::string run_argument = run_dir;
  std::array<char*, 4> argv = {name.data(), id_argument.data(), run_argument.data(), nullptr};
  std::array<char*, 1> environment = {nullptr};
  pid_t pid = 0;
  if (const int error = posix_spawn(&pid, program.c_str(), &actions, &attributes, argv.data(),
                                    environment.data());
      error != 0)
    return Error::from_errno(error, fmt::format("start {}", program));
  return Spawned{.socket = std::move(ours), .pid = pid};
}

Result<UniqueFd> connect_holder(const std::string& run_dir) {
  return sys::connect_seqpacket(fmt::format("{}/{}", run_dir, kSocketName));
}

Result<void> send(int socket, const EngineMessage& message, std::span<const int> fds,
                  std::uint64_t sequence) {
  const std::string text = encode(message, sequence);
  if (text.size() > kMaxMessage)
    return fail(ErrorKind::kExhausted, "a message of {} bytes is over the cap of {}", text.size(),
                kMaxMessage);
  return sys::send_message(socket, text, fds);
}

Result<std::optional<HolderMessage>> try_receive(int socket) {
  auto packet = TRY(sys::receive_message(socket, kMaxMessage, sys::Wait::kNo));
  if (!packet) return std::optional<HolderMessage>();
  if (packet->bytes.empty())
    return fail(ErrorKind::kNotFound, "the holder has closed its connection");
  return std::optional(TRY(decode_holder_message(packet->bytes)));
}

Result<HolderMessage> receive(int socket, std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (!TRY(sys::wait_readable(socket, left)))
      return fail(ErrorKind::kExhausted, "the holder said nothing for {} ms", timeout.count());
    if (auto message = TRY(try_receive(socket))) return std::move(*message);
  }
}

}  // namespace berth::holder
