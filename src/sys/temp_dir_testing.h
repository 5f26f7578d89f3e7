// TempDir: a directory for one test, gone with it.
#pragma once

#include <string>

#include "base/unique_fd.h"

namespace berth::sys {

class TempDir {
 public:
  /// Below $TMPDIR, or /tmp. Aborts if it cannot be made.
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const { return path_; }
  /// The open directory, borrowed.
  int fd() const { return fd_.get(); }

 private:
  std::string parent_;
  std::string name_;
  std::string path_;
  UniqueFd fd_;
};

}  // namespace berth::sys
