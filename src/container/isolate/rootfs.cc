#include "container/isolate/rootfs.h"

#include <cstdlib>
#include <memory>

#include "sys/premade_mount.h"

namespace berth::container {
namespace {

// Of the host, without symbolic links.
Result<std::string> real_root(const std::string& path) {
  const std::unique_ptr<char, decltype(&::free)> real(::realpath(path.c_str(), nullptr), ::free);
  if (!real) return fail_errno("cannot find the root filesystem '{}'", path);
  if (std::string_view(real.get()) == "/")
    return fail(ErrorKind::kInvalid,
                "root.path must not be / in a container without a mount namespace of its own");
  return std::string(real.get());
}

}  // namespace

Result<RootfsPlan> plan_rootfs(const Spec& spec, const std::string& bundle,
                               std::span<const sys::MountSpec> mounts) {
  RootfsPlan plan;
  const Namespace* own = find_namespace(spec, NamespaceType::kMount);
  plan.shared = !own || !own->path.empty();
  plan.path = spec.root.path.starts_with('/') ? spec.root.path : bundle + "/" + spec.root.path;
  if (!own) plan.path = TRY(real_root(plan.path));
  plan.readonly = spec.root.readonly;
  plan.working_directory = spec.process.cwd;
  for (std::size_t i = 0; i < mounts.size(); ++i) {
    plan.mounts.push_back(
        TRY(plan_plain_mount(mounts[i], {}, fmt::format("root mount {}", i), bundle)));
    if (!sys::is_premade(mounts[i].type)) continue;
    // With the host's mounts, and no part in the container.
    plan.premade.push_back(TRY(sys::mount_premade(mounts[i])));
    plan.mounts.back().premade = plan.premade.back().get();
  }
  if (const std::string& word = spec.linux_.rootfs_propagation; !word.empty()) {
    const auto options = TRY(sys::parse_mount_options({&word, 1}));
    plan.propagation = options.propagations.front();
  }
  return plan;
}

}  // namespace berth::container
