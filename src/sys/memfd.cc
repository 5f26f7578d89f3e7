#include "sys/memfd.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace berth::sys {

Result<UniqueFd> sealed_memfd(const std::string& name, std::string_view bytes) {
  UniqueFd file(::memfd_create(name.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file.valid()) return fail_errno("memfd_create({})", name);
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n =
        ::pwrite(file.get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    if (n < 0 && errno != EINTR) return fail_errno("write memfd {}", name);
    if (n > 0) done += static_cast<std::size_t>(n);
  }
  if (::fcntl(file.get(), F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) !=
      0)
    return fail_errno("seal memfd {}", name);
  return file;
}

Result<std::string> read_memfd(int fd, std::size_t max_bytes) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return fail_errno("fstat");
  if (status.st_size < 0 || static_cast<std::size_t>(status.st_size) > max_bytes)
    return fail(ErrorKind::kExhausted, "a file of {} bytes is over the cap of {}", status.st_size,
                max_bytes);
  std::string bytes(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n =
        ::pread(fd, bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    if (n < 0 && errno != EINTR) return fail_errno("read");
    if (n == 0) break;  // shorter than it was: what is there is all
    if (n > 0) done += static_cast<std::size_t>(n);
  }
  bytes.resize(done);
  return bytes;
}

}  // namespace berth::sys
