// Device rules of cgroup v2: a BPF program that the kernel asks at each open and mknod of a device.
// bpf(2), BPF_PROG_TYPE_CGROUP_DEVICE, cgroup-v2.rst "Device controller".
#pragma once

#include <linux/bpf.h>

#include <vector>

#include "base/result.h"
#include "container/spec/spec.h"

namespace berth::container {

/// The rules as a program. For reading, writing and making a device each the last rule that says
/// something about it decides; what no rule mentions is allowed, as for a v1 cgroup nobody wrote
/// to. Context: struct bpf_cgroup_dev_ctx.
std::vector<bpf_insn> compile_device_rules(const std::vector<DeviceRule>& rules);

/// Loads the program and attaches it to the cgroup behind `cgroup`; it lives as long as the cgroup.
Result<void> attach_device_program(int cgroup, const std::vector<DeviceRule>& rules);

}  // namespace berth::container
