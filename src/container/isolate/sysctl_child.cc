#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "container/isolate/sysctl.h"

namespace berth::container {
namespace {

bool write_one(int proc, const SysctlEntry& entry) {
  struct open_how how = {};
  how.flags = O_WRONLY | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV;
  const long fd = ::syscall(SYS_openat2, proc, entry.file.c_str(), &how, sizeof how);
  if (fd < 0) return false;
  const bool written = ::write(static_cast<int>(fd), entry.value.data(), entry.value.size()) >= 0;
  const int saved = errno;
  ::close(static_cast<int>(fd));
  errno = saved;
  return written;
}

}  // namespace

bool enter_sysctl(Child& child, const SysctlPlan& plan) {
  for (std::size_t i = 0; i < plan.entries.size(); ++i)
    if (!write_one(child.proc, plan.entries[i])) return child.fail(Step::kSysctl, i);
  return true;
}

}  // namespace berth::container
