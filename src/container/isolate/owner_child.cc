#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "container/isolate/owner.h"

namespace berth::container {

void give_birth(const NamespacePlan& plan, const sys::CloneRequest& request, Birth* birth) {
  clone_args args = {};
  args.flags = request.flags | CLONE_PARENT;  // whose signal at its end is that of this process
  if (request.cgroup >= 0) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = static_cast<std::uint64_t>(request.cgroup);
  }
  // A pid namespace is for children alone: init's pid is told as the parent knows it.
  long pid = -1;
  if ((request.pid_namespace < 0 || ::setns(request.pid_namespace, CLONE_NEWPID) == 0) &&
      ::setns(plan.owner.get(), CLONE_NEWUSER) == 0)
    pid = ::syscall(SYS_clone3, &args, sizeof args);
  if (pid == 0) return;
  if (pid < 0)
    birth->error = errno;
  else
    birth->pid = static_cast<pid_t>(pid);
  ::_exit(0);
}

}  // namespace berth::container
