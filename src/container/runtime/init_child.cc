#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <iterator>

#include "container/runtime/handshake.h"
#include "container/runtime/init.h"

namespace berth::container {
namespace {

constexpr int kExitSignal = 128;  // and the signal's number

class Init final : WorkloadChild {
 public:
  Init(InitPlan& plan, int channel) : WorkloadChild(plan, channel), plan_(plan) {}

  [[noreturn]] void run() {
    (void)(become_session() && build() && settle() && wait_for_start() && become_workload());
    give_up();
  }

 private:
  bool become_session() {
    if (!leave_parent()) return false;
    if (plan_.namespaces.new_user && !await(Word::kMapped)) return false;
    // While the files of this process in /proc are the caller's.
    return enter_labels(child_, plan_.attributes) && enter_host_proc(child_) &&
           enter_namespaces(child_, plan_.namespaces) && hide() && enter_uts(child_, plan_.uts);
  }

  bool make_devices() {
    return enter_devices(child_, plan_.devices) &&
           enter_console(child_, plan_.console, &console_, &terminal_);
  }

  bool enter_root() {
    if (!plan_.rootfs.shared) return enter_rootfs(child_, plan_.rootfs);
    // Whoever has to remove it knows it before it is there.
    return open_shared_root(child_, plan_.rootfs) && tell(Word::kRoot, {&child_.root, 1}) &&
           await(Word::kRootNoted) && attach_shared_root(child_, plan_.rootfs);
  }

  // The file systems, still beside the host's.
  bool build() {
    if (!enter_root()) return false;
    for (std::size_t i = 0; i < plan_.first_late; ++i)
      if (!enter_mount(child_, plan_.mounts[i], i)) return false;
    if (!plan_.devices_wait && !make_devices()) return false;
    if (plan_.namespaces.new_network &&
        (!await(Word::kNetwork) || !enter_network(child_, network())))
      return false;
    if (!await(Word::kCgroup) || !enter_cgroups(child_, descriptors_of(Word::kCgroup)) ||
        !enter_cgroup_namespace(child_, plan_.namespaces))
      return false;
    for (std::size_t i = plan_.first_late; i < plan_.mounts.size(); ++i)
      if (!enter_mount(child_, plan_.mounts[i], i)) return false;
    if (plan_.devices_wait && !make_devices()) return false;
    if (!enter_sysctl(child_, plan_.sysctl)) return false;
    if (plan_.runtime_hooks && (!tell(Word::kNamespaces) || !await(Word::kHooksDone))) return false;
    return enter_hooks(child_, plan_.hooks.create_container, plan_.hooks.create_state.get()) &&
           enter_protect(child_, plan_.protect) && enter_pivot(child_, plan_.rootfs);
  }

  int network() const {
    const auto received = descriptors_of(Word::kNetwork);
    return received.empty() ? -1 : received[0];
  }

  bool settle() {
    const int own[] = {channel_,           plan_.start_socket, plan_.report.fd(),  child_.root,
                       child_.proc,        child_.devpts,      child_.null_device, network(),
                       child_.host_mounts, child_.own_mounts,  child_.host_root};
    return enter_attributes(child_, plan_.attributes) &&
           WorkloadChild::settle(own, {channel_, plan_.hooks.start_state.get(), plan_.start_socket,
                                       plan_.start_socket >= 0 ? plan_.report.fd() : -1});
  }

  bool wait_for_start() {
    if (plan_.start_socket < 0) return tell(Word::kReady) && await(Word::kStart);
    // Whoever creates is told what cannot start, as far as it can be known.
    std::size_t program = 0;
    if (!find_program(child_, plan_.execute, &program)) return false;
    end_on_signals();
    return tell(Word::kReady) && await_start_elsewhere() && await(Word::kStart);
  }

  // The first process of a pid namespace ignores every signal that it has no handler for. The exec
  // takes these away again.
  static void end_on_signals() {
    struct sigaction ending = {};
    ending.sa_handler = [](int signal) { ::_exit(kExitSignal + signal); };
    for (const int signal : {SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGTERM})
      ::sigaction(signal, &ending, nullptr);
  }

  // Another process will connect; the conversation goes on with that one. Until the parent has
  // released init, its end is init's own.
  bool await_start_elsewhere() {
    int connection = -1;
    bool released = false;
    while (connection < 0 || !released) {
      pollfd watched[] = {{released ? -1 : channel_, POLLIN, 0},
                          {connection >= 0 ? -1 : plan_.start_socket, POLLIN, 0}};
      if (::poll(watched, std::size(watched), -1) < 0 && errno != EINTR)
        return child_.fail(Step::kChannel);
      if (watched[0].revents != 0) {
        if (!await(Word::kReleased)) return false;
        released = true;
      }
      if (watched[1].revents != 0) {
        connection = ::accept4(plan_.start_socket, nullptr, nullptr, SOCK_CLOEXEC);
        if (connection < 0) return child_.fail(Step::kChannel);
      }
    }
    channel_ = connection;
    return true;
  }

  bool become_workload() {
    if (plan_.start_socket >= 0 && plan_.report.is_open()) {
      const int report = plan_.report.fd();
      if (!tell(Word::kReport, {&report, 1})) return false;
    }
    return close_own_descriptors({channel_, plan_.hooks.start_state.get()}) &&
           enter_no_new_privileges(child_, plan_.identity) &&
           enter_start_hooks(child_, plan_.hooks, plan_.identity, plan_.execute) &&
           become_program();
  }

  InitPlan& plan_;
};

}  // namespace

void run_init(InitPlan& plan, int channel) {
  Init(plan, channel).run();
}

}  // namespace berth::container
