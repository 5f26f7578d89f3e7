#include "container/isolate/proc_file.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/unique_fd.h"

namespace berth::container {

Result<void> write_proc(pid_t pid, const char* file, std::string_view text) {
  const std::string path = fmt::format("/proc/{}/{}", pid, file);
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd.valid()) return fail_errno("cannot open {}", path);
  if (::write(fd.get(), text.data(), text.size()) < 0)
    return fail_errno("cannot write '{}' to {}", text, path);
  return {};
}

}  // namespace berth::container
