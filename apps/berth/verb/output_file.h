// The file that export writes its archive to: there whole, or not at all.
#pragma once

#include <span>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace berth::cli {

class OutputFile {
 public:
  /// "" is standard output, which must not be a terminal. Another name is that of a file beside
  /// which the new one is made (0600), or of a pipe or device, which is written to as it is.
  static Result<OutputFile> open(const std::string& path);
  OutputFile(OutputFile&& other) noexcept;
  /// Without keep(), what was written to a file of its own goes.
  ~OutputFile();

  Result<void> write(std::span<const char> bytes);
  /// Puts the file where it belongs.
  Result<void> keep();

 private:
  OutputFile(UniqueFd file, std::string path, std::string temporary)
      : file_(std::move(file)), path_(std::move(path)), temporary_(std::move(temporary)) {}

  UniqueFd file_;
  std::string path_;
  std::string temporary_;  // its name until keep(); empty: there is none
};

}  // namespace berth::cli
