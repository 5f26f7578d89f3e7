#include "api/docker/host_facts.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <string_view>

#include "base/unique_fd.h"

namespace berth::docker {
namespace {

// The files read here are shorter by far; one that is not is cut.
constexpr std::size_t kMaxFactFile = 8192;

std::string read_small(const char* path) {
  const UniqueFd file(::open(path, O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return {};
  std::string text(kMaxFactFile, '\0');
  const ssize_t count = ::read(file.get(), text.data(), text.size());
  text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return text;
}

// The value of `key` in the shell-like syntax of os-release(5).
std::string os_release_value(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.starts_with(key) || line.size() <= key.size() || line[key.size()] != '=') continue;
    line.remove_prefix(key.size() + 1);
    if (line.size() >= 2 && (line.front() == '"' || line.front() == '\'') &&
        line.back() == line.front())
      line = line.substr(1, line.size() - 2);
    return std::string(line);
  }
  return {};
}

}  // namespace

std::string oci_architecture(const std::string& machine) {
  static constexpr std::array<std::array<std::string_view, 2>, 6> kNames = {
      {{"x86_64", "amd64"},
       {"aarch64", "arm64"},
       {"armv7l", "arm"},
       {"i686", "386"},
       {"ppc64le", "ppc64le"},
       {"riscv64", "riscv64"}}};
  for (const auto& [theirs, oci] : kNames) {
    if (theirs == machine) return std::string(oci);
  }
  return machine;
}

HostFacts read_host_facts() {
  HostFacts facts;
  utsname name{};
  if (::uname(&name) == 0) {
    facts.hostname = name.nodename;
    facts.kernel = name.release;
    facts.machine = name.machine;
    facts.architecture = oci_architecture(facts.machine);
  }
  const std::string release = read_small("/etc/os-release");
  facts.operating_system = os_release_value(release, "PRETTY_NAME");
  facts.os_version = os_release_value(release, "VERSION_ID");
  cpu_set_t cpus;
  if (::sched_getaffinity(0, sizeof cpus, &cpus) == 0)
    facts.cpus = static_cast<unsigned>(CPU_COUNT(&cpus));
  struct sysinfo memory{};
  if (::sysinfo(&memory) == 0)
    facts.memory = static_cast<std::int64_t>(memory.totalram) * memory.mem_unit;
  facts.ipv4_forwarding = read_small("/proc/sys/net/ipv4/ip_forward").starts_with("1");
  facts.swap_limit = ::access("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes", F_OK) == 0 ||
                     ::access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0;
  return facts;
}

}  // namespace berth::docker
