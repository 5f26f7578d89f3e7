#include "berth/verb/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

#include "base/strong_id.h"
#include "berth/stream/attachment.h"

namespace berth::cli {
namespace {

Result<UniqueFd> open_to_write(const std::string& path, int flags) {
  UniqueFd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY | flags, 0600));
  if (!file.valid()) return fail_errno("opening {}", path);
  return file;
}

}  // namespace

Result<OutputFile> OutputFile::open(const std::string& path) {
  if (path.empty()) {
    if (::isatty(STDOUT_FILENO) != 0)
      return fail(ErrorKind::kInvalid,
                  "cowardly refusing to save to a terminal. Use the -o flag or redirect");
    UniqueFd output(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0));
    if (!output.valid()) return fail_errno("opening standard output");
    return OutputFile(std::move(output), "standard output", "");
  }
  struct stat about{};
  const bool exists = ::stat(path.c_str(), &about) == 0;
  if (exists && S_ISDIR(about.st_mode))
    return fail(ErrorKind::kInvalid, "{} is a directory, not a file to write to", path);
  if (exists && !S_ISREG(about.st_mode)) {
    UniqueFd file = TRY(open_to_write(path, 0));
    return OutputFile(std::move(file), path, "");
  }
  std::string temporary = fmt::format("{}.{}", path, random_hex(8));
  UniqueFd file = TRY(open_to_write(temporary, O_CREAT | O_EXCL));
  return OutputFile(std::move(file), path, std::move(temporary));
}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : file_(std::move(other.file_)),
      path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, {})) {}

OutputFile::~OutputFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

Result<void> OutputFile::write(std::span<const char> bytes) {
  return write_all(file_.get(), bytes).context("writing " + path_);
}

Result<void> OutputFile::keep() {
  if (temporary_.empty()) return {};
  if (::rename(temporary_.c_str(), path_.c_str()) != 0)
    return fail_errno("giving {} its name", path_);
  temporary_.clear();
  return {};
}

}  // namespace berth::cli
