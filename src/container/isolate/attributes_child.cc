#include <errno.h>
#include <fcntl.h>
#include <linux/ioprio.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/personality.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>

#include "container/isolate/attributes.h"

namespace berth::container {
namespace {

bool set_memory_policy(const MemoryPolicyPlan& plan) {
  // The kernel takes one bit less than it is told: set_mempolicy(2), BUGS.
  const std::size_t bits = plan.nodes.size() * sizeof(unsigned long) * CHAR_BIT;
  return ::syscall(SYS_set_mempolicy, plan.mode, plan.nodes.empty() ? nullptr : plan.nodes.data(),
                   plan.nodes.empty() ? 0 : bits + 1) == 0;
}

// thread-self is a link of text, not a magic one; nothing that is mounted over a file is followed.
int open_attribute(int proc, const char* file) {
  struct open_how how = {};
  how.flags = O_WRONLY | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
  return static_cast<int>(::syscall(SYS_openat2, proc, file, &how, sizeof how));
}

bool write_label(int file, const std::string& label) {
  if (file < 0) return false;
  const bool written =
      ::write(file, label.data(), label.size()) == static_cast<ssize_t>(label.size());
  const int saved = errno;
  ::close(file);
  errno = saved;
  return written;
}

// Each module has a directory of its own since Linux 5.8 (AppArmor); before, they share one.
bool write_apparmor(int proc, const std::string& label) {
  int file = open_attribute(proc, "thread-self/attr/apparmor/exec");
  if (file < 0 && errno == ENOENT) file = open_attribute(proc, "thread-self/attr/exec");
  return write_label(file, label);
}

}  // namespace

bool enter_labels(Child& child, const AttributesPlan& plan) {
  if (plan.apparmor.empty() && plan.selinux.empty()) return true;
  const int proc = ::open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
  struct statfs kind = {};
  if (proc < 0 || ::fstatfs(proc, &kind) != 0) return child.fail(Step::kHostProc);
  if (kind.f_type != PROC_SUPER_MAGIC) return child.fail_with(ENOTSUP, Step::kHostProc);
  if (!plan.apparmor.empty() && !write_apparmor(proc, plan.apparmor))
    return child.fail(Step::kApparmor);
  if (!plan.selinux.empty() &&
      !write_label(open_attribute(proc, "thread-self/attr/exec"), plan.selinux))
    return child.fail(Step::kSelinux);
  ::close(proc);
  return true;
}

bool enter_affinity(Child& child, const std::vector<unsigned long>& cpus) {
  return cpus.empty() ||
         ::syscall(SYS_sched_setaffinity, 0, cpus.size() * sizeof(unsigned long), cpus.data()) ==
             0 ||
         child.fail(Step::kAffinity);
}

bool enter_attributes(Child& child, const AttributesPlan& plan) {
  if (plan.memory_policy && !set_memory_policy(*plan.memory_policy))
    return child.fail(Step::kMemoryPolicy);
  if (plan.personality && ::personality(*plan.personality) < 0)
    return child.fail(Step::kPersonality);
  if (plan.io_priority && ::syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, *plan.io_priority) != 0)
    return child.fail(Step::kIoPriority);
  if (plan.scheduler && ::syscall(SYS_sched_setattr, 0, &*plan.scheduler, 0) != 0)
    return child.fail(Step::kScheduler);
  return true;
}

}  // namespace berth::container
