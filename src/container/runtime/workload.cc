#include "container/runtime/workload.h"

#include <unistd.h>

#include <algorithm>

namespace berth::container {

Result<void> plan_workload(const Spec& spec, const int (&stdio)[3], WorkloadPlan& plan) {
  plan.hidden_at_once = ::geteuid() == 0;
  plan.console = plan_console(spec.process);
  plan.attributes = TRY(plan_attributes(spec, security_modules()));
  plan.identity = TRY(plan_identity(spec));
  TRY(plan_execute(spec, plan.execute));
  if (plan.execute.has_seccomp) TRY(plan.report.open());
  std::ranges::copy(stdio, plan.stdio);
  return {};
}

}  // namespace berth::container
