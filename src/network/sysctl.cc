#include "network/sysctl.h"

#include <fcntl.h>

#include "base/unique_fd.h"
#include "sys/file.h"

namespace berth::network {

Result<std::string> read_sysctl(std::string_view name) {
  std::string value = TRY(sys::read_file(fmt::format("/proc/sys/{}", name)));
  while (!value.empty() && value.back() == '\n') value.pop_back();
  return value;
}

Result<void> write_sysctl(std::string_view name, std::string_view value) {
  const std::string path = fmt::format("/proc/sys/{}", name);
  const UniqueFd file = TRY(sys::open_file(path, O_WRONLY));
  return sys::write_all(file.get(), value).context(fmt::format("set {} to '{}'", path, value));
}

}  // namespace berth::network
