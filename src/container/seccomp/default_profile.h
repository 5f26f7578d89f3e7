// The seccomp profile of a workload that asks for none: Docker's default, so that what runs there
// runs here. Everything is refused with EPERM but the calls listed, some of which depend on
// capabilities or on arguments. The facts are those of moby/profiles seccomp/default.json for
// kernels from 4.8 on, x86 only.
#pragma once

#include <span>
#include <string>

#include "container/spec/spec.h"

namespace berth::container {

/// `capabilities`: the bounding set the workload will have ("CAP_SYS_ADMIN").
SeccompProfile default_seccomp_profile(std::span<const std::string> capabilities);

}  // namespace berth::container
