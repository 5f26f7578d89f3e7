// The container wall: a workload turned into an OCI runtime spec, with Docker's defaults for
// everything nobody asked for.
#pragma once

#include <string>

#include "base/result.h"
#include "container/spec/spec.h"
#include "engine/isolation/identity.h"
#include "engine/workload.h"

namespace berth::engine {

/// What the host adds to a workload: files of the engine's own and the process's identity.
struct SpecContext {
  std::string rootfs;         // absolute path that the root is mounted on
  std::string cgroup_parent;  // "/berth"
  Identity identity;
  std::string init_path;  // host path of the program that --init puts first
};

/// kInvalid names the option that makes no sense, kUnsupported one this wall cannot give.
Result<container::Spec> container_spec(const WorkloadView& view, const SpecContext& context);

/// Docker's fourteen capabilities, then `add` and `drop` ("ALL" included), with or without "CAP_".
Result<std::vector<std::string>> effective_capabilities(bool privileged,
                                                        const std::vector<std::string>& add,
                                                        const std::vector<std::string>& drop);

}  // namespace berth::engine
