#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>

#include "container/runtime/handshake.h"
#include "container/runtime/init.h"
#include "sys/process.h"

namespace berth::container {
namespace {

constexpr int kExitNotFound = 127;
constexpr int kExitNotExecutable = 126;
constexpr int kExitSignal = 128;  // and the signal's number
constexpr long kJoinSessionKeyring =
    1;  // KEYCTL_JOIN_SESSION_KEYRING: keyctl(2), which libc has no header for

class Init {
 public:
  Init(InitPlan& plan, int channel) : plan_(plan), channel_(channel) {}

  [[noreturn]] void run() {
    if (!become_session() || !build() || !settle() || !wait_for_start() || !become_workload())
      give_up();
    ::_exit(kExitNotFound);
  }

 private:
  // Who it is, apart from the parent.
  bool become_session() {
    // /proc/<pid> of this process leads to the runtime's program and memory: closed to others until
    // the exec.
    if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return child_.fail(Step::kNotDumpable);
    sys::reset_signals();
    ::umask(0);  // modes are those that are asked for; the workload's comes with its identity
    if (::setsid() < 0) return child_.fail(Step::kSession);
    // Without keyrings in the kernel, or with its quota used up by other containers, there is none
    // to share by accident.
    if (plan_.new_keyring && ::syscall(SYS_keyctl, kJoinSessionKeyring, nullptr) < 0 &&
        errno != ENOSYS && errno != EDQUOT && errno != EPERM)
      return child_.fail(Step::kKeyring);
    if (plan_.namespaces.new_user && !await(Word::kMapped)) return false;
    return enter_namespaces(child_, plan_.namespaces) && enter_uts(child_, plan_.uts);
  }

  bool make_devices() {
    return enter_devices(child_, plan_.devices) &&
           enter_console(child_, plan_.console, &console_, &terminal_);
  }

  // The file systems, still beside the host's.
  bool build() {
    if (!enter_rootfs(child_, plan_.rootfs, plan_.mounts)) return false;
    for (std::size_t i = 0; i < plan_.first_late; ++i)
      if (!enter_mount(child_, plan_.mounts[i], i)) return false;
    if (!plan_.devices_wait && !make_devices()) return false;
    if (plan_.namespaces.new_network &&
        (!await(Word::kNetwork) || !enter_network(child_, network_)))
      return false;
    if (!await(Word::kCgroup) || !enter_cgroups(child_, {cgroups_.fds, cgroups_.count}) ||
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

  // The process: streams, ids, directory.
  bool settle() {
    if (console_ >= 0 && !tell(Word::kConsole, {&console_, 1})) return false;
    enter_home(plan_.execute, plan_.identity.uid);
    return enter_streams() && enter_identity(child_, plan_.identity) &&
           enter_working_directory(child_, plan_.execute) && close_own_descriptors();
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
    plan_.start_socket = -1;  // its part is played
    if (!close_own_descriptors() || !enter_no_new_privileges(child_, plan_.identity) ||
        !enter_start_hooks(child_, plan_.hooks, plan_.identity, plan_.execute))
      return false;
    std::size_t program = 0;
    if (!find_program(child_, plan_.execute, &program)) return false;
    filtered_ = plan_.execute.has_seccomp;
    return enter_confinement(child_, plan_.identity, plan_.execute) &&
           execute(child_, plan_.execute, program);
  }

  // All but those of the conversation. From here on no path, not even one through /proc/self/fd,
  // leads out of the container: what runs next is looked up by paths that the image chose. And the
  // workload's own limit on descriptors, which holds by now, is no hindrance to that.
  bool close_own_descriptors() {
    const bool elsewhere = plan_.start_socket >= 0;  // another process will start it
    int kept[] = {channel_, plan_.hooks.start_state.get(), elsewhere ? plan_.start_socket : -1,
                  elsewhere ? plan_.report.fd() : -1};
    std::ranges::sort(kept);
    const auto* first = std::ranges::upper_bound(kept, -1);
    return close_descriptors(child_, 3 + plan_.preserved_fds, {first, std::end(kept)});
  }

  bool enter_streams() {
    if (plan_.console.wanted) {
      if (::ioctl(terminal_, TIOCSCTTY, 0) != 0) return child_.fail(Step::kStandardStreams);
      for (int i = 0; i < 3; ++i)
        if (::dup2(terminal_, i) < 0) return child_.fail(Step::kStandardStreams);
      return true;
    }
    // First out of the way of one another.
    for (int& fd : plan_.stdio) {
      if (is_own(fd)) return child_.fail_with(EBADF, Step::kStandardStreams);
      if (fd < 0) fd = ::open("/dev/null", O_RDWR | O_NOCTTY | O_CLOEXEC);
      if (fd < 0) return child_.fail(Step::kStandardStreams);
      if (fd < 3) fd = ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
    }
    for (int i = 0; i < 3; ++i) {
      if (::dup2(plan_.stdio[i], i) < 0) return child_.fail(Step::kStandardStreams);
      hand_over(i);
    }
    return true;
  }

  // A descriptor that was made here, and has the number of a stream that was closed by then, would
  // give the workload a handle to the host. The parent has checked; this is the second lock.
  bool is_own(int fd) const {
    if (fd < 0) return false;
    for (const int own : {channel_, plan_.start_socket, plan_.report.fd(), child_.root, child_.proc,
                          child_.devpts, child_.null_device, network_})
      if (fd == own) return true;
    return false;
  }

  // The workload's user may open its own streams again, as /dev/stdout. Devices keep their owner:
  // they may be the host's.
  void hand_over(int fd) const {
    struct stat found = {};
    if (plan_.identity.uid == 0 || ::fstat(fd, &found) != 0 || S_ISCHR(found.st_mode)) return;
    (void)!::fchown(fd, plan_.identity.uid, static_cast<gid_t>(-1));
  }

  bool tell(Word word, std::span<const int> descriptors = {}) {
    return send_message(channel_, {word, {}}, descriptors) || child_.fail(Step::kChannel);
  }

  // Waits for `word`; what comes earlier than it is needed is kept.
  bool await(Word word) {
    const auto bit = [](Word w) { return 1U << static_cast<unsigned>(w); };
    while ((heard_ & bit(word)) == 0) {
      Message message;
      Descriptors descriptors;
      if (!receive_message(channel_, message, descriptors)) return child_.fail(Step::kChannel);
      heard_ |= bit(message.word);
      if (message.word == Word::kNetwork && descriptors.count == 1) network_ = descriptors.fds[0];
      if (message.word == Word::kCgroup) cgroups_ = descriptors;
    }
    return true;
  }

  [[noreturn]] void give_up() {
    if (filtered_)
      plan_.report.write(child_.failure);
    else
      send_message(channel_, {Word::kFailed, child_.failure});
    const bool not_found = child_.failure.error == ENOENT || child_.failure.error == ENOTDIR;
    ::_exit(not_found ? kExitNotFound : kExitNotExecutable);
  }

  InitPlan& plan_;
  int channel_;
  int console_ = -1;   // the pty's master, for the parent
  int terminal_ = -1;  // its slave
  int network_ = -1;
  Descriptors cgroups_;
  unsigned heard_ = 0;
  bool filtered_ = false;  // the filter may be loaded: no call but the exec
  Child child_;
};

}  // namespace

void run_init(InitPlan& plan, int channel) {
  Init(plan, channel).run();
}

}  // namespace berth::container
