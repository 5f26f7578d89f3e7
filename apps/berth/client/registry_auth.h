// RegistryAuth: who the user is to a registry, from docker's own configuration: $DOCKER_CONFIG or
// ~/.docker, config.json: "auths" has names and passwords, "credHelpers" and "credsStore" name
// programs that know them. Source: docker's documentation of `docker login`, "Credential stores";
// the protocol of docker-credential-helpers.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace berth::cli {

/// What stands for the registry of an image in config.json: "quay.io", or Docker Hub's address.
std::string registry_key(std::string_view reference);

/// The value of X-Registry-Auth for `reference`; empty: nobody, as far as is known. kInvalid: the
/// file is none; kNotFound: a helper it names is not installed.
Result<std::string> registry_auth(std::string_view reference);

/// The same from the text of config.json. `ask` runs a helper: (name, key) to its answer.
Result<std::string> registry_auth_from(std::string_view config, const std::string& key,
                                       Result<std::string> (*ask)(const std::string& helper,
                                                                  const std::string& key));

/// The value of X-Registry-Config: who the user is to every registry that the file itself knows a
/// password of, for mirrors, which the engine knows alone. Empty: to none.
Result<std::string> registry_config();
Result<std::string> registry_config_from(std::string_view config);

}  // namespace berth::cli
