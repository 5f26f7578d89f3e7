// Docker's lines for a pull or push under way: JSON objects, one a line. Docker's jsonmessage.
#pragma once

#include <string>
#include <string_view>

#include "image/image_service.h"

namespace berth::docker {

/// `layer` by the first twelve digits of its digest.
std::string pull_line(const image::PullProgress& progress);
/// What comes before the layers: "Pulling from library/busybox".
std::string pull_begin_line(std::string_view repository, std::string_view tag);
/// What comes after them: the digest, and whether the image is new.
std::string pull_end_lines(const image::PullResult& result);

/// `progress.layer` by the first twelve digits; for a tag, the two lines that end its push.
std::string push_line(const image::PushProgress& progress);
/// What comes before the layers: "The push refers to repository [docker.io/library/busybox]".
std::string push_begin_line(std::string_view repository);

std::string error_line(std::string_view message);

}  // namespace berth::docker
