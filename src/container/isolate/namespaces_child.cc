#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "container/isolate/namespaces.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

namespace berth::container {
namespace {

bool enter_time_namespace(Child& child, const NamespacePlan& plan) {
  if (::unshare(CLONE_NEWTIME) != 0) return child.fail(Step::kTimeOffsets);
  if (!plan.offsets_text.empty()) {
    const int offsets = ::open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
    if (offsets < 0) return child.fail(Step::kTimeOffsets);
    const auto size = static_cast<ssize_t>(plan.offsets_text.size());
    if (::write(offsets, plan.offsets_text.data(), plan.offsets_text.size()) != size)
      return child.fail(Step::kTimeOffsets);
    ::close(offsets);
  }
  // unshare only moves later children; this process is to be the first inside.
  const int time = ::open("/proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
  if (time < 0 || ::setns(time, CLONE_NEWTIME) != 0) return child.fail(Step::kTimeOffsets);
  ::close(time);
  return true;
}

}  // namespace

bool enter_namespaces(Child& child, const NamespacePlan& plan) {
  for (std::size_t i = 0; i < plan.joins.size(); ++i)
    if (::setns(plan.joins[i].fd.get(), plan.joins[i].clone_flag) != 0)
      return child.fail(Step::kJoinNamespace, i);
  // While it still has the caller's ids, to whom the files in /proc/self belong: init is not
  // dumpable.
  if (plan.new_time && !enter_time_namespace(child, plan)) return false;
  const bool inside = plan.new_user || plan.owner.valid();
  if (inside && (::setresgid(0, 0, 0) != 0 || ::setresuid(0, 0, 0) != 0))
    return child.fail(Step::kBecomeRoot);
  if (plan.network_fd >= 0) return enter_network(child, plan.network_fd);
  // A namespace made by clone3 is entered already.
  if (plan.loopback && !plan.new_network && !bring_loopback_up())
    return child.fail(Step::kLoopback);
  return true;
}

bool join_namespaces(Child& child, int pidfd, std::uint64_t flags, bool pids) {
  if (!pids) flags &= ~std::uint64_t{CLONE_NEWPID};
  return ::setns(pidfd, static_cast<int>(flags)) == 0 || child.fail(Step::kJoinContainer);
}

bool enter_network(Child& child, int network_fd) {
  if (::setns(network_fd, CLONE_NEWNET) != 0) return child.fail(Step::kEnterNetwork);
  return true;
}

bool enter_cgroups(Child& child, std::span<const int> entrances) {
  for (std::size_t i = 0; i < entrances.size(); ++i) {
    if (::write(entrances[i], "0", 1) != 1) return child.fail(Step::kEnterCgroup, i);
    ::close(entrances[i]);
  }
  return true;
}

bool enter_cgroup_namespace(Child& child, const NamespacePlan& plan) {
  if (plan.new_cgroup && ::unshare(CLONE_NEWCGROUP) != 0) return child.fail(Step::kUnshareCgroup);
  return true;
}

bool bring_loopback_up() {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  struct ifreq request = {};
  ::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP;
  const bool up = ::ioctl(fd, SIOCSIFFLAGS, &request) == 0;
  ::close(fd);
  return up;
}

}  // namespace berth::container
