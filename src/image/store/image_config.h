// The config blob of an image: JSON that an image's author wrote, read into values, and written for
// images made here. Source: image-spec config.md; Docker's image config agrees in what both have.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "image/image_service.h"

namespace berth::image {

/// An overlay takes 500 layers, Docker allows 128; a longer list is an attack or a mistake.
inline constexpr std::size_t kMaxLayers = 128;

/// Fills all of Image that the config tells: config, architecture, os, author, comment, created,
/// diff_ids, history. kInvalid names what is wrong with it.
Result<Image> parse_image_config(std::string_view json);

/// The config blob of an image with these fields.
std::string make_image_config(const Image& image);

/// The chain id of each layer, base first: what names its snapshot. image-spec config.md "Layer
/// ChainID".
std::vector<std::string> chain_ids(const std::vector<std::string>& diff_ids);

/// "amd64": what images for this machine call it.
std::string_view host_architecture();

}  // namespace berth::image
