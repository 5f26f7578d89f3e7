// Namespaces: which are new (flags of clone3), which are joined (descriptors for setns), and the
// order of entering them. namespaces(7), setns(2), user_namespaces(7), time_namespaces(7),
// cgroup_namespaces(7). How the root is changed in a mount namespace that is not new: rootfs.h.
//
//   pid      new: clone3. Joined: by the parent before clone3, since setns only moves later
//   children. user     new: clone3; the parent writes the maps, then the child becomes root of it.
//   network  new: on a thread beside the rest (network.h), or by clone3 if it has to belong to a
//   new user namespace. cgroup   new: unshare by the child once it is in its cgroups, since their
//   paths become the namespace's roots. time     new: unshare by the child, which sets its offsets
//   and then enters. others   new: clone3. Joined: by the child, the user namespace first.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "container/isolate/child.h"
#include "container/spec/spec.h"

namespace berth::container {

struct NamespaceJoin {
  NamespaceType type = NamespaceType::kMount;
  int clone_flag = 0;  // CLONE_NEW*, which setns checks the descriptor against
  UniqueFd fd;
};

struct NamespacePlan {
  std::uint64_t clone_flags = 0;
  std::vector<NamespaceJoin> joins;  // in the order of entering
  UniqueFd join_pid;                 // for the parent; invalid: none
  UniqueFd owner;       // a user namespace that exists and is to have the new ones: owner.h
  int network_fd = -1;  // CreateOptions::network_namespace; borrowed
  bool new_user = false;
  bool new_network = false;  // made beside the rest; the child receives it
  bool loopback = false;     // the network namespace is new, so `lo` is down
  bool new_cgroup = false;
  bool new_time = false;
  /// "<clock> <secs> <nanosecs>" lines for /proc/self/timens_offsets.
  std::string offsets_text;
};

/// Opens what is to be joined. kNotFound, kInvalid: the path is none, or another kind of namespace.
Result<NamespacePlan> plan_namespaces(const Spec& spec, int network_namespace);

/// CLONE_NEW* of every namespace in which a container of this spec is not with its host's: what
/// another process has to join, by the pidfd of one that is in them.
std::uint64_t namespaces_of(const Spec& spec);

/// Joins what exists already. The maps of a new user namespace are written.
bool enter_namespaces(Child& child, const NamespacePlan& plan);
bool enter_network(Child& child, int network_fd);
/// Joins the namespaces `flags` of the process behind `pidfd`, all at once (Linux 5.8). That of
/// pids is joined by the parent, or with `pids` for the caller's children.
bool join_namespaces(Child& child, int pidfd, std::uint64_t flags, bool pids);
/// Moves the calling process, which has one thread, through CgroupManager::entrances(), and closes
/// them.
bool enter_cgroups(Child& child, std::span<const int> entrances);
bool enter_cgroup_namespace(Child& child, const NamespacePlan& plan);
/// Brings `lo` up in the caller's network namespace. Async-signal-safe; false with errno.
bool bring_loopback_up();

}  // namespace berth::container
