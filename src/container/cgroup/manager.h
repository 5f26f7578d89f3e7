// CgroupManager: the cgroups of one container: made, limited, filled, emptied, removed. One
// implementation per cgroup version; on a hybrid host the v1 one is used, for there the controllers
// are. A further one has systemd make them, and leaves the rest to one of these
// (systemd/cgroups.h).
//
// Not thread-safe. Directories are opened once and used by descriptor. The object does not undo
// anything by itself: cgroups outlive the process that made them, and destroy() is what ends them.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "container/cgroup/layout.h"
#include "container/cgroup/tree.h"
#include "container/spec/spec.h"

namespace berth::container {

struct CgroupStats {
  std::optional<std::uint64_t> memory_bytes;
  std::optional<std::uint64_t> cpu_nanoseconds;
  std::optional<std::uint64_t> pids;
};

class CgroupManager {
 public:
  virtual ~CgroupManager() = default;

  /// Whether create() comes before there is an init, which is then cloned into clone_directory().
  virtual bool is_made_before_init() const { return false; }
  /// Makes the directories. `init`: the container's first process, 0 if it is not there yet.
  /// kConflict: a directory exists and has other processes. On error, those made are gone again.
  virtual Result<void> create(pid_t init) = 0;
  /// Writes limits and device rules. kUnsupported: a limit whose controller this host lacks; the
  /// text names both.
  virtual Result<void> apply(const Resources& resources) = 0;
  /// v2: the directory to clone into; -1: the process has to enter by the entrances(). Borrowed.
  virtual int clone_directory() const { return -1; }
  /// v1: a descriptor for each hierarchy. A process of one thread that writes "0" to all of them is
  /// in (enter_cgroups()). It has to do that itself: moving another one takes a lock for which the
  /// kernel waits a grace period of RCU, 10 to 25 ms on an idle host (cgroup_procs_write_start(),
  /// Linux 5.5).
  virtual Result<std::vector<UniqueFd>> entrances() const { return std::vector<UniqueFd>(); }
  /// Brings a process of the caller's in that neither was cloned into the cgroups nor can enter
  /// them.
  virtual Result<void> admit(pid_t) { return {}; }

  /// One directory per hierarchy used.
  virtual const std::vector<std::string>& paths() const = 0;
  /// The path below each hierarchy.
  virtual const std::string& relative() const = 0;
  /// The hierarchies used, for the container's own view of them.
  virtual const std::vector<Hierarchy>& hierarchies() const = 0;
  virtual CgroupVersion version() const = 0;
  /// The directory that has the controller's files; null: the container is in none. Borrowed.
  virtual const CgroupDirectory* directory_of(std::string_view controller) const;

  /// The unit of systemd that the cgroups are of; empty: of none.
  virtual std::string unit() const { return {}; }
  /// The limits in the precision of whoever else keeps them.
  virtual Resources as_kept(Resources resources) const { return resources; }
  /// Tells whoever else keeps the limits of new ones, which the files have already.
  virtual Result<void> announce(const Resources&) { return {}; }

  /// Of a container that lives: sees to it that it is in a cgroup of each of the controllers.
  /// kUnsupported: the host lacks one.
  virtual Result<void> extend(const std::vector<std::string>& controllers);
  virtual Result<CgroupStats> stats() const = 0;
  virtual Result<std::vector<pid_t>> processes() const = 0;
  /// Stops or continues every process and returns when the kernel says so.
  virtual Result<void> freeze(bool frozen) = 0;
  /// Kills every process, waits until they are gone, and removes the directories. Idempotent.
  virtual Result<void> destroy() = 0;

  /// Sends `signal` to every process there is, until a look finds no new one.
  Result<void> signal_all(int signal);

 protected:
  /// Kills every process and waits until all have ended. kConflict: not within kKillDeadline.
  Result<void> kill_all();

 private:
  Result<std::vector<UniqueFd>> open_members(std::span<const pid_t> pids) const;
};

/// Manager of new cgroups at `path`, relative to each hierarchy ("berth/<id>"), with those
/// controllers that `resources` asks for and that accounting needs. `besides`: v1 hierarchies to
/// use after those, though they have no controllers. Touches nothing yet.
Result<std::unique_ptr<CgroupManager>> open_cgroups(const CgroupLayout& layout,
                                                    const std::string& path,
                                                    const Resources& resources,
                                                    const std::vector<Hierarchy>& besides = {});

/// Manager of cgroups that an earlier process made: what paths() said then.
Result<std::unique_ptr<CgroupManager>> adopt_cgroups(const std::vector<std::string>& paths);

/// `cgroups_path` of the spec as a relative path without slashes at its ends: absolute ones are
/// below each hierarchy, relative ones below "berth", none is "berth/<id>".
std::string cgroup_path_of(const std::string& cgroups_path, const std::string& id);

/// Removes the cgroup `path` from every hierarchy in which nothing is left below it: the parent
/// that containers shared. Best effort: where it is busy, or gone, it is left alone.
void remove_empty_cgroups(const CgroupLayout& layout, const std::string& path);

}  // namespace berth::container
