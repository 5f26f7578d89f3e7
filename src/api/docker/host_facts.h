// What /info and /version say about the host. Read anew each time: a few small files of /proc and
// /etc.
#pragma once

#include <cstdint>
#include <string>

namespace berth::docker {

struct HostFacts {
  std::string hostname;
  std::string kernel;            // "6.1.0-18-amd64"
  std::string operating_system;  // "Debian GNU/Linux 12 (bookworm)"
  std::string os_version;        // "12"
  std::string machine;           // "x86_64"
  std::string architecture;      // as OCI names it, "amd64"
  unsigned cpus = 1;             // that this process may use
  std::int64_t memory = 0;       // bytes
  bool ipv4_forwarding = false;
  bool swap_limit = false;  // cgroups can limit swap
};

/// What cannot be read stays at its default.
HostFacts read_host_facts();

/// "x86_64" -> "amd64", as OCI and Docker name architectures; others as they are.
std::string oci_architecture(const std::string& machine);

}  // namespace berth::docker
