// Paths of the kernel's file systems that the container must not read (masked) or write
// (read-only). A masked directory is covered by an empty read-only tmpfs, a masked file by the
// host's /dev/null: not the container's, which an image or a concurrent container could have
// replaced by a link to what it wants to see.
#pragma once

#include <string>
#include <vector>

#include "container/isolate/child.h"
#include "container/spec/spec.h"

namespace berth::container {

struct ProtectPlan {
  std::vector<std::string> masked;
  std::vector<std::string> read_only;
  std::string mount_label;  // of what covers directories
};

ProtectPlan plan_protect(const Spec& spec);
/// All mounts are in place, "/" is still the host's. What does not exist is skipped.
bool enter_protect(Child& child, const ProtectPlan& plan);

}  // namespace berth::container
