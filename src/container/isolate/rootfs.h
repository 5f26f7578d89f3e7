// The root filesystem: a private copy of the host's mounts, the container's root mounted in it, and
// pivot_root(2) into that. What the host has mounted is gone for the container afterwards, and
// nothing of the container was ever seen by the host.
//
// A container may ask to share a mount namespace, the host's or one that it joins. Then its root
// and what it mounts there are seen by all in that namespace, chroot(2) takes the place of
// pivot_root, which would move the others too, and shared_root.h takes it all away again.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "container/isolate/child.h"
#include "container/isolate/mounts.h"
#include "container/spec/spec.h"

namespace berth::container {

struct RootfsPlan {
  bool shared = false;            // the mount namespace is not the container's own
  std::string path;               // absolute, on the host
  UniqueFd host_mounts;           // the host's mount namespace, if a bind is to be a peer there,
  UniqueFd host_root;             // and the root of this process in it
  std::vector<MountPlan> mounts;  // empty: the tree at `path` itself
  std::vector<UniqueFd> premade;  // those of `mounts` that are made here, until init has them
  bool readonly = false;
  sys::Propagation propagation;   // of the finished root; kind 0: private
  std::string working_directory;  // made if missing, as an empty directory
};

Result<RootfsPlan> plan_rootfs(const Spec& spec, const std::string& bundle,
                               std::span<const sys::MountSpec> mounts);

/// Opens child.proc, before another mount namespace is joined.
bool enter_host_proc(Child& child);
/// Cuts the mount namespace off from the host's and opens child.root.
bool enter_rootfs(Child& child, const RootfsPlan& plan);
/// The two halves of it if the namespace is shared: opens child.root, which nobody sees yet; mounts
/// it, as a mount that passes nothing on.
bool open_shared_root(Child& child, const RootfsPlan& plan);
bool attach_shared_root(Child& child, const RootfsPlan& plan);
/// Makes the root what "/" is. All mounts are in place.
bool enter_pivot(Child& child, const RootfsPlan& plan);
/// Makes the directory `root`, if there is one (-1), what "/" is for this process alone.
bool change_root(Child& child, int root);

}  // namespace berth::container
