// Mapped mounts: binds that show other owners than their file system has, and all binds of a
// container with its own user namespace. Both take rights over the file system, or over the path
// to it, that init has no more once it is in that namespace; so the parent makes them, detached,
// and init has their descriptors by being its copy. mount_setattr(2), "ID-mapped mounts".
//
// A mapping is given to the kernel as a user namespace that has it. One is made for each mapping
// that is not the container's, by a process that ends as soon as the namespace has been opened.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "container/isolate/child.h"
#include "container/isolate/mounts.h"
#include "container/isolate/namespaces.h"
#include "container/spec/spec.h"

namespace berth::container {

class MappedMounts {
 public:
  MappedMounts() = default;
  MappedMounts(const Spec& spec, const NamespacePlan& namespaces);

  /// Decides whether the parent makes `plan`, which is that of `mount`, and with which mapping.
  /// kInvalid: a mapping the kernel refuses.
  Result<void> add(const Mount& mount, const std::string& noun, MountPlan& plan);
  /// Makes them. Step::kNone, or what failed, with the index in `mounts`.
  Failure make(std::span<MountPlan> mounts);
  /// Once init has them.
  void close();

 private:
  using Mapping = std::pair<std::vector<IdMapping>, std::vector<IdMapping>>;  // of uids, of gids

  Result<int> namespace_of(const Mapping& mapping);

  bool own_user_namespace_ = false;
  int joined_user_namespace_ = -1;  // borrowed
  Mapping container_;
  std::vector<std::pair<Mapping, UniqueFd>> namespaces_;
  std::vector<UniqueFd> mounts_;
};

/// A user namespace with these maps, which no process is in.
Result<UniqueFd> make_user_namespace(const std::vector<IdMapping>& uids,
                                     const std::vector<IdMapping>& gids);

/// The process of such a namespace: waits for the other end of `channel` to be closed. Never
/// returns.
[[noreturn]] void hold_user_namespace(int channel);

}  // namespace berth::container
