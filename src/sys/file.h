// Files by descriptor: whole-file reads with a cap, durable replacement, and path resolution that
// cannot be led out of a directory (man 2 openat2). Paths and names are NUL-free. Every descriptor
// made here is CLOEXEC. Thread-safe.
#pragma once

#include <fcntl.h>
#include <sys/types.h>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "base/byte_source.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace berth::sys {

/// Files that describe something (configs, records, /proc entries) are read whole up to this;
/// callers with a tighter idea pass their own cap.
inline constexpr std::size_t kMaxFileBytes = 16U << 20;

/// open(2) with O_CLOEXEC. For paths that an operator gave: symbolic links are followed.
Result<UniqueFd> open_file(const std::string& path, int flags, mode_t mode = 0);
/// openat(2) with O_CLOEXEC. For paths below a directory that only we write to.
Result<UniqueFd> open_at(int dirfd, const std::string& path, int flags, mode_t mode = 0);

/// Opens `path` as if `dirfd` were "/": "..", absolute paths and absolute symbolic links stay
/// inside, magic links are refused (RESOLVE_IN_ROOT). For paths that an image or a container chose.
/// kUnsupported before Linux 5.6.
Result<UniqueFd> open_in_root(int dirfd, const std::string& path, int flags, mode_t mode = 0);
/// Opens `path` below `dirfd` through real directories of one mount only: any symbolic link, mount
/// point or ".." that leaves is an error (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV).
Result<UniqueFd> open_beneath(int dirfd, const std::string& path, int flags, mode_t mode = 0);

/// Everything from the descriptor's position to the end. kExhausted if that is more than
/// `max_bytes`.
Result<std::string> read_all(int fd, std::size_t max_bytes = kMaxFileBytes);
Result<std::string> read_file(const std::string& path, std::size_t max_bytes = kMaxFileBytes);
Result<std::string> read_file_at(int dirfd, const std::string& path,
                                 std::size_t max_bytes = kMaxFileBytes);

/// Writes all of `bytes`, whatever write(2) takes at once. An error leaves an unknown part written.
Result<void> write_all(int fd, std::span<const std::byte> bytes);
Result<void> write_all(int fd, std::string_view text);

/// fsync(2): data and metadata of a file, or the entries of a directory, are on disk.
Result<void> sync(int fd);

/// What a name starts with while write_file_atomic() still works on it; remove_temp_files() in
/// dir.h clears them.
inline constexpr std::string_view kTempPrefix = ".tmp-";

/// Makes `name` in `dirfd` hold `bytes`: a crash leaves the old content or the new, never a part
/// (temporary file, fsync, rename, fsync of the directory). `name` is one path component. An error
/// leaves the old content.
Result<void> write_file_atomic(int dirfd, const std::string& name, std::string_view bytes,
                               mode_t mode = 0600);

/// A file as a stream. Owns the descriptor, or borrows one that outlives it.
class FdSource final : public ByteSource {
 public:
  explicit FdSource(UniqueFd fd) : owned_(std::move(fd)), fd_(owned_.get()) {}
  explicit FdSource(int borrowed) : fd_(borrowed) {}
  Result<std::size_t> read(std::span<std::byte> into) override;

 private:
  UniqueFd owned_;
  int fd_;
};

}  // namespace berth::sys
