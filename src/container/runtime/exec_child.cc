#include "container/runtime/exec_plan.h"

namespace berth::container {
namespace {

class Joiner final : WorkloadChild {
 public:
  Joiner(ExecPlan& plan, int channel) : WorkloadChild(plan, channel), plan_(plan) {}

  [[noreturn]] void run() {
    (void)(leave_parent() && await(Word::kStart) && join() &&
           join_console(child_, plan_.console, &console_, &terminal_) && settle() &&
           enter_no_new_privileges(child_, plan_.identity) && become_program());
    give_up();
  }

 private:
  // The cgroups first: their files are out of reach from inside.
  bool join() {
    return enter_cgroups(child_, {plan_.entrances.fds, plan_.entrances.count}) &&
           join_namespaces(child_, plan_.init, plan_.namespaces);
  }

  bool settle() {
    const int own[] = {channel_, plan_.init, plan_.report.fd(), child_.devpts};
    return WorkloadChild::settle(own, {channel_});
  }

  ExecPlan& plan_;
};

}  // namespace

void run_joiner(ExecPlan& plan, int channel) {
  Joiner(plan, channel).run();
}

}  // namespace berth::container
