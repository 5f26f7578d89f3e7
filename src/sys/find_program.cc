#include "sys/find_program.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace berth::sys {

Result<std::string> find_program(std::string_view name) {
  const char* variable = std::getenv("PATH");
  const std::string_view path =
      variable != nullptr ? variable : "/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin";
  for (std::size_t at = 0; at <= path.size();) {
    const auto end = std::min(path.find(':', at), path.size());
    const std::string_view directory = path.substr(at, end - at);
    std::string file = fmt::format("{}/{}", directory, name);
    struct stat found{};
    if (directory.starts_with('/') && ::stat(file.c_str(), &found) == 0 && S_ISREG(found.st_mode) &&
        ::access(file.c_str(), X_OK) == 0) {
      return file;
    }
    at = end + 1;
  }
  return fail(ErrorKind::kNotFound, "{} is not in PATH ({})", name, path);
}

}  // namespace berth::sys
