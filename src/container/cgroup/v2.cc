#include "container/cgroup/v2.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>

#include "container/cgroup/device_program.h"
#include "container/cgroup/ending.h"
#include "container/cgroup/settings.h"

namespace berth::container {
namespace {

constexpr const char* kWanted[] = {"cpu", "cpuset", "io", "memory", "pids", "hugetlb", "rdma"};
// Accounting needs them even where no limit is asked for. What "cpu" accounts is there without.
constexpr const char* kAlwaysUsed[] = {"memory", "pids"};

bool has_word(std::string_view text, std::string_view word) {
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find(' ', at), text.size());
    if (text.substr(at, end - at) == word) return true;
    at = end + 1;
  }
  return false;
}

// Waits until `file` has the line `line`; the kernel signals a change as POLLPRI. cgroup-v2.rst,
// "Basic Operations".
Result<void> wait_for_line(const CgroupDirectory& directory, const char* file,
                           std::string_view line) {
  const Deadline deadline = kill_deadline();
  const UniqueFd fd(::openat(directory.fd(), file, O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return fail_errno("cannot open {}/{}", directory.path(), file);
  for (;;) {
    char text[512];
    const ssize_t count = ::pread(fd.get(), text, sizeof text, 0);
    if (count < 0) {
      if (errno == ENODEV) return {};  // removed meanwhile
      return fail_errno("cannot read {}/{}", directory.path(), file);
    }
    if (std::string_view(text, static_cast<std::size_t>(count)).find(line) !=
        std::string_view::npos)
      return {};
    pollfd changed{.fd = fd.get(), .events = POLLPRI, .revents = 0};
    const int result = ::poll(&changed, 1, milliseconds_left(deadline));
    if (result < 0 && errno != EINTR) return fail_errno("cannot watch {}", directory.path());
    if (result == 0 && milliseconds_left(deadline) == 0)
      return fail(
          ErrorKind::kConflict,
          "{} does not say '{}' after {} s: a process there is stuck in the kernel (state D "
          "in ps)",
          directory.path(), line, kKillDeadline.count());
  }
}

// Where the hierarchy is mounted that has the cgroup at `path`.
std::string mount_of(std::string path) {
  for (;;) {
    const std::string parent = path.substr(0, path.rfind('/'));
    struct statfs found = {};
    if (parent.empty() || ::statfs(parent.c_str(), &found) != 0 ||
        found.f_type != CGROUP2_SUPER_MAGIC)
      return path;
    path = parent;
  }
}

}  // namespace

Result<std::unique_ptr<CgroupManager>> CgroupV2::adopt(const std::string& path) {
  auto manager = std::make_unique<CgroupV2>(Hierarchy{}, std::string());
  manager->paths_ = {path};
  auto directory = CgroupDirectory::open(path);
  if (directory.ok())
    manager->directory_.emplace(std::move(*directory));
  else if (directory.error().kind() != ErrorKind::kNotFound)
    return std::move(directory).error();
  return std::unique_ptr<CgroupManager>(std::move(manager));
}

Result<void> CgroupV2::create(pid_t init) {
  bool made = false;
  auto directory = TRY(CgroupDirectory::create(hierarchies_.front().path, relative_, made));
  if (!made && TRY(directory.has_others(init)))
    return fail(ErrorKind::kConflict, "the cgroup {} has processes in it", directory.path());
  if (auto enabled = enable_controllers(directory); !enabled.ok()) {
    if (made) (void)directory.remove();
    return enabled;
  }
  paths_ = {directory.path()};
  directory_.emplace(std::move(directory));
  return {};
}

bool CgroupV2::has_all_controllers(const CgroupDirectory& leaf) const {
  const auto has = leaf.read("cgroup.controllers");
  if (!has.ok()) return false;
  const auto in = [&](const auto& controller) { return has_word(*has, controller); };
  return std::ranges::all_of(kAlwaysUsed, in) && std::ranges::all_of(needed_, in);
}

Result<void> CgroupV2::extend(const std::vector<std::string>& controllers) {
  if (!directory_) return {};
  needed_ = controllers;
  if (hierarchies_.front().path.empty()) hierarchies_.front().path = mount_of(directory_->path());
  return enable_controllers(*directory_);
}

// Gives each directory from the root down the controllers of its parent. A parent made by others
// may refuse one, because it has processes of its own; what is then missing shows when a limit
// needs it.
Result<void> CgroupV2::enable_controllers(const CgroupDirectory& directory_of_container) const {
  if (has_all_controllers(directory_of_container)) return {};
  std::string path = hierarchies_.front().path;
  const std::string& leaf = directory_of_container.path();
  while (path.size() < leaf.size()) {
    const auto directory = TRY(CgroupDirectory::open(path));
    const std::string available = TRY(directory.read("cgroup.controllers"));
    const std::string enabled = TRY(directory.read("cgroup.subtree_control"));
    for (const char* controller : kWanted)
      if (has_word(available, controller) && !has_word(enabled, controller))
        (void)directory.write("cgroup.subtree_control", fmt::format("+{}", controller));
    path = leaf.substr(0, leaf.find('/', path.size() + 1));
  }
  return {};
}

Result<void> CgroupV2::apply(const Resources& resources) {
  for (const CgroupSetting& setting : TRY(settings_v2(resources))) {
    auto written = directory_->write(setting.file, setting.value);
    if (!written.ok() && written.error().kind() == ErrorKind::kNotFound)
      return fail(ErrorKind::kUnsupported,
                  "the '{}' cgroup controller, which {} needs, is not available to {}",
                  setting.controller, setting.file, directory_->path());
    TRY(std::move(written));
  }
  if (resources.devices.empty()) return {};
  return attach_device_program(directory_->fd(), resources.devices).context(directory_->path());
}

Result<CgroupStats> CgroupV2::stats() const {
  CgroupStats stats;
  if (!directory_) return stats;
  stats.memory_bytes = directory_->read_number("memory.current");
  stats.pids = directory_->read_number("pids.current");
  const std::string cpu = TRY(directory_->read("cpu.stat"));
  constexpr std::string_view kUsage = "usage_usec ";
  if (const auto at = cpu.find(kUsage); at != std::string::npos)
    stats.cpu_nanoseconds = std::strtoull(cpu.c_str() + at + kUsage.size(), nullptr, 10) * 1000;
  return stats;
}

Result<std::vector<pid_t>> CgroupV2::processes() const {
  if (!directory_) return std::vector<pid_t>{};
  return directory_->processes();
}

Result<void> CgroupV2::freeze(bool frozen) {
  if (!directory_) return {};
  TRY(directory_->write("cgroup.freeze", frozen ? "1" : "0"));
  auto done = wait_for_line(*directory_, "cgroup.events", frozen ? "frozen 1" : "frozen 0");
  // Half frozen is what nobody asked for.
  if (!done.ok() && frozen) (void)directory_->write("cgroup.freeze", "0");
  return done;
}

Result<void> CgroupV2::destroy() {
  if (!directory_) return {};
  if (!directory_->remove().ok()) {
    auto killed = directory_->write("cgroup.kill", "1");
    // Before Linux 5.14 there is no such file.
    if (!killed.ok()) TRY(kill_all());
    TRY(wait_for_line(*directory_, "cgroup.events", "populated 0"));
    TRY(directory_->remove());
  }
  directory_.reset();
  return {};
}

}  // namespace berth::container
