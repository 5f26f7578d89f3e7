// OomWatch: tells when the kernel runs out of memory for a container. v1: an eventfd that is
// registered with memory.oom_control (cgroup-v1/memory.rst, "OOM Control"). v2: memory.events,
// which changes; POLLPRI says so (cgroup-v2.rst).
#pragma once

#include <cstdint>

#include "base/result.h"
#include "base/unique_fd.h"
#include "container/cgroup/manager.h"

namespace berth::container {

class OomWatch {
 public:
  /// kUnsupported: the container has no memory cgroup, or the kernel has no such messages.
  static Result<OomWatch> create(const CgroupManager& manager);

  /// To poll for POLLIN | POLLPRI. Borrowed.
  int fd() const { return fd_.get(); }
  /// Whether that has happened since the last look. Never blocks.
  bool look();

 private:
  OomWatch(CgroupVersion version, UniqueFd fd, std::string directory)
      : version_(version), fd_(std::move(fd)), directory_(std::move(directory)) {}
  std::uint64_t count() const;

  CgroupVersion version_;
  UniqueFd fd_;  // v1: the eventfd; v2: memory.events
  std::string directory_;
  std::uint64_t seen_ = 0;  // v2: the processes killed so far
};

}  // namespace berth::container
