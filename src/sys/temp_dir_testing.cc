#include "sys/temp_dir_testing.h"

#include <cstdlib>

#include "base/log.h"
#include "base/strong_id.h"
#include "sys/dir.h"

namespace berth::sys {

TempDir::TempDir() : parent_("/tmp") {
  if (const char* from_user = std::getenv("TMPDIR"); from_user != nullptr) parent_ = from_user;
  name_ = "berth-test-" + random_hex(16);
  path_ = parent_ + "/" + name_;
  // A test cannot run without its directory.
  MUST(make_dirs(path_, 0755));
  fd_ = MUST(open_dir(path_));
}

TempDir::~TempDir() {
  const auto parent = open_dir(parent_);
  if (!parent.ok()) return;
  if (const auto removed = remove_tree(parent->get(), name_); !removed.ok()) {
    log::warning("{}", removed.error().message());
  }
}

}  // namespace berth::sys
