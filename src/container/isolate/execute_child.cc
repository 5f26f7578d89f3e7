#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "container/isolate/execute.h"

namespace berth::container {
namespace {

constexpr int kMaxInterpreters = 5;  // the kernel's own limit on scripts run by scripts: fs/exec.c
constexpr std::size_t kHeadSize = 256;  // what the kernel reads of a script: BINPRM_BUF_SIZE

int open_plainly(const char* path, int flags) {
  struct open_how how = {};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_NO_MAGICLINKS;
  return static_cast<int>(::syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how));
}

// Opens what would be executed. -1 with errno as execve would have it; EPERM: it is the runtime
// itself.
int open_program(const ExecutePlan& plan, const char* path) {
  const int fd = open_plainly(path, O_PATH);
  struct stat found = {};
  if (fd < 0 || ::fstat(fd, &found) != 0) {
    // A link of procfs: whatever it leads to is no file of the image.
    if (errno == ELOOP) errno = EACCES;
    return -1;
  }
  int error = 0;
  if (!S_ISREG(found.st_mode))
    error = EACCES;
  else if (found.st_dev == plan.own_device && found.st_ino == plan.own_inode)
    error = EPERM;
  else if (::syscall(SYS_faccessat2, fd, "", X_OK, AT_EMPTY_PATH | AT_EACCESS) != 0 &&
           errno != ENOSYS)
    error = errno;
  if (error == 0) return fd;
  ::close(fd);
  errno = error;
  return -1;
}

// The interpreter a script names in its first line, within `head`; null: it is no script.
const char* interpreter_of(char* head) {
  if (head[0] != '#' || head[1] != '!') return nullptr;
  char* at = head + 2;
  while (*at == ' ' || *at == '\t') ++at;
  char* end = at;
  while (*end != '\0' && *end != ' ' && *end != '\t' && *end != '\n') ++end;
  *end = '\0';
  return at;
}

// Follows the interpreters of scripts, each of which the kernel would execute in place of the file.
bool check_interpreters(const ExecutePlan& plan, const char* path) {
  char head[kHeadSize + 1];
  for (int i = 0; i < kMaxInterpreters; ++i) {
    const int file = open_plainly(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (file < 0) return true;  // executable but not readable: no script can run that way
    const ssize_t size = ::read(file, head, kHeadSize);
    ::close(file);
    head[size > 0 ? size : 0] = '\0';
    path = size > 2 ? interpreter_of(head) : nullptr;
    if (!path) return true;
    const int program = open_program(plan, path);
    if (program < 0) return false;
    ::close(program);
  }
  return true;
}

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

bool find_program(Child& child, const ExecutePlan& plan, std::size_t* chosen) {
  int error = ENOENT;
  for (std::size_t i = 0; i < plan.candidates.size(); ++i) {
    const char* path = plan.candidates[i].c_str();
    const int fd = open_program(plan, path);
    if (fd >= 0) {
      ::close(fd);
      *chosen = i;
      if (check_interpreters(plan, path)) return true;
    }
    if (errno == EPERM) return child.fail(Step::kOwnProgram);
    if (fd >= 0) return child.fail(Step::kExec, i);
    // As execvp: a directory of PATH that cannot be searched does not hide the later ones, but is
    // told in the end.
    if (errno != ENOENT && errno != ENOTDIR) error = errno;
  }
  return child.fail_with(error, Step::kExec);
}

bool enter_seccomp(Child& child, const ExecutePlan& plan) {
  if (!plan.has_seccomp) return true;
  sock_fprog program = {};
  program.len = static_cast<unsigned short>(plan.seccomp.filter.size());
  program.filter = const_cast<sock_filter*>(plan.seccomp.filter.data());
  return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, plan.seccomp.flags, &program) == 0 ||
         child.fail(Step::kSeccomp);
}

bool close_descriptors(Child& child, unsigned first) {
  return ::close_range(first, ~0U, CLOSE_RANGE_CLOEXEC) == 0 || child.fail(Step::kCloseDescriptors);
}

bool execute(Child& child, const ExecutePlan& plan, std::size_t chosen) {
  const char* path = plan.candidates[chosen].c_str();
  // What is no link now must not become one: then no link of procfs can be put in its place.
  struct stat found = {};
  const bool link = ::lstat(path, &found) == 0 && S_ISLNK(found.st_mode);
  if (plan.may_execveat && !link)
    ::syscall(SYS_execveat, AT_FDCWD, path, plan.argv.data(), plan.envp.data(),
              AT_SYMLINK_NOFOLLOW);
  else
    ::execve(path, plan.argv.data(), plan.envp.data());
  return child.fail(Step::kExec, chosen);
}

}  // namespace berth::container
