#include "sys/fuse_mount.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

#include "base/scope_exit.h"
#include "sys/file.h"
#include "sys/memfd.h"
#include "sys/process.h"

namespace berth::sys {
namespace {

constexpr std::string_view kPrefix = "fuse.";
/// Where the program finds its connection.
constexpr int kConnectionFd = 3;
/// Of what it says, the start is kept.
constexpr std::size_t kMaxSaid = 4096;

bool is_read_only(const MountSpec& spec) {
  return std::ranges::find(spec.options, "ro") != spec.options.end();
}

Result<UniqueFd> open_connection() {
  // Not a number that posix_spawn() gives the program: see dup2(2) about equal ones.
  UniqueFd connection(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
  if (!connection.valid()) {
    return fail_errno("open /dev/fuse").with_kind(ErrorKind::kUnsupported);
  }
  if (connection.get() > kConnectionFd) return connection;
  UniqueFd moved(::fcntl(connection.get(), F_DUPFD_CLOEXEC, kConnectionFd + 1));
  if (!moved.valid()) return fail_errno("duplicate a descriptor");
  return moved;
}

Result<UniqueFd> mount_connection(int connection, const MountSpec& spec) {
  const UniqueFd fs(::fsopen("fuse", FSOPEN_CLOEXEC));
  if (!fs.valid())
    return fail_errno("open the fuse file system").with_kind(ErrorKind::kUnsupported);
  const std::string name = spec.type.substr(kPrefix.size());
  const std::array<std::pair<const char*, std::string>, 6> values = {{
      {"source", name},
      {"subtype", name},
      {"fd", std::to_string(connection)},
      {"rootmode", "40000"},  // octal: a directory
      {"user_id", "0"},
      {"group_id", "0"},
  }};
  for (const auto& [key, value] : values) {
    if (::fsconfig(fs.get(), FSCONFIG_SET_STRING, key, value.c_str(), 0) != 0) {
      return fail_errno("fuse option {}={}", key, value);
    }
  }
  // The kernel checks modes, for all users; the program would not.
  for (const char* flag : {"allow_other", "default_permissions"}) {
    if (::fsconfig(fs.get(), FSCONFIG_SET_FLAG, flag, nullptr, 0) != 0) {
      return fail_errno("fuse option {}", flag);
    }
  }
  if (::fsconfig(fs.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) {
    return fail_errno("make a fuse file system");
  }
  const unsigned attributes = is_read_only(spec) ? MOUNT_ATTR_RDONLY : 0U;
  UniqueFd mount(::fsmount(fs.get(), FSMOUNT_CLOEXEC, attributes));
  if (!mount.valid()) return fail_errno("mount a fuse file system");
  return mount;
}

/// What the program says goes to memory that does not grow: it may run for months.
Result<UniqueFd> make_said() {
  UniqueFd said(::memfd_create("fuse", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!said.valid() || ::ftruncate(said.get(), kMaxSaid) != 0 ||
      ::fcntl(said.get(), F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK) != 0) {
    return fail_errno("make a file for what {} says", "a program");
  }
  return said;
}

Result<UniqueFd> spawn(const MountSpec& spec, int connection, int said) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  const ScopeExit destroy_actions([&] { posix_spawn_file_actions_destroy(&actions); });
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, said, STDERR_FILENO);
  posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, connection, kConnectionFd);
  posix_spawn_file_actions_addclosefrom_np(&actions, kConnectionFd + 1);
  posix_spawn_file_actions_addchdir_np(&actions, "/");

  // A session of its own: signals of a terminal are not for it.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  const ScopeExit destroy_attributes([&] { posix_spawnattr_destroy(&attributes); });
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

  std::string name = spec.type.substr(kPrefix.size());
  std::string foreground = "-f";
  std::string option = "-o";
  std::string options = fmt::format("{}", fmt::join(spec.options, ","));
  std::string mount_point = fmt::format("/dev/fd/{}", kConnectionFd);
  const std::array<char*, 6> argv = {name.data(),    foreground.data(),  option.data(),
                                     options.data(), mount_point.data(), nullptr};
  std::array<char*, 1> environment = {nullptr};
  pid_t pid = 0;
  if (const int error = ::posix_spawn(&pid, spec.source.c_str(), &actions, &attributes, argv.data(),
                                      environment.data());
      error != 0) {
    return Error::from_errno(error, fmt::format("start {}", spec.source));
  }
  return open_pidfd(pid);  // nobody has reaped it: the number is still its own
}

std::string what_was_said(int said) {
  std::string text = read_memfd(said, kMaxSaid).value_or("");
  text.resize(std::min(text.find('\0'), text.size()));
  std::ranges::replace(text, '\n', ' ');
  return text;
}

}  // namespace

bool is_fuse(std::string_view type) {
  return type.starts_with(kPrefix) && type.size() > kPrefix.size();
}

Result<FuseMount> FuseMount::make(const MountSpec& spec) {
  if (!is_fuse(spec.type)) {
    return fail(ErrorKind::kInvalid, "'{}' is no type of a fuse mount", spec.type);
  }
  UniqueFd connection = TRY(open_connection());
  UniqueFd root = TRY(mount_connection(connection.get(), spec));
  const UniqueFd said = TRY(make_said());
  UniqueFd program = TRY(spawn(spec, connection.get(), said.get()));
  connection.reset();  // the program's alone: its death ends what waits for it
  FuseMount mount(std::move(root), std::move(program));
  if (const auto answers = open_at(mount.fd(), ".", O_RDONLY | O_DIRECTORY); !answers.ok()) {
    mount.mount_.reset();
    const auto ended = wait_process(mount.program_.get());
    mount.program_.reset();
    return fail(ErrorKind::kInternal, "{} ended with {}: {}", spec.source,
                ended.ok() ? ended->shell_code() : -1, what_was_said(said.get()));
  }
  return mount;
}

FuseMount::~FuseMount() {
  if (!mount_.valid()) return;
  mount_.reset();
  (void)wait_process(program_.get());
}

UniqueFd FuseMount::release() {
  program_.reset();
  return std::move(mount_);
}

}  // namespace berth::sys
