#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "container/isolate/execute.h"

namespace berth::container {
namespace {

// The sixth field of the line of `uid` in one passwd(5) line; empty result: not this line.
bool home_of_line(char* line, uid_t uid, const char** home) {
  char* fields[7] = {};
  int count = 0;
  for (char* at = line; at && count < 7; ++count) {
    fields[count] = at;
    at = ::strchr(at, ':');
    if (at) *at++ = '\0';
  }
  if (count < 6) return false;
  unsigned long number = 0;
  const char* digit = fields[2];
  for (; *digit >= '0' && *digit <= '9' && number <= UINT32_MAX; ++digit)
    number = number * 10 + static_cast<unsigned long>(*digit - '0');
  if (digit == fields[2] || *digit != '\0' || number != uid || fields[5][0] == '\0') return false;
  *home = fields[5];
  return true;
}

// The kernel refuses them without a listener: seccomp(2).
constexpr std::uint32_t kListenerFlags = SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;

// The listener if there is to be one, else 0; -1 with errno.
int load_filter(const SeccompProgram& seccomp, std::uint32_t flags) {
  sock_fprog program = {};
  program.len = static_cast<unsigned short>(seccomp.filter.size());
  program.filter = const_cast<sock_filter*>(seccomp.filter.data());
  return static_cast<int>(::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program));
}

}  // namespace

void enter_home(ExecutePlan& plan, uid_t uid) {
  if (!plan.needs_home) return;
  static char home[PATH_MAX + 8] = "HOME=/";
  static char
      text[64 * 1024];  // a passwd beyond this is read in part: an image's has a few dozen lines
  plan.envp[plan.envp.size() - 2] = home;
  const int file = ::open("/etc/passwd", O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  struct stat kind = {};
  if (file < 0 || ::fstat(file, &kind) != 0 || !S_ISREG(kind.st_mode)) return;
  const ssize_t size = ::read(file, text, sizeof text - 1);
  ::close(file);
  text[size > 0 ? size : 0] = '\0';
  for (char* line = text; line && *line != '\0';) {
    char* end = ::strchr(line, '\n');
    if (end) *end++ = '\0';
    const char* found = nullptr;
    if (home_of_line(line, uid, &found)) {
      const std::size_t length = ::strlen(found);
      if (length < PATH_MAX) ::memcpy(home + 5, found, length + 1);
      return;
    }
    line = end;
  }
}

bool enter_working_directory(Child& child, const ExecutePlan& plan) {
  if (::chdir(plan.cwd.c_str()) != 0) return child.fail(Step::kWorkingDirectory);
  // A directory that is not below the root, such as one behind a descriptor of the host that
  // leaked, has a path the kernel marks "(unreachable)": getcwd(2).
  char path[PATH_MAX];
  if (::syscall(SYS_getcwd, path, sizeof path) < 0) return child.fail(Step::kWorkingDirectory);
  return path[0] == '/' || child.fail_with(EPERM, Step::kWorkingDirectoryOutside);
}

bool find_program(Child& child, ExecutePlan& plan, std::size_t* chosen) {
  int error = ENOENT;
  for (std::size_t i = 0; i < plan.candidates.size(); ++i) {
    *chosen = i;
    const int found = find_program_file(plan.candidates[i].c_str(), plan.own, plan.program);
    if (found == 0) return true;
    if (found == EPERM) return child.fail_with(EPERM, Step::kOwnProgram);
    // As execvp: a directory of PATH that cannot be searched does not hide the later ones, but is
    // told in the end.
    if (found != ENOENT && found != ENOTDIR) error = found;
  }
  return child.fail_with(error, Step::kExec);
}

bool enter_confinement(Child& child, const IdentityPlan& identity, const ExecutePlan& plan,
                       bool is_hook) {
  if (!enter_capabilities(child, identity, plan.has_seccomp && !identity.no_new_privileges))
    return false;
  if (!plan.has_seccomp) return true;
  if (is_hook || !plan.notify.is_wanted())
    return load_filter(plan.seccomp, plan.seccomp.flags & ~kListenerFlags) >= 0 ||
           child.fail(Step::kSeccomp);
  ProcessState state;
  if (!map_process_state(plan.notify, &state)) return child.fail(Step::kSeccompListener);
  const int listener =
      load_filter(plan.seccomp, plan.seccomp.flags | SECCOMP_FILTER_FLAG_NEW_LISTENER);
  if (listener < 0) return child.fail(Step::kSeccomp);
  return send_listener(plan.notify, state, listener) || child.fail(Step::kSeccompListener);
}

bool close_descriptors(Child& child, unsigned first, std::span<const int> kept) {
  for (const int fd : kept) {
    const auto number = static_cast<unsigned>(fd);
    if (number > first && ::close_range(first, number - 1, 0) != 0)
      return child.fail(Step::kCloseDescriptors);
    if (number >= first) first = number + 1;
  }
  return ::close_range(first, ~0U, 0) == 0 || child.fail(Step::kCloseDescriptors);
}

bool execute(Child& child, const ExecutePlan& plan, std::size_t chosen) {
  execute_program(plan.program, plan.envp.data(), plan.may_execveat);
  return child.fail(Step::kExec, chosen);
}

}  // namespace berth::container
