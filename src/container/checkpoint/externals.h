// Externals: what of a container does not belong to it, so that criu writes down only its name, and
// is told at the restore what stands there now: binds of the host's files, and namespaces that the
// spec joins. https://criu.org/External_bind_mounts, https://criu.org/External_net_namespace.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "container/checkpoint/criu_messages.h"
#include "container/isolate/cgroup_view.h"
#include "container/spec/spec.h"

namespace berth::container {

bool is_bind(const Mount& mount);
/// The host's path of what is bound; a relative one is below the bundle.
std::string bind_source(const Mount& mount, const std::string& bundle);

/// A mount of something of the host: its place in the container, as the kernel shows it, and what
/// is mounted there.
struct ExternalMount {
  std::string destination;
  std::string source;
};

/// The binds of the spec, the host's device nodes in a container with a user namespace, and on v1
/// without a cgroup namespace the cgroups. `rootfs` has no symbolic links. kUnsupported: a place
/// whose name criu cannot be told.
Result<std::vector<ExternalMount>> external_mounts(const Spec& spec, const std::string& rootfs,
                                                   const std::string& bundle,
                                                   const CgroupView& cgroups);

/// Those of the masked paths that are files in the container whose root is `root`: the host's null
/// device is bound there.
Result<std::vector<std::string>> masked_files(const Spec& spec, int root);

/// "mnt[/data]:/srv/data": at a dump, the name of what is at a place; at a restore, what the name
/// stands for.
std::string external_mount(std::string_view place, std::string_view meaning);

/// Marks the network and pid namespaces that the spec joins. `pid`: init, which is in them.
Result<void> name_namespaces(const Spec& spec, pid_t pid, CriuOptions& options);
/// Opens them for the restore, as descriptors of criu's from `first` on. The other namespaces that
/// the spec joins criu joins by path. kUnsupported: a cgroup namespace to join.
Result<std::vector<UniqueFd>> join_namespaces_again(const Spec& spec, int first,
                                                    std::vector<CriuInheritedFd>& inherited,
                                                    std::vector<CriuJoinedNamespace>& joined);

}  // namespace berth::container
