#include "container/isolate/rootfs.h"

#include <sys/mount.h>

namespace berth::container {

Result<RootfsPlan> plan_rootfs(const Spec& spec, const std::string& bundle,
                               std::span<const sys::MountSpec> mounts) {
  RootfsPlan plan;
  plan.path = spec.root.path.starts_with('/') ? spec.root.path : bundle + "/" + spec.root.path;
  plan.readonly = spec.root.readonly;
  plan.working_directory = spec.process.cwd;
  for (std::size_t i = 0; i < mounts.size(); ++i)
    plan.mounts.push_back(
        TRY(plan_plain_mount(mounts[i], {}, fmt::format("root mount {}", i), bundle)));
  if (const std::string& word = spec.linux_.rootfs_propagation; !word.empty()) {
    const auto options = TRY(sys::parse_mount_options({&word, 1}));
    plan.propagation = options.propagation;
    plan.propagation_recursive = options.propagation_recursive;
  }
  return plan;
}

}  // namespace berth::container
