// Remembering and forgetting who the user is to a registry, in docker's config.json or by the
// helper it names, so that docker and berth know the same.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace berth::cli {

/// What stands for a registry that was named to login: "reg.example:5000"; "": Docker Hub.
std::string registry_key_of_server(std::string_view server);

/// Stores them. True: by a helper; false: in the file, where anyone can read them who can read it.
Result<bool> remember_login(const std::string& key, const std::string& user,
                            const std::string& password);
/// False: there was nothing to forget.
Result<bool> forget_login(const std::string& key);

/// The text of config.json with these in it (`user` empty: without the key). kInvalid: it is no
/// JSON object. What else is in it stays.
Result<std::string> config_with_login(std::string_view config, const std::string& key,
                                      const std::string& user, const std::string& password);

}  // namespace berth::cli
