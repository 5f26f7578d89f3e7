#include "container/runtime/grants.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "container/isolate/proc_file.h"

namespace berth::container {

Result<void> check_streams(const int (&stdio)[3], unsigned preserved_fds) {
  for (const int stream : stdio)
    if (stream >= 0 && ::fcntl(stream, F_GETFD) < 0)
      return fail(ErrorKind::kInvalid, "the standard stream {} is not open", stream);
  for (unsigned i = 0; i < preserved_fds; ++i) {
    const int flags = ::fcntl(static_cast<int>(3 + i), F_GETFD);
    if (flags < 0 || (flags & FD_CLOEXEC) != 0)
      return fail(ErrorKind::kInvalid,
                  "descriptor {} is to be preserved, but the caller has not opened it", 3 + i);
  }
  return {};
}

Result<void> grant_oom_score(pid_t pid, const Process& process) {
  if (!process.oom_score_adj) return {};
  return write_proc(pid, "oom_score_adj", fmt::format("{}", *process.oom_score_adj));
}

Result<void> grant_hard_limits(pid_t pid, const IdentityPlan& identity) {
  for (const LimitPlan& limit : identity.limits) {
    rlimit current = {};
    const auto resource = static_cast<__rlimit_resource>(limit.resource);
    if (::prlimit(pid, resource, nullptr, &current) != 0)
      return fail_errno("cannot read {} of process {}", limit.name, pid);
    if (limit.value.rlim_max <= current.rlim_max) continue;
    current.rlim_max = limit.value.rlim_max;
    if (::prlimit(pid, resource, &current, nullptr) != 0)
      return fail_errno("cannot raise {} to {}", limit.name, limit.value.rlim_max);
  }
  return {};
}

}  // namespace berth::container
