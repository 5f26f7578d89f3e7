// The state of a container as the runtime-spec shows it (runtime.md, "State"): what hooks get and
// `berth-runtime state` prints.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <string_view>

namespace berth::container {

struct OciState {
  std::string id;
  std::string status;  // "creating", "created", "running", "stopped"
  pid_t pid = 0;       // 0: none, left out
  std::string bundle;
  std::map<std::string, std::string> annotations;
};

std::string to_json(const OciState& state);

}  // namespace berth::container
