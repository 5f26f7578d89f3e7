#include "sys/fuse_mount.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

#include "sys/file.h"
#include "sys/memfd.h"
#include "sys/process.h"

namespace berth::sys {
namespace {

constexpr std::string_view kPrefix = "fuse.";
/// Of what it says, the start is kept.
constexpr std::size_t kMaxSaid = 4096;

bool is_read_only(const MountSpec& spec) {
  return std::ranges::find(spec.options, "ro") != spec.options.end();
}

/// Where it is not in the way of what the program gets as its first descriptors.
Result<UniqueFd> moved_up(const UniqueFd& fd) {
  UniqueFd moved(::fcntl(fd.get(), F_DUPFD_CLOEXEC, kFuseConnection + 1));
  if (!moved.valid()) return fail_errno("duplicate a descriptor");
  return moved;
}

Result<UniqueFd> open_connection() {
  const UniqueFd connection(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
  if (!connection.valid()) {
    return fail_errno("open /dev/fuse").with_kind(ErrorKind::kUnsupported);
  }
  return moved_up(connection);
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
  const UniqueFd said(::memfd_create("fuse", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!said.valid() || ::ftruncate(said.get(), kMaxSaid) != 0 ||
      ::fcntl(said.get(), F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK) != 0) {
    return fail_errno("make a file for what a program says");
  }
  return moved_up(said);
}

Result<void> start(const MountSpec& spec, int connection, int said) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno("make a pipe");
  const UniqueFd reading(ends[0]);
  UniqueFd low(ends[1]);
  UniqueFd writing = TRY(moved_up(low));
  low.reset();

  std::string name = spec.type.substr(kPrefix.size());
  std::string foreground = "-f";
  std::string option = "-o";
  std::string options = fmt::format("{}", fmt::join(spec.options, ","));
  std::string mount_point = fmt::format("/dev/fd/{}", kFuseConnection);
  const std::array<char*, 6> argv = {name.data(),    foreground.data(),  option.data(),
                                     options.data(), mount_point.data(), nullptr};
  const FuseProgram program{.path = spec.source.c_str(),
                            .argv = argv.data(),
                            .connection = connection,
                            .said = said,
                            .failed = writing.get()};
  const CloneResult cloned = TRY(clone_process({}));
  if (cloned.pid == 0) start_fuse_program(program);
  writing.reset();
  // A process that ignores its children's ends has nothing to wait for.
  (void)wait_process(cloned.pidfd.get());
  int error = 0;
  if (::read(reading.get(), &error, sizeof error) == sizeof error) {
    return Error::from_errno(error, fmt::format("start {}", spec.source));
  }
  return {};
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

Result<UniqueFd> mount_fuse_detached(const MountSpec& spec) {
  if (!is_fuse(spec.type)) {
    return fail(ErrorKind::kInvalid, "'{}' is no type of a fuse mount", spec.type);
  }
  UniqueFd connection = TRY(open_connection());
  UniqueFd mount = TRY(mount_connection(connection.get(), spec));
  const UniqueFd said = TRY(make_said());
  TRY(start(spec, connection.get(), said.get()));
  connection.reset();  // the program's alone: its death ends what waits for it
  if (const auto answers = open_at(mount.get(), ".", O_RDONLY | O_DIRECTORY); !answers.ok()) {
    return fail(ErrorKind::kInternal, "{} ended: {}", spec.source, what_was_said(said.get()));
  }
  return mount;
}

}  // namespace berth::sys
