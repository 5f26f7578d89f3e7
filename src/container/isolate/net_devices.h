// Network interfaces of the host that a container gets: moved into its network namespace, renamed
// on the way, with their lasting addresses, up. config-linux.md, "Network Devices"; rtnetlink(7).
//
// They go with the namespace: when that ends the kernel gives hardware back to the host and removes
// what is virtual, whatever becomes of the runtime.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>

#include "base/result.h"
#include "container/spec/spec.h"

namespace berth::container {

/// Moves them from the caller's network namespace into that of process `pid`. kInvalid: there is
/// no such interface, or its name inside is taken. Those before it have been moved.
Result<void> move_net_devices(const std::map<std::string, NetDevice>& devices, pid_t pid);

}  // namespace berth::container
