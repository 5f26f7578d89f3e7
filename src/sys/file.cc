#include "sys/file.h"

#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "base/scope_exit.h"
#include "base/strong_id.h"

namespace berth::sys {
namespace {

/// openat2(2) says EAGAIN when a rename elsewhere raced with a ".."; a writer that keeps racing us
/// gives up here.
constexpr int kMaxResolveAttempts = 64;

Result<UniqueFd> open_resolved(int dirfd, const std::string& path, int flags, mode_t mode,
                               std::uint64_t resolve) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  // openat2 refuses a mode that open(2) would ignore.
  if ((flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE) how.mode = mode;
  how.resolve = resolve;
  for (int attempt = 0; attempt < kMaxResolveAttempts; ++attempt) {
    UniqueFd fd(static_cast<int>(::syscall(SYS_openat2, dirfd, path.c_str(), &how, sizeof how)));
    if (fd.valid()) return fd;
    if (errno != EAGAIN && errno != EINTR) break;
  }
  if (errno == ENOSYS) {
    return fail(ErrorKind::kUnsupported,
                "open {}: openat2 is missing, Linux 5.6 or newer is needed", path);
  }
  return fail_errno("open {}", path);
}

}  // namespace

Result<UniqueFd> open_file(const std::string& path, int flags, mode_t mode) {
  return open_at(AT_FDCWD, path, flags, mode);
}

Result<UniqueFd> open_at(int dirfd, const std::string& path, int flags, mode_t mode) {
  for (;;) {
    UniqueFd fd(::openat(dirfd, path.c_str(), flags | O_CLOEXEC, mode));
    if (fd.valid()) return fd;
    if (errno != EINTR) return fail_errno("open {}", path);
  }
}

Result<UniqueFd> open_in_root(int dirfd, const std::string& path, int flags, mode_t mode) {
  return open_resolved(dirfd, path, flags, mode, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

Result<UniqueFd> open_beneath(int dirfd, const std::string& path, int flags, mode_t mode) {
  return open_resolved(dirfd, path, flags, mode,
                       RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
}

Result<std::string> read_all(int fd, std::size_t max_bytes) {
  constexpr std::size_t kStep = 16U << 10;
  std::string text;
  for (;;) {
    const std::size_t have = text.size();
    text.resize(have + kStep);
    const ssize_t got = ::read(fd, text.data() + have, kStep);
    if (got < 0) {
      if (errno != EINTR) return fail_errno("read descriptor {}", fd);
      text.resize(have);
      continue;
    }
    text.resize(have + static_cast<std::size_t>(got));
    if (text.size() > max_bytes) {
      return fail(ErrorKind::kExhausted, "it is larger than {} bytes", max_bytes);
    }
    if (got == 0) return text;
  }
}

Result<std::string> read_file(const std::string& path, std::size_t max_bytes) {
  return read_file_at(AT_FDCWD, path, max_bytes);
}

Result<std::string> read_file_at(int dirfd, const std::string& path, std::size_t max_bytes) {
  const UniqueFd fd = TRY(open_at(dirfd, path, O_RDONLY));
  return read_all(fd.get(), max_bytes).context(fmt::format("read {}", path));
}

Result<void> write_all(int fd, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0) {
      if (errno == EINTR) continue;
      return fail_errno("write");
    }
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
  return {};
}

Result<void> write_all(int fd, std::string_view text) {
  return write_all(fd, std::as_bytes(std::span(text)));
}

Result<void> sync(int fd) {
  if (::fsync(fd) != 0) return fail_errno("fsync");
  return {};
}

Result<void> write_file_atomic(int dirfd, const std::string& name, std::string_view bytes,
                               mode_t mode) {
  const std::string temp = fmt::format("{}{}", kTempPrefix, random_hex(16));
  const auto replace = [&]() -> Result<void> {
    const UniqueFd fd = TRY(open_at(dirfd, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode));
    ScopeExit undo([&] { ::unlinkat(dirfd, temp.c_str(), 0); });
    // The umask must not decide what mode a record has.
    if (::fchmod(fd.get(), mode) != 0) return fail_errno("chmod");
    TRY(write_all(fd.get(), bytes));
    TRY(sync(fd.get()));
    if (::renameat(dirfd, temp.c_str(), dirfd, name.c_str()) != 0) return fail_errno("rename");
    undo.cancel();
    return sync(dirfd);
  };
  return replace().context(fmt::format("write {}", name));
}

Result<std::size_t> FdSource::read(std::span<std::byte> into) {
  for (;;) {
    const ssize_t got = ::read(fd_, into.data(), into.size());
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) return fail_errno("read");
  }
}

}  // namespace berth::sys
