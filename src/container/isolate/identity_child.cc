#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "container/isolate/identity.h"

namespace berth::container {
namespace {

bool set_capabilities(std::uint64_t effective, std::uint64_t permitted, std::uint64_t inheritable) {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  for (unsigned half = 0; half < 2; ++half) {
    data[half].effective = static_cast<std::uint32_t>(effective >> 32 * half);
    data[half].permitted = static_cast<std::uint32_t>(permitted >> 32 * half);
    data[half].inheritable = static_cast<std::uint32_t>(inheritable >> 32 * half);
  }
  return ::syscall(SYS_capset, &header, data) == 0;
}

// The raw calls: libc's setuid family signals other threads, of which the child has none.
bool set_ids(const IdentityPlan& plan) {
  return ::syscall(SYS_setresgid, plan.gid, plan.gid, plan.gid) == 0 &&
         ::syscall(SYS_setresuid, plan.uid, plan.uid, plan.uid) == 0;
}

}  // namespace

bool enter_identity(Child& child, const IdentityPlan& plan) {
  for (std::size_t i = 0; i < plan.limits.size(); ++i)
    if (::setrlimit(static_cast<__rlimit_resource>(plan.limits[i].resource),
                    &plan.limits[i].value) != 0)
      return child.fail(Step::kRlimit, i);
  ::umask(plan.umask);
  for (unsigned i = 0; i <= plan.last_capability; ++i)
    if (!(plan.capabilities.bounding >> i & 1) && ::prctl(PR_CAPBSET_DROP, i, 0, 0, 0) != 0)
      return child.fail(Step::kBoundingSet, i);
  if (plan.uid != 0) {
    if (::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0) return child.fail(Step::kCapabilities);
  }
  // A user namespace may forbid setgroups; with nothing to set, that is no loss.
  if (::syscall(SYS_setgroups, plan.groups.size(), plan.groups.data()) != 0 &&
      !(plan.groups.empty() && errno == EPERM))
    return child.fail(Step::kGroups);
  if (!set_ids(plan)) return child.fail(Step::kUserIds);
  // Changing ids took the effective set away; what is left to do needs it.
  return plan.uid == 0 || set_capabilities(plan.kept, plan.kept, 0) ||
         child.fail(Step::kCapabilities);
}

bool enter_capabilities(Child& child, const IdentityPlan& plan, bool may_filter) {
  const CapabilitySets& sets = plan.capabilities;
  const std::uint64_t loading = may_filter ? plan.kept & std::uint64_t{1} << CAP_SYS_ADMIN : 0;
  if (!set_capabilities(sets.effective | loading, sets.permitted | loading, sets.inheritable))
    return child.fail(Step::kCapabilities);
  if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
    return child.fail(Step::kCapabilities);
  for (unsigned i = 0; i <= plan.last_capability; ++i)
    if ((sets.ambient >> i & 1) && ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0) != 0)
      return child.fail(Step::kCapabilities);
  return true;
}

bool enter_no_new_privileges(Child& child, const IdentityPlan& plan) {
  return !plan.no_new_privileges || ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ||
         child.fail(Step::kNoNewPrivileges);
}

}  // namespace berth::container
