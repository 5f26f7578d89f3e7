// Flags whose values have an inner form of their own: --ulimit, --device, --restart,
// --security-opt, --log-opt.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace berth::cli {

/// "nofile=1024:2048" as {Name, Soft, Hard}; one number is both; -1 is "unlimited".
Result<Json> parse_ulimit(std::string_view text);

/// "/dev/a[:/dev/b][:rwm]" as {PathOnHost, PathInContainer, CgroupPermissions}.
Result<Json> parse_device(std::string_view text);

/// "no", "always", "unless-stopped", "on-failure[:3]" as {Name, MaximumRetryCount}.
Result<Json> parse_restart_policy(std::string_view text);

struct SecurityOptions {
  std::vector<std::string>
      options;  // for the engine; a seccomp profile is in there as JSON, not as a path
  bool unconfined_paths = false;  // "systempaths=unconfined"
};
Result<SecurityOptions> parse_security_options(const std::vector<std::string>& flags);

/// {Type, Config}. kInvalid: options for no driver.
Result<Json> parse_log_config(const std::string& driver, const std::vector<std::string>& options);

}  // namespace berth::cli
