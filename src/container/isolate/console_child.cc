#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "container/isolate/console.h"
#include "container/isolate/mounts.h"
#include "container/isolate/paths.h"

namespace berth::container {

namespace {

// Opens a pty of child.devpts.
bool open_terminal(Child& child, const ConsolePlan& plan, int* master, int* slave) {
  *master = ::openat(child.devpts, "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NOFOLLOW);
  int unlocked = 0;
  if (*master < 0 || ::ioctl(*master, TIOCSPTLCK, &unlocked) != 0)
    return child.fail(Step::kConsole);
  *slave = ::ioctl(*master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (*slave < 0) return child.fail(Step::kConsole);
  if (plan.size.height != 0 || plan.size.width != 0) {
    struct winsize size = {};
    size.ws_row = plan.size.height;
    size.ws_col = plan.size.width;
    if (::ioctl(*slave, TIOCSWINSZ, &size) != 0) return child.fail(Step::kConsole);
  }
  // The group stays that of the devpts: "tty", which write(1) relies on.
  return plan.owner == 0 || ::fchown(*slave, plan.owner, static_cast<gid_t>(-1)) == 0 ||
         child.fail(Step::kConsole);
}

}  // namespace

bool enter_console(Child& child, const ConsolePlan& plan, int* master, int* slave) {
  if (!plan.wanted) return true;
  if (child.devpts < 0) return child.fail_with(ENOENT, Step::kConsole);
  if (!open_terminal(child, plan, master, slave)) return false;
  const int mount = ::open_tree(*slave, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
  const int target = create_in_root(child.root, "/dev/console", PathKind::kFile, 0);
  if (mount < 0 || target < 0 || !attach_mount(mount, target))
    return child.fail(Step::kConsoleDevice);
  ::close(mount);
  ::close(target);
  return true;
}

bool join_console(Child& child, const ConsolePlan& plan, int* master, int* slave) {
  if (!plan.wanted) return true;
  open_how how = {};
  how.flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  how.resolve = RESOLVE_NO_SYMLINKS;
  child.devpts = static_cast<int>(::syscall(SYS_openat2, AT_FDCWD, "/dev/pts", &how, sizeof how));
  struct statfs found = {};
  if (child.devpts < 0 || ::fstatfs(child.devpts, &found) != 0) return child.fail(Step::kConsole);
  if (found.f_type != DEVPTS_SUPER_MAGIC) return child.fail_with(ENOTTY, Step::kConsole);
  return open_terminal(child, plan, master, slave);
}

}  // namespace berth::container
