// Container: one OCI container, from clone to reaped. The OS wall's one entry point: berth-runtime
// and berth-holder both drive it.
//
//   create()  clones the init process into its namespaces, mounts, pivots, applies cgroups,
//   capabilities and seccomp,
//             and leaves it waiting just before exec          (runtime-spec "created")
//   start()   lets it exec                                    (runtime-spec "running")
//   wait      is the caller's: init is the caller's child, and `pidfd()` polls readable when it has
//   ended destroy() kills what is left and removes the cgroup       (runtime-spec "deleted")
//
// The object owns the init process until start() or destroy(): if it dies in between, init is
// killed and nothing stays behind. Not thread-safe. No other program is executed on the way.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "container/isolate/shared_root.h"
#include "container/spec/spec.h"
#include "sys/mount_spec.h"

namespace berth::container {

/// What there would be to undo, should the process that makes a container be killed.
struct Begun {
  pid_t pid = 0;                        // init's; 0: not yet
  std::vector<std::string> cgroups;     // directories; they may not be made yet
  std::string unit;                     // of systemd, that they are of; empty: of none
  std::vector<std::string> rdt_groups;  // likewise, to be removed in this order
  SharedRoot root;                      // without a mount namespace of its own
  bool owns_cgroups = false;            // they are made, and what is in them is the container's
};

struct CreateOptions {
  std::string id;      // [A-Za-z0-9_+.-]{1,1024}, not "." or ".."
  std::string bundle;  // absolute path; a relative root.path is taken from here
  /// Mounted in order at root.path inside the container's own mount namespace, so that the host
  /// never sees them. Empty: root.path already holds the tree.
  std::vector<sys::MountSpec> rootfs_mounts;
  /// Network namespace to join, overriding the spec's `network` namespace entry; -1: do as the spec
  /// says. Borrowed.
  int network_namespace = -1;
  /// The workload's standard streams when process.terminal is false; -1: /dev/null. Borrowed during
  /// create().
  int stdio[3] = {-1, -1, -1};
  /// A listening SOCK_SEQPACKET socket through which another process will say when to exec
  /// (start_remotely()), once this object has been release()d. -1: only start() can. Borrowed
  /// during create().
  int start_socket = -1;
  /// Descriptors 3 to 2+N of the caller stay open in the workload: socket activation. They are open
  /// and not close-on-exec.
  unsigned preserved_fds = 0;
  bool new_keyring = true;  // a session keyring of its own: keyrings(7)
  /// systemd makes the cgroups, as those of a unit (systemd/cgroups.h).
  bool systemd_cgroup = false;
  /// Told again whenever there is more to undo, and before it is made. An error ends create().
  std::function<Result<void>(const Begun&)> on_begun = {};
};

class Container {
 public:
  /// On error nothing is left behind. kInvalid: the spec is wrong, the text names the field.
  static Result<std::unique_ptr<Container>> create(Spec spec, const CreateOptions& options);
  virtual ~Container() = default;

  /// Init's pid as the caller sees it, and its pidfd.
  virtual pid_t pid() const = 0;
  virtual int pidfd() const = 0;
  /// Directory of each cgroup the container was put in, for the state on disk and for stats.
  virtual const std::vector<std::string>& cgroup_paths() const = 0;
  /// With process.terminal: the pty's master side, given up once.
  virtual UniqueFd take_console() = 0;

  /// Lets init exec, and returns when it has (or failed to). kNotFound: no such executable
  /// (Docker's 127); kPermission: not executable (126). The process has ended after an error;
  /// destroy() still has to be called.
  virtual Result<void> start() = 0;
  /// Gives init up, waiting to be started through the start socket: the destructor then leaves
  /// everything in place. If this process ends without, init ends too.
  virtual void release() = 0;
  /// To init only, unless `all`, which reaches every process of the container.
  virtual Result<void> signal(int signal, bool all = false) = 0;
  /// Kills and reaps what is left, removes the cgroups. Idempotent.
  virtual Result<void> destroy() = 0;
};

/// kInvalid: not what CreateOptions::id may be.
Result<void> check_id(const std::string& id);

/// Lets an init that was create()d by another process exec, over a connection to its start socket.
/// Errors as start(); `program` is for their text.
Result<void> start_remotely(int connection, const std::string& program);

}  // namespace berth::container
