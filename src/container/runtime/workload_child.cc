#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>

#include "container/runtime/workload.h"
#include "sys/process.h"

namespace berth::container {
namespace {

constexpr int kExitNotFound = 127;
constexpr int kExitNotExecutable = 126;
constexpr long kJoinSessionKeyring =
    1;  // KEYCTL_JOIN_SESSION_KEYRING: keyctl(2), which libc has no header for

bool is_null_device(int fd) {
  struct stat found = {};
  return ::fstat(fd, &found) == 0 && S_ISCHR(found.st_mode) && found.st_rdev == ::makedev(1, 3);
}

// The caller's null device is a file of the host's mounts, which no checkpoint can name: the
// container's own takes its place, if it has a genuine one.
void take_own_null_device(int* fd) {
  if (!is_null_device(*fd)) return;
  const int mode = ::fcntl(*fd, F_GETFL) & O_ACCMODE;
  // What is there may be anything, of which an open might wait for ever.
  const int seen = ::open("/dev/null", O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (seen < 0) return;
  const bool genuine = is_null_device(seen);
  ::close(seen);
  if (!genuine) return;
  const int own = ::open("/dev/null", mode | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (own < 0) return;
  const bool still = is_null_device(own) && ::fcntl(own, F_SETFL, mode) == 0;
  if (still)
    *fd = own;
  else
    ::close(own);
}

}  // namespace

bool WorkloadChild::hide() {
  return ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 || child_.fail(Step::kNotDumpable);
}

bool WorkloadChild::leave_parent() {
  if (workload_.hidden_at_once && !hide()) return false;
  sys::reset_signals();
  ::umask(0);  // modes are those that are asked for; the workload's comes with its identity
  if (::setsid() < 0) return child_.fail(Step::kSession);
  // Without keyrings in the kernel, or with its quota used up by other containers, there is none
  // to share by accident.
  return !workload_.new_keyring || ::syscall(SYS_keyctl, kJoinSessionKeyring, nullptr) >= 0 ||
         errno == ENOSYS || errno == EDQUOT || errno == EPERM || child_.fail(Step::kKeyring);
}

bool WorkloadChild::settle(std::span<const int> own, std::initializer_list<int> kept) {
  if (console_ >= 0 && !tell(Word::kConsole, {&console_, 1})) return false;
  if (!enter_streams(own) || !close_own_descriptors(kept)) return false;
  enter_home(workload_.execute, workload_.identity.uid);
  return enter_identity(child_, workload_.identity) &&
         enter_working_directory(child_, workload_.execute);
}

bool WorkloadChild::close_own_descriptors(std::initializer_list<int> kept) {
  int sorted[8] = {};
  if (kept.size() + 2 > std::size(sorted)) return child_.fail_with(E2BIG, Step::kCloseDescriptors);
  int* end = std::ranges::copy(kept, sorted).out;
  const NotifyPlan& notify = workload_.execute.notify;
  *end++ = notify.socket.get();
  *end++ = notify.state.get();
  std::sort(sorted, end);
  const int* const first = std::upper_bound(sorted, end, -1);
  return close_descriptors(child_, 3 + workload_.preserved_fds,
                           {first, static_cast<std::size_t>(end - first)});
}

bool WorkloadChild::become_program() {
  std::size_t program = 0;
  if (!find_program(child_, workload_.execute, &program)) return false;
  filtered_ = workload_.execute.has_seccomp;
  return enter_confinement(child_, workload_.identity, workload_.execute) &&
         execute(child_, workload_.execute, program);
}

bool WorkloadChild::enter_streams(std::span<const int> own) {
  if (workload_.console.wanted) {
    if (::ioctl(terminal_, TIOCSCTTY, 0) != 0) return child_.fail(Step::kStandardStreams);
    for (int i = 0; i < 3; ++i)
      if (::dup2(terminal_, i) < 0) return child_.fail(Step::kStandardStreams);
    return true;
  }
  // First out of the way of one another.
  for (int& fd : workload_.stdio) {
    // A descriptor that was made here, and has the number of a stream that was closed by then,
    // would give the workload a handle to the host. The parent has checked; this is the second
    // lock.
    if (fd >= 0 && std::ranges::find(own, fd) != own.end())
      return child_.fail_with(EBADF, Step::kStandardStreams);
    if (fd < 0) fd = ::open("/dev/null", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (fd >= 0) take_own_null_device(&fd);
    if (fd < 0) return child_.fail(Step::kStandardStreams);
    if (fd < 3) fd = ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
  }
  for (int i = 0; i < 3; ++i) {
    if (::dup2(workload_.stdio[i], i) < 0) return child_.fail(Step::kStandardStreams);
    hand_over(i);
  }
  return true;
}

// The workload's user may open its own streams again, as /dev/stdout. Devices keep their owner:
// they may be the host's.
void WorkloadChild::hand_over(int fd) const {
  struct stat found = {};
  const uid_t uid = workload_.identity.uid;
  if (uid == 0 || ::fstat(fd, &found) != 0 || S_ISCHR(found.st_mode)) return;
  (void)!::fchown(fd, uid, static_cast<gid_t>(-1));
}

bool WorkloadChild::tell(Word word, std::span<const int> descriptors) {
  return send_message(channel_, {.word = word}, descriptors) || child_.fail(Step::kChannel);
}

bool WorkloadChild::await(Word word) {
  while (!heard_[static_cast<std::size_t>(word)].yes) {
    Message message;
    Descriptors descriptors;
    if (!receive_message(channel_, message, descriptors)) return child_.fail(Step::kChannel);
    const auto said = static_cast<std::size_t>(message.word);
    if (said >= kWords) return child_.fail_with(EBADMSG, Step::kChannel);
    heard_[said] = {true, descriptors};
  }
  return true;
}

std::span<const int> WorkloadChild::descriptors_of(Word word) const {
  const Descriptors& found = heard_[static_cast<std::size_t>(word)].descriptors;
  return {found.fds, found.count};
}

void WorkloadChild::give_up() {
  if (filtered_)
    workload_.report.write(child_.failure);
  else
    send_message(channel_, {.word = Word::kFailed, .failure = child_.failure});
  const bool not_found = child_.failure.error == ENOENT || child_.failure.error == ENOTDIR;
  ::_exit(not_found ? kExitNotFound : kExitNotExecutable);
}

}  // namespace berth::container
