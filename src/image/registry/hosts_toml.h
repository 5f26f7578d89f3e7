// hosts.toml: which servers are asked for a registry's repositories, as containerd has it
// (docs/hosts.md of its project): mirrors, each a table [host."ADDRESS"], in the order in which the
// file has them, then the registry, which `server` and the keys of the root describe. A key that is
// not known is refused: a misspelt "capabilities" would trust a mirror with everything.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "image/registry/registry_host.h"

namespace berth::image {

/// Nobody writes as much.
inline constexpr std::size_t kMaxHostsToml = 256U << 10;
inline constexpr std::size_t kMaxMirrors = 64;

/// Of the text of `file`, from whose directory relative paths go out. The last of the list is the
/// registry of `domain`. kInvalid names the file, the line and what is wrong.
Result<std::vector<RegistryHost>> parse_hosts_toml(std::string_view text, const std::string& file,
                                                   std::string_view domain);

}  // namespace berth::image
