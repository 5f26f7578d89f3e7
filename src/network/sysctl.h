// Kernel settings below /proc/sys/net, as the calling thread's network namespace has them.
// ip-sysctl(kernel).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace berth::network {

/// `name` is a path below /proc/sys: "net/ipv4/ip_forward".
Result<std::string> read_sysctl(std::string_view name);
Result<void> write_sysctl(std::string_view name, std::string_view value);

}  // namespace berth::network
