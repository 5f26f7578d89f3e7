// Asking the engine to fetch an image from its registry, in the name of the user whom docker's
// configuration knows there.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

#include "base/result.h"
#include "berth/client/client.h"

namespace berth::cli {

/// A reference cut into what the API takes: "reg:5000/a/b:1" is {"reg:5000/a/b", "1"}, "a" is {"a",
/// "latest"}, a digest counts as a tag.
struct ImageName {
  std::string repository;
  std::string tag;
};
ImageName split_reference(std::string_view reference);

/// Progress goes to `shown` as lines; null: nowhere.
Result<void> pull_image(const Client& client, std::string_view reference, std::string_view platform,
                        std::FILE* shown);

/// The same of each tag that the repository has.
Result<void> pull_all_tags(const Client& client, const std::string& repository,
                           std::string_view platform, std::FILE* shown);

}  // namespace berth::cli
