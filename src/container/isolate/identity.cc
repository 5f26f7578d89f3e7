#include "container/isolate/identity.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "container/spec/kernel_names.h"

namespace berth::container {
namespace {

std::uint64_t mask_of(const std::vector<std::string>& names) {
  std::uint64_t mask = 0;
  for (const auto& name : names)
    if (const auto number = capability_number(name)) mask |= std::uint64_t{1} << *number;
  return mask;
}

Result<std::uint64_t> own_permitted() {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  if (::syscall(SYS_capget, &header, data) != 0)
    return fail_errno("cannot read the own capabilities");
  return std::uint64_t{data[1].permitted} << 32 | data[0].permitted;
}

// The names table may know more capabilities than the running kernel.
unsigned last_capability() {
  unsigned last = static_cast<unsigned>(kCapabilityNames.size()) - 1;
  while (last > 0 && ::prctl(PR_CAPBSET_READ, last, 0, 0, 0) < 0) --last;
  return last;
}

CapabilitySets sets_of(const Capabilities& names, std::uint64_t possible) {
  CapabilitySets sets{.bounding = mask_of(names.bounding),
                      .effective = mask_of(names.effective),
                      .inheritable = mask_of(names.inheritable),
                      .permitted = mask_of(names.permitted),
                      .ambient = mask_of(names.ambient)};
  const std::uint64_t missing =
      (sets.bounding | sets.effective | sets.inheritable | sets.permitted | sets.ambient) &
      ~possible;
  for (unsigned i = 0; i < kCapabilityNames.size(); ++i)
    if (missing >> i & 1)
      log::warning("{} is left out: this process does not have it itself", kCapabilityNames[i]);
  for (auto* set :
       {&sets.bounding, &sets.effective, &sets.inheritable, &sets.permitted, &sets.ambient})
    *set &= possible;
  return sets;
}

}  // namespace

Result<IdentityPlan> plan_identity(const Spec& spec) {
  IdentityPlan plan;
  const Process& process = spec.process;
  for (const Rlimit& limit : process.rlimits)
    plan.limits.push_back({*rlimit_number(limit.type), {limit.soft, limit.hard}, limit.type});
  plan.groups.assign(process.user.additional_gids.begin(), process.user.additional_gids.end());
  plan.uid = process.user.uid;
  plan.gid = process.user.gid;
  plan.umask = static_cast<mode_t>(process.user.umask.value_or(0022));
  plan.no_new_privileges = process.no_new_privileges;
  plan.last_capability = last_capability();
  const std::uint64_t known = (std::uint64_t{1} << (plan.last_capability + 1)) - 1;
  const bool user = find_namespace(spec, NamespaceType::kUser) != nullptr;
  plan.kept = user ? known : TRY(own_permitted()) & known;
  if (process.capabilities) plan.capabilities = sets_of(*process.capabilities, plan.kept);
  return plan;
}

}  // namespace berth::container
