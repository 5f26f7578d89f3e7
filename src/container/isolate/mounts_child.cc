#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "container/isolate/copy_up.h"
#include "container/isolate/mounts.h"
#include "container/isolate/paths.h"

namespace berth::container {
namespace {

constexpr std::size_t kMaxClassicData = 4096;

bool set_attributes(int mount, std::uint64_t set, std::uint64_t clear, std::uint64_t propagation,
                    bool recursive) {
  if (set == 0 && clear == 0 && propagation == 0) return true;
  struct mount_attr attributes = {};
  attributes.attr_set = set;
  attributes.attr_clr = clear;
  attributes.propagation = propagation;
  const unsigned flags = AT_EMPTY_PATH | (recursive ? static_cast<unsigned>(AT_RECURSIVE) : 0U);
  return ::mount_setattr(mount, "", flags, &attributes, sizeof attributes) == 0;
}

bool set_propagations(int mount, const sys::MountOptions& options) {
  for (const sys::Propagation& one : options.propagations)
    if (!set_attributes(mount, 0, 0, one.kind, one.recursive)) return false;
  return true;
}

bool map_ids(int mount, const MountPlan& plan) {
  if (plan.user_namespace < 0) return true;
  struct mount_attr attributes = {};
  attributes.attr_set = MOUNT_ATTR_IDMAP;
  attributes.userns_fd = static_cast<std::uint64_t>(plan.user_namespace);
  const bool recursive = plan.options.id_mapped == sys::IdMapped::kRecursive;
  const unsigned flags = AT_EMPTY_PATH | (recursive ? static_cast<unsigned>(AT_RECURSIVE) : 0U);
  return ::mount_setattr(mount, "", flags, &attributes, sizeof attributes) == 0;
}

bool set_parameters(int context, const MountPlan& plan) {
  for (const auto& flag : plan.options.superblock_flags)
    if (::fsconfig(context, FSCONFIG_SET_FLAG, flag.c_str(), nullptr, 0) != 0) return false;
  for (const auto& parameter : plan.options.parameters) {
    const int result =
        parameter.has_value
            ? ::fsconfig(context, FSCONFIG_SET_STRING, parameter.key.c_str(),
                         parameter.value.c_str(), 0)
            : ::fsconfig(context, FSCONFIG_SET_FLAG, parameter.key.c_str(), nullptr, 0);
    if (result != 0) return false;
  }
  return true;
}

bool configure(int context, const MountPlan& plan) {
  if (!plan.source.empty() &&
      ::fsconfig(context, FSCONFIG_SET_STRING, "source", plan.source.c_str(), 0) != 0)
    return false;
  return set_parameters(context, plan) &&
         ::fsconfig(context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) == 0;
}

// What is to be filled first becomes read-only afterwards.
bool is_filled(const MountPlan& plan) {
  return !plan.directories.empty() || plan.options.copy_up || plan.takes_mode;
}

bool populate(int mount, const MountPlan& plan) {
  for (const auto& directory : plan.directories)
    if (::mkdirat(mount, directory.c_str(), 0755) != 0) return false;
  for (const auto& [name, target] : plan.links)
    if (::symlinkat(target.c_str(), mount, name.c_str()) != 0) return false;
  return true;
}

bool label_root(int mount, const std::string& context) {
  const int root = ::openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) return false;
  const bool labelled =
      ::fsetxattr(root, "security.selinux", context.c_str(), context.size() + 1, 0) == 0;
  const int saved = errno;
  ::close(root);
  errno = saved;
  return labelled;
}

int make_filesystem(const MountPlan& plan, Step* step) {
  *step = Step::kMountFilesystem;
  const std::uint64_t attributes =
      plan.options.attr_set & ~(is_filled(plan) ? MOUNT_ATTR_RDONLY : std::uint64_t{0});
  const int context = ::fsopen(plan.type.c_str(), FSOPEN_CLOEXEC);
  if (context < 0) return -1;
  int mount = -1;
  if (configure(context, plan))
    mount = ::fsmount(context, FSMOUNT_CLOEXEC, static_cast<unsigned>(attributes));
  const int saved = errno;
  ::close(context);
  errno = saved;
  if (mount >= 0 && !plan.root_context.empty() && !label_root(mount, plan.root_context)) return -1;
  if (mount < 0 || plan.directories.empty()) return mount;
  return populate(mount, plan) &&
                 set_attributes(mount, plan.options.attr_set & MOUNT_ATTR_RDONLY, 0, 0, false)
             ? mount
             : -1;
}

int make_bind(const MountPlan& plan, Step* step) {
  *step = Step::kMountSource;
  const unsigned recursive = plan.options.recursive ? static_cast<unsigned>(AT_RECURSIVE) : 0U;
  return ::open_tree(AT_FDCWD, plan.source.c_str(),
                     OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | recursive);
}

bool finish_bind(int mount, const MountPlan& plan, Step* step) {
  *step = Step::kMountAttributes;
  // Where the host's mounts are not slaves yet, what is cloned of them would be their peer.
  if ((plan.by_parent || plan.beside_host) && !plan.stays_peer &&
      !set_attributes(mount, 0, 0, MS_SLAVE, true))
    return false;
  if (!set_attributes(mount, plan.options.attr_set, plan.options.attr_clear, 0, false))
    return false;
  *step = Step::kMountMapping;
  return map_ids(mount, plan);
}

bool finish_mount(int mount, const MountPlan& plan, Step* step) {
  const sys::MountOptions& options = plan.options;
  if (plan.kind == MountKind::kBind && !finish_bind(mount, plan, step)) return false;
  *step = Step::kMountAttributes;
  return set_attributes(mount, options.recursive_attr_set, options.recursive_attr_clear, 0, true) &&
         set_propagations(mount, options);
}

bool change_superblock(int target, const MountPlan& plan) {
  if (plan.options.superblock_flags.empty() && plan.options.parameters.empty()) return true;
  const int context = ::fspick(target, "", FSPICK_EMPTY_PATH | FSPICK_CLOEXEC);
  if (context < 0) return false;
  const bool changed = set_parameters(context, plan) &&
                       ::fsconfig(context, FSCONFIG_CMD_RECONFIGURE, nullptr, nullptr, 0) == 0;
  const int saved = errno;
  ::close(context);
  errno = saved;
  return changed;
}

// Of the mount whose root is at the destination.
bool remount(Child& child, const MountPlan& plan, std::size_t index) {
  const int target = open_in_root(child.root, plan.destination.c_str());
  if (target < 0) return child.fail(Step::kMountTarget, index);
  const sys::MountOptions& options = plan.options;
  const bool changed =
      (options.bind || change_superblock(target, plan)) &&
      set_attributes(target, options.attr_set, options.attr_clear, 0, false) &&
      set_attributes(target, options.recursive_attr_set, options.recursive_attr_clear, 0, true) &&
      set_propagations(target, options);
  if (!changed) return child.fail(Step::kMountAttributes, index);
  ::close(target);
  return true;
}

int open_target(const Child& child, const MountPlan& plan, int mount) {
  if (plan.kind != MountKind::kBind) {
    // A link at /proc or /sys would put the kernel's files where the image wants them.
    const bool special = plan.kind == MountKind::kProc || plan.kind == MountKind::kSysfs;
    return create_in_root(child.root, plan.destination.c_str(), PathKind::kDirectory,
                          special ? RESOLVE_NO_SYMLINKS : 0);
  }
  struct stat source = {};
  if (::fstat(mount, &source) != 0) return -1;
  return create_in_root(child.root, plan.destination.c_str(),
                        S_ISDIR(source.st_mode) ? PathKind::kDirectory : PathKind::kFile);
}

// mount(2) on a descriptor, by way of the procfs that child.proc is known to be.
bool mount_on_descriptor(Child& child, const MountPlan& plan, int target) {
  char path[32] = "self/fd/";
  char digits[12];
  std::size_t count = 0;
  for (int value = target; value > 0 || count == 0; value /= 10)
    digits[count++] = static_cast<char>('0' + value % 10);
  std::size_t at = ::strlen(path);
  while (count > 0) path[at++] = digits[--count];
  path[at] = '\0';
  return ::fchdir(child.proc) == 0 && mount_classic(plan, path) && ::chdir("/") == 0;
}

// Gives a tmpfs the mode, and the content, of the directory it covers.
bool take_over(int covered, int mount, const MountPlan& plan) {
  const int from = ::openat(covered, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const int to = ::openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  struct stat found = {};
  const bool done = from >= 0 && to >= 0 && ::fstat(from, &found) == 0 &&
                    (!plan.takes_mode || ::fchmod(to, found.st_mode & 07777) == 0) &&
                    (!plan.options.copy_up || copy_directory(from, to));
  const int saved = errno;
  ::close(from);
  ::close(to);
  errno = saved;
  return done;
}

// `covered`: what is at the destination already; -1: nothing.
bool fill(int covered, int mount, const MountPlan& plan) {
  const bool filled = covered < 0 || take_over(covered, mount, plan);
  const int saved = errno;
  ::close(covered);
  errno = saved;
  return filled && set_attributes(mount, plan.options.attr_set & MOUNT_ATTR_RDONLY, 0, 0, false);
}

// In the host's mount namespace, whose root takes the place of the child's meanwhile.
int make_peer(const Child& child, const MountPlan& plan, Step* step) {
  *step = Step::kMountSource;
  const int root = ::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root < 0 || ::setns(child.host_mounts, CLONE_NEWNS) != 0) return -1;
  const int mount =
      ::fchdir(child.host_root) == 0 && ::chroot(".") == 0 ? make_mount(plan, step) : -1;
  const int saved = errno;
  if (::setns(child.own_mounts, CLONE_NEWNS) != 0 || ::fchdir(root) != 0 || ::chroot(".") != 0)
    return -1;
  ::close(root);
  errno = saved;
  return mount;
}

int make_for(const Child& child, const MountPlan& plan, Step* step) {
  if (plan.premade >= 0) return plan.premade;
  return plan.stays_peer && child.host_mounts >= 0 ? make_peer(child, plan, step)
                                                   : make_mount(plan, step);
}

void remember(Child& child, const MountPlan& plan, int mount) {
  if (plan.kind == MountKind::kProc) child.proc = mount;
  if (plan.kind == MountKind::kDevpts) child.devpts = mount;
}

}  // namespace

int make_mount(const MountPlan& plan, Step* step) {
  const int mount =
      plan.kind == MountKind::kBind ? make_bind(plan, step) : make_filesystem(plan, step);
  if (mount < 0 || finish_mount(mount, plan, step)) return mount;
  const int saved = errno;
  ::close(mount);
  errno = saved;
  return -1;
}

bool attach_mount(int mount, int target) {
  return ::move_mount(mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) ==
         0;
}

bool mount_classic(const MountPlan& plan, const char* path) {
  // The kernel would cut the rest off, and with it layers: mount(2).
  if (plan.classic_data.size() >= kMaxClassicData) {
    errno = E2BIG;
    return false;
  }
  return ::mount(plan.source.c_str(), path, plan.type.c_str(),
                 sys::classic_flags(plan.options.attr_set), plan.classic_data.c_str()) == 0;
}

bool may_mount_classic(const MountPlan& plan, Step failed) {
  if (failed != Step::kMountFilesystem) return false;
  // The calls are missing or refused by a sandbox's filter; or the kernel does not know overlay's
  // "lowerdir+" (before 6.8).
  return errno == ENOSYS || (errno == EINVAL && plan.type == "overlay");
}

bool enter_mount(Child& child, const MountPlan& plan, std::size_t index) {
  if (plan.kind == MountKind::kRemount) return remount(child, plan, index);
  Step step = Step::kMountFilesystem;
  int mount = make_for(child, plan, &step);
  const bool classic = mount < 0 && may_mount_classic(plan, step);
  if (mount < 0 && (!classic || plan.options.copy_up)) return child.fail(step, index);
  // A directory that is made here is no one whose mode was chosen.
  const bool fills = plan.options.copy_up || (plan.takes_mode && !classic);
  const int covered = fills ? open_in_root(child.root, plan.destination.c_str(), O_DIRECTORY) : -1;
  const int target = open_target(child, plan, mount);
  if (target < 0) return child.fail(Step::kMountTarget, index);
  struct statfs below = {};
  if (::fstatfs(target, &below) != 0) return child.fail(Step::kMountTarget, index);
  if (below.f_type == PROC_SUPER_MAGIC && plan.kind != MountKind::kProc && !plan.may_cover_in_proc)
    return child.fail_with(EPERM, Step::kMountInsideProc, index);
  if (classic) {
    if (!mount_on_descriptor(child, plan, target)) return child.fail(Step::kMountFilesystem, index);
    mount = open_in_root(child.root, plan.destination.c_str(), O_DIRECTORY);
    if (mount < 0) return child.fail(Step::kMountTarget, index);
  }
  if (fills && !fill(covered, mount, plan)) return child.fail(Step::kMountCopyUp, index);
  if (!classic && !attach_mount(mount, target)) return child.fail(Step::kMountAttach, index);
  ::close(target);
  const bool kept = plan.kind == MountKind::kProc || plan.kind == MountKind::kDevpts;
  remember(child, plan, mount);
  if (!kept) ::close(mount);
  return true;
}

}  // namespace berth::container
