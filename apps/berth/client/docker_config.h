// docker's config.json and the programs it names for passwords: docker-credential-NAME with get,
// store, erase. Source: docker's documentation of `docker login`, "Credential stores"; the protocol
// of docker-credential-helpers.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace berth::cli {

/// What stands for Docker Hub in the file.
inline constexpr std::string_view kHubKey = "https://index.docker.io/v1/";

/// $DOCKER_CONFIG/config.json, or ~/.docker/config.json.
std::string docker_config_path();
/// All of it; empty if there is none.
Result<std::string> read_docker_config();

/// The helper that the file names for `key`; empty: none. kInvalid: it can be none.
Result<std::string> helper_for(const Json& config, const std::string& key);
/// What the helper answers to `verb` and `input`; "{}" if it has nothing to tell. kNotFound: it is
/// not installed.
Result<std::string> run_helper(const std::string& helper, std::string verb,
                               const std::string& input);

}  // namespace berth::cli
