// TempDir: a directory for one test, gone with it. Header only, so that the tests of every module
// can have it.
#pragma once

#include <cstdlib>
#include <string>

#include "base/log.h"
#include "base/strong_id.h"
#include "base/unique_fd.h"
#include "sys/dir.h"

namespace berth::sys {

class TempDir {
 public:
  /// Below $TMPDIR, or /tmp. Aborts if it cannot be made: a test cannot run without its directory.
  TempDir() {
    MUST(make_dirs(path_, 0755));
    fd_ = MUST(open_dir(path_));
  }
  ~TempDir() {
    const auto parent = open_dir(parent_);
    if (!parent.ok()) return;
    if (const auto removed = remove_tree(parent->get(), name_); !removed.ok()) {
      log::warning("{}", removed.error().message());
    }
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const { return path_; }
  /// The open directory, borrowed.
  int fd() const { return fd_.get(); }

 private:
  static std::string base_dir() {
    const char* from_user = std::getenv("TMPDIR");
    return from_user != nullptr ? from_user : "/tmp";
  }

  std::string parent_ = base_dir();
  std::string name_ = "berth-test-" + random_hex(16);
  std::string path_ = parent_ + "/" + name_;
  UniqueFd fd_;
};

}  // namespace berth::sys
