// Identity: who the workload is: limits, ids, groups, capabilities, no_new_privs. credentials(7),
// capabilities(7), prctl(2).
//
// Two steps, for what is left to do before the exec needs capabilities:
//   enter_identity()      rlimits, bounding set, groups, ids; the permitted set is kept
//   enter_capabilities()  the final sets
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "container/isolate/child.h"
#include "container/spec/spec.h"

namespace berth::container {

struct LimitPlan {
  int resource = 0;
  struct rlimit value = {};
  std::string name;
};

/// Bit n is capability n.
struct CapabilitySets {
  std::uint64_t bounding = 0;
  std::uint64_t effective = 0;
  std::uint64_t inheritable = 0;
  std::uint64_t permitted = 0;
  std::uint64_t ambient = 0;
};

struct IdentityPlan {
  std::vector<LimitPlan> limits;
  std::vector<gid_t> groups;
  uid_t uid = 0;
  gid_t gid = 0;
  mode_t umask = 0022;
  CapabilitySets capabilities;
  std::uint64_t kept = 0;        // all the caller has, until the very end
  unsigned last_capability = 0;  // the highest this kernel knows
  bool no_new_privileges = false;
};

/// Capabilities the caller itself lacks are left out, with a warning in the log; in a new user
/// namespace it has all.
Result<IdentityPlan> plan_identity(const Spec& spec);
bool enter_identity(Child& child, const IdentityPlan& plan);
/// With `may_filter`, CAP_SYS_ADMIN stays permitted and effective up to the exec, so that a seccomp
/// filter can be loaded without no_new_privs. The exec computes both sets anew, from the others
/// alone: capabilities(7), "Transformation of capabilities during execve()".
bool enter_capabilities(Child& child, const IdentityPlan& plan, bool may_filter);
bool enter_no_new_privileges(Child& child, const IdentityPlan& plan);

}  // namespace berth::container
