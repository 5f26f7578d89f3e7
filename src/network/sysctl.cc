#include "network/sysctl.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/unique_fd.h"

namespace berth::network {

Result<std::string> read_sysctl(std::string_view name) {
  const std::string path = fmt::format("/proc/sys/{}", name);
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  char text[256];
  const ssize_t size = file.valid() ? ::read(file.get(), text, sizeof text) : -1;
  if (size < 0) return fail_errno("read {}", path);
  std::string value(text, static_cast<std::size_t>(size));
  while (!value.empty() && value.back() == '\n') value.pop_back();
  return value;
}

Result<void> write_sysctl(std::string_view name, std::string_view value) {
  const std::string path = fmt::format("/proc/sys/{}", name);
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file.valid() ||
      ::write(file.get(), value.data(), value.size()) != static_cast<ssize_t>(value.size())) {
    return fail_errno("write '{}' to {}", value, path);
  }
  return {};
}

}  // namespace berth::network
