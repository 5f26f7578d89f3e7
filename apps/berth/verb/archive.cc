#include "berth/verb/archive.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace berth::cli {

Result<Archive> Archive::open(const std::string& path) {
  const bool is_input = path.empty() || path == "-";
  UniqueFd file(is_input ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                         : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return fail_errno("opening {}", is_input ? "standard input" : path);
  struct stat about{};
  if (::fstat(file.get(), &about) == 0 && S_ISDIR(about.st_mode))
    return fail(ErrorKind::kInvalid, "{} is a directory, not a tar archive", path);
  return Archive(std::move(file), is_input ? "standard input" : path);
}

Result<std::size_t> Archive::read(std::span<std::byte> into) {
  for (;;) {
    const ssize_t got = ::read(file_.get(), into.data(), into.size());
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) return fail_errno("reading {}", name_);
  }
}

}  // namespace berth::cli
