// The tar archive that load and import send: a file, or standard input.
#pragma once

#include <string>

#include "base/byte_source.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace berth::cli {

class Archive final : public ByteSource {
 public:
  /// "-" or "" is standard input. kNotFound and kPermission name the file; kInvalid: it is a
  /// directory.
  static Result<Archive> open(const std::string& path);

  Result<std::size_t> read(std::span<std::byte> into) override;

 private:
  Archive(UniqueFd file, std::string name) : file_(std::move(file)), name_(std::move(name)) {}

  UniqueFd file_;
  std::string name_;
};

}  // namespace berth::cli
