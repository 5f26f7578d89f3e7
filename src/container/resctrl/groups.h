// RdtGroups: a container's class of service and its monitoring group in the resctrl file system, by
// Intel's Resource Director Technology. config-linux.md, "IntelRdt";
// Documentation/filesystems/resctrl.rst.
//
//   /sys/fs/resctrl/<closID>                            the class; "/": the root's own
//   /sys/fs/resctrl/<container>                         the class, if no closID is given: ours
//   /sys/fs/resctrl/<closID>/mon_groups/<container>     what is measured: ours
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.h"
#include "container/spec/spec.h"

namespace berth::container {

/// Where resctrl is mounted. kUnsupported: nowhere.
Result<std::string> find_resctrl();

class RdtGroups {
 public:
  /// Groups that exist already, of a container that was made as `rdt` says below `mount`.
  RdtGroups(const IntelRdt& rdt, const std::string& id, const std::string& mount);

  const std::string& mount() const { return mount_; }
  const std::string& clos() const { return clos_; }
  const std::string& monitoring() const { return monitoring_; }  // empty: none
  /// The directories that end with the container, in the order of removing.
  const std::vector<std::string>& own() const { return own_; }

  /// Whether create() may be called. kNotFound: `rdt` gives a class without saying what it is, and
  /// it does not exist. kConflict: it exists with other values, or a directory of our own does.
  Result<void> check(const IntelRdt& rdt) const;
  /// Makes the directories and writes the schemata. On error, remove_rdt_groups() undoes it.
  Result<void> create(const IntelRdt& rdt) const;
  /// Puts a process, and all that it will start, into both.
  Result<void> admit(pid_t pid) const;
  /// Writes lines into the class's schemata. The error has the kernel's own text.
  Result<void> write_schemata(const std::vector<std::string>& lines) const;

 private:
  std::string mount_;
  std::string clos_;
  std::string monitoring_;
  std::vector<std::string> own_;
};

/// rmdir(2) of each. Gone already is fine.
Result<void> remove_rdt_groups(const std::vector<std::string>& directories);

}  // namespace berth::container
