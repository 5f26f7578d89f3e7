// Volume: a file system of its own for one test, in a file, by way of a loop device (loop(4)).
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"

namespace berth::image {

class Volume {
 public:
  /// Makes a file system of `type` ("btrfs", "ext4") with mkfs(8) in the directory `dir`, or, for
  /// "overlay", an overlay of what is there, and mounts it in a mount namespace that the calling
  /// thread gets; threads made afterwards are in it. kUnsupported: the host lacks the file system,
  /// its mkfs or loop devices.
  static Result<std::unique_ptr<Volume>> make(const std::string& dir, const std::string& type,
                                              std::uint64_t bytes);
  /// In the thread that made it.
  ~Volume();
  Volume(const Volume&) = delete;
  Volume& operator=(const Volume&) = delete;

  /// Where it is mounted.
  const std::string& path() const { return path_; }

 private:
  explicit Volume(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

/// Whether one of $PATH's directories has the program.
bool has_program(const std::string& name);

}  // namespace berth::image
