// Asking the engine to fetch an image from its registry, with its progress as lines on standard
// error.
#pragma once

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

Result<void> pull_image(const Client& client, std::string_view reference, std::string_view platform,
                        bool quiet);

}  // namespace berth::cli
