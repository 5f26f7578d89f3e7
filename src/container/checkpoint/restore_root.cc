#include "container/checkpoint/restore_root.h"

#include <sys/stat.h>

#include <algorithm>

#include "container/checkpoint/externals.h"
#include "container/spec/normal_path.h"

namespace berth::container {
namespace {

bool is_on_tmpfs(const std::string& path, const Spec& spec) {
  return std::ranges::any_of(spec.mounts, [&](const Mount& mount) {
    return mount.type == "tmpfs" &&
           path.starts_with(normal_path(absolute_path(mount.destination)) + "/");
  });
}

Result<PathKind> kind_of(const std::string& source) {
  struct stat found = {};
  if (::stat(source.c_str(), &found) != 0)
    return fail_errno("cannot find what is to be mounted, {}", source);
  return S_ISDIR(found.st_mode) ? PathKind::kDirectory : PathKind::kFile;
}

}  // namespace

Result<RestoreRoot> plan_restore_root(const Spec& spec, const std::string& rootfs,
                                      const std::string& bundle) {
  RestoreRoot root{.path = rootfs, .points = {}};
  for (const Mount& mount : spec.mounts) {
    const std::string destination = normal_path(absolute_path(mount.destination));
    if (mount.type == "cgroup" || mount.type == "cgroup2" || is_on_tmpfs(destination, spec))
      continue;
    MountPoint& point = root.points.emplace_back(MountPoint{.destination = destination});
    if (!is_bind(mount)) continue;
    point.source = bind_source(mount, bundle);
    point.kind = TRY(kind_of(point.source));
  }
  return root;
}

}  // namespace berth::container
