#include <linux/sched.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "container/isolate/rootfs.h"
#include "container/runtime/exec_plan.h"

namespace berth::container {
namespace {

class Joiner final : WorkloadChild {
 public:
  Joiner(ExecPlan& plan, int channel) : WorkloadChild(plan, channel), plan_(plan) {}

  [[noreturn]] void run() {
    (void)(leave_parent() && await(Word::kStart) && hide() && join() &&
           join_console(child_, plan_.console, &console_, &terminal_) && settle() &&
           enter_no_new_privileges(child_, plan_.identity) && become_program());
    give_up();
  }

 private:
  // The cgroups first: their files are out of reach from inside.
  bool join() {
    const AttributesPlan& attributes = plan_.attributes;
    return enter_labels(child_, attributes) && enter_affinity(child_, attributes.initial_cpus) &&
           enter_cgroups(child_, {plan_.entrances.fds, plan_.entrances.count}) &&
           enter_affinity(child_, attributes.final_cpus) && enter_attributes(child_, attributes) &&
           join_namespaces(child_, plan_.init, plan_.namespaces, plan_.twice) &&
           change_root(child_, plan_.root) && (!plan_.twice || be_born_inside());
  }

  // Returns in the child, which is the parent's child like this process.
  bool be_born_inside() {
    clone_args args = {};
    int pidfd = -1;
    args.flags = CLONE_PARENT | CLONE_PIDFD;
    args.pidfd = reinterpret_cast<std::uintptr_t>(&pidfd);
    const long pid = ::syscall(SYS_clone3, &args, sizeof args);
    if (pid < 0) return child_.fail(Step::kJoinContainer);
    if (pid == 0) return await(Word::kNamed);
    const Message born{.word = Word::kBorn, .failure = {}, .pid = static_cast<pid_t>(pid)};
    ::_exit(send_message(channel_, born, {&pidfd, 1}) ? 0 : 1);
  }

  bool settle() {
    const int own[] = {channel_, plan_.init, plan_.root, plan_.report.fd(), child_.devpts};
    return WorkloadChild::settle(own, {channel_});
  }

  ExecPlan& plan_;
};

}  // namespace

void run_joiner(ExecPlan& plan, int channel) {
  Joiner(plan, channel).run();
}

}  // namespace berth::container
