// Mounts: file systems and binds beneath the container's root, and those that make the root itself.
// mount_namespaces(7), fsopen(2), open_tree(2), move_mount(2), mount_setattr(2).
//
// Every mount is made detached, finished (attributes, propagation), and attached to a place that
// was resolved inside the root: between the check and the use of a path there is a descriptor, not
// a path. Where the kernel or a sandbox lacks the newer calls, mount(2) is used on /proc/self/fd/N
// of the host's procfs.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "container/isolate/child.h"
#include "container/spec/spec.h"
#include "sys/mount_options.h"
#include "sys/mount_spec.h"

namespace berth::container {

enum class MountKind : std::uint8_t {
  kFilesystem,
  kBind,
  kProc,  // a file system; and: not through a symlink, and the container's one procfs to be trusted
  kSysfs,    // a file system; and: not through a symlink, and only once the network namespace is
             // there
  kDevpts,   // a file system that the console is taken from
  kRemount,  // no mount: other options for the one that is there
};

struct MountPlan {
  MountKind kind = MountKind::kFilesystem;
  std::string type;
  std::string source;       // bind: absolute host path
  std::string destination;  // absolute, in the container; unused for the mounts of the root itself
  sys::MountOptions options;
  std::string classic_data;  // for mount(2)
  std::string root_context;  // of the root of a file system that takes no context as an option
  /// Put into a new file system before it becomes read-only: empty directories, and links (name,
  /// target).
  std::vector<std::string> directories;
  std::vector<std::pair<std::string, std::string>> links;
  /// A bind that is to pass on mounts both ways: cloned where the host's mounts are, as those of
  /// the child are slaves.
  bool stays_peer = false;
  bool beside_host = false;        // made where the mounts of the host are no slaves yet: rootfs.h
  bool may_cover_in_proc = false;  // by its destination: spec/kernel_names.h
  /// A tmpfs without a mode of its own has that of the directory it covers.
  bool takes_mode = false;
  /// Made by the parent, which has rights over the file system that init may not have, and whose
  /// owners are those that `user_namespace` maps them to (-1: as they are): mapped_mounts.h.
  bool by_parent = false;
  int user_namespace = -1;
  int premade = -1;  // such a mount
};

/// kInvalid, kUnsupported: an option. `noun` names the entry in the text.
Result<MountPlan> plan_mount(const sys::MountSpec& spec, const std::string& destination,
                             const std::string& noun, const std::string& bundle);

/// Gives a new file system SELinux's context, where it has none of its own; empty: none.
void label_mount(MountPlan& plan, const std::string& context);
/// The same as plan_mount() for what is always a plain mount: kUnsupported if an option asks for
/// more.
Result<MountPlan> plan_plain_mount(const sys::MountSpec& spec, const std::string& destination,
                                   const std::string& noun, const std::string& bundle);

/// Makes the mount, detached. -1 with errno; `*step` says what failed.
int make_mount(const MountPlan& plan, Step* step);
/// Attaches a detached mount to `target`, an O_PATH descriptor. False with errno.
bool attach_mount(int mount, int target);
/// Makes and attaches the mount inside child.root. `index` is for the failure.
bool enter_mount(Child& child, const MountPlan& plan, std::size_t index);
/// The same calls are not there: mounts `plan` by mount(2) on the directory `path`, resolved from
/// the working directory.
bool mount_classic(const MountPlan& plan, const char* path);
/// Whether errno after make_mount() means that mount(2) may still do it.
bool may_mount_classic(const MountPlan& plan, Step failed);

}  // namespace berth::container
