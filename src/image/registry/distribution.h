// Distribution: what a registry tells of an image without giving it.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "image/manifest/manifest.h"
#include "image/reference/reference.h"

namespace berth::image {

struct RegistryOptions;

struct Distribution {
  Descriptor descriptor;            // of what the name stands for, a manifest or an index
  std::string text;                 // that document, byte for byte
  std::vector<Platform> platforms;  // of an index all that it lists, as it lists them
};

/// Asks for what `name` stands for; without tag and digest, "latest". kNotFound: there is none, or
/// one has to log in.
Result<Distribution> inspect_distribution(const Reference& name, const RegistryOptions& options,
                                          const std::stop_token& stop);

struct SearchResult {
  std::string name;
  std::string description;
  std::int64_t stars = 0;
  bool is_official = false;
  bool is_automated = false;
};

/// What the registry that `term` begins with ("reg.example/term"; else Docker Hub) finds, by the
/// search of the older API, which is the only one that there is: GET /v1/search?q=TERM&n=LIMIT.
Result<std::vector<SearchResult>> search_registry(const std::string& term, int limit,
                                                  const RegistryOptions& options,
                                                  const std::stop_token& stop);

}  // namespace berth::image
